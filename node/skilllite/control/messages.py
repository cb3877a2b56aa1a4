"""What a client may ask, checked field by field before anything acts on it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from skilllite.control.framing import PROTOCOL, Message
from skilllite.errors import UsageError

NAME_CHARACTERS_MAX = 128
TASK_ID_CHARACTERS_MAX = 64
INPUT_CHARACTERS_MAX = 4 * 1024 * 1024
DEADLINE_S_MAX = 86_400.0
MEMORY_MB_MAX = 1024 * 1024
GRANTS_MAX = 1000
PATH_CHARACTERS_MAX = 4096
ADDRESS_CHARACTERS_MAX = 300
TASKS_LISTED_MAX = 1000

SHAPE_HINT = 'one request a line: {"v": 1, "id": 1, "op": "status", "args": {}}'
VALUE_HINT = "check the value given for it"

Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS_MAX)]
TaskId = Annotated[str, Field(min_length=1, max_length=TASK_ID_CHARACTERS_MAX)]


class Arguments(BaseModel):
    """Arguments of an operation; an unknown one is an error, not a silent nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


T = TypeVar("T", bound=Arguments)


class Nothing(Arguments):
    """An operation without arguments."""


class Envelope(BaseModel):
    """What is around the arguments."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    v: int
    id: Annotated[int, Field(ge=0, le=2**53)]
    op: Annotated[str, Field(max_length=64)]
    args: dict[str, Any] = Field(default_factory=dict)


class Submit(Arguments):
    """Run a skill somewhere in the team."""

    skill: Name
    input_json: Annotated[str, Field(max_length=INPUT_CHARACTERS_MAX)]
    on: Name | None = None
    deadline_s: Annotated[float, Field(gt=0, le=DEADLINE_S_MAX)] | None = None
    no_wait: bool = False
    """Answer as soon as the task is accepted; the task outlives the connection."""
    wait: bool = False
    """Wait for a peer that has the skill, until the deadline, instead of failing at once."""


class DirectRun(Arguments):
    """Run a skill for the command that asks, here and now."""

    version: Annotated[str, Field(max_length=NAME_CHARACTERS_MAX)]
    """The program's; only its own version knows what the command will print."""
    skill: Annotated[str, Field(min_length=1, max_length=PATH_CHARACTERS_MAX)]
    """A directory, or a name, as it was typed."""
    directory: Annotated[str, Field(pattern="^/", max_length=PATH_CHARACTERS_MAX)]
    """Where it was typed."""
    script: Annotated[str, Field(max_length=PATH_CHARACTERS_MAX)] | None = None
    input_json: Annotated[str, Field(max_length=INPUT_CHARACTERS_MAX)]
    level: Literal[2, 3]
    """Level 1 means this user's own process, and stays there."""
    timeout_s: Annotated[float, Field(gt=0, le=DEADLINE_S_MAX)] | None = None
    memory_mb: Annotated[int, Field(gt=0, le=MEMORY_MB_MAX)] | None = None
    network: Annotated[list[str], Field(max_length=GRANTS_MAX)] = []
    exec: Annotated[list[Name], Field(max_length=GRANTS_MAX)] = []
    standing_exec: Annotated[list[Name], Field(max_length=GRANTS_MAX)] = []
    log: bool = True
    """Send the lines of stderr as they come."""


class Peers(Arguments):
    """Who is in the team."""

    watch: bool = False


class TasksList(Arguments):
    """The latest tasks this node owns."""

    limit: Annotated[int, Field(ge=1, le=TASKS_LISTED_MAX)] = 50
    state: Literal["accepted", "running", "succeeded", "failed", "cancelled", "unknown"] | None = (
        None
    )


class TaskRef(Arguments):
    """One task, by its id or the beginning of it."""

    task_id: TaskId


class TaskLogs(TaskRef):
    """What a task's skill wrote to stderr."""

    follow: bool = False


class Join(Arguments):
    """Become a member of the team whose code this is."""

    code: Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS_MAX)]
    peer: Annotated[str, Field(max_length=ADDRESS_CHARACTERS_MAX)] | None = None


class Invite(Arguments):
    """Open a join window."""

    watch: bool = False
    """Keep reporting what happens in the window until it closes."""


def parse_envelope(message: Message) -> Envelope:
    """Return the envelope of a request.

    Raises:
        UsageError: it breaks the protocol.
    """
    try:
        envelope = Envelope.model_validate(message)
    except ValidationError as error:
        raise UsageError(_first_problem(error), hint=SHAPE_HINT) from None
    if envelope.v != PROTOCOL:
        raise UsageError(
            f"control protocol {envelope.v} is not spoken here, {PROTOCOL} is",
            hint="restart the node: it runs another version of the program than this command",
        )
    return envelope


def parse_arguments(model: type[T], args: dict[str, Any]) -> T:
    """Return checked arguments.

    Raises:
        UsageError: a field is missing, unknown, of the wrong type or out of bounds.
    """
    try:
        return model.model_validate(args)
    except ValidationError as error:
        raise UsageError(_first_problem(error), hint=VALUE_HINT) from None


def _first_problem(error: ValidationError) -> str:
    # Never the offending value: an input may hold what must not land in a log.
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(map(str, first["loc"])) or "request"
    return f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}"
