"""Bash skills: what bash and its usual programs do outside, they do inside."""

from __future__ import annotations

import json

import pytest

from sandbox_lab import require
from side_by_side import DATA, ENVIRONMENT, INPUT, SCRATCH, SKILL, SideBySide
from skilllite_sandbox import Reason
from skilllite_sandbox.host import find_program
from skilllite_sandbox.policy import MIB

SKILLS = sorted(path.name for path in (DATA / "bash").iterdir())


@pytest.fixture(autouse=True)
def programs() -> None:
    """The programs that these skills start."""
    require("bash")
    if find_program("jq", ENVIRONMENT["PATH"]) is None:
        pytest.skip("jq is not installed")


@pytest.mark.parametrize("name", SKILLS)
def test_a_skill_says_what_it_says_outside(both: SideBySide, name: str) -> None:
    ran = both.compare_skill(both.stored_skill("bash", name))

    assert ran.status == (5 if name == "process.sh" else 0), ran.stderr
    assert len(ran.stdout.splitlines()) > 6, "it said hardly anything"


ENDINGS = {
    "by running out": "echo x",
    "by exit": "echo x; exit 3",
    "by exit with the last status": "false; exit",
    "by the last status": "true; false",
    "by exit beyond a byte": "exit 300",
    "by set -e": "set -e\necho a\nfalse\necho b",
    "by pipefail": "set -o pipefail\nfalse | true",
    "by set -u": "set -u\necho $missing\necho b",
    "by a missing program": "no-such-program --x",
    "by a directory as a program": "/tmp",
    "by a syntax error": "echo a\nif then",
    "by exec": "exec printf 'replaced\\n'",
    "by exec of a missing program": "exec no-such-program",
    "by a signal of its own": "kill -TERM $$; sleep 5",
    "with a trap": "trap 'echo last; exit 4' EXIT\nexit 1",
    "with a trap for a signal": "trap 'echo heard; exit 6' TERM\nkill -TERM $$\nsleep 5",
    "with words on both streams": "echo o; echo e >&2; echo p",
    "with a broken pipe": "yes | head -n 1",
    "with a broken pipe and pipefail": "set -o pipefail\nyes | head -n 1",
    "with a hard link across directories": "mkdir d; echo x > f; ln f d/g && cat d/g",
    "with a move across directories": "mkdir d; echo x > f; mv f d/g && cat d/g",
    "with a job left behind": "sleep 60 >/dev/null 2>&1 & echo x",
    "with bytes": "printf '\\x00\\x01a'",
    "without a line end": "printf 'ä'",
    "with a trace": "set -x\nx=1\necho $x",
    "in an empty script": "",
    "in Windows line ends": "echo x\r\n",
}


@pytest.mark.parametrize("name", list(ENDINGS))
def test_a_script_ends_as_outside(both: SideBySide, name: str) -> None:
    both.compare("bash", ENDINGS[name])


INPUTS = {
    "cat": "cat",
    "read": 'read -r line; echo "$line"',
    "jq": "jq -r .text",
    "from /dev/stdin": "cat /dev/stdin",
    "jq from /dev/stdin": "jq .n /dev/stdin",
    "by a variable": 'x=$(cat); echo "${#x}"',
    "in parts": 'read -r -n 5 a; cat; echo "[$a]"',
    "by lines": 'while IFS= read -r l || [ -n "$l" ]; do echo "<$l>"; done',
    "not at all": "echo x",
    "not at all, closed": "exec <&-; echo x",
}


@pytest.mark.parametrize("name", list(INPUTS))
def test_a_script_reads_its_input_as_outside(both: SideBySide, name: str) -> None:
    ran = both.compare("bash", INPUTS[name])

    assert ran.status == 0


SUBSTITUTIONS = {
    "process substitution": "cat <(echo x)",
    "an output substitution": "echo x > >(cat); wait",
    "a descriptor by name": "echo x > /dev/fd/1",
    "stdout by name": "echo x > /dev/stdout",
    "stderr by name": "echo x > /dev/stderr",
    "nothing by name": "echo x > /dev/null; cat /dev/null; echo y",
    "mapfile from a substitution": "mapfile -t l < <(printf 'a\\nb\\n'); echo \"${l[1]}\"",
}


@pytest.mark.parametrize("name", list(SUBSTITUTIONS))
def test_descriptors_have_names_as_outside(both: SideBySide, name: str) -> None:
    both.compare("bash", SUBSTITUTIONS[name])


def test_the_world_is_what_is_promised(both: SideBySide) -> None:
    script = (
        'jq -n --arg file "$0" --arg cwd "$PWD" --arg user "$(whoami)" \\\n'
        '  --arg host "$(uname -n)" --arg id "$(id -u)" --arg args "$#" --arg home ~ \\\n'
        "  '{$file, $cwd, $user, $host, $id, $args, $home, env: env}'"
    )

    facts = both.inside(both.skill("bash", script, {})).output

    of_the_shell = {"_", "OLDPWD", "PWD", "SHLVL"}
    facts["env"] = {k: v for k, v in facts["env"].items() if k not in of_the_shell}
    assert facts == {
        "file": f"{SKILL}/scripts/main.sh",
        "cwd": SCRATCH,
        "user": "skill",
        "host": "sandbox",
        "id": "1000",
        "args": "0",
        "home": SCRATCH,
        "env": ENVIRONMENT,
    }


def test_large_input_and_output_pass(both: SideBySide) -> None:
    text = json.dumps({"data": "z" * (3 * MIB)})

    ran = both.compare("bash", "cat", text=text)

    assert ran.stdout == text


REFUSED = {
    "a program off the list": "perl -e 'print 1'",
    "a program of its own": "printf '#!/bin/bash\\necho x\\n' > p; chmod +x p; ./p",
    "a copied program": "cp /usr/bin/true t; ./t",
    "a connection": "echo x > /dev/tcp/127.0.0.1/9",
    "a datagram": "echo x > /dev/udp/127.0.0.1/9",
    "a write to the skill": 'echo x >> "$0"',
    "a write to the system": "echo x > /usr/x",
    "the list of processes": "ls /proc/1",
    "a raised limit": "ulimit -n 1000000",
    "another user's file": "cat /etc/shadow",
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_refused_is_an_ordinary_failure(both: SideBySide, name: str) -> None:
    script = (
        f"if {{ {REFUSED[name]}; }} 2>/dev/null; then echo done; else echo refused; fi\necho on"
    )

    outcome = both.inside(both.skill("bash", script, {}))

    assert outcome.reason is Reason.NOT_JSON, (outcome.message, outcome.stderr)
    assert outcome.text == "refused\non\n"
    assert outcome.exit_code == 0


def test_nothing_of_a_run_is_left_in_the_next(both: SideBySide) -> None:
    skill = both.skill("bash", "ls -A; touch left; mkdir d; sleep 30 >/dev/null 2>&1 & echo x", {})

    assert [both.inside(skill, INPUT).text for _ in range(2)] == ["x\n"] * 2
