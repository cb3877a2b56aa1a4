"""`skilllite list|show|info|add|remove|validate|reindex|init`: the skills of this place.

`list` is the yardstick for the start-up of the command line: what it doesn't need is imported by
the functions that do.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from skilllite import errors
from skilllite.catalog import CatalogEntry, Listing, SkillCatalog
from skilllite.cli import output
from skilllite.home import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DESCRIPTION_CHARS = 72
"""Of a description in a table; the whole of it is in `show`."""
NAMES_SHOWN_MAX = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of whichever command was typed."""
    command = parser.get_default("command")
    if command == "show":
        parser.add_argument("skill", metavar="NAME|DIR", help="an installed skill, or a folder")
    elif command == "info":
        parser.add_argument(
            "skill", metavar="NAME|DIR", nargs="?", help="a skill; without one, all paths in use"
        )
    elif command == "validate":
        parser.add_argument("skill", metavar="DIR|NAME", nargs="+", help="what to check")
    elif command == "add":
        parser.add_argument(
            "source",
            metavar="SOURCE",
            help="a folder, a zip or tar, owner/repo[/folder][@skill], or a git address",
        )
        parser.add_argument("--force", action="store_true", help="replace an installed skill")
        for flag, what in (("network", "HOST"), ("exec", "NAME"), ("env", "NAME")):
            parser.add_argument(
                f"--allow-{flag}",
                action="append",
                metavar=what,
                help=f"grant this {flag} for good, after a person agreed at the terminal",
            )
        parser.add_argument(
            "--oms-bundle", metavar="FILE", help="an OpenSSF model signing bundle over its files"
        )
        parser.add_argument(
            "--oms-key", metavar="PEM", help="the public key or certificate that must have signed"
        )
    elif command == "remove":
        parser.add_argument("skill", metavar="NAME", help="an installed skill")
    if command in ("add", "remove"):
        parser.add_argument(
            "--project", action="store_true", help="in the .skills folder of this directory"
        )
    if command in ("list", "show", "info"):
        parser.add_argument(
            "--trust-project", action="store_true", help="use the skills of this folder, for good"
        )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Run the command that was typed."""
    home = Home.locate()
    catalog = SkillCatalog.for_project(Path.cwd(), home)
    if getattr(args, "trust_project", False):
        from skilllite.cli.project_trust import trust_by_flag

        trust_by_flag(home)
    if args.command == "list":
        return _list(catalog, home, as_json=args.json)
    if args.command == "reindex":
        return _reindex(catalog, home, as_json=args.json)
    if args.command in ("show", "info", "validate"):
        from skilllite.cli import skill_pages

        if args.command == "validate":
            return skill_pages.validate(catalog, args.skill, as_json=args.json)
        if args.command == "show" or args.skill is not None:
            return skill_pages.show(catalog.find(args.skill), home, as_json=args.json)
        return skill_pages.info(catalog, home, as_json=args.json)
    from skilllite.cli import skill_changes

    if args.command == "add":
        return skill_changes.add(catalog, home, args)
    if args.command == "remove":
        return skill_changes.remove(catalog, home, args)
    return skill_changes.init(catalog, home, as_json=args.json)


def _list(catalog: SkillCatalog, home: Home, *, as_json: bool) -> int:
    listing = catalog.list()
    tiers = _tiers(listing, home)
    if as_json:
        skills = [_record(entry, tiers) for entry in listing.entries]
        skipped = [
            {"path": str(each.directory), "message": each.message} for each in listing.skipped
        ]
        withheld = [
            {"name": each.entry.name, "path": str(each.entry.directory), "why": each.why}
            for each in listing.withheld
        ]
        output.print_json({"schema": 1, "skills": skills, "skipped": skipped, "withheld": withheld})
    else:
        rows = [_row(entry, tiers) for entry in listing.entries]
        output.print_table(("NAME", "FROM", "TIER", "RUNS", "WHAT IT DOES"), rows)
    tell_about(listing)
    return errors.OK


def tell_about(listing: Listing) -> None:
    """Say on stderr what a table has no room for: shadowing, missing things, skipped folders."""
    hiding = [entry for entry in listing.entries if entry.shadows and _hides_another(entry)]
    if len(hiding) == 1:
        output.note(f"note: {output.printable(hiding[0].shadow_note())}")
    elif hiding:
        names = [output.printable(entry.name) for entry in hiding]
        more = len(names) - NAMES_SHOWN_MAX
        shown = ", ".join(names[:NAMES_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
        output.note(f"note: {len(names)} skills hide others of the same name: {shown}")
    for entry in listing.entries:
        if entry.lacks:
            output.note(output.printable(f"{entry.name}: {'; '.join(entry.lacks)}"))
    by_why: dict[str, list[str]] = {}
    for withheld in listing.withheld:
        by_why.setdefault(withheld.why, []).append(withheld.entry.name)
    for why, withheld_names in by_why.items():
        shown = ", ".join(withheld_names[:NAMES_SHOWN_MAX])
        rest = len(withheld_names) - NAMES_SHOWN_MAX
        shown += f" and {rest} more" if rest > 0 else ""
        output.note(output.printable(f"not used: {shown}: {why}"))
    for skipped in listing.skipped:
        output.note(output.printable(f"skipped {skipped.directory}: {skipped.message}"))


def _hides_another(entry: CatalogEntry) -> bool:
    from skilllite.shadowing import hides_another  # most listings have nothing to compare

    return hides_another(entry)


def _tiers(listing: Listing, home: Home) -> dict[str, str]:
    """Return the tier of each skill by its name; those that ship with the package cost nothing."""
    others = [entry for entry in listing.entries if entry.origin != "bundled"]
    if not others:
        return {}
    from skilllite.trust import open_guard, tier_of

    guard = open_guard(home)
    return {entry.name: tier_of(entry, guard) for entry in others}


def _record(entry: CatalogEntry, tiers: dict[str, str]) -> dict[str, Any]:
    return {
        "name": entry.name,
        "description": entry.description,
        "path": str(entry.directory),
        "origin": entry.origin,
        "tier": tiers.get(entry.name, "bundled"),
        "languages": list(entry.languages),
        "tools": entry.tools,
        "lacks": list(entry.lacks),
        "problems": entry.problems,
        "shadows": [str(each.directory) for each in entry.shadows],
    }


def _row(entry: CatalogEntry, tiers: dict[str, str]) -> tuple[str, ...]:
    text = " ".join(entry.description.split())
    if len(text) > DESCRIPTION_CHARS:
        text = text[: DESCRIPTION_CHARS - 1].rstrip() + "…"
    tier = tiers.get(entry.name, "bundled")
    return entry.name, entry.origin, tier, " ".join(entry.languages) or "-", text


def _reindex(catalog: SkillCatalog, home: Home, *, as_json: bool) -> int:
    from skilllite.cli.skill_changes import tell_node

    listing = catalog.reindex()
    if as_json:
        record = {"skills": len(listing.entries), "skipped": len(listing.skipped)}
        output.print_json({"schema": 1, **record})
    output.note(f"read {len(listing.entries)} skills again")
    tell_about(listing)
    tell_node(home)
    return errors.OK
