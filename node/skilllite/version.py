"""Which version of the program this is: one number, written here and read everywhere."""

from __future__ import annotations

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    import argparse

VERSION = "0.1.0"
"""Kept equal to the version in pyproject.toml by a test: reading package metadata takes 30 ms."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `skilllite version`."""
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the version."""
    from skilllite.cli import output

    if args.json:
        output.print_json({"schema": 1, "name": "skilllite", "version": VERSION})
    else:
        output.write_result(f"skilllite {VERSION}\n")
    return 0
