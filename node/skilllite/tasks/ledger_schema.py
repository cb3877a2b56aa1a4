"""The tables of the ledger, and what the database itself refuses.

That an end is recorded once is a rule of the schema, not only of the code that writes: the triggers
abort any statement that would change it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping

APPLICATION_ID = 0x534B4C4C
"""In the file's header, so that another program's database isn't taken for a ledger."""

_VERSION_1 = """
CREATE TABLE tasks (
    task_id TEXT PRIMARY KEY,
    skill TEXT NOT NULL,
    input TEXT NOT NULL,
    requested_node TEXT,
    wait INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'accepted' CHECK (state IN
        ('accepted', 'running', 'succeeded', 'failed', 'cancelled', 'unknown')),
    attempts INTEGER NOT NULL DEFAULT 0,
    node_id TEXT NOT NULL DEFAULT '',
    node_name TEXT NOT NULL DEFAULT '',
    output TEXT,
    text TEXT NOT NULL DEFAULT '',
    error_code TEXT,
    error_message TEXT NOT NULL DEFAULT '',
    error_hint TEXT NOT NULL DEFAULT '',
    created_ms INTEGER NOT NULL,
    deadline_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    duration_ms INTEGER,
    run_ms INTEGER NOT NULL DEFAULT 0,
    reconciled INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX tasks_by_time ON tasks (created_ms);
CREATE INDEX tasks_by_state ON tasks (state, created_ms);

CREATE TABLE attempts (
    task_id TEXT NOT NULL REFERENCES tasks ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    node_id TEXT NOT NULL,
    node_name TEXT NOT NULL,
    idempotent INTEGER NOT NULL,
    stage TEXT NOT NULL DEFAULT 'sent' CHECK (stage IN
        ('sent', 'accepted', 'started', 'ended', 'lost')),
    terminal TEXT,
    PRIMARY KEY (task_id, attempt)
) STRICT;
CREATE INDEX attempts_unsettled ON attempts (task_id) WHERE stage NOT IN ('ended', 'lost');

CREATE TABLE logs (
    task_id TEXT NOT NULL REFERENCES tasks ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (task_id, sequence)
) STRICT;

CREATE TABLE executions (
    caller TEXT NOT NULL,
    task_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    skill TEXT NOT NULL,
    digest TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('accepted', 'running', 'ended', 'fenced')),
    terminal TEXT,
    accepted_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    PRIMARY KEY (caller, task_id, attempt)
) STRICT;
CREATE INDEX executions_by_time ON executions (accepted_ms);

CREATE TRIGGER a_task_ends_once BEFORE UPDATE ON tasks
WHEN OLD.state IN ('succeeded', 'failed', 'cancelled')
    OR (OLD.state = 'unknown' AND NOT (NEW.reconciled = 1 AND OLD.reconciled = 0
        AND NEW.state IN ('succeeded', 'failed', 'cancelled')))
BEGIN SELECT RAISE(ABORT, 'a task ends once'); END;

CREATE TRIGGER an_attempt_ends_once BEFORE UPDATE ON attempts
WHEN OLD.stage IN ('ended', 'lost')
BEGIN SELECT RAISE(ABORT, 'an attempt ends once'); END;

CREATE TRIGGER an_execution_ends_once BEFORE UPDATE ON executions
WHEN OLD.state IN ('ended', 'fenced')
BEGIN SELECT RAISE(ABORT, 'an execution ends once'); END;
"""

MIGRATIONS: Mapping[int, str] = {1: _VERSION_1}
"""Statements that lead from version N-1 to N. Only ever appended to."""

SCHEMA_VERSION = max(MIGRATIONS)


class LedgerTooNew(Exception):
    """A newer program wrote the file; reading it by the old rules could lose what it means."""

    def __init__(self, version: int) -> None:
        super().__init__(f"schema version {version}, this program knows {SCHEMA_VERSION}")
        self.version = version


def require_ledger(connection: sqlite3.Connection) -> None:
    """Make sure that a file which isn't empty is a ledger; changes nothing.

    Raises:
        sqlite3.DatabaseError: it is another program's, or damaged.
    """
    application_id: int = connection.execute("PRAGMA application_id").fetchone()[0]
    is_empty = connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None
    if application_id != APPLICATION_ID and not is_empty:
        raise sqlite3.DatabaseError("the file is another program's database")


def migrate(
    connection: sqlite3.Connection,
    *,
    migrations: Mapping[int, str] = MIGRATIONS,
    on_migrated: Callable[[int, int], None] | None = None,
) -> None:
    """Bring the file to the newest version, each step in a transaction of its own.

    Raises:
        LedgerTooNew: the file is ahead of the program.
    """
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    newest = max(migrations)
    if found > newest:
        raise LedgerTooNew(found)
    for version in range(found + 1, newest + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {migrations[version]}\n"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}; COMMIT;"
        )
    if on_migrated is not None and 0 < found < newest:
        on_migrated(found, newest)
