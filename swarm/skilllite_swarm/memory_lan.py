"""Discovery in one process: what `mdns` is on a LAN, for tests and simulation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from skilllite_swarm.discovery import (
    Announcement,
    DiscoveryEvent,
    DiscoveryStatistics,
    Found,
    FoundTable,
    decode_found,
    encode_txt,
)


class MemoryLan:
    """Announcements arrive at once, unless the listener was made deaf."""

    def __init__(self) -> None:
        self._hosts: dict[str, MemoryDiscovery] = {}
        self._deaf: set[tuple[str, str]] = set()

    @asynccontextmanager
    async def open(self, host: str) -> AsyncIterator[MemoryDiscovery]:
        """Plug a host in; at the end it is unplugged without a goodbye."""
        discovery = MemoryDiscovery(self, host)
        self._hosts[host] = discovery
        for other in self._hosts.values():
            self._carry(other, discovery)
        try:
            yield discovery
        finally:
            discovery.table.close()
            if self._hosts.get(host) is discovery:
                del self._hosts[host]

    def deafen(self, listener: str, speaker: str) -> None:
        """Let a host hear nothing of another from now on."""
        self._deaf.add((listener, speaker))

    def heal(self) -> None:
        """Let everybody hear everybody again, as after the next browse."""
        self._deaf.clear()
        for host in self._hosts.values():
            self.spread(host)

    def spread(self, speaker: MemoryDiscovery) -> None:
        for listener in tuple(self._hosts.values()):
            self._carry(speaker, listener)

    def _carry(self, speaker: MemoryDiscovery, listener: MemoryDiscovery) -> None:
        if (listener.host, speaker.host) not in self._deaf:
            speaker.deliver(listener)


class MemoryDiscovery:
    """One host on a `MemoryLan`."""

    def __init__(self, lan: MemoryLan, host: str) -> None:
        self.host = host
        self.table = FoundTable()
        self._lan = lan
        self._said: Announcement | None = None

    async def announce(self, announcement: Announcement) -> None:
        await trio.lowlevel.checkpoint()
        self.table.own_team = announcement.team_hash
        self._said = announcement
        self._lan.spread(self)

    async def withdraw(self) -> None:
        await trio.lowlevel.checkpoint()
        self._said = None
        self._lan.spread(self)

    def deliver(self, listener: MemoryDiscovery) -> None:
        """Let one host hear what this one says."""
        if self._said is None:
            listener.table.remove(self.host)
            return
        node = decode_found(self.host, (self.host,), self._said.port, encode_txt(self._said))
        if node is not None:
            listener.table.put(node)

    def subscribe(self) -> trio.MemoryReceiveChannel[DiscoveryEvent]:
        return self.table.subscribe()

    def found(self) -> tuple[Found, ...]:
        return self.table.all()

    def statistics(self) -> DiscoveryStatistics:
        return DiscoveryStatistics((self.host,), len(self.found()), self._said is not None, None)
