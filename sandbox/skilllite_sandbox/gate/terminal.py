"""Asks a person at the controlling terminal of this process.

Opened as /dev/tty by the process itself: what stands on stdin, a pipe or another pseudo-terminal,
answers nothing. What was typed before the question is thrown away.
"""

from __future__ import annotations

import contextlib
import os
import select
import termios
import time

from skilllite_sandbox.gate.request import Answer

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Iterator

    from skilllite_sandbox.gate.request import Ask, ConsentRequest

TERMINAL = "terminal"
ANSWER_S_MAX = 600.0  # who walked away has not agreed
LINE_BYTES_MAX = 1024  # of an answer; a terminal gives a line at a time
TRIES = 3  # misspelt answers
_DEVICE = "/dev/tty"


def person_here() -> Ask | None:
    """Return who can be asked; None when this process has no terminal, or not now."""
    with _terminal() as descriptor:
        if descriptor is None:
            return None
    return _ask_to_run


def ask_at_terminal(lines: list[str], answers: dict[str, str]) -> str | None:
    """Show lines and ask for one of some words; return what it stands for, None without an answer.

    Args:
        lines: Harmless to a terminal.
        answers: What may be typed in full, and what it stands for.
    """
    with _terminal() as descriptor:
        if descriptor is None:
            return None
        typed = _quoted(list(answers))
        _write(descriptor, "\n".join(["", *lines, f"Type {typed}; anything else is a no.", ""]))
        # Not what was typed, pasted or stuffed into the terminal before the question stood there.
        termios.tcflush(descriptor, termios.TCIFLUSH)
        _write(descriptor, "> ")
        return answers.get(_read_line(descriptor).strip().lower())


def _ask_to_run(request: ConsentRequest) -> Answer:
    answers = {"yes": Answer.ONCE.value, "always": Answer.ALWAYS.value}
    lines = [*request.lines(), "", "yes: run it this once; always: whenever it is this digest."]
    return Answer(ask_at_terminal(lines, answers) or Answer.NO)


def ask_for_this_run(request: ConsentRequest) -> Answer:
    """Ask where nothing is kept."""
    said = ask_at_terminal([*request.lines(), ""], {"yes": Answer.ONCE.value})
    return Answer(said or Answer.NO)


@contextlib.contextmanager
def _terminal() -> Iterator[int | None]:
    """Open the controlling terminal; None when there is none, or this isn't in the foreground."""
    try:
        descriptor = os.open(_DEVICE, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield descriptor if _in_foreground(descriptor) else None
    finally:
        os.close(descriptor)


def _in_foreground(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor) and os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False


def _read_line(descriptor: int) -> str:
    """Return one line; empty at the end of input or when nobody answers."""
    deadline = time.monotonic() + ANSWER_S_MAX
    data = b""
    while b"\n" not in data and len(data) < LINE_BYTES_MAX:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not select.select([descriptor], [], [], left_s)[0]:
            return ""
        try:
            chunk = os.read(descriptor, LINE_BYTES_MAX)
        except OSError:
            return ""
        if not chunk:
            return ""
        data += chunk
    return data.partition(b"\n")[0].decode("utf-8", "replace")


def _write(descriptor: int, text: str) -> None:
    data = text.encode("utf-8", "replace")
    while data:
        data = data[os.write(descriptor, data) :]


def _quoted(words: list[str]) -> str:
    return " or ".join(f"`{word}`" for word in words)
