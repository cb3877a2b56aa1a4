"""One invitation while it is open: what it answers, what it counts, and when it is over.

The responder proves itself first, so every answered Start lets the other side test one guess of
the code. Hence a Start *spends* a guess, and only a right Confirm makes up for it: an attempt that
is never confirmed, or pushed aside by the next one, has failed. Three failures close the window.
Decides only; the desk owns clock, certificates and team.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

from skilllite_swarm.errors import JoinFailed, JoinReason
from skilllite_swarm.pairing.agreement import (
    AgreedKeys,
    Binding,
    KeyAgreement,
    Side,
    new_session,
)
from skilllite_swarm.pairing.code import JoinCode

WINDOW_S: Final = 600.0
"""Long enough to walk to the other machine."""

SESSION_S: Final = 30.0
"""From Start to Confirm: two messages between programs, no person in between."""

PROOFS_MAX: Final = 3
"""Failed attempts: three guesses of 2**30, with room for a typing mistake or two."""


class JoinEventKind(StrEnum):
    """What the inviter is told."""

    ATTEMPT_FAILED = "attempt_failed"
    JOINED = "joined"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class JoinEvent:
    """Something happened to an invitation; `message` is for a person."""

    kind: JoinEventKind
    window: int
    message: str
    address: str = ""
    """Where the attempt came from."""
    attempts_left: int = 0
    node_id: str = ""
    """Of the new member."""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Proven:
    """Somebody who knew the code, and what they asked for (still to be checked)."""

    keys: AgreedKeys
    joiner_key: bytes
    request: bytes
    address: str


@dataclass(frozen=True, slots=True)
class _Session:
    name: bytes
    keys: AgreedKeys
    joiner_key: bytes
    address: str
    ends_at: float


class JoinWindow:
    """The state of one invitation. `now_s` is monotonic time and never goes back."""

    def __init__(self, code: JoinCode, now_s: float, on_event: Callable[[JoinEvent], None]) -> None:
        self.code: Final = code
        self.ends_at: Final = now_s + WINDOW_S
        self.closed: JoinReason | None = None
        self.failures = 0
        self._session: _Session | None = None
        self._on_event = on_event

    @property
    def attempts_left(self) -> int:
        """Failures that are still allowed, a pending attempt counted as none yet."""
        return PROOFS_MAX - self.failures

    def tick(self, now_s: float) -> None:
        """Let time pass: pending attempts and the window itself run out."""
        if self.closed is not None:
            return
        session = self._session
        if session is not None and now_s >= min(session.ends_at, self.ends_at):
            self._session = None
            self.fail(session.address, "no proof came within the time allowed")
        if self.closed is None and now_s >= self.ends_at:
            self.close(JoinReason.EXPIRED, f"the {WINDOW_S / 60:.0f} minutes are over")

    def start(
        self, now_s: float, address: str, spake_message: bytes, binding: Binding
    ) -> tuple[bytes, bytes, bytes]:
        """Spend one guess; return (session, SPAKE2 message, confirmation)."""
        self.tick(now_s)
        self._ensure_open()
        agreement = KeyAgreement(Side.RESPONDER, self.code, binding)
        name = new_session()
        try:
            keys = agreement.finish(name, spake_message)
        except JoinFailed as error:
            # No guess in it, but it costs us the arithmetic: bounded like the others.
            self.fail(address, error.message)
            raise
        if self._session is not None:
            pending, self._session = self._session, None
            self.fail(pending.address, "another attempt began before it was proven")
            self._ensure_open()
        self._session = _Session(name, keys, binding.joiner_key, address, now_s + SESSION_S)
        return name, agreement.message, keys.confirmation()

    def confirm(self, now_s: float, session: bytes, confirmation: bytes, sealed: bytes) -> Proven:
        """Check the other side's proof. The session is over after this, either way."""
        self.tick(now_s)
        self._ensure_open()
        pending = self._session
        if pending is None or not hmac.compare_digest(pending.name, session):
            raise JoinFailed(
                "this attempt to join is over",
                reason=JoinReason.STALE_SESSION,
                hint="run `skilllite node join` again",
            )
        self._session = None
        if not pending.keys.confirms(confirmation):
            self.fail(pending.address, "wrong code")
            raise wrong_code()
        request = pending.keys.open(sealed)
        if request is None:
            self.fail(pending.address, "a request that can't be opened")
            raise JoinFailed("the request is not sealed as agreed")
        return Proven(pending.keys, pending.joiner_key, request, pending.address)

    def fail(self, address: str, why: str) -> None:
        """Count a failed attempt and tell the inviter."""
        self.failures += 1
        self._tell(JoinEventKind.ATTEMPT_FAILED, why, address)
        if self.failures >= PROOFS_MAX:
            self.close(JoinReason.CLOSED, f"{PROOFS_MAX} attempts failed")

    def succeed(self, proven: Proven, node_id: str, name: str) -> None:
        """End the window with its one success."""
        self.closed = JoinReason.USED
        self._tell(
            JoinEventKind.JOINED, f"{name} joined", proven.address, node_id=node_id, name=name
        )

    def close(self, reason: JoinReason, why: str) -> None:
        """End the window without one."""
        if self.closed is None:
            self.closed, self._session = reason, None
            self._tell(JoinEventKind.CLOSED, why)

    def _ensure_open(self) -> None:
        if self.closed is not None:
            refuse_closed(self.closed)

    def _tell(
        self,
        kind: JoinEventKind,
        message: str,
        address: str = "",
        *,
        node_id: str = "",
        name: str = "",
    ) -> None:
        self._on_event(
            JoinEvent(kind, self.code.number, message, address, self.attempts_left, node_id, name)
        )


def refuse_closed(reason: JoinReason) -> NoReturn:
    """Tell a newcomer why an invitation that did exist is over."""
    why = {
        JoinReason.USED: "this code was used already: a code lets one machine in",
        JoinReason.EXPIRED: f"this code has expired: it was valid for {WINDOW_S / 60:.0f} minutes",
    }.get(reason, "this invitation was closed")
    raise JoinFailed(why, reason=reason, hint="ask the inviter for a new code")


def wrong_code() -> JoinFailed:
    """Return the refusal that both sides give when the proofs differ."""
    return JoinFailed(
        "the code is wrong",
        reason=JoinReason.WRONG_CODE,
        hint="compare each word with the inviter's; if they all agree, somebody on this network "
        "interferes: ask for a new code and name the inviter's address with `--peer`",
    )
