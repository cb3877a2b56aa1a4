"""How many workers are kept warm: what ran at once lately, and one more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from skilllite_sandbox.backend.pool_size import WINDOW_S, PoolSize

MOST = 4


def test_before_the_first_run_nothing_is_kept() -> None:
    assert PoolSize(MOST).target(0.0) == 0


def test_one_caller_gets_two() -> None:
    size = PoolSize(MOST)

    for now_s in range(5):
        size.started(float(now_s))
        size.finished()

    assert size.target(5.0) == 2


def test_a_peak_counts_for_a_while_and_no_longer() -> None:
    size = PoolSize(MOST)
    for _ in range(3):
        size.started(0.0)
    for _ in range(3):
        size.finished()
    size.started(WINDOW_S / 2)
    size.finished()

    assert size.target(WINDOW_S) == 4
    assert size.target(WINDOW_S + 0.1) == 2
    assert size.target(2 * WINDOW_S) == 0


def test_no_crowd_exceeds_the_bound() -> None:
    size = PoolSize(MOST)

    for _ in range(100):
        size.started(0.0)

    assert size.target(0.0) == MOST


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 3)), max_size=300))
def test_it_is_the_highest_of_the_window_and_one_more(steps: list[tuple[bool, float]]) -> None:
    size, running, now_s = PoolSize(10**6), 0, 0.0
    peaks: list[tuple[float, int]] = []

    for starts, later_s in steps:
        now_s += later_s
        if starts:
            running += 1
            size.started(now_s)
            peaks.append((now_s, running))
        elif running:
            running -= 1
            size.finished()
        recent = [peak for at_s, peak in peaks if now_s - at_s <= WINDOW_S]
        # What is kept of old peaks is bounded, so that a very uneven crowd may be forgotten early.
        if len(recent) <= 64:
            assert size.target(now_s) == (max(recent) + 1 if recent else 0)
