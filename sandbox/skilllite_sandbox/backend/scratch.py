"""Removes what a run left in a directory, however deep and whatever its modes.

Not `shutil.rmtree`, which goes down as deep as the directories do: a skill can make thousands of
them in each other. Each directory is emptied where it is, and what it holds of directories is moved
up first, so that no path gets long. Nothing runs in it any more, so nothing changes meanwhile.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(place: str) -> None:
    """Remove a directory; what can't be removed stays, and the directory with it."""
    with suppress(OSError):
        top = os.open(place, _DIRECTORY)
        try:
            _empty(top)
        finally:
            os.close(top)
        os.rmdir(place)  # noqa: PTH106


def _empty(top: int) -> None:
    """Remove everything in a directory, level by level."""
    unlike_any = os.urandom(8).hex()
    number = 0
    while names := os.listdir(top):
        for name in names:
            if not _is_directory(top, name):
                os.unlink(name, dir_fd=top)
                continue
            _make_enterable(top, name)
            folder = os.open(name, _DIRECTORY, dir_fd=top)
            try:
                for child in os.listdir(folder):  # noqa: PTH208 - of a descriptor
                    if _is_directory(folder, child):
                        number += 1
                        _make_enterable(folder, child)
                        os.rename(
                            child, f"{unlike_any}-{number}", src_dir_fd=folder, dst_dir_fd=top
                        )
                    else:
                        os.unlink(child, dir_fd=folder)
            finally:
                os.close(folder)
            os.rmdir(name, dir_fd=top)


def _make_enterable(folder: int, name: str) -> None:
    """Undo it if a skill made a directory so that nobody can look into it; root can anyway."""
    if os.geteuid() != 0:
        os.chmod(name, stat.S_IRWXU, dir_fd=folder)


def _is_directory(folder: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
