"""SL7xx: what could not be looked at. Never less than REVIEW: unseen is not clean."""

from __future__ import annotations

from skilllite_sandbox.scan.codes.code import Code, Risk
from skilllite_sandbox.scan.finding import Kind, Severity

_RISKS = (Risk.POOR_SCANNING,)


def _opaque(code: str, title: str, why: str, remedy: str) -> Code:
    return Code(code, Severity.HIGH, Kind.OPAQUE, title, why, remedy, _RISKS)


CODES = (
    _opaque(
        "SL701",
        "can't be parsed",
        "what the scanner can't read, the interpreter may still run",
        "make it valid in the language that its name says",
    ),
    _opaque(
        "SL702",
        "is too large to be looked at",
        "only files up to a bound are read",
        "split it, or keep large data outside the skill",
    ),
    _opaque(
        "SL703",
        "is binary of an unknown kind",
        "it may be anything, a program too",
        "ship text, or a format that is known: images, fonts, spreadsheets, databases",
    ),
    _opaque(
        "SL704",
        "is code in a language that is not read here",
        "the scanner understands Python, JavaScript, TypeScript and shell",
        "write it in one of these",
    ),
    _opaque(
        "SL705",
        "took too long to look at",
        "the scanner's bounds stopped it before it had seen everything",
        "make it simpler",
    ),
)
