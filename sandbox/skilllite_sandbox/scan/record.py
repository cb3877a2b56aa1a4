"""Where an engine writes down what it sees, each thing once, and bounds on its work."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable

from skilllite_sandbox.scan.acts import Act, Analysis, Datum, Doing, Flow, Opaque, Sink
from skilllite_sandbox.scan.holdings import ENTRY_BYTES, SMALL_BYTES, SMALL_ITEMS, Holdings
from skilllite_sandbox.scan.holdings import OutOfBounds as OutOfBounds
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.taint import Taint

DETAIL_CHARS_MAX = 120  # of a detail: it is one clause of one line
ENTRIES_MAX = 5_000  # of acts and flows each; a report is read by a person
STEPS_UNSEEN = 16  # between two looks at the clock: one step can take some milliseconds
SECRETS_SENT_MIN = 3  # variables of so many services sent at once are a harvest, not a log-in
VARIABLES_SENT_MIN = 10  # the rest of what Datum.ENVIRONMENT calls a dozen


class Budget:
    """Steps and processor time of this thread that are left for the files of one skill.

    Not time on the clock: a busy machine must not make another verdict of the same files.
    """

    def __init__(self, steps: int, time_s: float) -> None:
        self.steps = steps
        self.ends = time.thread_time() + time_s
        self.holdings = Holdings()

    def seconds_left(self) -> float:
        """Return how much of the time is left; less than nothing when it is over."""
        return self.ends - time.thread_time()

    def spend(self) -> None:
        """Take one step.

        Raises:
            OutOfBounds: there is none left.
        """
        self.steps -= 1
        if self.steps < 0:
            raise OutOfBounds
        if self.steps % STEPS_UNSEEN == 0:
            self.look()

    def hold(self, thing: object) -> None:
        """Count what is kept of a text, or of a list or table of values.

        Raises:
            OutOfBounds: there is no room for it.
        """
        if isinstance(thing, str):
            if len(thing) > SMALL_BYTES:
                self.holdings.hold(thing, sys.getsizeof(thing))
        elif isinstance(thing, (list, dict)) and len(thing) > SMALL_ITEMS:
            self.holdings.hold(thing, len(thing) * ENTRY_BYTES)

    def look(self) -> None:
        """Look at the clock, before something that takes long without a step.

        Raises:
            OutOfBounds: the time is over.
        """
        if time.thread_time() > self.ends:
            raise OutOfBounds


class Record:
    """What was seen so far."""

    def __init__(self) -> None:
        self.doings: dict[Doing, None] = {}
        self.flows: dict[Flow, None] = {}
        self.opaque: dict[Opaque, None] = {}

    def do(self, act: Act, file: str, line: int, detail: str = "") -> None:
        """Write down an act."""
        if len(self.doings) < ENTRIES_MAX:
            self.doings.setdefault(Doing(act, file, line, shown(detail)))

    def flow(self, taints: Iterable[Taint], sink: Sink, file: str, line: int, detail: str) -> None:
        """Write down that everything with these origins ends up there."""
        taints = frozenset(taints)
        variables = set()
        for taint in taints:
            if taint.datum is Datum.VARIABLE:
                variables.add(taint.detail)
            self._flow(taint, sink, file, line, detail)
        if sink is Sink.SEND and _is_harvest(variables):
            origin = Taint(Datum.ENVIRONMENT, file, line, ", ".join(sorted(variables)))
            self._flow(origin, sink, file, line, detail)
        if sink is Sink.SEND and not variables and (facts := _identity(taints)):
            origin = Taint(Datum.IDENTITY, file, line, ", ".join(facts))
            self._flow(origin, sink, file, line, detail)

    def _flow(self, taint: Taint, sink: Sink, file: str, line: int, detail: str) -> None:
        if len(self.flows) < ENTRIES_MAX:
            what = f"{taint.detail} → {detail}" if taint.detail and detail else taint.detail
            flow = Flow(
                taint.datum, sink, file, line, taint.file, taint.line, shown(what or detail)
            )
            self.flows.setdefault(flow)

    def hide(self, file: str, line: int, why: str) -> None:
        """Write down a place that can't be looked at."""
        if len(self.opaque) < ENTRIES_MAX:
            self.opaque.setdefault(Opaque(file, line, shown(why)))

    def add(self, other: Analysis) -> None:
        """Write down what another engine said."""
        self.doings.update(dict.fromkeys(other.doings))
        self.flows.update(dict.fromkeys(other.flows))
        self.opaque.update(dict.fromkeys(other.opaque))

    def analysis(self) -> Analysis:
        """Return everything."""
        return Analysis(tuple(self.doings), tuple(self.flows), tuple(self.opaque))


_NO_SERVICES = frozenset(
    (
        *("API", "ACCESS", "CLIENT", "CONSUMER", "REFRESH", "AUTH", "SECRET", "APP", "USER"),
        *("OAUTH", "BEARER", "PRIVATE", "PUBLIC", "DB", "TOKEN", "KEY", "LOGIN", "MY", "BOT"),
        "SERVICE",
    )
)
"""What begins the names of several keys of one service."""


def _is_harvest(variables: set[str]) -> bool:
    services = {
        name.partition("_")[0]
        for name in variables
        if any(word in name.upper() for word in ("KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL"))
    }
    services -= _NO_SERVICES
    return len(services) >= SECRETS_SENT_MIN or len(variables) >= VARIABLES_SENT_MIN


_KINDS_OF_FACTS = (
    re.compile(r"host ?name|\$HOST|\.node\b|machine.?id|uname", re.IGNORECASE),
    re.compile(r"user|whoami|\$LOGNAME|getlogin|logname|\bid\b", re.IGNORECASE),
    re.compile(r"address|ifconfig|\bip\b|interfaces|\bmac\b|arp\b", re.IGNORECASE),
)


def _identity(taints: frozenset[Taint]) -> list[str]:
    """Return the facts that together say which machine it is and who works there, if they do."""
    facts = sorted({taint.detail for taint in taints if taint.datum is Datum.SYSTEM})
    kinds = sum(any(kind.search(fact) for fact in facts) for kind in _KINDS_OF_FACTS)
    return facts if kinds > 1 else []


def shown(text: str) -> str:
    """Return a detail as it is kept: one short line, unknown pieces as an ellipsis."""
    text = " ".join(text.replace(UNKNOWN, "…").split())
    return text if len(text) <= DETAIL_CHARS_MAX else text[: DETAIL_CHARS_MAX - 1] + "…"
