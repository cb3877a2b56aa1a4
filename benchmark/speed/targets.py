"""What the sandbox promises about its speed, and whether these measurements keep it. Pure.

A figure counts only when every one of its runs gave the right answer; a target without its figure
is open, with the reason, never met.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from benchmark.speed.clock import Latency, Throughput
from benchmark.speed.contender import BARE
from benchmark.speed.memory import WarmWorker
from benchmark.speed.own import (
    RUN_ALONE,
    RUN_WITH_NODE,
    WARM,
    on_demand_name,
    warm_name,
)

MEGABYTE = 1_000_000
WARM_P50_MOST = 0.10
WARM_P95_MOST = 0.5
ON_DEMAND_P50_MOST = 0.5
THROUGHPUT_LEAST = 2.5
THROUGHPUT_CALLERS = 2
NUMPY_P50_MOST = 0.05
WORKER_MOST_MB = 3.0
RUN_ALONE_P50_MOST = 4.0
RUN_WITH_NODE_P50_MOST = 2.0

NUMPY_BARE = "bare python3 main.py, numpy"
NUMPY_WARM = "SkillLite level 2, numpy, warm pool"


@dataclass(frozen=True, slots=True)
class Target:
    """One promise and what was measured."""

    name: str
    unit: str
    bound: float
    at_least: bool
    measured: float | None
    why_open: str = ""
    """Why there is no figure, when there is none."""

    @property
    def met(self) -> bool | None:
        """Whether it is kept; None when it was not measured."""
        if self.measured is None:
            return None
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that targets are judged by."""

    latencies: tuple[Latency, ...] = ()
    """Of runs one at a time in a process that is there already."""
    commands: tuple[Latency, ...] = ()
    """Of whole commands, with a baseline of their own."""
    throughputs: tuple[Throughput, ...] = ()
    workers: tuple[WarmWorker, ...] = ()
    not_measured: Mapping[str, str] = field(default_factory=dict)
    """Why there is no such contender, by its name."""


def judge_targets(figures: Figures, *, levels: Iterable[int]) -> list[Target]:
    """Return every target with its figure, at these levels of 2 and 3."""
    warm, commands = figures.latencies, figures.commands or figures.latencies
    targets: list[Target] = []
    for level in levels:
        name, cold = warm_name(level), on_demand_name(level)
        targets += [
            _latency(figures, warm, name, f"warm pool p50, level {level}", WARM_P50_MOST),
            _latency(
                figures, warm, name, f"warm pool p95, level {level}", WARM_P95_MOST, tail=True
            ),
            _latency(figures, warm, cold, f"on demand p50, level {level}", ON_DEMAND_P50_MOST),
        ]
    return [
        *targets,
        _throughput(figures),
        _latency(
            figures,
            warm,
            NUMPY_WARM,
            "numpy skill, warm pool p50",
            NUMPY_P50_MOST,
            baseline=NUMPY_BARE,
        ),
        _worker(figures),
        _latency(figures, commands, RUN_ALONE, "`skilllite run` p50, no node", RUN_ALONE_P50_MOST),
        _latency(
            figures,
            commands,
            RUN_WITH_NODE,
            "`skilllite run` p50, with a node",
            RUN_WITH_NODE_P50_MOST,
        ),
    ]


def _latency(
    figures: Figures,
    among: Iterable[Latency],
    name: str,
    title: str,
    bound: float,
    *,
    tail: bool = False,
    baseline: str = BARE,
) -> Target:
    unit = "x bare p50" if baseline == BARE else "x bare numpy p50"
    rows = {each.name: each for each in among}
    measured, why = None, ""
    if (row := rows.get(name)) is None:
        why = figures.not_measured.get(name, "not asked for")
    elif failed := next((each for each in (row, rows.get(baseline)) if _is_spoiled(each)), None):
        why = f"{failed.failures} runs of {failed.name} failed: {failed.first_failure}"
    else:
        measured = row.p95_ratio if tail else row.p50_ratio
        why = "" if measured is not None else "no run succeeded"
    return Target(title, unit, bound, at_least=False, measured=measured, why_open=why)


def _throughput(figures: Figures) -> Target:
    title, unit = f"throughput at {THROUGHPUT_CALLERS} callers, level 2", "x bare"
    here = [each for each in figures.throughputs if each.callers == THROUGHPUT_CALLERS]
    rows = {each.name: each for each in here}
    measured, why = None, ""
    if (row := rows.get(WARM)) is None:
        why = f"not measured with {THROUGHPUT_CALLERS} callers"
    elif failed := next((each for each in (row, rows.get(BARE)) if _is_spoiled(each)), None):
        why = f"{failed.failures} callers of {failed.name} failed: {failed.first_failure}"
    else:
        measured = row.ratio
        why = "" if measured is not None else "no run succeeded"
    return Target(title, unit, THROUGHPUT_LEAST, at_least=True, measured=measured, why_open=why)


def _worker(figures: Figures) -> Target:
    most = max((worker.private_bytes for worker in figures.workers), default=None)
    return Target(
        name="private memory of a warm worker, both processes",
        unit="MB",
        bound=WORKER_MOST_MB,
        at_least=False,
        measured=None if most is None else most / MEGABYTE,
        why_open="" if most is not None else figures.not_measured.get("workers", "not measured"),
    )


def _is_spoiled(row: Latency | Throughput | None) -> bool:
    return row is not None and row.failures > 0
