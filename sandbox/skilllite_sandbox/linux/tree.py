"""The processes of one run as the host's /proc shows them: which they are, what they use.

Every read may race with a process that forks, ends, or is replaced by another one of its number.
So a look is an estimate from below that later looks correct, and nothing here raises for a process
that isn't there any more. A process is reached from its parent, down from a root whose directory in
/proc is held open; a number that belongs to somebody else meanwhile has another parent.

Whoever isn't allowed to read a process's memory map still reads its sizes and its times.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from skilllite_sandbox.linux.shared_memory import distinct
from skilllite_sandbox.values import dataclass

PROCESSES_MAX = 4096  # of one tree that are looked at; a run's own bound is far lower
_STAT_BYTES = 1024
_STATUS_BYTES = 8192
_CHILDREN_BYTES = 65536
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_KIB = 1024
_RESIDENT = frozenset({"RssAnon", "RssShmem", "VmSwap"})
_PROPORTIONAL = frozenset({"Pss_Anon", "Pss_Shmem", "SwapPss"})


@dataclass(frozen=True, slots=True)
class Process:
    """One process at one moment."""

    pid: int
    parent: int
    started: int
    """Ticks since the machine started: with the number it names one process for ever."""
    state: str
    """Z for one whose first thread is through."""
    threads: int
    own_cpu_s: float
    reaped_cpu_s: float
    """Of the children that it waited for, and of theirs."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tree uses."""

    processes: int
    cpu_s: float
    """Never falls; the dead included, as far as they were waited for or seen alive."""
    memory_bytes: int
    """Anonymous, shared and swapped memory; no files, which the kernel can drop."""


class Tree:
    """The tree below one process, which is its root and in it."""

    def __init__(self, root: int, *, with_root: bool) -> None:
        """Hold on to it; raises OSError when it can't be seen.

        Args:
            root: A process that isn't reaped yet.
            with_root: Whether its memory counts: not that of a carrier, which is no skill's.
        """
        self._root = root
        self._with_root = with_root
        self._place = os.open(f"/proc/{root}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._seen: dict[tuple[int, int], float] = {}
        """The processor time of each living process itself, at the last look."""
        self._gone_cpu_s = 0.0
        self._most_cpu_s = 0.0
        try:
            _read("children", self._place, f"task/{root}/children")
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of it."""
        if self._place >= 0:
            os.close(self._place)
            self._place = -1

    def look(self, memory_limit: int) -> Usage:
        """Return what it uses now; the memory exactly only when it may be above the limit."""
        found = list(_walk(self._root, self._place))
        found += self._missed({each.pid for each in found})
        counted = [
            _memory_holder(each) for each in found if self._with_root or each.pid != self._root
        ]
        memory = sum(_sizes(pid, "status", _RESIDENT) or 0 for pid in counted)
        if memory > memory_limit:
            # What a fork left shared is in each of them; here everybody has his share of it.
            memory = sum(_proportional(pid) for pid in distinct(counted))
        return Usage(len(found), self._cpu_s(found), memory)

    def _missed(self, found: set[int]) -> Iterator[Process]:
        """Yield those of the last look that live and were not found: lists change while read."""
        for pid, started in self._seen:
            if pid not in found:
                process = _process(pid)
                if process is not None and process.started == started:
                    yield process

    def _cpu_s(self, found: list[Process]) -> float:
        """Return the larger of two counts from below, and never less than before.

        What the living have used with the children they waited for misses children that nobody
        waits for; what every process had used when it was last seen misses those that lived
        between two looks.
        """
        now = {(each.pid, each.started): each.own_cpu_s for each in found}
        self._gone_cpu_s += sum(cpu for key, cpu in self._seen.items() if key not in now)
        self._seen = now
        waited = sum(each.own_cpu_s + each.reaped_cpu_s for each in found)
        self._most_cpu_s = max(self._most_cpu_s, waited, sum(now.values()) + self._gone_cpu_s)
        return self._most_cpu_s


def start_time(pid: int) -> int:
    """Return when a process started, in ticks since the machine did; -1 when there is none."""
    process = _process(pid)
    return process.started if process is not None else -1


def descendants(root: int) -> list[int]:
    """Return the processes below this one."""
    try:
        place = os.open(f"/proc/{root}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        return [each.pid for each in _walk(root, place) if each.pid != root]
    finally:
        os.close(place)


def _walk(root: int, place: int) -> Iterator[Process]:
    """Yield the processes of a tree, parents first, each once."""
    first = _process(root, place)
    if first is None:
        return
    known = {root}
    waiting = [first]
    while waiting and len(known) <= PROCESSES_MAX:
        process = waiting.pop()
        yield process
        for pid in _children(process, place if process.pid == root else None):
            if pid in known:
                continue
            child = _process(pid)
            # An orphan has moved to another one of the tree, a number used again has not.
            if child is not None and child.parent in known:
                known.add(pid)
                waiting.append(child)


def _children(process: Process, place: int | None) -> Iterator[int]:
    """Yield the children of all its threads."""
    base = f"/proc/{process.pid}/" if place is None else ""
    threads = [str(process.pid)]
    if process.threads > 1:
        with suppress(OSError):
            descriptor = os.open(f"{base}task", os.O_RDONLY | os.O_DIRECTORY, dir_fd=place)
            try:
                threads = os.listdir(descriptor)
            finally:
                os.close(descriptor)
    for thread in threads:
        with suppress(OSError):
            text = _read("children", place, f"{base}task/{thread}/children")
            yield from map(int, text.split())


def _process(pid: int, place: int | None = None) -> Process | None:
    try:
        text = _read("stat", place, "stat" if place is not None else f"/proc/{pid}/stat")
    except OSError:
        return None
    # The name is in parentheses and may hold anything, parentheses too.
    fields = text.rpartition(")")[2].split()
    own, reaped = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    return Process(
        pid=pid,
        parent=int(fields[1]),
        state=fields[0],
        started=int(fields[19]),
        threads=int(fields[17]),
        own_cpu_s=own / _TICKS_PER_S,
        reaped_cpu_s=reaped / _TICKS_PER_S,
    )


def _memory_holder(process: Process) -> int:
    """Return who to ask about its memory: a thread, when the first one is through already."""
    if process.state != "Z" or process.threads < 2:
        return process.pid
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{process.pid}/task"):
            if _sizes(int(thread), "status", _RESIDENT) is not None:
                return int(thread)
    return process.pid


def _proportional(pid: int) -> int:
    """Return its share of what it uses; its full size when the shares can't be read."""
    exact = _sizes(pid, "smaps_rollup", _PROPORTIONAL)
    return exact if exact is not None else _sizes(pid, "status", _RESIDENT) or 0


def _sizes(pid: int, name: str, wanted: frozenset[str]) -> int | None:
    """Return the sum of some sizes in bytes; None when they can't be read."""
    try:
        text = _read(name, None, f"/proc/{pid}/{name}")
    except OSError:
        return None
    total, found = 0, False
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key in wanted:
            total += int(value.split()[0])
            found = True
    return total * _KIB if found else None


_BYTES_MAX = {
    "stat": _STAT_BYTES,
    "status": _STATUS_BYTES,
    "smaps_rollup": _STATUS_BYTES,
    "children": _CHILDREN_BYTES,
}


def _read(kind: str, place: int | None, path: str) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=place)
    try:
        return os.read(descriptor, _BYTES_MAX[kind]).decode("utf-8", "replace")
    finally:
        os.close(descriptor)
