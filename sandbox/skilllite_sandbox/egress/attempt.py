"""Values of the proxy: what one run may use, and what is reported about each connection."""

from __future__ import annotations

from enum import StrEnum

from skilllite_sandbox.policy import KIB, MIB
from skilllite_sandbox.values import dataclass


@dataclass(frozen=True, slots=True)
class EgressLimits:
    """Bounds of the network use of one run."""

    connections_at_once: int = 64
    """More wait in the listener's backlog. As many as a process of a run has files; two of ours
    each, of the 1,024 that a node usually has."""
    connections: int = 1024
    """In the whole run. One more is told so, then the listener closes: that bounds the audit."""
    bytes_up: int = 64 * MIB
    """From the skill, in the whole run: enough to upload documents, not to carry off a disk."""
    bytes_down: int = 1024 * MIB
    """To the skill, in the whole run: the largest wheels of a package index are just below."""
    head_s: float = 10.0
    """From accept to the end of the request head, and again for the first bytes of TLS. In total,
    not for each byte: trickling doesn't prolong it. A client sends both at once."""
    resolve_s: float = 10.0
    """glibc asks a second server after 5 s."""
    connect_s: float = 10.0
    """All addresses of a name together; a SYN is repeated after 1, 3 and 7 s."""
    idle_s: float = 60.0
    """Without a byte in either direction. Longer than the default deadline of a run."""
    linger_s: float = 2.0
    """After an answer that ends the connection: until the client has read it and closed."""
    close_s: float = 5.0
    """For `close` to wait for the threads. The loop ends within a turn; a look-up may not."""
    head_bytes: int = 16 * KIB
    """Of a request head; what common servers take. A ClientHello has the same bound."""


DEFAULT_EGRESS_LIMITS = EgressLimits()


class Result(StrEnum):
    """What became of an attempt. A closed set, part of the audit contract."""

    ALLOWED = "allowed"
    """Connected and relayed; `cause` says how it ended."""
    REFUSED = "refused"
    """Policy said no; no byte of the skill left the host."""
    FAILED = "failed"
    """Nothing was decided, or it was allowed and couldn't be had."""


class Cause(StrEnum):
    """Why an attempt ended as it did. Only grows; part of the audit contract."""

    DONE = "done"
    # refused
    BAD_REQUEST = "bad_request"
    HOST_NOT_GRANTED = "host_not_granted"
    PORT_NOT_GRANTED = "port_not_granted"
    ADDRESS_REFUSED = "address_refused"
    NOT_TLS = "not_tls"
    SERVER_NAME = "server_name"
    CONNECTIONS = "connections"
    # allowed, then cut; refused when it is used up already
    BYTES_UP = "bytes_up"
    BYTES_DOWN = "bytes_down"
    # failed
    NOT_RESOLVED = "not_resolved"
    NOT_CONNECTED = "not_connected"
    TIMEOUT = "timeout"
    # how a client or a server left, or who ended it
    EXCESS = "excess"
    """The client sent more than the one request that a connection carries."""
    CLIENT_GONE = "client_gone"
    SERVER_GONE = "server_gone"
    IDLE = "idle"
    CLOSED = "closed"
    """The run ended first."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One connection that a skill made to its proxy, for the audit. Reported once, at its end."""

    number: int
    """Counts accepted connections of the run, from 1. Reports come in the order of their ends."""
    method: str
    """`CONNECT`, or the method of a plain request; empty when no readable head came."""
    host: str
    """Lower case and without brackets; empty like `method`."""
    port: int
    """0 when unknown."""
    address: str
    """The address connected to, or the one that was refused; empty when it didn't come so far."""
    result: Result
    cause: Cause
    detail: str
    """A sentence for a person; may name addresses, so it isn't what the skill was told."""
    bytes_up: int
    """From the skill to the server, after the head of a CONNECT; a plain request's head counts."""
    bytes_down: int
    """From the server to the skill."""
    duration_ms: float
