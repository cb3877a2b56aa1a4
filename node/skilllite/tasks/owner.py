"""The owner: accepts tasks, carries each to exactly one recorded end, answers questions on them.

Accepted means committed. From then on the task survives this process: `resume_after_restart` finds
every task without an end and goes on where the ledger says it was. What happens to one task is
decided in `lifecycle` and done in `driver`; what is left after its end is asked by `reconcile`.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import trio

from skilllite.tasks.admission import fault_of_input
from skilllite.tasks.driver import Desk, TaskDriver, monotonic_ms
from skilllite.tasks.errors import (
    AmbiguousTask,
    InvalidTask,
    LedgerUnavailable,
    TooManyTasks,
    UnknownTask,
)
from skilllite.tasks.event_feed import Submission
from skilllite.tasks.failpoints import OnPoint, Point, unobserved
from skilllite.tasks.ledger import Ledger
from skilllite.tasks.lifecycle import Lifecycle
from skilllite.tasks.owner_book import (
    attempts_of,
    end_task,
    ids_with_prefix,
    insert_task,
    log_lines,
    recent_tasks,
    task_by_id,
    unfinished_ids,
)
from skilllite.tasks.reconcile import Reconciled, Reconciler
from skilllite.tasks.records import (
    AttemptRecord,
    Code,
    EventKind,
    LogLine,
    NewTask,
    Outcome,
    TaskEvent,
    TaskRecord,
    TaskState,
)
from skilllite.tasks.retention import DEFAULT_RETENTION, Retention, keep_bounded
from skilllite.tasks.router_port import Router
from skilllite.tasks.steps import Errand
from skilllite_swarm.task import TaskError

TASKS_ACTIVE_MAX = 1_000  # tasks under way: each holds a few kilobytes and its input
INPUT_BYTES_ACTIVE_MAX = 256 * 1024 * 1024  # inputs of all tasks under way, which stay in memory
DEADLINE_S_DEFAULT = 300.0
DEADLINE_S_MAX = 7 * 24 * 3600.0  # a task is not a service
SKILL_NAME_CHARS_MAX = 128
LIST_MAX = 1_000  # tasks in one answer
CANCEL_CONFIRM_S = 3.0  # a person waits this long for the executor to confirm the kill

_TASK_ID_PREFIX = re.compile(r"[0-9a-f]{1,32}")
_log = logging.getLogger("skilllite.tasks")


def _ignore(event: Reconciled) -> None:
    _log.info("task %s turned out %s", event.task_id, event.state.value)


class TaskOwner:
    """The tasks that were submitted to this node. Use `open_owner`."""

    def __init__(
        self,
        ledger: Ledger,
        router: Router,
        nursery: trio.Nursery,
        *,
        now_ms: Callable[[], int],
        on_reconciled: Callable[[Reconciled], None] = _ignore,
        on_point: OnPoint = unobserved,
        tasks_active_max: int = TASKS_ACTIVE_MAX,
    ) -> None:
        self._desk = Desk(ledger, router, now_ms, on_point)
        self._ledger = ledger
        self._nursery = nursery
        self._now_ms = now_ms
        self._tasks_active_max = tasks_active_max
        self._active: dict[str, TaskDriver] = {}
        self._resumed = trio.Event()
        self._reconciler = Reconciler(ledger, router, now_ms=now_ms, on_reconciled=on_reconciled)

    @property
    def active(self) -> int:
        """Return how many tasks are under way."""
        return len(self._active)

    async def submit(
        self,
        skill: str,
        input_json: str,
        *,
        on: str | None = None,
        deadline_s: float = DEADLINE_S_DEFAULT,
        wait: bool = False,
    ) -> Submission:
        """Accept a task: when this returns it is on disk and will get exactly one end.

        `on` is the id of the only node that will do. The deadline counts from now. With `wait` the
        task may wait until then for a capable node to appear.

        Raises:
            InvalidTask: the call can't be a task.
            TooManyTasks: this node has enough to do.
            LedgerUnavailable: it could not be recorded, so it was not accepted.
        """
        _require_valid(skill, input_json, deadline_s)
        self._require_room(len(input_json))
        task = NewTask(
            task_id=secrets.token_hex(16),
            skill=skill,
            input_json=input_json,
            requested_node=on,
            wait=wait,
            created_ms=self._now_ms(),
            deadline_ms=max(1, round(deadline_s * 1000)),
        )
        errand = _errand(task.skill, on, wait, task.deadline_ms, left_ms=task.deadline_ms)
        driver = TaskDriver(
            self._desk, task.task_id, input_json, errand, Lifecycle(errand, now_ms=monotonic_ms())
        )
        events = driver.feed.listen()
        self._active[task.task_id] = driver  # takes the place before anything is awaited
        try:
            await self._ledger.write(lambda c: insert_task(c, task))
        except BaseException:
            del self._active[task.task_id]
            raise
        self._desk.on_point(Point.OWNER_ACCEPTED)
        driver.feed.publish(TaskEvent(EventKind.ACCEPTED, task.task_id))
        self._nursery.start_soon(self._drive, driver)
        return Submission(task.task_id, events)

    async def resume_after_restart(self) -> int:
        """Take up every task that an earlier process left without an end; return how many.

        Call it once, when the mesh has begun to find its peers: from here they have ten seconds to
        turn up before a task is given up for want of them.
        """
        resumed = 0
        for task_id in await self._ledger.read(unfinished_ids):
            if task_id in self._active:
                continue  # submitted to this process
            record, history = await self._with_attempts(task_id)
            if record.state.is_ended or task_id in self._active:
                continue  # cancelled meanwhile
            driver = self._driver_of_resumed(record, history)
            self._active[task_id] = driver
            self._nursery.start_soon(self._drive, driver)
            resumed += 1
        self._resumed.set()
        return resumed

    def _driver_of_resumed(self, record: TaskRecord, history: list[AttemptRecord]) -> TaskDriver:
        # Our own wall clock, twice: a step in between may shorten the time left, and at most
        # gives the whole deadline again.
        elapsed_ms = max(0, self._now_ms() - record.created_ms)
        errand = _errand(
            record.skill,
            record.requested_node,
            record.wait,
            record.deadline_ms,
            left_ms=max(0, record.deadline_ms - elapsed_ms),
        )
        lifecycle = Lifecycle.resumed(errand, history, now_ms=monotonic_ms())
        return TaskDriver(self._desk, record.task_id, record.input_json, errand, lifecycle)

    # Questions ----------------------------------------------------------------------------------

    async def wait(self, task_id: str) -> TaskRecord:
        """Return the task once it has ended; the caller brings the deadline.

        A task of an earlier process is waited for as well, through `resume_after_restart`.

        Raises:
            UnknownTask: no task has that id.
            LedgerUnavailable: its end can't be recorded or read.
        """
        if task_id not in self._active and not (await self._record(task_id)).state.is_ended:
            await self._resumed.wait()
        driver = self._active.get(task_id)
        if driver is not None:
            await driver.wait_ended()
        record = await self._record(task_id)
        if not record.state.is_ended:
            raise LedgerUnavailable(
                f"the end of task {task_id} could not be recorded",
                hint="check free space of the home; the node tries again when it is restarted",
            )
        return record

    def listen(self, task_id: str) -> trio.MemoryReceiveChannel[TaskEvent] | None:
        """Return the events of a task that is under way from now on; None when it isn't."""
        driver = self._active.get(task_id)
        return None if driver is None else driver.feed.listen()

    async def list_tasks(
        self, *, limit: int = 50, state: TaskState | None = None
    ) -> list[TaskRecord]:
        """Return the newest tasks, newest first, without inputs and outputs."""
        bounded = max(1, min(limit, LIST_MAX))
        return await self._ledger.read(lambda c: recent_tasks(c, limit=bounded, state=state))

    async def show(self, text: str) -> tuple[TaskRecord, list[AttemptRecord]]:
        """Return a task, by its id or an unambiguous beginning of it, and its attempts.

        Raises:
            UnknownTask: none begins like that.
            AmbiguousTask: several do.
        """
        return await self._with_attempts(await self.resolve(text))

    async def logs(self, text: str) -> list[LogLine]:
        """Return what the skill wrote to stderr, as far as it was heard and kept.

        Raises:
            UnknownTask, AmbiguousTask: as for `show`.
        """
        task_id = await self.resolve(text)
        return await self._ledger.read(lambda c: log_lines(c, task_id))

    async def resolve(self, text: str) -> str:
        """Return the full id of the one task whose id begins like that.

        Raises:
            UnknownTask, AmbiguousTask: as for `show`.
        """
        prefix = text.strip().lower()
        hint = "`skilllite tasks list` shows the ids"
        if not _TASK_ID_PREFIX.fullmatch(prefix):
            raise UnknownTask(f"{text[:64]!r} is not a task id", hint=hint)
        found = await self._ledger.read(lambda c: ids_with_prefix(c, prefix, limit=2))
        if not found:
            raise UnknownTask(f"no task has the id {prefix}", hint=hint)
        if len(found) > 1:
            raise AmbiguousTask(f"several tasks have ids that begin with {prefix}", hint=hint)
        return found[0]

    async def cancel(self, text: str) -> TaskRecord:
        """End a task as cancelled and kill it where it runs; one that has ended stays as it is.

        Waits a moment for the executor's word. Without it the record's `note` says so, and the
        executor is told when it is back.

        Raises:
            UnknownTask, AmbiguousTask: as for `show`.
            LedgerUnavailable: the end can't be recorded.
        """
        task_id = await self.resolve(text)
        driver = self._active.get(task_id)
        if driver is not None:
            driver.cancel()
            await driver.wait_ended()
            with trio.move_on_after(CANCEL_CONFIRM_S):
                await driver.settled.wait()
        elif not (await self._record(task_id)).state.is_ended:
            await self._end_unattended(task_id)
        return await self._record(task_id)

    async def _end_unattended(self, task_id: str) -> None:
        """Cancel a task that nobody drives: left by an earlier process and not taken up yet."""
        outcome = Outcome(TaskState.CANCELLED, TaskError(Code.CANCELLED, "the task was cancelled"))
        now_ms = self._now_ms()
        await self._ledger.write(lambda c: end_task(c, task_id, outcome, (), now_ms=now_ms))

    async def _record(self, task_id: str) -> TaskRecord:
        record = await self._ledger.read(lambda c: task_by_id(c, task_id))
        if record is None:
            raise UnknownTask(
                f"no task has the id {task_id}", hint="`skilllite tasks list` shows the ids"
            )
        return record

    async def _with_attempts(self, task_id: str) -> tuple[TaskRecord, list[AttemptRecord]]:
        attempts = await self._ledger.read(lambda c: attempts_of(c, task_id))
        return await self._record(task_id), attempts

    # Carrying -----------------------------------------------------------------------------------

    async def _drive(self, driver: TaskDriver) -> None:
        try:
            await driver.drive()
        except LedgerUnavailable as error:
            _log.error("task %s is left to the next start: %s", driver.task_id, error.message)
        finally:
            del self._active[driver.task_id]
        try:
            await self._reconciler.settle_task(driver.task_id)
        except Exception:
            _log.exception("task %s isn't settled; the next round tries again", driver.task_id)
        finally:
            driver.settled.set()

    async def reconcile(self) -> None:
        """Ask until cancelled how attempts that were lost really ended."""
        await self._reconciler.run()

    def _require_room(self, input_bytes: int) -> None:
        held = sum(driver.input_bytes for driver in self._active.values())
        if len(self._active) < self._tasks_active_max and (
            held + input_bytes <= INPUT_BYTES_ACTIVE_MAX
        ):
            return
        raise TooManyTasks(
            f"{len(self._active)} tasks are under way, which is as many as this node carries",
            hint="wait for some to end, or cancel them; `skilllite tasks list` shows them",
        )


def _require_valid(skill: str, input_json: str, deadline_s: float) -> None:
    if not skill or len(skill) > SKILL_NAME_CHARS_MAX or not skill.isprintable():
        raise InvalidTask(f"{skill[:64]!r} is not the name of a skill")
    if not 0 < deadline_s <= DEADLINE_S_MAX:
        raise InvalidTask(
            f"a deadline of {deadline_s:g} s is not between 0 and {DEADLINE_S_MAX:g} s"
        )
    fault = fault_of_input(input_json)
    if fault is not None:
        raise InvalidTask(fault.message, hint=fault.hint)


def _errand(skill: str, on: str | None, wait: bool, deadline_ms: int, *, left_ms: int) -> Errand:
    return Errand(
        skill=skill,
        on=on,
        wait=wait,
        deadline_at_ms=monotonic_ms() + left_ms,
        deadline_ms=deadline_ms,
    )


@asynccontextmanager
async def open_owner(
    ledger: Ledger,
    router: Router,
    *,
    now_ms: Callable[[], int],
    on_reconciled: Callable[[Reconciled], None] = _ignore,
    on_point: OnPoint = unobserved,
    tasks_active_max: int = TASKS_ACTIVE_MAX,
    retention: Retention = DEFAULT_RETENTION,
) -> AsyncIterator[TaskOwner]:
    """Carry tasks for the length of a block.

    Leaving it abandons those under way without a word: they are on disk, and the next start takes
    them up. Call `resume_after_restart` to take up those of the process before.
    """
    async with trio.open_nursery() as nursery:
        owner = TaskOwner(
            ledger,
            router,
            nursery,
            now_ms=now_ms,
            on_reconciled=on_reconciled,
            on_point=on_point,
            tasks_active_max=tasks_active_max,
        )
        nursery.start_soon(owner.reconcile)
        nursery.start_soon(partial(keep_bounded, ledger, now_ms=now_ms, retention=retention))
        yield owner
        nursery.cancel_scope.cancel()
