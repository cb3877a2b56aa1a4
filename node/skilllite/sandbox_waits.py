"""Waits on the trio side for a run of the sandbox, which is synchronous.

The wait happens in a worker thread. Who is cancelled meanwhile kills the run with its whole process
tree first, and only leaves when that is done.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import trio

from skilllite_sandbox.execution import Execution
from skilllite_sandbox.outcome import Outcome


async def wait_for(
    execution: Execution,
    on_log: Callable[[str], None] | None,
    *,
    threads: trio.CapacityLimiter,
) -> Outcome:
    """Return how a run ended; `on_log` is called on the trio thread with each line of stderr."""
    token = trio.lowlevel.current_trio_token()

    def forward(line: str) -> None:
        # Posted, not awaited: the thread must not hang on a trio task that is being cancelled.
        # The sandbox bounds stderr, so what waits is bounded too, and in order.
        assert on_log is not None
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(on_log, line)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(_kill_when_cancelled, execution)
        with trio.CancelScope(shield=True):
            outcome = await trio.to_thread.run_sync(
                execution.wait, forward if on_log is not None else None, limiter=threads
            )
        nursery.cancel_scope.cancel()
    return outcome


async def _kill_when_cancelled(execution: Execution) -> None:
    try:
        await trio.sleep_forever()
    finally:
        execution.kill()  # harmless when it is over
