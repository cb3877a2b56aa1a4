"""What a user adds to the scanner: packs of YARA rules, advisories; and when verdicts are stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisory_server import advisory_record
from skill_folders import write_skill
from skilllite_sandbox.scan.choices import read_choices, scan_with
from skilllite_sandbox.scan.choices_stamp import choices_stamp
from skilllite_sandbox.scan.finding import Verdict
from skilllite_sandbox.supply.database import write_database

RULE = 'rule word { meta: severity = "critical" strings: $a = "xyzzy" condition: $a }'
META = {"source": "here", "fetched_at": "2026-11-26T00:00:00Z", "etag": "", "modified": ""}


def test_yara_rules_beside_the_others_are_asked(tmp_path: Path) -> None:
    pytest.importorskip("yara_x", reason="the extra `yara` is not installed")
    rules = tmp_path / "rules" / "pack"
    rules.mkdir(parents=True)
    (rules / "a.yar").write_text(RULE, encoding="utf-8")
    skill = write_skill(tmp_path / "s", {"notes.md": "one\nxyzzy\n"})

    without, _ = scan_with(skill, read_choices(rules=[str(tmp_path / "none")]))
    report, _ = scan_with(skill, read_choices(rules=[str(tmp_path / "rules")]))

    assert without.verdict is Verdict.PASS
    assert report.verdict is Verdict.BLOCK


def test_a_verdict_is_stale_once_yara_rules_changed(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    before = choices_stamp([str(rules)])
    (rules / "a.yar").write_text(RULE, encoding="utf-8")
    one = choices_stamp([str(rules)])
    (rules / "a.yar").write_text(RULE + "\n", encoding="utf-8")

    assert len({before, one, choices_stamp([str(rules)])}) == 3


def test_advisories_on_disk_are_asked_and_make_verdicts_stale(tmp_path: Path) -> None:
    skill = write_skill(tmp_path / "s", {"requirements.txt": "bad==1.0\n"})
    advisories = tmp_path / "advisories"
    advisories.mkdir()
    before = choices_stamp(advisories=str(advisories))
    clean, _ = scan_with(skill, read_choices(advisories=str(advisories)))
    write_database(advisories / "pypi.sqlite3", [advisory_record("MAL-2026-1", "bad")], META)

    report, _ = scan_with(skill, read_choices(advisories=str(advisories)))

    assert clean.verdict is Verdict.PASS
    assert report.verdict is Verdict.BLOCK
    assert choices_stamp(advisories=str(advisories)) != before
