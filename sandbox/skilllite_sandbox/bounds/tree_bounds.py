"""The bounds on one run's whole tree: looks at it, and gets it a control group where it can.

Used by whoever starts the run, then by whoever waits for it, one after the other.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from skilllite_sandbox.bounds.group_keeper import GroupKeeper, Groups
from skilllite_sandbox.bounds.tree_clock import TreeClock
from skilllite_sandbox.linux.tree import Tree
from skilllite_sandbox.outcome import Reason
from skilllite_sandbox.policy import Bounded, Limits, TreeBound


class TreeBounds:
    """The bounds of one run."""

    def __init__(self, limits: Limits, groups: Groups) -> None:
        self._limits = limits
        self._groups = groups
        self._keeper: GroupKeeper | None = None
        self._tree: Tree | None = None
        self._root = -1
        self._seen = False
        self._clock = TreeClock(limits, os.cpu_count() or 1, time.monotonic())

    @property
    def bound(self) -> TreeBound:
        """Who bounds it, as it turned out."""
        keeper = self._keeper
        home = keeper.home if keeper is not None and keeper.filled is not None else None
        seen = Bounded.SUPERVISED if self._seen else Bounded.NOT
        return TreeBound(
            Bounded.CGROUP if home is not None and home.memory is not None else seen,
            Bounded.CGROUP if home is not None and home.cpu is not None else seen,
        )

    def attach(self, root: int) -> None:
        """Bound everything below this process; called before the skill runs."""
        self.close()
        if root < 0:
            return  # the process never was, and the run fails for that
        with suppress(OSError):
            self._tree = Tree(root, with_root=False)  # a carrier's memory is no skill's
            self._seen = True
        self._root = root

    def due_in_s(self) -> float:
        """Return how long there is nothing to do."""
        return self._clock.due_s - time.monotonic()

    def check(self) -> Reason | None:
        """Look, if it is time; return the bound that the tree is over.

        The first time is when a group begins to be worth what it costs: most runs are over before.
        """
        if self.due_in_s() > 0:
            return None
        if self._keeper is None and self._root >= 0:
            self._keeper = self._groups.keep(self._root, self._limits)
            self._root = -1
        return self.look()

    def look(self) -> Reason | None:
        """Look now; return the bound that the tree is over."""
        began_s = time.monotonic()
        cpu_s, memory_bytes = 0.0, None
        group = self._keeper.filled if self._keeper is not None else None
        if group is not None:
            with suppress(OSError):
                counted = group.counted()
                if counted.out_of_memory:
                    return Reason.MEMORY
                cpu_s = counted.cpu_s or 0.0
        if self._tree is not None:
            # Also beside a group, which doesn't know what was taken before it was filled.
            usage = self._tree.look(self._limits.memory_bytes)
            cpu_s, memory_bytes = max(cpu_s, usage.cpu_s), usage.memory_bytes
        return self._clock.looked(
            began_s=began_s, ended_s=time.monotonic(), cpu_s=cpu_s, memory_bytes=memory_bytes
        )

    def close(self) -> None:
        """Let go of everything; the run is over."""
        if self._tree is not None:
            self._tree.close()
            self._tree = None
        if self._keeper is not None:
            self._keeper.finish()
