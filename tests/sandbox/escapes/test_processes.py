"""Attacks on other processes of the host."""

from __future__ import annotations

import pytest

from sandbox_lab import Lab, assert_only_unsandboxed

SEES = {
    "python": """
import json, os, sys
victim = json.load(sys.stdin)["victim"]

def can(action):
    try:
        action()
    except OSError:
        return False
    return True

print(json.dumps({
    "signal": can(lambda: os.kill(victim, 0)),
    "signal everybody": can(lambda: os.kill(-1, 0)),
    "see": os.path.exists(f"/proc/{victim}"),
    "read its environment": can(lambda: open(f"/proc/{victim}/environ").read()),
    "open": can(lambda: os.pidfd_open(victim)),
    "its limits": can(lambda: __import__("resource").prlimit(victim, 7)),
    "its group": can(lambda: os.getpgid(victim)),
}))
""",
    "node": """
const fs = require('fs');
const {victim} = JSON.parse(fs.readFileSync(0, 'utf8'));
const can = f => { try { f(); return true; } catch (error) { return false; } };
console.log(JSON.stringify({
  signal: can(() => process.kill(victim, 0)),
  see: fs.existsSync(`/proc/${victim}`),
}));
""",
    "bash": """
victim=$(jq .victim)
cd "$TMPDIR"
signal=$(kill -0 "$victim" 2>err && echo true || echo false)
see=$([ -e "/proc/$victim" ] && echo true || echo false)
echo "{\\"signal\\": $signal, \\"see\\": $see}"
""",
}

KILLS = {
    "python": """
import json, os, sys
victim = json.load(sys.stdin)["victim"]
try:
    os.kill(victim, 9)
except OSError:
    pass
print("true")
""",
    "node": """
const {victim} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
try { process.kill(victim, 9) } catch (error) {}
console.log('true');
""",
    "bash": """
kill -9 "$(jq .victim)" 2>"$TMPDIR/err"
echo true
""",
}


@pytest.mark.parametrize("language", SEES)
def test_processes_of_the_host_are_not_there(lab: Lab, language: str) -> None:
    assert_only_unsandboxed(lab.attack(language, SEES[language]))


@pytest.mark.parametrize("language", KILLS)
def test_processes_of_the_host_survive(lab: Lab, language: str) -> None:
    skill = lab.skill(language, KILLS[language])

    results = lab.run(skill, (1, 2, 3), {})

    assert not results[1].victim_alive, "the control: without isolation it dies"
    assert results[2].victim_alive
    assert results[3].victim_alive


def test_signals_to_its_own_group_do_not_reach_the_carrier(lab: Lab) -> None:
    script = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.kill(0, signal.SIGTERM)
os.killpg(0, signal.SIGTERM)
print("true")
"""
    for result in lab.run(lab.skill("python", script), (2, 3), {}).values():
        assert result.outcome["output"] is True, result.outcome
