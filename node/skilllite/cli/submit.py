"""`skilllite submit`: one task through the mesh, its progress, its result, its end."""

from __future__ import annotations

import argparse
import json
import sys

from skilllite import errors
from skilllite.cli import output
from skilllite.cli.arguments import not_empty, seconds
from skilllite.control.client import ControlClient
from skilllite.control.framing import Message
from skilllite.errors import ControlFailed, NodeNotRunning, UsageError
from skilllite.home import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MIB = 1024 * 1024
INPUT_BYTES_MAX = 2 * MIB
"""What fits the message to another node; a node that runs it itself takes no more."""

CANCEL_S_MAX = 10.0
"""After Ctrl-C: how long to wait for the word that the task is over."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("task", nargs="?", help="the input as a JSON object, `-` reads stdin")
    parser.add_argument("--skill", metavar="NAME", type=not_empty, help="the skill to run")
    parser.add_argument(
        "--on",
        metavar="NODE",
        type=not_empty,
        help="run it on this node: a name or the beginning of an id",
    )
    parser.add_argument("--deadline", metavar="S", type=seconds, help="seconds it may take")
    parser.add_argument(
        "--no-wait", action="store_true", help="print the task's id as soon as it is accepted"
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="wait for a node that has the skill, until the deadline, instead of failing at once",
    )
    parser.add_argument("--json", action="store_true", help="print the whole record of the task")


def run(args: argparse.Namespace) -> int:
    """Submit and wait."""
    if args.skill is None:
        raise UsageError(
            "a task in words needs a language model, which this version does not have",
            hint="name a skill: `skilllite submit --skill NAME JSON`; `skilllite list` shows them",
        )
    request: Message = {
        "skill": args.skill,
        "input_json": read_input(args.task),
        "on": args.on,
        "deadline_s": args.deadline,
        "no_wait": args.no_wait,
        "wait": args.wait,
    }
    home = Home.locate()
    watcher = _Watcher()
    try:
        with ControlClient(home) as client:
            record = client.call("submit", request, on_event=watcher.see)
    except KeyboardInterrupt:
        watcher.line.clear()
        return _interrupted(home, watcher.task_id, as_json=args.json)
    finally:
        watcher.line.clear()
    return _print_accepted(record, args.json) if args.no_wait else _print_ended(record, args.json)


def read_input(text: str | None) -> str:
    """Return the JSON object that was given, or what stdin holds for `-`.

    Raises:
        UsageError: it is missing, too large, or no JSON object.
    """
    if text is None:
        raise UsageError("the input is missing", hint="give a JSON object, '{}' when it takes none")
    if text == "-":
        data = sys.stdin.buffer.read(INPUT_BYTES_MAX + 1)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(
                "the input on stdin is not UTF-8 text",
                cause=f"{error.reason} at byte {error.start}",
                hint="a skill takes a JSON object; a file of bytes has to go into it as text",
            ) from error
    if len(text.encode("utf-8", "surrogateescape")) > INPUT_BYTES_MAX:
        raise UsageError(
            f"the input exceeds {INPUT_BYTES_MAX // MIB} MiB",
            hint="a task's input has to fit one message to another node",
        )
    try:
        value = json.loads(text, parse_constant=_no_such_number)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            "the input is not valid JSON",
            cause=str(error),
            hint="""quote it for the shell: '{"key": "value"}'""",
        ) from error
    if not isinstance(value, dict):
        raise UsageError(
            f"the input is a JSON {_kind(value)}, a skill takes an object",
            hint="""wrap it: '{"key": …}'""",
        )
    return text


def exit_code_of_record(record: dict[str, Any]) -> int:
    """Return the exit status that a finished task gives."""
    if record.get("state") == "succeeded":
        return errors.OK
    error = record.get("error") or {}
    return errors.exit_code_for(str(error.get("code", ""))) or errors.FAILED


class _Watcher:
    """Turns the events of a task into a line for the person who waits."""

    def __init__(self) -> None:
        self.line = output.ProgressLine()
        self.task_id: str | None = None

    def see(self, event: Message) -> None:
        """Remember the id and show the step."""
        if isinstance(event.get("task_id"), str):
            self.task_id = str(event["task_id"])
        kind = event.get("event")
        node = event.get("node_name") or "a node"
        message = str(event.get("message") or "")
        if kind == "log":
            self.line.say(f"{node}: {message}")
        elif kind == "progress":
            self.line.show(f"{event.get('percent', 0)} % on {node} {message}")
        elif kind in _STEPS:
            self.line.show(f"{_STEPS[str(kind)].format(node=node)} {message}".strip())


_STEPS = {
    "accepted": "accepted",
    "sent": "sent to {node}",
    "queued": "queued on {node}",
    "started": "running on {node}",
    "waiting": "waiting:",
    "reconnecting": "the connection to {node} broke, asking again",
    "retry": "trying again:",
}


def _print_accepted(record: dict[str, Any], as_json: bool) -> int:
    if as_json:
        output.print_json(record)
    else:
        output.write_result(f"{record['task_id']}\n")
    return errors.OK


def _print_ended(record: dict[str, Any], as_json: bool) -> int:
    if as_json:
        output.print_json(record)
    elif record.get("state") == "succeeded":
        if record.get("output") is None and record.get("text"):
            text = str(record["text"])
            output.write_foreign(text if text.endswith("\n") else text + "\n")
            output.note("note: the skill's output is not JSON; it is printed as it came")
        else:
            output.print_json(record.get("output"))
    else:
        if record.get("output") is not None:
            output.print_json(record["output"])
        error = record.get("error") or {}
        output.print_error(
            f"task {record.get('task_id')} {record.get('state')}: {error.get('message', '')}",
            hint=error.get("hint") or f"`skilllite tasks show {record.get('task_id')}` has more",
        )
    return exit_code_of_record(record)


def _interrupted(home: Home, task_id: str | None, *, as_json: bool) -> int:
    """Cancel everywhere and wait for the word that it is over; a second Ctrl-C leaves at once."""
    output.note("interrupted: cancelling the task")
    if task_id is None:
        return errors.INTERRUPTED  # closing the connection was the cancellation
    try:
        with ControlClient(home, silence_s=CANCEL_S_MAX) as client:
            record = client.call("tasks.cancel", {"task_id": task_id})
    except (ControlFailed, NodeNotRunning) as error:
        output.report(error)
        return errors.INTERRUPTED
    if as_json:
        output.print_json(record)
    else:
        output.note(f"task {task_id}: {record.get('state')}")
    return errors.INTERRUPTED


def _no_such_number(name: str) -> object:
    raise ValueError(f"{name} is Python's, JSON has no such number")


def _kind(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")
