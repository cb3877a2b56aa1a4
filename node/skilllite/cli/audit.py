"""`skilllite audit verify` and `audit report`: whether the log is whole, and what it tells."""

from __future__ import annotations

import argparse
import os
import re
import time

from skilllite import errors
from skilllite.cli import output
from skilllite.home import Home

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    from skilllite_sandbox.audit.line import Line
    from skilllite_sandbox.audit.report import Report
    from skilllite_sandbox.audit.verification import LogState

SHOWN_MAX = 20  # lines of one section for a person; --json has more
FACTS_SHOWN_CHARS = 120

_DURATION = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?Z?)?")
_HIDDEN_FACTS = frozenset({"run", "uid"})
_TITLES = {
    "refusals": "refused",
    "consents": "consents and grants",
    "changes": "skills and policy changed",
    "node": "node and log",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the two words below `audit`."""
    words = parser.add_subparsers(dest="word", required=True, metavar="verify|report")

    def add(name: str, text: str, example: str) -> argparse.ArgumentParser:
        epilog = f"example:\n  skilllite audit {example}"
        return words.add_parser(name, help=text, description=text, epilog=epilog)

    verify = add("verify", "check every line, and where it was changed if it was", "verify --json")
    verify.add_argument(
        "--key",
        type=_public_key,
        metavar="HEX",
        help="public key of the node whose log it is; else the one of this home",
    )
    report = add("report", "runs by skill and outcome, refusals, consents", "report --since 7d")
    report.add_argument("--since", type=_moment, metavar="TIME", help="like 24h, 7d or 2026-01-31")
    report.add_argument(
        "--event", default="", metavar="NAME", help="list events, like run.refused or consent"
    )
    for each in (verify, report):
        each.add_argument("--json", action="store_true", help="print one JSON object")
        each.add_argument("--dir", metavar="DIR", help="a copy of a log, instead of this home's")


def run(args: argparse.Namespace) -> int:
    """Verify or report."""
    home = Home.locate()
    if args.dir is not None and not os.path.isdir(args.dir):  # noqa: PTH112 - without pathlib
        # A log that isn't there holds no fault, and would be called whole.
        raise errors.NotFound(
            f"there is no folder {args.dir!r}", hint="--dir takes a copy of a log"
        )
    directory = args.dir or home.audit_name
    return _verify(args, home, directory) if args.word == "verify" else _report(args, directory)


# Verify


def _verify(args: argparse.Namespace, home: Home, directory: str) -> int:
    from skilllite_sandbox.audit.verification import verify_log
    from skilllite_sandbox.signing import Ed25519Verifier

    key = args.key if args.key is not None else _key_of(home)
    state = verify_log(directory, key, Ed25519Verifier())
    if args.json:
        output.print_json({**state.to_json(), "path": directory})
    else:
        _show_state(state, directory)
    return errors.OK if state.ok else errors.FAILED


def _key_of(home: Home) -> bytes | None:
    """Return the public key of this home; None when it has no key yet, which isn't made here."""
    from skilllite_sandbox.signing import load_or_create_signer

    path = home.keys / "sign.pem"
    return load_or_create_signer(path).public_key if path.exists() else None


def _show_state(state: LogState, directory: str) -> None:
    for problem in state.problems:
        where = f"{problem.file}:{problem.line}" if problem.line else problem.file
        output.write_result(f"{output.printable(where)}: {output.printable(problem.what)}\n")
    facts = state.to_json()
    said = [f"{state.lines} lines in {state.files} files", f"sealed to line {state.sealed}"]
    if facts["unsealed"]:
        said.append(
            f"{facts['unsealed']} not sealed yet: cut off the end, they would not be missed"
        )
    if state.removed:
        said.append(f"{state.removed} older ones removed for their age")
    if state.repaired:
        said.append(f"{state.repaired} torn off by crashes")
    output.write_result(f"{'ok' if state.ok else 'BROKEN'}: {'; '.join(said)}\n")
    if not state.ok:
        output.note(f"hint: keep a copy of {directory}; what is named above isn't what was written")


# Report


def _report(args: argparse.Namespace, directory: str) -> int:
    from skilllite_sandbox.audit.report import make_report

    report = make_report(directory, since=args.since or "", event=args.event)
    if args.json:
        output.print_json({**report.to_json(), "since": args.since, "path": directory})
        return errors.OK
    if args.event:
        if not report.entries:
            output.note(f"no event {args.event!r} was recorded; `skilllite audit report` lists all")
        _show_lines(report.entries)
    else:
        _show_report(report)
    if report.unreadable:
        output.note(f"{report.unreadable} lines can't be read: see `skilllite audit verify`")
    return errors.OK


def _show_report(report: Report) -> None:
    if not report.events:
        output.write_result("nothing was recorded\n")
        return
    output.write_result(f"{report.events} events from {report.first} to {report.last}\n\n")
    if report.runs:
        rows = [
            (str(each.count), each.skill, each.verdict or "-", each.outcome)
            for each in report.runs[:SHOWN_MAX]
        ]
        output.print_table(("runs", "skill", "verdict", "outcome"), rows)
        _say_more(len(report.runs))
    for name, lines in report.sections.items():
        if lines:
            output.write_result(f"\n{_TITLES[name]}\n")
            _show_lines(lines)


def _show_lines(lines: tuple[Line, ...]) -> None:
    rows = [(line.time, line.event, _facts_text(line)) for line in lines[-SHOWN_MAX:]]
    if rows:
        output.print_table(("time", "event", "facts"), rows)
    _say_more(len(lines))


def _say_more(number: int) -> None:
    if number > SHOWN_MAX:
        output.write_result(f"({number} in all; --json has more)\n")


def _facts_text(line: Line) -> str:
    facts = {key: value for key, value in line.facts.items() if key not in _HIDDEN_FACTS}
    shown = " ".join(
        f"{key}={value}" for key, value in facts.items() if value not in (None, "", [])
    )
    return shown if len(shown) <= FACTS_SHOWN_CHARS else shown[:FACTS_SHOWN_CHARS] + "…"


# Arguments


def _moment(text: str) -> str:
    """Return a moment as the log writes it."""
    if match := _DURATION.fullmatch(text):
        from skilllite_sandbox.audit.line import time_text

        age_ns = int(match[1]) * _SECONDS[match[2]] * 1_000_000_000
        return time_text(max(0, time.time_ns() - age_ns))
    if _MOMENT.fullmatch(text) is None:
        raise argparse.ArgumentTypeError("must be like 24h, 7d, 2026-01-31 or 2026-01-31T12:00")
    return text.replace(" ", "T").removesuffix("Z")


def _public_key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise argparse.ArgumentTypeError("must be 64 hexadecimal digits")
    return key
