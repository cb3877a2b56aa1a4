"""This node's own executor, seen as a peer: a local task takes exactly the way of a remote one."""

from __future__ import annotations

from collections.abc import Callable

from skilllite_swarm.errors import CallInterrupted
from skilllite_swarm.task import (
    AttemptStatus,
    Failed,
    Refused,
    Result,
    RunEvent,
    RunRequest,
    Terminal,
)
from skilllite_swarm.transport import Caller, TaskService

LOCAL_ADDRESS = "local"


class LocalConnection:
    """A `TaskConnection` without a network."""

    def __init__(self, tasks: TaskService, self_id: str) -> None:
        self._tasks = tasks
        self._caller = Caller(self_id, LOCAL_ADDRESS)

    async def run(self, request: RunRequest, on_event: Callable[[RunEvent], None]) -> Terminal:
        """Run or attach to an attempt until its terminal event, which is returned, not reported."""
        terminal: Terminal | None = None

        async def send(event: RunEvent) -> None:
            nonlocal terminal
            if isinstance(event, Result | Failed | Refused):
                terminal = event
            else:
                on_event(event)

        await self._tasks.run(self._caller, request, send)
        if terminal is None:
            raise CallInterrupted("this node's executor ended without an answer")
        return terminal

    async def cancel(self, task_id: str, attempt: int) -> bool:
        """Kill an attempt, or fence it."""
        return await self._tasks.cancel(self._caller, task_id, attempt)

    async def status(self, task_id: str, attempt: int, *, fence: bool) -> AttemptStatus:
        """Ask what is on record."""
        return await self._tasks.status(self._caller, task_id, attempt, fence=fence)
