"""Rule packs of the user: they add findings, and a broken one is an error that says where."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill_folders import BLOCK, PASS, REVIEW, of, write_skill
from skilllite_sandbox.errors import InvalidInput
from skilllite_sandbox.scan.scanner import scan_skill
from skilllite_sandbox.scan.yara_rules import load_rule_pack

pytest.importorskip("yara_x", reason="the extra `yara` is not installed")

RULE = """
rule forbidden_word {{
  meta: description = "a word" {meta}
  strings: $a = "xyzzy"
  condition: $a
}}
"""


def pack(folder: Path, meta: str = "", name: str = "a.yar") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(RULE.format(meta=meta), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("meta", "verdict"),
    [
        ("", REVIEW),
        ('severity = "critical"', BLOCK),
        ('severity = "low"', PASS),
        ('severity = "nonsense"', REVIEW),
    ],
)
def test_match_weighs_what_the_rule_says(tmp_path: Path, meta: str, verdict: str) -> None:
    rules = load_rule_pack(pack(tmp_path / "rules", meta))
    skill = write_skill(tmp_path / "s", {"notes.md": "one\nxyzzy\n"})

    report = scan_skill(skill, rules=rules)

    assert report.verdict == verdict
    assert [(each.file, each.line) for each in of(report, "SL901")] == [("notes.md", 2)]


def test_rules_take_nothing_away(tmp_path: Path) -> None:
    rules = load_rule_pack(pack(tmp_path / "rules", 'severity = "info"'))
    skill = write_skill(tmp_path / "s", {".claude/a.md": "xyzzy\n"})

    assert set(scan_skill(skill).findings) < set(scan_skill(skill, rules=rules).findings)


def test_rules_inside_of_a_skill_are_not_read(tmp_path: Path) -> None:
    skill = write_skill(tmp_path / "s", {"notes.md": "xyzzy\n"})
    pack(skill / "rules", 'severity = "critical"')

    assert of(scan_skill(skill), "SL901") == []


def test_two_files_may_use_one_name(tmp_path: Path) -> None:
    folder = pack(tmp_path / "rules")
    pack(folder, name="b.yara")
    skill = write_skill(tmp_path / "s", {"notes.md": "xyzzy\n"})

    assert len(of(scan_skill(skill, rules=load_rule_pack(folder)), "SL901")) == 2


def test_broken_rule_is_an_error_that_names_its_file(tmp_path: Path) -> None:
    folder = pack(tmp_path / "rules")
    (folder / "broken.yar").write_text("rule x { condition: }", encoding="utf-8")

    with pytest.raises(InvalidInput, match=r"broken\.yar"):
        load_rule_pack(folder)


@pytest.mark.parametrize("text", ['include "/etc/hostname"\n', "\x00", 'import "nonsense"\n'])
def test_rule_that_reaches_elsewhere_is_an_error(tmp_path: Path, text: str) -> None:
    folder = pack(tmp_path / "rules")
    (folder / "b.yar").write_text(text + RULE.format(meta=""), encoding="utf-8")

    with pytest.raises(InvalidInput):
        load_rule_pack(folder)


def test_folder_without_rules_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        load_rule_pack(tmp_path)
