"""What a person granted, as rules, and whether a host and port may be reached by them.

Decides by name and port first (`decide`), and by each address a name turned out to have
(`address_refusal`). Leaves resolving and connecting to others.

A grant is `host`, `host:port`, an IPv4 address or an IPv6 address in brackets, with an optional
port; without one it means ports 80 and 443. Decisions about what else a grant could mean:

- No wildcards. Who reads `*.cloud.example` can't know that anybody may rent a name below it, and
  without the public suffix list neither can we. A skill names each host.
- `localhost` names 127.0.0.1 and ::1 literally and is never resolved.
- A granted address is granted at its port whatever name leads there: who may speak to 10.0.0.5:80
  may also say any name while doing so, so refusing the name would protect nothing.
- Names are compared as ASCII, lower case, without the dot of the root. A grant in another script
  is converted by the standard library's IDNA 2003, except where its successor leads elsewhere: a
  person who grants `faß.example` must not get `fass.example`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from skilllite_sandbox.egress.addresses import LOCALHOST, Address, parse_address, refusal
from skilllite_sandbox.egress.attempt import Cause
from skilllite_sandbox.errors import InvalidInput

DEFAULT_PORTS = frozenset({80, 443})  # plain and encrypted HTTP: what "a host" means to a person
GRANTS_MAX = 64  # hosts of one skill, as many as it may ask for; a person has to have read them
HOST_CHARS_MAX = 253  # of a name in DNS
_GRANT_CHARS_MAX = HOST_CHARS_MAX + len(":65535")
_SHOWN_CHARS = 80  # of what somebody wrote, in a message

# An underscore is no host name by the old rules, but such names are in use.
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# A name that ends in a number is an address to `getaddrinfo` and to browsers: 127.1, 0x7f000001.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
# Sharp s, final sigma and the two joiners: IDNA 2003 replaces or drops them, IDNA 2008 keeps them.
_DEVIATIONS = frozenset("ßςẞ\u200c\u200d")

Host = str | Address
"""A name in lower-case ASCII, or an address that was written as one."""


class BadTarget(ValueError):
    """A host or port is not written in a way that can mean only one thing."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The host may be asked for at this port."""

    addresses: tuple[Address, ...]
    """Where it is, if that is known without a resolver; empty for a name."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The host may not be reached, and the skill's author may know why."""

    cause: Cause
    reason: str


Decision = Allowed | Refused


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that was granted to one run."""

    names: frozenset[tuple[str, int]] = frozenset()
    addresses: frozenset[tuple[Address, int]] = frozenset()

    def decide(self, host: Host, port: int) -> Decision:
        """Say whether `host`, as `parse_host` returns it, may be reached at `port`."""
        if host == "localhost":
            return self._decide_localhost(port)
        granted: frozenset[tuple[Host, int]] = (
            self.names if isinstance(host, str) else self.addresses
        )
        if (host, port) in granted:
            return Allowed(() if isinstance(host, str) else (host,))
        if any(name == host for name, _ in granted):
            return _port_refused(host, port)
        return _host_refused(host, port)

    def _decide_localhost(self, port: int) -> Decision:
        found = tuple(address for address in LOCALHOST if (address, port) in self.addresses)
        if found:
            return Allowed(found)
        if any(address in LOCALHOST for address, _ in self.addresses):
            return _port_refused("localhost", port)
        return _host_refused("localhost", port)

    def describe(self) -> tuple[str, ...]:
        """Return every target that was granted, as a person writes it."""
        return tuple(sorted(show(host, port) for host, port in self.names | self.addresses))

    def address_refusal(self, address: Address, port: int) -> str | None:
        """Say what kind of address this is if it may not be connected to, else None."""
        return None if self.names_address(address, port) else refusal(address)

    def names_address(self, address: Address, port: int) -> bool:
        """Whether a person granted this very address."""
        return (address, port) in self.addresses


def parse_rules(grants: Iterable[str]) -> Rules:
    """Turn grants into rules.

    Raises:
        InvalidInput: a grant can't be read, or there are too many.
    """
    unique = list(dict.fromkeys(grants))
    if len(unique) > GRANTS_MAX:
        raise InvalidInput(f"more than {GRANTS_MAX} hosts are granted to one skill")
    names: set[tuple[str, int]] = set()
    addresses: set[tuple[Address, int]] = set()
    for grant in unique:
        host, ports = _parse_grant(grant)
        if host == "localhost":
            addresses.update((address, port) for address in LOCALHOST for port in ports)
        elif isinstance(host, str):
            names.update((host, port) for port in ports)
        else:
            addresses.update((host, port) for port in ports)
    return Rules(frozenset(names), frozenset(addresses))


def parse_authority(text: str, default_port: int | None = None) -> tuple[Host, int]:
    """Split `host:port`, where an IPv6 address is in brackets.

    Raises:
        BadTarget: it isn't exactly that; user names, zones, odd numbers and spaces included.
    """
    _user, at, rest = text.rpartition("@")
    if at:  # not shown: it may be a password
        raise BadTarget(f"there is a user name before {rest[:_SHOWN_CHARS]!r}")
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        if default_port is None:
            raise BadTarget(f"the port is missing behind {text[:_SHOWN_CHARS]!r}")
        return parse_host(text), default_port
    if not _PORT.fullmatch(port) or int(port) > 65535:
        raise BadTarget(f"the port {port[:_SHOWN_CHARS]!r} is not a number from 1 to 65535")
    return parse_host(host), int(port)


def parse_host(text: str) -> Host:
    """Return the one thing that a host in a request means.

    Raises:
        BadTarget: it is not a plain name or address.
    """
    shown = text[:_SHOWN_CHARS]
    if not text.isascii():  # before lower(), which makes a k of the Kelvin sign
        raise BadTarget(f"the host {shown!r} is not ASCII; write its xn-- form")
    if text.startswith("[") and text.endswith("]"):
        address = parse_address(text[1:-1]) if ":" in text else None
        if address is None:
            raise BadTarget(f"{shown!r} is not an IPv6 address")
        return address
    if ":" not in text and (address := parse_address(text)) is not None:
        return address
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > HOST_CHARS_MAX or not all(map(_LABEL.fullmatch, labels)):
        raise BadTarget(f"the host {shown!r} is not a name or an address")
    if _NUMBER.fullmatch(labels[-1]):
        raise BadTarget(f"the host {shown!r} is a number but no address of four parts")
    return name


def show(host: Host, port: int) -> str:
    """Return a target as a person writes it."""
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


def with_article(kind: str) -> str:
    """Return a kind of address as it stands in a sentence."""
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _parse_grant(grant: str) -> tuple[Host, frozenset[int]]:
    shown = grant[:_SHOWN_CHARS]
    if "*" in grant:
        raise InvalidInput(
            f"network grant {shown!r} has a wildcard",
            cause="anybody may own a name below it",
            hint="name each host",
        )
    try:
        if len(grant) > _GRANT_CHARS_MAX:
            raise BadTarget(f"it is longer than {_GRANT_CHARS_MAX} characters")
        text = grant if grant.isascii() else _to_ascii(grant)
        host, port = parse_authority(text, default_port=0)
    except BadTarget as problem:
        raise InvalidInput(
            f"network grant {shown!r} can't be read",
            cause=str(problem),
            hint="write it like api.example.com, cdn.example.com:8443 or [2001:db8::1]:443",
        ) from None
    return host, frozenset({port}) if port else DEFAULT_PORTS


def _to_ascii(grant: str) -> str:
    """Return a grant in another script in the form that DNS and every request uses."""
    host, colon, port = grant.partition(":")
    if _DEVIATIONS & set(host):
        raise BadTarget("two standards read this name differently; write its xn-- form")
    try:
        name = host.encode("idna").decode("ascii")
    except UnicodeError:
        raise BadTarget("the name can't be written in the letters of DNS") from None
    if not isinstance(parse_host(name), str):
        raise BadTarget("it is an address in other digits than 0 to 9")
    return name + colon + port


def _host_refused(host: Host, port: int) -> Refused:
    kind = "loopback address" if host == "localhost" else None
    if not isinstance(host, str):
        kind = refusal(host)
    if kind is not None:  # without a word on how to open it: hardly any skill has business there
        reason = f"{show(host, port)} is {with_article(kind)} that is not granted to this skill"
        return Refused(Cause.ADDRESS_REFUSED, reason)
    return Refused(
        Cause.HOST_NOT_GRANTED,
        f"{show(host, port)} is not granted to this skill; {_remedy(host, port)}",
    )


def _port_refused(host: Host, port: int) -> Refused:
    return Refused(
        Cause.PORT_NOT_GRANTED,
        f"{show(host, port)} is not granted to this skill, only another port of that host; "
        f"{_remedy(host, port)}",
    )


def _remedy(host: Host, port: int) -> str:
    return f"a person can allow it with --allow-network {show(host, port)}"
