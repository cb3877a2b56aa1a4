"""A report as SARIF 2.1.0, the form in which code hosts show findings beside the lines. Pure."""

from __future__ import annotations

from urllib.parse import quote

from skilllite_sandbox.scan.codes import CODES
from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.report import ScanReport, Suppressed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"
_ROOT = "SKILL"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# What code hosts sort by: the middle of the bands of CVSS.
_WEIGHTS = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.0",
}


def to_sarif(report: ScanReport, *, version: str) -> dict[str, Any]:
    """Return the log of one run of the scanner."""
    codes = sorted(
        {each.code: each for each in (*report.findings, *_findings(report.suppressed))}.values(),
        key=lambda finding: finding.code,
    )
    places = {finding.code: number for number, finding in enumerate(codes)}
    results = [_result(each, places[each.code]) for each in report.findings]
    for each in report.suppressed:
        result = _result(each.finding, places[each.finding.code])
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": each.reason}
        ]
        results.append(result)
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "skilllite-scan",
                        "version": version,
                        "rules": [_rule(each) for each in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": results,
                "properties": {"verdict": report.verdict.value, "digest": report.digest},
            }
        ],
    }


def _findings(suppressed: tuple[Suppressed, ...]) -> tuple[Finding, ...]:
    return tuple(each.finding for each in suppressed)


def _rule(finding: Finding) -> dict[str, Any]:
    """Return what is said once about the code of a finding."""
    known = CODES.get(finding.code)
    title = finding.message if known is None else known.title
    rule: dict[str, Any] = {
        "id": finding.code,
        "shortDescription": {"text": title},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {"security-severity": _WEIGHTS[finding.severity], "tags": ["security"]},
    }
    if known is not None:
        rule["fullDescription"] = {"text": known.why}
        rule["help"] = {"text": known.remedy}
        rule["properties"]["tags"] += [risk.value for risk in known.risks]
    return rule


def _result(finding: Finding, place: int) -> dict[str, Any]:
    location: dict[str, Any] = {
        # The skill as a whole is its folder.
        "artifactLocation": {"uri": quote(finding.file) or "./", "uriBaseId": _ROOT}
    }
    if finding.line > 0:
        location["region"] = {"startLine": finding.line}
    message = f"{finding.message}. {finding.remedy}" if finding.remedy else finding.message
    return {
        "ruleId": finding.code,
        "ruleIndex": place,
        "level": _LEVELS[finding.severity],
        "message": {"text": message},
        "locations": [{"physicalLocation": location}],
        "properties": {"severity": finding.severity.word, "kind": finding.kind.value},
    }
