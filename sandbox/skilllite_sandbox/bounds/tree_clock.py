"""When to look at a tree next, and what a look means. Pure: told the time and the use.

A tree that does nothing is looked at seldom, one that works often enough that it is stopped a
moment after it went over a bound. How much it can have grown since then follows from the interval:
a processor fills some gigabytes a second at most.
"""

from __future__ import annotations

from skilllite_sandbox.outcome import Reason
from skilllite_sandbox.policy import Limits

FIRST_S = 0.03  # most runs are over by then and are never looked at
LEAST_S = 0.02  # between looks: one takes about a millisecond
MOST_S = 0.12  # so that look, kill and death together stay within 0.2 s
GROWTH_BYTES_PER_S = 2 << 30  # that one processor fills, with the kernel clearing the pages
COST_FACTOR = 4.0  # a look that took long is followed by so many times its length without one


class TreeClock:
    """The looks at one tree."""

    def __init__(self, limits: Limits, processors: int, now_s: float) -> None:
        self._limits = limits
        self._processors = max(processors, 1)
        self.due_s = now_s + FIRST_S
        """When to look next, on the clock that `now_s` comes from."""

    def looked(
        self, *, began_s: float, ended_s: float, cpu_s: float, memory_bytes: int | None
    ) -> Reason | None:
        """Take in a look and plan the next one; return the bound that the tree is over.

        Args:
            began_s: When it began.
            ended_s: When it ended.
            cpu_s: What the tree has used so far.
            memory_bytes: What it holds; None when somebody else bounds that.
        """
        limits = self._limits
        if memory_bytes is not None and memory_bytes > limits.memory_bytes:
            return Reason.MEMORY
        if cpu_s >= limits.cpu_s:
            return Reason.CPU
        soonest_s = (limits.cpu_s - cpu_s) / self._processors
        if memory_bytes is not None:
            room = limits.memory_bytes - memory_bytes
            soonest_s = min(soonest_s, room / (GROWTH_BYTES_PER_S * self._processors))
        cost_s = (ended_s - began_s) * COST_FACTOR
        self.due_s = ended_s + min(max(soonest_s, LEAST_S, cost_s), MOST_S)
        return None
