"""Runs skills for `sandbox_lab`: a program, so that it can be another user's.

    sandbox_runner SECRET_FILE

Reads a line {"skill", "level", "tier", "input", "wall_s"} from stdin, answers with a line about
the run and about what became of a process of this user meanwhile; again, until there is no line.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from gates import lets_all_pass
from skilllite_sandbox.policy import DEFAULT_LIMITS, Level, Policy, Tier
from skilllite_sandbox.sandbox import Job, Sandbox, entry_of

SECRET_NAME = "SKILLLITE_CANARY"
KEY = b"skilllite-lab"
SETTLE_S = 5.0  # from a signal to its effect: microseconds, but for a machine under load
SHARED_MEMORY = 0x5B1E  # a key of System V memory that nobody else has

_VICTIM = """
import ctypes, os, sys, time
ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1).value, 0, 0, 0)  # may be traced by anybody
secret = ctypes.create_string_buffer(os.environ["SKILLLITE_CANARY"].encode())
held = os.open(sys.argv[1], os.O_RDONLY)
print(ctypes.addressof(secret), held, flush=True)
time.sleep(3000)
"""
_KEYCTL = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
_KEYCTL_UNLINK, _KEYCTL_SEARCH, _USER_KEYRING = 9, 10, -4


class Victim:
    """A process that could be signalled, traced, read and changed by whoever has its user."""

    def __init__(self, secret_file: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _VICTIM, secret_file],
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        address, held = self._process.stdout.readline().split()
        self.pid = self._process.pid
        self.facts = {"victim": self.pid, "address": int(address), "held": int(held)}
        self._before = self._state()

    def changes(self) -> list[str]:
        """Return what somebody did to it."""
        found = []
        deadline = time.monotonic() + SETTLE_S
        while self._process.poll() is None and self._is_hit() and time.monotonic() < deadline:
            time.sleep(0.005)
        if self._process.poll() is not None:
            found.append("killed")
        elif self._state()[0] in "tT":
            found.append("stopped")
        elif self._state() != self._before:
            found.append("changed")
        return found

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _is_hit(self) -> bool:
        """Return whether a signal is on its way to it, or it is on its way out."""
        try:
            text = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            return True
        facts = dict(line.split(":", 1) for line in text.splitlines())
        pending = int(facts["SigPnd"], 16) | int(facts["ShdPnd"], 16)
        return pending != 0 or facts["State"].split()[0] not in "StT"

    def _state(self) -> tuple[str, ...]:
        """Return whether it is stopped, its niceness, scheduler, processors and limits."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(") ")[2]
        except (FileNotFoundError, ProcessLookupError):
            return ("X",)
        fields = stat.split()
        limits = Path(f"/proc/{self.pid}/limits").read_text(encoding="ascii")
        processors = sorted(os.sched_getaffinity(self.pid))
        state = "T" if fields[0] in "tT" else "S"
        return (state, fields[16], fields[38], str(processors), limits)


def shared_traces() -> list[str]:
    """Return what a run left in stores of the kernel that belong to no process, and remove it."""
    libc = ctypes.CDLL(None, use_errno=True)
    found = []
    key = libc.syscall(_KEYCTL, _KEYCTL_SEARCH, _USER_KEYRING, b"user", KEY, 0)
    if key >= 0:
        libc.syscall(_KEYCTL, _KEYCTL_UNLINK, key, _USER_KEYRING, 0, 0)
        found.append("key")
    memory = libc.shmget(SHARED_MEMORY, 0, 0)
    if memory >= 0:
        libc.shmctl(memory, 0, None)
        found.append("shared memory")
    return found


def packets_sent() -> int:
    """Return how many packets left by any interface of this network namespace, loopback too."""
    lines = Path("/proc/self/net/dev").read_text(encoding="ascii").splitlines()[2:]
    return sum(int(line.partition(":")[2].split()[9]) for line in lines)


def answer(
    request: dict[str, Any], victim: Victim, sandboxes: dict[tuple[int, str], Sandbox]
) -> dict[str, Any]:
    """Run one skill."""
    level, tier = request["level"], request["tier"]
    key = (level, "" if level == Level.DIRECT else tier)
    if key not in sandboxes:
        sandboxes[key] = Sandbox(
            Level(level), tier=Tier(tier) if key[1] else None, gate=lets_all_pass()
        )
    arguments = {**request["input"], **victim.facts}
    sandbox, sent = sandboxes[key], packets_sent()
    staged = sandbox.stage.put(Path(request["skill"]))
    limits = replace(DEFAULT_LIMITS, wall_s=request["wall_s"])
    data = json.dumps(arguments).encode()
    # Not `run`: it would install packages first, and this is about what the skill does.
    job = Job(staged, entry_of(staged), data, Policy(Level(level), limits))
    outcome = sandbox.run_job(sandbox.clear(job))
    return {
        "outcome": outcome.to_json(),
        "changes": victim.changes() + shared_traces(),
        "sent": packets_sent() - sent,
    }


def main() -> None:
    """Answer until nobody asks."""
    sandboxes: dict[tuple[int, str], Sandbox] = {}
    victim = Victim(sys.argv[1])
    try:
        for line in sys.stdin:
            found = answer(json.loads(line), victim, sandboxes)
            if found["changes"]:
                victim.end()
                victim = Victim(sys.argv[1])
            print(json.dumps(found), flush=True)
    finally:
        victim.end()
        for sandbox in sandboxes.values():
            sandbox.close()


if __name__ == "__main__":
    main()
