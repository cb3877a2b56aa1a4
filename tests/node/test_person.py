"""A person at a real terminal lets a skill in, or keeps a change; nobody else can."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from skill_files import make_skill, skill_md
from skilllite.catalog import BUNDLED_ROOT
from skilllite.gating import open_decisions
from skilllite.home import Home
from skilllite_sandbox.digest import compute_digest
from terminal import AtTerminal, type_at_terminal

REVIEWED: dict[str, str | bytes] = {"scripts/main.py": "print(1)\n", "scripts/x.rb": "puts 1\n"}
"""Code in a language that the scanner doesn't read: nobody but a person can say."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def plain(
    *words: str, home: Path, given: str = "", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "skilllite", *words],
        env={**os.environ, "SKILLLITE_HOME": str(home)},
        input=given,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,  # without a terminal, whoever runs the tests
        check=False,
    )


def at_terminal(*words: str, home: Path, typed: str) -> AtTerminal:
    command = [sys.executable, "-m", "skilllite", *words]
    (home.parent / "elsewhere").mkdir(exist_ok=True)
    place = home.parent / "elsewhere"
    return type_at_terminal(command, typed, cwd=place, env={"SKILLLITE_HOME": str(home)})


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

    answered = at_terminal(*words, home=home, typed="yes")
    assert answered.status == 0, answered.shown
    assert "scripts/x.rb" in answered.shown
    assert (home / "skills/report").exists()


@pytest.mark.parametrize("typed", ["no", "y", "yes please", " "])
def test_anything_but_yes_is_no(tmp_path: Path, home: Path, typed: str) -> None:
    skill = make_skill(tmp_path, "report", files=REVIEWED)

    answered = at_terminal("add", str(skill), home=home, typed=typed)

    assert answered.status == 3
    assert "all the same?" in answered.shown
    assert not (home / "skills/report").exists()


def test_a_change_is_kept_by_who_says_so(tmp_path: Path, home: Path) -> None:
    skill = make_skill(tmp_path, "report", files={"a.txt": "a"})
    assert plain("add", str(skill), home=home).returncode == 0
    (home / "skills/report/a.txt").write_text("mine")

    piped = plain("verify", "--accept", "report", home=home, given="yes\n")
    answered = at_terminal("verify", "--accept", "report", home=home, typed="yes")

    assert piped.returncode == 4
    assert answered.status == 0, answered.shown
    assert "changed a.txt" in answered.shown
    assert plain("verify", "report", home=home).returncode == 0


NETWORK = "metadata:\n  skilllite.network: api.example.com\n"


def test_grants_at_add_need_the_person_too(tmp_path: Path, home: Path) -> None:
    skill = make_skill(tmp_path, "report", extra=NETWORK)
    words = ("add", str(skill), "--allow-network", "api.example.com")

    piped = plain(*words, home=home, given="yes\n")
    refused = at_terminal(*words, home=home, typed="no")
    assert (piped.returncode, refused.status) == (4, 3)
    assert not (home / "skills/report").exists()

    granted = at_terminal(*words, home=home, typed="yes")
    kept = open_decisions(Home.at(home)).grants(compute_digest(home / "skills/report"))
    assert granted.status == 0, granted.shown
    assert "api.example.com" in granted.shown
    assert set(kept.network) == {"api.example.com:443", "api.example.com:80"}


def test_what_a_skill_does_not_ask_for_is_not_granted(tmp_path: Path, home: Path) -> None:
    skill = make_skill(tmp_path, "report", extra=NETWORK)

    added = plain("add", str(skill), "--allow-network", "evil.example.com", home=home)

    assert added.returncode == 2
    assert "does not ask for evil.example.com" in added.stderr
    assert not (home / "skills/report").exists()


@pytest.mark.parametrize("where", [(), ("--project",)], ids=["user", "project"])
def test_a_skill_hides_a_bundled_one_only_when_a_person_agrees(
    tmp_path: Path, home: Path, where: tuple[str, ...]
) -> None:
    skill = make_skill(tmp_path, "calculator", files={"scripts/main.py": "print('mine')\n"})
    words = ("add", str(skill), *where)
    (tmp_path / "elsewhere").mkdir()

    piped = plain(*words, home=home, given="yes\nyes\n", cwd=tmp_path / "elsewhere")
    refused = at_terminal(*words, home=home, typed="no")
    assert (piped.returncode, refused.status) == (4, 3)
    assert "it would hide calculator, the bundled one" in piped.stderr
    assert not list(tmp_path.glob("*/**/skills/calculator"))

    agreed = at_terminal(*words, home=home, typed="yes")
    ran = plain("run", "calculator", "{}", home=home, cwd=tmp_path / "elsewhere")
    assert agreed.status == 0, agreed.shown
    assert ran.stdout == "mine\n"


@pytest.mark.parametrize(
    "name", ["Calculator", "\u0441alculator", "calcu1ator", "\uff43alculator", "calculator."]
)
def test_a_name_that_passes_for_a_bundled_one_needs_a_person(
    tmp_path: Path, home: Path, name: str
) -> None:
    skill = make_skill(tmp_path, "source", text=skill_md(name))

    piped = plain("add", str(skill), home=home)
    agreed = at_terminal("add", str(skill), home=home, typed="yes")

    assert piped.returncode == 4
    assert "its name looks like that of calculator, the bundled one" in piped.stderr
    assert agreed.status == 0, agreed.shown


@pytest.mark.parametrize(
    "name", ["a;id", "$(id)", "*", "a`b", "json\u2010query", "~x", "a|b", "'x'"]
)
def test_a_name_that_a_shell_would_obey_is_not_installed(
    tmp_path: Path, home: Path, name: str
) -> None:
    skill = make_skill(tmp_path, "source", text=skill_md(f'"{name}"'))

    added = plain("add", str(skill), home=home)

    assert added.returncode == 1
    assert "the name of the skill holds" in added.stderr
    assert list((home / "skills").iterdir()) == []


def test_agreeing_to_one_content_lets_no_other_hide(tmp_path: Path, home: Path) -> None:
    skill = make_skill(tmp_path, "calculator", files={"scripts/main.py": "print('mine')\n"})
    assert at_terminal("add", str(skill), home=home, typed="yes").status == 0
    (skill / "scripts/main.py").write_text("print('another')\n", encoding="utf-8")

    replaced = plain("add", str(skill), "--force", home=home)
    (home / "skills/calculator/scripts/main.py").write_text("print('x')\n", encoding="utf-8")
    changed = plain("run", "calculator", "{}", home=home)

    assert replaced.returncode == 4
    # Not the bundled one in its place: it is still this one that is meant.
    assert changed.returncode == 3
    assert "is not what was installed" in changed.stderr


def test_a_folder_put_among_the_skills_hides_no_bundled_one(tmp_path: Path, home: Path) -> None:
    make_skill(home / "skills", "calculator", files={"scripts/main.py": "print('planted')\n"})

    ran = plain("run", "calculator", '{"operation": "add", "a": 1, "b": 2}', home=home)

    assert json.loads(ran.stdout)["result"] == 3
    assert "it would hide the bundled skill" in ran.stderr


def test_a_copy_of_a_bundled_skill_hides_nothing(tmp_path: Path, home: Path) -> None:
    copy = shutil.copytree(BUNDLED_ROOT / "calculator", tmp_path / "calculator")

    assert plain("add", str(copy), home=home).returncode == 0

    shown = json.loads(plain("show", "calculator", "--json", home=home).stdout)
    assert shown["origin"] == "user"
