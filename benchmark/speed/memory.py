"""What trees of processes take: shared pages by share (PSS), and what is private to each process.

Read from `/proc`, one process after the other, so a tree that changes meanwhile is seen in between
two states. What can't be read makes the figure unknown, never smaller.
"""

from __future__ import annotations

import ctypes
import errno
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

KIB = 1024
SAMPLE_S = 0.02  # between two looks at a tree
WORKER_DEPTH = 2
_KCMP = {"x86_64": 312, "aarch64": 272}
_KCMP_VM = 1
_libc = ctypes.CDLL(None, use_errno=True)
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
    depth: int
    """How many process namespaces it is further in than this process."""
    is_first: bool
    """Whether it is the first process of its namespace."""
    namespace: str
    shares_memory: bool
    """Whether its address space is its parent's; then it takes nothing itself."""


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
            process = _read_process(pid, *parents[pid])
            if process is not None:
                found.append(process)
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
    """Return the workers in the tree of a sandbox at rest: what is two namespaces further in.

    The zygote has a process namespace, and each of its workers one inside that. What shares the
    memory of the zygote has none of its own.
    """
    workers: dict[str, list[Process]] = {}
    for process in tree:
        if process.depth == WORKER_DEPTH:
            workers.setdefault(process.namespace, []).append(process)
    return [
        WarmWorker(
            first_bytes=sum(each.private_bytes for each in worker if each.is_first),
            second_bytes=sum(each.private_bytes for each in worker if not each.is_first),
        )
        for worker in workers.values()
    ]


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


def _read_process(pid: int, parent: int, name: str) -> Process | None:
    """Return what there is to know; None when the process is gone."""
    try:
        sizes = _sizes(Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii"))
        numbers = _numbers_in_namespaces(Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
        namespace = os.readlink(f"/proc/{pid}/ns/pid")  # noqa: PTH115 - as above
        shares_memory = _share_memory(pid, parent)
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError as error:
        raise Unreadable(f"process {pid} can't be read, root could: {error.strerror}") from error
    own = not shares_memory
    return Process(
        pid=pid,
        parent=parent,
        name=name,
        pss_bytes=sizes.get("Pss", 0) * own,
        private_bytes=sum(sizes.get(part, 0) for part in _PRIVATE) * own,
        depth=len(numbers) - 1,
        is_first=numbers[-1] == 1,
        namespace=namespace,
        shares_memory=shares_memory,
    )


def _sizes(text: str) -> dict[str, int]:
    sizes = {}
    for line in text.splitlines()[1:]:
        name, _, rest = line.partition(":")
        sizes[name] = int(rest.split()[0]) * KIB
    return sizes


def _numbers_in_namespaces(status: str) -> list[int]:
    """Return the numbers of a process, from the namespace of this procfs inwards."""
    line = next(line for line in status.splitlines() if line.startswith("NSpid:"))
    return [int(number) for number in line.split()[1:]]


def _share_memory(pid: int, parent: int) -> bool:
    """Return whether two processes have one address space (kcmp(2)).

    A kernel that can't tell has them counted as two: too much, never too little.
    """
    call = _KCMP.get(os.uname().machine)
    if call is None or parent == 0:
        return False
    result = _libc.syscall(call, pid, parent, _KCMP_VM, 0, 0)
    if result >= 0:
        return bool(result == 0)
    number = ctypes.get_errno()
    if number == errno.ENOSYS:
        return False
    raise OSError(number, os.strerror(number))
