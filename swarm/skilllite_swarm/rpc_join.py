"""The port for newcomers, from both ends: how often strangers are heard, and who they call."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import grpc
import trio
from google.protobuf.message import Message

from skilllite_swarm.bridge import Bridge
from skilllite_swarm.diagnosis import resolve
from skilllite_swarm.identity import node_id_of_certificate
from skilllite_swarm.rpc_line import CALL_ERRORS, CLOSE_S, Line
from skilllite_swarm.rpc_server import Context, source_of
from skilllite_swarm.rpc_status import Overloaded, raised_by
from skilllite_swarm.rpc_stubs import (
    JOIN,
    JOIN_MESSAGE_BYTES_MAX,
    Method,
    channel_options,
    target,
)
from skilllite_swarm.transport import Caller
from skilllite_swarm.wire import join_pb2
from skilllite_swarm.wire_mapping import parse

M = TypeVar("M", bound=Message)

JOIN_BURST = 10.0
"""Calls a source may make at once: joining takes two, and people mistype."""

JOIN_CALLS_PER_S = 0.5

JOIN_SOURCES_MAX = 1_024
"""Sources remembered; the one not heard for longest is forgotten first."""

JOIN_CALL_S = 15.0
"""A person waits; the inviter computes for a few milliseconds."""


class Throttle:
    """Admits anybody, but not often: a bucket of calls for each source. On the asyncio thread."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admit(self, context: Context, method: str) -> Caller:
        """Return where the call comes from, or raise `Overloaded`."""
        source = source_of(context)
        self.take(source.rpartition(":")[0])
        return Caller("", source)

    def take(self, host: str) -> None:
        """Use one call of this host's bucket, or raise `Overloaded`."""
        now = self._now()
        left, then = self._buckets.pop(host, (JOIN_BURST, now))
        left = min(JOIN_BURST, left + (now - then) * JOIN_CALLS_PER_S)
        self._buckets[host] = (max(0.0, left - 1), now)
        while len(self._buckets) > JOIN_SOURCES_MAX:
            self._buckets.popitem(last=False)
        if left < 1:
            raise Overloaded(
                "too many attempts to join from one address",
                hint=f"wait {1 / JOIN_CALLS_PER_S:.0f} seconds and try again",
            )


class JoinClient:
    """Calls an inviter whose certificate is pinned. Made by `join_client`."""

    def __init__(self, bridge: Bridge, line: Line, address: str) -> None:
        self._bridge = bridge
        self._line = line
        self._address = address

    async def start(
        self, window: int, spake_message: bytes, public_key: bytes
    ) -> tuple[bytes, bytes, bytes]:
        """Return (session, SPAKE2 message, confirmation) of the inviter."""
        request = join_pb2.JoinStartRequest(
            window=window, spake_message=spake_message, public_key=public_key
        )
        reply = await self._call(JOIN["Start"], request, join_pb2.JoinStartReply)
        return reply.session, reply.spake_message, reply.confirmation

    async def confirm(self, session: bytes, confirmation: bytes, sealed: bytes) -> bytes:
        """Return the sealed answer of the inviter."""
        request = join_pb2.JoinConfirmRequest(
            session=session, confirmation=confirmation, sealed=sealed
        )
        reply = await self._call(JOIN["Confirm"], request, join_pb2.JoinConfirmReply)
        return reply.sealed

    async def _call(self, method: Method, request: Message, kind: type[M]) -> M:
        try:
            data = await self._bridge.run_aio(
                self._line.call, method, request.SerializeToString(), JOIN_CALL_S
            )
            return parse(kind, data)
        except CALL_ERRORS as error:
            raise raised_by(error, call=method.name, address=self._address) from error


@asynccontextmanager
async def join_client(
    bridge: Bridge, address: str, pinned_certificate_pem: bytes, *, timeout_s: float = JOIN_CALL_S
) -> AsyncIterator[JoinClient]:
    """Connect to an inviter that must hold the key of exactly this certificate."""
    deadline = trio.current_time() + timeout_s
    endpoint, *_ = await resolve(address, deadline=deadline)
    name = f"{node_id_of_certificate(pinned_certificate_pem)}.node.skilllite"

    async def connect() -> Line:
        channel = grpc.aio.secure_channel(
            target(endpoint),
            grpc.ssl_channel_credentials(root_certificates=pinned_certificate_pem),
            options=channel_options(name, message_bytes_max=JOIN_MESSAGE_BYTES_MAX),
        )
        return Line(channel, None)

    line = await bridge.run_aio(connect)
    try:
        yield JoinClient(bridge, line, address)
    finally:
        with trio.move_on_after(CLOSE_S, shield=True), suppress(trio.ClosedResourceError):
            await bridge.run_aio(line.channel.close)
