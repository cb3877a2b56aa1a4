"""Several nodes with real ledgers on disk and a network in memory, which die and come back.

A node that dies is cancelled with its ledger cut off first: nothing that runs while it unwinds can
reach the disk or another node, as with SIGKILL. All times are those of the mock clock.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import trio

from skilllite.tasks.executor import TaskExecutor, open_executor
from skilllite.tasks.failpoints import Point
from skilllite.tasks.ledger import Ledger, Transaction
from skilllite.tasks.local_connection import LocalConnection
from skilllite.tasks.owner import TaskOwner, open_owner
from skilllite.tasks.reconcile import Reconciled
from skilllite.tasks.router_port import Candidate, TaskConnection
from skilllite.tasks.runner_port import Asked
from skilllite_sandbox.policy import Origin
from skilllite_swarm.errors import CallInterrupted, PeerRefused, PeerUnreachable, SwarmError
from skilllite_swarm.task import (
    AttemptStatus,
    Failed,
    Refused,
    Result,
    RunEvent,
    RunRequest,
    TaskError,
    Terminal,
)
from skilllite_swarm.transport import Caller

T = TypeVar("T")

LATENCY_S = 0.002
NOTICE_S = 2.0
"""How long a dead node still looks alive, and a dead link open: what keepalive takes."""

LATE_S_MAX = 8.0
"""How long a message can sit in a buffer while its sender believes the connection broken."""


class Killed(BaseException):
    """The process this code ran in is gone."""


class MortalLedger(Ledger):
    """A ledger without threads whose process can die, and that watches over what is final."""

    def __init__(self, path: Path, finals: dict[str, tuple[object, ...]]) -> None:
        super().__init__(path, threaded=False)
        self.dead = False
        self._finals = finals

    async def write(self, function: Transaction[T], *, durable: bool = True) -> T:
        self._require_alive()
        result = await super().write(function, durable=durable)
        self._check_finals()
        return result

    async def read(self, function: Transaction[T]) -> T:
        self._require_alive()
        return await super().read(function)

    def post_nowait(self, function: Transaction[object]) -> bool:
        self._require_alive()
        return super().post_nowait(function)

    def _require_alive(self) -> None:
        if self.dead:
            raise Killed

    def _check_finals(self) -> None:
        """Fail if an end that was on disk has changed, but for one `unknown` becoming a fact."""
        for table, key, state in (
            ("tasks", "task_id", "state || reconciled || coalesce(output, error_code)"),
            ("attempts", "task_id || '/' || attempt", "stage || coalesce(terminal, '')"),
            ("executions", "caller || task_id || attempt", "state || coalesce(terminal, '')"),
        ):
            over = {
                "tasks": "state NOT IN ('accepted', 'running')",
                "attempts": "stage IN ('ended', 'lost')",
                "executions": "state IN ('ended', 'fenced')",
            }[table]
            for name, value in self._reader.execute(
                f"SELECT {key}, {state} FROM {table} WHERE {over}"
            ):
                before = self._finals.setdefault(f"{table} {name}", (value,))
                if before != (value,):
                    was_unknown = str(before[0]).startswith("unknown0")
                    assert was_unknown and "1" in str(value), (table, name, before, value)
                    self._finals[f"{table} {name}"] = (value,)


@dataclass(frozen=True)
class SkillOnNode:
    """What a fake skill does."""

    seconds: float = 1.0
    idempotent: bool = False
    fails: bool = False


class FakeRunner:
    """Runs fake skills and counts every start by input."""

    def __init__(self, node_name: str, skills: dict[str, SkillOnNode], runs: Counter[str]) -> None:
        self._node_name = node_name
        self._skills = skills
        self._runs = runs

    def knows(self, skill: str) -> bool:
        return skill in self._skills

    async def run(
        self,
        skill: str,
        input_json: str,
        *,
        origin: Origin,
        deadline_s: float,
        asked: Asked,
        on_started: Callable[[str], None],
        on_log: Callable[[str], None],
    ) -> Result | Failed:
        what = self._skills[skill]
        self._runs[input_json] += 1
        on_started(f"sha256:{skill}")
        on_log(f"{skill} on {self._node_name} for {origin}")
        await trio.sleep(min(what.seconds, deadline_s))
        if what.seconds > deadline_s:
            return Failed(TaskError("timeout", f"wall limit {deadline_s:g} s exceeded"))
        if what.fails:
            return Failed(TaskError("exit", "exit status 1"), text="oops", duration_ms=5)
        value = {"by": self._node_name, "got": json.loads(input_json)}
        return Result(json.dumps(value), "ignored", round(what.seconds * 1000))


@dataclass
class Node:
    """One node: its disk outlives it."""

    world: World
    node_id: str
    path: Path
    skills: dict[str, SkillOnNode]
    wall_offset_ms: int
    runs: Counter[str] = field(default_factory=Counter)
    reconciled: list[Reconciled] = field(default_factory=list)
    finals: dict[str, tuple[object, ...]] = field(default_factory=dict)
    died_at: float = float("-inf")
    ledger: MortalLedger | None = None
    _owner: TaskOwner | None = None
    _executor: TaskExecutor | None = None
    _nursery: trio.Nursery | None = None
    _over: trio.Event = field(default_factory=trio.Event)

    @property
    def is_up(self) -> bool:
        return self._nursery is not None

    @property
    def owner(self) -> TaskOwner:
        assert self._owner is not None
        return self._owner

    @property
    def executor(self) -> TaskExecutor:
        assert self._executor is not None
        return self._executor

    @property
    def name(self) -> str:
        return f"name-{self.node_id}"

    def now_ms(self) -> int:
        return int(trio.current_time() * 1000) + self.wall_offset_ms

    def spawn(self, function: Callable[[], Awaitable[None]]) -> None:
        """Run something in this process."""
        assert self._nursery is not None
        self._nursery.start_soon(function)

    async def live(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Start the process and keep it until it dies or is stopped."""
        ledger = self.ledger = MortalLedger(self.path, self.finals)
        self._over = trio.Event()
        try:
            async with trio.open_nursery() as nursery:
                await self._serve(nursery, task_status)
        except* Killed:
            pass
        finally:
            if not ledger.dead:
                self._gone()
            ledger.close()
            self._over.set()

    async def _serve(self, nursery: trio.Nursery, started: trio.TaskStatus[None]) -> None:
        assert self.ledger is not None
        runner = FakeRunner(self.name, self.skills, self.runs)
        async with (
            open_executor(
                self.ledger,
                runner,
                self_id=self.node_id,
                now_ms=self.now_ms,
                concurrency=self.world.concurrency,
                queue_max=self.world.queue_max,
                on_point=self._on_point,
            ) as self._executor,
            open_owner(
                self.ledger,
                SimRouter(self),
                now_ms=self.now_ms,
                on_reconciled=self.reconciled.append,
                on_point=self._on_point,
            ) as self._owner,
        ):
            self._nursery = nursery
            self.world.note_change()
            started.started()  # first: it may die while it takes up what was left
            await self._owner.resume_after_restart()
            await trio.sleep_forever()

    def _on_point(self, point: Point) -> None:
        self.world.reached(self, point)

    def die(self) -> None:
        """End the process as SIGKILL does. In its own tasks, raise `Killed` right after."""
        if self._nursery is None:
            return
        assert self.ledger is not None
        self.ledger.dead = True
        self._nursery.cancel_scope.cancel()
        self._gone()

    def _gone(self) -> None:
        self._nursery = None
        self.died_at = trio.current_time()
        self.world.note_change()

    async def stop(self) -> None:
        """End the process as SIGTERM does."""
        assert self._nursery is not None
        self._nursery.cancel_scope.cancel()
        await self._over.wait()


class World:
    """All nodes, the links between them, and when who dies."""

    def __init__(
        self,
        folder: Path,
        nursery: trio.Nursery,
        *,
        seed: int = 0,
        concurrency: int = 2,
        queue_max: int = 8,
    ) -> None:
        self.folder = folder
        self.nursery = nursery
        self.rng = random.Random(seed)
        self.concurrency = concurrency
        self.queue_max = queue_max
        self.nodes: dict[str, Node] = {}
        self.loss = 0.0
        """Probability that a message breaks the call it belongs to."""
        self.cut: set[frozenset[str]] = set()
        self.suspected_until: dict[str, float] = {}
        """Nodes that missed a ping, and when they will be known to be well."""
        self.seen: list[tuple[str, Point]] = []
        self.on_reached: Callable[[Node, Point], None] = lambda node, point: None
        self._changed = trio.Event()

    async def add(self, node_id: str, **skills: SkillOnNode) -> Node:
        path = self.folder / f"{node_id}.sqlite3"
        offset = self.rng.randrange(-(10**9), 10**9)  # nobody's clock is right
        node = Node(self, node_id, path, skills, 2 * 10**12 + offset)
        self.nodes[node_id] = node
        await self.start(node)
        return node

    async def start(self, node: Node) -> None:
        await self.nursery.start(node.live)

    def reached(self, node: Node, point: Point) -> None:
        """Take note of a point; whoever planned so kills now."""
        self.seen.append((node.node_id, point))
        self.on_reached(node, point)
        if not node.is_up:
            raise Killed

    def connected(self, one: str, other: str) -> bool:
        return frozenset((one, other)) not in self.cut

    def reachable(self, source: Node, target: Node) -> bool:
        return source.is_up and target.is_up and self.connected(source.node_id, target.node_id)

    def note_change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def wait_changed(self) -> None:
        await self._changed.wait()

    def loses(self) -> bool:
        return self.rng.random() < self.loss


class SimRouter:
    """The mesh as one node sees it: late."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._world = node.world

    @property
    def self_id(self) -> str:
        return self._node.node_id

    def name_of(self, node_id: str) -> str:
        return self._world.nodes[node_id].name

    async def find_candidates(
        self, skill: str, *, among: Callable[[str], bool]
    ) -> Sequence[Candidate]:
        found = self._candidates(skill, among)
        if not found:
            settled = self._world.suspected_until
            offering = [each for each in settled if skill in self._world.nodes[each].skills]
            await trio.sleep_until(
                max((settled[each] for each in offering if among(each)), default=0)
            )
            found = self._candidates(skill, among)
        return found

    def _candidates(self, skill: str, among: Callable[[str], bool]) -> Sequence[Candidate]:
        return [
            Candidate(node.node_id, node.name, node.skills[skill].idempotent)
            for node in self._world.nodes.values()
            if skill in node.skills and self.is_live(node.node_id) and among(node.node_id)
        ]

    def obstacles(self, skill: str, *, on: str | None) -> str:
        return ""

    def choose(self, candidates: Sequence[Candidate]) -> Candidate:
        return self._world.rng.choice(candidates)

    def is_live(self, node_id: str) -> bool:
        node = self._world.nodes[node_id]
        if not self._world.connected(self.self_id, node_id):
            return False
        if trio.current_time() < self._world.suspected_until.get(node_id, 0):
            return False
        return node.is_up or trio.current_time() < node.died_at + NOTICE_S

    def ever_offered(self, skill: str) -> bool:
        return any(skill in node.skills for node in self._world.nodes.values())

    async def connection(self, node_id: str) -> TaskConnection:
        if node_id == self.self_id:
            return LocalConnection(self._node.executor, self.self_id)
        target = self._world.nodes[node_id]
        await trio.sleep(LATENCY_S)
        if not self._world.reachable(self._node, target):
            raise PeerUnreachable(f"{target.name} does not answer")
        return SimConnection(self._world, self._node, target)

    async def wait_changed(self) -> None:
        await self._world.wait_changed()


Sent = RunEvent | AttemptStatus | bool | SwarmError


class SimConnection:
    """Calls from one process to another, which may break before or after they arrive."""

    def __init__(self, world: World, source: Node, target: Node) -> None:
        self._world = world
        self._source = source
        self._target = target

    async def run(self, request: RunRequest, on_event: Callable[[RunEvent], None]) -> Terminal:
        async def serve(reply: Callable[[Sent], Awaitable[None]], executor: TaskExecutor) -> None:
            await executor.run(Caller(self._source.node_id, "sim"), request, reply)

        replies = await self._call(serve)
        with replies:
            while True:
                event = await self._receive(replies)
                if isinstance(event, Result | Failed | Refused):
                    return event
                assert not isinstance(event, AttemptStatus | bool | SwarmError)
                on_event(event)

    async def cancel(self, task_id: str, attempt: int) -> bool:
        async def serve(reply: Callable[[Sent], Awaitable[None]], executor: TaskExecutor) -> None:
            await reply(
                await executor.cancel(Caller(self._source.node_id, "sim"), task_id, attempt)
            )

        with await self._call(serve) as replies:
            answer = await self._receive(replies)
            assert isinstance(answer, bool)
            return answer

    async def status(self, task_id: str, attempt: int, *, fence: bool) -> AttemptStatus:
        async def serve(reply: Callable[[Sent], Awaitable[None]], executor: TaskExecutor) -> None:
            caller = Caller(self._source.node_id, "sim")
            await reply(await executor.status(caller, task_id, attempt, fence=fence))

        with await self._call(serve) as replies:
            answer = await self._receive(replies)
            assert isinstance(answer, AttemptStatus)
            return answer

    async def _call(
        self,
        serve: Callable[[Callable[[Sent], Awaitable[None]], TaskExecutor], Awaitable[None]],
    ) -> trio.MemoryReceiveChannel[Sent]:
        """Bring a request to the other process, where it is served in a task of that process."""
        sending, replies = trio.open_memory_channel[Sent](100)
        await trio.sleep(LATENCY_S * self._world.rng.uniform(0.5, 3))
        if not self._world.reachable(self._source, self._target):
            raise PeerUnreachable(f"{self._target.name} does not answer")
        lost_on_the_way = self._world.loses()
        late_s = self._world.rng.uniform(0.0, LATE_S_MAX) if lost_on_the_way else 0.0
        if lost_on_the_way and self._world.rng.random() < 0.3:
            raise CallInterrupted("the connection broke")  # and nothing was delivered

        async def reply(message: Sent) -> None:
            await trio.sleep(LATENCY_S)
            await sending.send(message)

        async def serve_here() -> None:
            await trio.sleep(late_s)
            with sending:
                try:
                    await serve(reply, self._target.executor)
                except trio.BrokenResourceError:
                    return
                except SwarmError as error:
                    await reply(error)

        self._target.spawn(serve_here)
        if lost_on_the_way:
            replies.close()
            raise CallInterrupted("the connection broke")  # and it is delivered, now or later
        return replies

    async def _receive(self, replies: trio.MemoryReceiveChannel[Sent]) -> Sent:
        while True:
            with trio.move_on_after(NOTICE_S):
                try:
                    message = await replies.receive()
                except trio.EndOfChannel:
                    raise CallInterrupted("the stream ended without an answer") from None
                if self._world.loses():
                    raise CallInterrupted("the connection broke")
                if isinstance(message, SwarmError):
                    raise PeerRefused(message.message)
                return message
            if not self._world.reachable(self._source, self._target):
                raise CallInterrupted("keepalive: the peer does not answer")


def rows(node: Node, query: str) -> list[tuple[object, ...]]:
    """Return rows of a node's ledger as any other process would see them."""
    connection = sqlite3.connect(f"file:{node.path}?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
