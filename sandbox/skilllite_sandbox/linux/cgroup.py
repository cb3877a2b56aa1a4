"""One control group for one run: the kernel counts the whole tree and bounds its memory.

Version 2 and the hierarchies of version 1 may stand side by side, so what counts memory and what
counts processor time are two directories that may be one. A group lives as long as its run; its
name says which process made it, so that one left behind by a killed host is found and removed.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import suppress

from skilllite_sandbox.linux.cgroup_home import Home, Place, new_name
from skilllite_sandbox.linux.tree import descendants
from skilllite_sandbox.policy import Limits
from skilllite_sandbox.values import dataclass

ATTACH_ROUNDS_MAX = 16  # of looking for processes that are not in the group yet; one finds none
_KILL_ROUNDS_MAX = 64  # of killing what is still in a group without `cgroup.kill`
_DEATH_S = 0.001  # of one of them; the next round kills it again
_PROCESSES_READ_MAX = 1 << 16  # bytes of a list of processes: thousands of them


@dataclass(frozen=True, slots=True)
class Counted:
    """What a group has counted so far."""

    cpu_s: float | None
    """Of every process that was ever in it; None when nobody counts it."""
    out_of_memory: bool
    """Whether the kernel killed a process for the limit on memory."""


class RunGroup:
    """The group of one run: made empty, filled before the skill runs, gone with it."""

    def __init__(self, home: Home, limits: Limits) -> None:
        """Make it; raises OSError when that can't be done, and leaves nothing behind."""
        name = new_name()
        self.home = home
        self._memory = _below(home.memory, name)
        self._cpu = _below(home.cpu, name)
        self._directories = tuple(
            dict.fromkeys(each.directory for each in (self._memory, self._cpu) if each is not None)
        )
        self._unified = next(
            (each.directory for each in (self._cpu, self._memory) if each and each.version == 2), ""
        )
        """Where `cgroup.kill` is; empty on a host with version 1 alone."""
        try:
            for directory in self._directories:
                os.mkdir(directory, 0o755)
            if self._memory is not None:
                # The scratch lives in memory too, and has a bound of its own.
                _limit_memory(self._memory, limits.memory_bytes + limits.scratch_bytes)
        except OSError:
            self.remove()
            raise

    def attach(self, root: int) -> None:
        """Put a process and all that it started into the group.

        Raises:
            OSError: the kernel refuses, or the process is gone.
            TimeoutError: it starts processes faster than they can be moved.
        """
        self._move(root)
        moved = {root}
        for _ in range(ATTACH_ROUNDS_MAX):
            waiting = set(descendants(root)) - moved
            if not waiting:
                return
            for pid in waiting:
                with suppress(ProcessLookupError):
                    self._move(pid)
            moved |= waiting
        raise TimeoutError("a tree grows faster than it can be moved into its group")

    def processes(self) -> list[int]:
        """Return the process ids in it."""
        found = _read(self._directories[0], "cgroup.procs", _PROCESSES_READ_MAX).split()
        return [int(pid) for pid in found if pid != "0"]  # 0: outside our process namespace

    def counted(self) -> Counted:
        """Return what it has counted so far."""
        return Counted(self._cpu_s(), self._memory is not None and _oom_kills(self._memory) > 0)

    def kill(self) -> None:
        """Kill every process in it."""
        if self._unified:
            with suppress(OSError):  # kernels before 5.14 have no such file
                _write(self._unified, "cgroup.kill", "1")
                return
        for _ in range(_KILL_ROUNDS_MAX):
            with suppress(OSError):
                pids = self.processes()
                if not pids:
                    return
                for pid in pids:
                    self._kill_member(pid)

    def remove(self) -> bool:
        """Remove it, and return whether it is gone: a dying process keeps it a moment longer."""
        self._directories = tuple(filter(_remains, self._directories))
        return not self._directories

    def _move(self, pid: int) -> None:
        for directory in self._directories:
            _write(directory, "cgroup.procs", str(pid))

    def _cpu_s(self) -> float | None:
        if self._cpu is None:
            return None
        if self._cpu.version == 1:
            return int(_read(self._cpu.directory, "cpuacct.usage")) / 1e9
        return _field(_read(self._cpu.directory, "cpu.stat"), "usage_usec") / 1e6

    def _kill_member(self, pid: int) -> None:
        """Kill it if it still is one: the number may be somebody else's meanwhile."""
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return
        try:
            if pid in self.processes():
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                select.select([descriptor], [], [], _DEATH_S)
        except OSError:
            pass
        finally:
            os.close(descriptor)


def _below(place: Place | None, name: str) -> Place | None:
    return Place(f"{place.directory}/{name}", place.version) if place is not None else None


def _limit_memory(place: Place, most: int) -> None:
    """Bound it without swap, which would only move the excess elsewhere."""
    if place.version == 1:
        _write(place.directory, "memory.limit_in_bytes", str(most))
        with suppress(OSError):  # not every kernel counts swap
            _write(place.directory, "memory.memsw.limit_in_bytes", str(most))
        return
    _write(place.directory, "memory.max", str(most))
    for name, value in (("memory.swap.max", "0"), ("memory.oom.group", "1")):
        with suppress(OSError):
            _write(place.directory, name, value)


def _oom_kills(place: Place) -> int:
    name = "memory.oom_control" if place.version == 1 else "memory.events"
    return _field(_read(place.directory, name), "oom_kill")


def _remains(directory: str) -> bool:
    try:
        os.rmdir(directory)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _field(text: str, name: str) -> int:
    return next((int(value) for key, value in _pairs(text) if key == name), 0)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        yield key, value


def _read(directory: str, name: str, most: int = 4096) -> str:
    descriptor = os.open(f"{directory}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, most).decode("ascii")
    finally:
        os.close(descriptor)


def _write(directory: str, name: str, text: str) -> None:
    descriptor = os.open(f"{directory}/{name}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode("ascii"))
    finally:
        os.close(descriptor)
