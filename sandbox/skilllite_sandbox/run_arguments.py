"""The arguments of `run` and `exec`, the same in both programs.

Imports nothing of the sandbox: with a running node the command line only has to read them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from skilllite_sandbox.errors import InvalidInput

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import TypeVar

    Number = TypeVar("Number", int, float)

LEVELS = (1, 2, 3)
TIERS = ("full", "bwrap", "root-chroot", "landlock")
"""Those of `policy.TIERS`, which isn't imported here."""
OTHER_SYSTEMS = ("darwin", "windows")
"""Those of `other_systems.SYSTEMS`, for `--explain` alone."""
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
    add_policy_arguments(parser)
    parser.add_argument(
        "--system",
        choices=OTHER_SYSTEMS,
        help="with --explain: what would stand around it there; untested on hardware",
    )


def add_policy_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what bounds a run and what is shown of it, the same for everything that runs."""
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
        "--allow-exec",
        action="append",
        metavar="NAME",
        help="let it execute a program it asks for, like git, and all that one can itself run",
    )
    parser.add_argument(
        "--allow-env",
        action="append",
        metavar="NAME",
        help="let it read a variable of your environment that it asks for, like WEATHER_API_KEY",
    )
    parser.add_argument(
        "--accept-tier",
        choices=TIERS,
        metavar="TIER",
        help=f"the weakest isolation it may get where better isn't to be had: {', '.join(TIERS)}",
    )
    parser.add_argument(
        "--explain", action="store_true", help="print what would stand around the run; run nothing"
    )
    parser.add_argument("--json", action="store_true", help="print the whole outcome as JSON")


def add_trust_argument(parser: argparse.ArgumentParser) -> None:
    """Declare what only the node's program knows: projects and their skills."""
    parser.add_argument(
        "--trust-project",
        action="store_true",
        help="use the skills of the current folder by name, from now on",
    )


class PlainArguments:
    """What argparse makes of the arguments when they are written the plain way."""

    def __init__(self) -> None:
        self.sandbox_level: int | None = None
        self.timeout: float | None = None
        self.max_memory: int | None = None
        self.allow_network: list[str] | None = None
        self.allow_exec: list[str] | None = None
        self.allow_env: list[str] | None = None
        self.accept_tier: str | None = None
        self.explain = False
        self.system: str | None = None
        self.json = False


def plain_run_arguments(words: Sequence[str], *, with_script: bool) -> argparse.Namespace | None:
    """Return the arguments of `run` or `exec` without argparse; None has it do its work.

    Plain is: every option in full with its value as a word of its own, the other words side by
    side, nothing missing, too much or out of bounds. What else there is, help and errors included,
    argparse knows better.
    """
    found = PlainArguments()
    places: list[int] = []
    number = 0
    while number < len(words):
        word = words[number]
        if word == "--json":
            found.json = True
        elif word in _READERS:
            number += 1
            if number == len(words) or words[number].startswith("-"):
                return None
            try:
                _READERS[word](found, words[number])
            except ValueError:
                return None
        elif word.startswith("-") and word != "-":
            return None
        else:
            places.append(number)
        number += 1
    names = ("skill", "script", "input") if with_script else ("skill", "input")
    if len(places) != len(names) or places[-1] - places[0] >= len(places):
        return None
    for name, place in zip(names, places, strict=True):
        setattr(found, name, words[place])
    return found  # type: ignore[return-value] # whoever takes a Namespace reads its attributes


def _read_level(found: PlainArguments, text: str) -> None:
    found.sandbox_level = int(text)
    if found.sandbox_level not in LEVELS:
        raise ValueError


def _read_timeout(found: PlainArguments, text: str) -> None:
    found.timeout = _bounded(float(text), _WALL_LONGEST_S)


def _read_memory(found: PlainArguments, text: str) -> None:
    found.max_memory = _bounded(int(text), _MEMORY_LARGEST_MB)


def _read_network(found: PlainArguments, text: str) -> None:
    found.allow_network = [*(found.allow_network or ()), text]


def _read_exec(found: PlainArguments, text: str) -> None:
    found.allow_exec = [*(found.allow_exec or ()), text]


def _read_env(found: PlainArguments, text: str) -> None:
    found.allow_env = [*(found.allow_env or ()), text]


def _read_tier(found: PlainArguments, text: str) -> None:
    if text not in TIERS:
        raise ValueError
    found.accept_tier = text


_READERS: dict[str, Callable[[PlainArguments, str], None]] = {
    "--sandbox-level": _read_level,
    "--timeout": _read_timeout,
    "--max-memory": _read_memory,
    "--allow-network": _read_network,
    "--allow-exec": _read_exec,
    "--allow-env": _read_env,
    "--accept-tier": _read_tier,
}


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
        return _bounded(float(text), _WALL_LONGEST_S)
    except ValueError:
        raise _unfit("a number", _WALL_LONGEST_S) from None


def _megabytes(text: str) -> int:
    try:
        return _bounded(int(text), _MEMORY_LARGEST_MB)
    except ValueError:
        raise _unfit("a whole number", _MEMORY_LARGEST_MB) from None


def _bounded(value: Number, most: Number) -> Number:
    if not 0 < value <= most:
        raise ValueError
    return value


def _unfit(kind: str, most: float) -> argparse.ArgumentTypeError:
    import argparse

    return argparse.ArgumentTypeError(f"must be {kind} above 0 and at most {most:g}")
