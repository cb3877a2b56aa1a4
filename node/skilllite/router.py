"""The mesh as the owner of tasks sees it: who could do it, and a way to talk to them.

The mesh is replaced when this node changes its team. The tasks live on: in between this node is
the only one there is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Protocol

import trio

from skilllite.offer import OfferedSkills
from skilllite.tasks.local_connection import LocalConnection
from skilllite.tasks.router_port import Candidate, TaskConnection
from skilllite_swarm import placement
from skilllite_swarm.errors import PeerUnreachable, UnknownNode
from skilllite_swarm.peer_view import PeerState, PeerView

SHORT_ID_CHARACTERS = 8

EVER_OFFERED_MAX = 10_000
"""Names of skills remembered; past that "no peer has it" and "nobody ever had it" blur."""


OBSTACLES_MAX = 3
"""Nodes named in one message; `skilllite peers` has them all."""


class MeshPort(Protocol):
    """What is needed of `skilllite_swarm.mesh.Mesh`."""

    @property
    def changes(self) -> int: ...

    async def wait_for_change(self, seen: int) -> None: ...

    def peers(self) -> tuple[PeerView, ...]: ...

    def self_view(self) -> PeerView: ...

    async def find_candidates(
        self, skill: str, *, among: Callable[[str], bool]
    ) -> Sequence[placement.Candidate]: ...

    def connection(self, node_id: str) -> TaskConnection: ...

    def resolve_node(self, text: str) -> str: ...

    def drain(self) -> None: ...


class MeshRouter:
    """Implements the tasks' `Router` over the mesh of the moment."""

    def __init__(
        self, local: LocalConnection, offered: OfferedSkills, *, self_id: str, rng: random.Random
    ) -> None:
        self._local = local
        self._offered = offered
        self._self_id = self_id
        self._rng = rng
        self._mesh: MeshPort | None = None
        self._ever_offered: set[str] = set()
        self.changes = 0
        """Counts what nodes and skills had different."""
        self._changed = trio.Event()

    @property
    def self_id(self) -> str:
        """Return the id of this node."""
        return self._self_id

    @property
    def mesh(self) -> MeshPort | None:
        """The mesh of the moment."""
        return self._mesh

    def attach(self, mesh: MeshPort) -> None:
        """Use this mesh from now on."""
        self._mesh = mesh
        self.tell_changed()

    def detach(self) -> None:
        """Be alone until the next mesh is there."""
        self._mesh = None
        self.tell_changed()

    async def follow(self, mesh: MeshPort) -> None:
        """Tell the tasks of every change in a mesh, until cancelled."""
        while True:
            seen = mesh.changes
            for view in mesh.peers():
                self._remember(view)
            self.tell_changed()
            await mesh.wait_for_change(seen)

    def tell_changed(self) -> None:
        """Wake those who wait for a node."""
        self.changes += 1
        self._changed.set()
        self._changed = trio.Event()

    def name_of(self, node_id: str) -> str:
        """Return the name of a node, or a short form of its id."""
        for view in self._views():
            if view.node_id == node_id:
                return view.name
        return node_id[:SHORT_ID_CHARACTERS]

    def resolve(self, text: str) -> str:
        """Return the id of the node that a person means.

        Raises:
            UnknownNode, AmbiguousNode: nobody, or several.
        """
        if self._mesh is None:
            raise UnknownNode(
                "this node is changing its team", hint="try again when it has, in a second"
            )
        return self._mesh.resolve_node(text)

    async def find_candidates(
        self, skill: str, *, among: Callable[[str], bool]
    ) -> Sequence[Candidate]:
        """Return the live nodes that offer the skill, once no suspicion is left to settle."""
        if self._mesh is None:
            name = self.name_of(self._self_id)
            return [
                Candidate(self._self_id, name, entry.idempotent)
                for entry in self._offered.entries
                if entry.name == skill and among(self._self_id)
            ]
        found = await self._mesh.find_candidates(skill, among=among)
        idempotent = {
            view.node_id: entry.idempotent
            for view in self._views()
            for entry in view.skills
            if entry.name == skill
        }
        return [
            Candidate(candidate.node_id, candidate.name, idempotent.get(candidate.node_id, False))
            for candidate in found
        ]

    def obstacles(self, skill: str, *, on: str | None) -> str:
        """Return what is wrong with one node, or with those that offer the skill."""
        clauses = [
            clause
            for view in self._views()
            if (view.node_id == on if on else any(entry.name == skill for entry in view.skills))
            and (clause := _obstacle(view))
        ]
        more = len(clauses) - OBSTACLES_MAX
        return "; ".join(clauses[:OBSTACLES_MAX]) + (f"; and {more} more" if more > 0 else "")

    def choose(self, candidates: Sequence[Candidate]) -> Candidate:
        """Pick one of at least one: the less busy of two drawn at random."""
        wanted = {candidate.node_id: candidate for candidate in candidates}
        if self._mesh is not None:
            known = [
                placement.Candidate(view.node_id, view.name, view.load, view.latency_ms or 0.0)
                for view in self._views()
                if view.node_id in wanted and view.load is not None
            ]
            placed = placement.choose(known, self._rng)
            if placed is not None:
                return wanted[placed.node_id]
        return candidates[0]

    def is_live(self, node_id: str) -> bool:
        """Return whether a node answers."""
        return node_id == self._self_id or any(
            view.node_id == node_id and view.state is PeerState.ALIVE for view in self._views()
        )

    def ever_offered(self, skill: str) -> bool:
        """Return whether any node is known to offer the skill or to have done so."""
        return (
            skill in self._ever_offered
            or self._offered.directory_of(skill) is not None
            or any(entry.name == skill for view in self._views() for entry in view.skills)
        )

    async def connection(self, node_id: str) -> TaskConnection:
        """Return a working connection, for this node itself without any network.

        Raises:
            PeerUnreachable: there is none at the moment.
        """
        await trio.lowlevel.checkpoint()
        if node_id == self._self_id:
            return self._local
        if self._mesh is None:
            raise PeerUnreachable("this node is changing its team")
        return self._mesh.connection(node_id)

    async def wait_changed(self) -> None:
        """Return at the first change of nodes or skills after the call."""
        await self._changed.wait()

    async def wait_for_change(self, seen: int) -> None:
        """Return once `changes` is not `seen` any more."""
        while self.changes == seen:
            await self._changed.wait()

    def _views(self) -> tuple[PeerView, ...]:
        if self._mesh is None:
            return ()
        return (self._mesh.self_view(), *self._mesh.peers())

    def _remember(self, view: PeerView) -> None:
        if len(self._ever_offered) < EVER_OFFERED_MAX:
            self._ever_offered.update(entry.name for entry in view.skills)


def _obstacle(view: PeerView) -> str:
    if view.state is not PeerState.ALIVE:
        return f"{view.name} is {view.state}" + (f": {view.why}" if view.why else "")
    return f"{view.name} is draining and takes no new tasks" if view.draining else ""
