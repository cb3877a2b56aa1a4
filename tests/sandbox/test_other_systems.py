"""What the doctor says on systems for which there is data only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import skilllite_sandbox
from goldens import assert_golden
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import InvalidInput
from skilllite_sandbox.other_systems import (
    SYSTEMS,
    describe_for,
    other_system_checks,
    usual_skill_directory,
)
from skilllite_sandbox.policy import Level, Policy
from skilllite_sandbox.probe import Check

ENTRY = EntryPoint("scripts/main.py", Language.PYTHON, "csv")


@pytest.mark.parametrize("platform", ["linux", "linux2"])
def test_linux_has_nothing_to_say_here(platform: str) -> None:
    assert other_system_checks(platform) == ()


@pytest.mark.parametrize(
    ("platform", "back_end", "system"),
    [("darwin", "seatbelt", "darwin"), ("win32", "wsl2", "windows"), ("cygwin", "wsl2", "windows")],
)
def test_the_back_end_is_named_untested_and_runs_are_refused(
    platform: str, back_end: str, system: str
) -> None:
    refused, shown = other_system_checks(platform)

    assert refused.required and not refused.ok
    assert "refused" in refused.detail
    assert shown.name == back_end and not shown.ok and not shown.required
    assert "untested on hardware" in shown.detail
    assert f"--system {system}" in shown.remedy


def test_an_unknown_system_is_refused_without_a_back_end() -> None:
    (refused,) = other_system_checks("freebsd14")

    assert not refused.ok and refused.required
    assert refused.detail.startswith("freebsd14")


def test_checks_have_the_fields_of_the_doctor() -> None:
    (check, _) = other_system_checks("darwin")

    names = tuple(type(check).__dataclass_fields__)
    assert names == tuple(Check.__dataclass_fields__)
    made = Check(*(getattr(check, name) for name in names))
    assert made.detail == check.detail


@pytest.mark.parametrize("language", [Language.PYTHON, Language.NODE, Language.BASH])
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_language_is_described_and_labelled(system: str, language: Language) -> None:
    entry = EntryPoint("scripts/main.x", language, "csv")
    text = describe_for(system, Policy(), entry, usual_skill_directory(system, "csv"))

    assert "untested on hardware: nothing starts this" in text.splitlines()[0]
    assert "csv" in text


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_description_is_what_was_reviewed(system: str) -> None:
    text = describe_for(system, Policy(Level.ISOLATED), ENTRY, usual_skill_directory(system, "csv"))

    assert_golden(f"describe-{system}.txt", text + "\n")


def test_another_system_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no back end for 'plan9'"):
        describe_for("plan9", Policy(), ENTRY, "/skills/csv")


def test_a_path_of_the_wrong_system_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no absolute path of Windows"):
        describe_for("windows", Policy(), ENTRY, "/home/ana/skills/csv")
    with pytest.raises(InvalidInput):
        describe_for("darwin", Policy(), ENTRY, r"C:\skills\csv")


def test_it_can_be_imported_without_what_only_linux_has() -> None:
    code = (
        "import sys\n"
        "for name in ('fcntl', 'resource', 'termios', 'grp', 'pwd'): sys.modules[name] = None\n"
        "from skilllite_sandbox.other_systems import other_system_checks\n"
        "print(len(other_system_checks('win32')))\n"
    )
    assert skilllite_sandbox.__file__ is not None
    wing = str(Path(skilllite_sandbox.__file__).parent.parent)

    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": wing},
        timeout=30,
        check=False,
    )

    assert done.stdout == "2\n", done.stderr
