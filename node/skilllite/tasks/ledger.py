"""The ledger file: opening it, one writer with group commit, reads beside it.

A write is a function of the connection. Whatever is queued when the writer is free is committed
together: each function in a savepoint of its own, so that one which raises undoes itself alone,
then one COMMIT, so that a busy node pays one fsync for many promises. What the functions do is in
`owner_book` and `executor_book`; opening the file is `ledger_file`; what the database itself
refuses is in `ledger_schema`.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import trio

from skilllite.tasks.errors import LedgerUnavailable
from skilllite.tasks.ledger_file import connect, open_ledger_file

T = TypeVar("T")
Transaction = Callable[[sqlite3.Connection], T]

BATCH_MAX = 128  # writes in one commit: bounds how long the first of them waits for the rest
WRITES_QUEUED_MAX = 1024  # writes waiting; past that `write` waits and `post_nowait` drops
CLOSE_S_MAX = 10.0  # a disk that takes longer to finish 1,024 writes is not going to


@dataclass(slots=True)
class _Write:
    """One function on its way through the writer, and what became of it."""

    function: Transaction[Any]
    durable: bool
    deliver: Callable[[], None] | None = None
    """Tells whoever waits; None when nobody does."""
    result: Any = None
    error: Exception | None = None


class WriterPort(Protocol):
    """Takes writes in order. `submit` returns at once; `deliver` is called in the writer."""

    @property
    def backlog(self) -> int: ...

    def submit(self, write: _Write) -> None: ...

    def close(self) -> None: ...


def commit_together(connection: sqlite3.Connection, batch: list[_Write]) -> None:
    """Apply a batch in one transaction and put result or error into each write.

    A batch without a promise is not synced: it becomes durable with the next that is.
    """
    durable = any(write.durable for write in batch)
    try:
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.execute("BEGIN IMMEDIATE")
        for write in batch:
            _apply(connection, write)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        _roll_back(connection)
        for write in batch:
            write.result = None
            write.error = LedgerUnavailable(
                "the ledger could not be written",
                cause=str(error),
                hint="check free space and permissions of the home, then restart the node",
            )


def _apply(connection: sqlite3.Connection, write: _Write) -> None:
    connection.execute("SAVEPOINT one_write")
    try:
        write.result = write.function(connection)
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError) as error:
        write.error = error
        connection.execute("ROLLBACK TO one_write")
    except sqlite3.Error:
        raise  # disk full, I/O error, damaged file: the whole batch is in doubt
    except Exception as error:
        write.error = error
        connection.execute("ROLLBACK TO one_write")
    connection.execute("RELEASE one_write")


def _roll_back(connection: sqlite3.Connection) -> None:
    # After an I/O error SQLite may have rolled back by itself.
    if connection.in_transaction:
        try:
            connection.execute("ROLLBACK")
        except sqlite3.Error:
            return


class ThreadWriter:
    """One thread that owns the writing connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
        self._thread.start()

    @property
    def backlog(self) -> int:
        return self._queue.qsize()

    def submit(self, write: _Write) -> None:
        self._queue.put(write)

    def close(self) -> None:
        """Finish what is queued and end the thread."""
        self._queue.put(None)
        self._thread.join(CLOSE_S_MAX)

    def _work(self) -> None:
        while (batch := self._next_batch()) is not None:
            commit_together(self._connection, batch)
            for write in batch:
                if write.deliver is not None:
                    write.deliver()

    def _next_batch(self) -> list[_Write] | None:
        first = self._queue.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < BATCH_MAX:
            try:
                write = self._queue.get_nowait()
            except queue.Empty:
                break
            if write is None:
                self._queue.put(None)
                break
            batch.append(write)
        return batch


class InlineWriter:
    """Commits in the calling thread: no threads, so time under a mock clock stays still."""

    backlog = 0

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def submit(self, write: _Write) -> None:
        commit_together(self._connection, [write])
        if write.deliver is not None:
            write.deliver()

    def close(self) -> None:
        return


class Ledger:
    """One open ledger. Use `open_ledger`, which also closes it."""

    def __init__(self, path: Path, *, threaded: bool = True) -> None:
        """Open the file, or begin a new one; blocks for as long as a check of the file takes.

        Raises:
            LedgerUnavailable: it can't be opened, or a newer program wrote it.
        """
        self._threaded = threaded
        opened = open_ledger_file(path)
        self.damage = opened.damage
        """What was wrong with the file that had to be moved aside; None when nothing was."""
        self._connection = opened.connection
        self._reader = connect(path)
        self._reader.execute("PRAGMA query_only = ON")
        self._read_limit = trio.CapacityLimiter(1)
        self._writer: WriterPort = (
            ThreadWriter(self._connection) if threaded else InlineWriter(self._connection)
        )
        self._places = trio.Semaphore(WRITES_QUEUED_MAX)
        self._dropped = 0
        self._closed = False

    @property
    def dropped(self) -> int:
        """Return how many `post_nowait` writes found the queue full."""
        return self._dropped

    async def write(self, function: Transaction[T], *, durable: bool = True) -> T:
        """Run a function in the next commit and return its result once that is on disk.

        Waiting for a place can be cancelled; from then on it can't, like a call in a thread.
        With `durable=False` the commit is atomic but may be forgotten by a power failure (never
        by the death of the process).

        Raises:
            LedgerUnavailable: the commit failed, and nothing of it happened.
        """
        async with self._places:
            self._require_open()
            done = trio.Event()
            deliver = _deliver_from_thread(done) if self._threaded else done.set
            write = _Write(function, durable, deliver)
            self._writer.submit(write)
            # Shielded, and bounded by the disk: the caller must know what was promised.
            with trio.CancelScope(shield=True):
                await done.wait()
        if write.error is not None:
            raise write.error
        result: T = write.result
        return result

    def post_nowait(self, function: Transaction[object]) -> bool:
        """Queue a write that promises nothing; return False when it was dropped.

        In order with the others, never synced for its own sake, errors forgotten.
        """
        if self._closed or self._writer.backlog >= WRITES_QUEUED_MAX:
            self._dropped += 1
            return False
        self._writer.submit(_Write(function, durable=False))
        return True

    async def read(self, function: Transaction[T]) -> T:
        """Run a function that only reads, beside the writer, on what is committed."""
        self._require_open()
        if not self._threaded:
            await trio.lowlevel.checkpoint()
            return self._guarded_read(function)
        return await trio.to_thread.run_sync(self._guarded_read, function, limiter=self._read_limit)

    def _guarded_read(self, function: Transaction[T]) -> T:
        try:
            return function(self._reader)
        except sqlite3.Error as error:
            raise LedgerUnavailable("the ledger could not be read", cause=str(error)) from error

    def _require_open(self) -> None:
        if self._closed:
            raise LedgerUnavailable("the ledger is closed")

    def close(self) -> None:
        """Commit what is queued and close the file. Blocks for that long."""
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        self._reader.close()
        self._connection.close()


def _deliver_from_thread(done: trio.Event) -> Callable[[], None]:
    token = trio.lowlevel.current_trio_token()

    def deliver() -> None:
        try:
            token.run_sync_soon(done.set)
        except trio.RunFinishedError:
            return  # the node is gone; the write is on disk all the same

    return deliver


@asynccontextmanager
async def open_ledger(path: Path) -> AsyncIterator[Ledger]:
    """Open a ledger for the length of a block.

    Raises:
        LedgerUnavailable: the file can't be opened, or a newer program wrote it.
    """
    ledger = await trio.to_thread.run_sync(Ledger, path)
    try:
        yield ledger
    finally:
        with trio.CancelScope(shield=True):  # bounded by CLOSE_S_MAX
            await trio.to_thread.run_sync(ledger.close)
