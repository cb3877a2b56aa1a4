"""The scanner with what a user has added to it: rules of their own, and findings they suppress."""

from __future__ import annotations

from datetime import UTC, date, datetime

from skilllite_sandbox.scan.report import ScanReport, make_report
from skilllite_sandbox.scan.scanner import scan_skill
from skilllite_sandbox.scan.suppressions import Suppression, read_suppressions, suppress
from skilllite_sandbox.scan.user_rules import UserRule, findings_by, read_rules
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Choices:
    """What a user has added."""

    rules: tuple[UserRule, ...] = ()
    suppressions: tuple[Suppression, ...] = ()


NO_CHOICES = Choices()


def read_choices(*, rules: Sequence[str] = (), suppressions: str | None = None) -> Choices:
    """Return what the files of a user hold.

    Args:
        rules: Folders of rules.
        suppressions: The file of suppressions.

    Raises:
        InvalidInput: one of them can't be understood, or two rules have one name.
    """
    found: dict[str, UserRule] = {}
    for directory in rules:
        for rule in read_rules(directory):
            found.setdefault(rule.id, rule)
    suppressed = () if suppressions is None else read_suppressions(suppressions)
    return Choices(tuple(found.values()), suppressed)


def scan_with(
    directory: str | Path,
    choices: Choices = NO_CHOICES,
    *,
    strict: bool = False,
    today: date | None = None,
) -> tuple[ScanReport, tuple[str, ...]]:
    """Scan a skill; return the report, and what is to be said about suppressions.

    Raises:
        NotFound: there is no such directory.
    """
    report = scan_skill(directory, strict=strict)
    if choices.rules:
        from skilllite_sandbox.scan.folder import read_folder

        found = findings_by(choices.rules, read_folder(directory).sources)
        report = make_report(report.digest, report.findings + found, report.declared)
    if not choices.suppressions:
        return report, ()
    return suppress(
        report,
        choices.suppressions,
        name=_name_of(directory),
        today=today or datetime.now(UTC).date(),
        strict=strict,
    )


def _name_of(directory: str | Path) -> str:
    from skilllite_sandbox.errors import SandboxError
    from skilllite_sandbox.skill import read_skill

    try:
        return read_skill(directory, folder="skill").name
    except SandboxError:
        return ""
