"""What the owner of a task needs from the mesh: who could do it, and a way to talk to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from skilllite_swarm.task import AttemptStatus, RunEvent, RunRequest, Terminal


@dataclass(frozen=True, slots=True)
class Candidate:
    """A live node that offers the skill of a task."""

    node_id: str
    name: str
    idempotent: bool
    """Whether the skill, as that node describes it, may run twice."""


class TaskConnection(Protocol):
    """The calls of `skilllite_swarm.transport.Connection` that are about tasks.

    `PeerUnreachable` means certainly not delivered, `CallInterrupted` perhaps delivered,
    `PeerRefused` answered with an error.
    """

    async def run(self, request: RunRequest, on_event: Callable[[RunEvent], None]) -> Terminal:
        """Run or attach to an attempt until its terminal event, which is returned, not reported."""
        ...

    async def cancel(self, task_id: str, attempt: int) -> bool: ...

    async def status(self, task_id: str, attempt: int, *, fence: bool) -> AttemptStatus: ...


class Router(Protocol):
    """The mesh as a task sees it. This node is one of its nodes.

    For this node's own id `connection` returns the `LocalConnection` over its executor, so that a
    local task takes exactly the way of a remote one.
    """

    @property
    def self_id(self) -> str: ...

    def name_of(self, node_id: str) -> str:
        """Return the name of a node, or a short form of the id when it is not known."""
        ...

    async def find_candidates(
        self, skill: str, *, among: Callable[[str], bool]
    ) -> Sequence[Candidate]:
        """Return the live nodes for whose id `among` holds and that offer the skill.

        This node is one of them if it does. When there are only nodes that missed a ping, wait the
        two seconds until they are back or gone.
        """
        ...

    def obstacles(self, skill: str, *, on: str | None) -> str:
        """Return why nobody takes it, node by node; empty when that is not known.

        About the node `on`, else about those that are known to offer the skill.
        """
        ...

    def choose(self, candidates: Sequence[Candidate]) -> Candidate:
        """Pick one of at least one."""
        ...

    def is_live(self, node_id: str) -> bool: ...

    def ever_offered(self, skill: str) -> bool:
        """Return whether any node, live or not, is known to offer the skill or to have done so."""
        ...

    async def connection(self, node_id: str) -> TaskConnection:
        """Return a working connection, or raise `PeerUnreachable`."""
        ...

    async def wait_changed(self) -> None:
        """Return at the first change of nodes or skills after the call."""
        ...
