"""One gRPC channel to one endpoint, which can be retired while calls are under way.

Lives on the asyncio thread. Which channel a call takes, and what its failure means, is decided by
those who use this.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

import grpc
import trio

from skilllite_swarm.rpc_stubs import Method
from skilllite_swarm.transport import TlsMaterial
from skilllite_swarm.wire_mapping import MalformedMessage

CLOSE_S = 2.0
"""Closing only tells gRPC; what hangs then ends with the bridge."""

CALL_ERRORS = (grpc.aio.AioRpcError, MalformedMessage, trio.ClosedResourceError)
"""How a call fails below; `raised_by` says what that means above."""


class Line:
    """A channel with the certificate it was opened with. Used on the asyncio thread."""

    def __init__(self, channel: grpc.aio.Channel, material: TlsMaterial | None) -> None:
        self.channel = channel
        self.material = material
        self._calls = 0
        self._retired = False
        self._closing: asyncio.Future[None] | None = None

    async def call(self, method: Method, request: bytes, timeout_s: float) -> bytes:
        with self._under_way():
            call = self.channel.unary_unary(method.path, bytes, bytes)
            return await call(request, timeout=timeout_s)

    async def stream(
        self, method: Method, request: bytes, timeout_s: float
    ) -> AsyncGenerator[bytes, None]:
        with self._under_way():
            call = self.channel.unary_stream(method.path, bytes, bytes)(request, timeout=timeout_s)
            try:
                async for reply in call:
                    yield reply
            finally:
                call.cancel()

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or the channel is still to be closed after the last."""
        return self._closing is None or not self._closing.done()

    def retire(self) -> None:
        """Take no more calls, and close after the last."""
        self._retired = True
        if not self._calls and self._closing is None:
            self._closing = asyncio.ensure_future(self.channel.close())

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1
            if self._retired:
                self.retire()
