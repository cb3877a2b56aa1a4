"""Opening the ledger's file: private, checked, migrated; a damaged one is moved aside."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from skilllite.tasks.errors import LedgerUnavailable
from skilllite.tasks.ledger_schema import LedgerTooNew, migrate, require_ledger

CHECKPOINT_PAGES = 1000  # 4 MiB of WAL, then SQLite folds it into the file
LOCK_WAIT_S = 5.0  # a backup or a person's sqlite3 shell may hold the file for a moment
PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """The writing connection, and what had to be done to get it."""

    connection: sqlite3.Connection
    damage: str | None


def connect(path: Path) -> sqlite3.Connection:
    """Open one more connection; transactions are explicit, the thread is the caller's business."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=LOCK_WAIT_S
    )
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def open_ledger_file(path: Path) -> OpenedFile:
    """Open the ledger at `path`, beginning a new one when there is none or it is damaged.

    Raises:
        LedgerUnavailable: it can't be opened, or a newer program wrote it.
    """
    try:
        try:
            return OpenedFile(_open(path), damage=None)
        except sqlite3.OperationalError:
            raise  # can't open, locked, disk full: no verdict on what the file holds
        except sqlite3.DatabaseError as error:
            aside = _move_aside(path, datetime.now(UTC))
            damage = (
                f"the ledger was damaged ({error}) and was moved to {aside.name}; a new one "
                "begins, tasks that were under way are not known any more"
            )
            return OpenedFile(_open(path), damage)
    except LedgerTooNew as error:
        raise LedgerUnavailable(
            f"the ledger {path} was written by a newer version",
            cause=str(error),
            hint="start the newer version, or move the file away",
        ) from error
    except (sqlite3.Error, OSError) as error:
        raise LedgerUnavailable(
            f"the ledger {path} can't be opened",
            cause=str(error),
            hint="check free space and permissions of the home",
        ) from error


def _open(path: Path) -> sqlite3.Connection:
    # Created here, not by SQLite, so that nobody else can read it in between; SQLite gives -wal
    # and -shm the mode of the file.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE))
    connection = connect(path)
    try:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(str(verdict))
        require_ledger(connection)  # before anything below writes to the file
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute("PRAGMA synchronous = FULL")
        migrate(connection)
        _sync_directory(path.parent)
    except BaseException:
        connection.close()
        raise
    return connection


def _sync_directory(directory: Path) -> None:
    # SQLite syncs what is in the journal; that the journal has a name is the directory's business.
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _move_aside(path: Path, now: datetime) -> Path:
    aside = path.with_name(f"{path.name}.corrupt-{now:%Y%m%dT%H%M%S%f}")
    path.rename(aside)
    # The journal goes along: it may hold what a person wants to save, and must never be applied
    # to the file that takes the old one's name.
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    return aside
