"""Two draws, the less busy one wins, and the reason is said."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from skilllite_swarm.placement import Candidate, choose
from skilllite_swarm.transport import Load


def candidate(
    node_id: str, running: int = 0, queued: int = 0, capacity: int = 4, latency_ms: float = 1.0
) -> Candidate:
    return Candidate(node_id, node_id.upper(), Load(running, queued, capacity), latency_ms)


def test_no_candidate_is_no_place() -> None:
    assert choose([], random.Random(1)) is None
    assert choose([candidate("a")], random.Random(1), exclude={"a"}) is None


def test_a_single_candidate_gets_it_however_busy() -> None:
    placement = choose([candidate("a", 4, 9)], random.Random(1))

    assert placement is not None
    assert placement.node_id == "a"
    assert placement.why == "A (4 of 4 busy + 9 queued, 1.0 ms): the only one"


def test_of_two_the_less_busy_wins_whatever_the_latency() -> None:
    busy, idle = candidate("a", 2, latency_ms=0.1), candidate("b", 1, latency_ms=50.0)

    for seed in range(20):
        placement = choose([busy, idle], random.Random(seed))
        assert placement is not None
        assert placement.node_id == "b"
        assert placement.why == "B (1 of 4 busy, 50.0 ms) before A (2 of 4 busy, 0.1 ms)"


def test_busy_is_measured_by_capacity() -> None:
    small, large = candidate("a", 1, capacity=1), candidate("b", 4, 2, capacity=8)

    placement = choose([small, large], random.Random(1))

    assert placement is not None
    assert placement.node_id == "b"


def test_equally_busy_nodes_are_told_apart_by_latency() -> None:
    here = candidate("z", 1, capacity=3, latency_ms=0.0)
    there = candidate("a", 2, capacity=6, latency_ms=0.4)

    placement = choose([here, there], random.Random(1))

    assert placement is not None
    assert placement.node_id == "z"


def test_a_node_without_capacity_does_not_divide_by_zero() -> None:
    nothing, free = candidate("a", 1, capacity=0), candidate("b")

    placement = choose([nothing, free], random.Random(1))

    assert placement is not None
    assert placement.node_id == "b"


def test_many_idle_nodes_share_the_work() -> None:
    rng = random.Random(7)
    candidates = [candidate(name) for name in "abcde"]

    chosen = Counter(
        placement.node_id for _ in range(1000) if (placement := choose(candidates, rng))
    )

    # The order among equals is fixed, so the last never wins a pair; every other gets a share.
    assert set(chosen) == set("abcd")
    assert min(chosen.values()) > 50


candidates = st.lists(
    st.builds(
        candidate,
        node_id=st.sampled_from("abcdefgh"),
        running=st.integers(0, 9),
        queued=st.integers(0, 9),
        capacity=st.integers(0, 9),
        latency_ms=st.floats(0, 1000),
    ),
    unique_by=lambda candidate: candidate.node_id,
)


@given(candidates, st.sets(st.sampled_from("abcdefgh")), st.integers(), st.randoms())
def test_the_place_is_eligible_repeatable_and_never_the_worst(
    offered: list[Candidate], exclude: set[str], seed: int, shuffler: random.Random
) -> None:
    eligible = [candidate for candidate in offered if candidate.node_id not in exclude]
    shuffled = list(offered)
    shuffler.shuffle(shuffled)

    placement = choose(offered, random.Random(seed), exclude=exclude)

    assert placement == choose(shuffled, random.Random(seed), exclude=exclude)
    assert (placement is None) == (not eligible)
    if placement is not None:
        chosen = {candidate.node_id: candidate for candidate in eligible}[placement.node_id]
        others = [candidate for candidate in eligible if candidate is not chosen]
        assert not others or chosen.pressure <= max(other.pressure for other in others)
