"""Letters beyond ASCII that ordinary code is full of."""

from __future__ import annotations

from pathlib import Path

import pytest

from skilllite_sandbox.scan.finding import Verdict
from skilllite_sandbox.scan.scanner import scan_skill

STARTER_SKILLS = Path(__file__).parents[3] / "node" / "skilllite" / "starter_skills"


def _scan(directory: Path, name: str, text: str) -> list[str]:
    (directory / "scripts").mkdir()
    (directory / "scripts" / name).write_text(text, encoding="utf-8")
    head = "---\nname: a\ndescription: Converts units.\n---\n\n# a\n"
    (directory / "SKILL.md").write_text(head, encoding="utf-8")
    return [finding.code for finding in scan_skill(directory).findings if finding.severity >= 3]


def test_superscripts_in_texts_are_no_disguised_names(tmp_path: Path) -> None:
    text = 'UNITS = {"m³": 1.0, "cm²": 0.0001}\nprint(UNITS)\n'

    assert _scan(tmp_path, "main.py", text) == []


def test_ligatures_in_javascript_are_no_disguised_names(tmp_path: Path) -> None:
    assert _scan(tmp_path, "main.js", 'const pairs = [["ĳ", "ij"], ["ſ", "s"]];\n') == []


def test_a_name_in_letters_that_python_folds_is_found(tmp_path: Path) -> None:
    assert "SL211" in _scan(tmp_path, "main.py", '𝓮𝔁𝓮𝓬("print(1)")\n')


@pytest.mark.parametrize("skill", sorted(path.name for path in STARTER_SKILLS.iterdir()))
def test_every_starter_skill_passes(skill: str) -> None:
    report = scan_skill(STARTER_SKILLS / skill)

    assert report.verdict is Verdict.PASS, report.findings


def test_joining_paths_is_no_finding(tmp_path: Path) -> None:
    text = "import os\n\nprint(os.path.join('a', 'b'))\n"

    assert _scan(tmp_path, "main.py", text) == []
