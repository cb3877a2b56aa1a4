"""What a skill's directory holds, path by path, and how two such lists differ.

Everything counts: every file and folder, empty or hidden, `.git` and `__pycache__` too, and all
permission bits. What isn't a regular file or a folder has no entry: it is refused.
"""

# Strings, not pathlib: the guard comes here while somebody waits for a run.
# ruff: noqa: PTH116, PTH118

from __future__ import annotations

import os
import stat

from skilllite_sandbox.digest import (
    TreeEntry,
    digest_of_entries,
    directory_entry,
    file_entry,
    sha256,
)
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.integrity.modes import MODE_BITS
from skilllite_sandbox.printable import ONE_LINE
from skilllite_sandbox.tree import ByteBudget, TreeDirectory, walk_tree
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Literal

FILE, FOLDER = "file", "folder"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or folder of a skill."""

    path: str
    """Relative to the skill, with `/`; empty for the skill's own folder."""
    kind: str
    """`file` or `folder`."""
    mode: int
    """The permission bits, setuid and its like included."""
    size_bytes: int
    sha256: str
    """Of the content, in hex; empty for a folder."""


@dataclass(frozen=True, slots=True)
class Change:
    """One way in which a directory differs from what was installed."""

    path: str
    what: Literal["added", "removed", "changed", "mode"]
    detail: str = ""

    def __str__(self) -> str:
        """Return the line a person reads."""
        path = (self.path or ".").translate(ONE_LINE)
        return f"{self.what} {path}" + (f" ({self.detail})" if self.detail else "")


def read_entries(directory: str | Path) -> tuple[Entry, ...]:
    """Return everything in a directory, its own folder first, then by path.

    Raises:
        NotFound: there is no such directory.
        InvalidSkill: it holds a link or a special file, or exceeds a bound.
    """
    place = os.fspath(directory)
    budget = ByteBudget()
    found: list[Entry] = []
    for item in walk_tree(place):
        if isinstance(item, TreeDirectory):
            found.append(Entry(item.path, FOLDER, _mode(os.path.join(place, item.path)), 0, ""))
            continue
        content, size = sha256(), 0
        for chunk in item.chunks(budget):
            content.update(chunk)
            size += len(chunk)
        mode = os.fstat(item.descriptor).st_mode & MODE_BITS
        found.append(Entry(item.path, FILE, mode, size, content.hexdigest()))
    found.sort(key=lambda entry: entry.path.encode("utf-8"))
    return (Entry("", FOLDER, _mode(place, follow=True), 0, ""), *found)


def digest_of(entries: Iterable[Entry]) -> str:
    """Return the digest that a directory of these entries has."""
    return digest_of_entries([_tree_entry(each) for each in entries if each.path])


def differences(was: Iterable[Entry], now: Iterable[Entry]) -> tuple[Change, ...]:
    """Return what has to happen to `was` to get `now`, by path; empty when they are the same."""
    before = {each.path: each for each in was}
    after = {each.path: each for each in now}
    changes: list[Change] = []
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old is None:
            assert new is not None
            changes.append(Change(path, "added", new.kind))
        elif new is None:
            changes.append(Change(path, "removed", old.kind))
        elif old != new:
            changes.extend(_changes_of(old, new))
    return tuple(changes)


def _changes_of(old: Entry, new: Entry) -> list[Change]:
    changes: list[Change] = []
    if old.kind != new.kind:
        changes.append(Change(new.path, "changed", f"{old.kind} became {new.kind}"))
    elif (old.size_bytes, old.sha256) != (new.size_bytes, new.sha256):
        grown = new.size_bytes - old.size_bytes
        detail = f"{grown:+d} bytes" if grown else "same size"
        changes.append(Change(new.path, "changed", detail))
    if old.mode != new.mode:
        changes.append(Change(new.path, "mode", f"{old.mode:04o} became {new.mode:04o}"))
    return changes


def _tree_entry(entry: Entry) -> TreeEntry:
    if entry.kind == FOLDER:
        return directory_entry(entry.path)
    executable = bool(entry.mode & stat.S_IXUSR)
    return file_entry(entry.path, executable, entry.size_bytes, bytes.fromhex(entry.sha256))


def _mode(path: str, *, follow: bool = False) -> int:
    try:
        return os.stat(path, follow_symlinks=follow).st_mode & MODE_BITS
    except FileNotFoundError:
        raise NotFound(f"{path} vanished while it was read") from None
    except OSError as error:
        raise InvalidSkill(f"{path} can't be read", cause=error.strerror or str(error)) from None
