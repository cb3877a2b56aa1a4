"""Finds processes that are two names for one memory, so that it is counted once.

`vfork` and `posix_spawn` make such a process for the moment until it executes something, and every
figure of /proc shows the whole memory in both.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

_NUMBERS = {"x86_64": 312, "aarch64": 272}  # of kcmp(2)
_KCMP_VM = 1
COMPARED_MAX = 256  # processes; each is compared with all before it, a microsecond a pair


def distinct(pids: Iterable[int]) -> Iterator[int]:
    """Yield one process of each memory; those that can't be compared count as different."""
    import ctypes  # 5 ms, and only for a tree that may be over its bound

    number = _NUMBERS.get(os.uname().machine)
    kernel = ctypes.CDLL(None).syscall
    kernel.restype = ctypes.c_long
    found: list[int] = []
    for pid in pids:
        if number is not None and any(
            kernel(number, pid, other, _KCMP_VM, 0, 0) == 0 for other in found[:COMPARED_MAX]
        ):
            continue
        found.append(pid)
        yield pid
