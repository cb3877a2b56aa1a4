"""What the audit log is told of tasks: who asked for which, and whether it was taken.

A member that is refused again and again is told of once a minute with a count, so that it can't
push older lines out of the log.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from skilllite.tasks.reconcile import Reconciled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.audit_port import Recorder

REPEAT_S = 60.0
REFUSED_MAX = 256  # members with kinds of refusals; the oldest is forgotten


class TaskTrail:
    """Tells a recorder, or nobody."""

    def __init__(
        self, recorder: Recorder | None = None, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._recorder = recorder
        self._now_s = now_s
        self._refused: OrderedDict[tuple[str, str], list[float]] = OrderedDict()
        """When it was told last, and how often it happened since."""

    def accepted(self, node: str, task: str, attempt: int, skill: str, *, local: bool) -> None:
        """Say that an attempt was taken."""
        facts = {"node": node, "task": task, "attempt": attempt, "skill": skill, "local": local}
        self._tell("task.accepted", facts)

    def denied(self, node: str, task: str, skill: str, code: str) -> None:
        """Say that an attempt was refused, and why."""
        last = self._refused.pop((node, code), None)
        now_s = self._now_s()
        if last is not None and now_s - last[0] < REPEAT_S:
            self._refused[node, code] = [last[0], last[1] + 1]
            return
        self._refused[node, code] = [now_s, 0]
        while len(self._refused) > REFUSED_MAX:
            self._refused.popitem(last=False)
        facts = {"node": node, "task": task, "skill": skill, "code": code}
        self._tell("task.denied", facts | ({"before": int(last[1])} if last and last[1] else {}))

    def reconciled(self, fact: Reconciled) -> None:
        """Say what became of a task whose end was unknown."""
        self._tell(
            "task.reconciled",
            {
                "task": fact.task_id,
                "attempt": fact.attempt,
                "node": fact.node_id,
                "state": fact.state.value,
                "code": fact.error_code,
            },
        )

    def _tell(self, event: str, facts: dict[str, object]) -> None:
        if self._recorder is not None:
            self._recorder.record(event, facts)
