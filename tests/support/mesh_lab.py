"""Meshes in one process: real identities and teams, a network in memory, virtual time."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trio

from skilllite_swarm.address_book import AddressBook
from skilllite_swarm.addresses import Interface
from skilllite_swarm.identity import DeviceIdentity, load_or_create_identity
from skilllite_swarm.memory import MemoryNetwork
from skilllite_swarm.memory_lan import MemoryLan
from skilllite_swarm.mesh import Mesh, MeshConfig, open_mesh
from skilllite_swarm.peer_view import PeerState, PeerView
from skilllite_swarm.task import AttemptState, AttemptStatus, RunEvent, RunRequest
from skilllite_swarm.team import Team, open_team
from skilllite_swarm.transport import Caller, SkillEntry

BORN = datetime(2030, 1, 1, tzinfo=UTC)


def skill(name: str, version: int = 0) -> SkillEntry:
    digest = f"sha256:{version:064x}"
    return SkillEntry(name, f"Does {name}.", digest, "python", idempotent=True)


class NoTasks:
    """An executor that was never given anything."""

    async def run(
        self, caller: Caller, request: RunRequest, send: Callable[[RunEvent], object]
    ) -> None:
        raise AssertionError("no task is expected")

    async def cancel(self, caller: Caller, task_id: str, attempt: int) -> bool:
        return False

    async def status(
        self, caller: Caller, task_id: str, attempt: int, *, fence: bool
    ) -> AttemptStatus:
        return AttemptStatus(AttemptState.UNKNOWN)


@dataclass
class Node:
    """A running node."""

    name: str
    mesh: Mesh
    scope: trio.CancelScope
    stopped: trio.Event

    @property
    def node_id(self) -> str:
        return self.mesh.node_id

    def states(self) -> dict[str, PeerState]:
        return {peer.name: peer.state for peer in self.mesh.peers()}

    def peer(self, name: str) -> PeerView:
        return next(peer for peer in self.mesh.peers() if peer.name == name)

    async def stop(self) -> None:
        """End like a node that was told to."""
        self.scope.cancel()
        await self.stopped.wait()


class Lab:
    """Makes hosts that share a network, a LAN for discovery and a team that `first` founded."""

    def __init__(self, directory: Path, nursery: trio.Nursery, seed: int = 1) -> None:
        self.network = MemoryNetwork(seed)
        self.lan = MemoryLan()
        self.seed = seed
        self._directory = directory
        self._nursery = nursery
        self._founder: Team | None = None

    def now(self) -> datetime:
        return BORN + timedelta(seconds=trio.current_time())

    def identity(self, host: str) -> DeviceIdentity:
        return load_or_create_identity(self._directory / host / "keys")

    def team(self, host: str) -> Team:
        """Return the host's membership; every host after the first joins the first one's team."""
        home = self._directory / host
        identity = self.identity(host)
        team = open_team(home / "team", home / "keys", identity, BORN)
        if self._founder is None:
            self._founder = team
        elif team.team_id != self._founder.team_id:
            leaf = self._founder.admit(identity.csr_der(), host, BORN)
            team.join(leaf, self._founder.ca_der, (), BORN)
        return team

    async def start(
        self,
        host: str,
        *,
        name: str = "",
        static_peers: tuple[str, ...] = (),
        announced: bool = True,
        remembers: bool = False,
        interfaces: Callable[[], tuple[Interface, ...]] = tuple,
    ) -> Node:
        """Start a node on a host and return it when it serves."""

        async def run(task_status: trio.TaskStatus[Node]) -> None:
            stopped = trio.Event()
            with trio.CancelScope() as scope:
                async with self._serve(
                    host,
                    MeshConfig(
                        name=name or host,
                        version="0.1.0",
                        static_peers=static_peers,
                        addresses=(f"{host}:7700",),
                    ),
                    announced=announced,
                    remembers=remembers,
                    interfaces=interfaces,
                ) as mesh:
                    task_status.started(Node(name or host, mesh, scope, stopped))
                    await trio.sleep_forever()
            stopped.set()

        node: Node = await self._nursery.start(run)
        return node

    @asynccontextmanager
    async def _serve(
        self,
        host: str,
        config: MeshConfig,
        *,
        announced: bool,
        remembers: bool,
        interfaces: Callable[[], tuple[Interface, ...]],
    ) -> AsyncIterator[Mesh]:
        team = self.team(host)
        book = None
        if remembers:
            path = self._directory / host / "peers.json"
            book = AddressBook.open(path, team_id=team.team_id, now=BORN)
        async with AsyncExitStack() as stack:
            discovery = await stack.enter_async_context(self.lan.open(host)) if announced else None
            identity = self.identity(host)
            mesh = await stack.enter_async_context(
                open_mesh(
                    config,
                    identity=identity,
                    team=team,
                    transport=self.network.transport(identity.node_id, f"{host}:50000"),
                    discovery=discovery,
                    book=book,
                    interfaces=interfaces,
                    now=self.now,
                    rng=random.Random(self.seed),
                )
            )
            stack.enter_context(
                self.network.serve(identity.node_id, (f"{host}:7700",), nodes=mesh, tasks=NoTasks())
            )
            mesh.start(7700)
            yield mesh

    async def crash(self, node: Node, others: list[Node]) -> None:
        """End a node without a word to anybody, as by kill -9."""
        self.network.kill(node.node_id)
        self.network.partition([node.node_id], [other.node_id for other in others])
        await node.stop()
        self.network.heal_all()


async def eventually(claim: Callable[[], bool], *, within_s: float) -> float:
    """Wait until the claim holds; return how long that took on the virtual clock."""
    started = trio.current_time()
    with trio.fail_after(within_s):
        while not claim():  # noqa: ASYNC110  any claim, on a clock that costs nothing
            await trio.sleep(0.01)
    return trio.current_time() - started


@asynccontextmanager
async def open_lab(directory: Path, seed: int = 1) -> AsyncIterator[Lab]:
    """Make a lab; at the end every node is stopped."""
    async with trio.open_nursery() as nursery:
        yield Lab(directory, nursery, seed)
        nursery.cancel_scope.cancel()
