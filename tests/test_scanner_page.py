"""What `docs/scanner.md` says is so: its examples work, and the fields that it names are there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from skill_files import make_skill
from skilllite.cli.main import main
from skilllite_sandbox.scan.finding import Severity
from skilllite_sandbox.scan.source import Language

PAGE = (Path(__file__).resolve().parents[1] / "docs/scanner.md").read_text(encoding="utf-8")
RULE, SUPPRESSION = re.findall(r"```toml\n(.*?)```", PAGE, re.S)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path / "home"))
    (tmp_path / "home/rules").mkdir(mode=0o700, parents=True)
    return tmp_path / "home"


def test_its_rule_finds_and_its_suppression_suppresses(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = "#!/bin/sh\ncurl https://LEGACY.corp.example/\n"
    skill = make_skill(tmp_path, "report", files={"scripts/main.sh": script})
    (home / "rules/own.toml").write_text(RULE)
    (home / "suppressions.toml").write_text(SUPPRESSION)

    assert main(["scan", str(skill), "--json"]) == 0

    report = json.loads(capsys.readouterr().out)
    assert "USER:old-host" in {each["code"] for each in report["findings"]}
    assert [each["code"] for each in report["suppressed"]] == ["SL401"]
    for field in (*report, *report["findings"][0], *report["suppressed"][0]):
        assert f"`{field}`" in PAGE, field


def test_it_names_every_severity_and_language_that_rules_may_name() -> None:
    assert all(each.word in RULE for each in Severity)
    assert all(each.value in RULE for each in Language if each is not Language.BINARY)
