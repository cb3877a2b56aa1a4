"""Attacks on secrets in the environment and in the memory of the processes around."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox_lab import SECRET, Lab
from skilllite_sandbox.outcome import Reason
from skilllite_sandbox.policy import Level, Policy, Tier
from skilllite_sandbox.sandbox import Job, Sandbox, entry_of

DUMPS = {
    "python": """
import json, os
print(json.dumps({"env": dict(os.environ), "proc": os.path.exists("/proc/self/environ")}))
""",
    "node": """
const proc = require('fs').existsSync('/proc/self/environ');
console.log(JSON.stringify({env: process.env, proc}));
""",
    "bash": """
proc=$([ -e /proc/self/environ ] && echo true || echo false)
jq -n '{env: env, proc: $proc}' --argjson proc "$proc"
""",
}
# What the kernel put on the first stack: the arguments, the environment, the program's path. Where
# the skill's process is a copy of one that was there before, that one's.
BIRTH = """
import ctypes, json
libc = ctypes.CDLL(None)
libc.getauxval.restype = ctypes.c_ulong
begin = ctypes.c_void_p.in_dll(libc, "program_invocation_name").value
end = libc.getauxval(31)  # AT_EXECFN
words = ctypes.string_at(begin, end - begin).decode("latin-1").split("\\0")
print(json.dumps({"words": words}))
"""
LINGER = """
import sys, time
print("here", file=sys.stderr, flush=True)
time.sleep(60)
"""
EXPECTED = {"HOME", "LANG", "PATH", "PWD", "TMPDIR"}
SHELL_OWN = {"SHLVL", "_", "OLDPWD"}  # bash makes these itself


@pytest.mark.parametrize("language", DUMPS)
def test_the_environment_holds_only_the_allowed_names(lab: Lab, language: str) -> None:
    results = lab.run(lab.skill(language, DUMPS[language]), (1, 2, 3), {})

    for level in (1, 2, 3):
        names = set(results[level].said["env"])
        assert names - SHELL_OWN <= EXPECTED | {"LC_CTYPE"}, level
        assert SECRET not in str(results[level].outcome)
    assert not results[2].said["proc"]
    assert not results[3].said["proc"]


def test_what_a_skill_finds_of_the_carriers_own_environment_is_no_secret(lab: Lab) -> None:
    bare = subprocess.run(
        [sys.executable, "-c", BIRTH],
        env={"SKILLLITE_CANARY": SECRET},
        capture_output=True,
        text=True,
        timeout=30,
    )

    results = lab.run(lab.skill("python", BIRTH), (1, 2, 3), {})

    assert f"SKILLLITE_CANARY={SECRET}" in bare.stdout, f"the control failed: {bare.stderr}"
    for level, result in results.items():
        started_with = result.said["words"]
        assert any("python" in word for word in started_with), "it looked elsewhere"
        assert not any("SKILLLITE" in word or SECRET in word for word in started_with), level


def test_the_host_sees_no_secret_in_the_environment_of_a_run(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lab.as_user is not None:
        pytest.skip("looks at processes of this process")
    monkeypatch.setenv("SKILLLITE_CANARY", SECRET)
    skill = lab.skill("python", LINGER)
    seen: dict[int, bytes | None] = {}

    def look(_: str) -> None:
        seen.update({pid: environment_of(pid) for pid in tree_of(execution.pid)})
        execution.kill()

    with Sandbox(tier=lab.tier) as sandbox, subprocess.Popen(["sleep", "60"]) as control:
        staged = sandbox.stage.put(skill)
        execution = sandbox.start(Job(staged, entry_of(staged), b"{}", Policy(Level.ISOLATED)))
        outcome = execution.wait(look)
        beside = environment_of(control.pid)
        control.kill()

    assert outcome.reason is Reason.CANCELLED, outcome
    assert beside is not None and SECRET.encode() in beside, "the control failed"
    assert execution.pid in seen
    everything = b"".join(environment or b"" for environment in seen.values())
    assert b"SKILLLITE" not in everything and SECRET.encode() not in everything
    if os.geteuid() == 0:
        assert None not in seen.values(), "root can look"
    elif lab.tier is Tier.FULL:
        assert set(seen.values()) == {None}, "its own user may not read it, nor attach to it"


def environment_of(pid: int) -> bytes | None:
    """Return what a living process was started with, as the host sees it; None if it's denied."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except PermissionError:
        return None


def tree_of(pid: int) -> list[int]:
    """Return a process and all below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(below for child in children for below in tree_of(int(child)))]
