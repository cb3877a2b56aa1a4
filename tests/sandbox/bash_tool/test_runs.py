"""Commands of Bash-tool skills in the sandbox: they work as in bash, and stay what they are."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gates import lets_all_pass
from sandbox_lab import require
from skill_files import make_skill
from skilllite_sandbox import Level, Sandbox, Tier
from skilllite_sandbox.bash_tool.request import make_bash_job, outcome_of_commands
from skilllite_sandbox.host import has_landlock, read_host
from skilllite_sandbox.outcome import Outcome
from skilllite_sandbox.run_request import RunRequest

GRANTED = ("git", "find")


class Tool:
    """A skill that allows everything, and a sandbox to run its commands in."""

    def __init__(self, sandbox: Sandbox, skill: Path, level: Level) -> None:
        self._sandbox = sandbox
        self._skill = skill
        self._level = level

    def run(self, command: str) -> Outcome:
        """Run one command."""
        request = RunRequest(self._level, exec=GRANTED)
        made = make_bash_job(request, command, self._skill, self._sandbox.stage)
        return outcome_of_commands(self._sandbox.run_job(self._sandbox.clear(made.job)))


def open_tool(place: Path, level: Level, tier: Tier | None, tools: str) -> Iterator[Tool]:
    """Open a sandbox of a tier for a skill with these `allowed-tools`."""
    if not has_landlock():
        pytest.skip("this kernel has no Landlock")
    skill = make_skill(place, extra=f"allowed-tools: {tools}\n", files={"notes.txt": "b\na\n"})
    with Sandbox(level, tier=tier, pool=tier is Tier.FULL, gate=lets_all_pass()) as sandbox:
        yield Tool(sandbox, skill, level)


@pytest.fixture(scope="module", params=[Tier.FULL, Tier.BWRAP])
def tool(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tool]:
    place = tmp_path_factory.mktemp("tool")
    yield from open_tool(place, Level.ISOLATED, request.param, "Bash")


def test_a_command_reads_the_skill_and_writes_its_scratch(tool: Tool) -> None:
    outcome = tool.run("sort -o sorted /skill/notes.txt && cat sorted sorted")

    assert outcome.ok and outcome.text == "a\nb\na\nb\n"
    assert outcome.output is None and outcome.message == ""


@pytest.mark.parametrize(
    "command",
    [
        "printf '%s\\n' '$HOME' '*' 'a b' \"c'd\" e\\ f '' \"x\\\\y\" HEAD~1 a=b",
        "printf 'b\\na\\n' | sort | head -n 1",
        "true && printf yes || printf no",
        "false && printf yes || printf no",
        "false || false && printf never; printf then",
        "false ; true",
        "true ; false",
        "true | false",
        "false | true",
        "seq 100000 | head -n 1",
        "cat",
        "cat /nowhere || printf 'not there'",
        "expr 1 + 2 | cat",
        "test a = b",
        "yes | head -n 3 | wc -l && seq 3 | tac",
    ],
)
def test_a_command_says_and_returns_what_it_does_in_bash(
    tool: Tool, command: str, tmp_path: Path
) -> None:
    require("bash")
    expected = subprocess.run(
        ["bash", "--norc", "-c", command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        cwd=tmp_path,
        check=False,
    )

    outcome = tool.run(command)

    assert (outcome.text, outcome.exit_code) == (expected.stdout.decode(), expected.returncode)
    assert outcome.ok == (expected.returncode == 0)


PIPELINES = st.lists(
    st.sampled_from(["true", "false", "printf x", "printf y", "cat", "wc -c", "test a = b"]),
    min_size=1,
    max_size=3,
).map(" | ".join)
COMMANDS = st.builds(
    lambda first, rest: first + "".join(operator + pipeline for operator, pipeline in rest),
    PIPELINES,
    st.lists(st.tuples(st.sampled_from([" && ", " || ", " ; "]), PIPELINES), max_size=6),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(command=COMMANDS)
def test_any_list_of_pipelines_says_and_returns_what_it_does_in_bash(
    tool: Tool, tmp_path: Path, command: str
) -> None:
    test_a_command_says_and_returns_what_it_does_in_bash(tool, command, tmp_path)


def test_a_death_by_signal_is_told_as_bash_tells_it(tool: Tool) -> None:
    outcome = tool.run("timeout --signal=KILL --foreground 0.05 sleep 5")

    assert outcome.exit_code == 137 or outcome.signal == 9, outcome


def test_what_may_not_be_executed_is_a_clear_error(tool: Tool) -> None:
    python = read_host().python
    assert python is not None
    outcome = tool.run(f"env {python.path} -c 1")

    assert not outcome.ok
    assert "Permission denied" in outcome.stderr and python.path in outcome.stderr


def test_a_run_ends_at_its_deadline_with_all_that_it_started(tool: Tool) -> None:
    outcome = tool.run("timeout 0.2 yes | head -c 10 && sleep 0.1 | cat")

    assert outcome.ok and outcome.duration_ms < 5000


def test_one_run_leaves_nothing_to_the_next(tool: Tool) -> None:
    assert tool.run("touch left").ok
    assert tool.run("ls").text == ""


# What allowed programs try to run in their turn

COMMIT = "git -c user.name=a -c user.email=b commit -q --allow-empty"
EDITOR = "git -c core.editor='touch mark;'"
SCRIPT = "printf '#!/bin/sh\\ntouch mark\\n' | tee own && chmod 755 own"
ATTACKS = {
    "an alias": "git -c 'alias.x=!touch mark' x",
    "a hook": (
        "git init -q . && printf '#!/bin/sh\\ntouch mark\\n' | tee .git/hooks/post-commit "
        f"&& chmod 755 .git/hooks/post-commit && {COMMIT} -m x"
    ),
    "an editor": f"git init -q . && {COMMIT.replace('git', EDITOR, 1)}",
    "a diff program": (
        "git init -q . && printf a | tee f && git add f && printf b | tee f "
        "&& git -c diff.external='touch mark' diff"
    ),
    "a filter": (
        "git init -q . && printf '* filter=x\\n' | tee .gitattributes "
        "&& git -c filter.x.clean='touch mark' add ."
    ),
    "a credential helper": (
        "git init -q . && printf 'protocol=https\\nhost=x\\n\\n' "
        "| git -c credential.helper='!touch mark' credential fill"
    ),
    "ssh": "git -c core.sshCommand='touch mark;' ls-remote x@y:z",
    "a transport": "git -c protocol.ext.allow=always ls-remote 'ext::touch mark'",
    "env": "env touch mark",
    "a script of its own": f"{SCRIPT} && env ./own",
    "timeout": "timeout 5 touch mark",
    "find": "find . -maxdepth 0 -exec touch mark ';'",
    "sed": "printf 'x\\n' | sed '1e touch mark'",
    "gawk": "awk 'BEGIN { system(\"touch mark\") }'",
    "split": "printf x | split --filter='touch mark'",
    "an interpreter": 'env PYTHON -c \'open("mark", "w")\'',
}
ALLOWED = (
    "Bash(git:*) Bash(printf:*) Bash(tee:*) Bash(chmod:*) Bash(ls) Bash(env:*) Bash(timeout:*) "
    "Bash(find:*) Bash(sed:*) Bash(awk:*) Bash(split:*)"
)


@pytest.fixture(scope="module", params=[Tier.FULL, Tier.BWRAP])
def narrow(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tool]:
    place = tmp_path_factory.mktemp("narrow")
    yield from open_tool(place, Level.ISOLATED, request.param, ALLOWED)


@pytest.fixture(scope="module")
def without_isolation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tool]:
    yield from open_tool(tmp_path_factory.mktemp("direct"), Level.DIRECT, None, ALLOWED)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_allowed_program_runs_no_other_program(
    narrow: Tool, without_isolation: Tool, name: str
) -> None:
    python = read_host().python
    assert python is not None
    command = ATTACKS[name].replace("PYTHON", python.path) + " ; ls"

    control = without_isolation.run(command)
    assert "mark" in control.text.splitlines(), f"the control failed: {control.stderr}"

    outcome = narrow.run(command)
    assert outcome.ok and "mark" not in outcome.text.splitlines(), outcome.text


def test_the_loader_runs_no_other_program_either(tmp_path: Path) -> None:
    host = read_host()
    assert host.loader and host.python
    for tool in open_tool(tmp_path, Level.ISOLATED, Tier.FULL, "Bash"):
        outcome = tool.run(
            f"cp /usr/bin/cat own && env {host.loader} ./own /skill/notes.txt ; "
            f"env {host.loader} {host.python.path} -c 'print(1)' ; ls"
        )

        assert outcome.ok and outcome.text == "own\n", outcome
        assert "failed to map segment" in outcome.stderr
