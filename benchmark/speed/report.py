"""The findings as tables for a person, as JSON for a program, and as an exit status. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmark.speed.clock import PAUSE_S, WARMUP_ROUNDS, Latency, Throughput
from benchmark.speed.contender import Kind
from benchmark.speed.measure import Findings
from benchmark.speed.targets import MEGABYTE, Target

SCHEMA = 1
KEPT, MISSED, OPEN = 0, 1, 3
"""Exit status: all targets of this run are met; one isn't; one of ours could not be measured."""

ITERATIONS_FOR_TAIL = 40  # then two runs at least are slower than p95
LOAD_QUIET = 0.25  # per core: above it others take part of what is measured
_NONE = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text below a head."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(findings: Findings) -> list[Table]:
    """Return everything that was measured."""
    figures = findings.figures
    found = [_latencies("One run at a time", figures.latencies)]
    if figures.commands:
        found.append(_latencies("Cold starts", figures.commands))
    found += [
        _throughputs(figures.throughputs),
        _memory(findings),
        Table(
            "Installed size",
            ("", "MB", "what"),
            tuple((each.name, _megabytes(each.bytes), each.what) for each in findings.sizes),
        ),
        _targets(findings.targets),
    ]
    if findings.absent:
        rows = tuple((each.name, each.why) for each in findings.absent)
        found.append(Table("Not compared", ("", "why"), rows))
    return found


def as_text(table: Table) -> str:
    """Return a table in columns; all but the first and the last are numbers."""
    lines = [table.head, *table.rows]
    last = len(table.head) - 1
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.head))]
    text = [table.title]
    for line in lines:
        cells = [
            cell.ljust(width) if column in (0, last) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("  " + "  ".join(cells).rstrip())
    return "\n".join(text) + "\n"


def notes(findings: Findings) -> list[str]:
    """Return how it was measured, and what makes the figures worth less."""
    return [*_method(findings), *warnings(findings)]


def warnings(findings: Findings) -> list[str]:
    """Return what of these figures can't be relied on."""
    cores = int(findings.machine["cores"] or 1)
    loads = {
        "at the start": findings.machine["load_average"][0],
        "at the end": findings.load_after[0],
    }
    found = []
    if loads["at the start"] > LOAD_QUIET * cores:
        found.append(
            f"the machine was not quiet: load {loads['at the start']:.2f} at the start on "
            f"{cores} cores, so tails and throughput are those of a busy machine"
        )
    if findings.wish.iterations < ITERATIONS_FOR_TAIL:
        found.append(f"p95 of {findings.wish.iterations} runs is hardly more than the slowest")
    for name, why in findings.figures.not_measured.items():
        if why:
            found.append(f"{name}: not measured: {why}")
    for row in failed(findings):
        found.append(f"{row.name}: {row.failures} failed, not counted: {row.first_failure}")
    for row in findings.figures.latencies:
        if row.kind is Kind.OURS and len(row.tiers) > 1:
            found.append(f"{row.name} ran in more than one tier: {', '.join(row.tiers)}")
    return found


def failed(findings: Findings) -> list[Latency | Throughput]:
    """Return everything of which a run failed."""
    figures = findings.figures
    rows: list[Latency | Throughput] = [
        *figures.latencies,
        *figures.commands,
        *figures.throughputs,
    ]
    return [row for row in rows if row.failures]


def status_of(findings: Findings) -> int:
    """Return the exit status; a failure of another sandbox changes nothing.

    A target that nobody asked to measure is no failure, one that could not be measured is.
    """
    figures = findings.figures
    spoiled = any(row.kind is not Kind.PEER for row in failed(findings))
    if spoiled or any(figures.not_measured.values()):
        return OPEN
    return MISSED if any(target.met is False for target in findings.targets) else KEPT


def to_json(findings: Findings) -> dict[str, Any]:
    """Return all figures, with how they were taken."""
    figures = findings.figures
    return {
        "schema": SCHEMA,
        "machine": {**findings.machine, "load_average_after": findings.load_after},
        "method": {
            **asdict(findings.wish),
            "pause_s": PAUSE_S,
            "warmup_rounds": WARMUP_ROUNDS,
            "said": _method(findings),
        },
        "warnings": warnings(findings),
        "latencies": [asdict(row) for row in figures.latencies],
        "cold_starts": [asdict(row) for row in figures.commands],
        "throughputs": [asdict(row) for row in figures.throughputs],
        "memory": [asdict(row) for row in findings.memory],
        "warm_workers": [
            {**asdict(worker), "private_bytes": worker.private_bytes} for worker in figures.workers
        ],
        "sizes": [asdict(size) for size in findings.sizes],
        "targets": [{**asdict(target), "met": target.met} for target in findings.targets],
        "absent": [asdict(each) for each in findings.absent],
        "not_measured": {name: why for name, why in figures.not_measured.items() if why},
    }


def machine_line(machine: dict[str, Any]) -> str:
    """Return the machine in one line."""
    load = machine["load_average"][0]
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_mib']} MiB, "
        f"Linux {machine['kernel']}, load {load:.2f}"
    )


def _method(findings: Findings) -> list[str]:
    wish = findings.wish
    return [
        f"one run at a time: {wish.iterations} shuffled rounds after {WARMUP_ROUNDS} not counted, "
        f"every contender once a round, {PAUSE_S * 1000:.0f} ms of pause after every run, in which "
        "the warm pool fills up: idle arrivals",
        f"throughput: closed loop without pauses, median of {wish.slots} shuffled slots of "
        f"{wish.slot_s:g} s",
        "ratios are over the p50 of the baseline in the same rounds, p95 too; the baseline is the "
        "interpreter that the sandbox uses, with the same script",
        "all at the same priority, normal scheduling; files are in the page cache, cold starts too",
        "a failed run or a wrong answer is never counted as a time",
    ]


def _latencies(title: str, rows: Iterable[Latency]) -> Table:
    head = ("", "min ms", "p50 ms", "p95 ms", "p50 ratio", "p95 ratio", "runs", "failed", "tier")
    return Table(
        title,
        head,
        tuple(
            (
                row.name,
                _figure(row.minimum_ms),
                _figure(row.p50_ms),
                _figure(row.p95_ms),
                _figure(row.p50_ratio, 3),
                _figure(row.p95_ratio, 3),
                str(row.runs),
                str(row.failures),
                ", ".join(row.tiers),
            )
            for row in rows
        ),
    )


def _throughputs(rows: Sequence[Throughput]) -> Table:
    callers = list(dict.fromkeys(row.callers for row in rows))
    names = list(dict.fromkeys(row.name for row in rows))
    cells = {(row.name, row.callers): row for row in rows}
    head = ("", *(f"{number} callers" for number in callers), "ratios", "failed")
    table = []
    for name in names:
        own = [cells[name, number] for number in callers]
        failures = sum(row.failures for row in own)
        ratios = " / ".join(_figure(row.ratio, 2) for row in own)
        table.append((name, *(_figure(row.per_s, 1) for row in own), ratios, str(failures)))
    return Table("Right answers a second", head, tuple(table))


def _memory(findings: Findings) -> Table:
    rows = [
        (
            row.name,
            _NONE if row.pss_bytes is None else _megabytes(row.pss_bytes),
            _NONE if row.processes is None else str(row.processes),
            row.state + (f" ({row.why_open})" if row.why_open else ""),
        )
        for row in findings.memory
    ]
    for worker in findings.figures.workers:
        parts = f"{_megabytes(worker.first_bytes)} + {_megabytes(worker.second_bytes)}"
        text = f"private to its processes: {parts}"
        rows.append(("a warm worker", _megabytes(worker.private_bytes), "2", text))
    return Table("Memory of the tree (PSS)", ("", "MB", "processes", "when"), tuple(rows))


def _targets(targets: Iterable[Target]) -> Table:
    rows = []
    for target in targets:
        met = {True: "yes", False: "NO", None: f"not measured: {target.why_open}"}[target.met]
        sign = ">=" if target.at_least else "<="
        bound = f"{sign} {target.bound:g} {target.unit}"
        rows.append((target.name, _figure(target.measured, 3), bound, met))
    return Table("Targets", ("", "measured", "target", "met"), tuple(rows))


def _figure(value: float | None, digits: int = 2) -> str:
    return _NONE if value is None else f"{value:.{digits}f}"


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.2f}"
