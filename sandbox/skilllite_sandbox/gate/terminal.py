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

    from skilllite_sandbox.gate.request import ConsentRequest

TERMINAL = "terminal"
ANSWER_S_MAX = 600.0  # who walked away has not agreed
LINE_BYTES_MAX = 1024  # of an answer; a terminal gives a line at a time
_DEVICE = "/dev/tty"


def ask_at_terminal(lines: list[str], answers: dict[str, str]) -> str | None:
    """Show lines and ask for one of some words; return what it stands for, empty for another.

    None when there is nobody: no terminal, or this process isn't in its foreground.

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
        return answers.get(_read_line(descriptor).strip().lower(), "")


def ask_to_run(request: ConsentRequest) -> Answer | None:
    """Ask whether something may run, this once or always."""
    answers = {"yes": Answer.ONCE.value, "always": Answer.ALWAYS.value}
    lines = [*request.lines(), "", "yes: run it this once; always: whenever it is this digest."]
    return _answer(ask_at_terminal(lines, answers))


def ask_for_this_run(request: ConsentRequest) -> Answer | None:
    """Ask where nothing is kept."""
    return _answer(ask_at_terminal([*request.lines(), ""], {"yes": Answer.ONCE.value}))


def _answer(said: str | None) -> Answer | None:
    return None if said is None else Answer(said or Answer.NO)


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
