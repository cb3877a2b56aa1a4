"""What can go wrong between nodes, sorted by what the caller does next.

    SwarmError
    ├── PeerUnreachable      retry elsewhere or later; `step` says how far the dial got
    ├── PeerRefused          that peer said no: another may say yes
    ├── CallInterrupted      the connection broke mid-call: ask for the status, don't assume
    ├── NotAMember           this node or that peer is not in the team: join first
    ├── JoinFailed           the join did not happen; nothing was changed
    ├── ProtocolMismatch     one of the two needs another version
    ├── IdentityCorrupt      a key or certificate on disk is damaged: refuse to start
    └── PortInUse            choose another port or stop the other program
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class SwarmError(Exception):
    """Root of every error the swarm raises on purpose."""

    code: ClassVar[str] = "swarm_error"
    """Stable identifier, for programs."""

    def __init__(self, message: str, *, hint: str | None = None, cause: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.cause = cause


class DialStep(StrEnum):
    """How far a dial got before it failed."""

    RESOLVE = "resolve"
    TCP = "tcp"
    TLS = "tls"
    TEAM = "team"
    VERSION = "version"
    HELLO = "hello"


class PeerUnreachable(SwarmError):
    """No address of the peer led to a working call."""

    code = "peer_unreachable"

    def __init__(
        self,
        message: str,
        *,
        address: str = "",
        step: DialStep = DialStep.TCP,
        hint: str | None = None,
        cause: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, cause=cause)
        self.address = address
        self.step = step


class PeerRefused(SwarmError):
    """The peer answered, and the answer was no."""

    code = "peer_refused"


class CallInterrupted(SwarmError):
    """The connection broke after the request was sent: the outcome is not known."""

    code = "call_interrupted"


class NotAMember(SwarmError):
    """The caller or the callee does not belong to the team."""

    code = "not_a_member"


class JoinFailed(SwarmError):
    """The join did not happen; nothing on disk was changed."""

    code = "join_failed"


class ProtocolMismatch(SwarmError):
    """The two nodes share no protocol version."""

    code = "protocol_mismatch"


class IdentityCorrupt(SwarmError):
    """A key or certificate on disk can't be read or contradicts another."""

    code = "identity_corrupt"


class PortInUse(SwarmError):
    """The address to listen on is taken."""

    code = "port_in_use"
