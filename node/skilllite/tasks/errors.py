"""Errors that only tasks raise.

SkillLiteError
├── LedgerUnavailable    the disk: nothing was promised, look at it and try again
├── InvalidTask          fix the call
├── UnknownTask          name a task that exists
├── AmbiguousTask        give more of the id
└── TooManyTasks         wait for some to end
"""

from __future__ import annotations

from skilllite.errors import NotFound, SkillLiteError, UsageError


class LedgerUnavailable(SkillLiteError):
    """The ledger can't be opened, read or written; what was asked has not happened."""

    code = "ledger_unavailable"


class InvalidTask(UsageError):
    """What was submitted can't be a task."""

    code = "invalid_input"


class UnknownTask(NotFound):
    """No task has that id."""

    code = "unknown_task"


class AmbiguousTask(UsageError):
    """Several tasks have ids that begin like that."""


class TooManyTasks(SkillLiteError):
    """This node works on as many tasks as it may."""

    code = "queue_full"
