"""How fast the sandbox is, beside bare Python and the other sandboxes that are installed.

    python -m benchmark.benchmark_runner [-n N] [-c N ...] [--compare-levels] [--compare-ipc]
                                         [--cold-start [--cold-iterations N]] [--no-peers]
                                         [--no-numpy] [-o out.json]

Everything is measured interleaved in one run, against the interpreter that the sandbox uses. With
-o the figures are written as JSON, and as a plot beside it (out.svg). Exit status 0: every target
that was measured is met; 1: one is not; 3: something of ours could not be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmark.speed.measure import Wish, measure
from benchmark.speed.plot import draw
from benchmark.speed.report import as_text, machine_line, notes, status_of, tables, to_json

ITERATIONS = 100  # p95 is then the sixth slowest
CALLERS = (1, 2, 10)
COLD_ITERATIONS = 20  # whole processes: about a tenth of a second each
CALLERS_MOST = 64  # threads of this process


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "-n", "--iterations", type=_count, default=ITERATIONS, help="rounds; default %(default)s"
    )
    parser.add_argument(
        "-c",
        "--callers",
        "--concurrency",
        nargs="+",
        type=_callers,
        default=list(CALLERS),
        metavar="N",
        help="callers at once for the throughput; default 1 2 10",
    )
    parser.add_argument(
        "--compare-levels", action="store_true", help="also levels 1 and 3, warm and on demand"
    )
    parser.add_argument(
        "--compare-ipc",
        action="store_true",
        help="also how a job gets to a worker: a node's socket, the whole command",
    )
    parser.add_argument(
        "--cold-start",
        action="store_true",
        help="also `skilllite run` as a whole process, and the first run of a launcher",
    )
    parser.add_argument("--cold-iterations", type=_count, default=COLD_ITERATIONS, metavar="N")
    parser.add_argument("--no-peers", action="store_true", help="without other sandboxes")
    parser.add_argument("--no-numpy", action="store_true", help="install nothing, leave numpy out")
    parser.add_argument("-o", "--out", type=Path, help="write JSON here, and a plot beside it")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    parser = _parser()
    args = parser.parse_args(argv)
    # Said now: after the measurement its figures would be lost.
    if args.out and (args.out.suffix == ".svg" or not args.out.parent.is_dir()):
        parser.error(f"{args.out}: the JSON goes into a file of an existing directory, not .svg")
    # An installation is compiled once; in a development environment the first rounds do that.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    wish = Wish(
        iterations=args.iterations,
        callers=tuple(dict.fromkeys(args.callers)),
        compare_levels=args.compare_levels,
        compare_ipc=args.compare_ipc,
        cold_iterations=args.cold_iterations if args.cold_start else 0,
        with_peers=not args.no_peers,
        with_numpy=not args.no_numpy,
    )
    findings = measure(wish, lambda line: print(line, file=sys.stderr, flush=True))
    print(f"machine: {machine_line(findings.machine)}\n")
    for table in tables(findings):
        print(as_text(table))
    for note in notes(findings):
        print(f"- {note}")
    if args.out:
        report = json.dumps(to_json(findings), indent=2)
        args.out.write_text(report + "\n", encoding="utf-8")
        args.out.with_suffix(".svg").write_text(draw(findings), encoding="utf-8")
    return status_of(findings)


def _count(text: str) -> int:
    if not (text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def _callers(text: str) -> int:
    number = _count(text)
    if number > CALLERS_MOST:
        raise argparse.ArgumentTypeError(f"at most {CALLERS_MOST}")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
