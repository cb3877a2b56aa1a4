"""Twenty attacks in SkillLite and in other sandboxes, judged by what became of the host.

    python -m benchmark.security_vs [--items …] [--levels 1 2 3] [--cli] [--subjects …]
                                    [-o out.json] [--markdown]

For each attack: was it refused before the run, stopped at run time, or did it have an effect
outside the sandbox? Information counts as effect. Bare Python has to succeed at every attack, and
what crashes, is missing or never starts counts as stopped nowhere. Exit status 0: all controls and
well-behaved skills are right and nothing got out at levels 2 and 3; 1: something got out; 3:
something could not be shown.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmark.machine import describe_machine
from benchmark.security.attacks import ITEMS
from benchmark.security.campaign import run_campaign
from benchmark.security.item import Item
from benchmark.security.lab import Lab
from benchmark.security.report import Findings, as_markdown, as_text, notes, tables, to_json
from benchmark.security.subjects import commands, skilllite
from benchmark.security.subjects.base import Subject
from skilllite_sandbox.host import read_host
from skilllite_sandbox.policy import Level

OTHERS: dict[str, Callable[[], Subject]] = {
    "bubblewrap": lambda: commands.bubblewrap(read_host()),
    "firejail": lambda: commands.firejail(read_host()),
    "docker": commands.docker,
    "sandbox-runtime": lambda: commands.sandbox_runtime(read_host()),
    "deno": commands.deno,
    "pyodide": commands.pyodide,
}


def chosen_items(names: Sequence[str] | None) -> tuple[Item, ...]:
    """Return the items of these names, all of them without a name."""
    return tuple(item for item in ITEMS if names is None or item.name in names)


def measure(
    items: tuple[Item, ...],
    *,
    levels: Sequence[int],
    cli: bool,
    others: Sequence[str],
    progress: Callable[[str], None],
) -> Findings:
    """Run the campaign on this machine."""
    with Lab() as lab, ExitStack() as stack:
        control = commands.bare(read_host())
        own: list[Subject] = []
        for level in map(Level, levels):
            own.append(skilllite.Library(level))
            own += [skilllite.Command(level)] if cli else []
        subjects = [*own, *(OTHERS[name]() for name in others)]
        for subject in subjects:
            stack.callback(subject.close)
        campaign = run_campaign(lab, control, subjects, items, progress=progress)
    isolated = [
        subject.name for subject in own if not subject.name.endswith(str(int(Level.DIRECT)))
    ]
    return Findings(
        campaign=campaign,
        items=items,
        control=control.name,
        promised=tuple(isolated),
        wanted=(control.name, *(subject.name for subject in own)),
        machine=describe_machine(),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [item.name for item in ITEMS]
    parser.add_argument("--items", nargs="+", choices=names, metavar="ITEM", help=", ".join(names))
    parser.add_argument(
        "--levels", nargs="*", type=int, choices=[int(level) for level in Level], default=[1, 2, 3]
    )
    parser.add_argument(
        "--cli", action="store_true", help="also through `skilllite-sandbox run --json`"
    )
    parser.add_argument(
        "--subjects",
        nargs="*",
        choices=list(OTHERS),
        default=list(OTHERS),
        metavar="SUBJECT",
        help=f"other sandboxes, where installed: {', '.join(OTHERS)}",
    )
    parser.add_argument("-o", "--out", type=Path, help="write everything as JSON here")
    parser.add_argument("--markdown", action="store_true", help="print tables in Markdown")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    args = _parser().parse_args(argv)
    findings = measure(
        chosen_items(args.items),
        levels=args.levels,
        cli=args.cli,
        others=args.subjects,
        progress=lambda line: print(line, file=sys.stderr, flush=True),
    )
    machine = ", ".join(f"{name} {value}" for name, value in findings.machine.items())
    print(f"machine: {machine}\n")
    form = as_markdown if args.markdown else as_text
    for table in tables(findings):
        print(form(table))
    for note in notes(findings):
        print(f"- {note}")
    if args.out:
        args.out.write_text(json.dumps(to_json(findings), indent=2) + "\n", encoding="utf-8")
    return findings.status


if __name__ == "__main__":
    raise SystemExit(main())
