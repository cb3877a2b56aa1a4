"""Gates for tests: one that looks at nothing, and scanners that say what a test wants.

Tests of isolation run hostile skills, which the scanner would rightly keep from running.
"""

from __future__ import annotations

from collections.abc import Callable

from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.gate.gate import Gate
from skilllite_sandbox.gate.verdicts import Verdicts
from skilllite_sandbox.scan.finding import Capability, Finding, Kind, Severity
from skilllite_sandbox.scan.report import ScanReport, make_report

RULES = "of a test"
"""So that no verdict of a test is ever taken for one of the scanner."""


def scanner_that_says(*findings: Finding) -> Callable[[str], ScanReport]:
    """Return a scanner that finds the same in every skill."""

    def scan(place: str) -> ScanReport:
        return make_report(compute_digest(place), findings, frozenset())

    return scan


def lets_all_pass() -> Gate:
    """Return a gate without a scanner."""
    return Gate(verdicts=Verdicts(scanner_that_says(), rules=RULES))


def finding(
    severity: Severity = Severity.HIGH,
    *,
    code: str = "SL401",
    message: str = "sends something to evil.example",
    capability: Capability | None = Capability.NETWORK,
) -> Finding:
    """Return a finding, by default one that asks for consent."""
    kind = Kind.CAPABILITY if capability else Kind.INTENT
    return Finding(code, severity, kind, "scripts/main.py", 3, message, "", capability)
