"""`scan`: what the scanner says about a skill, for people, programs and code hosts."""

from __future__ import annotations

import json
import os
import sys

from skilllite_sandbox.errors import InvalidInput
from skilllite_sandbox.printable import LINES
from skilllite_sandbox.run_output import FAILED, OK, note, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from skilllite_sandbox.scan.choices import Choices
    from skilllite_sandbox.scan.finding import Finding
    from skilllite_sandbox.scan.report import ScanReport, Suppressed

HELP = "look at every file of a skill, and say what it does"
SEVERITIES = ("info", "low", "medium", "high", "critical")
"""The words of `finding.Severity`, which isn't imported to parse arguments."""

FINDINGS_SHOWN_MAX = 200  # for a person; --json has all
COLUMNS_MIN = 40  # narrower than this wrapping makes it worse
_INDENT = 22  # where messages begin, after weight and line
_FOLLOWS = {
    "PASS": "it runs without a question",
    "REVIEW": "a person has to agree before it runs",
    "BLOCK": "it doesn't run, whoever agrees",
}


def add_scan_arguments(parser: argparse.ArgumentParser, *, skill: str) -> None:
    """Declare the arguments."""
    parser.add_argument("skill", metavar=skill, help="the skill to look at")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--sarif", action="store_true", help="print SARIF 2.1.0")
    parser.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        metavar="SEVERITY",
        help="exit 1 when a finding weighs that much or more: " + ", ".join(SEVERITIES),
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="as for a skill that was received or evolved: what it doesn't declare blocks it",
    )
    parser.add_argument(
        "--offline",
        action="store_true",
        help="by what ships alone: without the advisories that `dependency-audit --update` fetched",
    )
    parser.add_argument(
        "--rules", metavar="DIR", help="a folder with rules of your own, TOML or YARA, too"
    )


def run_scan_command(
    args: argparse.Namespace,
    *,
    locate: Callable[[], str],
    choices: Choices,
    version: str,
) -> int:
    """Scan, print, and return the exit status: 0 whatever was found, unless `--fail-on` says so.

    Raises:
        SandboxError: the skill or the user's rules can't be read.
    """
    from skilllite_sandbox.scan.choices import scan_with
    from skilllite_sandbox.scan.finding import Severity
    from skilllite_sandbox.scan.report import at_least

    report, notes = scan_with(locate(), choices, strict=args.strict)
    for each in notes:
        note(f"note: {each}")
    if args.sarif:
        from skilllite_sandbox.scan.sarif import to_sarif

        write(json.dumps(to_sarif(report, version=version)) + "\n")
    elif args.json:
        write(json.dumps(report.to_json()) + "\n")
    else:
        write(as_text(report, columns=_columns()))
    if args.fail_on and at_least(report, Severity[args.fail_on.upper()]):
        return FAILED
    return OK


def rule_folders(args: argparse.Namespace) -> list[str]:
    """Return the folder of `--rules`, if one was given.

    Raises:
        InvalidInput: it isn't there: a slip of the pen must not leave rules out.
    """
    if args.rules is None:
        return []
    if not os.path.isdir(args.rules):  # noqa: PTH112 - as strings, like all that a scan is told
        raise InvalidInput(
            f"there is no folder of rules {args.rules!r}", hint="--rules takes a folder"
        )
    return [args.rules]


def as_text(report: ScanReport, *, columns: int | None = None) -> str:
    """Return the report for a person: by file, the heaviest first, then the verdict.

    Harmless to a terminal: names of files are the skill's own, and may hold anything.

    Args:
        report: What was found.
        columns: Where lines are broken; nowhere if it is left out.
    """
    from skilllite_sandbox.scan.codes import CODES

    lines: list[str] = []
    told: set[str] = set()
    for file, findings in _by_file(report.findings[:FINDINGS_SHOWN_MAX]).items():
        lines.append(_shown(file) or "(the skill as a whole)")
        for each in findings:
            place = f"line {each.line}" if each.line else "" if not file else "the file"
            head = f"  {each.severity.word:8} {place:10} "
            lines += _broken(head, f"{each.message}  [{each.code}]", columns)
            if each.remedy and each.code not in told:
                lines += _broken(" " * _INDENT, each.remedy, columns)
            told.add(each.code)
    more = len(report.findings) - FINDINGS_SHOWN_MAX
    if more > 0:
        lines.append(f"and {more} more findings; --json has all")
    for suppressed in report.suppressed:
        lines += _broken(f"suppressed until {suppressed.until}: ", _suppressed(suppressed), columns)
    known = [each.code for each in report.findings if each.code in CODES]
    if known:
        lines.append("")
        lines.append(f"`explain {known[0]}` says what that one means, and so for each code")
    if lines:
        lines.append("")
    lines.append(f"{report.verdict.value}: {_FOLLOWS[report.verdict.value]}{_counted(report)}")
    return "\n".join(lines) + "\n"


def _suppressed(suppressed: Suppressed) -> str:
    found = suppressed.finding
    line = f":{found.line}" if found.line else ""
    where = f"{_shown(found.file)}{line} " if found.file else ""
    return f"{where}{found.message}  [{found.code}] ({_shown(suppressed.reason)})"


def _shown(text: str) -> str:
    """Return text that can neither move the cursor, nor reorder, nor begin another line."""
    seen = text.translate(LINES)
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in seen)


def _broken(head: str, text: str, columns: int | None) -> list[str]:
    """Return a head and a text beside it, broken where the terminal ends."""
    if columns is None:
        return [head + text]
    import textwrap  # only where a person reads

    indent = " " * min(len(head), _INDENT)
    return textwrap.wrap(
        text, columns, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False
    )


def _columns() -> int | None:
    """Return how wide the terminal on stdout is; None when it is none."""
    try:
        return max(COLUMNS_MIN, os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError, AttributeError):
        return None


def _by_file(findings: tuple[Finding, ...]) -> dict[str, list[Finding]]:
    """Return findings by file; the file with the heaviest one comes first, as they are sorted."""
    files: dict[str, list[Finding]] = {}
    for each in findings:
        files.setdefault(each.file, []).append(each)
    return files


def _counted(report: ScanReport) -> str:
    counts: dict[str, int] = {}
    for each in report.findings:
        counts[each.severity.word] = counts.get(each.severity.word, 0) + 1
    said = ", ".join(f"{count} {word}" for word, count in counts.items())
    return f" ({said})" if said else ""
