"""`skilllite grants`: what persons have granted and agreed to, content by content.

Granting for good needs a person at the terminal, as consent does: later runs, and tasks of peers,
get it without being asked.
"""

from __future__ import annotations

import os
import time

from skilllite import errors
from skilllite.cli import output
from skilllite.cli.project_trust import locate_or_ask
from skilllite.gating import HomeAudit, open_decisions, own_place
from skilllite.home import Home
from skilllite.sdk import open_stage
from skilllite_sandbox.digest import is_digest
from skilllite_sandbox.errors import ConsentRequired, InvalidInput, NotFound
from skilllite_sandbox.gate.decisions import Agreed, Decisions, GrantRecord, asked_by, encode_grants
from skilllite_sandbox.gate.request import grants_in_words
from skilllite_sandbox.gate.terminal import ask_at_terminal
from skilllite_sandbox.grants import effective_grants, united
from skilllite_sandbox.policy import NOTHING_GRANTED, Grants

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

DIGEST_SHOWN_CHARS = 19  # `sha256:` and twelve digits tell any two skills of one user apart
DIGEST_PREFIX_MIN = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions; without one it lists."""
    import argparse

    parser.set_defaults(action=_list)
    parser.add_argument("--json", action="store_true", help="print JSON")
    actions = parser.add_subparsers(metavar="ACTION")

    def add(name: str, text: str, example: str) -> argparse.ArgumentParser:
        example = f"example:\n  skilllite grants {example}"
        return actions.add_parser(name, help=text, description=text, epilog=example)

    listing = add("list", "all of them (the default)", "list --json")
    show = add("show", "those of one skill as it is now", "show report")
    allow = add(
        "allow",
        "grant a skill as it is now something for good; asks at the terminal",
        "allow report --allow-network api.example.com",
    )
    revoke = add("revoke", "take back what was granted and agreed to", "revoke report")
    for action in (show, allow):
        action.add_argument("skill", metavar="NAME|DIR")
    revoke.add_argument(
        "skill", metavar="NAME|DIR|DIGEST", help="a skill, or a folder that was trusted"
    )
    allow.add_argument("--allow-network", action="append", metavar="HOST")
    allow.add_argument("--allow-exec", action="append", metavar="NAME")
    allow.add_argument("--allow-env", action="append", metavar="NAME")
    for action, function in (
        *((listing, _list), (show, _show)),
        *((allow, _allow), (revoke, _revoke)),
    ):
        # Suppressed, or it would undo a --json that stands before the action.
        action.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print JSON"
        )
        action.set_defaults(action=function)


def run(args: argparse.Namespace) -> int:
    """Do the action."""
    status: int = args.action(args)
    return status


def _list(args: argparse.Namespace) -> int:
    decisions = open_decisions(Home.locate())
    _print(
        decisions.grant_records(),
        decisions.agreed(),
        names=decisions.hiding(),
        folders=decisions.trusted_folders(),
        as_json=args.json,
    )
    return errors.OK


def _show(args: argparse.Namespace) -> int:
    home = Home.locate()
    decisions = open_decisions(home)
    digest = open_stage(home).put(locate_or_ask(args.skill, home)[0]).digest
    granted = [each for each in decisions.grant_records() if each.digest == digest]
    agreed = [each for each in decisions.agreed() if each.digest == digest]
    names = [each for each in decisions.hiding() if each[0] == digest]
    _print(granted, agreed, names=names, as_json=args.json)
    return errors.OK


def _allow(args: argparse.Namespace) -> int:
    home = Home.locate()
    home.prepare()
    decisions = open_decisions(home)
    directory, _ = locate_or_ask(args.skill, home)
    staged = open_stage(home).put(directory)
    given = Grants(
        network=tuple(args.allow_network or ()),
        exec=tuple(args.allow_exec or ()),
        env=tuple(args.allow_env or ()),
    )
    if given == NOTHING_GRANTED:
        raise InvalidInput(
            "nothing to grant is named", hint="--allow-network HOST, --allow-exec, --allow-env NAME"
        )
    requests = staged.skill.requests
    asked = asked_by(requests)
    effective, unasked = effective_grants(requests, given)
    if requests.bash_tools:
        effective = given  # which programs a rule lets through is seen when a command comes
    elif unasked:
        raise InvalidInput(
            f"{staged.skill.name}: {unasked[0]}", hint="`skilllite show` says what it asks for"
        )
    grants = united(decisions.grants(staged.digest), effective)
    lines = [
        f"Grant {output.printable(staged.skill.name)} for good what it asks for?",
        f"  digest {staged.digest}",
        *(f"  {each}" for each in grants_in_words(grants)),
        "  in every run of exactly this content, also when a member of your team asks for it",
    ]
    said = ask_at_terminal(lines, {"yes": "yes"})
    if said is None:
        raise ConsentRequired(
            "only a person can grant something for good, and there is no terminal to ask at",
            hint="type the same command in a terminal; for one run `skilllite run --allow-…` does",
        )
    if said != "yes":
        output.note("nothing was granted")
        return errors.NEEDS_CONFIRMATION
    facts = {"skill": staged.skill.name, "digest": staged.digest, "by": "terminal"}
    HomeAudit(home).record("grant.given", {**facts, **encode_grants(grants)}, durable=True)
    place = own_place(directory, home)
    decisions.grant(staged.digest, name=staged.skill.name, grants=grants, asked=asked, place=place)
    kept = decisions.grant_record(staged.digest)
    _print([kept] if kept is not None else [], [], as_json=args.json)
    return errors.OK


def _revoke(args: argparse.Namespace) -> int:
    home = Home.locate()
    decisions = open_decisions(home)
    if _is_path(args.skill) and decisions.distrust(os.path.realpath(args.skill)):
        folder = os.path.realpath(args.skill)
        HomeAudit(home).record("trust.revoked", {"folder": folder, "by": "command"}, durable=True)
        if args.json:
            output.print_json({"schema": 1, "revoked": [], "folder": folder})
        output.note(output.printable(f"the skills of {folder} are not used by name any more"))
        return errors.OK
    meant = dict.fromkeys(_meant(args.skill, home, decisions))
    revoked = [each for each in meant if decisions.revoke(each)]
    if not revoked:
        raise NotFound(
            f"nothing was granted {args.skill[:80]}", hint="`skilllite grants list` shows all of it"
        )
    for digest in revoked:
        HomeAudit(home).record("grant.revoked", {"digest": digest, "by": "command"}, durable=True)
    if args.json:
        output.print_json({"schema": 1, "revoked": revoked})
    output.note(f"revoked for {len(revoked)} contents")
    return errors.OK


def _is_path(text: str) -> bool:
    return "/" in text or text in (".", "..")


def _meant(text: str, home: Home, decisions: Decisions) -> list[str]:
    """Return the digests that somebody means by a name, a directory or a digest's beginning."""
    known = {each.digest: each.name for each in decisions.grant_records()}
    known |= {each.digest: each.name for each in decisions.agreed()}
    known |= dict(decisions.hiding())
    if is_digest(text):
        return [text]
    start = text.removeprefix("sha256:")
    if len(start) >= DIGEST_PREFIX_MIN:
        found = [each for each in known if each.removeprefix("sha256:").startswith(start)]
        if found:
            return found
    # Every version of that name: whoever takes something back means all of it.
    if by_name := [digest for digest, name in known.items() if name == text]:
        return by_name
    directory = locate_or_ask(text, home)[0]
    there = decisions.granted_at(os.path.realpath(directory))
    # Of all it ever was there: new content keeps what was granted the old one.
    return [*(each.digest for each in there), open_stage(home).put(directory).digest]


def _print(
    grants: list[GrantRecord],
    agreed: list[Agreed],
    *,
    names: Sequence[tuple[str, str]] = (),
    folders: Sequence[str] = (),
    as_json: bool,
) -> None:
    if as_json:
        output.print_json(
            {
                "schema": 1,
                "grants": [_grant_facts(each) for each in grants],
                "consents": [
                    {
                        "name": each.name,
                        "digest": each.digest,
                        "codes": list(each.codes),
                        "given_at": each.given_at,
                        **encode_grants(each.grants),
                    }
                    for each in agreed
                ],
                "names": [{"name": name, "digest": digest} for digest, name in names],
                "folders": list(folders),
            }
        )
        return
    rows = [
        (each.name, each.digest[:DIGEST_SHOWN_CHARS], _day(each.given_at), _short(each.grants))
        for each in grants
    ] + [
        (
            each.name,
            each.digest[:DIGEST_SHOWN_CHARS],
            _day(each.given_at),
            f"runs in spite of {', '.join(each.codes)}",
        )
        for each in agreed
    ]
    rows += [
        (name, digest[:DIGEST_SHOWN_CHARS], "", "stands for other skills of its name")
        for digest, name in names
    ]
    rows += [("", "", "", f"the skills of {folder} are used by name") for folder in folders]
    if not rows:
        output.note("nothing was granted and nothing agreed to")
        return
    output.print_table(("NAME", "DIGEST", "SINCE", "WHAT"), rows)


def _grant_facts(record: GrantRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "digest": record.digest,
        "given_at": record.given_at,
        "place": record.place or None,
        **encode_grants(record.grants),
    }


def _short(grants: Grants) -> str:
    said = [f"network {each}" for each in grants.network]
    said += [f"program {each}" for each in grants.exec]
    said += [f"variable {each}" for each in grants.env]
    return ", ".join([*said, *(["workspace"] if grants.workspace else [])])


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))
