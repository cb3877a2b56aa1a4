"""`skilllite-sandbox dependency-audit`: the audit for who uses the sandbox without a node."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from skilllite_sandbox.errors import InvalidInput
from skilllite_sandbox.run_output import note, write
from skilllite_sandbox.supply.command import (
    Target,
    Terminal,
    add_audit_arguments,
    run_audit_command,
)

_GAP = "  "


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_audit_arguments(parser, skill="DIR")


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say and return the exit status."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if cache.startswith("/") else Path.home() / ".cache"
    directory = base / "skilllite" / "advisories"
    terminal = Terminal(note, _progress, _clear, _table, _json)
    return run_audit_command(args, directory=directory, targets=_targets, terminal=terminal)


def _targets(named: Sequence[str]) -> Sequence[Target]:
    if not named:
        raise InvalidInput("no skill was named", hint="give the folder that holds SKILL.md")
    return [Target(name, name) for name in named]


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        shown = "".join(char for char in text if char.isprintable())[:100]
        sys.stderr.write(f"\r\x1b[K{shown}")
        sys.stderr.flush()


def _clear() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = [[cell.replace("\n", " ") for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in lines) for column in range(len(header))]
    for row in lines:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        write(_GAP.join(cells).rstrip() + "\n")


def _json(value: Any) -> None:
    write(json.dumps(value) + "\n")
