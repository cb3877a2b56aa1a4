"""A person at a real terminal lets a skill in, or keeps a change; nobody else can."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from at_terminal import at_terminal
from skill_files import make_skill

REVIEWED: dict[str, str | bytes] = {"scripts/main.py": "print(1)\n", "scripts/x.rb": "puts 1\n"}
"""Code in a language that the scanner doesn't read: nobody but a person can say."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def plain(*words: str, home: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "skilllite", *words],
        env={**os.environ, "SKILLLITE_HOME": str(home)},
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,  # without a terminal, whoever runs the tests
        check=False,
    )


def test_a_review_is_answered_at_the_terminal_alone(tmp_path: Path, home: Path) -> None:
    skill = make_skill(tmp_path, "report", files=REVIEWED)
    words = ("add", str(skill))

    piped = plain(*words, home=home, given="yes\nyes\n")
    assert piped.returncode == 4, piped.stderr
    assert "a person has to agree" in piped.stderr
    assert not (home / "skills/report").exists()

    for_programs = plain(*words, "--json", home=home)
    refused = json.loads(for_programs.stdout)
    assert for_programs.returncode == 4
    assert (refused["installed"], refused["verdict"]) == (False, "REVIEW")
    assert refused["findings"][0]["file"] == "scripts/x.rb"

    status, shown = at_terminal(*words, home=home, asked="all the same?", typed="yes")
    assert status == 0, shown
    assert "scripts/x.rb" in shown
    assert (home / "skills/report").exists()


@pytest.mark.parametrize("typed", ["no", "y", "yes please", " "])
def test_anything_but_yes_is_no(tmp_path: Path, home: Path, typed: str) -> None:
    skill = make_skill(tmp_path, "report", files=REVIEWED)

    status, _ = at_terminal("add", str(skill), home=home, asked="all the same?", typed=typed)

    assert status in (3, 4)
    assert not (home / "skills/report").exists()


def test_a_change_is_kept_by_who_says_so(tmp_path: Path, home: Path) -> None:
    skill = make_skill(tmp_path, "report", files={"a.txt": "a"})
    assert plain("add", str(skill), home=home).returncode == 0
    (home / "skills/report/a.txt").write_text("mine")

    piped = plain("verify", "--accept", "report", home=home, given="yes\n")
    status, shown = at_terminal(
        *("verify", "--accept", "report"), home=home, asked="Keep these changes", typed="yes"
    )

    assert piped.returncode == 4
    assert status == 0, shown
    assert "changed a.txt" in shown
    assert plain("verify", "report", home=home).returncode == 0
