"""What an owner reads and writes in the ledger: tasks, attempts, log lines.

Each function takes the connection, inside a transaction that `Ledger` opened. A function that
records an end says whether it did: the first end wins, and a later one changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from skilllite.tasks.records import (
    ENDED_STATES,
    AttemptRecord,
    AttemptStage,
    LogLine,
    LooseAttempt,
    NewTask,
    Outcome,
    Settlement,
    TaskRecord,
    TaskState,
)
from skilllite.tasks.terminals import terminal_from_text, terminal_to_text
from skilllite_swarm.task import TaskError

_ENDED = ", ".join(f"'{state}'" for state in sorted(ENDED_STATES))
_UNSETTLED = "stage NOT IN ('ended', 'lost')"
_FACTS = f"""task_id, skill, requested_node, wait, state, attempts, node_id, node_name,
    error_code, error_message, error_hint, created_ms, deadline_ms, duration_ms, run_ms, reconciled,
    (SELECT count(*) FROM attempts a WHERE a.task_id = tasks.task_id AND a.{_UNSETTLED})"""


def insert_task(connection: sqlite3.Connection, task: NewTask) -> None:
    """Accept a task."""
    connection.execute(
        "INSERT INTO tasks (task_id, skill, input, requested_node, wait, created_ms, deadline_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            task.task_id,
            task.skill,
            task.input_json,
            task.requested_node,
            int(task.wait),
            task.created_ms,
            task.deadline_ms,
        ),
    )


def insert_attempt(
    connection: sqlite3.Connection, attempt: AttemptRecord, settled: Iterable[Settlement]
) -> bool:
    """Record that an attempt is about to be sent; False when the task has ended meanwhile."""
    for settlement in settled:
        settle_attempt(connection, attempt.task_id, settlement)
    changed = connection.execute(
        f"UPDATE tasks SET attempts = ?, node_id = ?, node_name = ?"
        f" WHERE task_id = ? AND state NOT IN ({_ENDED})",
        (attempt.attempt, attempt.node_id, attempt.node_name, attempt.task_id),
    ).rowcount
    if not changed:
        return False
    connection.execute(
        "INSERT INTO attempts (task_id, attempt, node_id, node_name, idempotent)"
        " VALUES (?, ?, ?, ?, ?)",
        (
            attempt.task_id,
            attempt.attempt,
            attempt.node_id,
            attempt.node_name,
            int(attempt.idempotent),
        ),
    )
    return True


def advance_attempt(
    connection: sqlite3.Connection, task_id: str, attempt: int, stage: AttemptStage
) -> None:
    """Note that the executor accepted or started it. Promises nothing, needs no sync."""
    assert not stage.is_settled
    connection.execute(
        f"UPDATE attempts SET stage = ? WHERE task_id = ? AND attempt = ? AND {_UNSETTLED}",
        (stage.value, task_id, attempt),
    )
    if stage is AttemptStage.STARTED:
        connection.execute(
            "UPDATE tasks SET state = 'running' WHERE task_id = ? AND state = 'accepted'",
            (task_id,),
        )


def settle_attempt(connection: sqlite3.Connection, task_id: str, settlement: Settlement) -> bool:
    """Record how an attempt ended; False when that is on record already."""
    assert settlement.stage.is_settled
    text = None if settlement.terminal is None else terminal_to_text(settlement.terminal)
    return (
        connection.execute(
            f"UPDATE attempts SET stage = ?, terminal = ?"
            f" WHERE task_id = ? AND attempt = ? AND {_UNSETTLED}",
            (settlement.stage.value, text, task_id, settlement.attempt),
        ).rowcount
        > 0
    )


def end_task(
    connection: sqlite3.Connection,
    task_id: str,
    outcome: Outcome,
    settled: Iterable[Settlement],
    *,
    now_ms: int,
) -> bool:
    """Record how a task ended; False when an end is on record already, which then stands."""
    for settlement in settled:
        settle_attempt(connection, task_id, settlement)
    return _record_outcome(
        connection,
        task_id,
        outcome,
        now_ms=now_ms,
        condition=f"state NOT IN ({_ENDED})",
        reconciled=False,
    )


def reconcile_task(
    connection: sqlite3.Connection, task_id: str, outcome: Outcome, *, now_ms: int
) -> bool:
    """Replace a provisional `unknown` by a fact, once; False when there was none to replace."""
    assert outcome.state is not TaskState.UNKNOWN
    return _record_outcome(
        connection,
        task_id,
        outcome,
        now_ms=now_ms,
        condition="state = 'unknown' AND reconciled = 0",
        reconciled=True,
    )


def _record_outcome(
    connection: sqlite3.Connection,
    task_id: str,
    outcome: Outcome,
    *,
    now_ms: int,
    condition: str,
    reconciled: bool,
) -> bool:
    assert outcome.state.is_ended
    error = outcome.error
    return (
        connection.execute(
            "UPDATE tasks SET state = ?, output = ?, text = ?, error_code = ?, error_message = ?,"
            " error_hint = ?, run_ms = ?, ended_ms = ?, duration_ms = max(0, ? - created_ms),"
            f" reconciled = ? WHERE task_id = ? AND {condition}",
            (
                outcome.state.value,
                outcome.output_json,
                outcome.text,
                None if error is None else error.code,
                "" if error is None else error.message,
                "" if error is None else error.hint,
                outcome.run_ms,
                now_ms,
                now_ms,
                int(reconciled),
                task_id,
            ),
        ).rowcount
        > 0
    )


def append_logs(connection: sqlite3.Connection, task_id: str, lines: Iterable[LogLine]) -> None:
    """Append lines; how many a task may have is the owner's business."""
    connection.executemany(
        "INSERT INTO logs (task_id, sequence, attempt, line) SELECT ?,"
        " (SELECT coalesce(max(sequence), 0) + 1 FROM logs WHERE task_id = ?), ?, ?",
        [(task_id, task_id, line.attempt, line.line) for line in lines],
    )


def task_by_id(connection: sqlite3.Connection, task_id: str) -> TaskRecord | None:
    """Return a task with input and output."""
    row = connection.execute(
        f"SELECT {_FACTS}, input, output, text FROM tasks WHERE task_id = ?", (task_id,)
    ).fetchone()
    return None if row is None else _task(row)


def ids_with_prefix(connection: sqlite3.Connection, prefix: str, *, limit: int) -> list[str]:
    """Return at most `limit` task ids that begin with hexadecimal digits."""
    rows = connection.execute(
        "SELECT task_id FROM tasks WHERE task_id >= ? AND task_id < ? LIMIT ?",
        (prefix, prefix + "g", limit),
    )
    return [row[0] for row in rows]


def recent_tasks(
    connection: sqlite3.Connection, *, limit: int, state: TaskState | None
) -> list[TaskRecord]:
    """Return the newest tasks, newest first, without input and output."""
    condition = "" if state is None else "WHERE state = ?"
    arguments = (limit,) if state is None else (state.value, limit)
    rows = connection.execute(
        f"SELECT {_FACTS}, '', NULL, '' FROM tasks {condition}"
        " ORDER BY created_ms DESC, rowid DESC LIMIT ?",
        arguments,
    )
    return [_task(row) for row in rows]


def unfinished_ids(connection: sqlite3.Connection) -> list[str]:
    """Return the tasks without an end, oldest first."""
    rows = connection.execute(
        "SELECT task_id FROM tasks WHERE state IN ('accepted', 'running') ORDER BY created_ms"
    )
    return [row[0] for row in rows]


def attempts_of(connection: sqlite3.Connection, task_id: str) -> list[AttemptRecord]:
    """Return the attempts of a task in order."""
    rows = connection.execute(
        "SELECT task_id, attempt, node_id, node_name, idempotent, stage, terminal FROM attempts"
        " WHERE task_id = ? ORDER BY attempt",
        (task_id,),
    )
    return [_attempt(row) for row in rows]


_LOOSE = f"""FROM attempts a JOIN tasks t USING (task_id)
    WHERE a.{_UNSETTLED} AND t.state IN ({_ENDED}) AND t.ended_ms > ?"""


def loose_nodes(connection: sqlite3.Connection, *, ended_after_ms: int) -> list[str]:
    """Return the executors that haven't said how attempts of ended tasks ended."""
    rows = connection.execute(f"SELECT DISTINCT a.node_id {_LOOSE}", (ended_after_ms,))
    return [row[0] for row in rows]


def loose_attempts(
    connection: sqlite3.Connection,
    *,
    ended_after_ms: int,
    limit: int,
    node_id: str | None = None,
    task_id: str | None = None,
) -> list[LooseAttempt]:
    """Return attempts of ended tasks whose executor hasn't said how they ended, oldest first."""
    rows = connection.execute(
        "SELECT a.task_id, a.attempt, a.node_id, a.node_name, a.idempotent, a.stage, a.terminal,"
        f" t.state {_LOOSE} AND a.node_id = coalesce(?, a.node_id)"
        " AND a.task_id = coalesce(?, a.task_id) ORDER BY t.ended_ms, a.attempt LIMIT ?",
        (ended_after_ms, node_id, task_id, limit),
    )
    return [LooseAttempt(_attempt(row[:7]), TaskState(row[7])) for row in rows]


def log_lines(connection: sqlite3.Connection, task_id: str) -> list[LogLine]:
    """Return the lines of a task in order."""
    rows = connection.execute(
        "SELECT attempt, line FROM logs WHERE task_id = ? ORDER BY sequence", (task_id,)
    )
    return [LogLine(*row) for row in rows]


def _task(row: tuple[Any, ...]) -> TaskRecord:
    error = None if row[8] is None else TaskError(row[8], row[9], row[10])
    return TaskRecord(
        task_id=row[0],
        skill=row[1],
        requested_node=row[2],
        wait=bool(row[3]),
        state=TaskState(row[4]),
        attempts=row[5],
        node_id=row[6],
        node_name=row[7],
        error=error,
        created_ms=row[11],
        deadline_ms=row[12],
        duration_ms=row[13],
        run_ms=row[14],
        reconciled=bool(row[15]),
        unsettled=row[16],
        input_json=row[17],
        output_json=row[18],
        text=row[19],
    )


def _attempt(row: tuple[Any, ...]) -> AttemptRecord:
    return AttemptRecord(
        task_id=row[0],
        attempt=row[1],
        node_id=row[2],
        node_name=row[3],
        idempotent=bool(row[4]),
        stage=AttemptStage(row[5]),
        terminal=None if row[6] is None else terminal_from_text(row[6]),
    )
