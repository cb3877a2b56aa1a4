"""`verify`, the same in both programs: checks, prints, and picks the exit status."""

from __future__ import annotations

import json

from skilllite_sandbox.errors import RegisterUntrusted
from skilllite_sandbox.printable import ONE_LINE
from skilllite_sandbox.run_output import FAILED, OK, note, print_error, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from skilllite_sandbox.integrity.check import Checked
    from skilllite_sandbox.integrity.guard import Guard

HELP = "check installed skills against their signed manifests"
CHANGES_SHOWN_MAX = 100


def add_verify_arguments(parser: argparse.ArgumentParser, *, skill: str) -> None:
    """Declare the arguments that both programs have."""
    parser.add_argument(
        "skill", metavar=skill, nargs="*", help="what to check; without one, all that is installed"
    )
    parser.add_argument(
        "--strict", action="store_true", help="fail at what was never installed, too"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run_verify(
    args: argparse.Namespace,
    guard: Guard,
    *,
    bundled_root: str = "",
    locate: Callable[[str], str] = lambda given: given,
) -> int:
    """Check what was named, or everything; return the exit status.

    Args:
        args: See `add_verify_arguments`.
        guard: Knows the home.
        bundled_root: Where the skills of the package are.
        locate: Finds the directory of what was named.
    """
    from skilllite_sandbox.integrity.check import Checker
    from skilllite_sandbox.signing import Ed25519Verifier

    try:
        checker = Checker(guard, Ed25519Verifier(), bundled_root=bundled_root)
        directories = [locate(each) for each in args.skill] or checker.directories()
        found = [checker.check(directory) for directory in directories]
    except RegisterUntrusted as error:
        if args.json:
            _print_json(args, [], {"ok": False, "cause": error.cause}, good=False)
        print_error(error)
        return FAILED
    good = all(each.status.is_good(strict=args.strict) for each in found)
    if args.json:
        _print_json(args, found, {"ok": True, "cause": None}, good=good)
    else:
        for line in _lines(found):
            write(line.translate(ONE_LINE) + "\n")
    bad = [each for each in found if not each.status.is_good(strict=args.strict)]
    if bad:
        note(f"{len(bad)} of {len(found)} skills are not as they should be")
        note(f"hint: {_hint(bad[0])}")
    return OK if good else FAILED


def _print_json(
    args: argparse.Namespace, found: list[Checked], store: dict[str, object], *, good: bool
) -> None:
    record = {
        "schema": 1,
        "ok": good,
        "strict": args.strict,
        "store": store,
        "skills": [each.to_json() for each in found],
    }
    write(json.dumps(record) + "\n")


def _lines(found: Iterable[Checked]) -> list[str]:
    lines: list[str] = []
    for each in found:
        source = f"  {each.facts.source}" if each.facts is not None else ""
        lines.append(f"{each.status.value:9} {each.name}  ({each.tier.value}){source}")
        if each.cause:
            lines.append(f"          {each.cause}")
        lines += [f"          {change}" for change in each.changes[:CHANGES_SHOWN_MAX]]
        more = len(each.changes) - CHANGES_SHOWN_MAX
        lines += [f"          and {more} more"] if more > 0 else []
    return lines


def _hint(bad: Checked) -> str:
    from skilllite_sandbox.integrity.check import Status

    if bad.status is Status.MISSING:
        return f"`skilllite remove {bad.name}` forgets it"
    if bad.status is Status.DENIED:
        return f"`skilllite remove {bad.name}` removes it"
    if bad.status is Status.UNSIGNED:
        return f"`skilllite add {bad.directory}` installs it, once you know what it is"
    return (
        f"`skilllite add --force SOURCE` installs {bad.name} again, "
        f"`skilllite verify --accept {bad.name}` keeps the change"
    )
