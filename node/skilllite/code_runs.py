"""Code that is no skill, as a model writes it: looked at, and run like a skill of one script."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path

from skilllite.auditing import open_run_record
from skilllite.config import load_config
from skilllite.home import Home
from skilllite.sdk import result_of, warn
from skilllite_sandbox.errors import ConsentRequired, PolicyDenied
from skilllite_sandbox.policy import Level, Tier
from skilllite_sandbox.sandbox import Sandbox
from skilllite_sandbox.scan.choices import read_choices
from skilllite_sandbox.scan.finding import Finding, Severity, Verdict
from skilllite_sandbox.scan.report import ScanReport
from skilllite_sandbox.scan.snippet import language_named, scan_snippet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "code"
FINDINGS_SHOWN_MAX = 3  # in an error; `scan_code` has all
_MANIFEST = "---\nname: code\ndescription: Code that is no skill.\n---\n"


def scan_code(language: str, code: str) -> dict[str, Any]:
    """Say what code does, without running it.

    Args:
        language: `python`, `javascript`, `typescript` or `shell`.
        code: The text.

    Returns:
        What `skilllite scan --json` prints: `verdict`, `findings`, `capabilities`, …

    Raises:
        skilllite_sandbox.errors.InvalidInput: nothing here reads that language.
    """
    return _scan(language, code, Home.locate()).to_json()


def execute_code(language: str, code: str, *, sandbox_level: int = 3) -> dict[str, Any]:
    """Run code in the sandbox, with nothing granted, and return what it did.

    Args:
        language: `python`, `javascript`, `typescript` or `shell`.
        code: The text; it finds `{}` on its stdin.
        sandbox_level: At 3 it runs only if the scanner passes it; at 2 isolation is all there is.

    Returns:
        As `run_skill` does: `success`, `text`, `output`, `stderr`, `exit_code`.

    Raises:
        skilllite_sandbox.errors.SandboxError: it was not started: `PolicyDenied` when the scanner
            blocks it, `ConsentRequired` when a person would have to agree, `InvalidInput`,
            `SandboxUnavailable`, `AuditUnavailable`.
    """
    home = Home.locate()
    config = load_config(home)
    level = Level(sandbox_level)
    _, suffix = language_named(language)
    record = open_run_record(
        home, by="program", level=level, warn=warn, config=config, skill=NAME, language=language
    )
    try:
        with record.refusals() if record is not None else nullcontext():
            if level is Level.FULL:
                report = _scan(language, code, home)  # by the user's rules too
                if record is not None and report.verdict is not Verdict.PASS:
                    # A run that starts says itself what it was cleared by.
                    record.scanned(report.verdict.value, report.digest)
                _require_pass(report)
            with (
                tempfile.TemporaryDirectory(prefix="skilllite-code-") as directory,
                Sandbox(
                    level,
                    pool=False,
                    preload=False,
                    accept_tier=Tier(config.text("sandbox.accept_tier")),
                ) as sandbox,
            ):
                _write_skill(Path(directory), suffix, code)
                return result_of(sandbox.run(directory, "{}", record=record))
    finally:
        if record is not None:
            record.close()


def _scan(language: str, code: str, home: Home) -> ScanReport:
    return scan_snippet(language, code, read_choices(rules=[home.rules_name]).rules)


def _write_skill(directory: Path, suffix: str, code: str) -> None:
    (directory / "SKILL.md").write_text(_MANIFEST, encoding="utf-8")
    (directory / "scripts").mkdir()
    (directory / f"scripts/main.{suffix}").write_text(code, encoding="utf-8", newline="")


def _require_pass(report: ScanReport) -> None:
    if report.verdict is Verdict.PASS:
        return
    shown = [each for each in report.findings if each.severity >= Severity.HIGH]
    cause = "; ".join(map(_clause, shown[:FINDINGS_SHOWN_MAX]))
    if report.verdict is Verdict.BLOCK:
        raise PolicyDenied(
            "the scanner blocks this code",
            cause=cause,
            hint="`scan_code` says what it does; nobody can confirm that",
        )
    raise ConsentRequired(
        "a person would have to agree to this code",
        cause=cause,
        hint="put it into a skill that declares what it does; level 2 isolates without a scan",
    )


def _clause(finding: Finding) -> str:
    return f"line {finding.line}: {finding.message} ({finding.code})"
