"""What can go wrong between nodes, sorted by what the caller does next.

SwarmError
├── PeerUnreachable      retry elsewhere or later; `step` says how far the dial got
├── PeerRefused          that peer said no: another may say yes
├── CallInterrupted      the connection broke mid-call: ask for the status, don't assume
├── NotAMember           this node or that peer is not in the team: join first
├── JoinFailed           the join did not happen; nothing was changed
├── ProtocolMismatch     one of the two needs another version
├── IdentityCorrupt      a key or certificate on disk is damaged: refuse to start
├── InvalidCertificate   these bytes prove nothing: drop who sent them
├── InvalidAddress       not "host:port": fix what was typed
├── UnknownNode          no member has that name or id: look at the list of peers
├── AmbiguousNode        several members fit: give more of the id
├── CatalogueRejected    what a peer says it offers is not what it signed: offer nothing of it
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

    def __init__(
        self,
        message: str,
        *,
        peer_code: str = "",
        hint: str | None = None,
        cause: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, cause=cause)
        self.peer_code = peer_code
        """The `code` of the error that the peer raised."""


class CallInterrupted(SwarmError):
    """The connection broke after the request was sent: the outcome is not known."""

    code = "call_interrupted"


class NotAMember(SwarmError):
    """The caller or the callee does not belong to the team."""

    code = "not_a_member"


class JoinReason(StrEnum):
    """Why a join did not happen."""

    BAD_CODE = "bad_code"
    """The text is not a join code."""
    NO_WINDOW = "no_window"
    """Nobody here invites under that number."""
    USED = "used"
    EXPIRED = "expired"
    CLOSED = "closed"
    """Too many failed proofs, or the inviter closed it."""
    WRONG_CODE = "wrong_code"
    """The other side holds another code, or somebody sits in between."""
    STALE_SESSION = "stale_session"
    """The session is over, was replaced, or never existed."""
    MALFORMED = "malformed"
    """A message of the exchange is not what the protocol allows."""
    WRONG_TEAM = "wrong_team"
    """What came back does not belong to the team that was asked."""
    ALREADY_MEMBER = "already_member"
    """This node has a team with others in it."""
    CANNOT_INVITE = "cannot_invite"
    """This node does not hold the team's CA."""


class JoinFailed(SwarmError):
    """The join did not happen; nothing on disk was changed."""

    code = "join_failed"

    def __init__(
        self,
        message: str,
        *,
        reason: JoinReason = JoinReason.MALFORMED,
        hint: str | None = None,
        cause: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, cause=cause)
        self.reason = reason


class ProtocolMismatch(SwarmError):
    """The two nodes share no protocol version."""

    code = "protocol_mismatch"


class IdentityCorrupt(SwarmError):
    """A key or certificate on disk can't be read or contradicts another."""

    code = "identity_corrupt"


class InvalidCertificate(SwarmError):
    """The bytes are no certificate or request of ours, or prove nothing."""

    code = "invalid_certificate"


class PortInUse(SwarmError):
    """The address to listen on is taken."""

    code = "port_in_use"


class InvalidAddress(SwarmError):
    """The text is not "host:port"."""

    code = "invalid_address"


class UnknownNode(SwarmError):
    """No member of the team has that name or id."""

    code = "unknown_node"


class AmbiguousNode(SwarmError):
    """Several members of the team fit what was given."""

    code = "ambiguous_node"


class CatalogueRejected(SwarmError):
    """A catalogue is damaged, too large, outdated, or not signed by the node it speaks for."""

    code = "catalogue_rejected"
