"""Evidence of one attack in, a verdict out. Pure.

The rule that everything here serves: whoever claims that something was stopped has to show that the
attack ran and met a refusal. A crash, a missing program or a deadline of this harness is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from errno import EADDRINUSE, EINVAL, EMFILE, EPIPE


class EffectKind(StrEnum):
    """What an attack can do to a host, or learn of it."""

    FILE_READ = "file-read"
    KEY_READ = "key-read"
    ENVIRONMENT_READ = "environment-read"
    ACCOUNTS_READ = "accounts-read"
    DIRECTORY_READ = "directory-read"
    FILE_WRITTEN = "file-written"
    TCP_VISIT = "tcp-visit"
    UDP_VISIT = "udp-visit"
    REACHABLE = "reachable"
    PROCESS_SEEN = "process-seen"
    PROCESS_HURT = "process-hurt"
    MEMORY_TAKEN = "memory-taken"
    PROCESSES_MADE = "processes-made"
    CPU_TAKEN = "cpu-taken"
    NEXT_RUN_CHANGED = "next-run-changed"
    IDENTITY_READ = "identity-read"


INFORMATION = frozenset(
    {
        *(EffectKind.FILE_READ, EffectKind.KEY_READ, EffectKind.ENVIRONMENT_READ),
        *(EffectKind.ACCOUNTS_READ, EffectKind.DIRECTORY_READ, EffectKind.PROCESS_SEEN),
        EffectKind.IDENTITY_READ,
    }
)
"""Effects that change nothing: something of the host got known."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that an oracle saw."""

    kind: EffectKind
    what: str


class End(StrEnum):
    """How a run ended, as far as whoever started it can tell."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    BOUND = "bound"
    """The sandbox says which of its bounds ended it."""
    REFUSED = "refused"
    """The sandbox would not start it: scan, consent or policy."""
    UNAVAILABLE = "unavailable"
    """It could not be started: a program or a feature is missing."""
    HARNESS_DEADLINE = "harness-deadline"


class Bound(StrEnum):
    """Bounds of a sandbox that end a run; the words of `Outcome.reason`."""

    CPU = "cpu"
    WALL = "timeout"
    MEMORY = "memory"
    PROCESSES = "processes"
    DISK = "disk"
    OUTPUT = "output"
    VIOLATION = "violation"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that an attack tried, by its own account."""

    name: str
    did: bool
    error: str = ""
    """Class of the exception, code of the error or exit status that it met instead."""
    errno: int | None = None
    system_error: bool = False
    """Whether the operating system said no, and not the attack's own code."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything known about one run of one attack."""

    end: End
    started: bool
    """The attack's code repeated a number that only its input held."""
    finished: bool
    """It came to its last line."""
    attempts: tuple[Attempt, ...] = ()
    effects: tuple[Effect, ...] = ()
    bound: Bound | None = None
    detail: str = ""
    """What whoever started the run said about its end."""
    oracle_failed: str = ""
    """Why the host can't say whether there was an effect."""


class Verdict(StrEnum):
    """What became of an attack. A closed set, part of the JSON contract."""

    REFUSED = "refused"
    STOPPED = "stopped"
    INSIDE_ONLY = "inside-only"
    """It did what it wanted, to the sandbox's own things."""
    EFFECT = "effect"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and the clause that explains it."""

    verdict: Verdict
    why: str


# Errors that come from the attack itself or from this machine being busy, whatever the sandbox.
_NOT_A_REFUSAL = frozenset({EADDRINUSE, EINVAL, EMFILE, EPIPE})
# How runtimes with permissions of their own say no; and an attack that looked and found no such
# function in its runtime.
_RUNTIME_REFUSALS = frozenset(
    {"NotCapable", "PermissionDenied", "ERR_ACCESS_DENIED", "NotImplementedError"}
)


def judge(
    evidence: Evidence,
    *,
    control: bool,
    denials: frozenset[str] = frozenset(),
    bounds: frozenset[Bound] = frozenset(),
) -> Judgement:
    """Return what one attack came to.

    Args:
        evidence: Of the run.
        control: Whether the same attack had its effect without any isolation.
        denials: Errors besides those of the operating system by which this attack is refused.
        bounds: Bounds that are the right answer to it. A violation always is.
    """
    if evidence.effects:
        return Judgement(Verdict.EFFECT, "; ".join(effect.what for effect in evidence.effects))
    if not control:
        return _inconclusive("the control had no effect either")
    if evidence.oracle_failed:
        return _inconclusive(evidence.oracle_failed)
    if evidence.end is End.REFUSED and not evidence.started:
        return Judgement(Verdict.REFUSED, evidence.detail or "refused")
    if not evidence.started:
        return _inconclusive(f"the attack never started: {evidence.detail or evidence.end}")
    crashes = [
        attempt
        for attempt in evidence.attempts
        if not attempt.did and not _is_denial(attempt, denials)
    ]
    if crashes:
        return _inconclusive(f"{crashes[0].name} broke: {crashes[0].error}")
    if evidence.end is End.BOUND and _is_right(evidence.bound, bounds):
        return Judgement(Verdict.STOPPED, evidence.detail or str(evidence.bound))
    if evidence.end is not End.EXITED or not evidence.finished or not evidence.attempts:
        return _inconclusive(f"the attack did not finish: {evidence.detail or evidence.end}")
    inside = [attempt.name for attempt in evidence.attempts if attempt.did]
    if inside:
        return Judgement(Verdict.INSIDE_ONLY, f"inside only: {', '.join(inside)}")
    said = dict.fromkeys(f"{attempt.name}: {attempt.error}" for attempt in evidence.attempts)
    return Judgement(Verdict.STOPPED, "; ".join(said))


def _is_denial(attempt: Attempt, denials: frozenset[str]) -> bool:
    if attempt.error in denials or attempt.error in _RUNTIME_REFUSALS:
        return True
    return attempt.system_error and attempt.errno not in _NOT_A_REFUSAL


def _is_right(bound: Bound | None, bounds: frozenset[Bound]) -> bool:
    return bound is Bound.VIOLATION or bound in bounds


def _inconclusive(why: str) -> Judgement:
    return Judgement(Verdict.INCONCLUSIVE, why)
