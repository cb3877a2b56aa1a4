"""What the executor needs from the part of the node that runs skills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from skilllite_sandbox.policy import Origin
from skilllite_swarm.task import Failed, Result


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose attempt a run is, for the audit log."""

    node_id: str
    task_id: str
    attempt: int


class SkillRunner(Protocol):
    """Runs installed skills, each in a sandbox of its own.

    `run` may raise a `SandboxError`, which becomes a `Failed` with the same code, message and hint.
    When it is cancelled it kills the whole process tree before it lets `trio.Cancelled` through:
    the executor records the attempt as over right after.
    """

    def knows(self, skill: str) -> bool:
        """Return whether a skill of that name is installed and offered. Must not block."""
        ...

    async def run(
        self,
        skill: str,
        input_json: str,
        *,
        origin: Origin,
        deadline_s: float,
        asked: Asked,
        on_started: Callable[[str], None],
        on_log: Callable[[str], None],
    ) -> Result | Failed:
        """Run one skill to its end and return how it ended.

        `deadline_s` only tightens the limits of the origin. `on_started` takes the digest of what
        runs, once; `on_log` one line of stderr. Both are called on the trio thread and don't block.
        A run that hits the wall limit ends in `Failed` with the code "timeout".
        """
        ...
