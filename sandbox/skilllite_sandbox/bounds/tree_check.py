"""Tries out what can bound a whole tree here, for `doctor`: with a process, as a run would."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress

from skilllite_sandbox.bounds.tree_clock import LEAST_S, MOST_S
from skilllite_sandbox.linux.cgroup import RunGroup
from skilllite_sandbox.linux.cgroup_home import Home, find_home
from skilllite_sandbox.linux.tree import Tree
from skilllite_sandbox.policy import DEFAULT_LIMITS

REMEDY = (
    "for bounds by the kernel itself, run the node as a service with Delegate=yes and "
    "DelegateSubgroup=node (systemd 254), or where a cgroup with the memory controller is writable"
)
_STEP_S = 0.002
_DEATH_S = 5.0  # of a killed process that waits for its input; it takes a millisecond


def tree_bounds() -> tuple[bool, str]:
    """Return whether the kernel bounds both memory and time of a tree, and what does."""
    home = find_home()
    if home is not None and not _holds_a_process(home):
        home = None
    looked = f"looked at every {LEAST_S * 1000:g} to {MOST_S * 1000:g} ms"
    if not _sees_processes():
        looked = "bounded for each process alone: /proc hides processes"
    if home is None:
        return False, f"trees are {looked}"
    complete = home.memory is not None and home.cpu is not None
    return complete, home.describe() + ("" if complete else f", else trees are {looked}")


def _holds_a_process(home: Home) -> bool:
    """Make a group, put a process in, kill it there, and remove the group."""
    try:
        group = RunGroup(home, DEFAULT_LIMITS)
    except OSError:
        return False
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as cat:
        try:
            group.attach(cat.pid)
            held = group.processes() == [cat.pid]
            group.kill()
            cat.wait(_DEATH_S)
        except (OSError, subprocess.TimeoutExpired):
            held = False
            with suppress(OSError):
                cat.kill()
    deadline = time.monotonic() + _DEATH_S
    while not group.remove() and time.monotonic() < deadline:
        time.sleep(_STEP_S)
    return held


def _sees_processes() -> bool:
    try:
        Tree(os.getpid(), with_root=True).close()
    except OSError:
        return False
    return True
