"""`skilllite peers`: who is in the team, and how they are."""

from __future__ import annotations

import argparse
import sys

from skilllite import errors
from skilllite.cli import output
from skilllite.control.client import ControlClient
from skilllite.control.framing import Message
from skilllite.home import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SKILLS_SHOWN_MAX = 6
"""Their number is said first and the names are cut at a terminal's edge; `--json` has them all."""

CLEAR_SCREEN = "\x1b[H\x1b[2J"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--watch", action="store_true", help="show every change until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="print JSON, one object a change")


def run(args: argparse.Namespace) -> int:
    """Print the peers, once or at every change."""

    def show(event: Message) -> None:
        if event.get("event") == "peers":
            _print(event, as_json=args.json, again=args.watch)

    with ControlClient(Home.locate()) as client:
        view = client.call("peers", {"watch": args.watch}, on_event=show)
    _print(view, as_json=args.json, again=False)
    return errors.OK


def _print(view: dict[str, Any], *, as_json: bool, again: bool) -> None:
    if as_json:
        output.print_json({"schema": 1, "self": view["self"], "peers": view["peers"]})
        return
    if again and sys.stdout.isatty():
        output.write_result(CLEAR_SCREEN)
    rows = [_row(view["self"], here=True), *(_row(peer, here=False) for peer in view["peers"])]
    output.print_table(("NAME", "ID", "STATE", "LOAD", "LATENCY", "ADDRESS", "SKILLS"), rows)
    for peer in view["peers"]:
        if peer.get("why"):
            output.note(f"{output.printable(peer['name'])}: {output.printable(peer['why'])}")
    if not view["peers"]:
        output.note("no other node yet; `skilllite node invite` lets one in")


def _row(node: dict[str, Any], *, here: bool) -> tuple[str, ...]:
    load = node.get("load") or {}
    latency = node.get("latency_ms")
    return (
        f"{node['name']}{' (here)' if here else ''}",
        node["node_id"][:8],
        f"{node['state']}{', draining' if node.get('draining') else ''}",
        f"{load.get('running', 0)}+{load.get('queued', 0)}/{load.get('capacity', 0)}"
        if load
        else "-",
        "-" if latency is None else f"{latency:.1f} ms",
        (node.get("addresses") or ["-"])[0],
        _skills(node.get("skills") or []),
    )


def _skills(skills: list[Any]) -> str:
    names = [skill["name"] if isinstance(skill, dict) else str(skill) for skill in skills]
    if not names:
        return "-"
    more = ", …" if len(names) > SKILLS_SHOWN_MAX else ""
    return f"{len(names)}: {', '.join(names[:SKILLS_SHOWN_MAX])}{more}"
