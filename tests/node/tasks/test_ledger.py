"""The ledger: what is promised is synced, ends are written once, damage is moved aside."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trio

from skilllite.tasks.errors import LedgerUnavailable
from skilllite.tasks.ledger import BATCH_MAX, Ledger, Transaction, commit_together, open_ledger
from skilllite.tasks.ledger import _Write as Write
from skilllite.tasks.ledger_file import open_ledger_file
from skilllite.tasks.ledger_schema import MIGRATIONS, SCHEMA_VERSION, LedgerTooNew, migrate
from skilllite.tasks.owner_book import (
    append_logs,
    end_task,
    insert_task,
    log_lines,
    reconcile_task,
    task_by_id,
)
from skilllite.tasks.records import LogLine, NewTask, Outcome, TaskState

PATIENCE_S = 30.0
ACCEPTED_COMMIT_MS_MAX = 250.0  # typical is below 1 ms; this is for a busy machine


def new_task(number: int) -> NewTask:
    return NewTask(f"{number:032x}", "calc", "{}", None, False, 1_000, 60_000)


def accept(number: int) -> Transaction[None]:
    return lambda connection: insert_task(connection, new_task(number))


def line_for(number: int, line: str) -> Transaction[None]:
    return lambda connection: append_logs(connection, f"{number:032x}", [LogLine(1, line)])


def count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM tasks").fetchone()[0])


async def test_a_write_returns_its_result_once_another_process_can_see_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    async with open_ledger(path) as ledger:
        with trio.fail_after(PATIENCE_S):
            await ledger.write(accept(1))

        seen = sqlite3.connect(path)
        assert count(seen) == 1
        seen.close()


async def test_a_write_that_raises_undoes_itself_alone(tmp_path: Path) -> None:
    def insert_and_raise(connection: sqlite3.Connection) -> None:
        insert_task(connection, new_task(1))
        raise KeyError("changed my mind")

    failed: list[BaseException] = []

    async with open_ledger(tmp_path / "ledger.sqlite3") as ledger:

        async def expect_failure() -> None:
            try:
                await ledger.write(insert_and_raise)
            except KeyError as error:
                failed.append(error)

        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                for number in range(2, 12):
                    nursery.start_soon(ledger.write, accept(number))
                nursery.start_soon(expect_failure)

        assert len(failed) == 1
        assert await ledger.read(count) == 10


async def test_ten_writers_at_once_lose_nothing_and_stay_in_order(tmp_path: Path) -> None:
    async def write_many(ledger: Ledger, writer: int) -> None:
        for turn in range(30):
            number = writer * 1_000 + turn
            await ledger.write(accept(number))
            assert ledger.post_nowait(line_for(number, "line"))

    async with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                for writer in range(10):
                    nursery.start_soon(write_many, ledger, writer)
            await ledger.write(lambda c: None)

        assert await ledger.read(count) == 300
        lines = await ledger.read(lambda c: c.execute("SELECT count(*) FROM logs").fetchone())
        assert lines == (300,)


def statements_of(path: Path, batch: list[Write]) -> list[str]:
    opened = open_ledger_file(path)
    seen: list[str] = []
    opened.connection.set_trace_callback(seen.append)
    commit_together(opened.connection, batch)
    opened.connection.close()
    return seen


def test_a_batch_with_a_promise_is_synced_and_committed_once(tmp_path: Path) -> None:
    promise = Write(lambda c: c.execute("PRAGMA synchronous").fetchone()[0], durable=True)
    line = Write(lambda c: None, durable=False)

    seen = statements_of(tmp_path / "ledger.sqlite3", [line, promise, line])

    assert promise.result == 2, "FULL: the journal is synced before COMMIT returns"
    assert seen.count("COMMIT") == 1
    assert seen.index("PRAGMA synchronous = FULL") < seen.index("BEGIN IMMEDIATE")


def test_a_batch_without_a_promise_is_not_synced(tmp_path: Path) -> None:
    line = Write(lambda c: c.execute("PRAGMA synchronous").fetchone()[0], durable=False)

    statements_of(tmp_path / "ledger.sqlite3", [line])

    assert line.result == 1, "NORMAL"


@pytest.mark.skipif(not Path("/usr/bin/strace").exists(), reason="needs strace")
def test_a_promise_reaches_the_disk_by_fdatasync(tmp_path: Path) -> None:
    program = (
        "import sys, trio\n"
        "from pathlib import Path\n"
        "from skilllite.tasks.ledger import open_ledger\n"
        "async def main():\n"
        "    async with open_ledger(Path(sys.argv[1])) as ledger:\n"
        "        print('marker', flush=True)\n"
        '        await ledger.write(lambda c: c.execute("DELETE FROM logs"))\n'
        "trio.run(main)\n"
    )
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-e", "trace=fdatasync,fsync", "-o", str(trace), sys.executable]

    subprocess.run(
        [*command, "-c", program, str(tmp_path / "ledger.sqlite3")],
        check=True,
        timeout=PATIENCE_S,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
    )

    assert "sync(" in trace.read_text(encoding="utf-8")


def test_an_accepted_task_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    program = (
        "import sys, trio\n"
        "from pathlib import Path\n"
        "from skilllite.tasks.ledger import open_ledger\n"
        "from skilllite.tasks.owner_book import insert_task\n"
        "from skilllite.tasks.records import NewTask\n"
        "async def main():\n"
        "    async with open_ledger(Path(sys.argv[1])) as ledger:\n"
        "        for number in range(100_000):\n"
        "            task = NewTask(f'{number:032x}', 'calc', '{}', None, False, 1, 1)\n"
        "            await ledger.write(lambda c: insert_task(c, task))\n"
        "            print(number, flush=True)\n"
        "trio.run(main)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    heard = -1
    for line in process.stdout:
        heard = int(line)
        if heard >= 200:
            process.kill()
            break
    heard = max([heard, *(int(line) for line in process.stdout if line.strip().isdigit())])
    process.wait(PATIENCE_S)
    process.stdout.close()

    opened = open_ledger_file(path)
    assert opened.damage is None
    assert count(opened.connection) > heard
    opened.connection.close()


def test_an_end_is_recorded_once_and_unknown_is_replaced_once(tmp_path: Path) -> None:
    connection = open_ledger_file(tmp_path / "ledger.sqlite3").connection
    insert_task(connection, new_task(1))
    task_id = new_task(1).task_id
    unknown, done = Outcome(TaskState.UNKNOWN), Outcome(TaskState.SUCCEEDED, None, "1")
    failed = Outcome(TaskState.FAILED)

    assert end_task(connection, task_id, unknown, (), now_ms=2_000)
    assert not end_task(connection, task_id, done, (), now_ms=3_000)
    assert reconcile_task(connection, task_id, done, now_ms=4_000)
    assert not reconcile_task(connection, task_id, failed, now_ms=5_000)

    record = task_by_id(connection, task_id)
    assert record is not None
    assert (record.state, record.output_json) == (TaskState.SUCCEEDED, "1")
    assert record.reconciled
    assert record.duration_ms == 3_000
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tasks SET state = 'failed'",
        "UPDATE tasks SET output = '2'",
        "UPDATE attempts SET stage = 'sent'",
        "UPDATE executions SET state = 'running'",
    ],
)
def test_the_schema_itself_refuses_a_second_end(tmp_path: Path, statement: str) -> None:
    connection = open_ledger_file(tmp_path / "ledger.sqlite3").connection
    insert_task(connection, new_task(1))
    task_id = new_task(1).task_id
    connection.execute("UPDATE tasks SET state = 'succeeded', output = '1'")
    connection.execute(f"INSERT INTO attempts VALUES ('{task_id}', 1, 'b', 'b', 0, 'ended', NULL)")
    connection.execute("INSERT INTO executions VALUES ('a', 't', 1, 's', '', 'ended', NULL, 1, 1)")

    with pytest.raises(sqlite3.IntegrityError, match="once"):
        connection.execute(statement)
    connection.close()


def test_the_file_is_private_and_in_wal_mode(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    connection = open_ledger_file(path).connection
    insert_task(connection, new_task(1))

    for name in ("ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, name
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def moved_aside(folder: Path) -> list[Path]:
    found = folder.glob("*.corrupt-*")
    return [path for path in found if not path.name.endswith(("-wal", "-shm"))]


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(10_000))


def wrong_text(path: Path) -> None:
    path.write_text("{}", encoding="utf-8")


def torn_pages(path: Path) -> None:
    connection = open_ledger_file(path).connection
    for number in range(500):
        insert_task(connection, new_task(number))
    connection.close()
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 8 * 4096] = os.urandom(8 * 4096)
    path.write_bytes(content)


def truncated(path: Path) -> None:
    torn_pages(path)
    os.truncate(path, path.stat().st_size // 2 + 100)


def foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE tasks (a)")
    connection.close()


@pytest.mark.parametrize("damage", [garbage, wrong_text, torn_pages, truncated, foreign])
async def test_a_damaged_file_is_moved_aside_reported_and_replaced(
    tmp_path: Path, damage: object
) -> None:
    path = tmp_path / "ledger.sqlite3"
    assert callable(damage)
    damage(path)
    content = path.read_bytes()

    async with open_ledger(path) as ledger:
        await ledger.write(accept(1))

        assert ledger.damage is not None
        assert "corrupt-" in ledger.damage
        assert await ledger.read(count) == 1
    (aside,) = moved_aside(tmp_path)
    assert aside.read_bytes() == content, "a person may want to save something from it"


async def test_a_good_or_an_empty_file_is_not_reported(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.touch()
    for _ in range(2):
        async with open_ledger(path) as ledger:
            assert ledger.damage is None
    assert not moved_aside(tmp_path)


async def test_a_ledger_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    connection = open_ledger_file(path).connection
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()

    with pytest.raises(LedgerUnavailable, match="newer version") as caught:
        async with open_ledger(path):
            pass

    assert caught.value.hint
    assert not moved_aside(tmp_path)


async def test_a_file_that_cannot_be_opened_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "ledger.sqlite3"):
        with pytest.raises(LedgerUnavailable, match="can't be opened") as caught:
            async with open_ledger(path):
                pass
        assert caught.value.hint


def test_a_migration_keeps_what_is_there_and_says_what_it_did(tmp_path: Path) -> None:
    connection = open_ledger_file(tmp_path / "ledger.sqlite3").connection
    insert_task(connection, new_task(1))
    told: list[tuple[int, int]] = []
    newer = {**MIGRATIONS, SCHEMA_VERSION + 1: "ALTER TABLE tasks ADD COLUMN note TEXT;"}

    migrate(connection, migrations=newer, on_migrated=lambda old, new: told.append((old, new)))

    assert told == [(SCHEMA_VERSION, SCHEMA_VERSION + 1)]
    assert connection.execute("SELECT note FROM tasks").fetchall() == [(None,)]
    with pytest.raises(LedgerTooNew):
        migrate(connection)
    connection.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    connection = open_ledger_file(tmp_path / "ledger.sqlite3").connection
    broken = {**MIGRATIONS, SCHEMA_VERSION + 1: "CREATE TABLE extra (a); NONSENSE;"}

    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, migrations=broken)

    connection.execute("ROLLBACK")
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'extra'").fetchall()
    connection.close()


async def test_a_full_disk_fails_every_promise_of_the_batch_and_the_next_works(
    tmp_path: Path,
) -> None:
    async with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        await ledger.write(accept(1))

        def out_of_space(connection: sqlite3.Connection) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        with pytest.raises(LedgerUnavailable, match="could not be written") as caught:
            await ledger.write(out_of_space)
        await ledger.write(accept(2))

        assert caught.value.cause == "database or disk is full"
        assert await ledger.read(count) == 2


async def test_a_really_full_file_fails_the_promise_and_keeps_the_rest(tmp_path: Path) -> None:
    async with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        await ledger.write(accept(1))
        pages = await ledger.write(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
        await ledger.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 2}").fetchall())
        large = NewTask("f" * 32, "calc", '"' + "x" * 100_000 + '"', None, False, 1, 1)

        with pytest.raises(LedgerUnavailable):
            await ledger.write(lambda c: insert_task(c, large))

        assert await ledger.read(count) == 1
        await ledger.write(accept(2))


async def test_a_reader_cannot_write(tmp_path: Path) -> None:
    async with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        with pytest.raises(LedgerUnavailable, match="read"):
            await ledger.read(accept(1))


async def test_a_write_once_queued_is_not_cancelled(tmp_path: Path) -> None:
    async with open_ledger(tmp_path / "ledger.sqlite3") as ledger:

        def slow(connection: sqlite3.Connection) -> None:
            time.sleep(0.05)
            insert_task(connection, new_task(1))

        with trio.move_on_after(0.01) as scope:
            await ledger.write(slow)

        assert not scope.cancelled_caught, "the caller learns what was promised"
        assert await ledger.read(count) == 1


async def test_closing_commits_what_is_queued(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    async with open_ledger(path) as ledger:
        for number in range(BATCH_MAX * 2):
            assert ledger.post_nowait(accept(number))

    with pytest.raises(LedgerUnavailable, match="closed"):
        await ledger.write(accept(1))
    assert not ledger.post_nowait(accept(1))
    assert ledger.dropped == 1
    async with open_ledger(path) as again:
        assert await again.read(count) == BATCH_MAX * 2


async def test_log_lines_keep_their_order(tmp_path: Path) -> None:
    async with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        await ledger.write(accept(1))
        task_id = new_task(1).task_id
        for number in range(20):
            ledger.post_nowait(line_for(1, f"line {number}"))
        await ledger.write(lambda c: None)

        lines = await ledger.read(lambda c: log_lines(c, task_id))

    assert [line.line for line in lines] == [f"line {number}" for number in range(20)]


async def test_an_accepted_commit_takes_a_millisecond_or_so(tmp_path: Path) -> None:
    async with open_ledger(tmp_path / "ledger.sqlite3") as ledger:
        took_ms = []
        for number in range(100):
            began = time.perf_counter()
            await ledger.write(accept(number))
            took_ms.append((time.perf_counter() - began) * 1000)

    took_ms.sort()
    print(f"accepted commit: p50 {took_ms[50]:.2f} ms, p95 {took_ms[95]:.2f} ms")
    assert took_ms[50] < ACCEPTED_COMMIT_MS_MAX
