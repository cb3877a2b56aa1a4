"""Attacks on what the kernel counts for a user as a whole, inside and outside of sandboxes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox_lab import Lab, assert_only_unsandboxed

TAKES = """
import ctypes, fcntl, json, os
libc = ctypes.CDLL(None, use_errno=True)

def larger_pipe():
    try:
        fcntl.fcntl(os.pipe()[1], 1031, 256 * 1024)
    except OSError:
        return False
    return True

def many_timers():
    event = (ctypes.c_int * 16)(0, 0, 10, 0)
    timer = ctypes.c_void_p()
    return all(libc.timer_create(0, event, ctypes.byref(timer)) == 0 for _ in range(1000))

print(json.dumps({"larger pipe": larger_pipe(), "many timers": many_timers()}))
"""

HOARDS = """
import fcntl, os, resource, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
kept = []
try:
    for _ in range(1000):
        kept.append(os.pipe())
        fcntl.fcntl(kept[-1][1], 1031, 1024 * 1024)
except OSError:
    pass
print("full", flush=True)
sys.stdin.read()
"""


def test_a_skill_takes_little_of_what_its_user_has(lab: Lab) -> None:
    assert_only_unsandboxed(lab.attack("python", TAKES))


@contextmanager
def no_room_in_pipes(lab: Lab) -> Iterator[None]:
    """Let the lab's user have as much in pipes as the kernel allows."""
    command = ["/usr/bin/python3", "-c", HOARDS]
    if lab.as_user is not None:
        user = str(lab.as_user)
        command[:0] = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as hoarder:
        assert hoarder.stdout is not None
        assert hoarder.stdout.readline() == b"full\n"
        yield
        hoarder.communicate(timeout=10)


@pytest.mark.parametrize("size", [20_000, 200_000])
def test_a_run_is_set_up_although_others_hold_all_room_in_pipes(lab: Lab, size: int) -> None:
    skill = lab.skill("python", "import json, sys; print(len(json.load(sys.stdin)['text']))")

    with no_room_in_pipes(lab):
        results = lab.run(skill, (2, 3), {"text": "x" * size})

    assert [result.outcome["output"] for result in results.values()] == [size] * 2
