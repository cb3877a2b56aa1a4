"""SL9xx: second opinions, of the user's own rules and of a model. They only ever add."""

from __future__ import annotations

from skilllite_sandbox.scan.codes.code import Code, Risk
from skilllite_sandbox.scan.finding import Kind, Severity

_RISKS = (Risk.MALICIOUS_SKILL,)

CODES = (
    Code(
        "SL901",
        Severity.HIGH,
        Kind.INTENT,
        "matches a YARA rule of the user",
        "somebody wrote the rule for what should not be in a skill",
        "look at what the rule describes",
        _RISKS,
    ),
    Code(
        "SL902",
        Severity.MEDIUM,
        Kind.INTENT,
        "a model finds it suspicious",
        "a model read the skill and says why",
        "read what it says, and the place it names",
        _RISKS,
    ),
    Code(
        "SL903",
        Severity.INFO,
        Kind.OPAQUE,
        "no opinion of a model",
        "it was asked and gave no answer that can be used; nothing follows from that",
        "try again later",
        (Risk.POOR_SCANNING,),
    ),
)
