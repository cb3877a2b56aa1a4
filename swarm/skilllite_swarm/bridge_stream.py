"""Streams across the bridge, with a window: a slow reader holds back its writer.

`Outflow` goes from trio to asyncio (what a handler sends), `Inflow` from asyncio to trio (what a
caller receives).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Generic, TypeVar

import outcome
import trio

from skilllite_swarm.bridge import Bridge

T = TypeVar("T")

STREAM_WINDOW = 16
"""Items of one stream on their way between the loops: hides the hop, bounds the memory."""

_END = object()


class Outflow(Generic[T]):
    """A stream from one trio producer to one asyncio consumer. Made on the asyncio side."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._credit = trio.Semaphore(STREAM_WINDOW)
        self._items: asyncio.Queue[object] = asyncio.Queue()

    async def send(self, item: T) -> None:
        """From trio: wait for a place in the window, then hand the item over."""
        await self._credit.acquire()
        self._bridge.to_aio(self._items.put_nowait, item)

    def end(self) -> None:
        """From asyncio: the consumer stops after what was sent until now."""
        self._items.put_nowait(_END)

    async def take(self, consume: Callable[[T], Awaitable[None]]) -> None:
        """From asyncio: consume items until the end; each makes place for another."""
        while (item := await self._items.get()) is not _END:
            await consume(item)  # type: ignore[arg-type]
            self._bridge.to_trio(self._credit.release)


class Inflow(Generic[T]):
    """A stream from an asyncio source to one trio consumer: iterate it inside its context.

    Leaving cancels the source. The source's error is raised after the items that came before it.
    """

    def __init__(self, bridge: Bridge, source: Callable[[], AsyncGenerator[T, None]]) -> None:
        self._bridge = bridge
        self._source = source
        self._items: asyncio.Queue[outcome.Outcome[T] | None] = asyncio.Queue()
        self._credit = asyncio.Semaphore(STREAM_WINDOW)
        self._gathered: deque[outcome.Outcome[T] | None] = deque()
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Inflow[T]:
        self._bridge.to_aio(self._start)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._bridge.to_aio(self._stop)

    def __aiter__(self) -> Inflow[T]:
        return self

    async def __anext__(self) -> T:
        if not self._gathered:
            # What has come meanwhile crosses in one hop: a burst costs little more than one item.
            self._gathered.extend(await self._bridge.run_aio(self._gather))
        if self._gathered[0] is None:
            raise StopAsyncIteration
        item = self._gathered.popleft()
        assert item is not None
        return item.unwrap()

    def _start(self) -> None:
        self._reader = asyncio.get_running_loop().create_task(self._read())

    def _stop(self) -> None:
        if self._reader is not None:
            self._reader.cancel()

    async def _read(self) -> None:
        end: outcome.Outcome[T] | None = None
        try:
            async with aclosing(self._source()) as source:
                async for item in source:
                    await self._credit.acquire()
                    self._items.put_nowait(outcome.Value(item))
        except asyncio.CancelledError:
            # By `_stop`, or by the source: gRPC cancels whoever reads a call that is closed.
            end = outcome.Error(trio.ClosedResourceError("the stream was closed"))
            raise
        except Exception as error:  # the boundary of this task: the consumer decides
            end = outcome.Error(error)
        finally:
            self._items.put_nowait(end)

    async def _gather(self) -> list[outcome.Outcome[T] | None]:
        gathered = [await self._items.get()]
        while not self._items.empty():
            gathered.append(self._items.get_nowait())
        for _ in gathered:
            self._credit.release()
        return gathered
