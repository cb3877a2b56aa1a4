"""Grants as rules: what they allow, and all the ways to write something that they must not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_sandbox.egress.addresses import parse_address
from skilllite_sandbox.egress.attempt import Cause
from skilllite_sandbox.egress.rules import (
    GRANTS_MAX,
    Allowed,
    BadTarget,
    Refused,
    Rules,
    parse_authority,
    parse_host,
    parse_rules,
    show,
)
from skilllite_sandbox.errors import InvalidInput

LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join).filter(lambda n: n != "localhost")
PORTS = st.integers(1, 65535)


def asks(rules: Rules, target: str) -> Cause | None:
    """Return why `host:port` is refused, None if it is allowed."""
    decision = rules.decide(*parse_authority(target))
    return decision.cause if isinstance(decision, Refused) else None


def test_a_host_is_granted_at_the_ports_of_http_and_https() -> None:
    rules = parse_rules(["api.example.com"])

    assert asks(rules, "api.example.com:80") is None
    assert asks(rules, "api.example.com:443") is None
    assert asks(rules, "api.example.com:22") is Cause.PORT_NOT_GRANTED


def test_a_port_in_the_grant_is_the_only_one() -> None:
    rules = parse_rules(["cdn.example.com:8443"])

    assert asks(rules, "cdn.example.com:8443") is None
    assert asks(rules, "cdn.example.com:443") is Cause.PORT_NOT_GRANTED


def test_without_a_grant_nothing_is_allowed() -> None:
    rules = parse_rules([])

    for target in ("example.com:443", "127.0.0.1:80", "localhost:80", "[::1]:80", "com:80"):
        assert asks(rules, target) is not None


@pytest.mark.parametrize(
    "target",
    [
        "example.com:443",
        "www.api.example.com:443",
        "xapi.example.com:443",
        "api.example.com.evil.test:443",
        "api.example.co:443",
        "api-example.com:443",
        "com:443",
    ],
)
def test_a_grant_is_for_that_name_and_no_other(target: str) -> None:
    assert asks(parse_rules(["api.example.com"]), target) is Cause.HOST_NOT_GRANTED


def test_case_and_the_dot_of_the_root_make_no_difference() -> None:
    rules = parse_rules(["API.Example.COM."])

    assert asks(rules, "api.EXAMPLE.com.:443") is None


def test_a_name_in_another_script_is_its_xn_form() -> None:
    rules = parse_rules(["Bücher.example", "例え.example:8443"])

    assert asks(rules, "xn--bcher-kva.example:443") is None
    assert asks(rules, "xn--r8jz45g.example:8443") is None


@pytest.mark.parametrize(
    "grant",
    [
        *("", ".", "..", "a..b", ".example.com", "-a.example", "a-.example", "a" * 64 + ".example"),
        *(
            "*",
            "*.example.com",
            "a.*.example",
            "exa mple.com",
            "example.com/",
            "http://example.com",
        ),
        *(
            "user@example.com",
            "example.com:",
            "example.com:0",
            "example.com:65536",
            "example.com:x",
        ),
        *("example.com:+80", "example.com:080", "example.com: 80", "example.com:80:90", "a:b:80"),
        *("::1", "::1:80", "[::1", "[::1]x", "[::1%lo]", "[127.0.0.1]", "[]", "[example.com]"),
        *(
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "1.2.3.4.5",
            "example.1",
        ),
        *("example.com\n", "example.com\0", "exam\0ple.com", "a,b", "a%2eb", "a\\b", "a#b", "a?b"),
        *("faß.example", "ΑΣς.example", "a\u200db.example", "\uff11.0.0.1", "a.example:\uff18"),
        *(".".join(["a" * 60] * 5), "x" * 10_000, "\ud800.example", "a\uff0fb.example"),
    ],
)
def test_a_grant_that_could_mean_two_things_is_refused(grant: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_rules([grant])

    assert caught.value.hint


def test_more_grants_than_a_person_reads_are_refused() -> None:
    many = [f"a{number}.example" for number in range(GRANTS_MAX + 1)]

    with pytest.raises(InvalidInput):
        parse_rules(many)
    assert asks(parse_rules([*many[:-1], many[0]]), "a3.example:443") is None


def test_an_address_is_reached_only_if_a_grant_spells_it() -> None:
    rules = parse_rules(["10.0.0.5:8080", "[fd00::7]:80", "api.example.com"])
    granted = parse_address("10.0.0.5")
    neighbour = parse_address("10.0.0.6")
    assert granted is not None
    assert neighbour is not None

    assert rules.decide(granted, 8080) == Allowed((granted,))
    assert rules.address_refusal(granted, 8080) is None
    assert rules.address_refusal(granted, 80) == "private network address"
    assert rules.address_refusal(neighbour, 8080) == "private network address"
    assert asks(rules, "[FD00:0::7]:80") is None
    assert asks(rules, "10.0.0.6:8080") is Cause.ADDRESS_REFUSED


@pytest.mark.parametrize("grant", ["127.0.0.1:8080", "[::ffff:127.0.0.1]:8080"])
@pytest.mark.parametrize("target", ["127.0.0.1:8080", "[::ffff:7f00:1]:8080", "localhost:8080"])
def test_every_spelling_of_a_granted_address_is_granted(grant: str, target: str) -> None:
    assert asks(parse_rules([grant]), target) is None


def test_rules_can_be_shown_to_a_person() -> None:
    rules = parse_rules(["b.example", "[2001:DB8::1]:443", "A.example:8443"])

    assert rules.describe() == (
        "[2001:db8::1]:443",
        "a.example:8443",
        "b.example:443",
        "b.example:80",
    )


def test_a_password_in_a_target_is_not_repeated() -> None:
    with pytest.raises(BadTarget) as caught:
        parse_authority("user:secret@a.example:80")

    assert "secret" not in str(caught.value)
    assert "a.example" in str(caught.value)


def test_localhost_is_loopback_and_never_resolved() -> None:
    rules = parse_rules(["localhost:8080"])

    decision = rules.decide("localhost", 8080)

    assert isinstance(decision, Allowed)
    assert [str(address) for address in decision.addresses] == ["127.0.0.1", "::1"]
    assert asks(rules, "127.0.0.1:8080") is None
    assert asks(rules, "[::1]:8080") is None
    assert asks(rules, "localhost:80") is Cause.PORT_NOT_GRANTED
    assert asks(rules, "127.0.0.2:8080") is Cause.ADDRESS_REFUSED


def test_a_granted_name_does_not_open_loopback() -> None:
    loopback = parse_address("127.0.0.1")
    assert loopback is not None

    assert parse_rules(["api.example.com"]).address_refusal(loopback, 443) == "loopback address"


def test_a_refusal_says_how_to_allow_a_host_but_not_how_to_open_the_machine() -> None:
    rules = parse_rules([])
    host = rules.decide("api.example.com", 8443)
    metadata = rules.decide(*parse_authority("169.254.169.254:80"))

    assert isinstance(host, Refused)
    assert "--allow-network api.example.com:8443" in host.reason
    assert isinstance(metadata, Refused)
    assert "cloud metadata address" in metadata.reason
    assert "--allow" not in metadata.reason


@pytest.mark.parametrize(
    "host",
    [
        *("", " ", ".", "a b", "a\tb", "a\0b", "a@b", "a/b", "a\\b", "a%00b", "a:b", "[a]", "[::1"),
        *(
            "127.1",
            "0x7f.1",
            "0X7F000001",
            "017700000001",
            "2130706433",
            "1.2.3.4.",
            "a.0x1",
            "a.1",
        ),
        *(
            "999.1.1.1",
            "1.2.3",
            "fe80::1",
            "[fe80::1%25eth0]",
            "[::1]]",
            "\u212aube.example",
            "ä.de",
        ),
    ],
)
def test_a_host_in_a_request_has_one_meaning_or_none(host: str) -> None:
    with pytest.raises(BadTarget):
        parse_host(host)


@pytest.mark.parametrize(
    "authority",
    [
        *("example.com", "example.com:", ":80", "example.com:0", "example.com:65536", "a:99999"),
        *("example.com:80x", "example.com:-1", "example.com:٣", "a@b:80", "a:80@b:80", "::1:80"),
        *(
            "example.com:80\0",
            "example.com:80 ",
            "example.com:443:80",
            "[::1]",
            "[::1]:",
            "[::1]80",
        ),
    ],
)
def test_an_authority_is_a_host_and_a_port_and_nothing_else(authority: str) -> None:
    with pytest.raises(BadTarget):
        parse_authority(authority)


@given(NAMES, PORTS, NAMES, PORTS)
def test_exactly_what_is_granted_is_allowed(
    name: str, port: int, other: str, other_port: int
) -> None:
    rules = parse_rules([f"{name}:{port}"])

    allowed = asks(rules, f"{other}:{other_port}") is None

    assert asks(rules, f"{name.upper()}.:{port}") is None
    assert allowed == ((other, other_port) == (name, port))


@given(st.text(max_size=40) | st.text("0123456789abcdefx.:[]%@-*", max_size=40))
def test_no_text_breaks_parsing_and_what_is_read_can_be_written_back(text: str) -> None:
    try:
        host, port = parse_authority(text, default_port=80)
    except BadTarget:
        return

    assert parse_authority(show(host, port)) == (host, port)
    assert show(host, port).isascii()


@given(st.text(max_size=40) | st.text("0123456789abcdefx.:[]%@-*", max_size=40))
def test_no_grant_breaks_parsing(text: str) -> None:
    try:
        parse_rules([text])
    except InvalidInput as error:
        assert error.hint
