"""`skilllite scan`: skills by name, and the user's own rules and suppressions in the home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from skill_files import make_skill
from skilllite.cli.main import main
from skilllite.home import Home
from skilllite.scanning import open_verdicts
from skilllite_sandbox.stage import Stage

NETWORK = "#!/bin/sh\ncurl https://api.example.com/\n"
SUPPRESSED = """
[[suppress]]
code = "SL401"
skill = "demo"
reason = "our own host"
expires = 2999-01-01
"""
RULE = """
[[rule]]
id = "no-curl"
pattern = 'curl'
severity = "critical"
message = "uses curl"
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home/rules").mkdir(mode=0o700, parents=True)
    return Home.at(tmp_path / "home")


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    return make_skill(tmp_path, "demo", files={"scripts/main.sh": NETWORK})


def scan(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["scan", *words, "--json"]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def test_a_skill_is_scanned_by_its_name(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert scan(capsys, "calculator")["verdict"] == "PASS"


def test_rules_of_the_home_count(
    home: Home, skill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home.config_dir / "rules/own.toml").write_text(RULE)

    report = scan(capsys, str(skill))

    assert report["verdict"] == "BLOCK"
    assert "USER:no-curl" in {each["code"] for each in report["findings"]}


def test_suppressions_of_the_home_count(
    home: Home, skill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home.config_dir / "suppressions.toml").write_text(SUPPRESSED)

    report = scan(capsys, str(skill))

    assert [each["code"] for each in report["suppressed"]] == ["SL401"]
    assert "SL401" not in {each["code"] for each in report["findings"]}


def test_files_where_the_command_was_typed_do_not_count(
    home: Home, skill: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "suppressions.toml").write_text(SUPPRESSED)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/own.toml").write_text(RULE)

    report = scan(capsys, str(skill))

    assert report["suppressed"] == []
    assert report["verdict"] == "REVIEW"


def test_a_file_of_the_user_that_is_damaged_stops_the_scan(
    home: Home, skill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home.config_dir / "suppressions.toml").write_text("[[suppress]\n")

    assert main(["scan", str(skill)]) == 2
    assert "suppressions.toml" in capsys.readouterr().err


def test_kept_verdicts_follow_the_files_of_the_home(
    home: Home, skill: Path, tmp_path: Path
) -> None:
    (tmp_path / "stage").mkdir(mode=0o700)
    staged = Stage(tmp_path / "stage").put(skill)
    plain = open_verdicts(home).of(staged)
    (home.config_dir / "rules/own.toml").write_text(RULE)
    stricter = open_verdicts(home).of(staged)
    (home.config_dir / "rules/own.toml").unlink()

    again = open_verdicts(home).of(staged)

    assert (plain.verdict, stricter.verdict, again.verdict) == ("REVIEW", "BLOCK", "REVIEW")


@pytest.mark.parametrize("given", ["plain", "./plain"])
def test_a_folder_that_is_no_skill_gets_a_verdict(
    home: Home, tmp_path: Path, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plain").mkdir()

    assert scan(capsys, given)["verdict"] == "REVIEW"


@pytest.mark.parametrize("given", ["afile", "./afile"])
def test_a_file_is_said_to_be_no_folder(
    home: Home, tmp_path: Path, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "afile").write_text("x")

    assert main(["scan", given]) == 2
    assert "is a file, and skills are folders" in capsys.readouterr().err


def test_a_name_that_is_neither_skill_nor_folder_is_not_found(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", "nowhere"]) == 5


def test_what_ships_and_advisories_say_alike_is_said_once(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skill = make_skill(tmp_path, "demo", files={"requirements.txt": "colourama==0.1.6\n"})

    codes = [each["code"] for each in scan(capsys, str(skill))["findings"]]

    assert codes.count("SL601") == 1


def test_a_scan_imports_neither_the_sandbox_nor_what_asks_over_the_network(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "skilllite", "scan", "calculator"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "SKILLLITE_HOME": str(tmp_path / "home")},
    )

    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "skilllite_sandbox.scan.scanner" in imported
    assert not imported & {"http.client", "skilllite_sandbox.sandbox", "trio"}
