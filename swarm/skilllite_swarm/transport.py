"""The seam between what nodes decide and how bytes travel.

`rpc` implements it over gRPC with mutual TLS; `memory` in one process, for tests and simulation.
Everything above this file is plain trio and knows neither protobuf nor gRPC.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from skilllite_swarm.errors import NotAMember, ProtocolMismatch
from skilllite_swarm.task import AttemptStatus, RunEvent, RunRequest, Terminal

PROTOCOL_MIN = 1
PROTOCOL_MAX = 1
"""Range of protocol versions this program speaks; two nodes use the highest they share."""

MESSAGE_BYTES_MAX = 4 * 1024 * 1024
"""Largest message either side accepts."""


CALL_S = 5.0
"""Deadline of calls that are answered from memory or with one write to disk."""

FETCH_S = 15.0
"""Deadline for a catalogue, which may have megabytes."""

RUN_GRACE_S = 10.0
"""Beyond the deadline of a task: the executor's own word about it is worth waiting for."""

LINK_DEAD_S = 2.0
"""A call on a silent link breaks after this: one keepalive interval and its answer."""

DIAL_ADDRESSES_MAX = 16
"""Of one peer, tried at the same time: what others say about it must not cost more sockets."""


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """What one side of a mutual TLS connection needs. PEM, so that gRPC can take it as it is."""

    node_id: str
    team_id: str
    private_key_pem: bytes
    leaf_pem: bytes
    ca_pem: bytes


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """How a node describes itself. A claim; only the TLS certificate proves `node_id`."""

    node_id: str
    name: str
    epoch: int
    """Changes at every start of the node."""
    protocol_min: int
    protocol_max: int
    addresses: tuple[str, ...]
    """"host:port" in the order the node prefers; IPv6 as "[addr]:port"."""
    signing_key: bytes
    """Ed25519 public key, 32 bytes."""
    signing_key_proof: bytes
    """The device key's signature over `signing_key`."""
    version: str
    holds_ca: bool
    device_key: bytes = b""
    """SubjectPublicKeyInfo, DER: `node_id` is its hash, `signing_key_proof` is checked with it."""


def shared_protocol(peer: NodeInfo) -> int:
    """Return the highest version that both speak, or raise `ProtocolMismatch` with both ranges."""
    highest = min(PROTOCOL_MAX, peer.protocol_max)
    if highest >= max(PROTOCOL_MIN, peer.protocol_min):
        return highest
    older = peer.protocol_max < PROTOCOL_MIN
    raise ProtocolMismatch(
        f"{peer.name} speaks protocol {peer.protocol_min}-{peer.protocol_max}, "
        f"this node {PROTOCOL_MIN}-{PROTOCOL_MAX}",
        hint=f"update SkillLite on {peer.name if older else 'this node'}",
    )


def check_hello(peer: NodeInfo, *, proven: str) -> None:
    """Refuse a peer that claims another id than it has proven, or speaks another protocol."""
    if peer.node_id != proven:
        raise NotAMember(f"{peer.name} calls itself {peer.node_id[:12]} but proves {proven[:12]}")
    shared_protocol(peer)


@dataclass(frozen=True, slots=True)
class PeerHint:
    """Somebody else in the team, and where to try."""

    node_id: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """How busy an executor is."""

    running: int = 0
    queued: int = 0
    capacity: int = 1
    leaving: bool = False
    """The node stops, or leaves the team: it takes nothing more and won't answer much longer."""


@dataclass(frozen=True, slots=True, order=True)
class CatalogueHead:
    """Orders the catalogues of one node by (epoch, sequence); `root` is SHA-256 of the entries."""

    epoch: int = 0
    sequence: int = 0
    root: bytes = b""


@dataclass(frozen=True, slots=True)
class SkillEntry:
    """One skill that a node offers."""

    name: str
    description: str
    digest: str
    language: str
    idempotent: bool
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All skills of one node, signed by its Ed25519 key over (node id, head)."""

    head: CatalogueHead
    signature: bytes
    skills: tuple[SkillEntry, ...]


@dataclass(frozen=True, slots=True)
class Pong:
    """Answer to Ping."""

    load: Load
    catalogue: CatalogueHead
    draining: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is on the other end of an incoming call, as the certificate proves it."""

    node_id: str
    address: str
    """Source "host:port" of the connection; the port is ephemeral."""


class NodeService(Protocol):
    """What a node answers its team. Implementations run on trio.

    A `SwarmError` raised here reaches the caller as `PeerRefused` with the same message and hint.
    """

    async def hello(
        self, caller: Caller, peer: NodeInfo
    ) -> tuple[NodeInfo, tuple[PeerHint, ...]]: ...

    async def ping(self, caller: Caller, load: Load, catalogue: CatalogueHead) -> Pong: ...

    async def get_catalogue(self, caller: Caller, have: CatalogueHead) -> Catalogue | None:
        """Return None when `have` is current."""
        ...

    async def renew(self, caller: Caller, csr_der: bytes) -> tuple[bytes, bytes]:
        """Return (leaf, CA certificate), both DER."""
        ...


class TaskService(Protocol):
    """What an executor answers its team. Implementations run on trio."""

    async def run(
        self, caller: Caller, request: RunRequest, send: Callable[[RunEvent], Awaitable[None]]
    ) -> None:
        """Send events, a terminal one last, then return.

        Cancelled when the caller goes away; the attempt itself lives on.
        """
        ...

    async def cancel(self, caller: Caller, task_id: str, attempt: int) -> bool: ...

    async def status(
        self, caller: Caller, task_id: str, attempt: int, *, fence: bool
    ) -> AttemptStatus: ...


class Connection(Protocol):
    """A proven connection to one peer. Every call has a deadline of its own.

    Every method raises `PeerUnreachable` when the request was certainly not delivered,
    `CallInterrupted` when it may have been, `PeerRefused` when the peer answered with an error.
    """

    @property
    def node_id(self) -> str:
        """Identity proven by the certificate."""
        ...

    @property
    def address(self) -> str:
        """The "host:port" that worked."""
        ...

    async def hello(self, me: NodeInfo) -> tuple[NodeInfo, tuple[PeerHint, ...]]: ...

    async def ping(self, load: Load, catalogue: CatalogueHead, *, timeout_s: float) -> Pong: ...

    async def get_catalogue(self, have: CatalogueHead) -> Catalogue | None: ...

    async def renew(self, csr_der: bytes) -> tuple[bytes, bytes]: ...

    async def run(self, request: RunRequest, on_event: Callable[[RunEvent], None]) -> Terminal:
        """Run or attach to an attempt until its terminal event, which is returned, not reported."""
        ...

    async def cancel(self, task_id: str, attempt: int) -> bool: ...

    async def status(self, task_id: str, attempt: int, *, fence: bool) -> AttemptStatus: ...

    async def aclose(self) -> None: ...


class Transport(Protocol):
    """Opens connections and serves them."""

    async def dial(
        self, addresses: Sequence[str], *, node_id: str | None, timeout_s: float
    ) -> Connection:
        """Try all addresses at the same time and return the first that proves itself.

        With `node_id` the peer must prove exactly that identity. Without, any member of the team
        will do: the identity is read from the certificate it presents. Raises `PeerUnreachable`
        that names the address and the step that got furthest.
        """
        ...
