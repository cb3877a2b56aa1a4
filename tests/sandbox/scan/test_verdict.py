"""What blocks, what asks, and what a declaration changes."""

from __future__ import annotations

import pytest

from skilllite_sandbox.scan.codes import CODES, make_finding
from skilllite_sandbox.scan.finding import Capability, Finding, Kind, Severity, Verdict
from skilllite_sandbox.scan.verdict import is_capability_only, judge_capabilities, verdict_of

NETWORK = make_finding("SL401", "scripts/main.py", 3)
SECRETS = make_finding("SL301", "scripts/main.py", 4)


def test_nothing_found_passes() -> None:
    assert verdict_of(()) is Verdict.PASS


@pytest.mark.parametrize(
    ("severity", "verdict"),
    [
        (Severity.INFO, Verdict.PASS),
        (Severity.MEDIUM, Verdict.PASS),
        (Severity.HIGH, Verdict.REVIEW),
        (Severity.CRITICAL, Verdict.BLOCK),
    ],
)
def test_the_worst_finding_decides(severity: Severity, verdict: Verdict) -> None:
    findings = [
        Finding("SL301", each, Kind.INTENT, "a", 1, "m") for each in (Severity.INFO, severity)
    ]

    assert verdict_of(findings) is verdict


def test_an_undeclared_capability_asks_and_a_declared_one_does_not() -> None:
    undeclared = judge_capabilities([NETWORK], frozenset())
    declared = judge_capabilities([NETWORK], frozenset({Capability.NETWORK}))

    assert verdict_of(undeclared) is Verdict.REVIEW
    assert verdict_of(declared) is Verdict.PASS
    assert is_capability_only(undeclared)


def test_an_undeclared_capability_blocks_what_was_evolved_or_received() -> None:
    assert verdict_of(judge_capabilities([NETWORK], frozenset(), strict=True)) is Verdict.BLOCK
    declared = judge_capabilities([NETWORK], frozenset({Capability.NETWORK}), strict=True)
    assert verdict_of(declared) is Verdict.PASS


def test_no_declaration_excuses_intent() -> None:
    everything = frozenset(Capability)

    assert verdict_of(judge_capabilities([SECRETS, NETWORK], everything)) is Verdict.BLOCK
    assert not is_capability_only([SECRETS, NETWORK])


def test_every_code_explains_itself() -> None:
    for code in CODES.values():
        assert code.title and code.why and code.remedy and code.risks, code.code


def test_text_of_a_skill_reaches_no_terminal_as_it_is() -> None:
    finding = make_finding("SL401", "a.py", 1, "evil\x1b[2J\u202e" + "x" * 1000)

    assert finding.message.isprintable()
    assert len(finding.message) < 300
