"""What a command prints, and where: results on stdout, everything said about them on stderr.

Text from skills, peers and files reaches the terminal only through `printable`: an escape sequence
in a skill's log line could otherwise retitle the window or repaint what was printed before.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    from typing import Any, TextIO

COLUMN_GAP = "  "
COLUMNS_OTHERWISE = 80
LAST_COLUMN_MIN = 12
"""Narrower than this a cut cell says nothing; then the line may wrap."""


def printable(text: str, *, keep_layout: bool = False) -> str:
    """Return text with control characters made visible; newlines and tabs too unless kept."""
    if text.isascii() and text.isprintable():
        return text
    from skilllite_sandbox.printable import LINES, ONE_LINE  # 1 ms, and most text needs none

    return text.translate(LINES if keep_layout else ONE_LINE)


def to_json_text(value: Any) -> str:
    """Return one line of JSON that any UTF-8 stream can carry, a lone surrogate included.

    Harmless to a terminal too: only strings can hold control characters, and there they have an
    escape.
    """
    text = json.dumps(value, ensure_ascii=False)
    if text.isascii() and text.isprintable():
        return text
    from skilllite_sandbox.printable import RAW_IN_JSON

    text = text.translate(RAW_IN_JSON)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def print_json(value: Any) -> None:
    """Print the machine output of a command: one JSON value, one line, stdout."""
    write_result(to_json_text(value) + "\n")


def write_foreign(text: str) -> None:
    """Write what a skill printed to stdout: as it came, but harmless where a person reads it."""
    write_result(printable(text, keep_layout=True) if sys.stdout.isatty() else text)


def write_result(text: str) -> None:
    """Write to stdout as UTF-8 whatever the locale says, and flush."""
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:  # a replaced stdout, as under a test runner
        sys.stdout.write(text)
    else:
        sys.stdout.flush()
        stream.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.flush()


def note(text: str) -> None:
    """Tell the person something that is not the result."""
    sys.stderr.write(text.rstrip("\n") + "\n")
    sys.stderr.flush()


def print_error(message: str, *, cause: str | None = None, hint: str | None = None) -> None:
    """Print what failed, why, and what to do next."""
    from skilllite_sandbox.printable import INDENT

    for what, text in (("error", message), ("cause", cause), ("hint", hint)):
        if text:
            note(f"{what}: {printable(text, keep_layout=True)}".replace("\n", INDENT))


def report(error: BaseException, *, otherwise: str | None = None) -> None:
    """Print an error of any layer, which carries message and cause, and a hint or `otherwise`."""
    print_error(
        getattr(error, "message", None) or str(error) or type(error).__name__,
        cause=getattr(error, "cause", None),
        hint=getattr(error, "hint", None) or otherwise,
    )


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print aligned columns on stdout; the last one is not padded, and cut where a line ends.

    Only at a terminal: a file or a program gets all of it.
    """
    lines = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in lines) for column in range(len(header))]
    if sys.stdout.isatty():
        left = terminal_columns(sys.stdout) - sum(widths[:-1]) - len(COLUMN_GAP) * len(widths[:-1])
        for row in lines:
            if len(row[-1]) > left >= LAST_COLUMN_MIN:
                row[-1] = row[-1][: left - 1].rstrip() + "…"
    for row in lines:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        write_result(COLUMN_GAP.join(cells).rstrip() + "\n")


def at_terminal() -> bool:
    """Return whether a person is reading stderr: progress is for them, not for a log."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


class ProgressLine:
    """One line of progress that overwrites itself; silent when nobody watches."""

    def __init__(self) -> None:
        self._shown = at_terminal()
        self._width = 0

    def show(self, text: str) -> None:
        """Replace the line."""
        if not self._shown:
            return
        text = printable(text)[: max(20, terminal_columns(sys.stderr) - 1)]
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)

    def say(self, text: str) -> None:
        """Print something that stays, above the progress line."""
        self.clear()
        note(printable(text))

    def clear(self) -> None:
        """Remove the line, so that the next print starts on a clean one."""
        if self._shown and self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
        self._width = 0


def terminal_columns(stream: TextIO) -> int:
    """Return how wide the terminal behind a stream is; 80 when there is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or COLUMNS_OTHERWISE
    except (OSError, ValueError, AttributeError):
        return COLUMNS_OTHERWISE
