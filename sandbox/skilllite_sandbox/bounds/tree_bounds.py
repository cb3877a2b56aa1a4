"""The bounds on one run's whole tree: who counts it, a control group or this process by looking.

Used by whoever starts the run, then by whoever waits for it, one after the other.
"""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import suppress

from skilllite_sandbox.bounds.tree_clock import TreeClock
from skilllite_sandbox.linux.cgroup import RunGroup
from skilllite_sandbox.linux.cgroup_home import Home, find_home
from skilllite_sandbox.linux.tree import Tree
from skilllite_sandbox.outcome import Reason
from skilllite_sandbox.plan import Plan
from skilllite_sandbox.policy import UNBOUNDED, Bounded, Level, TreeBound

LEFTOVERS_MAX = 1024  # groups that wait for their last process to die; it takes milliseconds


class Groups:
    """Where one sandbox has the control groups of its runs. Safe to use from several threads."""

    def __init__(self) -> None:
        """Find out where groups can be made."""
        self.home: Home | None = find_home()
        self._leftovers: deque[RunGroup] = deque(maxlen=LEFTOVERS_MAX)

    def bound(self) -> TreeBound:
        """Return who will bound a tree, as far as it can be known before."""
        if self.home is None:
            return TreeBound(Bounded.SUPERVISED, Bounded.SUPERVISED)
        return TreeBound(_by(self.home.memory is not None), _by(self.home.cpu is not None))

    def make(self, plan: Plan) -> TreeBounds:
        """Return the bounds of a run that is about to start."""
        self.collect()
        group = None
        if self.home is not None:
            with suppress(OSError):
                group = RunGroup(self.home, plan.limits)
        return TreeBounds(plan, self, group)

    def remove(self, group: RunGroup) -> None:
        """Remove a group whose run is over, now or at the next occasion."""
        group.kill()
        if not group.remove():
            self._leftovers.append(group)

    def collect(self) -> None:
        """Remove what could not be removed before."""
        for _ in range(len(self._leftovers)):
            with suppress(IndexError):
                self.remove(self._leftovers.popleft())


class TreeBounds:
    """The bounds of one run."""

    def __init__(self, plan: Plan, groups: Groups, group: RunGroup | None) -> None:
        self._plan = plan
        self._groups = groups
        self._group = group
        self._tree: Tree | None = None
        self._clock = TreeClock(plan.limits, os.cpu_count() or 1, time.monotonic())
        self.bound = UNBOUNDED
        """Who bounds it, once it was attached to."""

    def attach(self, root: int) -> None:
        """Bound everything below this process, and itself; called before the skill runs."""
        if root < 0:
            return  # the process never was, and the run fails for that
        self._let_go()
        memory = cpu = False
        if self._group is not None:
            try:
                self._group.attach(root)
                memory = self._group.home.memory is not None
                cpu = self._group.home.cpu is not None
            except OSError:  # also TimeoutError
                self._groups.remove(self._group)
                self._group = None
        if not (memory and cpu):
            with suppress(OSError):
                # A carrier is the root at levels 2 and 3, else it is the skill itself.
                self._tree = Tree(root, with_root=self._plan.level is Level.DIRECT)
        watched = Bounded.SUPERVISED if self._tree is not None else Bounded.NOT
        self.bound = TreeBound(
            Bounded.CGROUP if memory else watched, Bounded.CGROUP if cpu else watched
        )

    def due_in_s(self) -> float:
        """Return how long there is nothing to do."""
        return self._clock.due_s - time.monotonic()

    def check(self) -> Reason | None:
        """Look, if it is time; return the bound that the tree is over."""
        return self.look() if self.due_in_s() <= 0 else None

    def look(self) -> Reason | None:
        """Look now; return the bound that the tree is over."""
        began_s = time.monotonic()
        cpu_s = 0.0
        memory_bytes: int | None = None
        if self._group is not None:
            with suppress(OSError):
                counted = self._group.counted()
                if counted.out_of_memory:
                    return Reason.MEMORY
                cpu_s = counted.cpu_s or 0.0
        if self._tree is not None:
            usage = self._tree.look(self._plan.limits.memory_bytes)
            cpu_s = max(cpu_s, usage.cpu_s)
            if self.bound.memory is Bounded.SUPERVISED:
                memory_bytes = usage.memory_bytes
        return self._clock.looked(
            began_s=began_s, ended_s=time.monotonic(), cpu_s=cpu_s, memory_bytes=memory_bytes
        )

    def close(self) -> None:
        """Let go of everything; the run is over."""
        self._let_go()
        group, self._group = self._group, None
        if group is not None:
            self._groups.remove(group)

    def _let_go(self) -> None:
        if self._tree is not None:
            self._tree.close()
            self._tree = None


def _by(group: bool) -> Bounded:
    return Bounded.CGROUP if group else Bounded.SUPERVISED
