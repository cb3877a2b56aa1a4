"""An attack as data: what it tries, in which languages, and by what the host can tell.

The first variant of every item is plain Python; it is the one that the table of twenty counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from benchmark.security.judgement import Bound, EffectKind
from benchmark.security.prelude import Language
from skilllite_sandbox.policy import DEFAULT_LIMITS, Limits

WALL_S = 20.0  # an attack takes 3 s at most, and this machine may be busy
CPU_LIMIT_S = 1
CPU_WANTED_S = 3.0  # above the limit and its grace together
MEMORY_WANTED_MIB = 768  # above the limit of 512, and survivable
PROCESSES_WANTED = 64  # above the limit of 32, and survivable

LIMITS = replace(DEFAULT_LIMITS, wall_s=WALL_S)


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to try it."""

    variant: str
    language: Language
    body: str
    """Source, to be put behind the language's prelude."""


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the comparison table."""

    name: str
    title: str
    proof: EffectKind
    """What the control has to have done for the item to mean anything."""
    attacks: tuple[Attack, ...]
    facts: tuple[str, ...] = ()
    """What the attacker is told beforehand, see `Lab.facts`. Never what it is to find out."""
    denials: frozenset[str] = frozenset()
    """Errors, besides the operating system's, by which a sandbox says no to this."""
    bounds: frozenset[Bound] = frozenset()
    """Bounds that end this attack rightly."""
    limits: Limits = field(default=LIMITS)
    visited: bool = False
    """Whether the host tries to reach a port during the run."""
    measured: bool = False
    """Whether the host measures what the run takes."""
    aftermath: bool = False
    """Whether a well-behaved run after it has to find everything as it was."""
