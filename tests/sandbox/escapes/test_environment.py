"""Attacks on secrets in the environment and in the memory of the processes around."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox_lab import SECRET, Lab
from skilllite_sandbox.policy import Level, Policy
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


def test_the_carrier_itself_holds_no_secret(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    if lab.as_user is not None:
        pytest.skip("looks at processes of this process")
    monkeypatch.setenv("SKILLLITE_CANARY", SECRET)
    skill = lab.skill("python", "input(); print('true')")
    with Sandbox() as sandbox:
        staged = sandbox.stage.put(skill)
        execution = sandbox.start(Job(staged, entry_of(staged), b"{}\n", Policy(Level.FULL)))
        environment = Path(f"/proc/{execution.pid}/environ").read_bytes()
        outcome = execution.wait()

    assert outcome.output is True
    assert SECRET.encode() not in environment
    assert b"SKILLLITE" not in environment
    assert os.environ["SKILLLITE_CANARY"] == SECRET
