"""SL2xx: characters that people don't see, or see as others."""

from __future__ import annotations

from skilllite_sandbox.scan.codes.code import Code, Risk
from skilllite_sandbox.scan.finding import Kind, Severity

_RISKS = (Risk.MALICIOUS_SKILL, Risk.POOR_SCANNING)


def _code(
    code: str, severity: Severity, title: str, why: str, remedy: str, kind: Kind = Kind.INTENT
) -> Code:
    return Code(code, severity, kind, title, why, remedy, _RISKS)


CODES = (
    _code(
        "SL201",
        Severity.CRITICAL,
        "turns the reading direction so that text shows in another order",
        "what a person reads there is not what an interpreter or a model reads",
        "remove the direction marks",
    ),
    _code(
        "SL202",
        Severity.CRITICAL,
        "holds text in tag characters, which nobody sees",
        "models read them, people and editors don't",
        "remove them",
    ),
    _code(
        "SL203",
        Severity.CRITICAL,
        "holds data in variation selectors, which nobody sees",
        "a row of them spells out bytes behind an innocent character",
        "remove them",
    ),
    _code(
        "SL204",
        Severity.HIGH,
        "holds characters of no width inside words",
        "they break words for whoever searches, and not for whoever reads",
        "remove them",
    ),
    _code(
        "SL205",
        Severity.CRITICAL,
        "holds data in a row of characters of no width",
        "two kinds of invisible characters spell out bits",
        "remove them",
    ),
    _code(
        "SL206",
        Severity.HIGH,
        "mixes look-alike letters of several scripts in one name",
        "two names that look the same are two names for the interpreter",
        "write names in one script",
    ),
    _code(
        "SL207",
        Severity.HIGH,
        "names a host in letters that look like others",
        "the address is not the one that a person reads",
        "write the host as it is registered",
    ),
    _code(
        "SL208",
        Severity.CRITICAL,
        "pushes code out of sight with blanks",
        "code beyond the edge of the window is meant not to be read",
        "break the line",
    ),
    _code(
        "SL209",
        Severity.HIGH,
        "holds control characters",
        "terminals move, erase or hide text for them",
        "remove them, or write them as escapes",
    ),
    _code(
        "SL210",
        Severity.MEDIUM,
        "holds characters without a public meaning",
        "what they show as depends on the font",
        "use characters of the standard",
        Kind.HYGIENE,
    ),
    _code(
        "SL211",
        Severity.HIGH,
        "writes names in letters that the interpreter turns into others",
        "Python reads such letters as plain ones; a search for the plain name finds nothing",
        "write names in plain letters",
    ),
    _code(
        "SL212",
        Severity.CRITICAL,
        "ends a line where nobody sees it",
        "JavaScript takes U+2028 and U+2029 for line ends: what looks like a comment is code",
        "use ordinary line ends",
    ),
    _code(
        "SL213",
        Severity.CRITICAL,
        "uses a blank letter as a name",
        "fillers are letters that show as nothing: a parameter or variable nobody sees",
        "remove it",
    ),
)
