"""`skilllite scan` and `explain`: what the scanner says about a skill, and what its codes mean."""

from __future__ import annotations

from skilllite.home import Home
from skilllite_sandbox.scan.scan_command import add_scan_arguments, run_scan_command

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of whichever command was typed."""
    if parser.get_default("command") == "explain":
        parser.add_argument(
            "code", metavar="CODE", nargs="?", help="like SL401; without one, all of them"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        return
    add_scan_arguments(parser, skill="DIR|NAME")


def run(args: argparse.Namespace) -> int:
    """Run the command that was typed."""
    if args.command == "explain":
        from skilllite_sandbox.scan.explain_command import run_explain_command

        return run_explain_command(args.code, as_json=args.json)
    from skilllite.sdk import locate_skill
    from skilllite.version import VERSION
    from skilllite_sandbox.scan.choices import read_choices

    home = Home.locate()
    folders = [home.rules_name, *([args.rules] if args.rules else [])]
    choices = read_choices(
        rules=folders,
        suppressions=home.suppressions_name,
        advisories="" if args.offline else home.advisories_name,
    )
    return run_scan_command(
        args,
        locate=lambda: locate_skill(args.skill, home)[0],
        choices=choices,
        version=VERSION,
    )
