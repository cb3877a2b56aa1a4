"""The values that travel between the owner of a task and its executor.

The node decides with these; only `wire_mapping` knows how they look as protobuf messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

HOP_LIMIT = 3
"""Nodes a task may pass through, its owner included; one more is refused."""

INPUT_BYTES_MAX = 2 * 1024 * 1024
"""Input and output must fit one 4 MiB wire message together with their envelope."""

ERROR_CHARS_MAX = 1_000
"""Of the message and of the hint of an error: a list of a thousand failed tasks is one answer."""

LINE_CHARS_MAX = 8_192
"""Of a log line or a word on progress, which are for people; a thousand may wait for a reader."""


@dataclass(frozen=True, slots=True)
class TaskError:
    """Why an attempt or a task did not succeed."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One attempt of one task, as the owner sends it."""

    task_id: str
    attempt: int
    skill: str
    input_json: str
    deadline_ms: int
    """Time left at the moment of sending."""
    via: tuple[str, ...]
    """Node ids the task has passed through, the owner first."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The attempt is on the executor's disk."""

    queue_position: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """The attempt was not and will not be started by this executor."""

    error: TaskError
    retry_after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Started:
    """The skill runs; `digest` is what runs."""

    digest: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the skill says it is."""

    percent: int
    message: str = ""


@dataclass(frozen=True, slots=True)
class Log:
    """One line of the skill's stderr."""

    line: str


@dataclass(frozen=True, slots=True)
class Result:
    """The skill ended by itself with status 0."""

    output_json: str | None
    """One JSON value; None when stdout was not JSON."""
    text: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt is over and gave no result."""

    error: TaskError
    output_json: str | None = None
    text: str = ""
    duration_ms: int = 0


RunEvent = Accepted | Refused | Started | Progress | Log | Result | Failed
Terminal = Refused | Result | Failed


class AttemptState(StrEnum):
    """What an executor has on record for one attempt."""

    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class AttemptStatus:
    """Answer to Status: the state and, when ended, how it ended."""

    state: AttemptState
    terminal: Terminal | None = None
