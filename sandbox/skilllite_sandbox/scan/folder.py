"""Everything that lies in a skill's folder, read without following a link and without giving up.

The stage refuses what isn't a plain tree of files; the scanner has to say what is wrong with it,
and so goes on where `tree` stops. What it couldn't read or list is an entry of its own kind.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from enum import StrEnum

from skilllite_sandbox.errors import InvalidSkill
from skilllite_sandbox.scan.source import (
    FILE_BYTES_MAX,
    SOURCES_BYTES_MAX,
    SourceFile,
    make_source,
)
from skilllite_sandbox.tree import (
    PATH_BYTES_MAX,
    READ_CHUNK_BYTES,
    TREE_BYTES_MAX,
    TREE_DEPTH_MAX,
    TREE_ENTRIES_MAX,
    open_directory,
)
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

# O_NONBLOCK: opening a fifo that somebody swapped in must not hang us.
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_DIRECTORY = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


class EntryKind(StrEnum):
    """What something in a folder is."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    SPECIAL = "special"
    """A pipe, socket or device."""
    UNREADABLE = "unreadable"
    """It is there and could not be opened or listed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in the folder."""

    path: str
    """Relative to the skill, with `/`; bytes that are no UTF-8 are shown as U+FFFD."""
    kind: EntryKind
    mode: int = 0
    """Permission bits."""
    detail: str = ""
    """Where a link points to, or why something can't be read."""
    odd_name: bool = False
    """The name itself is no UTF-8."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A skill's folder as the scanner found it."""

    sources: tuple[SourceFile, ...]
    """Every file that could be read, in the order of their paths."""
    entries: tuple[Entry, ...]
    """Everything, files too, in the order of their paths."""
    bounds: tuple[str, ...]
    """Which bounds stopped it, one clause each; empty when everything was seen."""


def read_folder(directory: str | Path) -> Folder:
    """Read a skill's folder, whatever is in it.

    Raises:
        NotFound: there is no such directory.
    """
    walk = _Walk()
    try:
        root = open_directory(directory)
    except InvalidSkill as error:
        return Folder((), (Entry("", EntryKind.UNREADABLE, 0, error.cause or ""),), ())
    try:
        walk.enter(root, "", 0)
    finally:
        os.close(root)
    return Folder(
        tuple(sorted(walk.sources, key=lambda source: source.path)),
        tuple(sorted(walk.entries, key=lambda entry: entry.path)),
        tuple(walk.bounds),
    )


class _Walk:
    """What was met so far, and how much may still be."""

    def __init__(self) -> None:
        self.sources: list[SourceFile] = []
        self.entries: list[Entry] = []
        self.bounds: list[str] = []
        self._entries_left = TREE_ENTRIES_MAX
        self._read_left = SOURCES_BYTES_MAX
        self._size = 0

    def enter(self, parent: int, prefix: str, depth: int) -> None:
        """Look at everything in an open folder."""
        if depth > TREE_DEPTH_MAX:
            self._bound(f"more than {TREE_DEPTH_MAX} nested folders")
            return
        for name, mode in self._listed(parent, prefix):
            shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            path = prefix + shown
            odd = shown != name
            if len(path.encode("utf-8", "replace")) > PATH_BYTES_MAX:
                self._bound(f"a path longer than {PATH_BYTES_MAX} bytes")
            if stat.S_ISDIR(mode):
                self._folder(parent, name, path, mode, depth, odd=odd)
            elif stat.S_ISREG(mode):
                self._file(parent, name, path, odd=odd)
            elif stat.S_ISLNK(mode):
                self._add(path, EntryKind.LINK, mode, _target(parent, name), odd=odd)
            else:
                self._add(path, EntryKind.SPECIAL, mode, odd=odd)

    def _listed(self, parent: int, prefix: str) -> Iterator[tuple[str, int]]:
        try:
            with os.scandir(parent) as found:
                for entry in found:
                    if self._entries_left == 0:
                        self._bound(f"more than {TREE_ENTRIES_MAX} files and folders")
                        return
                    self._entries_left -= 1
                    try:
                        mode = entry.stat(follow_symlinks=False).st_mode
                    except OSError:
                        continue  # gone since it was listed
                    yield entry.name, mode
        except OSError as error:
            self._add(prefix, EntryKind.UNREADABLE, 0, error.strerror or "")

    def _folder(
        self, parent: int, name: str, path: str, mode: int, depth: int, *, odd: bool
    ) -> None:
        try:
            descriptor = os.open(name, _OPEN_DIRECTORY, dir_fd=parent)
        except OSError as error:
            self._add(path, EntryKind.UNREADABLE, mode, error.strerror or "", odd=odd)
            return
        try:
            self._add(path, EntryKind.FOLDER, mode, odd=odd)
            self.enter(descriptor, path + "/", depth + 1)
        finally:
            os.close(descriptor)

    def _file(self, parent: int, name: str, path: str, *, odd: bool) -> None:
        try:
            descriptor = os.open(name, _OPEN_FILE, dir_fd=parent)
        except OSError as error:
            self._add(path, EntryKind.UNREADABLE, 0, error.strerror or "", odd=odd)
            return
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                self._add(path, EntryKind.SPECIAL, status.st_mode, odd=odd)
                return
            data, cut = self._content(descriptor)
        except OSError as error:
            self._add(path, EntryKind.UNREADABLE, 0, error.strerror or "", odd=odd)
            return
        finally:
            os.close(descriptor)
        self._size += status.st_size
        if self._size > TREE_BYTES_MAX:
            self._bound(f"more than {TREE_BYTES_MAX} bytes")
        mode = stat.S_IMODE(status.st_mode)
        self._add(path, EntryKind.FILE, mode, odd=odd)
        executable = bool(mode & stat.S_IXUSR)
        self.sources.append(make_source(path, data, executable, cut=cut, mode=mode))

    def _content(self, descriptor: int) -> tuple[bytes, bool]:
        limit = min(FILE_BYTES_MAX, self._read_left)
        parts: list[bytes] = []
        left = limit + 1
        while left and (chunk := os.read(descriptor, min(READ_CHUNK_BYTES, left))):
            parts.append(chunk)
            left -= len(chunk)
        data = b"".join(parts)
        self._read_left -= min(len(data), limit)
        return data[:limit], len(data) > limit

    def _add(
        self, path: str, kind: EntryKind, mode: int, detail: str = "", *, odd: bool = False
    ) -> None:
        self.entries.append(Entry(path, kind, stat.S_IMODE(mode), detail, odd))

    def _bound(self, clause: str) -> None:
        if clause not in self.bounds:
            self.bounds.append(clause)


def _target(parent: int, name: str) -> str:
    try:
        target = os.readlink(name, dir_fd=parent)
    except OSError:
        return "?"
    return target.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
