"""The arguments of `run` and `exec`, the same in both programs.

Imports nothing of the sandbox: with a running node the command line only has to read them.
"""

from __future__ import annotations

import argparse
import sys

from skilllite_sandbox.errors import InvalidInput

LEVELS = (1, 2, 3)
_MIB = 1024 * 1024
INPUT_BYTES_MAX = 4 * _MIB
"""What the default limits let through; no argument changes it."""
_WALL_LONGEST_S = 86_400.0
_MEMORY_LARGEST_MB = 1024 * 1024


def add_run_arguments(parser: argparse.ArgumentParser, *, with_script: bool, skill: str) -> None:
    """Declare the arguments of `run` and `exec`."""
    parser.add_argument("skill", metavar=skill, help="the skill to run")
    if with_script:
        parser.add_argument("script", metavar="SCRIPT", help="a script of it, like scripts/a.py")
    parser.add_argument(
        "input", metavar="JSON", nargs="?", help="its input, a JSON object; `-` reads stdin"
    )
    parser.add_argument(
        "--sandbox-level",
        type=int,
        choices=LEVELS,
        help="1: no isolation, 2: isolation, 3: isolation, scan and consent",
    )
    parser.add_argument("--timeout", type=_seconds, metavar="S", help="seconds it may take")
    parser.add_argument("--max-memory", type=_megabytes, metavar="MB", help="memory it may use")
    parser.add_argument(
        "--allow-network",
        action="append",
        metavar="HOST",
        help="let it reach a host it asks for, like api.example.com or 10.0.0.5:8080",
    )
    parser.add_argument(
        "--explain", action="store_true", help="print what would stand around the run; run nothing"
    )
    parser.add_argument("--json", action="store_true", help="print the whole outcome as JSON")


class GivenInput:
    """The input as it was given: in an argument, or with `-` on stdin, which is read only once."""

    def __init__(self, argument: str | None) -> None:
        self._argument = argument
        self._from_stdin: bytes | None = None

    def read(self) -> str:
        """Return the text.

        Raises:
            InvalidInput: it is missing, and on stdin also when it is too large or no text.
        """
        if self._argument is None:
            raise InvalidInput(
                "the input is missing",
                hint="""give a JSON object, '{}' for none; `-` reads stdin""",
            )
        if self._argument != "-":
            return self._argument
        if self._from_stdin is None:
            self._from_stdin = sys.stdin.buffer.read(INPUT_BYTES_MAX + 1)
        if len(self._from_stdin) > INPUT_BYTES_MAX:
            raise InvalidInput(
                f"the input on stdin exceeds {INPUT_BYTES_MAX / _MIB:g} MiB",
                hint="pass less; large data doesn't belong into the input of a skill",
            )
        try:
            return self._from_stdin.decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidInput(
                "the input on stdin is not UTF-8",
                hint="a skill takes a JSON object; a file of bytes has to go into it as text",
            ) from None


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= _WALL_LONGEST_S:
        raise argparse.ArgumentTypeError(
            f"must be a number above 0 and at most {_WALL_LONGEST_S:g}"
        )
    return value


def _megabytes(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 0 < value <= _MEMORY_LARGEST_MB:
        raise argparse.ArgumentTypeError(
            f"must be a whole number above 0 and at most {_MEMORY_LARGEST_MB}"
        )
    return value
