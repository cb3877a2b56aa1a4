"""Runs every engine over every file of a skill and puts together what they say.

Reads only; nothing of the skill is imported or run, and nothing in it can switch an engine off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.scan.acts import Analysis, Opaque
from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.declared import declared_capabilities
from skilllite_sandbox.scan.finding import Finding
from skilllite_sandbox.scan.report import ScanReport, make_report
from skilllite_sandbox.scan.rules import findings_of
from skilllite_sandbox.scan.source import Language, SourceFile, read_sources
from skilllite_sandbox.scan.verdict import judge_capabilities
from skilllite_sandbox.skill import Skill, read_skill
from skilllite_sandbox.supply.inspector import inspect_dependencies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

Engine = Callable[[Sequence[SourceFile]], Analysis]
"""Says what code does. Gets every file of the skill and picks those it can read."""

Inspector = Callable[[Sequence[SourceFile]], tuple[Finding, ...]]
"""Says what is wrong with files as such: structure, characters, text."""


def scan_skill(directory: str | Path, *, strict: bool = False) -> ScanReport:
    """Scan a skill.

    Args:
        directory: A staged copy, or a folder that nobody changes meanwhile.
        strict: It was evolved or received: an undeclared capability blocks it.

    Raises:
        NotFound: there is no such directory.
        InvalidSkill: it can't be read as a skill at all.
    """
    skill = read_skill(directory, folder="skill")
    return scan_sources(
        read_sources(directory), skill, digest=compute_digest(directory), strict=strict
    )


def scan_sources(
    sources: Sequence[SourceFile], skill: Skill, *, digest: str, strict: bool = False
) -> ScanReport:
    """Scan files that were read already."""
    analysis = Analysis()
    for engine in _engines():
        analysis += _guarded(engine, sources)
    findings = findings_of(analysis)
    for inspect in _inspectors():
        findings += inspect(sources)
    findings += _unread(sources)
    declared = declared_capabilities(skill)
    return make_report(digest, judge_capabilities(findings, declared, strict=strict), declared)


def _engines() -> tuple[Engine, ...]:
    # Imported here: what a skill doesn't have costs its scan nothing.
    from skilllite_sandbox.scan.shell import analyse_shell

    return (analyse_shell,)


def _inspectors() -> tuple[Inspector, ...]:
    return (inspect_dependencies,)


def _guarded(engine: Engine, sources: Sequence[SourceFile]) -> Analysis:
    """Return what an engine says; one that stumbles leaves every file it reads unseen."""
    try:
        return engine(sources)
    except (RecursionError, MemoryError) as error:
        return Analysis(opaque=(Opaque("", 0, f"the scanner gave up: {type(error).__name__}"),))


def _unread(sources: Sequence[SourceFile]) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    for source in sources:
        if source.cut:
            findings.append(make_finding("SL702", source.path, 0))
        if source.language is Language.OTHER_CODE:
            findings.append(make_finding("SL704", source.path, 0))
    return tuple(findings)
