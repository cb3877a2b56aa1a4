"""Addresses as people type them, as hosts have them, and as peers claim them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_swarm.address_book import FILE_BYTES_MAX, REMEMBERED_MAX, AddressBook
from skilllite_swarm.addresses import (
    ADDRESSES_PER_NODE_MAX,
    Interface,
    accept_addresses,
    caller_address,
    format_address,
    list_interfaces,
    own_addresses,
    parse_address,
)
from skilllite_swarm.errors import InvalidAddress

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
LOOPBACK = (Interface("lo", 1, "127.0.0.1"), Interface("lo", 1, "::1"))


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.7:7700", "192.0.2.7", 7700),
        ("[2001:db8::7]:7700", "2001:db8::7", 7700),
        ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
        ("build-3.lan:65535", "build-3.lan", 65535),
        ("localhost:80", "localhost", 80),
        ("build.example.:80", "build.example.", 80),
        ("my_host:80", "my_host", 80),
    ],
)
def test_an_address_is_split_and_joined_again(text: str, host: str, port: int) -> None:
    assert parse_address(text) == (host, port)
    assert format_address(host, port) == text


@pytest.mark.parametrize(
    ("text", "cause", "hint"),
    [
        ("192.0.2.7", "no port", "write 192.0.2.7:PORT"),
        ("", "no port", "write HOST:PORT"),
        ("192.0.2.7:0", "port '0'", "for example"),
        ("192.0.2.7:65536", "port '65536'", "for example"),
        ("192.0.2.7:http", "port 'http'", "for example"),
        ("192.0.2.7:\u0667", "port", "for example"),
        ("2001:db8::7", "IPv6 without brackets", "write [2001:db8::7]:PORT"),
        ("[2001:db8::7]", "brackets without a port", "write ["),
        ("[192.0.2.7]:80", "no IPv6 address", "for example"),
        ("[fe80::1%]:80", "no IPv6 address", "for example"),
        ("https://host:80", "a URL", "leave out"),
        ("two words:80", "neither a host name", "for example"),
        ("10.0.0.999:80", "neither a host name", "for example"),
        ("10.0.0:80", "neither a host name", "for example"),
        ("x" * 400 + ":80", "longer than", "for example"),
        ("a" * 200 + "!:80", "neither a host name", "for example"),
        ("a..b:80", "neither a host name", "for example"),
        ("-host:80", "neither a host name", "for example"),
        ("host\n:80", "neither a host name", "for example"),
    ],
)
def test_what_is_no_address_is_refused_with_the_way_to_write_it(
    text: str, cause: str, hint: str
) -> None:
    with pytest.raises(InvalidAddress) as caught:
        parse_address(text)

    assert cause in str(caught.value.cause)
    assert hint in str(caught.value.hint)
    assert len(caught.value.message) < 120


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        host, port = parse_address(text)
    except InvalidAddress:
        return

    assert parse_address(format_address(host, port)) == (host, port)


def test_this_host_has_loopback() -> None:
    assert any(interface.is_loopback for interface in list_interfaces())


def test_own_addresses_prefer_real_ipv4_and_leave_loopback_out() -> None:
    interfaces = (
        *LOOPBACK,
        Interface("eth0", 2, "fe80::1"),
        Interface("eth0", 2, "2001:db8::7"),
        Interface("eth0", 2, "169.254.3.4"),
        Interface("eth0", 2, "192.0.2.7"),
    )

    assert own_addresses(interfaces, 7700) == (
        "192.0.2.7:7700",
        "[2001:db8::7]:7700",
        "169.254.3.4:7700",
    )


def test_loopback_is_given_when_there_is_nothing_else() -> None:
    assert own_addresses(LOOPBACK, 7700) == ("127.0.0.1:7700", "[::1]:7700")


def test_a_node_that_listens_on_one_address_gives_that_one() -> None:
    interfaces = (*LOOPBACK, Interface("eth0", 2, "192.0.2.7"), Interface("eth0", 2, "2001:db8::7"))

    assert own_addresses(interfaces, 1, host="127.0.0.1") == ("127.0.0.1:1",)
    assert own_addresses(interfaces, 1, host="0.0.0.0") == ("192.0.2.7:1",)
    assert own_addresses(interfaces, 1, host="::") == ("192.0.2.7:1", "[2001:db8::7]:1")


def test_a_host_with_hundreds_of_addresses_gives_a_few() -> None:
    many = [Interface("eth0", 2, f"192.0.2.{last}") for last in range(1, 255)]

    assert len(own_addresses(many, 1)) == ADDRESSES_PER_NODE_MAX


def test_claimed_addresses_are_cleaned_and_bounded() -> None:
    claimed = ["192.0.2.7:1", "nonsense", "192.0.2.7:1", "127.0.0.1:1", "[::1]:1", "localhost:1"]
    claimed += [f"192.0.2.{last}:1" for last in range(1, 100)]

    kept = accept_addresses(claimed, same_host=False)

    assert kept[0] == "192.0.2.7:1"
    assert len(kept) == len(set(kept)) == ADDRESSES_PER_NODE_MAX
    assert not any(text.startswith(("127.", "[::1]", "localhost")) for text in kept)


def test_loopback_is_believed_from_this_host_only() -> None:
    loopback = ["127.0.0.1:1", "[::ffff:127.0.0.1]:1", "0.0.0.0:1"]

    assert accept_addresses(loopback, same_host=True) == tuple(loopback)
    assert accept_addresses(loopback, same_host=False) == ()


@pytest.mark.parametrize(
    ("source", "claimed", "address"),
    [
        ("192.0.2.7:50000", ["10.0.0.1:7700"], "192.0.2.7:7700"),
        ("[::ffff:192.0.2.7]:50000", ["10.0.0.1:7700"], "192.0.2.7:7700"),
        ("[fe80::1%eth0]:50000", ["10.0.0.1:7700"], "[fe80::1%eth0]:7700"),
        ("192.0.2.7:50000", [], None),
        ("192.0.2.7:50000", ["nonsense"], None),
        ("memory", ["10.0.0.1:7700"], None),
    ],
)
def test_a_caller_is_reached_where_it_comes_from(
    source: str, claimed: list[str], address: str | None
) -> None:
    assert caller_address(source, claimed) == address


def open_book(path: Path, team_id: str = "team") -> AddressBook:
    return AddressBook.open(path, team_id=team_id, now=NOW)


def test_a_book_remembers_across_starts(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    book = open_book(path)
    book.remember("a", name="alpha", addresses=["192.0.2.1:1"], now=NOW)
    book.remember("b", name="bravo", addresses=["192.0.2.2:1"], now=NOW + timedelta(seconds=9))

    assert book.save()
    again = open_book(path)

    assert [peer.node_id for peer in again.peers()] == ["b", "a"]
    assert again.peers() == book.peers()
    assert again.problem is None
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["peers.json"]


def test_nothing_new_is_not_written(tmp_path: Path) -> None:
    book = open_book(tmp_path / "peers.json")
    book.remember("a", name="alpha", addresses=["192.0.2.1:1"], now=NOW)
    book.save()

    book.remember("a", name="alpha", addresses=["192.0.2.1:1"], now=NOW + timedelta(hours=1))

    assert not book.save()


def test_a_peer_that_moved_is_written(tmp_path: Path) -> None:
    book = open_book(tmp_path / "peers.json")
    book.remember("a", name="alpha", addresses=["192.0.2.1:1"], now=NOW)
    book.save()

    book.remember("a", name="alpha", addresses=["192.0.2.9:1"], now=NOW)

    assert book.save()
    assert open_book(tmp_path / "peers.json").peers()[0].addresses == ("192.0.2.9:1",)


def test_a_forgotten_peer_is_gone(tmp_path: Path) -> None:
    book = open_book(tmp_path / "peers.json")
    book.remember("a", name="alpha", addresses=["192.0.2.1:1"], now=NOW)
    book.save()

    book.forget("a")

    assert book.save()
    assert open_book(tmp_path / "peers.json").peers() == ()


def test_members_of_another_team_are_dropped_and_the_epoch_is_kept(tmp_path: Path) -> None:
    book = open_book(tmp_path / "peers.json", "old team")
    book.remember("a", name="alpha", addresses=["192.0.2.1:1"], now=NOW)
    epoch = book.next_epoch(NOW)
    book.save()

    moved = open_book(tmp_path / "peers.json", "new team")

    assert moved.peers() == ()
    assert moved.next_epoch(NOW - timedelta(days=400)) == epoch + 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b"[]",
        b"{}",
        b'{"schema": 2, "epoch": 0, "team_id": "team", "peers": []}',
        b'{"schema": 1, "epoch": "x", "team_id": "team", "peers": []}',
        b'{"schema": 1, "epoch": 0, "team_id": "team", "peers": [7]}',
        b'{"schema": 1, "epoch": 0, "team_id": "team", "peers": 7}',
        b'{"schema": 1, "epoch": 0, "team_id": "team", "peers": [{"node_id": 7, "name": "n",'
        b' "addresses": [], "last_seen": 0}]}',
        b'{"schema": 1, "epoch": 0, "team_id": "team", "peers": [{"node_id": "a", "name": "n",'
        b' "addresses": [], "last_seen": 1e999}]}',
        b"[" * 100_000,
        b" " * (FILE_BYTES_MAX + 1),
    ],
)
def test_a_damaged_book_is_set_aside_and_reported(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "peers.json"
    path.write_bytes(content)

    book = open_book(path)

    assert book.peers() == ()
    assert book.problem is not None
    assert "is damaged" in book.problem
    (aside,) = tmp_path.iterdir()
    assert aside.name.startswith("peers.json.corrupt-20300102T030405")
    assert aside.read_bytes() == content
    assert len(book.problem) < 500


def test_a_book_holds_a_bounded_number_and_drops_the_longest_gone(tmp_path: Path) -> None:
    book = open_book(tmp_path / "peers.json")
    for number in range(REMEMBERED_MAX + 1):
        book.remember(
            f"node{number}",
            name="n" * 999,
            addresses=[f"192.0.2.{last}:1" for last in range(1, 99)],
            now=NOW + timedelta(seconds=number),
        )

    book.save()

    assert len(book.peers()) == REMEMBERED_MAX
    assert "node0" not in {peer.node_id for peer in book.peers()}
    assert len(open_book(tmp_path / "peers.json").peers()) == REMEMBERED_MAX


def test_the_book_is_json_that_a_person_can_read(tmp_path: Path) -> None:
    book = open_book(tmp_path / "peers.json")
    book.remember("a", name="alpha", addresses=["192.0.2.1:1"], now=NOW)
    book.save()

    content = json.loads((tmp_path / "peers.json").read_text(encoding="utf-8"))

    assert content["peers"][0]["addresses"] == ["192.0.2.1:1"]
