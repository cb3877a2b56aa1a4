"""Folders of skills for the scanner's tests, written from a dict of their files."""

from __future__ import annotations

from pathlib import Path

from skilllite_sandbox.scan.finding import Finding, Severity, Verdict
from skilllite_sandbox.scan.report import ScanReport
from skilllite_sandbox.scan.scanner import scan_skill

DESCRIPTION = "Sorts the lines of a text. Use when a list has to be put in order."


def skill_file(body: str = "Give the text; the sorted lines come back.\n", **fields: str) -> str:
    """Return a SKILL.md; fields replace or add to the front matter's."""
    front = {"name": "line-sorter", "description": DESCRIPTION} | fields
    lines = "".join(f"{key}: {value}\n" for key, value in front.items())
    return f"---\n{lines}---\n\n# Line sorter\n\n{body}\n"


def write_skill(folder: Path, files: dict[str, str | bytes] | None = None) -> Path:
    """Write a skill; one without a SKILL.md of its own gets an ordinary one."""
    for path, content in {"SKILL.md": skill_file(), **(files or {})}.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def scan(folder: Path, files: dict[str, str | bytes] | None = None) -> ScanReport:
    """Write a skill and scan it."""
    return scan_skill(write_skill(folder, files))


def heavy(report: ScanReport) -> set[str]:
    """Return the codes of findings that ask or block."""
    return {each.code for each in report.findings if each.severity >= Severity.HIGH}


def of(report: ScanReport, code: str) -> list[Finding]:
    """Return the findings of one code."""
    return [each for each in report.findings if each.code == code]


BLOCK, REVIEW, PASS = Verdict.BLOCK, Verdict.REVIEW, Verdict.PASS
