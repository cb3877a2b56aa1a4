"""A bound on the processor time of a computation whose cost nobody can tell in advance."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class DeadlinePassed(Exception):
    """The computation took more processor time than it was given."""


@contextmanager
def processor_time(limit_s: float) -> Iterator[None]:
    """Raise `DeadlinePassed` inside the block once it has used this much processor time.

    The timer counts the work of this process alone, so a busy machine does not shorten it. Where
    timers are missing or forbidden the block runs unbounded and the caller's own limit ends it.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise DeadlinePassed

    try:
        signal.signal(signal.SIGVTALRM, stop)
        signal.setitimer(signal.ITIMER_VIRTUAL, limit_s)
    except (AttributeError, OSError, ValueError):
        yield
        return
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
