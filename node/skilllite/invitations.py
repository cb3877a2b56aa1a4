"""Invitations as the node keeps them: opened by a person, announced, watched until they close."""

from __future__ import annotations

import logging

import trio

from skilllite.standing import Standing, utc_now
from skilllite_swarm.mesh import Mesh
from skilllite_swarm.pairing import InviteDesk, InviteView, JoinEvent
from skilllite_swarm.team_record import Member

TICK_S = 1.0
"""How late an invitation is closed and its announcement withdrawn."""

EVENTS_MAX = 64
"""What a watcher may lag behind: three failures, one success, one end."""

log = logging.getLogger("skilllite.team")


class Invitations:
    """The desk of one session, and those who watch it."""

    def __init__(self, standing: Standing, mesh: Mesh) -> None:
        self._standing = standing
        self._mesh = mesh
        self._join_port: int | None = None
        self._watchers: list[trio.MemorySendChannel[JoinEvent]] = []
        self.desk = InviteDesk(
            standing.team,
            me=self._me,
            clock=trio.current_time,
            now=utc_now,
            on_event=self._tell,
        )

    async def keep(self, join_port: int | None) -> None:
        """Let time pass at the desk and announce what is open, until cancelled."""
        self._join_port = join_port
        announced: int | None = None
        while True:
            window = self.desk.window
            if window != announced:
                announced = window
                self._mesh.announce_join(window, join_port)
            await trio.sleep(TICK_S)

    def open(self) -> InviteView:
        """Open an invitation and announce it at once.

        Raises:
            JoinFailed: this node can't invite; the hint says which one can.
        """
        view = self.desk.open()
        self._mesh.announce_join(view.window, self._join_port)
        log.info("invitation %d is open for %.0f s", view.window, view.seconds_left)
        return view

    def watch(self) -> trio.MemoryReceiveChannel[JoinEvent]:
        """Return a channel of what happens from now on. Close it when done."""
        sending, receiving = trio.open_memory_channel[JoinEvent](EVENTS_MAX)
        self._watchers.append(sending)
        return receiving

    def _me(self) -> Member:
        addresses = self._mesh.info().addresses
        identity, name = self._standing.identity, self._standing.name
        return Member(identity.node_id, name, addresses, holds_ca=True)

    def _tell(self, event: JoinEvent) -> None:
        log.info("invitation %d: %s, %s", event.window, event.kind.value, event.message)
        for watcher in list(self._watchers):
            try:
                watcher.send_nowait(event)
            except (trio.WouldBlock, trio.BrokenResourceError):
                self._watchers.remove(watcher)
