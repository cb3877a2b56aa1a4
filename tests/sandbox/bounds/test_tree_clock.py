"""When a tree is looked at, and what a look means. No process and no real time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skilllite_sandbox.bounds.tree_clock import FIRST_S, LEAST_S, MOST_S, TreeClock
from skilllite_sandbox.outcome import Reason
from skilllite_sandbox.policy import DEFAULT_LIMITS, MIB

LIMITS = replace(DEFAULT_LIMITS, memory_bytes=512 * MIB, cpu_s=30)


def look(
    clock: TreeClock,
    at_s: float = 1.0,
    cost_s: float = 0.0,
    cpu_s: float = 0.0,
    memory: int | None = 0,
) -> Reason | None:
    return clock.looked(began_s=at_s - cost_s, ended_s=at_s, cpu_s=cpu_s, memory_bytes=memory)


def test_a_run_that_is_over_soon_is_never_looked_at() -> None:
    assert TreeClock(LIMITS, 2, 10.0).due_s == 10.0 + FIRST_S


def test_a_small_tree_is_looked_at_as_seldom_as_the_kill_allows() -> None:
    clock = TreeClock(LIMITS, 2, 0.0)

    assert look(clock) is None

    assert clock.due_s == 1.0 + MOST_S
    assert MOST_S < 0.2, "what is over a bound has to be gone 0.2 s later"


def test_a_tree_close_to_its_memory_is_looked_at_more_often() -> None:
    clock = TreeClock(LIMITS, 2, 0.0)

    assert look(clock, memory=500 * MIB) is None

    assert clock.due_s == pytest.approx(1.0 + LEAST_S)


def test_a_tree_close_to_its_time_is_looked_at_when_it_may_be_over() -> None:
    clock = TreeClock(LIMITS, 4, 0.0)

    assert look(clock, cpu_s=29.8) is None

    assert clock.due_s == pytest.approx(1.0 + 0.05)


def test_a_look_that_costs_much_is_followed_by_a_pause() -> None:
    clock = TreeClock(LIMITS, 2, 0.0)

    look(clock, memory=500 * MIB, cost_s=0.02)

    assert clock.due_s == pytest.approx(1.0 + 0.08)


def test_at_the_bound_on_memory_is_within_and_a_byte_more_is_not() -> None:
    clock = TreeClock(LIMITS, 2, 0.0)

    assert look(clock, memory=LIMITS.memory_bytes) is None
    assert look(clock, memory=LIMITS.memory_bytes + 1) is Reason.MEMORY


def test_at_the_bound_on_time_is_over() -> None:
    clock = TreeClock(LIMITS, 2, 0.0)

    assert look(clock, cpu_s=29.99) is None
    assert look(clock, cpu_s=30.0) is Reason.CPU


def test_memory_that_the_kernel_bounds_is_not_judged() -> None:
    clock = TreeClock(LIMITS, 2, 0.0)

    assert look(clock, memory=None) is None

    assert clock.due_s == 1.0 + MOST_S
