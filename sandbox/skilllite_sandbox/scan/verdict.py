"""From findings to a verdict. Pure, and the whole policy of what blocks and what asks."""

from __future__ import annotations

from collections.abc import Iterable

from skilllite_sandbox.scan.finding import Capability, Finding, Kind, Severity, Verdict
from skilllite_sandbox.values import replace


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Return what follows: the worst finding decides."""
    worst = max((finding.severity for finding in findings), default=Severity.INFO)
    if worst is Severity.CRITICAL:
        return Verdict.BLOCK
    return Verdict.REVIEW if worst is Severity.HIGH else Verdict.PASS


def is_capability_only(findings: Iterable[Finding]) -> bool:
    """Whether nothing but undeclared capabilities asks for a review."""
    heavy = [finding for finding in findings if finding.severity >= Severity.HIGH]
    return bool(heavy) and all(finding.kind is Kind.CAPABILITY for finding in heavy)


def judge_capabilities(
    findings: Iterable[Finding], declared: frozenset[Capability], *, strict: bool = False
) -> tuple[Finding, ...]:
    """Return the findings with declared capabilities weighed as what they are.

    Args:
        findings: As the engines and rules gave them.
        declared: What the skill says that it does.
        strict: It was evolved or received: what it doesn't say blocks it.
    """
    judged: list[Finding] = []
    for finding in findings:
        if finding.kind is Kind.CAPABILITY:
            if finding.capability in declared:
                finding = replace(finding, severity=Severity.INFO)
            elif strict:
                finding = replace(finding, severity=Severity.CRITICAL)
        judged.append(finding)
    return tuple(judged)
