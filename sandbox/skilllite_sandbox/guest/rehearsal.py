"""What a warm worker of Python runs instead of a skill before it has one.

A forked process copies each page of memory at its first write to it, which takes longer than what
most skills do. The rehearsal takes the way of every skill once, so that the pages are its own when
the job comes; nothing of it is left but that.
"""

import marshal
import os
import sys

from skilllite_sandbox.guest.python_program import run_script
from skilllite_sandbox.guest.streams import attach_streams

_INPUT = b'{"text": "Warm up, a skill is to come", "numbers": [1, 2.5, 30], "more": [null, true]}'


def compiled(script: str) -> bytes:
    """Return what `rehearse` takes as code: compiled once, for all workers."""
    with open(script, "rb") as file:
        return marshal.dumps(compile(file.read(), script, "exec", dont_inherit=True))


def rehearse(script: str, code: bytes) -> None:
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
        run_script(script, [], lambda fact: None, code=code)
    finally:
        sys.stdout.flush()
        (sys.stdin, sys.stdout, sys.stderr) = streams[:3]
        (sys.__stdin__, sys.__stdout__, sys.__stderr__) = streams[3:]  # type: ignore[misc]
        sys.argv, sys.path[:], sys.modules["__main__"] = state
        del os.environ["WARM"]
        os.close(reading)
        os.close(null)
