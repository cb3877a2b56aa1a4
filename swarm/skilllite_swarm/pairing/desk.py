"""Where a node that holds the CA lets newcomers in: at most one open invitation at a time.

Joins the decisions of `window` with clock, certificates and team. Nothing here waits: a call is
answered in one go, about 10 ms of arithmetic, so two calls can't interleave.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from skilllite_swarm.errors import JoinFailed, JoinReason, SwarmError
from skilllite_swarm.identity import (
    is_device_key,
    node_id_of_public_key,
    node_id_of_request,
    public_key_der_of_certificate,
    to_der,
)
from skilllite_swarm.pairing.agreement import Binding
from skilllite_swarm.pairing.body import decode_request, encode_reply
from skilllite_swarm.pairing.code import NUMBERS, JoinCode
from skilllite_swarm.pairing.window import (
    JoinEvent,
    JoinWindow,
    Proven,
    refuse_closed,
)
from skilllite_swarm.team import Team
from skilllite_swarm.team_record import Member

NUMBERS_REMEMBERED: Final = 45
"""Half of the numbers: one isn't given out again soon, so an old code meets no new window."""


@dataclass(frozen=True, slots=True)
class InviteView:
    """The open invitation, for the person who opened it."""

    code: str
    window: int
    seconds_left: float
    attempts_left: int


class InviteDesk:
    """Implements `JoinService` for one team.

    Time only passes when something is called: whoever shows events or advertises the window calls
    `tick` about once a second.
    """

    def __init__(
        self,
        team: Team,
        *,
        me: Callable[[], Member],
        clock: Callable[[], float],
        now: Callable[[], datetime],
        on_event: Callable[[JoinEvent], None],
        rng: random.Random | None = None,
    ) -> None:
        """`me` tells the newcomer who invited it; `clock` is monotonic, `now` is UTC."""
        self._team = team
        self._me = me
        self._clock = clock
        self._now = now
        self._on_event = on_event
        self._rng = rng or random.SystemRandom()
        self._window: JoinWindow | None = None
        self._team_id = ""
        self._past: deque[tuple[int, JoinReason]] = deque(maxlen=NUMBERS_REMEMBERED)

    def open(self) -> InviteView:
        """Invite one newcomer; an invitation that is still open is closed first, with an event.

        Raises:
            JoinFailed: Another node holds the team's CA; the hint says which, if known.
        """
        if not self._team.holds_ca:
            inviter = self._team.inviter
            raise JoinFailed(
                "only the node where the team was made can invite",
                reason=JoinReason.CANNOT_INVITE,
                hint=f"run `skilllite node invite` on {inviter.name}" if inviter else None,
            )
        self.close("a new invitation replaces it")
        taken = {number for number, _ in self._past}
        number = self._rng.choice([number for number in NUMBERS if number not in taken])
        self._team_id = self._team.team_id
        self._window = JoinWindow(
            JoinCode.generate(number, self._rng), self._clock(), self._on_event
        )
        view = self.status()
        assert view is not None, "a window that was just opened is open"
        return view

    def close(self, why: str = "the inviter closed it") -> None:
        """End the open invitation, if there is one."""
        self.tick()
        if self._window is not None:
            self._window.close(JoinReason.CLOSED, why)
            self.tick()

    def status(self) -> InviteView | None:
        """Return the open invitation, or None."""
        self.tick()
        window = self._window
        if window is None:
            return None
        left = max(0.0, window.ends_at - self._clock())
        return InviteView(str(window.code), window.code.number, left, window.attempts_left)

    @property
    def window(self) -> int | None:
        """The number to advertise, or None when nobody is invited."""
        view = self.status()
        return view.window if view else None

    def tick(self) -> None:
        """Let time pass; events for what ran out are sent from here."""
        window = self._window
        if window is None:
            return
        window.tick(self._clock())
        if self._team.team_id != self._team_id:
            window.close(JoinReason.CLOSED, "this node changed its team")
        if window.closed is not None:
            self._past.append((window.code.number, window.closed))
            self._window = None

    async def start(
        self, address: str, window: int, spake_message: bytes, public_key: bytes
    ) -> tuple[bytes, bytes, bytes]:
        """Answer a newcomer's first message."""
        open_window = self._find(window)
        leaf = to_der(self._team.tls.leaf_pem)
        responder_key = public_key_der_of_certificate(leaf)
        try:
            if not is_device_key(public_key) or public_key == responder_key:
                open_window.fail(address, "a key that can't become a member's")
                raise JoinFailed("the newcomer's key is not a P-256 key of its own")
            binding = Binding(window, sha256(leaf).digest(), public_key, responder_key)
            return open_window.start(self._clock(), address, spake_message, binding)
        finally:
            self.tick()

    async def confirm(self, session: bytes, confirmation: bytes, sealed: bytes) -> bytes:
        """Check a newcomer's proof and make it a member."""
        self.tick()
        window = self._window
        if window is None:
            if self._past:
                refuse_closed(self._past[-1][1])
            raise _nobody_invites("here")
        try:
            proven = window.confirm(self._clock(), session, confirmation, sealed)
            return self._admit(window, proven)
        finally:
            self.tick()

    def _admit(self, window: JoinWindow, proven: Proven) -> bytes:
        try:
            request = decode_request(proven.request)
            node_id = node_id_of_request(request.csr_der)
            if node_id != node_id_of_public_key(proven.joiner_key):
                raise JoinFailed("the certificate request is for another key than was agreed on")
            others = [member for member in self._team.members if member.node_id != node_id]
            leaf = self._team.admit(request.csr_der, request.name, self._now())
        except JoinFailed as error:
            window.fail(proven.address, error.message)
            raise
        except SwarmError as error:
            window.fail(proven.address, f"{error.message}: {error.cause or error.hint or ''}")
            # The newcomer is told what concerns it, not which file of ours is damaged.
            raise JoinFailed(
                "the inviter could not make this node a member",
                hint="the reason is shown where `skilllite node invite` was run",
            ) from error
        window.succeed(proven, node_id, request.name)
        reply = encode_reply(leaf, self._team.ca_der, (self._me(), *others))
        return proven.keys.seal(reply)

    def _find(self, number: int) -> JoinWindow:
        self.tick()
        if self._window is not None and self._window.code.number == number:
            return self._window
        for past, reason in reversed(self._past):
            if past == number:
                refuse_closed(reason)
        raise _nobody_invites(f"under the number {number}")


def _nobody_invites(where: str) -> JoinFailed:
    return JoinFailed(
        f"nobody is invited {where}",
        reason=JoinReason.NO_WINDOW,
        hint="run `skilllite node invite` there, and use the code it prints",
    )
