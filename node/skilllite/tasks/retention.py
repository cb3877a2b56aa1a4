"""How long the ledger remembers what is over, and how large it may become.

Nothing that is under way is ever pruned. Executions are kept for as long as an owner may still ask
how they ended, since one that is forgotten looks as if it had never been accepted; only a disk that
would fill up goes before that.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

import trio

from skilllite.tasks.errors import LedgerUnavailable
from skilllite.tasks.ledger import Ledger

PRUNE_PERIOD_S = 600.0  # a node that does ten tasks a second goes over a bound by 6,000 rows
PRUNE_PAUSE_S = 0.05  # between batches, for those who wait to write

_log = logging.getLogger("skilllite.tasks")

DAY_MS = 24 * 3600 * 1000

RECONCILE_WINDOW_MS = DAY_MS
"""How long an owner asks a lost executor how an attempt ended."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Bounds of what is over."""

    age_ms_max: int = 30 * DAY_MS
    tasks_max: int = 10_000
    executions_max: int = 10_000
    """Beyond it the oldest go, once no owner asks for them any more."""
    executions_hard_max: int = 200_000
    """Beyond it the oldest go in any case: at 150 B and more a row the disk is finite."""
    file_bytes_max: int = 1024 * 1024 * 1024
    """Beyond it the oldest go, whatever their number: outputs may have 2 MiB each."""
    batch: int = 500
    """Rows of one kind that one call removes: bounds how long other writes wait."""


DEFAULT_RETENTION = Retention()

_TASK_IS_OVER = "state IN ('succeeded', 'failed', 'cancelled', 'unknown')"
_EXECUTION_IS_OVER = "state IN ('ended', 'fenced')"


def prune(connection: sqlite3.Connection, *, now_ms: int, retention: Retention) -> int:
    """Remove at most a batch of each kind of what is over and too old or too much."""
    asked_ms = now_ms - RECONCILE_WINDOW_MS - RECONCILE_WINDOW_MS // 8
    removed = _prune_older(connection, now_ms - retention.age_ms_max, retention.batch)
    removed += _prune_excess(
        connection, "tasks", _TASK_IS_OVER, "created_ms", retention.tasks_max, retention.batch
    )
    for bound, condition in (
        (retention.executions_max, f"{_EXECUTION_IS_OVER} AND accepted_ms < {int(asked_ms)}"),
        (retention.executions_hard_max, _EXECUTION_IS_OVER),
    ):
        removed += _prune_excess(
            connection, "executions", condition, "accepted_ms", bound, retention.batch
        )
    if _used_bytes(connection) > retention.file_bytes_max:
        removed += _delete_oldest(connection, "tasks", _TASK_IS_OVER, "created_ms", retention.batch)
        removed += _delete_oldest(
            connection, "executions", _EXECUTION_IS_OVER, "accepted_ms", retention.batch
        )
    return removed


def _prune_older(connection: sqlite3.Connection, before_ms: int, batch: int) -> int:
    return _delete_oldest(
        connection, "tasks", f"{_TASK_IS_OVER} AND created_ms < {before_ms}", "created_ms", batch
    ) + _delete_oldest(
        connection,
        "executions",
        f"{_EXECUTION_IS_OVER} AND accepted_ms < {before_ms}",
        "accepted_ms",
        batch,
    )


def _prune_excess(
    connection: sqlite3.Connection, table: str, condition: str, order: str, bound: int, batch: int
) -> int:
    count: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    if count <= bound:
        return 0
    return _delete_oldest(connection, table, condition, order, min(batch, count - bound))


def _delete_oldest(
    connection: sqlite3.Connection, table: str, condition: str, order: str, limit: int
) -> int:
    # Table, condition and order are this module's own words, never a caller's.
    return connection.execute(
        f"DELETE FROM {table} WHERE rowid IN"
        f" (SELECT rowid FROM {table} WHERE {condition} ORDER BY {order} LIMIT ?)",
        (limit,),
    ).rowcount


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


async def keep_bounded(ledger: Ledger, *, now_ms: Callable[[], int], retention: Retention) -> None:
    """Prune at once and then every ten minutes, until cancelled."""
    while True:
        try:
            removed = await ledger.write(
                lambda c: prune(c, now_ms=now_ms(), retention=retention), durable=False
            )
        except LedgerUnavailable as error:
            _log.error("pruning the ledger failed: %s", error.cause)
            removed = 0
        await trio.sleep(PRUNE_PAUSE_S if removed >= retention.batch else PRUNE_PERIOD_S)
