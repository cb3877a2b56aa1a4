"""The vocabulary between the life of a task and its driver.

An *effect* is the one thing to do next, an *event* what came of it; each effect's docstring names
the events that answer it. `DeadlineOver` and `CancelRequested` may answer any of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from skilllite.tasks.records import Outcome, Settlement
from skilllite_swarm.task import AttemptStatus, Terminal


@dataclass(frozen=True, slots=True)
class Errand:
    """What the client asked for, as far as it decides what happens next."""

    skill: str
    on: str | None
    """Node id, when only that node will do."""
    wait: bool
    deadline_at_ms: int
    """On the clock whose readings are passed to `Lifecycle.next`."""
    deadline_ms: int
    """As it was given, for messages."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The task is on disk and this process has taken it up."""


@dataclass(frozen=True, slots=True)
class Routed:
    """A live node that offers the skill was chosen."""

    node_id: str
    name: str
    idempotent: bool


@dataclass(frozen=True, slots=True)
class NoRoute:
    """No live node but the excluded ones offers the skill."""

    node_is_live: bool = False
    """Whether the node that was asked for by name is there (it lacks the skill then)."""
    ever_offered: bool = False
    why: str = ""
    """What is wrong with the nodes that could have been asked."""


@dataclass(frozen=True, slots=True)
class AttemptCommitted:
    """The attempt is on disk."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """Run returned the executor's terminal."""

    terminal: Terminal


@dataclass(frozen=True, slots=True)
class CallNotDelivered:
    """Run certainly did not reach the executor."""

    problem: str


@dataclass(frozen=True, slots=True)
class CallBroken:
    """Run may have reached the executor; its stream is gone."""

    problem: str


@dataclass(frozen=True, slots=True)
class StatusKnown:
    """The executor said what it has on record, and fenced what it had not."""

    status: AttemptStatus


@dataclass(frozen=True, slots=True)
class StatusUnreachable:
    """The executor could not be asked."""

    problem: str


@dataclass(frozen=True, slots=True)
class Paused:
    """A pause is over."""


@dataclass(frozen=True, slots=True)
class DeadlineOver:
    """The deadline passed while the last effect was under way; that effect was abandoned."""


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """A person cancelled; the last effect was abandoned."""


Event = (
    Begun
    | Routed
    | NoRoute
    | AttemptCommitted
    | CallEnded
    | CallNotDelivered
    | CallBroken
    | StatusKnown
    | StatusUnreachable
    | Paused
    | DeadlineOver
    | CancelRequested
)


@dataclass(frozen=True, slots=True)
class FindRoute:
    """Choose a live node that offers the skill: `Routed` or `NoRoute`."""

    exclude: frozenset[str]
    why: str
    """Why the attempt before is given up; empty the first time."""


@dataclass(frozen=True, slots=True)
class CommitAttempt:
    """Put the attempt on disk, together with how earlier ones ended: `AttemptCommitted`."""

    attempt: int
    node_id: str
    name: str
    idempotent: bool
    settled: tuple[Settlement, ...]


@dataclass(frozen=True, slots=True)
class CallRun:
    """Run the attempt, or attach to it: `CallEnded`, `CallNotDelivered` or `CallBroken`."""

    attempt: int
    node_id: str


@dataclass(frozen=True, slots=True)
class AskStatus:
    """Ask with a fence: `StatusKnown` or `StatusUnreachable`."""

    attempt: int
    node_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait: `Paused`."""

    ms: int
    until_change: bool
    """End it early when nodes or skills change."""
    why: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Record the end. Nothing follows."""

    outcome: Outcome
    settled: tuple[Settlement, ...]


Effect = FindRoute | CommitAttempt | CallRun | AskStatus | Pause | Finish
