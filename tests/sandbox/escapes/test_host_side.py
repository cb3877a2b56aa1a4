"""Attacks on the host's side of a run: its memory, its time, and what runs of one user share."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox_lab import require
from skill_files import make_skill
from skilllite_sandbox.backend.base import Ended
from skilllite_sandbox.execution import Execution
from skilllite_sandbox.outcome import Reason
from skilllite_sandbox.plan import Plan
from skilllite_sandbox.policy import MIB, Level, Policy, Tier
from skilllite_sandbox.sandbox import Job, Sandbox, entry_of

RESIDENT_GROWTH_MAX = 100 * MIB  # a flood of two seconds was more than a thousand


@pytest.fixture(scope="module", params=[Tier.FULL, Tier.BWRAP], ids=["full", "bwrap"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """One sandbox of each tier."""
    with Sandbox(Level.ISOLATED, tier=request.param) as opened:
        yield opened


def peak_resident_bytes() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024


def test_what_a_skill_tells_the_host_fills_no_memory(sandbox: Sandbox, tmp_path: Path) -> None:
    script = """
import os, sys, time
kinds = [bytes([letter]) for letter in b"FELRWXMDPN"]
end = time.monotonic() + 1.5
while time.monotonic() < end:
    for number in range(3, 10):
        for kind in kinds:
            try:
                os.write(number, (b"F" if kind == b"E" else kind) + b"x" * 60_000)
            except OSError:
                pass
print("true")
"""
    before = peak_resident_bytes()

    outcome = sandbox.run(make_skill(tmp_path, files={"scripts/main.py": script}), {})

    assert peak_resident_bytes() - before < RESIDENT_GROWTH_MAX
    assert len(outcome.stderr) < 1 * MIB
    assert outcome.reason in (Reason.OK, Reason.EXIT)


class Endless:
    """A run that says it is through and goes on writing, faster than anybody reads."""

    tells_end = True
    on_code: Callable[[bytes], None] | None = None
    stdin = -1
    pid = -1

    def __init__(self) -> None:
        self.stdout = os.open("/dev/zero", os.O_RDONLY)
        self.stderr = os.open("/dev/zero", os.O_RDONLY)
        self.status, writing = os.pipe()
        os.write(writing, b"E0")
        os.close(writing)
        self.end, self._alive = os.pipe()
        self.killed = 0

    def is_over(self) -> bool:
        return False

    def kill(self) -> None:
        self.killed += 1

    def finish(self, timeout_s: float) -> Ended:
        os.close(self.end)
        os.close(self._alive)
        return Ended(9, None)


def test_who_says_it_is_through_and_goes_on_writing_holds_nobody_up(tmp_path: Path) -> None:
    process = Endless()
    waiting = threading.Thread(target=Execution(_some_plan(tmp_path), process, b"").wait)
    waiting.daemon = True

    waiting.start()
    waiting.join(10)

    assert not waiting.is_alive()
    assert process.killed


def _some_plan(tmp_path: Path) -> Plan:
    with Sandbox(Level.ISOLATED) as sandbox:
        return sandbox.plan(_job(sandbox, make_skill(tmp_path)))


def _job(sandbox: Sandbox, skill: Path) -> Job:
    staged = sandbox.stage.put(skill)
    return Job(staged, entry_of(staged), b"{}", Policy(Level.ISOLATED))


def _start(sandbox: Sandbox, skill: Path) -> Execution:
    return sandbox.start(_job(sandbox, skill))


HOARDS = """
import array, json, socket, time
left, right = socket.socketpair()
passed = 0
try:
    for _ in range(8):
        left.sendmsg([b"x"], [(1, 1, array.array("i", [0] * 200))])
        passed += 200
except OSError:
    pass
print(json.dumps(passed), flush=True)
time.sleep(1.5 if passed else 0)
"""


def test_a_skill_holds_no_descriptors_under_way(sandbox: Sandbox, tmp_path: Path) -> None:
    # Those count for the user: a node skill could not be started meanwhile, by anybody.
    hoarder = make_skill(tmp_path, "hoarder", files={"scripts/main.py": HOARDS})
    node = make_skill(tmp_path, "node", files={"scripts/main.js": "console.log(true)"})
    require("node")
    hoarding = _start(sandbox, hoarder)

    time.sleep(0.3)
    meanwhile = [sandbox.run(node, {}) for _ in range(3)]
    passed = hoarding.wait().output

    assert [outcome.output for outcome in meanwhile] == [True] * 3
    assert passed == 0


GROWS = {
    "down": """
address = libc.mmap(None, ctypes.c_size_t(2 << 30), 3, 0x122, -1, 0)
if address != FAILED:
    ctypes.memset(address + (1 << 30), 1, 200 << 20)
    print(json.dumps({"grew": 200}))
else:
    print(json.dumps({"grew": 0}))
""",
    "as page tables": """
address = libc.mmap(None, ctypes.c_size_t(1 << 40), 1, 0x4022, -1, 0)
if address != FAILED:
    for number in range(40_000):
        ctypes.c_char.from_address(address + number * (2 << 20)).value
    print(json.dumps({"grew": 160}))
else:
    print(json.dumps({"grew": 0}))
""",
    "as a stack without bound": """
hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
print(json.dumps({"grew": 0 if 0 < hard <= 64 << 20 else 1000}))
""",
    "as shared memory": """
address = libc.mmap(None, ctypes.c_size_t(2 << 30), 3, 0x21, -1, 0)
if address != FAILED:
    ctypes.memset(address, 1, 200 << 20)
print(json.dumps({"grew": 200 if address != FAILED else 0}))
""",
}
BEGINS = """
import ctypes, json, resource
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
FAILED = ctypes.c_void_p(-1).value
"""


@pytest.mark.parametrize("way", GROWS)
def test_memory_has_no_way_around_its_bound(sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    skill = make_skill(tmp_path, files={"scripts/main.py": BEGINS + GROWS[way]})
    script = str(skill / "scripts/main.py")
    control = subprocess.run(["python3", script], capture_output=True, check=True, timeout=60)

    outcome = sandbox.run(skill, {})

    assert json.loads(control.stdout) != {"grew": 0}
    assert outcome.output == {"grew": 0}, outcome
