"""Runs every engine over every file of a skill and puts together what they say.

Reads only; nothing of the skill is imported or run, and nothing in it can switch an engine off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.manifest import SKILL_FILE
from skilllite_sandbox.scan.acts import Analysis, Opaque
from skilllite_sandbox.scan.archives import look_into_archives
from skilllite_sandbox.scan.characters import inspect_characters
from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.contents import inspect_contents
from skilllite_sandbox.scan.declared import declared_capabilities
from skilllite_sandbox.scan.finding import Finding
from skilllite_sandbox.scan.folder import read_folder
from skilllite_sandbox.scan.instructions.inspector import inspect_instructions
from skilllite_sandbox.scan.pickles import inspect_pickles
from skilllite_sandbox.scan.presence import inspect_presence
from skilllite_sandbox.scan.report import ScanReport, make_report
from skilllite_sandbox.scan.rules import findings_of
from skilllite_sandbox.scan.source import Language, SourceFile, other_readings
from skilllite_sandbox.scan.structure import inspect_structure
from skilllite_sandbox.scan.verdict import judge_capabilities
from skilllite_sandbox.skill import Skill, read_skill
from skilllite_sandbox.supply.inspector import inspect_dependencies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from skilllite_sandbox.scan.opinion import Opinion
    from skilllite_sandbox.scan.yara_rules import RulePack

Engine = Callable[[Sequence[SourceFile]], Analysis]
"""Says what code does. Gets every file of the skill and picks those it can read."""

Inspector = Callable[[Sequence[SourceFile]], tuple[Finding, ...]]
"""Says what is wrong with files as such: structure, characters, text."""


def scan_skill(
    directory: str | Path,
    *,
    strict: bool = False,
    rules: RulePack | None = None,
    opinion: Opinion | None = None,
) -> ScanReport:
    """Scan a skill; whatever is in the folder, there is a verdict.

    Args:
        directory: A staged copy, or a folder that nobody changes meanwhile.
        strict: It was evolved or received: an undeclared capability blocks it.
        rules: YARA rules of the user, compiled.
        opinion: Asks a model; it can only add.

    Raises:
        NotFound: there is no such directory.
    """
    folder = read_folder(directory)
    problems = inspect_structure(folder)
    skill = None
    try:
        skill = read_skill(directory, folder="skill")
    except (InvalidSkill, NotFound) as error:
        detail = f"{error.message}: {error.cause}" if error.cause else error.message
        problems += (make_finding("SL104", SKILL_FILE, 0, detail.replace(str(directory), ".")),)
    try:
        digest = compute_digest(directory)
    except (InvalidSkill, NotFound) as error:
        digest = ""  # it can't be staged either, so it never runs
        problems += (make_finding("SL104", "", 0, error.message),)
    return scan_sources(
        folder.sources,
        skill,
        digest=digest,
        strict=strict,
        problems=problems,
        rules=rules,
        opinion=opinion,
    )


def scan_sources(
    sources: Sequence[SourceFile],
    skill: Skill | None,
    *,
    digest: str,
    strict: bool = False,
    problems: tuple[Finding, ...] = (),
    rules: RulePack | None = None,
    opinion: Opinion | None = None,
) -> ScanReport:
    """Scan files that were read already.

    Args:
        sources: The files.
        skill: What declares capabilities; None when it can't be read: then none is declared.
        digest: Of the skill, for the report.
        strict: As for `scan_skill`.
        problems: What was found already.
        rules: As for `scan_skill`.
        opinion: As for `scan_skill`.
    """
    unpacked = look_into_archives(sources)
    sources = (*sources, *unpacked.members)
    problems += unpacked.findings
    analysis = Analysis()
    for engine in _engines():
        analysis += _guarded(engine, (*sources, *other_readings(sources)))
    findings = problems + findings_of(analysis)
    for inspect in _inspectors():
        findings += _guarded_findings(inspect, sources)
    findings += _unread(sources)
    if rules is not None:
        findings += rules.inspect(sources)
    if opinion is not None:
        import secrets

        from skilllite_sandbox.scan.opinion import ask_opinion

        findings += ask_opinion(sources, opinion, f"mark-{secrets.token_hex(16)}")
    declared = frozenset() if skill is None else declared_capabilities(skill)
    return make_report(digest, judge_capabilities(findings, declared, strict=strict), declared)


def _engines() -> tuple[Engine, ...]:
    # Imported here: what a skill doesn't have costs its scan nothing.
    from skilllite_sandbox.scan.javascript import analyse_javascript
    from skilllite_sandbox.scan.other_code import analyse_other
    from skilllite_sandbox.scan.python import analyse_python
    from skilllite_sandbox.scan.shell import analyse_shell

    return (analyse_python, analyse_shell, analyse_javascript, analyse_other)


def _inspectors() -> tuple[Inspector, ...]:
    return (
        inspect_contents,
        inspect_presence,
        inspect_pickles,
        inspect_characters,
        inspect_dependencies,
        inspect_instructions,
    )


def _guarded(engine: Engine, sources: Sequence[SourceFile]) -> Analysis:
    """Return what an engine says; one that stumbles leaves every file it reads unseen."""
    try:
        return engine(sources)
    except Exception as error:  # whatever a hostile file brings about, there is a verdict
        return Analysis(opaque=(Opaque("", 0, f"the scanner gave up: {type(error).__name__}"),))


def _guarded_findings(inspect: Inspector, sources: Sequence[SourceFile]) -> tuple[Finding, ...]:
    """Return what an inspector says; stumbling is a finding, because unseen is not clean."""
    try:
        return inspect(sources)
    except Exception as error:  # as above
        return (make_finding("SL705", "", 0, type(error).__name__),)


def _unread(sources: Sequence[SourceFile]) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    for source in sources:
        if source.cut:
            findings.append(make_finding("SL702", source.path, 0))
        if source.language is Language.OTHER_CODE:
            findings.append(make_finding("SL704", source.path, 0))
    return tuple(findings)
