"""A command in front of a terminal of its own, and what a person types there."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

WAIT_S = 30.0
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


def at_terminal(
    *words: str, home: Path, asked: str, typed: str, at: Path | None = None
) -> tuple[int, str]:
    """Run `skilllite`, type a line once `asked` is shown, and return the status and all shown.

    The terminal is only the controlling one: stdin, stdout and stderr lead elsewhere.
    """
    ours, theirs = pty.openpty()
    inner = (
        "import os, sys; null = os.open('/dev/null', os.O_RDWR); "
        "[os.dup2(null, number) for number in (0, 1, 2)]; "
        "from skilllite.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", _TAKE_TERMINAL, "-c", inner, *words],
        env={**os.environ, "SKILLLITE_HOME": str(home)},
        cwd=at,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    shown = b""
    deadline = time.monotonic() + WAIT_S
    try:
        while time.monotonic() < deadline:
            ended = process.poll() is not None
            if not select.select([ours], [], [], 0 if ended else 0.1)[0]:
                if ended:
                    break
                continue
            shown += os.read(ours, 4096)
            if typed and asked.encode() in shown and shown.rstrip().endswith(b">"):
                os.write(ours, typed.encode() + b"\n")
                typed = ""
        return process.wait(WAIT_S), shown.decode("utf-8", "replace")
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)  # not earlier: with nobody holding it, reading our end fails
