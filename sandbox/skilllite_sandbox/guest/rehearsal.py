"""What a warm worker of Python runs instead of a skill before it has one.

A forked process copies each page of memory at its first write to it, which takes longer than what
most skills do. The rehearsal takes the way of every skill once, so that the pages are its own when
the job comes; nothing of it is left but that.
"""

import os
import sys

from skilllite_sandbox.guest.python_program import run_script
from skilllite_sandbox.guest.streams import attach_streams

_INPUT = b'{"warm": ["up", 1.5, null]}'


def rehearse(script: str) -> None:
    """Run a script of ours on streams that lead nowhere; raises what it raises."""
    reading, writing = os.pipe()
    os.write(writing, _INPUT)
    os.close(writing)
    null = os.open("/dev/null", os.O_RDWR)
    state = sys.argv, list(sys.path), sys.modules["__main__"]
    streams = sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__
    attach_streams(reading, null, null)
    os.environ["WARM"] = "up"
    try:
        run_script(script, [], lambda fact: None)
    finally:
        sys.stdout.flush()
        (sys.stdin, sys.stdout, sys.stderr) = streams[:3]
        (sys.__stdin__, sys.__stdout__, sys.__stderr__) = streams[3:]  # type: ignore[misc]
        sys.argv, sys.path[:], sys.modules["__main__"] = state
        del os.environ["WARM"]
        os.close(reading)
        os.close(null)
