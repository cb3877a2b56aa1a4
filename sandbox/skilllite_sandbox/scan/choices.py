"""The scanner with what a user has added to it.

Rules of their own, packs of YARA rules, advisories that were fetched, and findings they suppress.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from skilllite_sandbox.scan.choices_stamp import yara_files
from skilllite_sandbox.scan.report import ScanReport, make_report
from skilllite_sandbox.scan.scanner import guarded_findings, scan_skill
from skilllite_sandbox.scan.suppressions import Suppression, read_suppressions, suppress
from skilllite_sandbox.scan.user_rules import UserRule, findings_by, read_rules
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from skilllite_sandbox.scan.finding import Finding
    from skilllite_sandbox.scan.source import SourceFile
    from skilllite_sandbox.scan.yara_rules import RulePack


@dataclass(frozen=True, slots=True)
class Choices:
    """What a user has added."""

    rules: tuple[UserRule, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    packs: tuple[RulePack, ...] = ()
    """YARA rules, compiled."""
    advisories: str = ""
    """Where advisories are kept; empty for none."""


NO_CHOICES = Choices()


def read_choices(
    *, rules: Sequence[str] = (), suppressions: str | None = None, advisories: str = ""
) -> Choices:
    """Return what the files of a user hold.

    Args:
        rules: Folders of rules, in TOML or YARA.
        suppressions: The file of suppressions.
        advisories: The folder of advisories; it need not exist.

    Raises:
        InvalidInput: one of them can't be understood, or two rules have one name.
    """
    found: dict[str, UserRule] = {}
    for directory in rules:
        for rule in read_rules(directory):
            found.setdefault(rule.id, rule)
    suppressed = () if suppressions is None else read_suppressions(suppressions)
    packs = []
    for directory in rules:
        if yara_files(directory):
            from skilllite_sandbox.scan.yara_rules import load_rule_pack

            packs.append(load_rule_pack(directory))
    return Choices(tuple(found.values()), suppressed, tuple(packs), advisories)


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
    if choices.rules or choices.packs or choices.advisories:
        from skilllite_sandbox.scan.folder import read_folder

        found = _added(choices, read_folder(directory).sources)
        known = set(report.findings)  # what ships says of packages, stored advisories say again
        added = tuple(each for each in found if each not in known)
        report = make_report(report.digest, report.findings + added, report.declared)
    if not choices.suppressions:
        return report, ()
    return suppress(
        report,
        choices.suppressions,
        name=_name_of(directory),
        today=today or datetime.now(UTC).date(),
        strict=strict,
    )


def _added(choices: Choices, sources: Sequence[SourceFile]) -> tuple[Finding, ...]:
    """Return what the user's own rules, packs and advisories find."""
    found = findings_by(choices.rules, sources)
    if choices.packs:
        from skilllite_sandbox.scan.archives import look_into_archives

        inside = look_into_archives(sources).members
        for pack in choices.packs:
            found += guarded_findings(pack.inspect, (*sources, *inside))
    if choices.advisories:
        from pathlib import Path

        from skilllite_sandbox.supply.stored import stored_findings

        place = Path(choices.advisories)
        found += guarded_findings(lambda those: stored_findings(those, place), sources)
    return found


def _name_of(directory: str | Path) -> str:
    from skilllite_sandbox.errors import SandboxError
    from skilllite_sandbox.skill import read_skill

    try:
        return read_skill(directory, folder="skill").name
    except SandboxError:
        return ""
