"""Leaves a run to the running node of this home, and prints what comes of it.

The node says when the run starts. Until then nothing of the skill has happened and nothing was
printed, so the command may still run it itself, and does at the first sign of trouble: that gives
each error the same words, whether a node is there or not. From then on the run is the node's, and
running it once more could repeat what it did.

Standard library only, as little of it as possible, and nothing of the sandbox: this is the whole
of what `skilllite run` costs beside the run.
"""

from __future__ import annotations

import os

from skilllite.control.client import ControlClient
from skilllite.control.framing import REQUEST_BYTES_MAX, Message
from skilllite.errors import Reported, SkillLiteError
from skilllite.version import VERSION
from skilllite_sandbox.errors import SandboxError
from skilllite_sandbox.run_output import (
    REFUSED,
    exit_code_of,
    note,
    print_outcome,
    print_result,
    status_of,
)

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from skilllite.home import Home
    from skilllite_sandbox.run_arguments import GivenInput

DIRECT = 1
"""The level that means "as this user, in this process": no node can give that."""

ANSWER_S_MAX = 10.0
"""A node that falls silent for this long is stuck: a healthy one says every 5 s that it lives."""


class _NotByNode(Exception):
    """The command has to run it itself."""


def run_by_node(
    args: argparse.Namespace, home: Home, *, level: int, given: GivenInput
) -> int | None:
    """Return the exit status; None when this process has to run the skill.

    Raises:
        SkillLiteError: the node started it and couldn't bring it to an end.
    """
    if level == DIRECT:
        return None
    try:
        reply = _ask(home, _request(args, level, given), args)
    except _NotByNode:
        return None
    facts: dict[str, Any] = reply["outcome"]
    if args.json:
        print_outcome(_with_output(facts, has_output=reply["has_output"]))
    else:
        print_result(facts, has_output=reply["has_output"], complaint=reply["complaint"])
    return status_of(facts)


def _request(args: argparse.Namespace, level: int, given: GivenInput) -> Message:
    try:
        text, directory = given.read(), os.getcwd()  # noqa: PTH109 - without pathlib
    except (SandboxError, OSError) as error:
        raise _NotByNode from error
    if len(text) > REQUEST_BYTES_MAX // 2:
        raise _NotByNode  # quoted it may not fit, and the run takes longer than its start anyway
    return {
        "version": VERSION,
        "skill": args.skill,
        "directory": directory,
        "script": getattr(args, "script", None),
        "input_json": text,
        "level": level,
        "timeout_s": args.timeout,
        "memory_mb": args.max_memory,
        "network": args.allow_network or [],
        "exec": args.allow_exec or [],
        "standing_exec": args.standing_exec,
        "log": not args.json,
    }


def _ask(home: Home, request: Message, args: argparse.Namespace) -> dict[str, Any]:
    """Return the node's answer; print meanwhile what there is to be said."""
    try:
        client = ControlClient(home, silence_s=ANSWER_S_MAX)
    except SkillLiteError as error:
        raise _NotByNode from error
    with client:
        # Root may talk to anybody's node, and so would run as that user what it runs as root else.
        if client.user != os.geteuid():
            raise _NotByNode
        events = client.request("run", request)
        started = False
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                reply: dict[str, Any] = end.value
                return reply
            except SkillLiteError as error:
                if not started:
                    raise _NotByNode from error
                _explain_failure(error, args, request)
                raise
            if event.get("event") == "starts":
                started = True
                _print_lines(event.get("notes"))
            elif event.get("event") == "log":
                _print_lines(event.get("lines"))


def _print_lines(lines: object) -> None:
    assert isinstance(lines, list)
    for line in lines:
        note(line)


def _with_output(facts: dict[str, Any], *, has_output: bool) -> dict[str, Any]:
    """Return the outcome as it is without a node: the value first, read from the text."""
    from skilllite_sandbox.strict_json import parse_json

    value = parse_json(facts["text"].encode("utf-8")) if has_output else None
    return {"output": value, **facts}


def _explain_failure(error: SkillLiteError, args: argparse.Namespace, request: Message) -> None:
    """Print for programs what a run without a node would print, and improve the hint for people."""
    if isinstance(error, Reported) and error.code == "node_stopping":
        error.hint = "run it again: without a node the command runs the skill itself"
    refused = SandboxError(error.message)
    refused.code = error.code  # type: ignore[misc] # this one only
    if args.json and exit_code_of(refused) == REFUSED:
        from skilllite_sandbox.run_command import refusal
        from skilllite_sandbox.run_request import request_of

        level = request["level"]
        assert isinstance(level, int)
        print_outcome(refusal(refused, request_of(args, level)).to_json())
