"""Finds the place where this process may make control groups, by making one.

Where systemd runs, only what it delegated (`Delegate=yes`) is used: the rest of the hierarchy is
its own to write, a user's too. Elsewhere what can be written. A place that doesn't count
what is wanted is none; then the host watches the tree itself.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import suppress

from skilllite_sandbox.linux.tree import start_time
from skilllite_sandbox.values import dataclass

_NAME_START = "skilllite-"  # then the process that made it, its start time, and a number
_LEFTOVERS_MAX = 1024  # groups of dead hosts removed at one start
_ENTRIES_MAX = 1 << 16  # bytes of a list of mounts
_DELEGATED = ("trusted.delegate", "user.delegate")  # extended attributes that systemd sets
_SYSTEMD = "/run/systemd/system"  # there while it runs

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Place:
    """A group of ours that children can be made in."""

    directory: str
    version: int


@dataclass(frozen=True, slots=True)
class Home:
    """Where groups are made; None for what nobody counts there."""

    memory: Place | None
    cpu: Place | None

    def describe(self) -> str:
        """Return a clause for people."""
        found = (("memory", self.memory), ("cpu", self.cpu))
        return ", ".join(
            f"{name} by cgroup v{place.version}" for name, place in found if place is not None
        )


@dataclass(frozen=True, slots=True)
class Mounted:
    """One hierarchy, as far as this process sees it."""

    version: int
    controllers: frozenset[str]
    """Of version 1; version 2 says in each group what that offers."""
    point: str
    own: str
    """The directory of the group that this process is in."""


def new_name() -> str:
    """Return a name for a group that no other has."""
    pid = os.getpid()
    return f"{_NAME_START}{pid}-{start_time(pid)}-{next(_numbers)}"


def find_home() -> Home | None:
    """Return where groups can be made, tried out; None when there is no such place."""
    try:
        mounted = list(hierarchies(_text("/proc/self/mountinfo"), _text("/proc/self/cgroup")))
    except OSError:
        return None
    unified = [each for each in mounted if each.version == 2]
    memory = _first(unified, "memory") or _first(
        [each for each in mounted if "memory" in each.controllers], "memory.limit_in_bytes"
    )
    cpu = _first(unified, "") or _first(
        [each for each in mounted if "cpuacct" in each.controllers], "cpuacct.usage"
    )
    return Home(memory, cpu) if memory is not None or cpu is not None else None


def hierarchies(mountinfo: str, own: str) -> Iterator[Mounted]:
    """Read the mounted hierarchies and this process's place in each. Pure."""
    places: dict[str, str] = {}
    for line in own.splitlines():
        _, names, path = line.split(":", 2)
        places |= dict.fromkeys(names.split(","), path)
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        root, point = (_unescaped(field) for field in before.split(" ")[3:5])
        controllers = frozenset[str]()
        if kind == "cgroup2":
            group = places.get("")
        elif kind == "cgroup":
            controllers = frozenset(options.split(",")) & places.keys()
            group = places[next(iter(controllers))] if controllers else None
        else:
            continue
        inside = _relative(group, root) if group is not None else None
        if inside is not None:
            version = 2 if kind == "cgroup2" else 1
            yield Mounted(version, controllers, point, (point + inside).rstrip("/"))


def _relative(path: str, root: str) -> str | None:
    """Return the path below what is mounted; None when it isn't below."""
    if "/.." in path or root == "/":
        return None if "/.." in path else path
    inside = path.removeprefix(root)
    return inside if path.startswith(root) and inside[:1] in ("", "/") else None


def _unescaped(field: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, character)
    return field


def _first(found: list[Mounted], wanted: str) -> Place | None:
    """Return the first place that works; with version 2 also beside our own group."""
    for each in found:
        directories = [each.own]
        if each.version == 2 and each.own != each.point:
            # What holds processes itself can't hand a controller down; its parent can.
            directories.append(os.path.dirname(each.own))
        for directory in directories:
            if is_ours(directory) and _works(directory, each.version, wanted):
                _remove_leftovers(directory)
                return Place(directory, each.version)
    return None


def is_ours(directory: str) -> bool:
    """Return whether nobody else manages what is below this group."""
    if not os.access(directory, os.W_OK) or not os.access(f"{directory}/cgroup.procs", os.W_OK):
        return False
    if not os.path.isdir(_SYSTEMD):
        return True
    for name in _DELEGATED:
        with suppress(OSError):
            if os.getxattr(directory, name) == b"1":
                return True
    return False


def _works(directory: str, version: int, wanted: str) -> bool:
    """Make a group there and look whether it has what is wanted."""
    if version == 2 and wanted:
        with suppress(OSError):  # it has it already, or can't give it
            _write(f"{directory}/cgroup.subtree_control", f"+{wanted}")
        wanted = f"{wanted}.max"
    trial = f"{directory}/{new_name()}"
    try:
        os.mkdir(trial, 0o755)
    except OSError:
        return False
    try:
        return os.access(f"{trial}/{wanted or 'cpu.stat'}", os.R_OK) and os.access(
            f"{trial}/cgroup.procs", os.W_OK
        )
    finally:
        with suppress(OSError):
            os.rmdir(trial)


def _remove_leftovers(directory: str) -> None:
    """Remove the groups of hosts that are gone; what still holds a process can't be removed."""
    with suppress(OSError):
        names = [name for name in os.listdir(directory) if name.startswith(_NAME_START)]
        for name in names[:_LEFTOVERS_MAX]:
            pid, _, rest = name.removeprefix(_NAME_START).partition("-")
            started = rest.partition("-")[0]
            if pid.isdigit() and str(start_time(int(pid))) != started:
                with suppress(OSError):
                    os.rmdir(f"{directory}/{name}")


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read(_ENTRIES_MAX)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode("ascii"))
    finally:
        os.close(descriptor)
