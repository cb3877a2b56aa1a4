"""What of a command is refused before anything starts, and which programs a run gets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from skill_files import make_skill
from skilllite_sandbox.bash_tool.request import BASE_PROGRAMS, BashJob, make_bash_job
from skilllite_sandbox.errors import ConsentRequired, InvalidSkill, PolicyDenied
from skilllite_sandbox.policy import Level
from skilllite_sandbox.run_request import RunRequest
from skilllite_sandbox.stage import Stage, open_temporary_stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_temporary_stage() as opened:
        yield opened


class Skills:
    """Makes skills and asks for commands of them."""

    def __init__(self, place: Path, stage: Stage) -> None:
        self._place = place
        self._stage = stage

    def ask(
        self,
        tools: str,
        command: str,
        *allowed: str,
        standing: tuple[str, ...] = (),
        metadata: str = "",
    ) -> BashJob:
        """Return the job for a command of a skill with these `allowed-tools`."""
        extra = f"allowed-tools: {tools}\n" if tools else ""
        if metadata:
            extra += f"metadata:\n  skilllite.exec: {metadata}\n"
        self._place = self._place / "x"
        skill = make_skill(self._place, extra=extra, files={})
        request = RunRequest(Level.ISOLATED, exec=allowed, standing_exec=standing)
        return make_bash_job(request, command, skill, self._stage)


@pytest.fixture
def skills(tmp_path: Path, stage: Stage) -> Skills:
    return Skills(tmp_path, stage)


def test_a_skill_without_bash_tools_allows_no_command(skills: Skills) -> None:
    with pytest.raises(InvalidSkill, match="demo allows no commands"):
        skills.ask("Read", "ls")
    with pytest.raises(InvalidSkill, match="demo allows no commands"):
        skills.ask("", "ls")


def test_a_skill_whose_rules_are_not_understood_allows_no_command(skills: Skills) -> None:
    with pytest.raises(InvalidSkill) as refused:
        skills.ask("Bash($x:*)", "ls")

    assert "Bash($x:*) allows nothing" in str(refused.value.cause)


def test_a_program_beyond_the_base_list_needs_a_grant_and_the_prompt_says_what_it_is(
    skills: Skills,
) -> None:
    with pytest.raises(ConsentRequired, match="git is not granted") as refused:
        skills.ask("Bash(git:*)", "git status")

    assert refused.value.cause and "git can run hooks, aliases, pagers" in refused.value.cause
    assert refused.value.hint == "--allow-exec git grants it for this run"


def test_a_grant_of_one_program_is_none_of_another(skills: Skills) -> None:
    with pytest.raises(ConsentRequired, match="curl is not granted"):
        skills.ask("Bash", "git log | curl x", "git")


def test_a_grant_does_not_replace_the_skill_s_own_rule(skills: Skills) -> None:
    with pytest.raises(PolicyDenied, match="does not allow `git push`"):
        skills.ask("Bash(git log:*)", "git push", "git")


def test_only_what_the_skill_names_and_a_person_allows_can_be_executed(skills: Skills) -> None:
    made = skills.ask("Bash(git log:*) Bash(head:*) Bash(curl:*)", "head x", "git", "jq")

    assert set(made.job.policy.grants.exec) == {"git", "head"}
    assert made.notes == ("demo: it does not ask for jq, so that grant has no effect",)


def test_what_is_granted_for_good_is_used_when_the_skill_asks(skills: Skills) -> None:
    made = skills.ask("Bash(git:*)", "git log", standing=("git", "find"))

    assert made.job.policy.grants.exec == ("git",)
    assert made.notes == ()


def test_a_bare_bash_asks_for_the_base_list_and_all_that_a_person_allows(skills: Skills) -> None:
    made = skills.ask("Bash", "cat x", "git")

    programs = set(made.job.policy.grants.exec)
    assert "git" in programs and "cat" in programs and "sort" in programs
    assert programs <= BASE_PROGRAMS | {"git"}


def test_programs_that_commands_need_for_themselves_come_by_the_metadata(skills: Skills) -> None:
    made = skills.ask("Bash(git:*)", "git fetch", "git", "ssh", metadata="ssh")

    assert set(made.job.policy.grants.exec) == {"git", "ssh"}
    with pytest.raises(PolicyDenied, match="does not allow `ssh x`"):
        skills.ask("Bash(git:*)", "ssh x", "git", "ssh", metadata="ssh")


def test_what_is_handed_over_are_words_and_no_text(skills: Skills) -> None:
    made = skills.ask("Bash", "cat 'a b' | wc -l && ls")

    assert json.loads(made.job.input_bytes) == {
        "steps": [["", [["cat", "a b"], ["wc", "-l"]]], ["&&", [["ls"]]]],
        "programs": {"cat": "/usr/bin/cat", "wc": "/usr/bin/wc", "ls": "/usr/bin/ls"},
    }
