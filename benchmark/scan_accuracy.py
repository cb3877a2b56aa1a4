"""How many hostile skills the scanner catches, and how many ordinary ones it troubles.

    python -m benchmark.scan_accuracy CORPUS [--rewrites] [--misses] [--seed N] [-o out.json]

CORPUS is a folder of labelled skills; see `benchmark.accuracy.corpus`. Nothing of it is run. With
--rewrites each skill is scanned again after it was written differently to the same effect: renamed,
encoded, moved to other files. Exit status 0: every target is met; 1: one is not.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmark.accuracy.corpus import BENIGN, MALICIOUS, load_corpus
from benchmark.accuracy.measure import AS_IT_IS, REWRITES, Scanned, drop, of, rates, scan_all
from benchmark.machine import describe_machine
from skilllite_sandbox.scan.finding import Verdict

BLOCK_RECALL_LEAST = 0.80
BLOCK_FALSE_MOST = 0.02
ALARM_RECALL_LEAST = 0.95
ALARM_FALSE_MOST = 0.15
DROP_POINTS_MOST = 5.0
P95_MS_MOST = 100.0


def targets(scanned: Sequence[Scanned]) -> dict[str, tuple[float, bool]]:
    """Return what was asked of the scanner: the figure, and whether it is met."""
    bad, good = rates(of(scanned, MALICIOUS)), rates(of(scanned, BENIGN))
    times = sorted(row.milliseconds for row in scanned if row.rewrite == AS_IT_IS)
    p95 = times[int(len(times) * 0.95)] if times else 0.0
    found = {
        "BLOCK recall": (bad.block, bad.block >= BLOCK_RECALL_LEAST),
        "BLOCK false alarms": (good.block, good.block <= BLOCK_FALSE_MOST),
        "BLOCK or REVIEW recall": (bad.anything, bad.anything >= ALARM_RECALL_LEAST),
        "BLOCK or REVIEW false alarms, capability-only apart": (
            good.alarm,
            good.alarm <= ALARM_FALSE_MOST,
        ),
        "p95 ms per skill": (p95, p95 <= P95_MS_MOST),
    }
    for name in REWRITES:
        if any(row.rewrite == name for row in scanned):
            points = drop(scanned, name, lambda row: row.verdict is Verdict.BLOCK)
            found[f"points of BLOCK recall lost by: {name}"] = (points, points <= DROP_POINTS_MOST)
    return found


def to_json(scanned: Sequence[Scanned]) -> dict[str, object]:
    """Return all figures."""
    families = sorted({row.sample.family for row in of(scanned, MALICIOUS)})
    times = [row.milliseconds for row in scanned if row.rewrite == AS_IT_IS]
    return {
        "schema": 1,
        "machine": describe_machine(),
        "targets": {
            name: {"value": round(value, 4), "met": met}
            for name, (value, met) in targets(scanned).items()
        },
        "families": {
            family: {
                "samples": len(rows),
                "block": round(rates(rows).block, 3),
                "block_or_review": round(rates(rows).anything, 3),
            }
            for family in families
            if (rows := [r for r in of(scanned, MALICIOUS) if r.sample.family == family])
        },
        "median_ms": round(statistics.median(times), 2) if times else None,
    }


def print_report(scanned: Sequence[Scanned], *, misses: bool) -> None:
    """Print the figures, and on demand what was missed."""
    for label in (MALICIOUS, BENIGN):
        for form in (AS_IT_IS, *REWRITES):
            if rows := of(scanned, label, form):
                found = rates(rows)
                print(
                    f"{label:10} {form:14} {found.samples:4}  BLOCK {found.block:.3f}"
                    f"  BLOCK or REVIEW {found.anything:.3f}"
                    f"  without capability-only {found.alarm:.3f}"
                )
    for name, (value, met) in targets(scanned).items():
        print(f"{'met' if met else 'NOT met':8} {value:8.3f}  {name}")
    if misses:
        for row in scanned:
            missed = row.sample.label == MALICIOUS and row.verdict is not Verdict.BLOCK
            troubled = row.sample.label == BENIGN and row.verdict is not Verdict.PASS
            if missed or troubled:
                only = " capability-only" if row.capability_only else ""
                print(
                    f"{row.sample.label} {row.sample.name} ({row.sample.technique}, "
                    f"{row.rewrite}): {row.verdict.value}{only} {' '.join(row.codes)}"
                )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path, metavar="CORPUS")
    parser.add_argument("--rewrites", action="store_true", help="also what was written differently")
    parser.add_argument("--misses", action="store_true", help="name what was missed or troubled")
    parser.add_argument("--seed", type=int, default=1, help="of the rewrites; default %(default)s")
    parser.add_argument("-o", "--out", type=Path, help="write JSON here")
    args = parser.parse_args(argv)
    if not (args.corpus / "labels.json").is_file():
        parser.error(f"{args.corpus}: no labels.json in it")
    samples = load_corpus(args.corpus)
    wanted = REWRITES if args.rewrites else ()
    scanned = list(scan_all(samples, rewrites=wanted, seed=args.seed))
    print_report(scanned, misses=args.misses)
    if args.out:
        args.out.write_text(json.dumps(to_json(scanned), indent=2) + "\n", encoding="utf-8")
        print(f"wrote {args.out}", file=sys.stderr)
    return 0 if all(met for _, met in targets(scanned).values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
