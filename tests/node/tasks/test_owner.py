"""The owner: accepts, routes, follows, cancels, answers questions, and resumes after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from skilllite.tasks.driver import LOG_LINES_MAX
from skilllite.tasks.errors import (
    AmbiguousTask,
    InvalidTask,
    LedgerUnavailable,
    TooManyTasks,
    UnknownTask,
)
from skilllite.tasks.event_feed import Submission
from skilllite.tasks.failpoints import Point
from skilllite.tasks.records import AttemptStage, Code, EventKind, TaskRecord, TaskState
from skilllite_swarm.task import INPUT_BYTES_MAX, TaskError
from task_world import FakeRunner, Killed, Node, SkillOnNode, World, rows

PATIENCE_S = 3_600.0
CALC = SkillOnNode(1.0)
IDEMPOTENT = SkillOnNode(1.0, idempotent=True)


@asynccontextmanager
async def world_at(
    folder: Path, *, concurrency: int = 2, queue_max: int = 8
) -> AsyncIterator[World]:
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            yield World(folder, nursery, concurrency=concurrency, queue_max=queue_max)
            nursery.cancel_scope.cancel()


async def ended(node: Node, submission: Submission) -> TaskRecord:
    return await node.owner.wait(submission.task_id)


def code_of(record: TaskRecord) -> str:
    return "" if record.error is None else record.error.code


async def test_a_task_runs_where_its_skill_is_and_answers_by_the_contract(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        await world.add("b", calc=CALC)

        submission = await owner.owner.submit("calc", '{"n": 1}')
        record = await ended(owner, submission)

        facts = record.to_json(now_ms=owner.now_ms())
        assert facts["state"] == "succeeded"
        assert (facts["node"], facts["node_name"]) == ("b", "name-b")
        assert facts["output"] == {"by": "name-b", "got": {"n": 1}}
        assert facts["error"] is None
        assert facts["attempts"] == 1
        assert facts["duration_ms"] >= 1_000
        assert facts["run_ms"] == 1_000
        assert facts["note"] is None
        assert set(facts) >= {"task_id", "skill", "text", "created_ms", "deadline_ms"}


async def test_a_local_task_takes_the_same_way(tmp_path: Path, autojump_clock: object) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=CALC)

        record = await ended(owner, await owner.owner.submit("calc", "{}"))

        assert record.state is TaskState.SUCCEEDED
        assert rows(owner, "SELECT caller, state FROM executions") == [("a", "ended")]


async def test_the_client_hears_every_step_in_order(tmp_path: Path, autojump_clock: object) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        await world.add("b", calc=CALC)

        submission = await owner.owner.submit("calc", "{}")
        events = [event async for event in submission.events]

        assert [event.kind for event in events] == [
            EventKind.ACCEPTED,
            EventKind.SENT,
            EventKind.QUEUED,
            EventKind.STARTED,
            EventKind.LOG,
            EventKind.ENDED,
        ]
        sent = events[1].to_json()
        assert (sent["attempt"], sent["node_name"]) == (1, "name-b")
        lines = await owner.owner.logs(submission.task_id)
        assert [line.line for line in lines] == ["calc on name-b for remote"]


async def test_a_client_that_stops_listening_changes_nothing(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=CALC)

        submission = await owner.owner.submit("calc", "{}")
        submission.events.close()
        late = owner.owner.listen(submission.task_id)
        assert late is not None
        assert [event.kind async for event in late][-1] is EventKind.ENDED

        assert (await ended(owner, submission)).state is TaskState.SUCCEEDED
        assert owner.owner.listen(submission.task_id) is None
        assert owner.owner.active == 0


@pytest.mark.parametrize(
    ("skill", "input_json", "deadline_s"),
    [
        ("calc", "{", 1.0),
        ("calc", "[]", 1.0),
        ("calc", '"text"', 1.0),
        ("calc", '{"a": "' + "x" * INPUT_BYTES_MAX + '"}', 1.0),
        ("calc", "{}", 0.0),
        ("calc", "{}", float("nan")),
        ("calc", "{}", float("inf")),
        ("", "{}", 1.0),
        ("x" * 500, "{}", 1.0),
        ("a\nb", "{}", 1.0),
    ],
)
async def test_what_cannot_be_a_task_is_not_accepted(
    tmp_path: Path, autojump_clock: object, skill: str, input_json: str, deadline_s: float
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=CALC)

        with pytest.raises(InvalidTask):
            await owner.owner.submit(skill, input_json, deadline_s=deadline_s)

        assert rows(owner, "SELECT * FROM tasks") == []


async def test_accepted_means_on_disk(tmp_path: Path, autojump_clock: object) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=CALC)

        submission = await owner.owner.submit("calc", "{}")

        assert rows(owner, "SELECT task_id, state FROM tasks") == [(submission.task_id, "accepted")]


async def test_a_ledger_that_cannot_be_written_accepts_nothing_and_leaves_no_trace(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=CALC)
        assert owner.ledger is not None
        owner.ledger._connection.execute("PRAGMA query_only = ON")

        with pytest.raises(LedgerUnavailable):
            await owner.owner.submit("calc", "{}")

        assert owner.owner.active == 0
        owner.ledger._connection.execute("PRAGMA query_only = OFF")
        record = await ended(owner, await owner.owner.submit("calc", "{}"))
        assert record.state is TaskState.SUCCEEDED


async def test_a_disk_that_is_full_for_a_while_delays_the_end_and_loses_nothing(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=CALC)
        submission = await owner.owner.submit("calc", "{}")
        await trio.sleep(0.5)
        assert owner.ledger is not None
        owner.ledger._connection.execute("PRAGMA query_only = ON")
        await trio.sleep(3.0)
        owner.ledger._connection.execute("PRAGMA query_only = OFF")

        assert (await ended(owner, submission)).state is TaskState.SUCCEEDED


async def test_more_tasks_than_it_may_carry_are_refused(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=SkillOnNode(5.0))
        owner.owner._tasks_active_max = 3
        submissions = [await owner.owner.submit("calc", "{}") for _ in range(3)]

        with pytest.raises(TooManyTasks) as caught:
            await owner.owner.submit("calc", "{}")

        assert caught.value.hint
        for submission in submissions:
            assert (await ended(owner, submission)).state is TaskState.SUCCEEDED
        await owner.owner.submit("calc", "{}")


async def test_hundreds_of_tasks_at_once_all_end(tmp_path: Path, autojump_clock: object) -> None:
    async with world_at(tmp_path, queue_max=500) as world:
        owner = await world.add("a")
        for name in ("b", "c"):
            await world.add(name, calc=SkillOnNode(0.1))

        submissions = [await owner.owner.submit("calc", f'{{"n": {n}}}') for n in range(150)]
        states = {(await ended(owner, submission)).state for submission in submissions}

        assert states == {TaskState.SUCCEEDED}
        assert sum(node.runs.total() for node in world.nodes.values()) == 150


@pytest.mark.parametrize("on", [None, "b"])
async def test_a_node_under_suspicion_is_waited_for(
    tmp_path: Path, autojump_clock: object, on: str | None
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        await world.add("b", calc=CALC)
        world.suspected_until["b"] = trio.current_time() + 2

        record = await ended(owner, await owner.owner.submit("calc", "{}", on=on))

        assert (record.state, record.node_id) == (TaskState.SUCCEEDED, "b")


async def test_a_task_that_waits_for_a_suspect_can_be_cancelled_and_ends_at_its_deadline(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        await world.add("b", calc=CALC)
        started = trio.current_time()
        world.suspected_until["b"] = started + 60

        late = await ended(owner, await owner.owner.submit("calc", "{}", deadline_s=1.0))
        unwanted = await owner.owner.submit("calc", "{}")
        cancelled = await owner.owner.cancel(unwanted.task_id)

        assert code_of(late) == Code.DEADLINE
        assert cancelled.state is TaskState.CANCELLED
        assert f"tasks show {unwanted.task_id[:12]}" in cancelled.to_json(now_ms=0)["error"]["hint"]
        assert trio.current_time() < started + 30


async def test_without_a_capable_node_it_fails_at_once_with_a_reason(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        gone = await world.add("b", calc=CALC)
        gone.die()
        await trio.sleep(10.0)
        began = trio.current_time()

        missing = await ended(owner, await owner.owner.submit("calc", "{}"))
        unheard = await ended(owner, await owner.owner.submit("nothing", "{}"))

        assert code_of(missing) == Code.NO_CAPABLE_PEER
        assert code_of(unheard) == Code.UNKNOWN_SKILL
        assert trio.current_time() - began < 1.0


async def test_a_task_that_may_wait_runs_when_a_node_appears(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")

        submission = await owner.owner.submit("calc", "{}", wait=True)
        await trio.sleep(20.0)
        await world.add("b", calc=CALC)

        assert (await ended(owner, submission)).node_id == "b"


async def test_on_a_node_means_only_that_node(tmp_path: Path, autojump_clock: object) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        for name in ("b", "c", "d"):
            await world.add(name, calc=CALC)
        await world.add("e")

        for _ in range(5):
            record = await ended(owner, await owner.owner.submit("calc", "{}", on="c"))
            assert record.node_id == "c"
        lacks = await ended(owner, await owner.owner.submit("calc", "{}", on="e"))
        assert code_of(lacks) == Code.UNKNOWN_SKILL
        world.nodes["c"].die()
        await trio.sleep(10.0)
        gone = await ended(owner, await owner.owner.submit("calc", "{}", on="c"))
        assert code_of(gone) == Code.PEER_UNREACHABLE


async def test_a_busy_node_passes_the_task_on_and_all_busy_is_an_error(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path, concurrency=1, queue_max=0) as world:
        owner = await world.add("a")
        for name in ("b", "c"):
            await world.add(name, calc=SkillOnNode(30.0))
        first = [await owner.owner.submit("calc", "{}", deadline_s=60) for _ in range(2)]
        await trio.sleep(0.5)
        assert sum(node.executor.load().running for node in world.nodes.values()) == 2

        refused = await ended(owner, await owner.owner.submit("calc", "{}"))

        assert code_of(refused) == Code.QUEUE_FULL
        assert refused.attempts > 2, "each was asked again after the time it named"
        for submission in first:
            assert (await ended(owner, submission)).state is TaskState.SUCCEEDED


async def test_the_deadline_ends_a_task_everywhere(tmp_path: Path, autojump_clock: object) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        executor = await world.add("b", calc=SkillOnNode(60.0))
        began = trio.current_time()

        record = await ended(owner, await owner.owner.submit("calc", "{}", deadline_s=5.0))

        assert code_of(record) == Code.DEADLINE
        assert trio.current_time() - began <= 5.01
        assert executor.executor.load().running == 0


async def test_the_deadline_holds_while_nobody_answers(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        executor = await world.add("b", calc=SkillOnNode(20.0))
        submission = await owner.owner.submit("calc", "{}", deadline_s=5.0)
        await trio.sleep(3.5)
        world.cut.add(frozenset(("a", "b")))

        record = await ended(owner, submission)

        assert code_of(record) == Code.DEADLINE
        assert record.unsettled == 1
        assert record.note
        world.cut.clear()
        await trio.sleep(20.0)
        (settled,) = (await owner.owner.show(submission.task_id))[1]
        assert settled.stage is AttemptStage.ENDED
        assert executor.executor.load().running == 0


async def test_cancel_kills_the_run_and_records_it_once(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        executor = await world.add("b", calc=SkillOnNode(20.0))
        submission = await owner.owner.submit("calc", "{}")
        await trio.sleep(1.0)

        record = await owner.owner.cancel(submission.task_id[:8])

        assert record.state is TaskState.CANCELLED
        assert record.unsettled == 0, "the executor confirmed"
        assert executor.executor.load().running == 0
        again = await owner.owner.cancel(submission.task_id)
        assert again == record


async def test_cancel_reaches_an_executor_that_was_away_when_it_is_back(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        executor = await world.add("b", calc=SkillOnNode(29.0))
        submission = await owner.owner.submit("calc", "{}")
        await trio.sleep(1.0)
        world.cut.add(frozenset(("a", "b")))

        record = await owner.owner.cancel(submission.task_id)
        assert record.state is TaskState.CANCELLED
        assert record.unsettled == 1
        assert executor.executor.load().running == 1

        world.cut.clear()
        await trio.sleep(8.0)
        assert executor.executor.load().running == 0
        assert (await owner.owner.show(submission.task_id))[0].unsettled == 0


async def test_cancel_before_a_route_is_found_ends_the_task(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        submission = await owner.owner.submit("calc", "{}", wait=True)
        await trio.sleep(1.0)

        assert (await owner.owner.cancel(submission.task_id)).state is TaskState.CANCELLED


async def test_a_failing_skill_keeps_its_text_and_code(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=SkillOnNode(0.1, fails=True))

        record = await ended(owner, await owner.owner.submit("calc", "{}"))

        assert record.state is TaskState.FAILED
        assert record.error == TaskError("exit", "exit status 1")
        assert record.text == "oops"
        assert record.attempts == 1


async def test_tasks_are_listed_newest_first_and_found_by_prefix(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=CALC, bad=SkillOnNode(0.1, fails=True))
        ids = []
        for skill in ("calc", "bad", "calc"):
            submission = await owner.owner.submit(skill, "{}")
            ids.append((await ended(owner, submission)).task_id)

        assert [record.task_id for record in await owner.owner.list_tasks()] == ids[::-1]
        assert len(await owner.owner.list_tasks(limit=2)) == 2
        (failed,) = await owner.owner.list_tasks(state=TaskState.FAILED)
        assert failed.task_id == ids[1]
        assert failed.input_json == "", "a list doesn't carry inputs and outputs"
        record, attempts = await owner.owner.show(ids[0][:12].upper())
        assert record.task_id == ids[0]
        assert [attempt.attempt for attempt in attempts] == [1]


async def test_a_prefix_of_none_or_several_is_an_error(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=CALC)
        for _ in range(40):
            await owner.owner.submit("calc", "{}")
        ids = [record.task_id for record in await owner.owner.list_tasks()]
        shared = next(one[0] for one in ids if sum(other[0] == one[0] for other in ids) > 1)

        with pytest.raises(AmbiguousTask):
            await owner.owner.show(shared)
        for text in ("", "xyz", "0" * 32, "0" * 40, "' OR 1=1 --", "%"):
            with pytest.raises(UnknownTask):
                await owner.owner.show(text)


async def test_lines_are_kept_up_to_a_bound(
    tmp_path: Path, autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run_loudly(self: FakeRunner, skill: str, input_json: str, **rest: object) -> object:
        on_log = rest["on_log"]
        assert callable(on_log)
        for number in range(3 * LOG_LINES_MAX):
            on_log(f"line {number}")
            if number % 100 == 0:
                await trio.sleep(0.01)
        return await original(self, skill, input_json, **rest)  # type: ignore[arg-type]

    original = FakeRunner.run
    monkeypatch.setattr(FakeRunner, "run", run_loudly)
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=CALC)

        submission = await owner.owner.submit("calc", "{}")
        await ended(owner, submission)

        assert len(await owner.owner.logs(submission.task_id)) == LOG_LINES_MAX


async def test_after_a_restart_every_accepted_task_is_found_and_finished(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        await world.add("b", calc=SkillOnNode(5.0))
        submissions = [await owner.owner.submit("calc", f'{{"n": {n}}}') for n in range(4)]
        await trio.sleep(1.0)
        owner.die()
        await trio.sleep(2.0)

        await world.start(owner)

        for submission in submissions:
            record = await ended(owner, submission)
            assert record.state is TaskState.SUCCEEDED
            assert record.attempts == 1
        assert world.nodes["b"].runs.total() == 4


async def test_after_a_restart_a_task_past_its_deadline_fails_with_that_reason(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        submission = await owner.owner.submit("calc", "{}", wait=True, deadline_s=10.0)
        owner.die()
        await trio.sleep(60.0)
        await world.start(owner)

        assert code_of(await ended(owner, submission)) == Code.DEADLINE


async def test_a_wall_clock_that_was_set_back_gives_at_most_the_whole_deadline_again(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        submission = await owner.owner.submit("calc", "{}", wait=True, deadline_s=10.0)
        owner.die()
        owner.wall_offset_ms -= 10**9
        await trio.sleep(1.0)
        await world.start(owner)
        began = trio.current_time()

        assert code_of(await ended(owner, submission)) == Code.DEADLINE
        assert trio.current_time() - began <= 10.01


async def test_a_result_that_the_executor_kept_is_taken_up_after_the_deadline(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        await world.add("b", calc=SkillOnNode(2.0))
        submission = await owner.owner.submit("calc", "{}", deadline_s=10.0)
        await trio.sleep(1.0)
        owner.die()
        await trio.sleep(600.0)
        await world.start(owner)

        assert (await ended(owner, submission)).state is TaskState.SUCCEEDED


async def test_a_task_that_nobody_took_up_yet_can_be_cancelled(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        submission = await owner.owner.submit("calc", "{}", wait=True)
        owner.die()
        await world.start(owner)

        record = await owner.owner.cancel(submission.task_id)  # while it is being taken up
        await trio.sleep(30.0)

        assert record.state is TaskState.CANCELLED
        assert (await owner.owner.show(submission.task_id))[0] == record


async def test_an_executor_that_dies_leaves_a_definite_outcome_within_the_grace(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        executor = await world.add("b", calc=SkillOnNode(10.0))
        submission = await owner.owner.submit("calc", "{}")
        await trio.sleep(1.0)
        executor.die()
        died_at = trio.current_time()

        record = await ended(owner, submission)

        assert record.state is TaskState.UNKNOWN
        assert code_of(record) == Code.PEER_LOST
        assert trio.current_time() - died_at < 9.0


async def test_an_idempotent_task_goes_on_elsewhere_when_its_executor_dies(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a")
        for name in ("b", "c"):
            await world.add(name, calc=SkillOnNode(10.0, idempotent=True))
        submission = await owner.owner.submit("calc", "{}")
        await trio.sleep(1.0)
        (first,) = rows(owner, "SELECT node_id FROM attempts")
        world.nodes[str(first[0])].die()

        record = await ended(owner, submission)

        assert record.state is TaskState.SUCCEEDED
        assert record.attempts == 2
        assert record.node_id != first[0]


async def test_a_bug_in_the_mesh_ends_the_task_and_not_the_node(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=CALC)

        def broken(node: Node, point: Point) -> None:
            if point is Point.OWNER_HEARD_STARTED:
                raise RuntimeError("a bug")

        world.on_reached = broken
        record = await ended(owner, await owner.owner.submit("calc", "{}"))

        assert record.state is TaskState.UNKNOWN, "it had started: who knows"
        assert code_of(record) == Code.INTERNAL
        world.on_reached = lambda node, point: None
        again = await ended(owner, await owner.owner.submit("calc", "{}"))
        assert again.state is TaskState.SUCCEEDED


async def test_output_that_only_claims_to_be_json_is_shown_as_text(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=CALC)
        record = await ended(owner, await owner.owner.submit("calc", "{}"))

        deep = "[" * 500 + "]" * 500
        for garbage in ("{", "[" * 100_000, deep, "[NaN]", '"\\ud800"', "\ud800"):
            lying = TaskRecord(
                **{
                    name: getattr(record, name)
                    for name in TaskRecord.__dataclass_fields__
                    if name != "output_json"
                },
                output_json=garbage,
            )
            facts = lying.to_json(now_ms=0)
            assert (facts["output"], facts["text"]) == (None, garbage)


async def test_a_dead_owner_answers_nothing(tmp_path: Path, autojump_clock: object) -> None:
    async with world_at(tmp_path) as world:
        owner = await world.add("a", calc=CALC)
        stale = owner.owner
        owner.die()

        with pytest.raises(Killed):
            await stale.submit("calc", "{}")
