"""The executor: runs attempts for owners, each at most once, and remembers how each ended.

What it has said is on its disk first: `accepted` before Accepted, `running` before the skill
starts, the terminal before anybody hears it. An attempt belongs to the executor, not to the call
that brought it: it runs on when the stream breaks, and any later Run for it attaches or gets the
terminal again. What is admitted is decided in `admission`, what one attempt does in `attempt_run`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

from skilllite.tasks.admission import Admission, names_an_attempt, refusal_of
from skilllite.tasks.attempt_run import AttemptRun, Execution
from skilllite.tasks.executor_book import (
    ExecutionKey,
    end_interrupted,
    execution,
    fence_execution,
)
from skilllite.tasks.failpoints import OnPoint, Point, unobserved
from skilllite.tasks.ledger import Ledger
from skilllite.tasks.records import ExecutionRecord, ExecutionState
from skilllite.tasks.runner_port import SkillRunner
from skilllite.tasks.trail import TaskTrail
from skilllite_sandbox.policy import DEFAULT_LIMITS
from skilllite_swarm.errors import SwarmError
from skilllite_swarm.task import AttemptState, AttemptStatus, RunEvent, RunRequest
from skilllite_swarm.transport import Caller, Load

CONCURRENCY = 2  # skills at a time; a node passes the number of its cores
QUEUE_MAX = 64  # attempts waiting for a place, at 2 MiB of input each
CANCEL_WAIT_S = 5.0  # killing a process tree takes milliseconds; a caller is not kept for longer

_log = logging.getLogger("skilllite.tasks")


class TaskExecutor:
    """Implements the swarm's `TaskService`. Use `open_executor`."""

    def __init__(
        self,
        ledger: Ledger,
        runner: SkillRunner,
        nursery: trio.Nursery,
        *,
        self_id: str,
        now_ms: Callable[[], int],
        concurrency: int = CONCURRENCY,
        queue_max: int = QUEUE_MAX,
        wall_s_max: float = DEFAULT_LIMITS.wall_s,
        on_point: OnPoint = unobserved,
        trail: TaskTrail | None = None,
    ) -> None:
        assert concurrency >= 1 and queue_max >= 0
        self._nursery = nursery
        self._self_id = self_id
        self._concurrency = concurrency
        self._queue_max = queue_max
        self._on_point = on_point
        self._execution = Execution(
            ledger=ledger,
            runner=runner,
            slots=trio.Semaphore(concurrency),
            self_id=self_id,
            wall_s_max=wall_s_max,
            now_ms=now_ms,
            on_point=on_point,
            trail=trail or TaskTrail(),
        )
        self._live: dict[ExecutionKey, AttemptRun] = {}
        self._draining = False

    # TaskService --------------------------------------------------------------------------------

    async def run(
        self, caller: Caller, request: RunRequest, send: Callable[[RunEvent], Awaitable[None]]
    ) -> None:
        """Send the events of an attempt, beginning it if it is new; the terminal is the last.

        Raises:
            SwarmError: the ledger can't be written: nothing is known to be promised.
        """
        key = ExecutionKey(caller.node_id, request.task_id, request.attempt)
        attempt = self._live.get(key)
        if attempt is None:
            # From here to `start_soon` there is no checkpoint: of two calls only one begins it.
            attempt = AttemptRun(
                key, request, self._execution, refusal_of(self._admission(request))
            )
            self._live[key] = attempt
            self._nursery.start_soon(self._carry, attempt)
        await attempt.follow(send)
        self._on_point(Point.EXECUTOR_SENT)

    async def cancel(self, caller: Caller, task_id: str, attempt: int) -> bool:
        """Kill an attempt, or make sure that one which hasn't arrived never starts.

        Returns whether it was alive; then it is dead and on record, unless that takes too long.
        """
        key = ExecutionKey(caller.node_id, task_id, attempt)
        live = self._live.get(key)
        if live is None:
            await self._fence(key)
            return False
        live.cancel()
        with trio.move_on_after(CANCEL_WAIT_S):
            await live.wait_ended()
        return True

    async def status(
        self, caller: Caller, task_id: str, attempt: int, *, fence: bool
    ) -> AttemptStatus:
        """Say what is on record for an attempt of this caller; with `fence`, refuse it for ever."""
        key = ExecutionKey(caller.node_id, task_id, attempt)
        if fence:
            record = await self._fence(key)
        else:
            record = await self._execution.ledger.read(lambda c: execution(c, key))
        return _status_of(record)

    async def _fence(self, key: ExecutionKey) -> ExecutionRecord | None:
        if not names_an_attempt(key.task_id, key.attempt):
            return None  # a Run of it would be refused as well
        now_ms = self._execution.now_ms()
        return await self._execution.write(lambda c: fence_execution(c, key, now_ms=now_ms))

    # The node -----------------------------------------------------------------------------------

    def load(self) -> Load:
        """Return how busy this executor is."""
        running = sum(1 for attempt in self._live.values() if attempt.is_running)
        return Load(
            running=running,
            queued=len(self._live) - running,
            capacity=self._concurrency,
            leaving=self._draining,
        )

    def drain(self) -> None:
        """Take nothing new from now on; what was accepted is finished."""
        self._draining = True

    async def wait_idle(self) -> None:
        """Return once nothing is under way. The caller brings the deadline."""
        while self._live:
            await next(iter(self._live.values())).wait_ended()

    def _admission(self, request: RunRequest) -> Admission:
        return Admission(
            request=request,
            self_id=self._self_id,
            knows_skill=self._execution.runner.knows(request.skill),
            draining=self._draining,
            full=len(self._live) >= self._concurrency + self._queue_max,
        )

    async def _carry(self, attempt: AttemptRun) -> None:
        try:
            await attempt.run()
        except SwarmError as error:
            _log.error("attempt %s/%d: %s", attempt.key.task_id, attempt.key.attempt, error.message)
            attempt.fail(error)
        except Exception as error:
            _log.exception("attempt %s/%d failed", attempt.key.task_id, attempt.key.attempt)
            attempt.fail(SwarmError("the executing node made a mistake", cause=repr(error)))
        finally:
            attempt.abandon()
            del self._live[attempt.key]


def _status_of(record: ExecutionRecord | None) -> AttemptStatus:
    if record is None or record.state is ExecutionState.FENCED:
        return AttemptStatus(AttemptState.UNKNOWN)
    if record.state is ExecutionState.ENDED:
        return AttemptStatus(AttemptState.ENDED, record.terminal)
    return AttemptStatus(AttemptState(record.state.value))


@asynccontextmanager
async def open_executor(
    ledger: Ledger,
    runner: SkillRunner,
    *,
    self_id: str,
    now_ms: Callable[[], int],
    concurrency: int = CONCURRENCY,
    queue_max: int = QUEUE_MAX,
    wall_s_max: float = DEFAULT_LIMITS.wall_s,
    on_point: OnPoint = unobserved,
    trail: TaskTrail | None = None,
) -> AsyncIterator[TaskExecutor]:
    """Serve attempts for the length of a block; leaving it kills and records what still runs.

    First ends what an earlier process left behind, so that no owner hears "running" about it.

    Raises:
        LedgerUnavailable: that could not be recorded.
    """
    started_ms = now_ms()
    waiting, running = await ledger.write(lambda c: end_interrupted(c, now_ms=started_ms))
    if waiting or running:
        _log.warning("ended %d running and %d waiting attempts of an earlier run", running, waiting)
    async with trio.open_nursery() as nursery:
        yield TaskExecutor(
            ledger,
            runner,
            nursery,
            self_id=self_id,
            now_ms=now_ms,
            concurrency=concurrency,
            queue_max=queue_max,
            wall_s_max=wall_s_max,
            on_point=on_point,
            trail=trail,
        )
        nursery.cancel_scope.cancel()
