"""The argument parser of every command: its errors and its help look like all of ours.

Imported when a command line has to be parsed by argparse, which costs 6 ms with what it brings.
"""

from __future__ import annotations

import argparse
import sys

from skilllite import errors
from skilllite.cli import output

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    from typing import Any


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help as it was written, as wide as the terminal.

    The width is found here because argparse would import shutil for it, at every command, help or
    not: 2 ms of about twenty.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=output.terminal_columns(sys.stdout) - 2)


class Parser(argparse.ArgumentParser):
    """Argument parser whose errors look like all our errors."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", _Formatter)
        options.setdefault("allow_abbrev", False)
        super().__init__(**options)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what is unknown here already: the parser of `node start` knows its own name."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown

    def error(self, message: str) -> None:  # type: ignore[override]
        """Print the error in the house's form and leave with status 2."""
        output.print_error(message, hint=f"see `{self.prog} --help`")
        raise SystemExit(errors.USAGE)
