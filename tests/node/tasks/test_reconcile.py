"""A provisional `unknown` gives way to a fact, once; attempts end by their executor's word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from skilllite.tasks.event_feed import Submission
from skilllite.tasks.reconcile import Reconciled, fact_of, settlement_of, wants_cancel
from skilllite.tasks.records import (
    AttemptRecord,
    AttemptStage,
    Code,
    LooseAttempt,
    Settlement,
    TaskState,
)
from skilllite_swarm.task import (
    AttemptState,
    AttemptStatus,
    Failed,
    Refused,
    Result,
    TaskError,
    Terminal,
)
from task_world import Node, SkillOnNode, World, rows

DAY_S = 24 * 3600.0
DONE = Result("1", "", 1)
EXITED = Failed(TaskError("exit", "exit status 1"))


def attempt(
    stage: AttemptStage, terminal: Terminal | None = None, *, number: int = 1
) -> AttemptRecord:
    return AttemptRecord("t", number, "b", "bee", True, stage, terminal)


def test_an_attempt_ends_by_what_its_executor_has_on_record() -> None:
    record = attempt(AttemptStage.STARTED)

    ended = settlement_of(record, AttemptStatus(AttemptState.ENDED, DONE))

    assert ended == Settlement(1, AttemptStage.ENDED, DONE)
    assert settlement_of(record, AttemptStatus(AttemptState.RUNNING)) is None
    assert settlement_of(record, AttemptStatus(AttemptState.ACCEPTED)) is None


def test_not_on_record_proves_that_it_never_started_unless_it_was_accepted() -> None:
    unknown = AttemptStatus(AttemptState.UNKNOWN)

    never = settlement_of(attempt(AttemptStage.SENT), unknown)
    forgotten = settlement_of(attempt(AttemptStage.ACCEPTED), unknown)

    assert never == Settlement(1, AttemptStage.LOST)
    assert forgotten == Settlement(1, AttemptStage.ENDED, None)


@pytest.mark.parametrize(
    ("attempts", "state"),
    [
        ([attempt(AttemptStage.ENDED, DONE)], TaskState.SUCCEEDED),
        ([attempt(AttemptStage.ENDED, EXITED)], TaskState.FAILED),
        ([attempt(AttemptStage.LOST)], TaskState.FAILED),
        ([attempt(AttemptStage.STARTED)], None),
        ([attempt(AttemptStage.ENDED)], None),
        (
            [attempt(AttemptStage.SENT), attempt(AttemptStage.ENDED, DONE, number=2)],
            TaskState.SUCCEEDED,
        ),
        ([attempt(AttemptStage.SENT), attempt(AttemptStage.ENDED, EXITED, number=2)], None),
        ([attempt(AttemptStage.ENDED, EXITED), attempt(AttemptStage.LOST)], TaskState.FAILED),
        ([attempt(AttemptStage.ENDED), attempt(AttemptStage.LOST)], None),
    ],
)
def test_a_fact_about_the_task_needs_a_result_or_all_attempts(
    attempts: list[AttemptRecord], state: TaskState | None
) -> None:
    fact = fact_of(attempts)

    assert (None if fact is None else fact.state) == state


def test_a_task_whose_attempts_were_only_refused_never_started() -> None:
    refused = Refused(TaskError(Code.QUEUE_FULL, "busy"))

    fact = fact_of([attempt(AttemptStage.ENDED, refused), attempt(AttemptStage.LOST)])

    assert fact is not None
    assert fact.state is TaskState.FAILED


def test_only_an_unknown_task_may_still_want_its_attempt() -> None:
    record = attempt(AttemptStage.STARTED)

    assert not wants_cancel(LooseAttempt(record, TaskState.UNKNOWN))
    for state in (TaskState.CANCELLED, TaskState.FAILED, TaskState.SUCCEEDED):
        assert wants_cancel(LooseAttempt(record, state))


@asynccontextmanager
async def lost_task(
    folder: Path, *, after_s: float = 1.0, partition: bool = False
) -> AsyncIterator[tuple[World, Node, Node, Submission]]:
    """Have a task whose executor dies, or is cut off, and whose state is unknown."""
    with trio.fail_after(10 * DAY_S):
        async with trio.open_nursery() as nursery:
            world = World(folder, nursery)
            owner = await world.add("a")
            executor = await world.add("b", calc=SkillOnNode(20.0))
            submission = await owner.owner.submit("calc", "{}")
            await trio.sleep(after_s)
            if partition:
                world.cut.add(frozenset(("a", "b")))
            else:
                executor.die()
            record = await owner.owner.wait(submission.task_id)
            assert record.state is TaskState.UNKNOWN
            yield world, owner, executor, submission
            nursery.cancel_scope.cancel()


async def test_a_result_kept_across_a_partition_replaces_unknown_once_and_is_audited(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with lost_task(tmp_path, partition=True) as (world, owner, _, submission):
        await trio.sleep(60.0)
        world.cut.clear()
        await trio.sleep(10.0)

        record, _ = await owner.owner.show(submission.task_id)

        assert record.state is TaskState.SUCCEEDED
        assert record.reconciled
        assert record.output_json
        assert owner.reconciled == [Reconciled(submission.task_id, 1, "b", TaskState.SUCCEEDED, "")]


async def test_an_executor_that_restarts_says_that_it_was_interrupted(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with lost_task(tmp_path) as (world, owner, executor, submission):
        await trio.sleep(3_600.0)
        await world.start(executor)
        await trio.sleep(10.0)

        record, _ = await owner.owner.show(submission.task_id)

        assert record.error is not None
        assert record.error.code == Code.INTERRUPTED
        assert (await owner.owner.wait(submission.task_id)).state is TaskState.FAILED
        (theirs,) = rows(executor, "SELECT terminal FROM executions")
        (ours,) = rows(owner, "SELECT terminal FROM attempts")
        assert ours == theirs, "the ledgers agree"


async def test_an_executor_without_its_ledger_leaves_the_task_unknown(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with lost_task(tmp_path) as (world, owner, executor, submission):
        for path in (tmp_path / "b.sqlite3", tmp_path / "b.sqlite3-wal"):
            path.unlink(missing_ok=True)
        executor.finals.clear()
        await world.start(executor)
        await trio.sleep(60.0)

        record, (only,) = await owner.owner.show(submission.task_id)

        assert record.state is TaskState.UNKNOWN
        assert (only.stage, only.terminal) == (AttemptStage.ENDED, None)


async def test_after_a_day_nobody_is_asked_any_more(tmp_path: Path, autojump_clock: object) -> None:
    async with lost_task(tmp_path, partition=True) as (world, owner, _, submission):
        await trio.sleep(DAY_S + 60.0)
        world.cut.clear()
        await trio.sleep(60.0)

        record, _ = await owner.owner.show(submission.task_id)

        assert record.state is TaskState.UNKNOWN
        assert owner.reconciled == []


async def test_an_owner_that_restarts_goes_on_asking(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with lost_task(tmp_path, partition=True) as (world, owner, _, submission):
        owner.die()
        await trio.sleep(60.0)
        await world.start(owner)
        world.cut.clear()
        await trio.sleep(10.0)

        record, _ = await owner.owner.show(submission.task_id)

        assert record.state is TaskState.SUCCEEDED
        assert len(owner.reconciled) == 1
