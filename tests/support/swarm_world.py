"""Members of a team for tests of calls between nodes, over gRPC or in memory, behind one face."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from skilllite_swarm.bridge import Bridge
from skilllite_swarm.identity import (
    CertificateAuthority,
    DeviceIdentity,
    load_or_create_identity,
    make_authority,
    to_pem,
)
from skilllite_swarm.memory import MemoryNetwork
from skilllite_swarm.rpc import GrpcTransport, serve_mesh
from skilllite_swarm.task import (
    Accepted,
    AttemptState,
    AttemptStatus,
    Result,
    RunEvent,
    RunRequest,
)
from skilllite_swarm.transport import (
    PROTOCOL_MAX,
    PROTOCOL_MIN,
    Caller,
    Catalogue,
    CatalogueHead,
    Load,
    NodeInfo,
    NodeService,
    PeerHint,
    Pong,
    TaskService,
    TlsMaterial,
    Transport,
)

PATIENCE_S = 10.0
"""Longest wait of a test for something that takes milliseconds."""


@dataclass
class Member:
    """One node of a team, with its own keys."""

    name: str
    identity: DeviceIdentity
    tls: TlsMaterial

    @property
    def node_id(self) -> str:
        return self.tls.node_id

    def info(self, **changes: object) -> NodeInfo:
        info = NodeInfo(
            node_id=self.node_id,
            name=self.name,
            epoch=1,
            protocol_min=PROTOCOL_MIN,
            protocol_max=PROTOCOL_MAX,
            addresses=("192.0.2.1:7700",),
            signing_key=self.identity.signing_key,
            signing_key_proof=self.identity.signing_key_proof,
            version="0.1.0",
            holds_ca=False,
        )
        return replace(info, **changes)  # type: ignore[arg-type]


class Team:
    """A CA and whom it made members."""

    def __init__(self, directory: Path, *, now: datetime | None = None) -> None:
        self._directory = directory
        self.authority: CertificateAuthority = make_authority(now or datetime.now(UTC))

    def member(self, name: str, *, now: datetime | None = None) -> Member:
        identity = load_or_create_identity(self._directory / name / "keys")
        return Member(name, identity, self.material(identity, now=now))

    def material(self, identity: DeviceIdentity, *, now: datetime | None = None) -> TlsMaterial:
        leaf = self.authority.issue(identity.csr_der(), now or datetime.now(UTC))
        return TlsMaterial(
            node_id=identity.node_id,
            team_id=self.authority.team_id,
            private_key_pem=identity.private_key_pem,
            leaf_pem=to_pem(leaf),
            ca_pem=to_pem(self.authority.certificate_der),
        )


@dataclass
class EchoNode:
    """A node that answers what it was told; `fail` makes every answer an error."""

    member: Member
    fail: Exception | None = None
    callers: list[Caller] = field(default_factory=list)
    catalogue: Catalogue | None = None

    def _hear(self, caller: Caller) -> None:
        self.callers.append(caller)
        if self.fail is not None:
            raise self.fail

    async def hello(self, caller: Caller, peer: NodeInfo) -> tuple[NodeInfo, tuple[PeerHint, ...]]:
        self._hear(caller)
        return self.member.info(), (PeerHint(peer.node_id, peer.addresses),)

    async def ping(self, caller: Caller, load: Load, catalogue: CatalogueHead) -> Pong:
        self._hear(caller)
        return Pong(load, catalogue, draining=True)

    async def get_catalogue(self, caller: Caller, have: CatalogueHead) -> Catalogue | None:
        self._hear(caller)
        if self.catalogue is None or self.catalogue.head == have:
            return None
        return self.catalogue

    async def renew(self, caller: Caller, csr_der: bytes) -> tuple[bytes, bytes]:
        self._hear(caller)
        return csr_der[::-1], b"ca"


Run = Callable[[Caller, RunRequest, Callable[[RunEvent], Awaitable[None]]], Awaitable[None]]


async def answer_at_once(
    _caller: Caller, request: RunRequest, send: Callable[[RunEvent], Awaitable[None]]
) -> None:
    await send(Accepted())
    await send(Result(request.input_json, "", 1))


@dataclass
class ScriptedTasks:
    """An executor that does what the test says."""

    run_script: Run = answer_at_once
    cancelled: list[tuple[str, int]] = field(default_factory=list)

    async def run(
        self, caller: Caller, request: RunRequest, send: Callable[[RunEvent], Awaitable[None]]
    ) -> None:
        await self.run_script(caller, request, send)

    async def cancel(self, caller: Caller, task_id: str, attempt: int) -> bool:
        self.cancelled.append((task_id, attempt))
        return attempt == 1

    async def status(
        self, caller: Caller, task_id: str, attempt: int, *, fence: bool
    ) -> AttemptStatus:
        if fence:
            return AttemptStatus(AttemptState.UNKNOWN)
        return AttemptStatus(AttemptState.ENDED, Result('{"a":1}', "", 7))


def request(**changes: object) -> RunRequest:
    plain = RunRequest("task", 1, "skill", '{"x":1}', 5_000, ("owner",))
    return replace(plain, **changes)  # type: ignore[arg-type]


class World(Protocol):
    """Where members serve and dial."""

    def serve(
        self, member: Member, nodes: NodeService, tasks: TaskService
    ) -> AbstractAsyncContextManager[str]:
        """Serve as this member; gives the address."""
        ...

    def transport(self, member: Member) -> Transport: ...


class GrpcWorld:
    """Loopback, mutual TLS."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge

    @asynccontextmanager
    async def serve(
        self, member: Member, nodes: NodeService, tasks: TaskService
    ) -> AsyncIterator[str]:
        async with serve_mesh(
            self.bridge, lambda: member.tls, host="127.0.0.1", nodes=nodes, tasks=tasks
        ) as port:
            yield f"127.0.0.1:{port}"

    def transport(self, member: Member) -> GrpcTransport:
        return GrpcTransport(self.bridge, lambda: member.tls)


class MemoryWorld:
    """One process, no clock of its own."""

    def __init__(self, network: MemoryNetwork) -> None:
        self.network = network

    @asynccontextmanager
    async def serve(
        self, member: Member, nodes: NodeService, tasks: TaskService
    ) -> AsyncIterator[str]:
        address = f"{member.name}:7700"
        with self.network.serve(
            member.node_id, [address], nodes=nodes, tasks=tasks, team_id=member.tls.team_id
        ):
            yield address

    def transport(self, member: Member) -> Transport:
        return self.network.transport(member.node_id, team_id=member.tls.team_id)
