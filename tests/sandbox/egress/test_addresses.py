"""The list of refused addresses, in every spelling that leads to one of them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skilllite_sandbox.egress.addresses import (
    LOCALHOST,
    Address,
    embedded,
    parse_address,
    refusal,
)

V4 = st.integers(0, 2**32 - 1).map(IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(IPv6Address)


def kind_of(text: str) -> str | None:
    address = parse_address(text)
    assert address is not None
    return refusal(address)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("127.0.0.1", "loopback address"),
        ("127.255.255.254", "loopback address"),
        ("0.0.0.0", "unspecified address"),
        ("0.1.2.3", "unspecified address"),
        ("10.0.0.1", "private network address"),
        ("172.16.0.1", "private network address"),
        ("172.31.255.255", "private network address"),
        ("192.168.1.1", "private network address"),
        ("100.64.0.1", "carrier-grade NAT address"),
        ("100.127.255.255", "carrier-grade NAT address"),
        ("169.254.0.1", "link-local address"),
        ("169.254.169.254", "cloud metadata address"),
        ("169.254.170.2", "cloud metadata address"),
        ("100.100.100.200", "cloud metadata address"),
        ("168.63.129.16", "cloud metadata address"),
        ("192.0.0.192", "cloud metadata address"),
        ("224.0.0.1", "multicast address"),
        ("239.255.255.255", "multicast address"),
        ("240.0.0.1", "reserved address"),
        ("255.255.255.255", "broadcast address"),
        ("::", "unspecified address"),
        ("::1", "loopback address"),
        ("::2", "reserved address"),
        ("::127.0.0.1", "reserved address"),
        ("fe80::1", "link-local address"),
        ("febf::1", "link-local address"),
        ("fec0::1", "private network address"),
        ("fc00::1", "private network address"),
        ("fdff::1", "private network address"),
        ("fd00:ec2::254", "cloud metadata address"),
        ("fd20:ce::254", "cloud metadata address"),
        ("ff02::1", "multicast address"),
        ("100::1", "reserved address"),
        ("64:ff9b:1::8.8.8.8", "private network address"),
        ("::ffff:127.0.0.1", "loopback address"),
        ("::ffff:a9fe:a9fe", "cloud metadata address"),
    ],
)
def test_refused(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "8.8.8.8",
        "1.0.0.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "223.255.255.255",
        "2606:4700::1111",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "::ffff:8.8.8.8",
    ],
)
def test_public_addresses_up_to_the_edges_of_the_list_are_not(text: str) -> None:
    assert kind_of(text) is None


@pytest.mark.parametrize("text", ["198.18.0.7", "192.0.2.1", "203.0.113.9", "2001:db8::1"])
def test_networks_that_python_calls_private_may_hold_a_package_index(text: str) -> None:
    assert kind_of(text) is None


@given(V4)
@example(IPv4Address("127.0.0.1"))
@example(IPv4Address("169.254.169.254"))
@example(IPv4Address("10.1.2.3"))
@example(IPv4Address("0.0.0.0"))
def test_a_refused_ipv4_is_refused_inside_every_ipv6_that_leads_to_it(inner: IPv4Address) -> None:
    low = int(inner)
    forms = [
        IPv6Address(int(IPv6Address("::ffff:0:0")) | low),
        IPv6Address(int(IPv6Address("64:ff9b::")) | low),
        IPv6Address(int(IPv6Address("::ffff:0:0:0")) | low),
        IPv6Address(0x2002 << 112 | low << 80 | 1),
        IPv6Address(0x20010000 << 96 | 0x08080808 << 64 | ~low & 0xFFFFFFFF),
        IPv6Address(0x20010000 << 96 | low << 64 | ~0x08080808 & 0xFFFFFFFF),
        IPv6Address(0x20010DB8 << 96 | 0x5EFE << 32 | low),
        IPv6Address(0x20010DB8 << 96 | 0x02005EFE << 32 | low),
    ]

    for form in forms:
        assert (refusal(form) is None) == (refusal(inner) is None), form


@given(V4)
def test_the_compatible_form_is_refused_whatever_is_in_it(inner: IPv4Address) -> None:
    assert refusal(IPv6Address(int(inner))) is not None


@given(V4 | V6)
def test_what_python_knows_as_local_is_refused(address: Address) -> None:
    local = (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (isinstance(address, IPv6Address) and address in IPv6Network("fc00::/7"))
    )

    assert refusal(address) is not None or not local


@given(V4 | V6)
def test_every_spelling_of_an_address_is_that_address(address: Address) -> None:
    spellings = {str(address), address.exploded, address.exploded.upper()}
    if isinstance(address, IPv4Address):
        spellings |= {f"::ffff:{address}", f"0:0:0:0:0:FFFF:{address}"}

    assert len({parse_address(text) for text in spellings}) == 1


@pytest.mark.parametrize(
    "text",
    [
        *("127.1", "2130706433", "0x7f.0.0.1", "0x7f000001", "0177.0.0.1", "127.0.0.01"),
        *("127.0.0.1.", " 127.0.0.1", "127.0.0.1 ", "127.0.0.1\n", "127.0.0.1\0", "", "localhost"),
        *("::1%lo", "fe80::1%1", "[::1]", "1.2.3.4%1", "::1/128", "\uff11.0.0.1", "127\u30020.0.1"),
        *(":", ":::", "12345::", "::ffff:127.1", "1" * 10_000, ":" * 10_000),
    ],
)
def test_other_spellings_are_no_address(text: str) -> None:
    assert parse_address(text) is None


@given(st.text(max_size=50))
def test_no_text_breaks_the_parser(text: str) -> None:
    address = parse_address(text)

    assert address is None or parse_address(str(address)) == address


def test_localhost_is_refused_like_any_loopback() -> None:
    assert all(refusal(address) for address in LOCALHOST)


def test_an_ordinary_address_has_nothing_in_it() -> None:
    assert embedded(IPv6Address("2606:4700::1111")) == ()
