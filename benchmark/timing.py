"""Times whole commands, interleaved in shuffled rounds so that all see the same noise."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

COMMAND_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Case:
    """One command to time; it counts only when it exits 0 and prints `expect`."""

    name: str
    argv: Sequence[str]
    stdin: str = ""
    expect: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """Milliseconds over all counted runs of one case."""

    name: str
    runs: int
    failures: int
    minimum_ms: float
    p50_ms: float
    p95_ms: float
    ratio: float
    """p50 over the baseline's p50."""


def time_once(case: Case) -> float | None:
    """Run once and return milliseconds, or None when the answer was wrong."""
    start = time.perf_counter()
    done = subprocess.run(
        list(case.argv),
        input=case.stdin,
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT_S,
        env={**os.environ, **case.environment},
        cwd=case.directory,
    )
    took_ms = (time.perf_counter() - start) * 1000
    return took_ms if done.returncode == 0 and case.expect in done.stdout else None


def time_interleaved(
    cases: Sequence[Case], *, rounds: int, warmup: int, pause_s: float, seed: int
) -> list[Summary]:
    """Time every case once a round, in an order shuffled by `seed`; the first is the baseline."""
    rng = random.Random(seed)
    taken: dict[str, list[float]] = {case.name: [] for case in cases}
    failed: dict[str, int] = {case.name: 0 for case in cases}
    for number in range(warmup + rounds):
        for case in rng.sample(list(cases), len(cases)):
            took_ms = time_once(case)
            if number < warmup:
                continue
            if took_ms is None:
                failed[case.name] += 1
            else:
                taken[case.name].append(took_ms)
            time.sleep(pause_s)
    baseline = statistics.median(taken[cases[0].name])
    return [_summary(case.name, taken[case.name], failed[case.name], baseline) for case in cases]


def _summary(name: str, taken: list[float], failures: int, baseline_ms: float) -> Summary:
    if not taken:
        nan = float("nan")
        return Summary(name, 0, failures, nan, nan, nan, nan)
    ordered = sorted(taken)
    p50 = statistics.median(ordered)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return Summary(name, len(ordered), failures, ordered[0], p50, p95, p50 / baseline_ms)
