"""What the scanner's rules make of a piece of code, capabilities left out."""

from __future__ import annotations

from skilllite_sandbox.scan.acts import Analysis
from skilllite_sandbox.scan.finding import Kind, Verdict
from skilllite_sandbox.scan.rules import findings_of
from skilllite_sandbox.scan.verdict import verdict_of


def verdict_without_capabilities(analysis: Analysis) -> Verdict:
    """Return what would follow if the skill had declared everything that can be declared."""
    findings = [each for each in findings_of(analysis) if each.kind is not Kind.CAPABILITY]
    return verdict_of(findings)


def codes_of(analysis: Analysis) -> set[str]:
    """Return the codes of all findings."""
    return {each.code for each in findings_of(analysis)}
