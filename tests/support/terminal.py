"""A person at a terminal: a command with a controlling terminal of its own, and what they type."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PROMPT = b"\n> "
DEADLINE_S = 60.0
CTTY = ("setsid", "--ctty", "--wait")
"""Gives a command a session whose controlling terminal is its stdin."""


class AtTerminal:
    """How a command ended that a person typed."""

    def __init__(self, status: int, shown: str, out: str) -> None:
        self.status = status
        self.shown = shown
        """What stood on the terminal, errors too."""
        self.out = out
        """What the command printed on stdout, which is a pipe."""


def type_at_terminal(
    argv: Sequence[str],
    answer: str | None,
    *,
    cwd: Path,
    env: Mapping[str, str],
    before: str = "",
    controlling: bool = True,
) -> AtTerminal:
    """Run a command with a terminal on stdin and stderr, and answer its question.

    Args:
        argv: The command.
        answer: What is typed when the question stands there; None to type nothing.
        cwd: Where.
        env: With what more in the environment.
        before: What is typed before any question.
        controlling: Whether it is the controlling terminal, or a terminal on stdin only.
    """
    ours, theirs = pty.openpty()
    try:
        if before:
            os.write(ours, before.encode())
        process = subprocess.Popen(
            [*(CTTY if controlling else ()), *argv],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            cwd=cwd,
            env={**os.environ, **env},
            start_new_session=not controlling,
        )
    finally:
        os.close(theirs)
    with process:
        shown = _converse(ours, answer)
        assert process.stdout is not None
        out = process.stdout.read().decode()
        status = process.wait(DEADLINE_S)
    return AtTerminal(status, shown.decode().replace("\r\n", "\n"), out)


def _converse(ours: int, answer: str | None) -> bytes:
    shown, answered = b"", answer is None
    ends = time.monotonic() + DEADLINE_S
    try:
        while time.monotonic() < ends:
            if not select.select([ours], [], [], 1.0)[0]:
                continue
            try:
                data = os.read(ours, 4096)
            except OSError:  # the other side has closed
                break
            if not data:
                break
            shown += data
            if not answered and PROMPT in shown:
                assert answer is not None
                os.write(ours, answer.encode() + b"\n")
                answered = True
    finally:
        os.close(ours)
    return shown
