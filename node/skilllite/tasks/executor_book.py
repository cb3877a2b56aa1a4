"""What an executor reads and writes in the ledger: one row for each attempt it ever accepted.

The owner's node id is part of the key. So another member that learns a task id can neither attach
to the attempt, nor read how it ended, nor fence it: for that member it does not exist.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from skilllite.tasks.records import Code, ExecutionRecord, ExecutionState
from skilllite.tasks.terminals import terminal_from_text, terminal_to_text
from skilllite_swarm.task import Failed, Refused, TaskError, Terminal


@dataclass(frozen=True, slots=True)
class ExecutionKey:
    """Names one attempt of one owner."""

    caller: str
    task_id: str
    attempt: int


_KEY = "caller = ? AND task_id = ? AND attempt = ?"

NEVER_STARTED = Refused(
    TaskError(
        Code.INTERRUPTED, "the executing node restarted before it started the task", "submit again"
    )
)
"""For an attempt that was accepted and not running: it is safe to run it elsewhere."""

INTERRUPTED = Failed(
    TaskError(
        Code.INTERRUPTED,
        "the executing node went down while it ran the task",
        "submit again if running it twice does no harm",
    )
)


def _arguments(key: ExecutionKey) -> tuple[str, str, int]:
    return (key.caller, key.task_id, key.attempt)


def execution(connection: sqlite3.Connection, key: ExecutionKey) -> ExecutionRecord | None:
    """Return what is on record for an attempt."""
    row = connection.execute(
        f"SELECT skill, digest, state, terminal FROM executions WHERE {_KEY}", _arguments(key)
    ).fetchone()
    if row is None:
        return None
    return ExecutionRecord(
        caller=key.caller,
        task_id=key.task_id,
        attempt=key.attempt,
        skill=row[0],
        digest=row[1],
        state=ExecutionState(row[2]),
        terminal=None if row[3] is None else terminal_from_text(row[3]),
    )


def admit_execution(
    connection: sqlite3.Connection, key: ExecutionKey, skill: str, *, insert: bool, now_ms: int
) -> ExecutionRecord | None:
    """Return the record of a known attempt; else accept it, if `insert`, and return None.

    Looking and inserting are one transaction: of two Runs for one attempt only one is first.
    """
    known = execution(connection, key)
    if known is None and insert:
        _insert(connection, key, skill, ExecutionState.ACCEPTED, now_ms)
    return known


def fence_execution(
    connection: sqlite3.Connection, key: ExecutionKey, *, now_ms: int
) -> ExecutionRecord | None:
    """Return the record of a known attempt; else make sure it is never accepted."""
    known = execution(connection, key)
    if known is None:
        _insert(connection, key, "", ExecutionState.FENCED, now_ms)
    return known


def _insert(
    connection: sqlite3.Connection,
    key: ExecutionKey,
    skill: str,
    state: ExecutionState,
    now_ms: int,
) -> None:
    connection.execute(
        "INSERT INTO executions (caller, task_id, attempt, skill, state, accepted_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (*_arguments(key), skill, state.value, now_ms),
    )


def begin_execution(connection: sqlite3.Connection, key: ExecutionKey) -> bool:
    """Record that the skill is about to start; False when the attempt isn't waiting for that."""
    return (
        connection.execute(
            f"UPDATE executions SET state = 'running' WHERE {_KEY} AND state = 'accepted'",
            _arguments(key),
        ).rowcount
        > 0
    )


def end_execution(
    connection: sqlite3.Connection,
    key: ExecutionKey,
    terminal: Terminal,
    *,
    digest: str,
    now_ms: int,
) -> Terminal:
    """Record how an attempt ended and return what stands: the first end."""
    changed = connection.execute(
        "UPDATE executions SET state = 'ended', terminal = ?, digest = ?, ended_ms = ?"
        f" WHERE {_KEY} AND state IN ('accepted', 'running')",
        (terminal_to_text(terminal), digest, now_ms, *_arguments(key)),
    ).rowcount
    if changed:
        return terminal
    known = execution(connection, key)
    return terminal if known is None or known.terminal is None else known.terminal


def end_interrupted(connection: sqlite3.Connection, *, now_ms: int) -> tuple[int, int]:
    """End what an earlier process left behind; return how many had not started, and had."""
    counts = [
        connection.execute(
            "UPDATE executions SET state = 'ended', terminal = ?, ended_ms = ? WHERE state = ?",
            (terminal_to_text(terminal), now_ms, state.value),
        ).rowcount
        for state, terminal in (
            (ExecutionState.ACCEPTED, NEVER_STARTED),
            (ExecutionState.RUNNING, INTERRUPTED),
        )
    ]
    return counts[0], counts[1]
