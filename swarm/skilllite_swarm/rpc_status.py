"""Errors to gRPC statuses and back.

What a service raises on purpose travels whole in the trailing metadata. Everything else is judged
by one question: can the request have been delivered? Only a certain no is `PeerUnreachable`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import NoReturn

import grpc
import trio

from skilllite_swarm.errors import (
    CallInterrupted,
    DialStep,
    JoinFailed,
    JoinReason,
    NotAMember,
    PeerRefused,
    PeerUnreachable,
    ProtocolMismatch,
    SwarmError,
)
from skilllite_swarm.wire_mapping import MalformedMessage

log = logging.getLogger(__name__)

CODE_KEY = "skilllite-code"
REASON_KEY = "skilllite-reason"
MESSAGE_KEY = "skilllite-message-bin"
HINT_KEY = "skilllite-hint-bin"

TEXT_CHARS_MAX = 1_000
"""Of a message or hint: gRPC drops metadata beyond 8 KiB, and with it the answer."""

_STATUS = {
    ProtocolMismatch: grpc.StatusCode.FAILED_PRECONDITION,
    NotAMember: grpc.StatusCode.PERMISSION_DENIED,
    JoinFailed: grpc.StatusCode.PERMISSION_DENIED,
}

_NEVER_SENT = "failed to connect to all addresses"
"""How gRPC begins the details when it had no connection to send on."""

_REFUSED_UNREAD = ("Concurrent RPC limit exceeded", "CLIENT: Sent message larger than max")
"""Statuses that gRPC itself gives before a service sees the call."""


class Overloaded(SwarmError):
    """More calls than this node takes at a time."""

    code = "overloaded"


_STATUS[Overloaded] = grpc.StatusCode.RESOURCE_EXHAUSTED


@dataclass(frozen=True, slots=True)
class _Told:
    """An error that the peer raised on purpose."""

    code: str
    reason: str
    message: str
    hint: str | None


async def refuse(
    context: grpc.aio.ServicerContext[bytes, bytes], error: Exception, call: str
) -> NoReturn:
    """End a call with the status that `error` stands for. The boundary of every handler."""
    metadata: tuple[tuple[str, str | bytes], ...] = ()
    match error:
        case SwarmError():
            status = _STATUS.get(type(error), grpc.StatusCode.ABORTED)
            details, metadata = error.message, _metadata(error)
        case MalformedMessage():
            status, details = grpc.StatusCode.INVALID_ARGUMENT, str(error)
        case trio.TooSlowError():
            status, details = grpc.StatusCode.DEADLINE_EXCEEDED, "no answer in time"
        case trio.ClosedResourceError():
            status, details = grpc.StatusCode.UNAVAILABLE, "the node is stopping"
        case _:
            # The peer learns nothing of our insides; the log of this node does.
            log.error("%s failed", call, exc_info=error)
            status, details = grpc.StatusCode.INTERNAL, "internal error"
    await context.abort(status, details[:TEXT_CHARS_MAX], metadata)


def _metadata(error: SwarmError) -> tuple[tuple[str, str | bytes], ...]:
    entries: list[tuple[str, str | bytes]] = [
        (CODE_KEY, error.code),
        (MESSAGE_KEY, _clip(error.message)),
    ]
    if error.hint:
        entries.append((HINT_KEY, _clip(error.hint)))
    if isinstance(error, JoinFailed):
        entries.append((REASON_KEY, error.reason.value))
    return tuple(entries)


def _clip(text: str) -> bytes:
    return text[:TEXT_CHARS_MAX].encode("utf-8", "replace")


def _told(error: grpc.aio.AioRpcError) -> _Told | None:
    entries = {str(key): value for key, value in error.trailing_metadata()}
    if CODE_KEY not in entries:
        return None
    return _Told(
        code=_text(entries[CODE_KEY]),
        reason=_text(entries.get(REASON_KEY, "")),
        message=_text(entries.get(MESSAGE_KEY, "")),
        hint=_text(entries[HINT_KEY]) if HINT_KEY in entries else None,
    )


def _text(value: str | bytes) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return text[:TEXT_CHARS_MAX]


_TRY_AGAIN = "try again; `skilllite doctor` on both machines tells what blocks the network"


def raised_by(error: BaseException, *, call: str, address: str) -> SwarmError:
    """Return what the caller of `call` has to know about a call that failed."""
    if isinstance(error, MalformedMessage):
        return CallInterrupted(
            f"the answer of {address} to {call} can't be read",
            cause=str(error),
            hint="see whether both nodes run the same version of SkillLite",
        )
    if not isinstance(error, grpc.aio.AioRpcError):
        return CallInterrupted(f"{call} on {address} was cut short", cause=str(error))
    if told := _told(error):
        return _same_error(told)
    status, details = error.code(), error.details() or ""
    if status is grpc.StatusCode.UNAVAILABLE and details.startswith(_NEVER_SENT):
        return PeerUnreachable(
            f"no connection to {address}",
            address=address,
            step=DialStep.TCP,
            cause=details,
            hint="does the node run there, and is the clock right here and there? `skilllite "
            "doctor` on both tells",
        )
    if status is grpc.StatusCode.UNIMPLEMENTED:
        return PeerRefused(
            f"{address} doesn't know the call {call}",
            peer_code="unimplemented",
            hint="update SkillLite on that node",
        )
    if status is grpc.StatusCode.INVALID_ARGUMENT:
        return PeerRefused(f"{address} can't read {call}: {details}", peer_code="malformed_message")
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED and details.startswith(_REFUSED_UNREAD):
        return PeerRefused(f"{address} did not take {call}: {details}", peer_code=Overloaded.code)
    if status is grpc.StatusCode.DEADLINE_EXCEEDED:
        return CallInterrupted(f"{address} did not answer {call} in time", hint=_TRY_AGAIN)
    return CallInterrupted(
        f"the connection to {address} broke during {call}", cause=details, hint=_TRY_AGAIN
    )


def _same_error(told: _Told) -> SwarmError:
    if told.code == ProtocolMismatch.code:
        return ProtocolMismatch(told.message, hint=told.hint)
    if told.code == JoinFailed.code:
        try:
            reason = JoinReason(told.reason)
        except ValueError:  # of a newer node
            reason = JoinReason.MALFORMED
        return JoinFailed(told.message, reason=reason, hint=told.hint)
    return PeerRefused(told.message, peer_code=told.code, hint=told.hint)
