"""`skilllite-sandbox` asks the person at the terminal for each run, and keeps nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skill_files import make_skill
from terminal import type_at_terminal

COMMAND = [sys.executable, "-m", "skilllite_sandbox.cli"]
REACHES_OUT = "curl -s https://api.example.com/x || true\necho 1\n"


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    return make_skill(tmp_path, "reach", files={"scripts/main.sh": REACHES_OUT})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


WORDS = (["run", "reach", "{}"], ["exec", "reach", "scripts/main.sh", "{}"])


@pytest.mark.parametrize("words", WORDS, ids=["run", "exec"])
@pytest.mark.parametrize(("answer", "status"), [("yes", 0), ("no", 4), ("always", 4)])
def test_a_person_is_asked_for_each_run(
    skill: Path, home: Path, words: list[str], answer: str, status: int
) -> None:
    for _ in range(2):
        said = type_at_terminal(
            [*COMMAND, *words], answer, cwd=skill.parent, env={"SKILLLITE_HOME": str(home)}
        )

        assert said.status == status, said.shown
        assert "uses the network" in said.shown
        assert "always" not in said.shown.partition("> ")[0], "nothing is kept"
    assert not home.exists()


def test_a_bash_command_of_such_a_skill_is_asked_about_too(skill: Path, home: Path) -> None:
    text = (skill / "SKILL.md").read_text(encoding="utf-8")
    allows = text.replace("name: reach\n", "name: reach\nallowed-tools: Bash(printf:*)\n")
    (skill / "SKILL.md").write_text(allows, encoding="utf-8")
    words = [*COMMAND, "bash", "reach", "printf 7"]
    env = {"SKILLLITE_HOME": str(home)}

    # It allows a program, which declares that it starts some, and still says nothing of network.
    assert type_at_terminal(words, "no", cwd=skill.parent, env=env).status == 4
    said = type_at_terminal(words, "yes", cwd=skill.parent, env=env)

    assert (said.status, said.out) == (0, "7")


@pytest.mark.parametrize("words", WORDS, ids=["run", "exec"])
def test_without_a_terminal_it_is_not_run(skill: Path, home: Path, words: list[str]) -> None:
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=skill.parent,
        env={**os.environ, "SKILLLITE_HOME": str(home)},
        input="yes\nyes\n",
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (4, "")
    assert "at a terminal" in done.stderr
    assert not home.exists()
