"""`node start -d`: the same node as a process of its own, and the wait until it serves or fails."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import IO

from skilllite import errors
from skilllite.cli import output
from skilllite.errors import TimedOut
from skilllite.home import Home

READY_TIMEOUT_S = 60.0
"""A first start on a slow machine makes keys, stages skills and imports everything cold."""

OUTPUT_BYTES_MAX = 64 * 1024
"""Of what a node that failed to start had to say."""


def start_detached(home: Home, words: Sequence[str]) -> int:
    """Start `skilllite WORDS` in a session of its own; print its ready line or its error."""
    home.prepare()
    said_path = home.logs / "start.log"
    with said_path.open("wb") as said:
        # -P: the current folder may hold a `trio.py` that is not ours.
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "skilllite", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        )
    assert process.stdout is not None
    with process.stdout as stdout:
        try:
            line = _first_line(stdout, READY_TIMEOUT_S)
        except BaseException:
            process.kill()
            process.wait()
            raise
    if "ready" in line.split():
        # Nobody waits for it: it outlives this command and the system adopts it.
        process.returncode = 0
        output.write_result(line + "\n")
        return errors.OK
    status = process.wait()
    with said_path.open("rb") as file:
        text = file.read(OUTPUT_BYTES_MAX).decode("utf-8", "replace")
    if not text:  # it wrote to the disk of the home, which may be full
        raise errors.SkillLiteError(
            "the node ended at once, without a word",
            hint="`skilllite node start` in the foreground says why; `skilllite doctor` looks at "
            "the disk",
        )
    output.note(output.printable(text, keep_layout=True))
    return status if status > 0 else errors.FAILED


def _first_line(stream: IO[bytes], timeout_s: float) -> str:
    """Return the first line, or what there was of it when the stream ended."""
    deadline = time.monotonic() + timeout_s
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while b"\n" not in data:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not selector.select(left_s):
                raise TimedOut(
                    f"the node was not ready within {timeout_s:g} s",
                    hint="start it in the foreground to see why: `skilllite node start`",
                )
            more = os.read(stream.fileno(), OUTPUT_BYTES_MAX)
            if not more:
                break
            data += more
    return data.partition(b"\n")[0].decode("utf-8", "replace")
