"""One environment as it lies on disk: its record, its count, and taking it from who built it.

What stands here is about a single directory; which there are, and when, is up to the store.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skilllite_sandbox.environment.lock import LockedPackage
from skilllite_sandbox.environment.requirements import Ecosystem
from skilllite_sandbox.errors import EnvironmentUnavailable

RECORD_NAME = "environment.json"
RECORD_BYTES_MAX = 1024 * 1024  # a thousand packages with their versions: a tenth of it

FOLDERS = {Ecosystem.PYTHON: "site-packages", Ecosystem.NODE: "node_modules"}
"""What of an environment a program imports from."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Installed packages, complete and read-only."""

    digest: str
    """In hexadecimal; the name of its directory."""
    path: Path
    ecosystem: Ecosystem
    packages: tuple[LockedPackage, ...]
    files: int
    size_bytes: int
    building_allowed: bool
    """Whether a person had allowed to run code of its packages to build them."""
    built_at: int
    """Seconds since the epoch."""

    @property
    def modules(self) -> Path:
        """The directory that a program imports from."""
        return self.path / FOLDERS[self.ecosystem]


class BadRecord(ValueError):
    """`environment.json` is not what was written there."""


def read_record(entry: Path) -> Environment:
    try:
        with (entry / RECORD_NAME).open("rb") as file:
            found: dict[str, Any] = json.loads(file.read(RECORD_BYTES_MAX))
        if found["schema"] != 1 or found["digest"] != entry.name:
            raise BadRecord
        return Environment(
            digest=entry.name,
            path=entry,
            ecosystem=Ecosystem(found["ecosystem"]),
            packages=tuple(LockedPackage(name, version) for name, version in found["packages"]),
            files=int(found["files"]),
            size_bytes=int(found["size_bytes"]),
            building_allowed=bool(found["building_allowed"]),
            built_at=int(found["built_at"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadRecord(str(error)) from None


def count_files(entry: Path) -> tuple[int, int]:
    """Return how many files the packages have, and their bytes."""
    files = size = 0
    folders = [str(entry / name) for name in FOLDERS.values() if (entry / name).is_dir()]
    while folders:
        with os.scandir(folders.pop()) as found:
            for item in found:
                if item.is_dir(follow_symlinks=False):
                    folders.append(item.path)
                else:
                    files += 1
                    size += item.stat(follow_symlinks=False).st_size
    return files, size


def make_read_only(root: Path) -> None:
    """Take everything back from the service user, and let everybody read it.

    No process of the installation is left, so nothing changes meanwhile. Links and special files
    have no place among packages: a link would be followed where the environment is shown.
    """
    owner, group = os.geteuid(), os.getegid()
    for folder, folders, names, descriptor in os.fwalk(root, follow_symlinks=False):
        for name in (*folders, *names):
            mode = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise EnvironmentUnavailable(
                    f"a package holds a link or a special file: {name[:80]!a}",
                    cause=f"found in {Path(folder).name[:80]!a}",
                    hint="ask for another version of it",
                )
            if stat.S_ISREG(mode):
                os.chown(name, owner, group, dir_fd=descriptor, follow_symlinks=False)
                os.chmod(name, 0o555 if mode & stat.S_IXUSR else 0o444, dir_fd=descriptor)
        os.fchown(descriptor, owner, group)
    for *_, descriptor in os.fwalk(root, topdown=False, follow_symlinks=False):
        os.fchmod(descriptor, 0o555)


def remove_tree(path: Path) -> None:
    """Remove a tree of read-only folders, whoever owns what is in it, following no link."""
    import shutil

    with contextlib.suppress(FileNotFoundError):
        for _, folders, _, descriptor in os.fwalk(path, follow_symlinks=False):
            with contextlib.suppress(OSError):
                os.fchmod(descriptor, 0o700)
            for name in folders:  # before the walk enters them
                with contextlib.suppress(OSError):
                    if stat.S_ISDIR(os.lstat(name, dir_fd=descriptor).st_mode):
                        os.chmod(name, 0o700, dir_fd=descriptor)
    shutil.rmtree(path, ignore_errors=True)
