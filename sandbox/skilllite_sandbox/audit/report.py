"""Counts what the log tells: runs by skill and outcome, refusals, consents, installs.

One pass in bounded memory, and no proof: `verification` does that.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator

from skilllite_sandbox.audit.files import log_files
from skilllite_sandbox.audit.line import LINE_BYTES_MAX, Line, Malformed, read_line
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SKILLS_MAX = 1000  # counted one by one; what comes later is counted together
RUNS_OPEN_MAX = 10_000  # runs whose end is still to come
OTHER_SKILLS = "(other skills)"
SECTIONS = {
    "refusals": ("run.refused", "task.denied", "consent.refused", "skill.refused"),
    "consents": ("consent.", "grant.", "trust."),
    "changes": ("skill.", "policy.", "config.", "denylist.", "team."),
    "node": ("node.", "task.reconciled", "audit."),
}
"""By the beginning of an event's name; the first that fits."""
ENTRIES_MAX = 1000  # the newest of each section


@dataclass(frozen=True, slots=True)
class RunCount:
    """How often a skill ended in one way."""

    skill: str
    verdict: str
    """Of the scan before it; empty when there was none."""
    outcome: str
    """A reason of outcomes, or `refused: CODE`."""
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was counted."""

    events: int
    first: str
    last: str
    unreadable: int
    """Lines that are none; `audit verify` tells more."""
    by_event: dict[str, int]
    runs: tuple[RunCount, ...]
    """The most frequent first."""
    sections: dict[str, tuple[Line, ...]]
    entries: tuple[Line, ...]
    """Those that were asked for by their name."""

    def to_json(self) -> dict[str, Any]:
        """Return the report for programs."""
        return {
            "schema": 1,
            "events": self.events,
            "first": self.first,
            "last": self.last,
            "unreadable": self.unreadable,
            "by_event": self.by_event,
            "runs": [
                {
                    "skill": each.skill,
                    "verdict": each.verdict,
                    "outcome": each.outcome,
                    "count": each.count,
                }
                for each in self.runs
            ],
            **{name: [_entry(line) for line in lines] for name, lines in self.sections.items()},
            "entries": [_entry(line) for line in self.entries],
        }


def make_report(directory: str, *, since: str = "", event: str = "") -> Report:
    """Return what the log in a directory tells.

    Args:
        directory: Where it is.
        since: Only events at or after this time, written as in the log.
        event: Collect the events whose name begins so.

    Raises:
        OSError: it can't be read.
    """
    counting = _Counting(event)
    for line in _lines(directory, counting):
        if line.time >= since:
            counting.take(line)
    return counting.report()


class _Counting:
    """One pass."""

    def __init__(self, event: str) -> None:
        self._event = event
        self.unreadable = 0
        self._first = self._last = ""
        self._by_event: Counter[str] = Counter()
        self._runs: Counter[tuple[str, str, str]] = Counter()
        self._skills: set[str] = set()
        self._open: dict[str, tuple[str, str]] = {}
        self._sections = {name: deque[Line](maxlen=ENTRIES_MAX) for name in SECTIONS}
        self._entries: deque[Line] = deque(maxlen=ENTRIES_MAX)

    def take(self, line: Line) -> None:
        """Count one line."""
        self._first = self._first or line.time
        self._last = line.time
        self._by_event[line.event] += 1
        if self._event and line.event.startswith(self._event):
            self._entries.append(line)
        for name, beginnings in SECTIONS.items():
            if line.event.startswith(beginnings):
                self._sections[name].append(line)
                break
        self._follow_run(line)

    def _follow_run(self, line: Line) -> None:
        run = _text(line, "run")
        if not run:
            return
        skill, verdict = self._open.get(run, ("", ""))
        if line.event in ("run.requested", "run.staged"):
            self._open[run] = (_text(line, "skill") or skill, _text(line, "verdict") or verdict)
        elif line.event == "run.scanned":
            self._open[run] = (skill, _text(line, "verdict"))
        elif line.event in ("run.ended", "run.refused"):
            self._open.pop(run, None)
            reason = _text(line, "reason") or f"refused: {_text(line, 'code')}"
            self._count_run(skill, verdict, reason)
        while len(self._open) > RUNS_OPEN_MAX:
            self._open.pop(next(iter(self._open)))

    def _count_run(self, skill: str, verdict: str, outcome: str) -> None:
        if skill not in self._skills:
            if len(self._skills) >= SKILLS_MAX:
                skill = OTHER_SKILLS
            self._skills.add(skill)
        self._runs[skill, verdict, outcome] += 1

    def report(self) -> Report:
        """Return what was counted."""
        unended: Counter[tuple[str, str, str]] = Counter(
            (skill, verdict, "no end recorded") for skill, verdict in self._open.values()
        )
        runs = sorted((self._runs + unended).items(), key=lambda item: (-item[1], item[0]))
        return Report(
            events=self._by_event.total(),
            first=self._first,
            last=self._last,
            unreadable=self.unreadable,
            by_event=dict(sorted(self._by_event.items())),
            runs=tuple(RunCount(*key, count) for key, count in runs),
            sections={name: tuple(lines) for name, lines in self._sections.items()},
            entries=tuple(self._entries),
        )


def _lines(directory: str, counting: _Counting) -> Iterator[Line]:
    for name in log_files(directory):
        with open(f"{directory}/{name}", "rb") as file:
            while data := file.readline(LINE_BYTES_MAX + 1):
                try:
                    yield read_line(data.removesuffix(b"\n"))
                except Malformed:
                    counting.unreadable += 1


def _text(line: Line, key: str) -> str:
    value = line.facts.get(key)
    return value if isinstance(value, str) else ""


def _entry(line: Line) -> dict[str, Any]:
    return {
        "seq": line.head.sequence,
        "time": line.time,
        "event": line.event,
        "facts": line.facts,
    }
