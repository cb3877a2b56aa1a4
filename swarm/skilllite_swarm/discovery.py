"""Who else may be here: hints to dial, never proof of anything.

What discovery says is unauthenticated. A node believes nothing of it but "try these addresses", and
tells nothing but what a dial or a join needs: no skills, no secrets, no name of node, team or host.
This module has the values and the seam; `mdns` finds nodes on a LAN, `memory_lan` in one process.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

import trio

from skilllite_swarm.addresses import format_address, parse_address
from skilllite_swarm.errors import InvalidAddress
from skilllite_swarm.transport import PROTOCOL_MAX, PROTOCOL_MIN

TXT_BYTES_MAX = 400
"""All of a TXT record: one announcement stays far below one Ethernet packet."""

FOUND_MAX = 256
"""Instances remembered for the own team, and again for all others: a flood fills no memory."""

EVENTS_MAX = 1_024
"""Events waiting for a listener; what overflows comes again at the next browse."""

RESPONDERS_MAX = 3
"""Inviters with the same window number that a newcomer asks, one after the other."""

WINDOW_MAX = 99
"""Join windows have two digits."""

RESPONDERS_SETTLE_S = 0.5
"""After the first inviter is found, others with its number get this long to show up."""

TEAM_HASH_CHARS = 16
"""80 bits: enough to tell teams apart, too few to be taken for the id."""

_NODE_ID = re.compile(r"[a-z2-7]{16,64}\Z")
_TEAM_HASH = re.compile(r"[a-z2-7]{1,32}\Z")
_GENERATION = re.compile(r"[0-9]{1,20}\.[0-9]{1,20}\Z")


def team_hash(team_id: str) -> str:
    """Return what stands for a team in public; the id can't be had back from it."""
    digest = sha256(b"skilllite team in discovery 1\x00" + team_id.encode("utf-8")).digest()
    return base64.b32encode(digest).decode("ascii").lower()[:TEAM_HASH_CHARS]


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a node says about itself to everybody on the LAN."""

    node_id: str
    team_hash: str
    port: int
    """Where the team's calls are served."""
    generation: str = "0.0"
    """(epoch, sequence) of the catalogue as "epoch.sequence"; new at every start."""
    catalogue: str = ""
    """First characters of the catalogue's root, in hex."""
    join_port: int | None = None
    join_window: int | None = None
    """Number of the open join window; given together with `join_port`."""
    hosts: tuple[str, ...] = ()
    """IP addresses the node listens on; empty means every address of this host."""


@dataclass(frozen=True, slots=True)
class Found:
    """A node announces itself; everything here is a claim."""

    instance: str
    """Name of the announcement, unique on the LAN."""
    node_id: str | None
    addresses: tuple[str, ...]
    """For the team's calls, as "host:port"."""
    team_hash: str | None
    protocol_min: int = PROTOCOL_MIN
    protocol_max: int = PROTOCOL_MAX
    generation: str = "0.0"
    join_port: int | None = None
    join_window: int | None = None

    @property
    def join_addresses(self) -> tuple[str, ...]:
        """Where joins are served, as "host:port"; empty when no window is open."""
        if self.join_port is None or self.join_window is None:
            return ()
        hosts = dict.fromkeys(parse_address(address)[0] for address in self.addresses)
        return tuple(format_address(host, self.join_port) for host in hosts)


@dataclass(frozen=True, slots=True)
class Lost:
    """An announcement was withdrawn or ran out. Anybody can withdraw it: no proof of death."""

    instance: str
    node_id: str | None


DiscoveryEvent = Found | Lost


@dataclass(frozen=True, slots=True)
class DiscoveryStatistics:
    """What the ways of finding each other are doing, for `doctor` and `node status`."""

    interfaces: tuple[str, ...]
    """Addresses on which announcements are sent and heard."""
    found: int
    announced: bool
    problem: str | None
    """Why nothing is found, as far as this node can tell."""


class Discovery(Protocol):
    """A source of hints, and a place to announce oneself."""

    async def announce(self, announcement: Announcement) -> None:
        """Tell the LAN from now on, instead of what was told before.

        Never fails for the network's sake: what can't be sent now is sent when it can.
        """
        ...

    async def withdraw(self) -> None:
        """Say goodbye; a no-op when nothing is announced. Takes well below a second."""
        ...

    def subscribe(self) -> trio.MemoryReceiveChannel[DiscoveryEvent]:
        """Return a channel of events, what is known already first. Close it when done."""
        ...

    def found(self) -> tuple[Found, ...]:
        """Return what is announced at the moment, own announcements included."""
        ...

    def statistics(self) -> DiscoveryStatistics: ...


async def find_responders(
    discovery: Discovery, window: int, *, timeout_s: float
) -> tuple[Found, ...]:
    """Return those who announce the join window, at most three; empty when nobody does in time."""

    def announcing() -> list[Found]:
        return [node for node in discovery.found() if node.join_window == window]

    with trio.move_on_after(timeout_s), discovery.subscribe() as events:
        async for event in events:
            if isinstance(event, Found) and event.join_window == window:
                break
        await trio.sleep(RESPONDERS_SETTLE_S)
    return tuple(sorted(announcing(), key=lambda node: node.instance)[:RESPONDERS_MAX])


def encode_txt(announcement: Announcement) -> dict[str, str]:
    """Return the TXT record; every value is text."""
    txt = {
        "id": announcement.node_id,
        "cl": announcement.team_hash,
        "pv": f"{PROTOCOL_MIN}-{PROTOCOL_MAX}",
        "gen": announcement.generation,
        "cat": announcement.catalogue[:16],
    }
    if announcement.join_port is not None and announcement.join_window is not None:
        txt["jp"] = str(announcement.join_port)
        txt["jw"] = str(announcement.join_window)
    assert sum(len(key) + len(value) + 2 for key, value in txt.items()) <= TXT_BYTES_MAX
    return txt


def decode_found(
    instance: str, hosts: tuple[str, ...], port: int, txt: Mapping[str, str]
) -> Found | None:
    """Return what an announcement says, without what is malformed in it; None when nothing is left.

    A record of a later version may have more keys, and other ranges.
    """
    addresses = []
    for host in hosts:
        # A link-local address is dialled through one interface: without its scope it says nothing.
        if host.lower().startswith("fe80:") and "%" not in host:
            continue
        address = format_address(host, port)
        try:
            parse_address(address)
        except InvalidAddress:
            continue
        if address not in addresses:
            addresses.append(address)
    if not addresses:
        return None
    protocol = _range(txt.get("pv"))
    join_port = _number(txt.get("jp"), 1, 65_535)
    join_window = _number(txt.get("jw"), 0, WINDOW_MAX)
    return Found(
        instance=instance,
        node_id=_matching(_NODE_ID, txt.get("id")),
        addresses=tuple(addresses),
        team_hash=_matching(_TEAM_HASH, txt.get("cl")),
        protocol_min=protocol[0],
        protocol_max=protocol[1],
        generation=_matching(_GENERATION, txt.get("gen")) or "0.0",
        join_port=join_port,
        join_window=join_window if join_port is not None else None,
    )


def _matching(pattern: re.Pattern[str], text: str | None) -> str | None:
    return text if text is not None and pattern.match(text) else None


def _number(text: str | None, low: int, high: int) -> int | None:
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 5):
        return None
    return int(text) if low <= int(text) <= high else None


def _range(text: str | None) -> tuple[int, int]:
    low, dash, high = (text or "").partition("-")
    bounds = _number(low, 0, 99_999), _number(high, 0, 99_999)
    if dash and bounds[0] is not None and bounds[1] is not None and bounds[0] <= bounds[1]:
        return bounds[0], bounds[1]
    return PROTOCOL_MIN, PROTOCOL_MAX


class FoundTable:
    """What is announced, bounded, and those who listen for changes. Shared by all sources."""

    def __init__(self, own_team: str | None = None) -> None:
        self.own_team = own_team
        """Announcements of this team get room of their own."""
        self._found: dict[str, Found] = {}
        self._listeners: list[trio.MemorySendChannel[DiscoveryEvent]] = []
        self.dropped = 0
        """Announcements that found no room, and events that found no listener's."""

    def put(self, node: Found) -> None:
        """Record an announcement and tell the listeners, also when it is known already."""
        if node.instance not in self._found:
            ours = node.team_hash == self.own_team
            rivals = sum((o.team_hash == self.own_team) == ours for o in self._found.values())
            if rivals >= FOUND_MAX:
                self.dropped += 1
                return
        self._found[node.instance] = node
        self._tell(node)

    def remove(self, instance: str) -> None:
        if (node := self._found.pop(instance, None)) is not None:
            self._tell(Lost(instance, node.node_id))

    def clear(self) -> None:
        """Forget everything without a word: a new browse is about to say what is still true."""
        self._found.clear()

    def all(self) -> tuple[Found, ...]:
        return tuple(self._found.values())

    def subscribe(self) -> trio.MemoryReceiveChannel[DiscoveryEvent]:
        send, receive = trio.open_memory_channel[DiscoveryEvent](EVENTS_MAX)
        for node in self._found.values():
            send.send_nowait(node)
        self._listeners.append(send)
        return receive

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()

    def _tell(self, event: DiscoveryEvent) -> None:
        for listener in tuple(self._listeners):
            try:
                listener.send_nowait(event)
            except trio.WouldBlock:
                self.dropped += 1
            except trio.BrokenResourceError:
                self._listeners.remove(listener)
