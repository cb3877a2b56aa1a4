"""The arguments of `run` and `exec`, the same in both programs.

Imports nothing of the sandbox: with a running node the command line only has to read them.
"""

from __future__ import annotations

import argparse
import sys

from skilllite_sandbox.errors import InvalidInput

LEVELS = (1, 2, 3)
_MIB = 1024 * 1024
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


def read_input(argument: str | None, *, bytes_max: int) -> str:
    """Return the input that was given, or what stdin holds for `-`.

    Raises:
        InvalidInput: it is missing, and on stdin also when it is too large or no text.
    """
    if argument is None:
        raise InvalidInput(
            "the input is missing", hint="""give a JSON object, '{}' for none; `-` reads stdin"""
        )
    if argument != "-":
        return argument
    data = sys.stdin.buffer.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise InvalidInput(
            f"the input on stdin exceeds {bytes_max / _MIB:g} MiB",
            hint="pass less; large data doesn't belong into the input of a skill",
        )
    try:
        return data.decode("utf-8")
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
