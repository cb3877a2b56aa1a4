"""`skilllite verify`: are the installed skills still what was installed?"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from skilllite import errors
from skilllite.asking import Ask, ask_at_the_terminal, ask_nobody
from skilllite.auditing import recorded_change
from skilllite.catalog import SkillCatalog
from skilllite.cli import output
from skilllite.errors import Refused, UsageError
from skilllite.home import Home
from skilllite.review import Reviewer, shown, tell
from skilllite.sdk import locate_skill
from skilllite.trust import STARTER_SKILLS, open_guard, open_store
from skilllite_sandbox.errors import ConsentRequired, InvalidSkill, SandboxError
from skilllite_sandbox.integrity.entries import differences, digest_of, read_entries
from skilllite_sandbox.integrity.guard import Guard, changes_since
from skilllite_sandbox.integrity.manifest import Facts
from skilllite_sandbox.integrity.trust import TrustTier
from skilllite_sandbox.integrity.verify_command import (
    CHANGES_SHOWN_MAX,
    add_verify_arguments,
    run_verify,
)
from skilllite_sandbox.scan.finding import Verdict
from skilllite_sandbox.scan.report import SCANNER_VERSION
from skilllite_sandbox.skill import read_skill


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_verify_arguments(parser, skill="NAME|DIR")
    parser.add_argument(
        "--accept",
        action="store_true",
        help="keep what was changed in the named skills, after a person agreed at the terminal",
    )
    parser.add_argument(
        "--export-oms",
        metavar="FILE",
        help="write an OpenSSF model signing bundle over the files of the skill, if it is ok",
    )
    parser.add_argument(
        "--oms-private-key", metavar="PEM", help="the elliptic curve key to sign that with"
    )


def run(args: argparse.Namespace) -> int:
    """Check what was named, or everything; with --accept sign it as it is now."""
    if (args.export_oms is None) is not (args.oms_private_key is None):
        raise UsageError("--export-oms and --oms-private-key belong together")
    home = Home.locate()
    guard = open_guard(home)
    if args.accept:
        if not args.skill:
            raise UsageError("--accept needs the names of skills", hint="skilllite verify NAME")
        for given in args.skill:
            accept(Path(_directory(given, home, guard)), home, guard, ask=ask_at_the_terminal)
        guard = open_guard(home)
    status = run_verify(
        args,
        guard,
        bundled_root=STARTER_SKILLS,
        locate=lambda given: _directory(given, home, guard),
    )
    if args.export_oms is not None and status == errors.OK:
        from skilllite.oms import export_bundle

        if len(args.skill) != 1:
            raise UsageError("--export-oms signs one skill", hint="skilllite verify NAME …")
        directory = Path(_directory(args.skill[0], home, guard))
        export_bundle(directory, Path(args.export_oms), Path(args.oms_private_key))
        output.note(f"wrote {args.export_oms}")
    return status


def accept(directory: Path, home: Home, guard: Guard, *, ask: Ask) -> None:
    """Sign an installed skill as it is now, when a person who saw the changes agrees.

    Raises:
        Refused: nothing was changed, the scanner blocks it, or the person said no.
        ConsentRequired: there is nobody to ask.
    """
    from skilllite.scanning import scan_newcomer

    registered = guard.record_of(os.fspath(directory))
    if registered is None:
        raise Refused(f"{directory} was never installed", hint=f"`skilllite add {directory}` does")
    entries = read_entries(directory)
    digest = digest_of(entries)
    key = guard.key_of(os.fspath(directory))
    changes = changes_since(guard.place, key, registered, os.fspath(directory))
    lines = [output.printable(f"  {change}") for change in changes[:CHANGES_SHOWN_MAX]]
    more = len(changes) - len(lines)
    lines += [f"  and {more} more"] if more > 0 else []
    guard.denylist.current().refuse(digest=digest, name=registered.name, source=registered.source)
    skill = read_skill(directory, folder=directory.name)
    if skill.name != registered.name:
        raise Refused(
            f"{registered.name} calls itself {skill.name} now",
            hint=f"`skilllite remove {registered.name}`, and add it under its new name",
        )
    report = scan_newcomer(directory, home)
    if report.digest != digest:
        raise InvalidSkill(f"{directory} changes while it is read", hint="try again")
    name = output.printable(registered.name)
    if report.verdict is Verdict.BLOCK:
        tell(lines)
        Reviewer(ask=ask_nobody).review(skill, report)  # refuses, and shows why
    seen = [*lines, *shown(skill, report)]
    kept = tell(seen, asked=True)
    answer = ask([*seen, "", f"Keep these changes in {name}?"])
    if answer is None:
        tell(seen if not kept else [])
        raise ConsentRequired(
            f"the changes in {name} were not accepted: a person has to agree to them",
            cause="there is no terminal to ask at",
            hint="run the same command in a terminal, and answer there",
        )
    if not answer:
        raise Refused(f"the changes in {name} were not accepted", cause="you said no")
    facts = Facts(
        place="",
        name=skill.name,
        digest=digest,
        version=0,
        installed_at=int(time.time()),
        tier=TrustTier.LOCAL.value,  # whoever wrote it, this user answers for it now
        source=registered.source,
        source_kind="accepted",
        verdict=report.verdict.value,
        scanner_version=SCANNER_VERSION,
    )
    asked = {"skill": skill.name, "path": str(directory), "digest": digest}
    with (
        recorded_change(home, "skill.accept_requested", "skill.accepted", **asked) as told,
        open_store(home).installing(directory, facts, entries),
    ):
        if differences(entries, read_entries(directory)):
            raise InvalidSkill(f"{directory} changes while it is read", hint="try again")
        told.update(asked, before=registered.digest, verdict=report.verdict)
    output.note(f"{name} is signed as it is now")


def _directory(given: str, home: Home, guard: Guard) -> str:
    try:
        return os.path.abspath(locate_skill(given, home)[0])  # noqa: PTH100
    except SandboxError:
        # One whose folder is gone.
        catalog = SkillCatalog.for_project(Path.cwd(), home)
        roots = [os.fspath(root.path) for root in catalog.roots]
        if (installed := guard.directory_of_name(given, roots)) is not None:
            return installed
        raise
