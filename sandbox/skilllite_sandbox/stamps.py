"""Whether a directory still holds what it held: by what the file system says, without reading it.

A stamp is what `lstat` tells of every path below a directory. Equal stamps mean equal content as
long as each change moves a timestamp that nobody can set back: ctime. The kernel's clock for these
is coarse, so a file changed right after it was read can keep the ctime it had. A stamp is therefore
only worth keeping when everything in it was quiet for a while before it was taken (git calls the
others racy).
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from pathlib import Path
    from typing import TypeAlias

QUIET_NS = 50_000_000  # far above a tick of the kernel's clock, 1 to 10 ms
KNOWN_MAX = 256  # directories; each is some kilobytes
ENTRIES_MAX = 10_001  # as many as a skill may have, and its own folder; more is not stamped

Stamp: TypeAlias = tuple[tuple[object, ...], ...]


def stamp_of(directory: str | Path) -> Stamp:
    """Return the stamp of a directory.

    Raises:
        OSError: it can't be read.
    """
    top = os.stat(directory)  # noqa: PTH116
    stamps: list[tuple[object, ...]] = [("", top.st_dev, top.st_ino, top.st_mode, top.st_ctime_ns)]
    folders = [os.fspath(directory)]
    while folders:
        with os.scandir(folders.pop()) as found:
            for item in found:
                status = item.stat(follow_symlinks=False)
                facts = (status.st_ino, status.st_mode, status.st_size)
                stamps.append((item.path, *facts, status.st_mtime_ns, status.st_ctime_ns))
                if item.is_dir(follow_symlinks=False):
                    folders.append(item.path)
        if len(stamps) > ENTRIES_MAX:
            raise OSError("more files than a skill may have")
    stamps[1:] = sorted(stamps[1:])
    return tuple(stamps)


def is_quiet(stamp: Stamp, taken_ns: int) -> bool:
    """Return whether nothing in a stamp was changed shortly before it was taken."""
    return all(int(str(facts[-1])) < taken_ns - QUIET_NS for facts in stamp)


class KnownDigests:
    """Remembers which digest a directory had, as long as its stamp stays. Of one process."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Stamp, str]] = OrderedDict()

    def digest_of(self, directory: str | Path) -> str | None:
        """Return the digest of a directory that is as it was; None when it has to be read."""
        seen = self.seen(directory)
        return None if seen is None else seen[1]

    def seen(self, directory: str | Path) -> tuple[Stamp, str] | None:
        """Return the same with the stamp it goes by, the same object as long as nothing changes."""
        found = self._known.get(os.fspath(directory))
        if found is None:
            return None
        try:
            return found if stamp_of(directory) == found[0] else None
        except OSError:
            return None

    def before_reading(self, directory: str | Path) -> tuple[Stamp, int] | None:
        """Return what `remember` needs, taken before the content is read."""
        taken_ns = time.time_ns()
        try:
            return stamp_of(directory), taken_ns
        except OSError:
            return None

    def remember(
        self, directory: str | Path, before: tuple[Stamp, int] | None, digest: str
    ) -> None:
        """Keep the digest that was read after `before`, unless a change could hide."""
        if before is None or not is_quiet(*before):
            return
        self._known[os.fspath(directory)] = (before[0], digest)
        while len(self._known) > KNOWN_MAX:
            try:
                self._known.popitem(last=False)
            except KeyError:  # another thread was quicker
                break
