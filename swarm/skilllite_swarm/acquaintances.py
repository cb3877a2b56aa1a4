"""Whom this node remembers: written down when somebody is connected, tried again at the next start.

The team's own record says who is a member; the address book says where they were last seen. Either
may fail to be written without the mesh being any worse for the time being.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime

import trio

from skilllite_swarm.address_book import AddressBook, Remembered
from skilllite_swarm.errors import SwarmError
from skilllite_swarm.peer_events import Found, Source
from skilllite_swarm.team import Team
from skilllite_swarm.team_record import Member, is_acceptable_name
from skilllite_swarm.transport import NodeInfo

log = logging.getLogger(__name__)

SAVE_PERIOD_S = 5.0
"""Between two writes of the address book, so that a flapping LAN doesn't wear the disk."""


class Acquaintances:
    """The members on record, for one mesh. `book` is None when addresses are not kept."""

    def __init__(self, team: Team, book: AddressBook | None, now: Callable[[], datetime]) -> None:
        self._team = team
        self._book = book
        self._now = now

    def remembered(self) -> Iterator[Found]:
        """Yield who may be where; the address book, which is newer, comes last and wins."""
        known: list[Member | Remembered] = list(self._team.members)
        if self._book is not None:
            known += self._book.peers()
        for one in known:
            if one.addresses:
                yield Found(one.node_id, one.addresses, Source.REMEMBERED, name=one.name)

    def remember(self, info: NodeInfo, address: str) -> None:
        """Write down that a member is connected at this address."""
        name = info.name if is_acceptable_name(info.name) else info.node_id[:8]
        if self._book is not None:
            addresses = (address, *info.addresses)
            self._book.remember(info.node_id, name=name, addresses=addresses, now=self._now())
        known = {member.node_id: member for member in self._team.members}.get(info.node_id)
        if known is not None and (known.name, known.holds_ca) == (name, info.holds_ca):
            return
        member = Member(info.node_id, name, info.addresses, holds_ca=info.holds_ca)
        try:
            # A write to disk on this thread, once in the life of a pair of nodes.
            self._team.record_member(member)
        except SwarmError as error:
            log.warning("could not record %s as a member: %s", name, error.message)

    async def keep_saved(self) -> None:
        """Write the address book when it changed, until cancelled."""
        while self._book is not None:
            await trio.sleep(SAVE_PERIOD_S)
            content = self._book.take_changes()
            if content is not None:
                try:
                    await trio.to_thread.run_sync(self._book.write, content)
                except OSError as error:
                    log.warning("could not save the remembered peers: %s", error)

    def save(self) -> None:
        """Write the address book now."""
        try:
            if self._book is not None:
                self._book.save()
        except OSError as error:
            log.warning("could not save the remembered peers: %s", error)
