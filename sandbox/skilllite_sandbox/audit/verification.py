"""Reads a whole log and finds what was changed in it since it was written, and where.

One pass, one line in memory at a time. Each line proves itself (its hash), its place (sequence and
hash of the line before) and, up to the last head that this node signed, its age. What can't be
seen: that the end was cut off behind the last head that is left.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from skilllite_sandbox.audit.files import (
    FILE_BYTES_MAX,
    FILES_KEPT,
    HEADS_SUFFIX,
    LINES_SUFFIX,
    LOCK_NAME,
    first_sequence,
    heads_name,
    lines_among,
)
from skilllite_sandbox.audit.line import (
    GENESIS,
    LINE_BYTES_MAX,
    Head,
    Line,
    Malformed,
    read_line,
)
from skilllite_sandbox.audit.seals import HEAD_BYTES_MAX, SealedHead, read_head
from skilllite_sandbox.digest import sha256
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from skilllite_sandbox.signing import Verifier

PROBLEMS_MAX = 100  # a log that was overwritten has as many as lines


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that isn't as it was written."""

    file: str
    line: int
    """From 1; 0 for the file as a whole."""
    what: str


@dataclass(frozen=True, slots=True)
class LogState:
    """What verification found."""

    problems: tuple[Problem, ...]
    lines: int
    files: int
    first: int
    """The sequence of the first line that is there; above 1 when old files were removed."""
    last: int
    sealed: int
    """The last line that a head signed by this node covers."""
    heads: int
    removed: int
    """Lines in files that were removed for their age, which the log itself says."""
    repaired: int
    """Places where a crash had torn a line off."""

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return the machine contract of `audit verify --json`."""
        return {
            "schema": 1,
            "ok": self.ok,
            "lines": self.lines,
            "files": self.files,
            "first": self.first,
            "last": self.last,
            "sealed": self.sealed,
            "unsealed": max(0, self.last - self.sealed),
            "heads": self.heads,
            "removed": self.removed,
            "repaired": self.repaired,
            "problems": [
                {"file": each.file, "line": each.line, "what": each.what} for each in self.problems
            ],
        }


def verify_log(
    directory: str | Path,
    public_key: bytes | None,
    verifier: Verifier,
    *,
    file_bytes_max: int = FILE_BYTES_MAX,
    files_kept: int = FILES_KEPT,
) -> LogState:
    """Check everything in the directory of a log.

    Args:
        directory: Where it is; one without files is an empty log.
        public_key: Whose signatures count; None when there is no key, and then none does.
        verifier: Checks them.
        file_bytes_max: How large files were when the next one began.
        files_kept: How many stay when older ones are removed.

    Raises:
        OSError: it can't be read.
    """
    verification = _Verification(os.fspath(directory), public_key, verifier)
    return verification.run(file_bytes_max=file_bytes_max, files_kept=files_kept)


class _Verification:
    """One pass over a log."""

    def __init__(self, directory: str, public_key: bytes | None, verifier: Verifier) -> None:
        self._directory = directory
        self._public_key = public_key
        self._verifier = verifier
        self._problems: list[Problem] = []
        self._head: Head | None = None
        """The last line seen; None before the first one."""
        self._start: tuple[str, Line] | None = None
        self._removals: dict[int, str] = {}
        self._removed = 0
        self._repaired = 0
        self._lines = 0
        self._sealed = 0
        self._heads = 0
        self.sizes: dict[str, int] = {}

    def run(self, *, file_bytes_max: int, files_kept: int) -> LogState:
        """Go through all files."""
        if not os.path.isdir(self._directory):  # noqa: PTH112
            return LogState((), 0, 0, 0, 0, 0, 0, 0, 0)
        names = self._take_sizes()
        for name in names:
            self._check_file(name, is_last=name == names[-1])
        self._check_start()
        # All but the one that is written now.
        if self._removed and self._full(names, file_bytes_max) < files_kept - 1:
            self._report(names[0], 0, "older files were removed before their time had come")
        return LogState(
            problems=tuple(self._problems),
            lines=self._lines,
            files=len(names),
            first=0 if self._start is None else self._start[1].head.sequence,
            last=0 if self._head is None else self._head.sequence,
            sealed=self._sealed,
            heads=self._heads,
            removed=self._removed,
            repaired=self._repaired,
        )

    def _full(self, names: list[str], file_bytes_max: int) -> int:
        return sum(self.sizes[name] >= file_bytes_max for name in names[:-1])

    def _report(self, file: str, line: int, what: str) -> None:
        if len(self._problems) < PROBLEMS_MAX:
            self._problems.append(Problem(file, line, what))

    def _take_sizes(self) -> list[str]:
        """Return the files, and remember how long they are at a moment when nobody writes.

        What is appended meanwhile isn't looked at: a head may be there before its line was read.
        """
        with _unchanged(self._directory):
            there = os.listdir(self._directory)  # noqa: PTH208
            for name in there:
                if name.endswith((LINES_SUFFIX, HEADS_SUFFIX)):
                    self.sizes[name] = os.stat(f"{self._directory}/{name}").st_size  # noqa: PTH116
        names = lines_among(there)
        self._look_for_strangers(there, {*names, *map(heads_name, names)})
        return names

    def lines_of(self, name: str, most: int) -> Iterator[tuple[int, bytes]]:
        """Yield the lines of a file as it was when this began."""
        with open(f"{self._directory}/{name}", "rb") as file:
            yield from _numbered(file, self.sizes[name], most)

    def _look_for_strangers(self, there: list[str], known: set[str]) -> None:
        for name in sorted(set(there) - known):
            if name.endswith(HEADS_SUFFIX):
                self._report(name, 0, "heads of a file that is gone")
            elif name.endswith(LINES_SUFFIX):
                self._report(name, 0, "not a file of this log")

    # Lines

    def _check_file(self, name: str, *, is_last: bool) -> None:
        heads = _Heads(self, name)
        number = 0
        gap: _Gap | None = None
        first = True
        for number, data in self.lines_of(name, LINE_BYTES_MAX):
            try:
                if not data.endswith(b"\n"):
                    raise Malformed("the line has no end")
                line = read_line(data[:-1])
            except Malformed as problem:
                gap = gap or _Gap(number, str(problem))
                gap.add(data)
                continue
            if gap is not None and not self._explains(line, gap):
                self._report(name, gap.line, gap.why)
                # What the damaged lines were isn't known: go on from here.
                self._head = None if self._start is None else line_before(line)
            gap = None
            if first and line.head.sequence != first_sequence(name):
                self._report(name, number, f"the file begins with line {line.head.sequence}")
            first = False
            self._check_line(name, number, line)
            heads.pass_line(number, line.head)
        if gap is not None:
            self._report(name, gap.line, gap.why)
        if number == 0 and not is_last:
            self._report(name, 0, "the file is empty")
        heads.finish(number + 1)

    def _check_line(self, name: str, number: int, line: Line) -> None:
        self._lines += 1
        if self._start is None:
            self._start = (name, line)
        elif self._head is not None:
            expected = self._head.sequence + 1
            if line.head.sequence != expected:
                self._report(name, number, _jump(expected, line.head.sequence))
            elif line.previous != self._head.hash:
                self._report(name, number, "the line before it is another than when it was written")
        self._head = line.head
        if line.event == "audit.removed":
            last, hash = line.facts.get("last"), line.facts.get("hash")
            if isinstance(last, int) and isinstance(hash, str):
                self._removals[last] = hash

    def _explains(self, line: Line, gap: _Gap) -> bool:
        """Return whether a line says that the bytes before it were torn off by a crash."""
        told = (line.event, line.facts.get("bytes"), line.facts.get("sha256"))
        if told != ("audit.repaired", gap.size, gap.hash.hexdigest()):
            return False
        self._repaired += 1
        return True

    def _check_start(self) -> None:
        """Hold the first line to what the log says of files that were removed."""
        if self._start is None:
            return
        name, line = self._start
        before = line.head.sequence - 1
        known = GENESIS if before == 0 else self._removals.get(before)
        if known is None:
            self._report(name, 1, f"the lines 1 to {before} are missing, and no line says why")
        elif known != line.previous:
            self._report(name, 1, "the line before it is another than when it was written")
        self._removed = before if known is not None else 0

    # Heads

    def check_signature(self, sealed: SealedHead) -> bool:
        """Return whether this node signed a head."""
        return sealed.key == self._public_key and self._verifier.verify(
            sealed.key, sealed.signed, sealed.signature
        )

    def count_heads(self, number: int, sealed: int) -> None:
        """Take account of the heads of one file."""
        self._heads += number
        self._sealed = max(self._sealed, sealed)

    report = _report


class _Gap:
    """Bytes that are no line."""

    def __init__(self, line: int, why: str) -> None:
        self.line = line
        self.why = why
        self.size = 0
        self.hash = sha256()

    def add(self, data: bytes) -> None:
        """Take some more."""
        self.size += len(data)
        self.hash.update(data)


class _Heads:
    """The heads of one file of lines, walked through beside it."""

    def __init__(self, of: _Verification, name: str) -> None:
        self._of = of
        self._lines_name = name
        self._name = heads_name(name)
        self._source: Iterator[tuple[int, SealedHead]] = iter(())
        self._count = 0
        self._sealed = 0
        self._signed_until = 0
        if self._name in of.sizes:
            self._check_signatures()
            self._source = self._read(report=False)
        self._next = next(self._source, None)

    def pass_line(self, number: int, head: Head) -> None:
        """Compare a line with what was signed of it, if it was."""
        while self._next is not None and self._next[1].head.sequence < head.sequence:
            self._missing(number)
        if self._next is None or self._next[1].head.sequence != head.sequence:
            return
        at, sealed = self._next
        if sealed.head.hash != head.hash:
            what = f"the line is another than the one signed in line {at} of {self._name}"
            self._of.report(self._lines_name, number, what)
        elif head.sequence <= self._signed_until:
            self._sealed = head.sequence
        self._next = next(self._source, None)

    def finish(self, number: int) -> None:
        """Report the lines that were signed and aren't there, where they would have to be."""
        while self._next is not None:
            self._missing(number)
        self._of.count_heads(self._count, self._sealed)

    def _missing(self, number: int) -> None:
        assert self._next is not None
        at, sealed = self._next
        what = f"line {sealed.head.sequence}, signed in line {at} of {self._name}, is missing"
        self._of.report(self._lines_name, number, what)
        self._next = next(self._source, None)

    def _check_signatures(self) -> None:
        """Check the chain of heads; the signature of the last covers those before it."""
        last: SealedHead | None = None
        for _, sealed in self._read(report=True):
            self._count += 1
            last = sealed
        if last is None:
            return
        if self._of.check_signature(last):
            self._signed_until = last.head.sequence
            return
        forged = 0
        for number, sealed in self._read(report=False):
            if self._of.check_signature(sealed):
                self._signed_until = sealed.head.sequence
            else:
                forged = forged or number
        self._of.report(self._name, forged, "not signed by the key of this node")

    def _read(self, *, report: bool) -> Iterator[tuple[int, SealedHead]]:
        say: Callable[[str, int, str], None] = self._of.report if report else _nothing
        link, sequence = GENESIS, 0
        for number, data in self._of.lines_of(self._name, HEAD_BYTES_MAX):
            try:
                if not data.endswith(b"\n"):
                    raise Malformed("the head has no end")
                sealed = read_head(data[:-1])
            except Malformed as problem:
                say(self._name, number, str(problem))
                continue
            if sealed.previous != link or sealed.head.sequence <= sequence:
                say(self._name, number, "the head before it is another than when it was written")
            link, sequence = sealed.link, sealed.head.sequence
            yield number, sealed


def line_before(line: Line) -> Head:
    """Return the head that a line says it follows."""
    return Head(line.head.sequence - 1, line.previous)


def _jump(expected: int, found: int) -> str:
    if found < expected:
        return f"line {found} again, where line {expected} belongs"
    if found == expected + 1:
        return f"line {expected} is missing"
    return f"the lines {expected} to {found - 1} are missing"


def _numbered(file: BinaryIO, size: int, most: int) -> Iterator[tuple[int, bytes]]:
    """Yield numbers and lines with their ends, the last one perhaps without; long ones in pieces.

    A piece of a line that is too long is no line, so it is reported, and takes no more memory.
    """
    number, within = 0, False
    while size > 0 and (data := file.readline(min(most + 1, size))):
        size -= len(data)
        if not within:
            number += 1
        within = not data.endswith(b"\n")
        yield number, data


@contextmanager
def _unchanged(directory: str) -> Iterator[None]:
    """Keep writers out for a moment; a copy of a log without its lock has none."""
    try:
        descriptor = os.open(f"{directory}/{LOCK_NAME}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def _nothing(file: str, line: int, what: str) -> None:
    pass
