"""What the ledger remembers of a task, an attempt and an execution, as values.

A *task* belongs to the node it was submitted to, its owner. Each time the owner hands it to a node
is an *attempt*. What that node, the executor, remembers of the attempt is an *execution*.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from skilllite_sandbox.strict_json import parse_json
from skilllite_swarm.task import TaskError, Terminal


class TaskState(StrEnum):
    """Where a task is. A closed set, part of the JSON contract."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """The executor was lost with the task: it may have run. Provisional for a day."""

    @property
    def is_ended(self) -> bool:
        """Whether the owner has stopped working on it."""
        return self in ENDED_STATES


ENDED_STATES = frozenset(
    {TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED, TaskState.UNKNOWN}
)


class AttemptStage(StrEnum):
    """How far an attempt got, as its owner knows."""

    SENT = "sent"
    """On the owner's disk; Run may or may not have reached the executor."""
    ACCEPTED = "accepted"
    STARTED = "started"
    ENDED = "ended"
    """The executor's terminal is on the owner's disk; without one, the executor lost its record."""
    LOST = "lost"
    """It never started and never will."""

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing left to ask the executor."""
        return self in (AttemptStage.ENDED, AttemptStage.LOST)


class ExecutionState(StrEnum):
    """What the executor has on disk for one attempt."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    ENDED = "ended"
    FENCED = "fenced"
    """The owner asked before Run arrived: it will never be started."""


SHORT_TASK_ID_CHARACTERS = 12
"""Enough to name a task: what `tasks list` shows."""


class Code(StrEnum):
    """Stable error codes that tasks add to those of the sandbox and the swarm."""

    DEADLINE = "deadline_exceeded"
    CANCELLED = "cancelled"
    QUEUE_FULL = "queue_full"
    DRAINING = "draining"
    NO_CAPABLE_PEER = "no_capable_peer"
    UNKNOWN_SKILL = "unknown_skill"
    PEER_UNREACHABLE = "peer_unreachable"
    PEER_LOST = "peer_lost"
    """The executor went away with the task and did not come back in time to ask."""
    INTERRUPTED = "interrupted"
    """The executor died or stopped while the attempt was on it."""
    FENCED = "fenced"
    TOO_MANY_HOPS = "too_many_hops"
    INPUT_TOO_LARGE = "input_too_large"
    INVALID_INPUT = "invalid_input"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task as its owner's ledger has it."""

    task_id: str
    """128 random bits in hex."""
    skill: str
    requested_node: str | None
    """Node id, when the client named the node."""
    wait: bool
    """Whether it may wait for a capable node to appear."""
    state: TaskState
    attempts: int
    node_id: str
    """Executor of the latest attempt; empty before the first."""
    node_name: str
    error: TaskError | None
    created_ms: int
    """Wall clock of the owner."""
    deadline_ms: int
    """Time it was given, counted from `created_ms`."""
    duration_ms: int | None
    """From acceptance to the end; None while it is under way."""
    run_ms: int
    """How long the skill itself ran, as the executor measured."""
    reconciled: bool
    """Whether the end replaced a provisional `unknown`."""
    unsettled: int
    """Attempts whose executor hasn't confirmed how they ended; a cancelled task's may still run."""
    input_json: str = ""
    output_json: str | None = None
    text: str = ""

    @property
    def note(self) -> str:
        """What a person should know beside the outcome; empty when nothing."""
        if self.state.is_ended and self.unsettled:
            return "a node that had the task has not confirmed its end; it is asked for a day"
        return ""

    @property
    def _where_to_look(self) -> str:
        """The remedy when nobody knew a better one: the skill's own words."""
        short = self.task_id[:SHORT_TASK_ID_CHARACTERS]
        return (
            f"`skilllite tasks show {short}` has what the skill printed, "
            f"`skilllite tasks logs {short}` what it wrote to stderr"
        )

    def to_json(self, *, now_ms: int, brief: bool = False) -> dict[str, Any]:
        """Return the machine contract of `submit --json`, without output and text when `brief`."""
        duration_ms = self.duration_ms
        if duration_ms is None:
            duration_ms = max(0, now_ms - self.created_ms)
        facts: dict[str, Any] = {
            "task_id": self.task_id,
            "state": self.state.value,
            "node": self.node_id or None,
            "node_name": self.node_name or None,
            "skill": self.skill,
            "error": error_to_json(self.error, otherwise=self._where_to_look),
            "attempts": self.attempts,
            "duration_ms": duration_ms,
            "run_ms": self.run_ms,
            "created_ms": self.created_ms,
            "deadline_ms": self.deadline_ms,
            "reconciled": self.reconciled,
            "note": self.note or None,
        }
        if not brief:
            facts["output"], facts["text"] = _value_and_text(self.output_json, self.text)
        return facts


def _value_and_text(output_json: str | None, text: str) -> tuple[Any, str]:
    """Return the output as a value; what a peer only claims to be JSON is shown as text."""
    if output_json is None:
        return None, text
    try:
        return parse_json(output_json.encode()), text
    except ValueError:
        return None, output_json


def error_to_json(error: TaskError | None, *, otherwise: str = "") -> dict[str, str] | None:
    """Return the error as the contract shows it, with a hint that it lacks replaced."""
    if error is None:
        return None
    return {"code": error.code, "message": error.message, "hint": error.hint or otherwise}


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task that is about to be accepted."""

    task_id: str
    skill: str
    input_json: str
    requested_node: str | None
    wait: bool
    created_ms: int
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt as its owner's ledger has it."""

    task_id: str
    attempt: int
    node_id: str
    node_name: str
    idempotent: bool
    stage: AttemptStage
    terminal: Terminal | None

    def to_json(self) -> dict[str, Any]:
        """Return what `tasks show` prints of it."""
        return {
            "attempt": self.attempt,
            "node": self.node_id,
            "node_name": self.node_name,
            "stage": self.stage.value,
        }


@dataclass(frozen=True, slots=True)
class LooseAttempt:
    """An attempt of an ended task whose executor still has to be asked."""

    record: AttemptRecord
    task_state: TaskState


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a skill's stderr."""

    attempt: int
    line: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended, ready to be recorded once."""

    state: TaskState
    error: TaskError | None = None
    output_json: str | None = None
    text: str = ""
    run_ms: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an attempt ended, ready to be recorded once."""

    attempt: int
    stage: AttemptStage
    terminal: Terminal | None = None


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """One attempt as its executor's ledger has it."""

    caller: str
    """Node id of the owner; a part of the key, so nobody else can see or touch it."""
    task_id: str
    attempt: int
    skill: str
    digest: str
    state: ExecutionState
    terminal: Terminal | None


class EventKind(StrEnum):
    """What a client hears while its task is under way."""

    ACCEPTED = "accepted"
    """The task is on the owner's disk."""
    SENT = "sent"
    """An attempt goes to a node."""
    QUEUED = "queued"
    STARTED = "started"
    PROGRESS = "progress"
    LOG = "log"
    WAITING = "waiting"
    """No node takes it now; the reason is in the message."""
    RECONNECTING = "reconnecting"
    """The connection to the executor broke; its fate is being asked."""
    RETRY = "retry"
    """An attempt is given up for another; the reason is in the message."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """One step of a task, for the client that submitted it."""

    kind: EventKind
    task_id: str
    attempt: int = 0
    node_id: str = ""
    node_name: str = ""
    message: str = ""
    percent: int = 0
    digest: str = ""
    queue_position: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the event with the fields that say something."""
        facts: dict[str, Any] = {"event": self.kind.value, "task_id": self.task_id}
        if self.attempt:
            facts |= {
                "attempt": self.attempt,
                "node": self.node_id,
                "node_name": self.node_name,
            }
        if self.message:
            facts["message"] = self.message
        if self.kind is EventKind.PROGRESS:
            facts["percent"] = self.percent
        if self.kind is EventKind.STARTED:
            facts["digest"] = self.digest
        if self.kind is EventKind.QUEUED:
            facts["queue_position"] = self.queue_position
        return facts
