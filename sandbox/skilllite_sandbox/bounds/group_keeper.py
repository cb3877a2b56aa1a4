"""Puts a run into a control group of its own and removes the group after it, in a thread beside it.

Moving a process makes the kernel wait until every processor has passed a quiet point: 10 ms and
more, longer than most runs take. Nobody should wait for that. So the group takes over while the run
goes on, and what was taken before that, and isn't counted there, is seen by looking at the tree,
which goes on as well. A run that is over first never gets a group.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from skilllite_sandbox.linux.cgroup import RunGroup
from skilllite_sandbox.linux.cgroup_home import Home, find_home
from skilllite_sandbox.policy import Bounded, Limits, TreeBound

DEATH_S = 10.0  # until a group of killed processes is empty; it takes a millisecond or two
_STEP_FIRST_S = 0.001
_STEP_MOST_S = 0.05


class Groups:
    """Where one sandbox has the control groups of its runs. Safe to use from several threads."""

    def __init__(self) -> None:
        """Find out where groups can be made."""
        self._home: Home | None = find_home()
        self._lock = threading.Lock()
        self._keepers: set[GroupKeeper] = set()

    def bound(self) -> TreeBound:
        """Return who bounds a tree that runs for a while."""
        memory = self._home is not None and self._home.memory is not None
        cpu = self._home is not None and self._home.cpu is not None
        return TreeBound(
            Bounded.CGROUP if memory else Bounded.SUPERVISED,
            Bounded.CGROUP if cpu else Bounded.SUPERVISED,
        )

    def keep(self, root: int, limits: Limits) -> GroupKeeper | None:
        """Have a run's processes put into a group; None where there can be none."""
        if self._home is None:
            return None
        keeper = GroupKeeper(self._home, root, limits)
        with self._lock:
            self._keepers = {each for each in self._keepers if each.is_alive()} | {keeper}
            keeper.start()
        return keeper

    def close(self) -> None:
        """Wait until every group is removed; all runs are over."""
        with self._lock:
            keepers, self._keepers = self._keepers, set()
        for keeper in keepers:
            keeper.finish()
            keeper.join(DEATH_S)


class GroupKeeper(threading.Thread):
    """Makes, fills and removes the group of one run."""

    def __init__(self, home: Home, root: int, limits: Limits) -> None:
        # A host that ends without waiting for its runs isn't held up; the next removes the group.
        super().__init__(name="skilllite-group", daemon=True)
        self.home = home
        self.filled: RunGroup | None = None
        """The group, once everything of the run is in it."""
        self._root = root
        self._limits = limits
        self._over = threading.Event()

    def finish(self) -> None:
        """Have the group removed: the run is over and dies, or is dead."""
        self._over.set()

    def run(self) -> None:
        """Live as long as the run, and until the group is removed."""
        try:
            group = RunGroup(self.home, self._limits)
        except OSError:
            return  # the tree is looked at, and the outcome says so
        if not self._over.is_set():
            with suppress(OSError):  # also TimeoutError, and a run that is over
                group.attach(self._root)
                self.filled = group
        self._over.wait()
        deadline = time.monotonic() + DEATH_S
        step_s = _STEP_FIRST_S
        while not group.remove() and time.monotonic() < deadline:
            time.sleep(step_s)
            step_s = min(step_s * 2, _STEP_MOST_S)
