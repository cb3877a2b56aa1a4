"""What trees of processes take: shared pages by share (PSS), and what is private to each process.

Read from `/proc`, one process after the other, so a tree that changes meanwhile is seen in between
two states. What can't be read makes the figure unknown, never smaller.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

KIB = 1024
SAMPLE_S = 0.02  # between two looks at a tree
_PRIVATE = ("Private_Clean", "Private_Dirty", "Private_Hugetlb")


class Unreadable(Exception):
    """A process is there and can't be looked into; says which."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a tree."""

    pid: int
    parent: int
    name: str
    pss_bytes: int
    private_bytes: int


def read_tree(roots: Iterable[int], *, with_roots: bool = True) -> list[Process]:
    """Return these processes and all their descendants.

    Raises:
        Unreadable: one of them can't be looked into.
    """
    parents = _parents()
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in parents.items():
        children.setdefault(parent, []).append(pid)
    waiting, found = list(roots), []
    tops = frozenset(waiting)
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, [])
        if (with_roots or pid not in tops) and pid in parents:
            parent, name = parents[pid]
            memory = _memory_of(pid)
            if memory is not None:
                found.append(Process(pid, parent, name, *memory))
    return found


def pss_of(processes: Iterable[Process]) -> int:
    """Return what they take together."""
    return sum(process.pss_bytes for process in processes)


def peak_while(run: Callable[[], object], roots: Iterable[int], *, with_roots: bool) -> int:
    """Return the most that the tree took while `run` ran in another thread.

    Raises:
        Unreadable: one of its processes can't be looked into.
    """
    tops, peak = list(roots), 0
    failed: list[BaseException] = []

    def work() -> None:
        try:
            run()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        while thread.is_alive():
            peak = max(peak, pss_of(read_tree(tops, with_roots=with_roots)))
            time.sleep(SAMPLE_S)
    finally:
        thread.join()
    if failed:
        raise failed[0]
    return peak


@dataclass(frozen=True, slots=True)
class WarmWorker:
    """The two processes of a warm worker."""

    first_bytes: int
    """Private to the one that reaps and holds the namespace."""
    second_bytes: int
    """Private to the one that waits for a skill."""

    @property
    def private_bytes(self) -> int:
        """What the worker takes for itself."""
        return self.first_bytes + self.second_bytes


def warm_workers(tree: Iterable[Process]) -> list[WarmWorker]:
    """Return the warm workers of a quiet tree: the pairs at its ends, parent and only child.

    A zygote has workers as children and each of them has one; the launcher above them all has one
    child too, but that has children with children.
    """
    processes = list(tree)
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    parents = {process.pid: process.parent for process in processes}
    pairs = []
    for process in processes:
        below = children.get(process.pid, [])
        is_pair = len(below) == 1 and below[0].pid not in children
        # The zygote is in the tree, and so is the launcher above it.
        is_worker = parents.get(process.parent) in parents
        if is_pair and is_worker:
            pairs.append(WarmWorker(process.private_bytes, below[0].private_bytes))
    return pairs


def _parents() -> dict[int, tuple[int, str]]:
    found = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - once every 20 ms, without pathlib
        if not entry.isdigit():
            continue
        try:
            text = Path("/proc", entry, "stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The name is in parentheses and may contain anything, parentheses too.
        head, _, tail = text.rpartition(")")
        found[int(entry)] = (int(tail.split()[1]), head.partition("(")[2])
    return found


def _memory_of(pid: int) -> tuple[int, int] | None:
    """Return PSS and private bytes; None when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError as error:
        raise Unreadable(f"process {pid} can't be read, root could: {error.strerror}") from error
    sizes: dict[str, int] = {}
    for line in text.splitlines()[1:]:
        name, _, rest = line.partition(":")
        sizes[name] = int(rest.split()[0]) * KIB
    return sizes.get("Pss", 0), sum(sizes.get(name, 0) for name in _PRIVATE)
