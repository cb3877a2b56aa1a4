"""What the runs of this process take from the machine, measured from outside.

Samples every process that descends from this one. What starts and ends between two samples is
missed, so a figure here is a lower bound; attacks hold what they got for longer than a sample.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from skilllite_sandbox.policy import MIB

SAMPLE_EVERY_S = 0.05  # a sample of 200 processes takes 5 ms; attacks hold for 0.5 s
_JOIN_S = 5.0
_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / MIB
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """Figures of one process."""

    parent: int
    cpu_s: float
    threads: int
    resident_mib: float
    """What parent and child share after a fork counts twice."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The most that was seen at one moment above the moment before the run, and CPU in sum."""

    memory_mib: float = 0.0
    tasks: int = 0
    cpu_s: float = 0.0


class Meter:
    """Measures while its block runs."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_over, daemon=True)
        self._before = _descendants(os.getpid())
        self._memory_mib = 0.0
        self._tasks = 0
        self._cpu_s: dict[int, float] = {}

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(_JOIN_S)

    @property
    def taken(self) -> Taken:
        """What was seen up to now."""
        memory_mib = sum(process.resident_mib for process in self._before.values())
        tasks = sum(process.threads for process in self._before.values())
        cpu_s = sum(
            seen_s - (self._before[pid].cpu_s if pid in self._before else 0.0)
            for pid, seen_s in self._cpu_s.items()
        )
        return Taken(max(0.0, self._memory_mib - memory_mib), max(0, self._tasks - tasks), cpu_s)

    def _sample_until_over(self) -> None:
        while not self._over.wait(SAMPLE_EVERY_S):
            processes = _descendants(os.getpid())
            resident = sum(process.resident_mib for process in processes.values())
            threads = sum(process.threads for process in processes.values())
            self._memory_mib = max(self._memory_mib, resident)
            self._tasks = max(self._tasks, threads)
            for pid, process in processes.items():
                self._cpu_s[pid] = process.cpu_s


def _descendants(ancestor: int) -> dict[int, Process]:
    found = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 # twenty times a second
        if name.isdecimal() and (process := _read(name)) is not None:
            found[int(name)] = process
    below = {ancestor}
    children: dict[int, list[int]] = {}
    for pid, process in found.items():
        children.setdefault(process.parent, []).append(pid)
    waiting = [ancestor]
    while waiting:
        for child in children.get(waiting.pop(), []):
            if child not in below:
                below.add(child)
                waiting.append(child)
    return {pid: found[pid] for pid in below - {ancestor} if pid in found}


def _read(pid: str) -> Process | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None  # it ended meanwhile
    # The name stands in parentheses and may hold any character.
    fields = stat.rpartition(")")[2].split()
    return Process(
        parent=int(fields[1]),
        cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS,
        threads=int(fields[17]),
        resident_mib=int(pages[1]) * _PAGE_MIB,
    )
