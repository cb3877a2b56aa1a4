"""What one scan gives: the verdict, the findings, what the code can do. Values and their JSON."""

from __future__ import annotations

from skilllite_sandbox.scan.finding import Capability, Finding, Severity, Verdict
from skilllite_sandbox.scan.verdict import is_capability_only, verdict_of
from skilllite_sandbox.scan.version import SCANNER_VERSION as SCANNER_VERSION
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import Any

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that the user has looked at and doesn't want to be asked about again."""

    finding: Finding
    reason: str
    until: str
    """The last day on which that counts, like `2027-01-31`."""
    by_digest: bool = False
    """Whether it was said of this very content, and not of whatever has that name."""


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What the scanner says about one skill."""

    digest: str
    findings: tuple[Finding, ...]
    """The heaviest first."""
    used: frozenset[Capability]
    """What the code does, as far as it can be seen."""
    declared: frozenset[Capability]
    suppressed: tuple[Suppressed, ...] = ()
    """What would be among the findings if the user hadn't said otherwise."""

    @property
    def verdict(self) -> Verdict:
        """What follows."""
        return verdict_of(self.findings)

    @property
    def capability_only(self) -> bool:
        """Whether a review is asked for only because something was not declared."""
        return is_capability_only(self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the report as it is printed for programs; fields are only ever added."""
        return {
            "schema": SCHEMA,
            "verdict": self.verdict.value,
            "digest": self.digest,
            "findings": [finding_json(each) for each in self.findings],
            "suppressed": [
                {**finding_json(each.finding), "reason": each.reason, "until": each.until}
                for each in self.suppressed
            ],
            "capabilities": {
                each.value: {"used": each in self.used, "declared": each in self.declared}
                for each in Capability
            },
            "capability_only": self.capability_only,
            "scanner_version": SCANNER_VERSION,
        }


def finding_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as it is printed for programs."""
    return {
        "code": finding.code,
        "severity": finding.severity.word,
        "kind": finding.kind.value,
        "file": finding.file,
        "line": finding.line,
        "message": finding.message,
        "remedy": finding.remedy,
    }


def make_report(
    digest: str, findings: tuple[Finding, ...], declared: frozenset[Capability]
) -> ScanReport:
    """Return the report on findings that are judged already."""
    ordered = sorted(findings, key=_order)
    used = frozenset(each.capability for each in findings if each.capability is not None)
    return ScanReport(digest, tuple(ordered), used, declared)


def _order(finding: Finding) -> tuple[int, str, int, str]:
    return (-finding.severity, finding.file, finding.line, finding.code)


def at_least(report: ScanReport, severity: Severity) -> tuple[Finding, ...]:
    """Return the findings that weigh that much or more: what `--fail-on` counts."""
    return tuple(each for each in report.findings if each.severity >= severity)
