"""What there is to know about one kind of finding, and the ten risks that findings belong to."""

from __future__ import annotations

from enum import StrEnum

from skilllite_sandbox.scan.finding import Capability, Kind, Severity
from skilllite_sandbox.values import dataclass


class Risk(StrEnum):
    """The OWASP Agentic Skills Top 10, https://owasp.org/www-project-agentic-skills-top-10/."""

    MALICIOUS_SKILL = "AST01"
    SUPPLY_CHAIN = "AST02"
    OVER_PRIVILEGE = "AST03"
    METADATA = "AST04"
    EXTERNAL_INSTRUCTIONS = "AST05"
    WEAK_ISOLATION = "AST06"
    UPDATE_DRIFT = "AST07"
    POOR_SCANNING = "AST08"
    GOVERNANCE = "AST09"
    CROSS_PLATFORM = "AST10"


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding. Codes only grow: none is given a second meaning."""

    code: str
    severity: Severity
    """What it weighs unless the place says otherwise."""
    kind: Kind
    title: str
    """What it does: the message when there is nothing to add."""
    why: str
    """Why that matters, for a person who has to decide."""
    remedy: str
    """What the author does about it when it is meant well."""
    risks: tuple[Risk, ...]
    capability: Capability | None = None
    """What can be declared for it."""

    def __post_init__(self) -> None:
        """Hold every table to the rule that only intent blocks."""
        assert self.severity < Severity.CRITICAL or self.kind in (
            Kind.INTENT,
            Kind.DEPENDENCY,
        ), self.code
        assert (self.kind is Kind.CAPABILITY) == (self.capability is not None), self.code
