"""A nursery for tasks that serve the body of a context manager, and end after it.

In a plain nursery a cancellation from outside reaches the tasks and the body at the same moment:
there would be no connection left to say goodbye on. Here it reaches the body alone; when the body
and its clean-up are through, the tasks are cancelled. If a task fails, the body is cancelled.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio


@asynccontextmanager
async def open_service_nursery() -> AsyncIterator[trio.Nursery]:
    """Run tasks beside the body. What the body raises comes out as it is, in no group."""
    failure: Exception | None = None
    async with trio.open_nursery() as outer:
        nursery: trio.Nursery = await outer.start(_hold)
        try:
            yield nursery
        except Exception as error:  # raised again below: only the way out is different
            failure = error
        finally:
            nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _hold(task_status: trio.TaskStatus[trio.Nursery]) -> None:
    with trio.CancelScope(shield=True):
        async with trio.open_nursery() as nursery:
            task_status.started(nursery)
            await trio.sleep_forever()
