"""`dependency-audit`, as both command lines have it: arguments, the work, the exit status.

Where skills and data bases are, and how a table is drawn, is each command line's own.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from skilllite_sandbox.environment.index import Index
from skilllite_sandbox.errors import InvalidInput, SandboxError
from skilllite_sandbox.scan.finding import Severity
from skilllite_sandbox.scan.folder import EntryKind, read_folder
from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.supply.audit import (
    AuditReport,
    Sources,
    audit_declared,
    snapshots_json,
)
from skilllite_sandbox.supply.database import AdvisoryDatabase
from skilllite_sandbox.supply.dependency import Declared, Dependency, Ecosystem, Unread
from skilllite_sandbox.supply.fetch import SourceUnreachable
from skilllite_sandbox.supply.names import Place, npm_requirement, python_requirement, split_npm
from skilllite_sandbox.supply.online import DEFAULT_API, Listed, ask_advisories, ask_index
from skilllite_sandbox.supply.reading import read_declared
from skilllite_sandbox.supply.update import DEFAULT_SOURCE, Updated, update_advisories
from skilllite_sandbox.values import dataclass

SCHEMA = 1
CLEAN, FOUND, UNKNOWN = 0, 1, 3
"""Exit statuses; 2 is a wrong call, 3 what a source's silence or an unread file leaves open."""

TARGETS_MAX = 1_000  # skills in one audit
ODD_SHOWN = 5  # links and the like of one skill; one is enough for it not to be installed
OLD_DAYS = 14  # malicious packages are reported daily
_DAY_S = 86_400.0
_MIB = 1024 * 1024
_FAIL_ON = tuple(each.word for each in reversed(Severity))


@dataclass(frozen=True, slots=True)
class Terminal:
    """How a command line shows things."""

    note: Callable[[str], None]
    """One line that is not the result."""
    progress: Callable[[str], None]
    """A line that overwrites itself; nothing where nobody watches."""
    clear: Callable[[], None]
    table: Callable[[Sequence[str], Iterable[Sequence[str]]], None]
    json: Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Target:
    """One skill to look at."""

    name: str
    directory: str


def add_audit_arguments(parser: argparse.ArgumentParser, *, skill: str) -> None:
    """Declare the arguments.

    Args:
        parser: Of the command.
        skill: What a skill is called on this command line: `DIR`, `DIR|NAME`.
    """
    parser.add_argument("skill", nargs="*", metavar=skill, default=[], help="the skills to look at")
    parser.add_argument(
        "--package",
        action="append",
        default=[],
        metavar="SPEC",
        help="a package instead of a skill: pypi:requests==2.31.0, npm:left-pad@1.3.0",
    )
    parser.add_argument(
        "--update", action="store_true", help="fetch advisories first; alone: do only that"
    )
    parser.add_argument(
        "--online",
        action="store_true",
        help="also ask the advisory service and the package index; they learn the names",
    )
    parser.add_argument(
        "--source", metavar="URL|DIR", help="where --update finds ECOSYSTEM/all.zip"
    )
    parser.add_argument("--api", metavar="URL", help="the service that --online asks")
    parser.add_argument(
        "--ecosystem",
        choices=[each.value.lower() for each in Ecosystem],
        help="what --update fetches; both unless given",
    )
    parser.add_argument(
        "--fail-on",
        choices=_FAIL_ON,
        default=Severity.MEDIUM.word,
        metavar="SEVERITY",
        help="exit 1 when a finding weighs that much: low, medium (default), high, critical",
    )
    parser.add_argument(
        "--require-known",
        action="store_true",
        help="exit 3 when nothing could be learned about a package; so it is with --online",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def run_audit_command(
    args: argparse.Namespace,
    *,
    directory: Path,
    targets: Callable[[Sequence[str]], Sequence[Target]],
    terminal: Terminal,
    source: str = DEFAULT_SOURCE,
    api: str = DEFAULT_API,
) -> int:
    """Do what the arguments say and return the exit status.

    Args:
        args: As declared above.
        directory: Where advisories are kept.
        targets: Finds the skills that were named; all there are when none was.
        terminal: How things are shown.
        source: Where advisories come from unless the arguments say otherwise.
        api: Whom to ask unless the arguments say otherwise.

    Raises:
        SandboxError: a skill is not there or can't be read, or a package is written wrongly.
    """
    updates, silent = _update(args, directory, args.source or source, terminal)
    named = bool(args.skill or args.package)
    if args.update and not named:
        _show_updates(args, directory, updates, silent, terminal)
        return UNKNOWN if silent else CLEAN
    declared = Declared(tuple(_package(each) for each in args.package))
    chosen = [] if args.package and not args.skill else targets(args.skill)
    with AdvisoryDatabase(directory) as database:
        sources = _sources(args, database, args.api or api)
        reports = _audited(chosen, declared, sources, terminal)
        shown = _report_json(reports, database, updates, silent)
    if args.json:
        terminal.json(shown)
    else:
        _print(reports, shown, terminal)
    return _status(reports, args, silent)


def _update(
    args: argparse.Namespace, directory: Path, source: str, terminal: Terminal
) -> tuple[list[Updated], list[str]]:
    """Return what was updated, and what could not be."""
    updates: list[Updated] = []
    silent: list[str] = []
    for ecosystem in Ecosystem if args.update else ():
        if args.ecosystem not in (None, ecosystem.value.lower()):
            continue

        def came(got: int, expected: int, name: str = ecosystem.value) -> None:
            of = f" of {expected / _MIB:.0f}" if expected else ""
            reading = ", reading them" if got == expected else ""
            terminal.progress(f"advisories for {name}: {got / _MIB:.0f}{of} MiB{reading}")

        try:
            updates.append(update_advisories(directory, ecosystem, source, progress=came))
        except SourceUnreachable as error:
            said = f": {error.cause}" if error.cause else ""
            silent.append(f"{ecosystem.value}: {error.message}{said}")
        terminal.clear()
    for each in silent:
        terminal.note(f"warning: no new advisories for {each}")
    return updates, silent


def _audited(
    targets: Sequence[Target], declared: Declared, sources: Sources, terminal: Terminal
) -> list[AuditReport]:
    if len(targets) > TARGETS_MAX:
        raise InvalidInput(
            f"{len(targets)} skills are more than the {TARGETS_MAX} of one audit",
            hint="name some of them",
        )
    reports = []
    for number, target in enumerate(targets, 1):
        where = f"{number}/{len(targets)} {target.name}"
        terminal.progress(where)

        def told(text: str, where: str = where) -> None:
            terminal.progress(f"{where}: {text}")

        files, asked = _read(target)
        reports.append(audit_declared(target.name, asked, sources, files=files, told=told))
    if declared.dependencies:
        reports.append(audit_declared("packages", declared, sources, told=terminal.progress))
    terminal.clear()
    return reports


def _read(target: Target) -> tuple[Sequence[SourceFile], Declared]:
    """Return the files of a skill and what they ask for, with what could not be looked at."""
    folder = read_folder(target.directory)
    odd = [e for e in folder.entries if e.kind not in (EntryKind.FILE, EntryKind.FOLDER)]
    unread = [Unread(e.path, 0, f"{e.kind.value} instead of a file") for e in odd[:ODD_SHOWN]]
    unread += [Unread("", 0, bound) for bound in folder.bounds]
    return folder.sources, read_declared(folder.sources) + Declared(unread=tuple(unread))


def _package(text: str) -> Dependency:
    ecosystem, colon, spec = text.partition(":")
    place = Place("", 0)
    one: Dependency | None = None
    if colon and ecosystem.lower() == "pypi":
        one = python_requirement(spec, place)
    elif colon and ecosystem.lower() == "npm" and spec:
        one = npm_requirement(*split_npm(spec), place)
    if one is None or not one.name:
        raise InvalidInput(
            f"{text!r} is no package",
            hint="write pypi:NAME, pypi:NAME==VERSION, npm:NAME or npm:NAME@VERSION",
        )
    return one


def _sources(args: argparse.Namespace, database: AdvisoryDatabase, api: str) -> Sources:
    if not args.online:
        return Sources(database)
    return Sources(database, lambda packages: ask_advisories(packages, api), Indexes().ask)


class Indexes:
    """The indexes that the user of this machine set up, looked up when they are needed."""

    def __init__(self) -> None:
        self._found: dict[Ecosystem, tuple[Index, bytes] | SandboxError] = {}

    def ask(self, ecosystem: Ecosystem, name: str) -> Listed:
        """Ask the index of an ecosystem about a package.

        Raises:
            SourceUnreachable: there is none, or it didn't answer.
        """
        if ecosystem not in self._found:
            try:
                self._found[ecosystem] = _index(ecosystem)
            except SandboxError as error:
                self._found[ecosystem] = error
        found = self._found[ecosystem]
        if isinstance(found, SandboxError):
            raise SourceUnreachable(found.message, cause=found.cause)
        return ask_index(ecosystem, name, found[0], certificates=found[1])


def _index(ecosystem: Ecosystem) -> tuple[Index, bytes]:
    from skilllite_sandbox.environment.index import read_node_settings, read_python_settings
    from skilllite_sandbox.environment.installers import find_npm, find_uv
    from skilllite_sandbox.host import read_host

    if ecosystem is Ecosystem.PYPI:
        settings = read_python_settings(find_uv().command[0])
    else:
        settings = read_node_settings(find_npm(read_host()).command)
    return settings.default, settings.certificates


def _report_json(
    reports: Sequence[AuditReport],
    database: AdvisoryDatabase,
    updates: Sequence[Updated],
    silent: Sequence[str],
) -> dict[str, Any]:
    states = [each.status for each in reports]
    status = next((each for each in ("findings", "unknown") if each in states), "clean")
    return {
        "schema": SCHEMA,
        "status": status,
        "targets": [each.to_json() for each in reports],
        "advisories": snapshots_json(database),
        "updated": _updates_json(updates),
        "unreachable": list(silent),
    }


def _updates_json(updates: Sequence[Updated]) -> list[dict[str, Any]]:
    return [
        {
            "ecosystem": each.snapshot.ecosystem.value,
            "changed": each.changed,
            "count": each.snapshot.count,
            "refused": each.refused,
            "fetched_at": each.snapshot.fetched_at,
        }
        for each in updates
    ]


def _show_updates(
    args: argparse.Namespace,
    directory: Path,
    updates: Sequence[Updated],
    silent: Sequence[str],
    terminal: Terminal,
) -> None:
    if args.json:
        with AdvisoryDatabase(directory) as database:
            terminal.json(
                {
                    "schema": SCHEMA,
                    "advisories": snapshots_json(database),
                    "updated": _updates_json(updates),
                    "unreachable": list(silent),
                }
            )
        return
    for each in updates:
        kept = each.snapshot
        word = "updated" if each.changed else "nothing newer"
        odd = f", {each.refused} records could not be read" if each.refused else ""
        terminal.note(
            f"{kept.ecosystem.value}: {word}, {kept.count} advisories, "
            f"newest {kept.newest or 'unknown'}{odd}"
        )


def _print(reports: Sequence[AuditReport], shown: dict[str, Any], terminal: Terminal) -> None:
    rows = [_row(report, each) for report in reports for each in report.packages]
    if rows:
        terminal.table(("SKILL", "PACKAGE", "VERSION", "STANDING", "WHERE", "WHY"), rows)
    for report in reports:
        for finding in report.findings:
            line = f":{finding.line}" if finding.line else ""
            place = f"{report.target} {finding.file}{line}".strip()
            terminal.note(f"{finding.severity.word:8} {finding.code} {place}: {finding.message}")
    for each in shown["advisories"]:
        terminal.note(f"advisories for {each['ecosystem']}: {_age(each, time.time())}")
    packages = sum(len(report.packages) for report in reports)
    unknown = sum(len(report.unknown) for report in reports)
    terminal.note(f"{packages} packages, {unknown} unknown: {shown['status']}")


def _age(snapshot: dict[str, Any], now: float) -> str:
    """Say how old advisories are, and what to do when that is too old."""
    if not snapshot["present"]:
        return "missing: --update fetches them"
    fetched = f"of {snapshot['fetched_at']}"
    try:
        then = datetime.fromisoformat(snapshot["fetched_at"]).timestamp()
    except ValueError:
        return fetched
    days = (now - then) / _DAY_S
    return f"{fetched}, {days:.0f} days old: --update" if days > OLD_DAYS else fetched


def _row(report: AuditReport, each: Any) -> tuple[str, ...]:
    dependency = each.dependency
    version = each.version or dependency.wanted or "any"
    line = f":{dependency.line}" if dependency.line else ""
    why = each.why or ", ".join(advisory.id for advisory in each.advisories)
    name = dependency.name or dependency.address
    place = f"{dependency.file}{line}"
    return (report.target, name, version, each.standing.value, place, why)


def _status(reports: Sequence[AuditReport], args: argparse.Namespace, silent: Sequence[str]) -> int:
    threshold = next(each for each in Severity if each.word == args.fail_on)
    if any(finding.severity >= threshold for report in reports for finding in report.findings):
        return FOUND
    if silent:
        return UNKNOWN  # what was asked for could not be had
    unknown = any(report.unknown or report.has_unread for report in reports)
    return UNKNOWN if unknown and (args.require_known or args.online) else CLEAN
