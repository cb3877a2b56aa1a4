"""Small private files of JSON, one a record: read whole, written whole, used up by removing them.

Whoever removes a file has it, and nobody else: that is what makes a consent single-use, whichever
processes want it at the same moment. A file that isn't this user's alone, or isn't what it should
be, is renamed to `*.corrupt-TIME` and reported, and counts as not there.
"""

# Strings, not pathlib: a run at level 3 may come through here.
# ruff: noqa: PTH116, PTH120, PTH104, PTH103, PTH108, PTH208

from __future__ import annotations

import contextlib
import json
import os
import stat
import time

from skilllite_sandbox.errors import KeyUnusable

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

RECORD_BYTES_MAX = 256 * 1024  # the findings of a report at their bounds
SUFFIX = ".json"
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Records:
    """One directory of records by name. Names are made by this program, never taken from others."""

    def __init__(self, directory: str, on_damage: Callable[[str], None]) -> None:
        """Take a directory, which need not exist, and who is told of damage."""
        self._directory = directory
        self._on_damage = on_damage

    def read(self, name: str) -> dict[str, Any] | None:
        """Return a record; None when there is none that can be trusted."""
        file = self._file(name)
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._set_aside(file, error.strerror or str(error))
            return None
        try:
            if problem := _problem_of(os.fstat(descriptor)) or self._problem_of_directory():
                self._set_aside(file, problem)
                return None
            data = os.read(descriptor, RECORD_BYTES_MAX + 1)
        finally:
            os.close(descriptor)
        try:
            record = json.loads(data)
        except (ValueError, RecursionError):
            self._set_aside(file, "it is not JSON")
            return None
        if not isinstance(record, dict):
            self._set_aside(file, "it is not a record")
            return None
        return record

    def write(self, name: str, record: dict[str, Any]) -> None:
        """Put a record in its place, whole and on the disk.

        Raises:
            KeyUnusable: it can't be written, or others could write there too.
        """
        file = self._file(name)
        temporary = f"{self._directory}/.{name}.{os.getpid()}.{time.monotonic_ns():x}.new"
        try:
            # By itself: the mode is for the last one only.
            os.makedirs(os.path.dirname(self._directory), mode=0o700, exist_ok=True)
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            if problem := self._problem_of_directory():
                raise KeyUnusable(
                    f"{self._directory} can't be trusted",
                    cause=problem,
                    hint=f"look at what is in it, then remove it: rm -r {self._directory}",
                )
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(temporary, flags, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                    json.dump(record, stream)
                    stream.flush()
                    os.fsync(descriptor)
                os.rename(temporary, file)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
            self._sync()
        except OSError as error:
            raise KeyUnusable(
                f"can't write {file}",
                cause=error.strerror or str(error),
                hint="it must be yours, writable, and on a disk with free space",
            ) from None

    def take(self, name: str) -> bool:
        """Remove a record; return whether it was this call that removed it."""
        try:
            os.unlink(self._file(name))
        except OSError:
            return False
        self._sync()
        return True

    def names(self) -> list[str]:
        """Return the names of all records, sorted."""
        try:
            found = os.listdir(self._directory)
        except OSError:
            return []
        return sorted(
            each.removesuffix(SUFFIX)
            for each in found
            if each.endswith(SUFFIX) and not each.startswith(".")
        )

    def reject(self, name: str, problem: str) -> None:
        """Set a record aside that has the wrong shape."""
        self._set_aside(self._file(name), problem)

    def _file(self, name: str) -> str:
        assert name and "/" not in name and not name.startswith("."), name
        return f"{self._directory}/{name}{SUFFIX}"

    def _problem_of_directory(self) -> str:
        facts = os.lstat(self._directory)
        if not stat.S_ISDIR(facts.st_mode):
            return "it is not a directory"
        above = os.stat(os.path.dirname(self._directory))
        if above.st_uid != os.geteuid() or above.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return "others can replace the directory that it is in"
        return _problem_of_owner(facts)

    def _set_aside(self, file: str, problem: str) -> None:
        aside = f"{file}.corrupt-{time.strftime('%Y%m%dT%H%M%S')}"
        try:
            os.rename(file, aside)
            where = f", it is now {aside}"
        except OSError:
            where = ""
        self._on_damage(f"{file} is not used: {problem}{where}")

    def _sync(self) -> None:
        with contextlib.suppress(OSError):
            descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _problem_of(facts: os.stat_result) -> str:
    if not stat.S_ISREG(facts.st_mode):
        return "it is not a file"
    if facts.st_size > RECORD_BYTES_MAX:
        return "it is too large"
    return _problem_of_owner(facts)


def _problem_of_owner(facts: os.stat_result) -> str:
    if facts.st_uid != os.geteuid():
        return f"it belongs to user {facts.st_uid}"
    if facts.st_mode & _OF_OTHERS:
        return f"it is open to other users (mode {stat.S_IMODE(facts.st_mode):04o})"
    return ""
