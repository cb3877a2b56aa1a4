"""Scripts as strangers write them: enough attacks are refused, ordinary work is left alone.

Engines were mended by what they missed of the tuned half; the held out half only measures. None of
these scripts is ever run; their hosts don't exist.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from skilllite_sandbox.scan.finding import Verdict
from skilllite_sandbox.scan.scanner import scan_skill

_FOLDER = Path(__file__).parents[2] / "data" / "scan" / "strangers"
_HALVES = ("tuned", "held_out")
_LANGUAGES = ("shell", "javascript")
_BARS = (("tuned", 0.95, 0.97), ("held_out", 0.92, 0.94))
"""Of refused attacks, and of those that are refused or asked about for more than a capability."""
_MODULE = re.compile(r"^import |^await |^export |= await", re.MULTILINE)
_TYPED = re.compile(r"^type \w", re.MULTILINE)
_SKILL = """---
name: text-tool
description: A small tool for everyday work with text files.
license: MIT
---

# Text tool

Run `scripts/{}` with the file.
"""


def _scripts(half: str, language: str, kind: str) -> list[str]:
    text = (_FOLDER / half / f"{language}_{kind}.txt").read_text(encoding="utf-8")
    return re.split(r"(?m)^=== .*\n", text)[1:]


def _name_of(script: str, language: str) -> str:
    if language == "shell":
        return "main.sh"
    if _TYPED.search(script):
        return "main.ts"
    return "main.mjs" if _MODULE.search(script) else "main.js"


def _opinions(folder: Path, half: str, language: str, kind: str) -> list[tuple[Verdict, bool]]:
    """Return of each script the verdict, and whether it is alarming: not only a capability."""
    opinions = []
    for number, script in enumerate(_scripts(half, language, kind)):
        skill = folder / str(number) / "text-tool"
        (skill / "scripts").mkdir(parents=True)
        name = _name_of(script, language)
        (skill / "SKILL.md").write_text(_SKILL.format(name), encoding="utf-8")
        (skill / "scripts" / name).write_text(script, encoding="utf-8")
        report = scan_skill(skill)
        opinions.append(
            (report.verdict, report.verdict is not Verdict.PASS and not report.capability_only)
        )
    return opinions


@pytest.mark.parametrize(("half", "refused_min", "alarming_min"), _BARS)
def test_attacks_are_refused_or_asked_about(
    half: str, refused_min: float, alarming_min: float, tmp_path: Path
) -> None:
    opinions = [
        each
        for language in _LANGUAGES
        for each in _opinions(tmp_path / language, half, language, "attacks")
    ]

    refused = sum(verdict is Verdict.BLOCK for verdict, _ in opinions) / len(opinions)
    alarming = sum(alarms for _, alarms in opinions) / len(opinions)
    assert refused >= refused_min
    assert alarming >= alarming_min


@pytest.mark.parametrize("half", _HALVES)
def test_ordinary_work_is_never_refused_and_seldom_asked_about(half: str, tmp_path: Path) -> None:
    opinions = [
        each
        for language in _LANGUAGES
        for each in _opinions(tmp_path / language, half, language, "ordinary")
    ]

    assert all(verdict is not Verdict.BLOCK for verdict, _ in opinions)
    assert sum(alarms for _, alarms in opinions) / len(opinions) <= 0.03
