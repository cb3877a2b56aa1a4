"""The files of a skill directory, walked and opened without ever following a link.

Digest, stage, copy and archive all look at a skill through this module, so that they agree on
what a skill may contain: regular files and directories, within bounds. A source directory can
belong to somebody who changes it while we read (a shared folder, /tmp): every step is taken
relative to an open directory with O_NOFOLLOW, so swapping a file for a link to a secret makes the
read fail instead of copying the secret.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.policy import KIB, MIB
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from pathlib import Path

TREE_ENTRIES_MAX = (
    10_000  # files and folders: a vendored node_modules fits, a home directory doesn't
)
TREE_BYTES_MAX = 256 * MIB  # all files together: hashed on every first use, about half a second
TREE_DEPTH_MAX = 32  # folders below the skill: one descriptor each is open during a walk
PATH_BYTES_MAX = 1024  # relative path: leaves room for a stage root below PATH_MAX (4,096)
READ_CHUNK_BYTES = 1 * MIB  # large enough to amortise the call, small enough for many threads

# O_NONBLOCK: opening a fifo that somebody swapped in must not hang us.
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_DIRECTORY = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A regular file met during a walk; readable only until the walk moves on."""

    path: str
    """Relative to the skill, with `/`."""
    executable: bool
    descriptor: int

    def chunks(self, budget: ByteBudget) -> Iterator[bytes]:
        """Yield the content, charging every byte that was really read to `budget`."""
        while chunk := os.read(self.descriptor, READ_CHUNK_BYTES):
            budget.charge(len(chunk), self.path)
            yield chunk


@dataclass(frozen=True, slots=True)
class TreeDirectory:
    """A directory met during a walk; it comes before what is in it."""

    path: str


class ByteBudget:
    """How many bytes of one tree may still be read.

    Sizes from `stat` can be stale or lie (a file that grows, /proc); only bytes read count.
    """

    def __init__(self, limit_bytes: int = TREE_BYTES_MAX) -> None:
        self._limit_bytes = limit_bytes
        self._used_bytes = 0

    def charge(self, count: int, path: str) -> None:
        """Count `count` bytes of `path`.

        Raises:
            InvalidSkill: the tree is larger than allowed.
        """
        self._used_bytes += count
        if self._used_bytes > self._limit_bytes:
            raise InvalidSkill(
                f"skill is larger than {self._limit_bytes // MIB} MiB",
                cause=f"the limit was passed at {path}",
                hint="keep large data outside the skill and pass it as input",
            )


def walk_tree(directory: str | Path) -> Iterator[TreeFile | TreeDirectory]:
    """Yield everything below `directory`, in no particular order.

    Raises:
        NotFound: there is no such directory.
        InvalidSkill: a link, a special file, an unreadable file, a name that isn't UTF-8, or too
            many of them.
    """
    root = open_directory(directory)
    try:
        yield from _walk(root, "", 0, [0])
    finally:
        os.close(root)


def open_directory(directory: str | Path) -> int:
    """Open a skill's directory; its own path may lead through links, that is the caller's word."""
    try:
        return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(
            f"no skill directory at {directory}", hint="give the folder that holds SKILL.md"
        ) from None
    except (OSError, ValueError) as error:
        raise _unreadable(str(directory), error) from None


def read_inside(directory: str | Path, relative: str, *, limit_bytes: int) -> bytes:
    """Return the content of one regular file inside `directory`.

    Raises:
        NotFound: no such file.
        InvalidSkill: the path leaves the skill or passes a link, or the file exceeds the bound.
    """
    with _open_inside(directory, relative) as descriptor:
        content = _read_up_to(descriptor, limit_bytes + 1)
    if len(content) > limit_bytes:
        raise InvalidSkill(f"{relative} is larger than {limit_bytes // KIB} KiB")
    return content


def read_start_inside(directory: str | Path, relative: str, *, size_bytes: int) -> bytes:
    """Return the first bytes of one regular file inside `directory`; raises like `read_inside`."""
    with _open_inside(directory, relative) as descriptor:
        return _read_up_to(descriptor, size_bytes)


def split_relative(relative: str) -> list[str]:
    """Split a path that must stay inside the skill into its parts.

    Raises:
        InvalidSkill: it is absolute, empty, climbs, or holds characters that no portable path has.
    """
    parts = relative.split("/")
    parts = parts[1:] if parts[0] == "." else parts
    bad = any(part in ("", ".", "..") for part in parts) or not parts
    if bad or "\\" in relative or not relative.isprintable():
        raise InvalidSkill(
            f"path {relative!r} does not name a file inside the skill",
            hint="use a relative path like scripts/main.py",
        )
    return parts


@contextmanager
def _open_inside(directory: str | Path, relative: str) -> Iterator[int]:
    parts = split_relative(relative)
    opened = [open_directory(directory)]
    try:
        for part in parts[:-1]:
            opened.append(_open_at(relative, part, _OPEN_DIRECTORY, opened[-1]))
        opened.append(_open_at(relative, parts[-1], _OPEN_FILE, opened[-1]))
        if not stat.S_ISREG(os.fstat(opened[-1]).st_mode):
            raise _not_a_file(relative, link=False)
        yield opened[-1]
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _read_up_to(descriptor: int, size_bytes: int) -> bytes:
    chunks: list[bytes] = []
    left = size_bytes
    while left and (chunk := os.read(descriptor, min(READ_CHUNK_BYTES, left))):
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)


def _open_at(relative: str, name: str, flags: int, parent: int) -> int:
    try:
        return os.open(name, flags, dir_fd=parent)
    except FileNotFoundError:
        raise NotFound(f"no file {relative} in the skill") from None
    except (OSError, ValueError) as error:
        raise _unreadable(relative, error) from None


def _walk(
    parent: int, prefix: str, depth: int, count: list[int]
) -> Iterator[TreeFile | TreeDirectory]:
    if depth > TREE_DEPTH_MAX:
        raise InvalidSkill(f"skill has more than {TREE_DEPTH_MAX} nested folders at {prefix}")
    for entry in _list_directory(parent, prefix, count):
        path = _checked_path(prefix, entry.name)
        if entry.is_dir(follow_symlinks=False):
            yield TreeDirectory(path)
            descriptor = _open_at(path, entry.name, _OPEN_DIRECTORY, parent)
            try:
                yield from _walk(descriptor, path + "/", depth + 1, count)
            finally:
                os.close(descriptor)
        elif entry.is_file(follow_symlinks=False):
            yield from _one_file(parent, entry.name, path)
        else:
            raise _not_a_file(path, link=entry.is_symlink())


def _list_directory(parent: int, prefix: str, count: list[int]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(parent) as found:
            entries = list(itertools.islice(found, TREE_ENTRIES_MAX + 1 - count[0]))
    except OSError as error:
        raise _unreadable(prefix or "the skill directory", error) from None
    count[0] += len(entries)
    if count[0] > TREE_ENTRIES_MAX:
        raise InvalidSkill(
            f"skill has more than {TREE_ENTRIES_MAX} files and folders",
            hint="leave build output and installed packages out of the skill",
        )
    return entries


def _one_file(parent: int, name: str, path: str) -> Iterator[TreeFile]:
    descriptor = _open_at(path, name, _OPEN_FILE, parent)
    try:
        # Asked of the open descriptor: the name may have been swapped since it was listed.
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise _not_a_file(path, link=False)
        yield TreeFile(path, bool(mode & stat.S_IXUSR), descriptor)
    finally:
        os.close(descriptor)


def _checked_path(prefix: str, name: str) -> str:
    path = prefix + name
    try:
        length = len(path.encode("utf-8"))
    except UnicodeEncodeError:
        raise InvalidSkill(f"file name {path!r} is not UTF-8", hint="rename the file") from None
    if length > PATH_BYTES_MAX:
        raise InvalidSkill(f"path longer than {PATH_BYTES_MAX} bytes: {path[:80]}…")
    return path


def _unreadable(path: str, error: Exception) -> InvalidSkill:
    reason = getattr(error, "strerror", None) or str(error)
    return InvalidSkill(f"{path} can't be read", cause=reason)


def _not_a_file(path: str, *, link: bool) -> InvalidSkill:
    return InvalidSkill(
        f"{path} is {'a symbolic link' if link else 'a special file'}",
        cause="a skill holds regular files and folders only",
        hint="replace it by a copy of what it points to",
    )
