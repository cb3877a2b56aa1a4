"""`skilllite-sandbox bash` and `--allow-exec`, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from skill_files import make_skill
from skilllite_sandbox.cli import main

POWERS = "git can run hooks, aliases, pagers, editors, filters"


@pytest.fixture
def skill(tmp_path: Path) -> str:
    """A skill that allows git and some of the base list."""
    tools = "Bash(git version) Bash(git -c:*) Bash(printf:*) Bash(wc:*) Bash(cat:*)"
    return str(make_skill(tmp_path, extra=f"allowed-tools: {tools}\n", files={}))


def test_stdout_is_what_the_command_prints(skill: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bash", skill, "printf 'a\\n\\n' | cat"]) == 0

    assert capfd.readouterr() == ("a\n\n", "")


def test_a_program_is_granted_by_its_name(skill: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bash", skill, "git version", "--allow-exec", "git"]) == 0

    assert capfd.readouterr().out.startswith("git version ")


def test_without_a_grant_a_person_is_asked_and_told_what_the_program_can_run(
    skill: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["bash", skill, "git version"]) == 4

    said = capfd.readouterr()
    assert said.out == ""
    assert "error: git is not granted\n" in said.err and POWERS in said.err
    assert "hint: --allow-exec git" in said.err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("git status", "the skill does not allow `git status`"),
        ("git version | sort", "the skill does not allow `sort`"),
        ("cat x > y", "`>` at character 7 of the command: redirects are not allowed"),
        ("cat $(git version)", "`$` at character 5 of the command"),
        ("cat &", "`&` at character 5 of the command"),
        ("", "a command is missing"),
    ],
)
def test_what_is_refused_starts_nothing_and_says_why(
    skill: str, command: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["bash", skill, command, "--allow-exec", "git"]) == 3
    assert message in capfd.readouterr().err

    assert main(["bash", skill, command, "--allow-exec", "git", "--json"]) == 3
    outcome = json.loads(capfd.readouterr().out)
    assert (outcome["ok"], outcome["reason"], outcome["enforced"]) == (False, "refused", [])
    assert message in outcome["message"]


def test_a_command_that_fails_keeps_its_output(
    skill: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["bash", skill, "printf out; cat /nowhere"]) == 1

    said = capfd.readouterr()
    assert said.out == "out"
    assert "cat: /nowhere" in said.err and "error: exit status 1" in said.err


def test_the_outcome_has_the_status_and_the_text(
    skill: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["bash", skill, "printf 5", "--json", "--sandbox-level", "2"]) == 0
    five = json.loads(capfd.readouterr().out)
    assert main(["bash", skill, "cat /nowhere", "--json", "--sandbox-level", "2"]) == 1
    failed = json.loads(capfd.readouterr().out)

    assert (five["ok"], five["reason"], five["text"], five["output"]) == (True, "ok", "5", None)
    assert "listed-programs" in five["enforced"] or "own-executables" in five["not_enforced"]
    assert (failed["reason"], failed["exit_code"]) == ("exit", 1)
    assert "cat: /nowhere" in failed["stderr"]


def test_explain_runs_nothing_and_names_commands_programs_and_what_they_can_run(
    skill: str, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["bash", skill, "git version && cat 'a b'", "--allow-exec", "git", "--explain"]
    assert main(words) == 0
    text = capfd.readouterr().out
    assert main([*words, "--json"]) == 0
    facts = json.loads(capfd.readouterr().out)

    assert "command 'git' 'version'\ncommand 'cat' 'a b'\n" in text
    assert f"warning {POWERS}" in text
    assert "execute listed" in text and "executable /usr/bin/git\n" in text
    assert "executable /usr/bin/sort" not in text
    assert facts["steps"] == [["", [["git", "version"]]], ["&&", [["cat", "a b"]]]]
    assert POWERS in facts["warnings"]["git"]
    assert facts["plan"]["executes"] == "listed"


def test_the_help_says_what_a_grant_means(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["bash", "--help"])

    assert left.value.code == 0
    assert "Bash(git:*) allows what git itself can run" in capfd.readouterr().out


def test_run_grants_programs_too_and_names_those_that_are_missing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = "import json, subprocess as s\ndone = s.run(['git', '--version'])\nprint(1)"
    extra = "metadata:\n  skilllite.exec: git jq\n"
    skill = str(make_skill(tmp_path, extra=extra, files={"scripts/main.py": script}))

    assert main(["run", skill, "{}", "--json"]) == 1
    assert "programs (git, jq) are not granted, --allow-exec NAME" in capfd.readouterr().err
    assert main(["run", skill, "{}", "--json", "--allow-exec", "git", "--allow-exec", "ls"]) == 0
    said = capfd.readouterr()
    assert "programs (jq) are not granted" in said.err
    assert "does not ask for ls, so that grant has no effect" in said.err
    assert json.loads(said.out)["text"].startswith("git version")

    assert main(["run", skill, "--explain", "--allow-exec", "git"]) == 0
    assert "program git: can run hooks, aliases" in capfd.readouterr().out
