"""One node in one home: an exclusive `flock` decides, never the presence of a file.

The kernel drops the lock when the process dies, however it dies, so there is nothing to clean up
after a crash. The pid in the file is for the message only.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from skilllite.errors import NodeAlreadyRunning
from skilllite.home import Home

PID_BYTES_MAX = 32

ATTEMPTS = 3
"""`lock_is_held` holds the lock for an instant itself; that must not keep a node from starting."""
ATTEMPT_PAUSE_S = 0.05


@contextmanager
def hold_node_lock(home: Home) -> Iterator[None]:
    """Hold the home for the length of the block.

    Raises:
        NodeAlreadyRunning: another process holds it; the message names its pid.
    """
    descriptor = os.open(home.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _acquire(descriptor):
            raise NodeAlreadyRunning(
                f"a node is already running in {home.label}{_holder(descriptor)}",
                hint="use it, stop it with `skilllite node stop`, "
                "or set SKILLLITE_HOME to another directory",
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        # The file stays: unlinking it would let two nodes lock two files of one name.
        os.close(descriptor)


def lock_is_held(home: Home) -> bool:
    """Return whether some process holds the home right now."""
    try:
        descriptor = os.open(home.lock_file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _acquire(descriptor: int) -> bool:
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(ATTEMPT_PAUSE_S)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return True
    return False


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, PID_BYTES_MAX, 0).decode("ascii", "replace").strip()
    return f" (pid {text})" if text.isdigit() else ""
