"""The audit log of a running node: events wait at most a tenth of a second for their group.

One thread writes, syncs and seals each group. Who records from the event loop never waits for the
disk; who records in a worker thread, and asks for it, does. When the log can't be written, that is
said once in the node's log, events wait in bounded memory, and nothing is run at level 3 until it
can be written again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from skilllite.auditing import open_audit
from skilllite.home import Home
from skilllite_sandbox.audit.log import AuditLog
from skilllite_sandbox.errors import AuditUnavailable

GROUP_S = 0.05  # with the time that a disk takes to sync, below 100 ms
RETRY_S = 1.0  # after a failure: a full disk isn't freed by asking more often

log = logging.getLogger("skilllite.audit")


class AuditWriter:
    """A `Recorder` for the threads of a node. Use `open_audit_writer`."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._wake = threading.Event()
        self._over = threading.Event()
        self._problem: AuditUnavailable | None = None
        self._thread = threading.Thread(target=self._write, name="audit", daemon=True)

    def record(self, event: str, facts: Mapping[str, object], *, durable: bool = False) -> None:
        """Take one event; when `durable`, return once it is on the disk: not for the event loop.

        Raises:
            AuditUnavailable: it has to be durable and could not be written.
        """
        self._audit.record(event, facts)
        if durable:
            self._flush()
            self.check()
        else:
            self._wake.set()

    @property
    def without_waiting(self) -> _WithoutWaiting:
        """The same for the event loop: what has to be durable is, a moment after it was told."""
        return _WithoutWaiting(self)

    def check(self) -> None:
        """Raise what keeps the log from being written, if anything does."""
        if self._problem is not None:
            raise self._problem

    def open(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self) -> None:
        """Write what is left, and stop."""
        self._over.set()
        self._wake.set()
        self._thread.join()
        self._flush()

    def _write(self) -> None:
        while not self._over.is_set():
            self._wake.wait()
            self._wake.clear()
            self._over.wait(GROUP_S)
            self._flush()
            if self._problem is not None and not self._over.is_set():
                self._over.wait(RETRY_S)
                self._wake.set()

    def _flush(self) -> None:
        try:
            self._audit.flush(durable=True)
        except AuditUnavailable as error:
            if self._problem is None:
                log.error("%s: %s", error.message, error.cause)
            self._problem = error
            return
        if self._problem is not None:
            log.warning("the audit log can be written again")
            self._problem = None


class _WithoutWaiting:
    """A `Recorder` that returns at once."""

    def __init__(self, writer: AuditWriter) -> None:
        self._writer = writer

    def record(self, event: str, facts: Mapping[str, object], *, durable: bool = False) -> None:
        """Take one event."""
        self._writer.record(event, facts)


@contextmanager
def open_audit_writer(home: Home) -> Iterator[AuditWriter]:
    """Write the audit log of a home for the length of a block.

    Raises:
        AuditUnavailable: it can't be a directory of this user alone.
    """
    writer = AuditWriter(open_audit(home, seal_always=True))
    writer.open()
    try:
        yield writer
    finally:
        writer.close()
