"""Scans code that is no skill: one text in one language, which somebody is about to run."""

from __future__ import annotations

import hashlib

from skilllite_sandbox.errors import InvalidInput
from skilllite_sandbox.scan.report import ScanReport, make_report
from skilllite_sandbox.scan.scanner import scan_sources
from skilllite_sandbox.scan.source import FILE_BYTES_MAX, Language, SourceFile
from skilllite_sandbox.scan.user_rules import UserRule, findings_by

LANGUAGES = {
    **dict.fromkeys(("python", "py", "python3"), (Language.PYTHON, "py")),
    **dict.fromkeys(("javascript", "js", "node"), (Language.JAVASCRIPT, "js")),
    **dict.fromkeys(("typescript", "ts"), (Language.TYPESCRIPT, "ts")),
    **dict.fromkeys(("shell", "bash", "sh"), (Language.SHELL, "sh")),
}
"""What it may be called, and the suffix of a script in it."""


def language_named(name: str) -> tuple[Language, str]:
    """Return a language by one of its names, and the suffix of its scripts.

    Raises:
        InvalidInput: nothing here reads it.
    """
    found = LANGUAGES.get(name.lower())
    if found is None:
        raise InvalidInput(
            f"code in {name!r} can't be looked at", hint="python, javascript, typescript or shell"
        )
    return found


def scan_snippet(name: str, code: str, rules: tuple[UserRule, ...] = ()) -> ScanReport:
    """Scan code in the language of that name, whatever its first line says.

    A snippet has no place to declare a capability, so each that it uses is a reason to ask.

    Raises:
        InvalidInput: nothing here reads that language, or it can't be text.
    """
    language, suffix = language_named(name)
    try:
        data = code.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput("the code has half a surrogate pair, which is no text") from None
    text = data[:FILE_BYTES_MAX].decode("utf-8", "ignore").replace("\r\n", "\n").replace("\r", "\n")
    cut = len(data) > FILE_BYTES_MAX
    source = SourceFile(f"main.{suffix}", data[:FILE_BYTES_MAX], False, language, text, cut)
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    report = scan_sources((source,), None, digest=digest)
    if not rules:
        return report
    return make_report(digest, report.findings + findings_by(rules, (source,)), report.declared)
