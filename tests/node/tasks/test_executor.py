"""The executor: admits, runs once, replays, fences, cancels, and remembers across restarts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest
import trio

from skilllite.tasks.attempt_run import TERMINAL_BYTES_MAX
from skilllite.tasks.executor import TaskExecutor, open_executor
from skilllite.tasks.failpoints import OnPoint, Point, unobserved
from skilllite.tasks.ledger import Ledger
from skilllite.tasks.records import Code
from skilllite.tasks.runner_port import Asked
from skilllite_sandbox.errors import SandboxUnavailable
from skilllite_sandbox.policy import Origin
from skilllite_swarm.errors import SwarmError
from skilllite_swarm.task import (
    ERROR_CHARS_MAX,
    HOP_LIMIT,
    INPUT_BYTES_MAX,
    Accepted,
    AttemptState,
    AttemptStatus,
    Failed,
    Log,
    Refused,
    Result,
    RunEvent,
    RunRequest,
    Started,
    TaskError,
)
from skilllite_swarm.transport import Caller, Load

SELF = "executor"
OWNER = Caller("owner", "10.0.0.1:1")
STRANGER = Caller("stranger", "10.0.0.2:1")
TASK = "0" * 32
DONE = Result('{"x": 1}', "", 5)
PATIENCE_S = 60.0

Behaviour = Callable[[], Result | Failed]


class Skills:
    """Runs one fake skill for as long as the test says."""

    def __init__(self) -> None:
        self.seconds = 1.0
        self.lines: list[str] = []
        self.behaviour: Behaviour = lambda: DONE
        self.started = 0
        self.running = 0
        self.running_max = 0
        self.origins: list[Origin] = []
        self.deadlines: list[float] = []

    def knows(self, skill: str) -> bool:
        return skill == "calc"

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
        self.started += 1
        self.origins.append(origin)
        self.deadlines.append(deadline_s)
        self.running += 1
        self.running_max = max(self.running, self.running_max)
        try:
            on_started("sha256:1")
            for line in self.lines:
                on_log(line)
            await trio.sleep(self.seconds)
            return self.behaviour()
        finally:
            self.running -= 1


@contextmanager
def ledger_at(folder: Path) -> Iterator[Ledger]:
    ledger = Ledger(folder / "ledger.sqlite3", threaded=False)
    yield ledger
    ledger.close()


@asynccontextmanager
async def executor_at(
    folder: Path,
    skills: Skills,
    *,
    concurrency: int = 2,
    queue_max: int = 4,
    on_point: OnPoint = unobserved,
) -> AsyncIterator[TaskExecutor]:
    with ledger_at(folder) as ledger, trio.fail_after(PATIENCE_S):
        async with open_executor(
            ledger,
            skills,
            self_id=SELF,
            now_ms=lambda: 1_000,
            concurrency=concurrency,
            queue_max=queue_max,
            on_point=on_point,
        ) as executor:
            yield executor


def request(
    *,
    task_id: str = TASK,
    attempt: int = 1,
    skill: str = "calc",
    input_json: str = "{}",
    deadline_ms: int = 20_000,
    via: tuple[str, ...] = ("owner",),
) -> RunRequest:
    return RunRequest(task_id, attempt, skill, input_json, deadline_ms, via)


async def run(executor: TaskExecutor, wanted: RunRequest, caller: Caller = OWNER) -> list[RunEvent]:
    events: list[RunEvent] = []

    async def send(event: RunEvent) -> None:
        events.append(event)

    await executor.run(caller, wanted, send)
    return events


async def test_an_attempt_is_accepted_started_and_ends(
    tmp_path: Path, autojump_clock: object
) -> None:
    skills = Skills()
    skills.lines = ["one"]

    async with executor_at(tmp_path, skills) as executor:
        events = await run(executor, request())

        assert events == [Accepted(), Started("sha256:1"), Log("one"), DONE]
        status = await executor.status(OWNER, TASK, 1, fence=False)
        assert status == AttemptStatus(AttemptState.ENDED, DONE)
    assert skills.origins == [Origin.REMOTE]


async def test_an_own_task_runs_as_local(tmp_path: Path, autojump_clock: object) -> None:
    skills = Skills()

    async with executor_at(tmp_path, skills) as executor:
        await run(executor, request(via=(SELF,)), Caller(SELF, "local"))

    assert skills.origins == [Origin.LOCAL]


async def test_disk_comes_before_word(tmp_path: Path, autojump_clock: object) -> None:
    seen: list[tuple[Point, str, bool]] = []
    sent: list[str] = []

    with ledger_at(tmp_path) as other:

        def look(point: Point) -> None:
            rows = other._reader.execute("SELECT state FROM executions").fetchall()
            seen.append((point, rows[0][0], len(sent) > 0 and sent[-1] == "Result"))

        async with executor_at(tmp_path, Skills(), on_point=look) as executor:

            async def send(event: RunEvent) -> None:
                sent.append(type(event).__name__)

            await executor.run(OWNER, request(), send)

    assert seen == [
        (Point.EXECUTOR_ADMITTED, "accepted", False),
        (Point.EXECUTOR_RUNNING_COMMITTED, "running", False),
        (Point.EXECUTOR_STARTED, "running", False),
        (Point.EXECUTOR_FINISHED, "running", False),
        (Point.EXECUTOR_ENDED, "ended", False),
        (Point.EXECUTOR_SENT, "ended", True),
    ]


async def test_a_known_attempt_is_replayed_and_not_run_again(
    tmp_path: Path, autojump_clock: object
) -> None:
    skills = Skills()
    async with executor_at(tmp_path, skills) as executor:
        await run(executor, request())
        assert await run(executor, request()) == [DONE]

    async with executor_at(tmp_path, skills) as after_restart:
        after_restart.drain()
        assert await run(after_restart, request()) == [DONE]
    assert skills.started == 1


async def test_a_broken_stream_does_not_stop_the_attempt_and_others_attach(
    tmp_path: Path, autojump_clock: object
) -> None:
    skills = Skills()
    skills.seconds = 10.0

    async with executor_at(tmp_path, skills) as executor:
        with trio.move_on_after(1.0):
            await run(executor, request())
        assert await executor.status(OWNER, TASK, 1, fence=True) == AttemptStatus(
            AttemptState.RUNNING
        )

        both: list[list[RunEvent]] = []

        async def attach() -> None:
            both.append(await run(executor, request()))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(attach)
            nursery.start_soon(attach)

    assert both == [[Accepted(), Started("sha256:1"), DONE]] * 2
    assert skills.started == 1


async def test_two_runs_at_the_same_moment_are_one_attempt(
    tmp_path: Path, autojump_clock: object
) -> None:
    skills = Skills()
    async with executor_at(tmp_path, skills) as executor, trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(run, executor, request())
    assert skills.started == 1


async def test_for_another_member_the_attempt_does_not_exist(
    tmp_path: Path, autojump_clock: object
) -> None:
    skills = Skills()
    skills.seconds = 5.0
    async with executor_at(tmp_path, skills) as executor, trio.open_nursery() as nursery:
        nursery.start_soon(run, executor, request())
        await trio.sleep(1.0)

        assert not await executor.cancel(STRANGER, TASK, 1)
        unknown = AttemptStatus(AttemptState.UNKNOWN)
        assert await executor.status(STRANGER, TASK, 1, fence=True) == unknown
        refused = await run(executor, request(), STRANGER)

        assert isinstance(refused[0], Refused), "fenced for the stranger, by the stranger"
        assert skills.running == 1
    assert skills.started == 1


async def test_a_fenced_attempt_is_refused_for_ever(tmp_path: Path, autojump_clock: object) -> None:
    skills = Skills()
    async with executor_at(tmp_path, skills) as executor:
        unknown = AttemptStatus(AttemptState.UNKNOWN)
        assert await executor.status(OWNER, TASK, 1, fence=True) == unknown
    async with executor_at(tmp_path, skills) as executor:
        (refused,) = await run(executor, request())

        assert isinstance(refused, Refused)
        assert refused.error.code == Code.FENCED
        assert isinstance((await run(executor, request(attempt=2)))[-1], Result)
    assert skills.started == 1


async def test_what_names_no_attempt_leaves_no_row(tmp_path: Path, autojump_clock: object) -> None:
    unknown = AttemptStatus(AttemptState.UNKNOWN)
    async with executor_at(tmp_path, Skills()) as executor:
        for task_id, attempt in (("x" * 32, 1), ("", 1), (TASK + "0", 1), (TASK, 0), (TASK, 2**31)):
            assert await executor.status(OWNER, task_id, attempt, fence=True) == unknown
            assert not await executor.cancel(OWNER, task_id, attempt)

    ledger = tmp_path / "ledger.sqlite3"
    with closing(sqlite3.connect(ledger)) as connection:
        assert connection.execute("SELECT count(*) FROM executions").fetchone() == (0,)


async def test_asking_without_a_fence_changes_nothing(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with executor_at(tmp_path, Skills()) as executor:
        await executor.status(OWNER, TASK, 1, fence=False)

        assert (await run(executor, request()))[-1] == DONE


async def test_cancel_kills_and_says_so(tmp_path: Path, autojump_clock: object) -> None:
    skills = Skills()
    skills.seconds = 15.0
    ends: list[RunEvent] = []

    async with executor_at(tmp_path, skills) as executor, trio.open_nursery() as nursery:

        async def watch() -> None:
            ends.append((await run(executor, request()))[-1])

        nursery.start_soon(watch)
        await trio.sleep(1.0)
        assert await executor.cancel(OWNER, TASK, 1)

        status = await executor.status(OWNER, TASK, 1, fence=False)
        assert isinstance(status.terminal, Failed), "dead and on record when cancel returns"
        assert skills.running == 0
        assert not await executor.cancel(OWNER, TASK, 1)
    assert isinstance(ends[0], Failed)
    assert ends[0].error.code == Code.CANCELLED


async def test_cancel_of_an_attempt_that_waits_for_a_place_never_starts_it(
    tmp_path: Path, autojump_clock: object
) -> None:
    skills = Skills()
    async with (
        executor_at(tmp_path, skills, concurrency=1) as executor,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(run, executor, request())
        await trio.sleep(0.1)
        nursery.start_soon(run, executor, request(attempt=2))
        await trio.sleep(0.1)
        assert await executor.cancel(OWNER, TASK, 2)
    assert skills.started == 1


async def test_cancel_that_overtakes_run_fences_it(tmp_path: Path, autojump_clock: object) -> None:
    skills = Skills()
    async with executor_at(tmp_path, skills) as executor:
        assert not await executor.cancel(OWNER, TASK, 1)

        assert isinstance((await run(executor, request()))[0], Refused)
    assert skills.started == 0


async def test_at_most_so_many_run_and_wait_and_one_more_is_told_when_to_return(
    tmp_path: Path, autojump_clock: object
) -> None:
    skills = Skills()
    skills.seconds = 5.0
    async with (
        executor_at(tmp_path, skills, concurrency=2, queue_max=3) as executor,
        trio.open_nursery() as nursery,
    ):
        for attempt in range(1, 6):
            nursery.start_soon(run, executor, request(attempt=attempt))
        await trio.sleep(1.0)

        assert executor.load() == Load(running=2, queued=3, capacity=2)
        (refused,) = await run(executor, request(attempt=6))
        assert isinstance(refused, Refused)
        assert refused.error.code == Code.QUEUE_FULL
        assert refused.retry_after_ms > 0
        attached = await run(executor, request(attempt=1))
        assert attached[-1] == DONE, "a known attempt is never too much"
    assert skills.running_max == 2
    assert skills.started == 5


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (request(skill="nothing"), Code.UNKNOWN_SKILL),
        (request(input_json="[1]"), Code.INVALID_INPUT),
        (request(input_json="{"), Code.INVALID_INPUT),
        (request(input_json="[" * 100_000), Code.INVALID_INPUT),
        (request(input_json='{"a": "\ud800"}'), Code.INVALID_INPUT),
        (request(input_json=json.dumps({"a": "x" * INPUT_BYTES_MAX})), Code.INPUT_TOO_LARGE),
        (request(via=("a", "b", "c", "d")), Code.TOO_MANY_HOPS),
        (request(via=("a", SELF)), Code.TOO_MANY_HOPS),
        (request(deadline_ms=0), Code.DEADLINE),
        (request(task_id="../../etc"), Code.INVALID_INPUT),
        (request(attempt=0), Code.INVALID_INPUT),
    ],
)
async def test_what_cannot_be_run_is_refused_with_its_reason(
    tmp_path: Path, autojump_clock: object, wanted: RunRequest, code: Code
) -> None:
    assert HOP_LIMIT == 3
    skills = Skills()
    async with executor_at(tmp_path, skills) as executor:
        (refused,) = await run(executor, wanted)

        assert isinstance(refused, Refused)
        assert refused.error.code == code
    assert skills.started == 0


async def test_a_draining_node_finishes_what_it_has_and_takes_nothing(
    tmp_path: Path, autojump_clock: object
) -> None:
    skills = Skills()
    async with executor_at(tmp_path, skills) as executor, trio.open_nursery() as nursery:
        nursery.start_soon(run, executor, request())
        await trio.sleep(0.5)
        executor.drain()
        assert executor.load().leaving

        (refused,) = await run(executor, request(attempt=2))
        await executor.wait_idle()

        assert isinstance(refused, Refused)
        assert refused.error.code == Code.DRAINING
        assert executor.load().running == 0
    assert skills.started == 1


async def test_the_deadline_counts_from_arrival_and_includes_the_queue(
    tmp_path: Path, autojump_clock: object
) -> None:
    skills = Skills()
    skills.seconds = 3.0
    ends: list[RunEvent] = []

    async with executor_at(tmp_path, skills, concurrency=1) as executor:

        async def watch(attempt: int, deadline_ms: int) -> None:
            events = await run(executor, request(attempt=attempt, deadline_ms=deadline_ms))
            ends.append(events[-1])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch, 1, 20_000)
            await trio.sleep(0.1)
            nursery.start_soon(watch, 2, 5_000)
            nursery.start_soon(watch, 3, 1_000)

    codes = [end.error.code if isinstance(end, Failed) else "" for end in ends]
    assert codes[0] == Code.DEADLINE, "never got a place"
    assert skills.started == 2
    second = sorted(skills.deadlines)[0]
    assert second == pytest.approx(5.0 - 2.9, abs=0.05)


async def test_a_runner_that_ignores_its_deadline_is_killed(
    tmp_path: Path, autojump_clock: object
) -> None:
    skills = Skills()
    skills.seconds = 30.0
    async with executor_at(tmp_path, skills) as executor:
        began = trio.current_time()
        end = (await run(executor, request(deadline_ms=2_000)))[-1]

        assert isinstance(end, Failed)
        assert end.error.code == Code.DEADLINE
        assert trio.current_time() - began < 5.0
        assert skills.running == 0


@pytest.mark.parametrize(("deadline_ms", "code"), [(2_000, Code.DEADLINE), (99_000, "timeout")])
async def test_the_wall_limit_of_the_node_and_the_deadline_of_the_task_are_told_apart(
    tmp_path: Path, autojump_clock: object, deadline_ms: int, code: str
) -> None:
    skills = Skills()
    skills.behaviour = lambda: Failed(TaskError("timeout", "wall limit exceeded"))
    async with executor_at(tmp_path, skills) as executor:
        end = (await run(executor, request(deadline_ms=deadline_ms)))[-1]

        assert isinstance(end, Failed)
        assert end.error.code == code


async def test_a_restart_ends_what_was_under_way(tmp_path: Path, autojump_clock: object) -> None:
    with ledger_at(tmp_path) as ledger:
        for attempt, state in ((1, "accepted"), (2, "running")):
            ledger._connection.execute(
                "INSERT INTO executions (caller, task_id, attempt, skill, state, accepted_ms)"
                " VALUES ('owner', ?, ?, 'calc', ?, 1)",
                (TASK, attempt, state),
            )
    async with executor_at(tmp_path, Skills()) as executor:
        waiting = await executor.status(OWNER, TASK, 1, fence=True)
        running = await executor.status(OWNER, TASK, 2, fence=True)

    assert isinstance(waiting.terminal, Refused), "it never started: it may run elsewhere"
    assert isinstance(running.terminal, Failed)
    assert waiting.terminal.error.code == running.terminal.error.code == Code.INTERRUPTED


async def test_stopping_kills_and_records_at_once(tmp_path: Path, autojump_clock: object) -> None:
    skills = Skills()
    skills.seconds = 20.0
    async with trio.open_nursery() as nursery:
        async with executor_at(tmp_path, skills, concurrency=1) as executor:
            nursery.start_soon(swallow, run, executor, request())
            await trio.sleep(0.1)
            nursery.start_soon(swallow, run, executor, request(attempt=2))
            await trio.sleep(0.1)
        assert skills.running == 0

    with ledger_at(tmp_path) as ledger:
        rows = ledger._reader.execute("SELECT attempt, state, terminal FROM executions").fetchall()
    assert [(row[0], row[1]) for row in rows] == [(1, "ended"), (2, "ended")]
    assert "failed" in rows[0][2]
    assert "refused" in rows[1][2]


async def swallow(
    function: Callable[[TaskExecutor, RunRequest], object],
    executor: TaskExecutor,
    wanted: RunRequest,
) -> None:
    events: list[RunEvent] = []

    async def send(event: RunEvent) -> None:
        events.append(event)

    try:
        await executor.run(OWNER, wanted, send)
    except SwarmError:
        return


async def test_a_sandbox_that_cannot_start_and_a_bug_are_failures_with_a_code(
    tmp_path: Path, autojump_clock: object
) -> None:
    def refuse() -> Result:
        raise SandboxUnavailable("no user namespaces", hint="run `skilllite doctor`")

    def bug() -> Result:
        raise ZeroDivisionError("oops")

    skills = Skills()
    async with executor_at(tmp_path, skills) as executor:
        skills.behaviour = refuse
        first = (await run(executor, request()))[-1]
        skills.behaviour = bug
        second = (await run(executor, request(attempt=2)))[-1]

    assert first == Failed(
        TaskError("sandbox_unavailable", "no user namespaces", "run `skilllite doctor`")
    )
    assert isinstance(second, Failed)
    assert second.error.code == Code.INTERNAL


async def test_a_terminal_fits_one_message_and_is_the_same_on_disk(
    tmp_path: Path, autojump_clock: object
) -> None:
    skills = Skills()
    async with executor_at(tmp_path, skills) as executor:
        skills.behaviour = lambda: Result('{"a": 1}', '{"a": 1}', 1)
        assert (await run(executor, request()))[-1] == Result('{"a": 1}', "", 1)
        skills.behaviour = lambda: Result(None, "x" * (TERMINAL_BYTES_MAX + 1), 1)
        large = (await run(executor, request(attempt=2)))[-1]
        skills.behaviour = lambda: Result(None, "\ud800 half", 1)
        assert (await run(executor, request(attempt=3)))[-1] == Result(None, "? half", 1)

        skills.behaviour = lambda: Failed(TaskError("exit", "x" * 5000, "y" * 5000))
        wordy = (await run(executor, request(attempt=4)))[-1]
        assert isinstance(wordy, Failed)
        assert len(wordy.error.message) == len(wordy.error.hint) == ERROR_CHARS_MAX

        assert isinstance(large, Failed)
        assert large.error.code == "output"
        status = await executor.status(OWNER, TASK, 2, fence=False)
        assert status.terminal == large


async def test_a_ledger_that_cannot_be_written_accepts_nothing(
    tmp_path: Path, autojump_clock: object
) -> None:
    skills = Skills()
    with ledger_at(tmp_path) as ledger:
        async with open_executor(ledger, skills, self_id=SELF, now_ms=lambda: 1) as executor:
            ledger._connection.execute("PRAGMA query_only = ON")
            with pytest.raises(SwarmError, match="can't record"):
                await run(executor, request())
            assert skills.started == 0

            ledger._connection.execute("PRAGMA query_only = OFF")
            assert (await run(executor, request()))[-1] == DONE


async def test_a_slow_stream_misses_lines_and_never_the_end(
    tmp_path: Path, autojump_clock: object
) -> None:
    skills = Skills()
    skills.lines = [f"line {number}" for number in range(2_000)]
    events: list[RunEvent] = []

    async with executor_at(tmp_path, skills) as executor:

        async def slow(event: RunEvent) -> None:
            await trio.sleep(0.01)
            events.append(event)

        await executor.run(OWNER, request(), slow)

    assert events[:2] == [Accepted(), Started("sha256:1")]
    assert events[-1] == DONE
    assert len(events) < 2_000
