"""Whether an executor takes an attempt: a pure decision. Known attempts never come here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from skilllite.tasks.records import Code
from skilllite_sandbox.strict_json import parse_json
from skilllite_swarm.task import HOP_LIMIT, INPUT_BYTES_MAX, Refused, RunRequest, TaskError

RETRY_AFTER_MS = 1_000  # a skill may run for 30 s, most run for less than one
ATTEMPT_MAX = 2**31 - 1  # more is no attempt of ours, and SQLite has an end

_TASK_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Admission:
    """Everything the decision depends on."""

    request: RunRequest
    self_id: str
    knows_skill: bool
    draining: bool
    full: bool


def refusal_of(admission: Admission) -> Refused | None:
    """Return why the attempt is refused, or None when it is accepted."""
    fault = _fault_of_request(admission.request, admission.self_id)
    if fault is not None:
        return Refused(fault)
    if not admission.knows_skill:
        skill = admission.request.skill
        return Refused(
            TaskError(
                Code.UNKNOWN_SKILL,
                f"this node does not offer the skill {skill}",
                "check the name with `skilllite peers`",
            )
        )
    if admission.draining:
        return Refused(TaskError(Code.DRAINING, "the node takes no new tasks: it is about to stop"))
    if admission.full:
        return Refused(
            TaskError(Code.QUEUE_FULL, "the node is busy and its queue is full", "try again later"),
            retry_after_ms=RETRY_AFTER_MS,
        )
    return None


def names_an_attempt(task_id: str, attempt: int) -> bool:
    """Return whether there can be such an attempt; what can't be is never written down."""
    return _TASK_ID.fullmatch(task_id) is not None and 1 <= attempt <= ATTEMPT_MAX


def _fault_of_request(request: RunRequest, self_id: str) -> TaskError | None:
    if not names_an_attempt(request.task_id, request.attempt):
        return TaskError(Code.INVALID_INPUT, "the request names no attempt of a task")
    # The owner is the first of `via`; a task that comes back to a node which passed it on loops.
    if len(request.via) > HOP_LIMIT or self_id in request.via[1:]:
        return TaskError(
            Code.TOO_MANY_HOPS,
            f"the task went through {len(request.via)} nodes, at most {HOP_LIMIT}",
        )
    if request.deadline_ms <= 0:
        return TaskError(Code.DEADLINE, "the deadline was over when the task arrived")
    return fault_of_input(request.input_json)


def fault_of_input(input_json: str) -> TaskError | None:
    """Return what is wrong with the input of a task, or None."""
    try:
        size = len(input_json.encode())
    except UnicodeEncodeError:
        return TaskError(Code.INVALID_INPUT, "input has half a surrogate pair, which is no text")
    if size > INPUT_BYTES_MAX:
        return TaskError(
            Code.INPUT_TOO_LARGE,
            f"input of {size} bytes exceeds the limit of {INPUT_BYTES_MAX} bytes",
            "pass less, or a reference to it",
        )
    try:
        value = parse_json(input_json.encode())
    except ValueError as error:
        return TaskError(Code.INVALID_INPUT, f"input is not JSON: {error}")
    if not isinstance(value, dict):
        return TaskError(
            Code.INVALID_INPUT, "input is not a JSON object", "a skill takes one object, like {}"
        )
    return None
