"""The files of a log: what they are called, which there are, and how the newest one ends.

000000000001.jsonl    lines; named by the sequence of the first
000000000001.heads    signed heads of that file
lock                  whoever appends, seals or removes holds it
"""

from __future__ import annotations

import os

from skilllite_sandbox.audit.line import LINE_BYTES_MAX, Line, Malformed, read_line

LINES_SUFFIX = ".jsonl"
HEADS_SUFFIX = ".heads"
LOCK_NAME = "lock"
FILE_BYTES_MAX = 8 * 1024 * 1024  # about 20,000 lines; then the next file begins
FILES_KEPT = 16  # with their heads 200 MiB at most: months of a busy node
TAIL_BYTES_MAX = 1024 * 1024
"""How far back the last whole line is looked for: far more than a crash tears off."""

_LOOKS = (4096, 2 * LINE_BYTES_MAX, TAIL_BYTES_MAX)  # nearly always the last few lines are enough

PRIVATE_FILE = 0o600
_NUMBER_CHARS = range(12, 17)


def file_name(first_sequence: int) -> str:
    """Return the name of the file that begins with this line."""
    return f"{first_sequence:012}{LINES_SUFFIX}"


def heads_name(name: str) -> str:
    """Return the name of the file with the signed heads of a file of lines."""
    return name.removesuffix(LINES_SUFFIX) + HEADS_SUFFIX


def first_sequence(name: str) -> int:
    """Return which line a file begins with, by its name."""
    return int(name.removesuffix(LINES_SUFFIX))


def log_files(directory: str) -> list[str]:
    """Return the names of the files of lines, the oldest first; empty without a directory."""
    try:
        names = os.listdir(directory)  # noqa: PTH208 - without pathlib
    except FileNotFoundError:
        return []
    return lines_among(names)


def lines_among(names: list[str]) -> list[str]:
    """Return those of some names that files of lines have, the oldest first."""
    return sorted(filter(_is_of_lines, names), key=first_sequence)


def _is_of_lines(name: str) -> bool:
    number = name.removesuffix(LINES_SUFFIX)
    digits = number.isascii() and number.isdigit()
    return number != name and len(number) in _NUMBER_CHARS and digits


class Tail:
    """How a file ends."""

    __slots__ = ("last", "torn")

    def __init__(self, last: Line | None, torn: bytes) -> None:
        self.last = last
        """The last whole line; None in a file without any."""
        self.torn = torn
        """What stands behind it: the beginning of a line that a crash tore off."""


def read_tail(descriptor: int, size: int) -> Tail | None:
    """Return how an open file ends; None when it doesn't end as a log does.

    That is when neither a whole line nor the beginning of the file is near its end.
    """
    start = max(0, size - TAIL_BYTES_MAX)
    for begin in dict.fromkeys(max(start, size - bytes_) for bytes_ in _LOOKS):
        data = os.pread(descriptor, size - begin, begin)
        end = len(data)
        while (newline := data.rfind(b"\n", 0, end)) >= 0:
            previous = data.rfind(b"\n", 0, newline)
            if previous >= 0 or begin == 0:
                try:
                    return Tail(read_line(data[previous + 1 : newline]), data[newline + 1 :])
                except Malformed:
                    pass
            end = newline
        if begin == 0:
            return Tail(None, data)
    return None
