"""`skilllite clean-env`: the installed packages of skills, listed and removed."""

from __future__ import annotations

import argparse
import time

from skilllite import errors
from skilllite.cli import output
from skilllite.cli.arguments import not_empty
from skilllite.home import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from skilllite_sandbox.environment.store import Environments, Stored

SHOWN_CHARACTERS = 12  # of a digest: no user has so many environments that two begin alike
PACKAGES_SHOWN = 4  # in the table; --json has all
UNUSED_DAYS_DEFAULT = 30
_DAY_S = 86_400.0
_MIB = 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments; without any it lists."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "environment",
        nargs="*",
        type=not_empty,
        default=[],
        metavar="ENV",
        help="remove these: the id, or the beginning of it",
    )
    which.add_argument("--all", action="store_true", help="remove all of them")
    which.add_argument(
        "--unused",
        nargs="?",
        type=_days,
        const=UNUSED_DAYS_DEFAULT,
        metavar="DAYS",
        help=f"remove what wasn't used for so many days ({UNUSED_DAYS_DEFAULT})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """List or remove."""
    from skilllite_sandbox.environment.store import open_environments

    environments = open_environments(Home.locate().env)
    stored = environments.list()
    is_listing = not (args.environment or args.all or args.unused is not None)
    chosen = stored if is_listing else _chosen(stored, args)
    if not is_listing:
        _remove(environments, chosen)
    if args.json:
        key = "environments" if is_listing else "removed"
        output.print_json({"schema": 1, key: [_record(each) for each in chosen]})
    elif is_listing:
        _print(chosen)
    else:
        size = sum(each.environment.size_bytes for each in chosen) / _MIB
        output.note(f"removed {len(chosen)} of {len(stored)}, {size:.1f} MiB")
    return errors.OK


def _chosen(stored: list[Stored], args: argparse.Namespace) -> list[Stored]:
    if args.all:
        return stored
    if args.unused is not None:
        oldest = time.time() - args.unused * _DAY_S
        return [each for each in stored if each.used_at < oldest]
    return [_find(stored, name) for name in dict.fromkeys(args.environment)]


def _find(stored: list[Stored], name: str) -> Stored:
    found = [each for each in stored if each.environment.digest.startswith(name.lower())]
    if len(found) != 1:
        raise errors.NotFound(
            f"{len(found)} environments begin with {name}"
            if found
            else f"there is no environment {name}",
            hint="`skilllite clean-env` lists them",
        )
    return found[0]


def _remove(environments: Environments, chosen: list[Stored]) -> None:
    for each in chosen:
        environments.remove(each.environment.digest)


def _record(stored: Stored) -> dict[str, Any]:
    environment = stored.environment
    return {
        "digest": environment.digest,
        "ecosystem": environment.ecosystem.value,
        "packages": {each.name: each.version for each in environment.packages},
        "size_bytes": environment.size_bytes,
        "used_at_ms": int(stored.used_at * 1000),
        "building_allowed": environment.building_allowed,
        "path": str(environment.path),
    }


def _print(stored: list[Stored]) -> None:
    if not stored:
        output.note("no packages are installed; a run installs what its skill asks for")
        return
    now = time.time()
    output.print_table(
        ("ENV", "FOR", "SIZE", "LAST USED", "PACKAGES"),
        (
            (
                each.environment.digest[:SHOWN_CHARACTERS],
                each.environment.ecosystem.value,
                f"{each.environment.size_bytes / _MIB:.1f} MiB",
                _age(now - each.used_at),
                _packages(each),
            )
            for each in stored
        ),
    )


def _packages(stored: Stored) -> str:
    packages = stored.environment.packages
    shown = ", ".join(f"{each.name} {each.version}" for each in packages[:PACKAGES_SHOWN])
    more = len(packages) - PACKAGES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _age(seconds: float) -> str:
    if seconds < 2 * 3600:
        return f"{max(seconds, 0) / 60:.0f} min ago"
    if seconds < 2 * _DAY_S:
        return f"{seconds / 3600:.0f} h ago"
    return f"{seconds / _DAY_S:.0f} days ago"


def _days(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 36_500:
        raise argparse.ArgumentTypeError("must be a number of days, 0 or more")
    return value
