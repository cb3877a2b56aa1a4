"""`skilllite dependency-audit`: what is known against the packages of skills."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from skilllite.cli import output
from skilllite.home import Home
from skilllite_sandbox.supply.command import (
    Target,
    Terminal,
    add_audit_arguments,
    run_audit_command,
)
from skilllite_sandbox.supply.online import DEFAULT_API
from skilllite_sandbox.supply.update import DEFAULT_SOURCE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments; without a skill it looks at all that can be used here."""
    add_audit_arguments(parser, skill="DIR|NAME")


def run(args: argparse.Namespace) -> int:
    """Look, and print what was found."""
    from skilllite.config import load_config

    home = Home.locate()
    config = load_config(home)
    for each in config.notes:
        output.note(f"note: {each}")

    def targets(named: Sequence[str]) -> Sequence[Target]:
        return _named(named, home) if named else _all(home)

    line = output.ProgressLine()
    terminal = Terminal(
        note=lambda text: output.note(output.printable(text)),
        progress=line.show,
        clear=line.clear,
        table=output.print_table,
        json=output.print_json,
    )
    return run_audit_command(
        args,
        directory=home.advisories,
        targets=targets,
        terminal=terminal,
        source=config.text("advisories.source") or DEFAULT_SOURCE,
        api=config.text("advisories.api") or DEFAULT_API,
    )


def _named(names: Sequence[str], home: Home) -> list[Target]:
    from skilllite.sdk import locate_skill

    found = []
    for name in names:
        directory, entry = locate_skill(name, home)
        shown = entry.name if entry is not None else os.path.basename(os.path.realpath(directory))  # noqa: PTH119 - a link is named by where it leads
        found.append(Target(shown, directory))
    return found


def _all(home: Home) -> list[Target]:
    from skilllite.catalog import SkillCatalog

    listing = SkillCatalog.for_project(Path.cwd(), home).list()
    for each in listing.skipped:
        output.note(output.printable(f"warning: {each.directory} was left out: {each.message}"))
    return [Target(each.name, str(each.directory)) for each in listing.entries]
