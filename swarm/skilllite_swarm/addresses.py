"""Where nodes can be dialled: this node's own addresses, and "host:port" as text.

Own addresses come from the interfaces themselves, never from dialling some far host: a LAN without
a way out is a LAN like any other. What is remembered about others lives in `address_book`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import ifaddr

from skilllite_swarm.errors import InvalidAddress

ADDRESSES_PER_NODE_MAX = 16
"""Kept for one node: two families on a handful of interfaces; more is a mistake or an attack."""

ADDRESS_LENGTH_MAX = 300
"""Characters of one "host:port": a DNS name has at most 253."""

PORT_MAX = 65_535

HOST_LENGTH_MAX = 253
"""Characters of a DNS name."""

# Label by label: one expression for the whole name would backtrack for ever on hostile text.
_LABEL = re.compile(r"[a-z0-9_][a-z0-9_-]{0,62}\Z", re.IGNORECASE)
_SCOPE = re.compile(r"[a-z0-9_.:-]{1,15}\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Interface:
    """One address of one network interface."""

    name: str
    index: int
    ip: str
    """Without a scope."""

    @property
    def is_loopback(self) -> bool:
        return ip_address(self.ip).is_loopback

    @property
    def is_link_local_v6(self) -> bool:
        parsed = ip_address(self.ip)
        return parsed.version == 6 and parsed.is_link_local


def list_interfaces() -> tuple[Interface, ...]:
    """Return every usable address of this host, sorted; takes about 0.4 ms and never blocks."""
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            parsed = ip_address(text.partition("%")[0])
            if not (parsed.is_unspecified or parsed.is_multicast):
                found.append(Interface(adapter.name, adapter.index or 0, str(parsed)))
    return tuple(sorted(found))


def own_addresses(interfaces: Iterable[Interface], port: int, *, host: str = "") -> tuple[str, ...]:
    """Return where others can dial this node, best first.

    Loopback is given only when there is nothing else: on another machine it would be that machine.
    Link-local IPv6 is left out, because its scope has a meaning on this host alone; mDNS gives each
    receiver the scope it needs. `host` is what the node listens on, when that is one address.
    """
    if host and not _is_wildcard(host):
        return (format_address(host, port),)
    ips = [interface.ip for interface in interfaces if not interface.is_link_local_v6]
    outside = [ip for ip in ips if not ip_address(ip).is_loopback]
    ordered = sorted(set(outside or ips), key=_preference)
    if host and ip_address(host).version == 4:
        ordered = [ip for ip in ordered if ip_address(ip).version == 4]
    return tuple(format_address(ip, port) for ip in ordered[:ADDRESSES_PER_NODE_MAX])


def _is_wildcard(host: str) -> bool:
    return host in ("0.0.0.0", "::")


def _preference(ip: str) -> tuple[bool, bool, str]:
    parsed = ip_address(ip)
    # 169.254/16 means that a DHCP server was missed: it works, but hardly ever best.
    return (parsed.is_link_local, parsed.version == 6, ip)


def format_address(host: str, port: int) -> str:
    """Return "host:port", with IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_address(text: str) -> tuple[str, int]:
    """Split "host:port".

    Raises:
        InvalidAddress: it is not one; the hint shows how to write it.
    """
    shown = text if len(text) <= 80 else text[:77] + "..."
    if len(text) > ADDRESS_LENGTH_MAX:
        raise _invalid(shown, f"longer than {ADDRESS_LENGTH_MAX} characters")
    if "://" in text:
        raise _invalid(shown, "a URL", hint="leave out the part up to and including ://")
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or not rest.startswith(":"):
            raise _invalid(shown, "brackets without a port", hint="write [2001:db8::7]:7700")
        if not _is_ip(host, version=6):
            raise _invalid(shown, f"{host!r} is no IPv6 address")
        return host, _port(shown, rest[1:])
    if _is_ip(text, version=6):
        raise _invalid(shown, "IPv6 without brackets", hint=f"write [{text}]:PORT")
    host, colon, port = text.rpartition(":")
    if not colon:
        raise _invalid(shown, "no port", hint=f"write {text or 'HOST'}:PORT")
    if not (_is_ip(host, version=4) or _is_host_name(host)):
        raise _invalid(shown, f"{host!r} is neither a host name nor an IP address")
    return host, _port(shown, port)


def _port(shown: str, text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= PORT_MAX:
        return int(text)
    raise _invalid(shown, f"the port {text!r} is no number from 1 to {PORT_MAX}")


def _is_ip(host: str, *, version: int) -> bool:
    bare, percent, scope = host.partition("%")
    if percent and not (version == 6 and _SCOPE.match(scope)):
        return False
    try:
        return ip_address(bare).version == version
    except ValueError:
        return False


def _is_host_name(host: str) -> bool:
    # "10.0.0" or "10.0.0.999" would be a legal name, and is always a mistyped address.
    if len(host) > HOST_LENGTH_MAX or host.replace(".", "").isdigit():
        return False
    return all(map(_LABEL.match, host.removesuffix(".").split(".")))


def _invalid(shown: str, cause: str, *, hint: str | None = None) -> InvalidAddress:
    return InvalidAddress(
        f"{shown!r} is not an address",
        cause=cause,
        hint=hint or "write HOST:PORT, for example 192.0.2.7:7700 or [2001:db8::7]:7700",
    )


def accept_addresses(claimed: Iterable[str], *, same_host: bool) -> tuple[str, ...]:
    """Return those of a peer's claimed addresses that are worth a dial.

    Loopback is believed only from a caller on this very host: from elsewhere it would make this
    node dial itself.
    """
    kept: list[str] = []
    for text in claimed:
        try:
            host, _ = parse_address(text)
        except InvalidAddress:
            continue
        if text not in kept and (same_host or not is_loopback_host(host)):
            kept.append(text)
        if len(kept) == ADDRESSES_PER_NODE_MAX:
            break
    return tuple(kept)


def is_loopback_host(host: str) -> bool:
    """Whether the host is this machine by definition."""
    parsed = normal_ip(host)
    if parsed is None:
        return host.lower().rstrip(".") in ("localhost", "ip6-localhost")
    return parsed.is_loopback or parsed.is_unspecified


def normal_ip(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address a host literal stands for (IPv4 for its mapped form), else None."""
    try:
        parsed = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def caller_address(source: str, claimed: Iterable[str]) -> str | None:
    """Return where a caller listens, as far as its connection shows: its IP with its own port.

    The source address is the one thing about reachability that a caller can't get wrong; the
    source port is ephemeral, so the listening port is taken from what it claims.
    """
    try:
        host, _ = parse_address(source)
        ports = [parse_address(text)[1] for text in claimed]
    except InvalidAddress:
        return None
    parsed = normal_ip(host)
    if parsed is None or not ports:
        return None
    _, percent, scope = host.partition("%")
    return format_address(f"{parsed}{percent}{scope}", ports[0])
