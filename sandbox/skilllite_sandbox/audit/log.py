"""Appends to the log: any process of the user, under one lock, in groups.

An event waits in memory until its group is written. What a crash leaves behind is a line without an
end: it stays, and the next line names its length and hash. A line is signed for (sealed) at once
when it has to be durable; else, since `cryptography` takes as long to import as a run, when many
lines or much time have passed, or by the node, which seals each group that it writes.
"""

from __future__ import annotations

import fcntl
import os
import time
from _thread import allocate_lock
from contextlib import contextmanager, suppress

from skilllite_sandbox.audit.facts import Redaction
from skilllite_sandbox.audit.files import (
    FILE_BYTES_MAX,
    FILES_KEPT,
    LOCK_NAME,
    PRIVATE_FILE,
    Tail,
    file_name,
    first_sequence,
    heads_name,
    log_files,
    read_tail,
)
from skilllite_sandbox.audit.line import (
    Head,
    Malformed,
    event_is_named_well,
    read_line,
    time_text,
    write_line,
)
from skilllite_sandbox.audit.seals import append_head, last_sealed
from skilllite_sandbox.digest import sha256
from skilllite_sandbox.errors import AuditUnavailable, SandboxError

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, TypeAlias

    from skilllite_sandbox.signing import Signer

    Entry: TypeAlias = tuple[int, str, Mapping[str, Any]]

WAITING_MAX = 4096  # events in memory while nothing can be written; then the newest are counted
LOCK_S_MAX = 5.0  # an append takes a millisecond; who holds the lock longer is stuck
LOCK_PAUSE_S = 0.001
UNSEALED_LINES_MAX = 512  # by commands, before one of them seals: about a hundred runs
UNSEALED_S_MAX = 3600.0


class AuditLog:
    """The log of one home. A `Recorder`; safe to use from several threads and processes."""

    def __init__(
        self,
        directory: str,
        signer: Callable[[], Signer] | None,
        *,
        seal_always: bool = False,
        file_bytes_max: int = FILE_BYTES_MAX,
        files_kept: int = FILES_KEPT,
        now_ns: Callable[[], int] = time.time_ns,
        redaction: Redaction | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            directory: Exists, and only this user can write there.
            signer: Gives the key of this node when something is sealed; None to seal nothing.
            seal_always: Seal every group: for a process that has `cryptography` anyway.
            file_bytes_max: Begin another file above it.
            files_kept: How many there may be.
            now_ns: The wall clock.
            redaction: What makes facts harmless; else one for this process's environment.
        """
        self._directory = directory
        self._signer = signer
        self._seal_always = seal_always
        self._file_bytes_max = file_bytes_max
        self._files_kept = files_kept
        self._now_ns = now_ns
        self._redaction = redaction or Redaction()
        self._waiting: list[Entry] = []
        self._lost = 0
        self._is_written = False
        self._mutex = allocate_lock()

    def record(self, event: str, facts: Mapping[str, object], *, durable: bool = False) -> None:
        """Take one event; it is written with its group, or now and for good when `durable`.

        Raises:
            AuditUnavailable: it has to be durable and could not be written.
        """
        assert event_is_named_well(event), event
        entry = (self._now_ns(), event, self._redaction.clean(facts))
        if len(self._waiting) < WAITING_MAX:
            self._waiting.append(entry)
        else:
            self._lost += 1
        if durable:
            self.flush(durable=True)

    def flush(self, *, durable: bool = False) -> None:
        """Write what waits, in the order it came.

        Args:
            durable: Return when it is on the disk and sealed.

        Raises:
            AuditUnavailable: it could not be. What isn't written waits on.
        """
        with self._mutex:
            taken, lost = self._waiting, self._lost
            if not taken and not lost:
                return
            self._waiting, self._lost, self._is_written = [], 0, False
            entries = list(taken)
            if lost:
                entries.append((self._now_ns(), "audit.lost", {"events": lost}))
            try:
                with _locked(self._directory):
                    self._append(entries, durable=durable)
            except (OSError, SandboxError, ImportError) as error:
                if not self._is_written:
                    self._waiting, self._lost = taken + self._waiting, self._lost + lost
                raise _unavailable(self._directory, error) from error

    def _append(self, entries: list[Entry], *, durable: bool) -> None:
        end = _End(self._directory, log_files(self._directory))
        try:
            doomed: list[str] = []
            if end.size >= self._file_bytes_max and not end.torn:
                end.begin_next_file()
                doomed = end.names[: max(0, len(end.names) - self._files_kept)]
                if doomed:
                    entries = [(self._now_ns(), "audit.removed", _removal(end, doomed)), *entries]
            if end.torn:
                entries = [end.repair(self._now_ns()), *entries]
            end.write(entries)
            self._is_written = True
            self._seal(end, at_once=durable or self._seal_always or bool(doomed))
            for name in doomed:
                _remove(self._directory, name)
        finally:
            end.close()

    def _seal(self, end: _End, *, at_once: bool) -> None:
        if self._signer is None:
            if at_once:
                os.fdatasync(end.descriptor)
            return
        if not at_once:
            sealed, sealed_at = last_sealed(self._directory, end.name)
            lines = end.head.sequence - (sealed or first_sequence(end.name) - 1)
            age_s = self._now_ns() / 1e9 - sealed_at
            if lines < UNSEALED_LINES_MAX and age_s < UNSEALED_S_MAX:
                return
        # First the lines, or a power cut could leave a head whose lines are gone.
        os.fdatasync(end.descriptor)
        append_head(self._directory, end.name, end.head, time_text(self._now_ns()), self._signer())
        if end.is_new:
            _sync_directory(self._directory)


class _End:
    """The end of the newest file, open to be written on. The lock is held."""

    def __init__(self, directory: str, names: list[str]) -> None:
        self.directory = directory
        self.names = names
        self.torn = b""
        self.size = 0
        self.is_new = False
        self.descriptor = -1
        self.head = Head()
        self.name = names[-1] if names else file_name(1)
        if not names:
            self._create()
            return
        self.descriptor = os.open(f"{directory}/{self.name}", _OPEN)
        try:
            self._find_head()
        except BaseException:
            self.close()
            raise

    def _find_head(self) -> None:
        self.size = os.fstat(self.descriptor).st_size
        tail = read_tail(self.descriptor, self.size)
        if tail is None:
            raise _damaged(self.directory, self.name)
        self.torn = tail.torn
        if tail.last is not None:
            self.head = tail.last.head
            return
        if len(self.names) > 1:
            before = _tail_of(self.directory, self.names[-2])
            if before is None or before.last is None:
                raise _damaged(self.directory, self.names[-2])
            self.head = before.last.head
        if first_sequence(self.name) != self.head.sequence + 1:
            raise _damaged(self.directory, self.name)

    def begin_next_file(self) -> None:
        """Close the file and begin the one for the next line."""
        os.close(self.descriptor)
        self.descriptor = -1
        self.name = file_name(self.head.sequence + 1)
        self._create()

    def _create(self) -> None:
        self.descriptor = os.open(
            f"{self.directory}/{self.name}", _OPEN | os.O_CREAT | os.O_EXCL, PRIVATE_FILE
        )
        self.names.append(self.name)
        self.size, self.is_new = 0, True

    def repair(self, now_ns: int) -> Entry:
        """End a line that was torn off, and return the event that says so."""
        torn = self.torn
        whole = self._as_next_line(torn)
        if not torn.endswith(b"\n"):
            self._write(b"\n")
            torn += b"\n"
        self.torn = b""
        if whole is not None:
            self.head = whole
            return now_ns, "audit.repaired", {"file": self.name, "missing": "the end of a line"}
        return (
            now_ns,
            "audit.repaired",
            {"file": self.name, "bytes": len(torn), "sha256": sha256(torn).hexdigest()},
        )

    def _as_next_line(self, torn: bytes) -> Head | None:
        """Return the head that it makes when all of a line is there but its end."""
        try:
            line = read_line(torn)
        except Malformed:
            return None
        follows = line.previous == self.head.hash and line.head.sequence == self.head.sequence + 1
        return line.head if follows else None

    def write(self, entries: list[Entry]) -> None:
        """Write the lines of these events, all or none."""
        parts: list[bytes] = []
        head = self.head
        for now_ns, event, facts in entries:
            part, head = write_line(head, time_text(now_ns), event, facts)
            parts.append(part)
        self._write(b"".join(parts))
        self.head = head

    def _write(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self.descriptor, view) :]
        except OSError:
            with suppress(OSError):  # then it is torn, and the next append says so
                os.ftruncate(self.descriptor, self.size)
            raise
        self.size += len(data)

    def close(self) -> None:
        """Close the file."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


_OPEN = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


@contextmanager
def _locked(directory: str) -> Iterator[None]:
    """Hold the lock of a log.

    Raises:
        OSError: it can't be had, `TimeoutError` when another process keeps it.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(f"{directory}/{LOCK_NAME}", flags, PRIVATE_FILE)
    try:
        deadline = time.monotonic() + LOCK_S_MAX
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TimeoutError(
                        f"another process holds its lock for more than {LOCK_S_MAX:g} s"
                    ) from None
                time.sleep(LOCK_PAUSE_S)
        yield
    finally:
        os.close(descriptor)


def _tail_of(directory: str, name: str) -> Tail | None:
    descriptor = os.open(f"{directory}/{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        return read_tail(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def _removal(end: _End, doomed: list[str]) -> dict[str, Any]:
    """Return what is said about files that go: enough to check what stays."""
    tail = _tail_of(end.directory, doomed[-1])
    if tail is None or tail.last is None:
        raise _damaged(end.directory, doomed[-1])
    last = tail.last.head
    return {
        "files": len(doomed),
        "first": first_sequence(doomed[0]),
        "last": last.sequence,
        "hash": last.hash,
    }


def _remove(directory: str, name: str) -> None:
    for each in (heads_name(name), name):
        with suppress(FileNotFoundError):
            os.unlink(f"{directory}/{each}")  # noqa: PTH108 - without pathlib


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged(directory: str, name: str) -> AuditUnavailable:
    return AuditUnavailable(
        f"the end of the audit log {directory}/{name} is damaged",
        hint=f"see `skilllite audit verify`; to begin a new log, move {directory} away",
    )


def _unavailable(directory: str, error: OSError | SandboxError | ImportError) -> AuditUnavailable:
    if isinstance(error, AuditUnavailable):
        return error
    cause = getattr(error, "strerror", None) or getattr(error, "message", None) or str(error)
    return AuditUnavailable(
        f"the audit log in {directory} can't be written",
        cause=cause,
        hint=f"make room on that disk, and {directory} writable for this user",
    )
