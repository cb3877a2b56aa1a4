"""Which of the nodes that have a skill gets the task, and why.

Power of two choices: of two candidates drawn at random the less busy one, by queue pressure, then
by latency. Always taking the least busy of all would send every owner to the same node between two
pings; two draws spread nearly as well and never herd. This node is a candidate like the others,
with latency 0: of two equally busy nodes it keeps the task at home.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from skilllite_swarm.transport import Load


@dataclass(frozen=True, slots=True)
class Candidate:
    """A live node that has the skill and takes tasks."""

    node_id: str
    name: str
    load: Load
    latency_ms: float
    """0 for this node itself."""

    @property
    def pressure(self) -> Fraction:
        """Work in hand for each place: below 1 something is free, above 1 tasks wait."""
        # Exact, so that 1 of 3 and 2 of 6 are the same and latency decides.
        return Fraction(self.load.running + self.load.queued, max(1, self.load.capacity))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a task goes."""

    node_id: str
    why: str


def choose(
    candidates: Collection[Candidate],
    rng: random.Random,
    *,
    exclude: Collection[str] = (),
) -> Placement | None:
    """Return a place for one task, or None when no candidate is left.

    The same candidates and the same state of `rng` give the same place. `exclude` names nodes that
    were tried already or must not be.
    """
    eligible = sorted(
        (candidate for candidate in candidates if candidate.node_id not in exclude),
        key=lambda candidate: candidate.node_id,
    )
    if not eligible:
        return None
    if len(eligible) == 1:
        return Placement(eligible[0].node_id, f"{_described(eligible[0])}: the only one")
    better, other = sorted(rng.sample(eligible, 2), key=_order)
    return Placement(better.node_id, f"{_described(better)} before {_described(other)}")


def _order(candidate: Candidate) -> tuple[Fraction, float, str]:
    return candidate.pressure, candidate.latency_ms, candidate.node_id


def _described(candidate: Candidate) -> str:
    load = candidate.load
    waiting = f" + {load.queued} queued" if load.queued else ""
    return (
        f"{candidate.name} ({load.running} of {load.capacity} busy{waiting}, "
        f"{candidate.latency_ms:.1f} ms)"
    )
