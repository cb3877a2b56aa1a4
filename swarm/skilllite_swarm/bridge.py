"""Between trio, which runs the node, and the one asyncio loop that gRPC and zeroconf need.

The loop lives on one thread of its own. Calls cross in both directions, and so do cancellation and
results; `bridge_stream` builds streams on that. There is one bridge in a process: several asyncio
loops disturb each other inside gRPC.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar, TypeVarTuple

import outcome
import trio

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

STOP_S = 5.0
"""How long closing waits for the thread; what still hangs then dies with the process."""


class _Mailbox:
    """Calls into the other thread; a burst of them costs one wake-up."""

    def __init__(self, wake: Callable[[Callable[[], None]], object]) -> None:
        self._wake = wake
        self._calls: deque[Callable[[], object]] = deque()
        self._awake = False

    def post(self, call: Callable[[], object]) -> None:
        self._calls.append(call)
        if not self._awake:
            self._awake = True
            self._wake(self._drain)

    def _drain(self) -> None:
        # Cleared before looking: whoever finds it set has posted what this drain will still see.
        self._awake = False
        for _ in range(len(self._calls)):
            self._calls.popleft()()


class Bridge:
    """Made by `open_bridge`. The methods say on which side they are called."""

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._stopped = trio.Event()
        self._closed = False
        self._inbox = _Mailbox(self._wake_trio)
        self._outbox = _Mailbox(self._wake_aio)
        # A daemon, because a loop that doesn't stop must not keep a finished node from ending.
        self._thread = threading.Thread(target=self._run_loop, name="swarm-asyncio", daemon=True)
        self._thread.start()

    def to_trio(self, call: Callable[[*Ts], object], *args: *Ts) -> None:
        """Call soon on the trio thread, in order. From any thread; dropped when trio is over."""
        self._inbox.post(lambda: call(*args))

    def to_aio(self, call: Callable[[*Ts], object], *args: *Ts) -> None:
        """Call soon on the asyncio thread, in order. From any thread; dropped when it is over."""
        self._outbox.post(lambda: call(*args))

    async def run_aio(self, function: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
        """From trio: await a coroutine function on the asyncio loop.

        Cancelling cancels the coroutine and waits for its end; a result that was ready first wins.
        Raises `trio.ClosedResourceError` when the bridge closes before the result.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise trio.ClosedResourceError("the bridge is closed")
        waiter = trio.lowlevel.current_task()
        cancelled_by: list[Callable[[], object]] = []
        started: list[asyncio.Task[T]] = []

        async def await_function() -> T:
            return await function(*args)

        def resume(result: outcome.Outcome[T]) -> None:
            if isinstance(result, outcome.Error) and isinstance(
                result.error, asyncio.CancelledError
            ):
                if cancelled_by:
                    trio.lowlevel.reschedule(waiter, outcome.capture(cancelled_by[0]))
                    return
                closed = trio.ClosedResourceError("the call was cancelled on the asyncio side")
                result = outcome.Error(closed)
            trio.lowlevel.reschedule(waiter, result)

        def start() -> None:
            task = self._loop.create_task(await_function())
            task.add_done_callback(lambda done: self.to_trio(resume, outcome.capture(done.result)))
            started.append(task)

        def abort(raise_cancel: Callable[[], object]) -> trio.lowlevel.Abort:
            cancelled_by.append(raise_cancel)
            self.to_aio(lambda: started[0].cancel())
            return trio.lowlevel.Abort.FAILED

        self.to_aio(start)
        result: T = await trio.lowlevel.wait_task_rescheduled(abort)
        return result

    async def run_trio(
        self, nursery: trio.Nursery, function: Callable[[*Ts], Awaitable[T]], *args: *Ts
    ) -> T:
        """From asyncio: await an async function in a trio nursery.

        Its errors arrive here and never in the nursery. Cancelling cancels the function and does
        not wait for it. Raises `trio.ClosedResourceError` when the nursery ends first.
        """
        reply: asyncio.Future[T] = self._loop.create_future()
        scope = trio.CancelScope()

        def settle(result: outcome.Outcome[T]) -> None:
            if reply.done():
                return
            if isinstance(result, outcome.Value):
                reply.set_result(result.value)
            elif isinstance(result, outcome.Error):
                reply.set_exception(result.error)

        async def run() -> None:
            result: outcome.Outcome[T] = outcome.Error(
                trio.ClosedResourceError("the nursery ended before the call")
            )
            try:
                with scope:
                    result = outcome.Value(await function(*args))
            except Exception as error:  # the boundary of this task: the asyncio side decides
                result = outcome.Error(error)
            except BaseExceptionGroup as group:
                errors, cancellations = group.split(Exception)
                if errors is not None:
                    result = outcome.Error(errors)
                if cancellations is not None:
                    raise cancellations from None
            finally:
                self.to_aio(settle, result)

        def start() -> None:
            try:
                nursery.start_soon(run)
            except RuntimeError:  # closed to new arrivals
                closed = trio.ClosedResourceError("the nursery has ended")
                self.to_aio(settle, outcome.Error(closed))

        self.to_trio(start)
        try:
            return await reply
        except asyncio.CancelledError:
            # A scope that is cancelled before it is entered cancels on entry: no race with start.
            self.to_trio(scope.cancel)
            raise

    async def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self.to_aio(self._stopping.set)
        with trio.move_on_after(STOP_S, shield=True):
            await self._stopped.wait()
        # Only the last instructions of the thread are left, unless its loop hangs.
        self._thread.join(STOP_S if not self._stopped.is_set() else 1.0)

    def _run_loop(self) -> None:
        try:
            # Leaving the runner cancels every task and waits for it, then closes the loop.
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._until_stopping())
        finally:
            self.to_trio(self._stopped.set)

    async def _until_stopping(self) -> None:
        await self._stopping.wait()

    def _wake_trio(self, drain: Callable[[], None]) -> None:
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(drain)

    def _wake_aio(self, drain: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(drain)


@asynccontextmanager
async def open_bridge() -> AsyncIterator[Bridge]:
    """Run an asyncio loop on a thread as long as the context lasts.

    On leaving, calls under way are cancelled on the asyncio side; nothing stays behind.
    """
    bridge = Bridge()
    try:
        yield bridge
    finally:
        await bridge._close()
