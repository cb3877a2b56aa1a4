"""Times contenders: one run at a time with pauses between them, and as many as callers can have.

Rounds are shuffled, so that every contender sees the same noise. A run that failed or gave a wrong
answer leaves no time behind, only its count and the first reason.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmark.speed.contender import Contender, Kind, RunFailed

PAUSE_S = 0.05  # after every run: the pool fills up again, and what a run left behind is gone
WARMUP_ROUNDS = 3  # compile, fill caches, let the pool learn its size
SLOTS = 3  # a throughput is the median of this many
SLOT_S = 1.0  # of closed-loop running: some dozens of bare runs
_TAIL = 0.95

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of one contender's runs, over those that gave the right answer."""

    name: str
    kind: Kind
    how: str
    baseline: str
    runs: int
    failures: int
    first_failure: str
    minimum_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p50_ratio: float | None
    """Over the baseline's p50 in the same rounds."""
    p95_ratio: float | None
    """Also over the baseline's *p50*."""
    tiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Throughput:
    """Right answers a second of one contender, with so many callers in a closed loop."""

    name: str
    kind: Kind
    callers: int
    per_s: float | None
    """Median of the slots; None when nothing succeeded."""
    slots_per_s: tuple[float, ...]
    ratio: float | None
    """Over bare Python with as many callers."""
    failures: int
    first_failure: str


@dataclass(slots=True)
class Tally:
    """What became of the runs of one contender."""

    taken_ms: list[float] = field(default_factory=list)
    failures: int = 0
    first_failure: str = ""

    def fail(self, why: str) -> None:
        """Count a run without the right answer."""
        self.failures += 1
        self.first_failure = self.first_failure or why


def time_latencies(
    contenders: Sequence[Contender],
    *,
    rounds: int,
    warmup: int = WARMUP_ROUNDS,
    pause_s: float = PAUSE_S,
    seed: int = 1,
    progress: Progress = lambda line: None,
) -> list[Latency]:
    """Run every contender once a round, in an order shuffled by `seed`, with pauses between."""
    rng = random.Random(seed)
    tallies = {contender.name: Tally() for contender in contenders}
    assert len(tallies) == len(contenders), "two contenders of one name"
    for number in range(warmup + rounds):
        if number % 10 == 0:
            progress(f"round {number} of {warmup + rounds}")
        for contender in rng.sample(list(contenders), len(contenders)):
            scratch = Tally() if number < warmup else tallies[contender.name]
            time_once(contender, scratch)
            time.sleep(pause_s)
    return summarize(contenders, tallies)


def time_once(contender: Contender, tally: Tally) -> None:
    """Run once and write down how long it took, or that it failed."""
    started = time.perf_counter()
    try:
        printed = contender.run()
        took_ms = (time.perf_counter() - started) * 1000
    except RunFailed as error:
        tally.fail(str(error))
    else:
        if contender.accepts(printed):
            tally.taken_ms.append(took_ms)
        else:
            tally.fail(f"wrong answer: {printed[:80]!r}")
    finally:
        contender.after()


def summarize(contenders: Sequence[Contender], tallies: Mapping[str, Tally]) -> list[Latency]:
    """Return what the times of each contender come to."""
    medians = {
        name: statistics.median(tally.taken_ms) for name, tally in tallies.items() if tally.taken_ms
    }
    return [
        _summary(contender, tallies[contender.name], medians.get(contender.baseline))
        for contender in contenders
    ]


def _summary(contender: Contender, tally: Tally, baseline_ms: float | None) -> Latency:
    ordered = sorted(tally.taken_ms)
    p50 = statistics.median(ordered) if ordered else None
    p95 = percentile(ordered, _TAIL) if ordered else None
    return Latency(
        name=contender.name,
        kind=contender.kind,
        how=contender.how,
        baseline=contender.baseline,
        runs=len(ordered),
        failures=tally.failures,
        first_failure=tally.first_failure,
        minimum_ms=ordered[0] if ordered else None,
        p50_ms=p50,
        p95_ms=p95,
        p50_ratio=_ratio(p50, baseline_ms),
        p95_ratio=_ratio(p95, baseline_ms),
        tiers=tuple(sorted(contender.tiers)),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which this share of an ordered sequence lies (nearest rank)."""
    return ordered[round(share * (len(ordered) - 1))]


def measure_throughput(
    contenders: Sequence[Contender],
    *,
    callers: Sequence[int],
    slots: int = SLOTS,
    slot_s: float = SLOT_S,
    seed: int = 2,
    progress: Progress = lambda line: None,
) -> list[Throughput]:
    """Let each contender run as often as so many callers can have it, in shuffled slots.

    The first contender is the baseline.
    """
    rng = random.Random(seed)
    found: list[Throughput] = []
    for number in callers:
        rates: dict[str, list[float]] = {contender.name: [] for contender in contenders}
        tallies = {contender.name: Tally() for contender in contenders}
        for slot in range(slots):
            progress(f"{number} callers, slot {slot + 1} of {slots}")
            for contender in rng.sample(list(contenders), len(contenders)):
                rate = run_slot(contender, number, slot_s, tallies[contender.name])
                rates[contender.name].append(rate)
        bare = _middle(rates[contenders[0].name])
        for contender in contenders:
            tally, per_s = tallies[contender.name], _middle(rates[contender.name])
            found.append(
                Throughput(
                    name=contender.name,
                    kind=contender.kind,
                    callers=number,
                    per_s=per_s,
                    slots_per_s=tuple(rates[contender.name]),
                    ratio=_ratio(per_s, bare),
                    failures=tally.failures,
                    first_failure=tally.first_failure,
                )
            )
    return found


def run_slot(contender: Contender, callers: int, slot_s: float, tally: Tally) -> float:
    """Return the right answers a second, from the first start to the last end."""
    own = [Tally() for _ in range(callers)]
    started = time.perf_counter()
    deadline = started + slot_s

    def call_until_deadline(mine: Tally) -> None:
        time_once(contender, mine)
        # A caller whose run failed stops: what fails at once would only take time from the others.
        while time.perf_counter() < deadline and not mine.failures:
            time_once(contender, mine)

    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(call_until_deadline, own))
    lasted_s = time.perf_counter() - started
    for mine in own:
        tally.taken_ms += mine.taken_ms
        if mine.failures:
            tally.fail(mine.first_failure)
    return sum(len(mine.taken_ms) for mine in own) / lasted_s


def _middle(rates: Sequence[float]) -> float | None:
    return statistics.median(rates) or None


def _ratio(value: float | None, baseline: float | None) -> float | None:
    return value / baseline if value is not None and baseline else None
