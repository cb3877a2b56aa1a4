"""Every code that a finding can have.

SL1xx structure, SL2xx characters, SL3xx intent of code, SL4xx capabilities of code, SL5xx
instructions, SL6xx dependencies, SL7xx what can't be looked at, SL9xx second opinions.
"""

from __future__ import annotations

from skilllite_sandbox.scan.codes import (
    behaviour,
    capabilities,
    characters,
    dependencies,
    instructions,
    opaque,
    opinions,
    structure,
)
from skilllite_sandbox.scan.codes.code import Code as Code
from skilllite_sandbox.scan.codes.code import Risk as Risk
from skilllite_sandbox.scan.finding import Finding, Severity

_TABLES = (
    structure.CODES,
    characters.CODES,
    behaviour.CODES,
    capabilities.CODES,
    instructions.CODES,
    dependencies.CODES,
    opaque.CODES,
    opinions.CODES,
)

CODES: dict[str, Code] = {each.code: each for table in _TABLES for each in table}
"""By code, sorted as written."""

MESSAGE_CHARS_MAX = 240  # one finding is one line or two of a terminal


def make_finding(
    code: str, file: str, line: int, detail: str = "", *, severity: Severity | None = None
) -> Finding:
    """Return a finding of this code at this place.

    Args:
        code: One of `CODES`.
        file: Relative to the skill.
        line: From 1; 0 for the file as a whole.
        detail: What it is about there; may come from the skill, and is made printable.
        severity: Another than the code's own.
    """
    known = CODES[code]
    message = f"{known.title}: {detail}" if detail else known.title
    return Finding(
        code=code,
        severity=known.severity if severity is None else severity,
        kind=known.kind,
        file=file,
        line=line,
        message=printable(message),
        remedy=known.remedy,
        capability=known.capability,
    )


def printable(text: str) -> str:
    """Return text of a skill as it may be put on a terminal or into a log: one bounded line."""
    shown = "".join(char if char.isprintable() else "�" for char in text[:MESSAGE_CHARS_MAX])
    return shown + "…" if len(text) > MESSAGE_CHARS_MAX else shown
