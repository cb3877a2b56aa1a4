"""Writing files that somebody else names, from an archive or a repository, into a new folder.

Each name is checked before anything is written, and what is written is counted: nothing but regular
files and folders below the root, within the bounds of tree.py. Two names that a file system without
upper and lower case would take for one are refused: which of the two is there would depend on it.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from skilllite_sandbox.errors import InvalidSkill
from skilllite_sandbox.policy import MIB
from skilllite_sandbox.tree import (
    PATH_BYTES_MAX,
    TREE_DEPTH_MAX,
    TREE_ENTRIES_MAX,
    ByteBudget,
    split_relative,
)

RATIO_MAX = 250  # unpacked to packed; text reaches 20, made to burst 1,000 and more
RATIO_FREE_BYTES = 16 * MIB  # less than this bursts nothing, whatever it was packed to


class Unpacker:
    """Takes names and contents, and writes those that are in order."""

    def __init__(self, root: Path, *, packed_bytes: int | None = None) -> None:
        """Take an empty folder, and how large the archive is that everything comes from."""
        self._root = root
        self._packed_bytes = packed_bytes
        self._budget = ByteBudget()
        self._written_bytes = 0
        self._count = 0
        self._folders: set[str] = set()
        self._seen: dict[str, str] = {}

    def add_folder(self, name: str) -> None:
        """Make a folder, and those above it.

        Raises:
            InvalidSkill: the name is not in order.
        """
        self._make_folders(self._checked(name))

    def add_file(self, name: str, chunks: Iterable[bytes], *, executable: bool) -> None:
        """Write a file.

        Raises:
            InvalidSkill: the name is not in order, is taken, or the content too large.
        """
        parts = self._checked(name)
        self._make_folders(parts[:-1])
        path = "/".join(parts)
        self._take(path)
        target = self._root / path
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(target, flags, 0o600), "wb") as file:
            for chunk in self._counted(chunks, path):
                file.write(chunk)
            os.fchmod(file.fileno(), 0o755 if executable else 0o644)

    def _checked(self, name: str) -> list[str]:
        parts = split_relative(name.removesuffix("/"))
        try:
            length = len(name.encode("utf-8"))
        except UnicodeEncodeError:
            raise InvalidSkill(f"archive holds a name that isn't UTF-8: {name[:80]!r}") from None
        if length > PATH_BYTES_MAX or len(parts) > TREE_DEPTH_MAX:
            raise InvalidSkill(f"archive holds a path that is too long or too deep: {name[:80]!r}")
        return parts

    def _make_folders(self, parts: list[str]) -> None:
        for end in range(1, len(parts) + 1):
            path = "/".join(parts[:end])
            if path not in self._folders:
                self._take(path)
                self._folders.add(path)
                (self._root / path).mkdir(mode=0o755)

    def _take(self, path: str) -> None:
        self._count += 1
        if self._count > TREE_ENTRIES_MAX:
            raise InvalidSkill(f"archive holds more than {TREE_ENTRIES_MAX} files and folders")
        folded = unicodedata.normalize("NFC", path).casefold()
        other = self._seen.get(folded)
        if other == path:
            raise InvalidSkill(f"archive holds {path[:80]!r} twice")
        if other is not None:
            raise InvalidSkill(
                f"archive holds {other[:80]!r} and {path[:80]!r}",
                cause="some file systems would take one for the other",
                hint="rename one of them",
            )
        self._seen[folded] = path

    def _counted(self, chunks: Iterable[bytes], path: str) -> Iterator[bytes]:
        for chunk in chunks:
            self._budget.charge(len(chunk), path)
            self._written_bytes += len(chunk)
            packed = self._packed_bytes
            if (
                packed is not None
                and self._written_bytes > RATIO_FREE_BYTES
                and self._written_bytes > RATIO_MAX * packed
            ):
                raise InvalidSkill(
                    f"archive unpacks to more than {RATIO_MAX} times its size",
                    cause=f"the limit was passed at {path}",
                )
            yield chunk
