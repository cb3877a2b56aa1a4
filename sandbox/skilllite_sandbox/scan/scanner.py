"""Runs every engine over every file of a skill and puts together what they say.

Reads only; nothing of the skill is imported or run, and nothing in it can switch an engine off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.manifest import SKILL_FILE
from skilllite_sandbox.scan.acts import Analysis, Opaque
from skilllite_sandbox.scan.archives import Unpacked, look_into_archives
from skilllite_sandbox.scan.characters import inspect_characters
from skilllite_sandbox.scan.clock import TEXTS_S_MAX, Clock
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

Engine = Callable[[Sequence[SourceFile], float], Analysis]
"""Says what code does, within some seconds. Gets every file and picks those it can read."""

Inspector = Callable[[Sequence[SourceFile]], tuple[Finding, ...]]
"""Says what is wrong with files as such: structure, characters, text."""

_LATE = "the scan takes too long"


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
    clock = Clock()
    folder = read_folder(directory)
    problems = guarded_findings(lambda _: inspect_structure(folder), ())
    skill = None
    digest = ""  # of what can't be staged either: it never runs
    try:
        skill = read_skill(directory, folder="skill")
    except (InvalidSkill, NotFound) as error:
        detail = f"{error.message}: {error.cause}" if error.cause else error.message
        problems += (make_finding("SL104", SKILL_FILE, 0, detail.replace(str(directory), ".")),)
    except Exception as error:  # whatever a hostile file brings about, there is a verdict
        problems += (make_finding("SL104", SKILL_FILE, 0, type(error).__name__),)
    try:
        digest = compute_digest(directory)
    except (InvalidSkill, NotFound) as error:
        problems += (make_finding("SL104", "", 0, error.message),)
    return scan_sources(
        folder.sources,
        skill,
        digest=digest,
        strict=strict,
        problems=problems,
        rules=rules,
        opinion=opinion,
        clock=clock,
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
    clock: Clock | None = None,
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
        clock: How long it may take.
    """
    clock = clock or Clock()
    try:
        unpacked = look_into_archives(sources)
    except Exception as error:  # as above
        unpacked = Unpacked((), (make_finding("SL705", "", 0, type(error).__name__),))
    sources = (*sources, *unpacked.members)
    findings = problems + unpacked.findings + _inspected(sources, clock)
    analysis = Analysis()
    for engine in _engines():
        analysis += _guarded(engine, (*sources, *other_readings(sources)), clock)
    findings += findings_of(analysis) + _unread(sources)
    if rules is not None:
        findings += guarded_findings(rules.inspect, sources)
    if opinion is not None:
        findings += guarded_findings(lambda those: _asked(those, opinion), sources)
    declared = frozenset() if skill is None else declared_capabilities(skill)
    return make_report(digest, judge_capabilities(findings, declared, strict=strict), declared)


def _asked(sources: Sequence[SourceFile], opinion: Opinion) -> tuple[Finding, ...]:
    import secrets

    from skilllite_sandbox.scan.opinion import ask_opinion

    return ask_opinion(sources, opinion, f"mark-{secrets.token_hex(16)}")


def _engines() -> tuple[Engine, ...]:
    # Imported here: what a skill doesn't have costs its scan nothing.
    from skilllite_sandbox.scan.javascript import analyse_javascript
    from skilllite_sandbox.scan.other_code import analyse_other
    from skilllite_sandbox.scan.python import analyse_python
    from skilllite_sandbox.scan.shell import analyse_shell

    return (analyse_python, analyse_shell, analyse_javascript, analyse_other)


def _inspectors() -> tuple[Inspector, ...]:
    """Return those that have to see all files together."""
    return (inspect_presence, inspect_dependencies)


def _file_inspectors(clock: Clock) -> tuple[Inspector, ...]:
    """Return those that look at one file at a time."""
    return (
        inspect_contents,
        inspect_pickles,
        inspect_characters,
        lambda sources: inspect_instructions(sources, clock),
    )


def _inspected(sources: Sequence[SourceFile], clock: Clock) -> tuple[Finding, ...]:
    """Return what inspectors say; of a file that one stumbles over the others still speak."""
    findings: tuple[Finding, ...] = ()
    for inspect in _inspectors():
        findings += guarded_findings(inspect, sources)
    texts = Clock(min(TEXTS_S_MAX, clock.left()))
    found: list[Finding] = []
    # What people and models read first, then what is small: whoever hides something in a heap of
    # data is told that not all of it was looked at.
    ordered = sorted(sources, key=lambda each: (each.path != SKILL_FILE, len(each.data)))
    for number, source in enumerate(ordered):
        if texts.is_over():
            detail = f"{_LATE}; so it is with {len(ordered) - number - 1} others"
            found.append(make_finding("SL702", source.path, 0, detail))
            break
        for inspect in _file_inspectors(texts):
            found += guarded_findings(inspect, (source,))
    return findings + tuple(found)


def _guarded(engine: Engine, sources: Sequence[SourceFile], clock: Clock) -> Analysis:
    """Return what an engine says; one that stumbles leaves every file it reads unseen."""
    try:
        return engine(sources, clock.left())
    except Exception as error:  # as above
        return Analysis(opaque=(Opaque("", 0, f"the scanner gave up: {type(error).__name__}"),))


def guarded_findings(inspect: Inspector, sources: Sequence[SourceFile]) -> tuple[Finding, ...]:
    """Return what an inspector says; stumbling is a finding, because unseen is not clean."""
    try:
        return inspect(sources)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # libraries in Rust panic with what is no Exception
        file = sources[0].path if len(sources) == 1 else ""
        return (make_finding("SL705", file, 0, type(error).__name__),)


def _unread(sources: Sequence[SourceFile]) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    for source in sources:
        if source.cut:
            findings.append(make_finding("SL702", source.path, 0))
        if source.language is Language.OTHER_CODE:
            findings.append(make_finding("SL704", source.path, 0))
    return tuple(findings)
