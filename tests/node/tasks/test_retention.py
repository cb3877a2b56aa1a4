"""What is over is forgotten in time; what is under way, or may still be asked for, is not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from skilllite.tasks.ledger_file import open_ledger_file
from skilllite.tasks.owner_book import append_logs, end_task, insert_task
from skilllite.tasks.records import LogLine, NewTask, Outcome, TaskState
from skilllite.tasks.retention import DAY_MS, DEFAULT_RETENTION, Retention, prune

NOW_MS = 100 * DAY_MS


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = open_ledger_file(tmp_path / "ledger.sqlite3").connection
    yield opened
    opened.close()


def add_task(
    connection: sqlite3.Connection, number: int, *, age_ms: int, over: bool = True, size: int = 2
) -> None:
    task_id = f"{number:032x}"
    task = NewTask(task_id, "calc", "x" * size, None, False, NOW_MS - age_ms, 1)
    insert_task(connection, task)
    append_logs(connection, task_id, [LogLine(1, "line")])
    if over:
        end_task(connection, task_id, Outcome(TaskState.FAILED), (), now_ms=NOW_MS - age_ms)


def add_execution(
    connection: sqlite3.Connection, number: int, *, age_ms: int, state: str = "ended"
) -> None:
    connection.execute(
        "INSERT INTO executions (caller, task_id, attempt, skill, state, accepted_ms)"
        " VALUES ('a', ?, 1, 'calc', ?, ?)",
        (f"{number:032x}", state, NOW_MS - age_ms),
    )


def ids(connection: sqlite3.Connection, table: str) -> list[int]:
    return [int(row[0], 16) for row in connection.execute(f"SELECT task_id FROM {table}")]


def test_what_is_old_and_over_goes_with_its_lines(connection: sqlite3.Connection) -> None:
    add_task(connection, 1, age_ms=31 * DAY_MS)
    add_task(connection, 2, age_ms=29 * DAY_MS)
    add_task(connection, 3, age_ms=31 * DAY_MS, over=False)
    add_execution(connection, 4, age_ms=31 * DAY_MS)
    add_execution(connection, 5, age_ms=31 * DAY_MS, state="running")

    assert prune(connection, now_ms=NOW_MS, retention=DEFAULT_RETENTION) == 2

    assert ids(connection, "tasks") == [2, 3]
    assert ids(connection, "logs") == [2, 3]
    assert ids(connection, "executions") == [5]


def test_beyond_the_number_the_oldest_go_in_batches(connection: sqlite3.Connection) -> None:
    for number in range(10):
        add_task(connection, number, age_ms=(20 - number) * 1_000)
    retention = replace(DEFAULT_RETENTION, tasks_max=4, batch=4)

    assert prune(connection, now_ms=NOW_MS, retention=retention) == 4
    assert prune(connection, now_ms=NOW_MS, retention=retention) == 2
    assert prune(connection, now_ms=NOW_MS, retention=retention) == 0

    assert ids(connection, "tasks") == [6, 7, 8, 9]


def test_an_execution_that_may_be_asked_for_outlives_the_number(
    connection: sqlite3.Connection,
) -> None:
    for number in range(6):
        add_execution(connection, number, age_ms=DAY_MS if number < 3 else 2 * DAY_MS)
    retention = replace(DEFAULT_RETENTION, executions_max=1)

    prune(connection, now_ms=NOW_MS, retention=retention)

    assert ids(connection, "executions") == [0, 1, 2]
    prune(connection, now_ms=NOW_MS, retention=replace(retention, executions_hard_max=2))
    assert len(ids(connection, "executions")) == 2


def test_a_file_that_grows_too_large_loses_the_oldest(connection: sqlite3.Connection) -> None:
    for number in range(20):
        add_task(connection, number, age_ms=(20 - number) * 1_000, size=100_000)
    retention = Retention(file_bytes_max=1_000_000, batch=5)

    while prune(connection, now_ms=NOW_MS, retention=retention):
        pass

    kept = ids(connection, "tasks")
    assert kept
    assert kept == list(range(20 - len(kept), 20))
