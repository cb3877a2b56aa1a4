"""`skilllite tasks`: the ledger of this node's tasks."""

from __future__ import annotations

import argparse
import time

from skilllite import errors
from skilllite.cli import output
from skilllite.cli.arguments import not_empty
from skilllite.control.client import ControlClient
from skilllite.control.framing import Message
from skilllite.home import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STATES = ("accepted", "running", "succeeded", "failed", "cancelled", "unknown")
LISTED_DEFAULT = 50
LISTED_MAX = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions; without one it lists."""
    parser.set_defaults(action=_list, limit=LISTED_DEFAULT, state=None)
    parser.add_argument("--json", action="store_true", help="print JSON")
    actions = parser.add_subparsers(metavar="ACTION")

    def add(name: str, text: str, example: str) -> argparse.ArgumentParser:
        example = f"example:\n  skilllite tasks {example}"
        return actions.add_parser(name, help=text, description=text, epilog=example)

    listing = add("list", "the latest tasks (the default)", "list --state failed")
    listing.add_argument("--state", choices=STATES, help="only these")
    listing.add_argument(
        "-n", "--limit", type=_count, default=LISTED_DEFAULT, help="how many, the newest first"
    )
    show = add("show", "one task, its attempts, its result", "show 3f2a")
    cancel = add("cancel", "cancel a task everywhere", "cancel 3f2a")
    logs = add("logs", "what the skill wrote to stderr", "logs -f 3f2a")
    logs.add_argument("-f", "--follow", action="store_true", help="until the task ends")
    for action in (show, cancel, logs):
        action.add_argument("task_id", type=not_empty, help="the id, or the beginning of it")
    for action, function in ((listing, _list), (show, _show), (cancel, _cancel), (logs, _logs)):
        # Suppressed, or it would undo a --json that stands before the action.
        action.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print JSON"
        )
        action.set_defaults(action=function)


def run(args: argparse.Namespace) -> int:
    """Do the action."""
    with ControlClient(Home.locate()) as client:
        status: int = args.action(client, args)
        return status


def _list(client: ControlClient, args: argparse.Namespace) -> int:
    tasks = client.call("tasks.list", {"limit": args.limit, "state": args.state})["tasks"]
    if args.json:
        output.print_json({"schema": 1, "tasks": tasks})
        return errors.OK
    if not tasks:
        output.note("no tasks yet; `skilllite submit --skill NAME JSON` makes one")
        return errors.OK
    now_s = time.time()
    output.print_table(
        ("TASK", "STATE", "SKILL", "NODE", "AGE", "TOOK", "ERROR"),
        (
            (
                task["task_id"][:12],
                task["state"],
                task["skill"],
                task["node_name"] or "-",
                _age(now_s - task["created_ms"] / 1000),
                f"{task['duration_ms'] / 1000:.2f} s",
                (task["error"] or {}).get("message", ""),
            )
            for task in tasks
        ),
    )
    return errors.OK


def _show(client: ControlClient, args: argparse.Namespace) -> int:
    task = client.call("tasks.show", {"task_id": args.task_id})
    if args.json:
        output.print_json({"schema": 1, **task})
        return errors.OK
    for name in ("task_id", "state", "skill", "node_name", "node", "attempts", "duration_ms"):
        output.write_result(f"{name:<12} {output.printable(str(task.get(name)))}\n")
    for name in ("error", "output", "text"):
        if task.get(name):
            value = output.printable(output.to_json_text(task[name]))
            output.write_result(f"{name:<12} {value}\n")
    return errors.OK


def _cancel(client: ControlClient, args: argparse.Namespace) -> int:
    task = client.call("tasks.cancel", {"task_id": args.task_id})
    if args.json:
        output.print_json({"schema": 1, **task})
    else:
        output.write_result(f"{task['task_id']} {task['state']}\n")
    return errors.OK


def _logs(client: ControlClient, args: argparse.Namespace) -> int:
    def show(event: Message) -> None:
        if event.get("event") == "log":
            _print_line(event, as_json=args.json)

    client.call("tasks.logs", {"task_id": args.task_id, "follow": args.follow}, on_event=show)
    return errors.OK


def _print_line(event: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json({"attempt": event.get("attempt"), "line": event.get("message")})
    else:
        output.write_result(output.printable(str(event.get("message", ""))) + "\n")


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= LISTED_MAX:
        raise argparse.ArgumentTypeError(f"must be between 1 and {LISTED_MAX}")
    return value
