"""What a skill is, seen from inside and from the host."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sandbox_lab import Lab
from skilllite_sandbox.policy import Level, Policy
from skilllite_sandbox.sandbox import Job, Sandbox, entry_of

SELF = """
import ctypes, json, os, socket

def is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True

libc = ctypes.CDLL(None)
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
sets = (ctypes.c_uint32 * 6)()
libc.capget(header, sets)
print(json.dumps({
    "capabilities": list(sets),
    "no new privileges": libc.prctl(39, 0, 0, 0, 0),
    "uids": os.getresuid(),
    "gids": os.getresgid(),
    "groups": os.getgroups(),
    "host": socket.gethostname(),
    "pid": os.getpid(),
    "parent": os.getppid(),
    "leads its session": os.getsid(0) == os.getpid(),
    "descriptors": [number for number in range(3, 64) if is_open(number)],
}))
"""


def test_a_skill_is_nobody_in_particular(lab: Lab) -> None:
    for result in lab.run(lab.skill("python", SELF), (2, 3), {}).values():
        said = result.said
        assert said["capabilities"] == [0] * 6
        assert said["no new privileges"] == 1
        assert said["uids"] == [1000] * 3
        assert said["gids"] == [1000] * 3
        assert said["groups"] in ([], [1000])
        assert said["host"] == "sandbox"
        assert said["pid"] < 10
        assert said["parent"] <= 1
        assert said["leads its session"]
        assert len(said["descriptors"]) <= 1, "the pipe to the host, and nothing else"


@pytest.mark.parametrize("language", ["python", "node", "bash"])
def test_the_host_sees_a_user_without_any_privilege(lab: Lab, language: str) -> None:
    if lab.as_user is not None:
        pytest.skip("looks at processes of this process")
    scripts = {
        "python": "input(); print(True)",
        "node": "require('fs').readFileSync(0); console.log(1)",
        "bash": "cat",
    }
    with Sandbox() as sandbox:
        staged = sandbox.stage.put(lab.skill(language, scripts[language]))
        job = Job(staged, entry_of(staged), b"x" * 200_000, Policy(Level.ISOLATED))
        execution = sandbox.start(job)
        try:
            guest = _last_descendant(execution.pid, scripts[language])
            status = _status(guest)
            carrier = _status(execution.pid)
        finally:
            execution.kill()
            execution.wait()

    for facts in (status, carrier):
        assert "0" not in facts["Uid"].split()
        assert "0" not in facts["Gid"].split()
    assert status["CapPrm"] == status["CapEff"] == status["CapInh"] == "0" * 16
    assert status["CapAmb"] == "0" * 16
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert int(status["Seccomp_filters"]) >= 2
    if os.geteuid() == 0:
        assert set(status["Uid"].split()) == {"60917"}
        assert status["Groups"].strip() == ""


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _last_descendant(pid: int, script: str) -> int:
    """Return the innermost process below `pid`, once its second filter is in place."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        current = pid
        while True:
            children = Path(f"/proc/{current}/task/{current}/children").read_text(encoding="ascii")
            if not children.split():
                break
            current = int(children.split()[-1])
        if int(_status(current).get("Seccomp_filters", "0")) >= 2:
            return current
        time.sleep(0.005)
    raise AssertionError(f"no guest appeared for {script}")
