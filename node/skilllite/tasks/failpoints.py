"""The moments at which a process that dies must lose nothing, by name.

Owner and executor call `on_point(point)` there. A node passes `unobserved`; a test passes a
function that kills the process, or the simulated node, at the point it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """One name for each gap between a promise on disk and the message about it."""

    OWNER_ACCEPTED = "owner.accepted"
    """The task is on the owner's disk; the client hasn't heard."""
    OWNER_ATTEMPT_COMMITTED = "owner.attempt_committed"
    """The attempt is on the owner's disk; Run isn't sent."""
    OWNER_HEARD_ACCEPTED = "owner.heard_accepted"
    OWNER_HEARD_STARTED = "owner.heard_started"
    OWNER_HEARD_TERMINAL = "owner.heard_terminal"
    """The executor's fact is in the owner's memory and not on its disk."""
    OWNER_ENDED = "owner.ended"
    """The outcome is on the owner's disk; the client hasn't heard."""
    EXECUTOR_ADMITTED = "executor.admitted"
    """The attempt is on the executor's disk; Accepted isn't sent."""
    EXECUTOR_RUNNING_COMMITTED = "executor.running_committed"
    """`running` is on disk; the skill isn't started."""
    EXECUTOR_STARTED = "executor.started"
    """The skill runs."""
    EXECUTOR_FINISHED = "executor.finished"
    """The skill ended; nothing about that is on disk."""
    EXECUTOR_ENDED = "executor.ended"
    """The terminal is on the executor's disk and isn't sent."""
    EXECUTOR_SENT = "executor.sent"
    """The terminal was handed to the stream."""


OnPoint = Callable[[Point], None]


def unobserved(point: Point) -> None:
    """Do nothing, which is what a node does at a point."""
