"""This node on the LAN: announces it, and listens to what others announce.

Announcements prove nothing. Those of the own team become hints for the table of peers; of others
it is only counted how many there are.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from skilllite_swarm.addresses import accept_addresses
from skilllite_swarm.discovery import Discovery, team_hash
from skilllite_swarm.discovery import Found as Announced
from skilllite_swarm.own_node import OwnNode
from skilllite_swarm.peer_events import Found, Source

FOREIGN_MAX = 256
"""Announcements of other teams that are counted."""


class Presence:
    """Both directions of discovery, for one mesh."""

    def __init__(
        self, discovery: Discovery, own: OwnNode, team_id: str, feed: Callable[[Found], None]
    ) -> None:
        self.discovery = discovery
        self._own = own
        self._team_hash = team_hash(team_id)
        self._feed = feed
        self._news = trio.Event()
        self._foreign: set[str] = set()

    @property
    def foreign(self) -> int:
        """Announcements of other teams since the start."""
        return len(self._foreign)

    def tell_news(self) -> None:
        """Announce soon what is different about this node."""
        self._news.set()

    async def announce(self) -> None:
        """Announce this node and what changes about it, until it leaves."""
        while not self._own.leaving:
            self._news = trio.Event()
            await self.discovery.announce(self._own.announcement())
            await self._news.wait()

    async def listen(self) -> None:
        """Pass on who else is announced, until cancelled."""
        with self.discovery.subscribe() as events:
            async for event in events:
                # A goodbye is nothing to act on: anybody could have said it.
                if isinstance(event, Announced):
                    self._hear(event)

    def _hear(self, node: Announced) -> None:
        if node.team_hash != self._team_hash:
            if len(self._foreign) < FOREIGN_MAX:
                self._foreign.add(node.instance)
        elif node.node_id is not None:
            # Loopback too: whoever is there must prove the id, and it may be on this host.
            addresses = accept_addresses(node.addresses, same_host=True)
            hint = Found(node.node_id, addresses, Source.MDNS, generation=node.generation)
            self._feed(hint)
