"""`skilllite scan` and `explain`: what the scanner says about a skill, and what its codes mean."""

from __future__ import annotations

import os

from skilllite.home import Home
from skilllite_sandbox.errors import InvalidInput, InvalidSkill, NotFound
from skilllite_sandbox.scan.scan_command import (
    add_scan_arguments,
    rule_folders,
    run_scan_command,
)

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
    from skilllite.version import VERSION
    from skilllite_sandbox.scan.choices import read_choices

    home = Home.locate()
    folders = [home.rules_name, *rule_folders(args)]
    choices = read_choices(
        rules=folders,
        suppressions=home.suppressions_name,
        advisories="" if args.offline else home.advisories_name,
    )
    return run_scan_command(
        args,
        locate=lambda: _folder(args.skill, home),
        choices=choices,
        version=VERSION,
    )


def _folder(given: str, home: Home) -> str:
    """Return the folder that is meant: also one that is no skill, which gets a verdict as well.

    Raises:
        InvalidInput: a file was named.
        NotFound: there is nothing like that.
    """
    from skilllite.sdk import locate_skill

    found = given
    try:
        found = locate_skill(given, home)[0]
    except (NotFound, InvalidSkill):
        if not os.path.exists(given):  # noqa: PTH110 - as strings, like `locate_skill`
            raise
    if os.path.exists(found) and not os.path.isdir(found):  # noqa: PTH110, PTH112
        raise InvalidInput(
            f"{given} is a file, and skills are folders",
            hint="give the folder that holds SKILL.md; `skilllite add` looks into archives",
        )
    return found
