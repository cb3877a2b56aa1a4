"""`scan`: what the scanner says about a skill, for people, programs and code hosts."""

from __future__ import annotations

import json

from skilllite_sandbox.run_output import FAILED, OK, note, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from skilllite_sandbox.scan.choices import Choices
    from skilllite_sandbox.scan.finding import Finding
    from skilllite_sandbox.scan.report import ScanReport

HELP = "look at every file of a skill, and say what it does"
SEVERITIES = ("info", "low", "medium", "high", "critical")
"""The words of `finding.Severity`, which isn't imported to parse arguments."""

FINDINGS_SHOWN_MAX = 200  # for a person; --json has all
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
        write(as_text(report))
    if args.fail_on and at_least(report, Severity[args.fail_on.upper()]):
        return FAILED
    return OK


def as_text(report: ScanReport) -> str:
    """Return the report for a person: by file, the heaviest first, then the verdict."""
    lines: list[str] = []
    for file, findings in _by_file(report.findings[:FINDINGS_SHOWN_MAX]).items():
        lines.append(file or "(the skill as a whole)")
        for each in findings:
            place = f"line {each.line}" if each.line else "the file"
            lines.append(f"  {each.severity.word:8} {place:10} {each.message}  [{each.code}]")
            if each.remedy:
                lines.append(f"{'':22} {each.remedy}")
    more = len(report.findings) - FINDINGS_SHOWN_MAX
    if more > 0:
        lines.append(f"and {more} more findings; --json has all")
    for suppressed in report.suppressed:
        found = suppressed.finding
        lines.append(
            f"suppressed until {suppressed.until}: {found.file}:{found.line} {found.message}"
            f"  [{found.code}] ({suppressed.reason})"
        )
    if lines:
        lines.append("")
    lines.append(f"{report.verdict.value}: {_FOLLOWS[report.verdict.value]}{_counted(report)}")
    return "\n".join(lines) + "\n"


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
