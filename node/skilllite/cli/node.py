"""`skilllite node`: the node of this home, and which team it is in."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from skilllite import errors
from skilllite.cli import output
from skilllite.cli.arguments import not_empty, seconds
from skilllite.control.client import ControlClient
from skilllite.control.framing import Message
from skilllite.errors import ControlFailed, NodeNotRunning, TimedOut
from skilllite.home import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STOP_TIMEOUT_S = 20.0
"""A drain of five seconds, the goodbyes, and a busy machine."""

POLL_S = 0.05
LINES_DEFAULT = 50
LINES_MAX = 100_000
TAIL_BYTES_MAX = 8 * 1024 * 1024
FOLLOW_POLL_S = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions."""
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action_name")
    _add_start(actions)
    for name, function, text in (
        ("status", _status, "whether it runs (exit 0) or not (exit 1)"),
        ("stop", _stop, "stop it; what it accepted goes on at the next start"),
        ("drain", _drain, "take no new tasks, wait for the running ones"),
        ("logs", _logs, "what the node wrote to its log"),
        ("invite", _invite, "print a code that lets one machine into the team"),
        ("join", _join, "become a member of the team whose code this is"),
        ("leave", _leave, "leave the team; the node starts a team of its own"),
    ):
        action = actions.add_parser(name, help=text, description=text, epilog=_example(name))
        action.set_defaults(action=function)
        if name != "logs":
            action.add_argument("--json", action="store_true", help="print a JSON object")
        _ADDERS.get(name, _nothing)(action)


def run(args: argparse.Namespace) -> int:
    """Do the action."""
    status: int = args.action(args)
    return status


def _add_start(actions: Any) -> None:
    start = actions.add_parser(
        "start",
        help="run the node in the foreground",
        description="run the node; prints one line with the word `ready` when it serves",
        epilog=_example("start"),
    )
    start.set_defaults(action=_start)
    start.add_argument("--name", help="name in the team (default: the host name)")
    start.add_argument("--host", metavar="ADDRESS", help="address to listen on")
    start.add_argument("--port", type=int, help="port for the team")
    start.add_argument("--join-port", type=int, metavar="PORT", help="port for newcomers")
    start.add_argument(
        "--peer",
        action="append",
        metavar="HOST:PORT",
        help="a member to dial where multicast does not reach; repeatable",
    )
    start.add_argument("--no-mdns", action="store_true", help="neither find nor be found by mDNS")
    start.add_argument(
        "--project",
        metavar="DIR",
        help="offer the skills of this folder too, and trust them (default: the current one)",
    )
    start.add_argument("-d", "--detach", action="store_true", help="run it in the background")
    start.add_argument("--quiet", action="store_true", help="log to the file only")


def _add_stop(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--timeout", type=seconds, default=STOP_TIMEOUT_S, metavar="S", help="seconds to wait"
    )


def _add_logs(action: argparse.ArgumentParser) -> None:
    action.add_argument("-n", "--lines", type=int, default=LINES_DEFAULT, help="the last N lines")
    action.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")


def _add_join(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "code",
        type=not_empty,
        help="what `skilllite node invite` printed, like 42-maple-robin-tunnel",
    )
    action.add_argument(
        "--peer", metavar="HOST:PORT", help="the inviter's join port, where multicast is blocked"
    )


def _nothing(action: argparse.ArgumentParser) -> None:
    """Add no further arguments."""


_EXAMPLES = {
    "start": "start -d --name kitchen",
    "stop": "stop",
    "status": "status --json",
    "drain": "drain",
    "logs": "logs -f",
    "invite": "invite",
    "join": "join 42-maple-robin-tunnel",
    "leave": "leave",
}


def _example(action: str) -> str:
    return f"example:\n  skilllite node {_EXAMPLES[action]}"


_ADDERS = {"stop": _add_stop, "logs": _add_logs, "join": _add_join}


def _start(args: argparse.Namespace) -> int:
    flags = {
        "node.name": args.name,
        "node.host": args.host,
        "node.port": args.port,
        "node.join_port": args.join_port,
        "node.peers": args.peer,
        "node.discovery": False if args.no_mdns else None,
    }
    if args.project and not Path(args.project).is_dir():
        raise errors.NotFound(
            f"there is no folder {args.project}", hint="--project names a folder with skills"
        )
    if args.detach:
        from skilllite.cli.detach import start_detached

        return start_detached(Home.locate(), _start_words(args))
    from skilllite.daemon import run_node

    project = Path(args.project) if args.project else Path.cwd()
    return run_node(Home.locate(), flags=flags, project=project, quiet=args.quiet)


def _start_words(args: argparse.Namespace) -> list[str]:
    """Return the command line of the same node in the foreground."""
    words = ["node", "start", "--quiet"]
    for flag, value in (
        ("--name", args.name),
        ("--host", args.host),
        ("--port", args.port),
        ("--join-port", args.join_port),
        ("--project", args.project),
    ):
        if value is not None:
            words.append(f"{flag}={value}")
    words += [f"--peer={peer}" for peer in args.peer or ()]
    return [*words, "--no-mdns"] if args.no_mdns else words


def _status(args: argparse.Namespace) -> int:
    home = Home.locate()
    try:
        with ControlClient(home) as client:
            status = client.call("status")
    except NodeNotRunning:
        if args.json:
            output.print_json({"schema": 1, "running": False, "home": home.label})
        else:
            output.write_result(f"no node is running in {home.label}\n")
        return errors.FAILED
    if args.json:
        output.print_json({"schema": 1, "running": True, **status})
        return errors.OK
    load, tasks = status["load"], status["tasks"]
    for name, value in (
        ("node", f"{status['name']} ({status['node_id'][:8]}), pid {status['pid']}"),
        ("team", f"{status['team_id'][:8]}, {status['members']} other members"),
        ("address", f"{status['address']}, join port {status['join_port'] or '-'}"),
        ("home", status["home"]),
        ("up", f"{status['uptime_s']:.0f} s{', draining' if status['draining'] else ''}"),
        ("peers", f"{status['peers_alive']} alive of {status['peers']}"),
        ("skills", str(status["skills"])),
        ("load", f"{load['running']} running, {load['queued']} queued, room {load['capacity']}"),
        ("tasks", ", ".join(f"{count} {state}" for state, count in tasks.items()) or "none"),
    ):
        output.write_result(f"{name:<8} {output.printable(str(value))}\n")
    return errors.OK


def _stop(args: argparse.Namespace) -> int:
    from skilllite.lock import lock_is_held

    home = Home.locate()
    deadline = time.monotonic() + args.timeout
    stopped = True
    try:
        with ControlClient(home) as client:
            client.call("stop")
    except NodeNotRunning:
        if not lock_is_held(home):
            stopped = False
            output.note(f"no node is running in {home.label}")
    except (ControlFailed, errors.Reported):
        pass  # it is ending already, or stuck: the lock tells which
    while lock_is_held(home):
        if time.monotonic() > deadline:
            raise TimedOut(
                f"the node did not stop within {args.timeout:g} s",
                hint="`skilllite node status` has its pid; SIGTERM twice ends it at once",
            )
        time.sleep(POLL_S)
    if args.json:
        output.print_json({"schema": 1, "stopped": stopped})
    elif stopped:
        output.note("node stopped")
    return errors.OK


def _drain(args: argparse.Namespace) -> int:
    line = output.ProgressLine()

    def show(event: Message) -> None:
        if event.get("event") == "load":
            line.show(f"{event.get('running')} running, {event.get('queued')} queued")

    try:
        with ControlClient(Home.locate()) as client:
            result = client.call("drain", on_event=show)
    finally:
        line.clear()
    if args.json:
        output.print_json({"schema": 1, **result})
    else:
        output.note(
            "drained: nothing runs here and no task is taken; `skilllite node stop` is safe"
        )
    return errors.OK


def _logs(args: argparse.Namespace) -> int:
    path = Home.locate().log_file
    wanted = min(max(0, args.lines), LINES_MAX)
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES_MAX))
            lines = file.read().decode("utf-8", "replace").splitlines()
            position = file.tell()
    except FileNotFoundError:
        raise errors.NotFound(
            f"there is no log yet in {path.parent}", hint="`skilllite node start` makes one"
        ) from None
    for text in lines[len(lines) - wanted :] if wanted else []:
        output.write_result(output.printable(text, keep_layout=True) + "\n")
    if args.follow:
        _follow(path, position)
    return errors.OK


def _follow(path: Path, position: int) -> None:
    """Print what is added, into the next file when the log is rotated, until Ctrl-C."""
    file = path.open("rb")
    file.seek(position)
    try:
        while True:
            data = file.read()
            if data:
                text = data.decode("utf-8", "replace")
                output.write_result(output.printable(text, keep_layout=True))
                continue
            try:
                rotated = not os.path.samestat(path.stat(), os.fstat(file.fileno()))
            except FileNotFoundError:
                rotated = False
            if rotated:
                file.close()
                file = path.open("rb")
                continue
            time.sleep(FOLLOW_POLL_S)
    finally:
        file.close()


def _invite(args: argparse.Namespace) -> int:
    # A script gets its code and goes on; a person stays to see whether it worked.
    watch = sys.stdout.isatty() and sys.stderr.isatty() and not args.json

    def show(event: Message) -> None:
        if event.get("event") == "code":
            output.write_result(f"{event['code']}\n")
            _explain_code(event)
            output.note("waiting for it; Ctrl-C leaves, and the code stays valid")
        elif event.get("event") == "window":
            output.note(output.printable(str(event.get("message"))))

    with ControlClient(Home.locate()) as client:
        try:
            result = client.call("invite", {"watch": watch}, on_event=show if watch else None)
        except KeyboardInterrupt:
            output.note("the code stays valid until it is used or its time is over")
            return errors.INTERRUPTED
    if args.json:
        output.print_json({"schema": 1, **result})
    elif not watch:
        output.write_result(f"{result['code']}\n")
        _explain_code(result)
    return errors.OK


def _explain_code(facts: dict[str, Any]) -> None:
    output.note(
        f"valid for {facts['expires_s'] / 60:.0f} minutes, for one machine. There:\n"
        f"  skilllite node join {facts['code']}\n"
        f"or, where multicast is blocked, add: --peer {facts['address']}"
    )


def _join(args: argparse.Namespace) -> int:
    home = Home.locate()
    try:
        with ControlClient(home) as client:
            result = client.call("join", {"code": args.code, "peer": args.peer}, on_event=_say)
    except NodeNotRunning:
        from skilllite.membership import join_stopped

        result = join_stopped(home, args.code, args.peer, say=output.note)
    if args.json:
        output.print_json({"schema": 1, **result})
    else:
        others = result["members"]
        output.note(
            f"joined team {result['team_id'][:8]} with {others} other member"
            f"{'' if others == 1 else 's'}"
        )
        if not result["running"]:
            output.note("next: skilllite node start -d")
    return errors.OK


def _leave(args: argparse.Namespace) -> int:
    home = Home.locate()
    try:
        with ControlClient(home) as client:
            result = client.call("leave")
    except NodeNotRunning:
        from skilllite.membership import leave_stopped

        result = leave_stopped(home)
    if args.json:
        output.print_json({"schema": 1, **result})
        return errors.OK
    output.note(f"left team {result['left_team_id'][:8]}; this node is on its own now")
    for warning in result["warnings"]:
        output.note(f"note: {output.printable(warning)}")
    return errors.OK


def _say(event: Message) -> None:
    if event.get("event") == "progress":
        output.note(output.printable(str(event.get("message"))))
