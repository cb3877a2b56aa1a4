"""Dials members of the team over gRPC, and calls them.

A connection is pinned to the identity that its peer has proven, also when it reconnects. It follows
the renewal of this node's certificate: calls under way end on the old channel, new ones start on a
new one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import grpc
import trio
from google.protobuf.message import Message

from skilllite_swarm.bridge import Bridge
from skilllite_swarm.bridge_stream import Inflow
from skilllite_swarm.diagnosis import Endpoint, judge, peek, race, refused_handshake, resolve
from skilllite_swarm.errors import CallInterrupted, DialStep, PeerUnreachable
from skilllite_swarm.rpc_line import CALL_ERRORS, CLOSE_S, Line
from skilllite_swarm.rpc_status import raised_by
from skilllite_swarm.rpc_stubs import (
    NODE,
    TASK,
    Method,
    channel_options,
    target,
)
from skilllite_swarm.task import (
    AttemptStatus,
    Failed,
    Refused,
    Result,
    RunEvent,
    RunRequest,
    Terminal,
)
from skilllite_swarm.transport import (
    CALL_S,
    DIAL_ADDRESSES_MAX,
    FETCH_S,
    RUN_GRACE_S,
    Catalogue,
    CatalogueHead,
    Load,
    NodeInfo,
    PeerHint,
    Pong,
    TlsMaterial,
    check_hello,
)
from skilllite_swarm.wire import node_pb2, task_pb2
from skilllite_swarm.wire_mapping import (
    catalogue_from_wire,
    head_to_wire,
    hints_from_wire,
    load_to_wire,
    node_info_from_wire,
    node_info_to_wire,
    parse,
    pong_from_wire,
    run_event_from_wire,
    run_request_to_wire,
    status_from_wire,
)

T = TypeVar("T")
M = TypeVar("M", bound=Message)

RUN_END_S = 1.0
"""For the status after the terminal event; without it the call would end as cancelled."""

_HOPELESS = (grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN)


def utc_now() -> datetime:
    return datetime.now(UTC)


class GrpcConnection:
    """Calls one member. Made by `GrpcTransport.dial`; see `transport.Connection`."""

    def __init__(
        self,
        bridge: Bridge,
        tls: Callable[[], TlsMaterial],
        endpoint: Endpoint,
        node_id: str,
    ) -> None:
        self._bridge = bridge
        self._tls = tls
        self._endpoint = endpoint
        self._node_id = node_id
        self._line: Line | None = None
        self._old_lines: list[Line] = []
        self._closed = False

    @property
    def node_id(self) -> str:
        return self._node_id

    @property
    def address(self) -> str:
        return self._endpoint.address

    async def wait_ready(self) -> bool:
        """Return whether the first mutual handshake succeeded."""
        return await self._bridge.run_aio(self._wait_ready)

    async def hello(self, me: NodeInfo) -> tuple[NodeInfo, tuple[PeerHint, ...]]:
        request = node_pb2.HelloRequest(self=node_info_to_wire(me))
        peer, hints = await self._call(
            NODE["Hello"],
            request,
            node_pb2.HelloReply,
            lambda reply: (node_info_from_wire(reply.self), hints_from_wire(reply.peers)),
        )
        check_hello(peer, proven=self._node_id)
        return peer, hints

    async def ping(self, load: Load, catalogue: CatalogueHead, *, timeout_s: float) -> Pong:
        request = node_pb2.PingRequest(load=load_to_wire(load), catalogue=head_to_wire(catalogue))
        return await self._call(
            NODE["Ping"], request, node_pb2.PingReply, pong_from_wire, timeout_s=timeout_s
        )

    async def get_catalogue(self, have: CatalogueHead) -> Catalogue | None:
        request = node_pb2.GetCatalogueRequest(have=head_to_wire(have))
        return await self._call(
            NODE["GetCatalogue"],
            request,
            node_pb2.GetCatalogueReply,
            catalogue_from_wire,
            timeout_s=FETCH_S,
        )

    async def renew(self, csr_der: bytes) -> tuple[bytes, bytes]:
        return await self._call(
            NODE["Renew"],
            node_pb2.RenewRequest(csr_der=csr_der),
            node_pb2.RenewReply,
            lambda reply: (reply.leaf_der, reply.ca_der),
        )

    async def run(self, request: RunRequest, on_event: Callable[[RunEvent], None]) -> Terminal:
        method, data = TASK["Run"], run_request_to_wire(request).SerializeToString()
        timeout_s = request.deadline_ms / 1_000 + RUN_GRACE_S

        async def replies() -> AsyncGenerator[bytes, None]:
            async with aclosing(self._current_line().stream(method, data, timeout_s)) as stream:
                async for reply in stream:
                    yield reply

        terminal: Terminal | None = None
        with self._failures_of(method):
            async with Inflow(self._bridge, replies) as stream:
                async for reply in stream:
                    event = run_event_from_wire(parse(task_pb2.RunEvent, reply))
                    if isinstance(event, Refused | Result | Failed):
                        terminal = event
                        break
                    if event is not None:
                        on_event(event)
                if terminal is not None:
                    # What comes after the answer can't take it back.
                    with trio.move_on_after(RUN_END_S), suppress(*CALL_ERRORS):
                        await anext(stream, None)
        if terminal is None:
            raise CallInterrupted(f"{self.address} ended the task without an outcome")
        return terminal

    async def cancel(self, task_id: str, attempt: int) -> bool:
        return await self._call(
            TASK["Cancel"],
            task_pb2.CancelRequest(task_id=task_id, attempt=attempt),
            task_pb2.CancelReply,
            lambda reply: reply.cancelled,
        )

    async def status(self, task_id: str, attempt: int, *, fence: bool) -> AttemptStatus:
        return await self._call(
            TASK["Status"],
            task_pb2.StatusRequest(task_id=task_id, attempt=attempt, fence=fence),
            task_pb2.StatusReply,
            status_from_wire,
        )

    async def aclose(self) -> None:
        """Close; calls under way end as interrupted."""
        with trio.move_on_after(CLOSE_S, shield=True), suppress(trio.ClosedResourceError):
            await self._bridge.run_aio(self._close_lines)

    async def _call(
        self,
        method: Method,
        request: Message,
        kind: type[M],
        read: Callable[[M], T],
        *,
        timeout_s: float = CALL_S,
    ) -> T:
        async def call() -> bytes:
            return await self._current_line().call(method, request.SerializeToString(), timeout_s)

        with self._failures_of(method):
            return read(parse(kind, await self._bridge.run_aio(call)))

    @contextmanager
    def _failures_of(self, method: Method) -> Iterator[None]:
        try:
            yield
        except CALL_ERRORS as error:
            raise raised_by(error, call=method.name, address=self.address) from error

    # On the asyncio thread

    def _current_line(self) -> Line:
        material = self._tls()
        if self._closed:
            raise PeerUnreachable(f"the connection to {self.address} is closed")
        if self._line is None or self._line.material != material:
            old, self._line = self._line, self._open_line(material)
            if old is not None:
                old.retire()
                self._old_lines = [line for line in self._old_lines if line.busy]
                self._old_lines.append(old)
        return self._line

    def _open_line(self, material: TlsMaterial) -> Line:
        credentials = grpc.ssl_channel_credentials(
            root_certificates=material.ca_pem,
            private_key=material.private_key_pem,
            certificate_chain=material.leaf_pem,
        )
        channel = grpc.aio.secure_channel(
            target(self._endpoint),
            credentials,
            options=channel_options(f"{self._node_id}.node.skilllite"),
        )
        return Line(channel, material)

    async def _wait_ready(self) -> bool:
        channel = self._current_line().channel
        state = channel.get_state(try_to_connect=True)
        while state is not grpc.ChannelConnectivity.READY:
            if state in _HOPELESS:
                return False
            await channel.wait_for_state_change(state)
            state = channel.get_state(try_to_connect=True)
        return True

    async def _close_lines(self) -> None:
        self._closed = True
        for line in (self._line, *self._old_lines):
            if line is not None:
                await line.channel.close()


class GrpcTransport:
    """Dials members over mutual TLS; see `transport.Transport`.

    `tls` is called from the asyncio thread too, and at every call: it must be cheap and must not
    depend on trio. What it returns may change, as it does when the certificate is renewed.
    """

    def __init__(
        self,
        bridge: Bridge,
        tls: Callable[[], TlsMaterial],
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._bridge = bridge
        self._tls = tls
        self._now = now

    async def dial(
        self, addresses: Sequence[str], *, node_id: str | None, timeout_s: float
    ) -> GrpcConnection:
        deadline = trio.current_time() + timeout_s
        tried = list(dict.fromkeys(addresses))[:DIAL_ADDRESSES_MAX]
        if not tried:
            raise PeerUnreachable("no address of the peer is known", step=DialStep.RESOLVE)
        opened: list[GrpcConnection] = []
        winner: GrpcConnection | None = None

        async def dial_endpoint(endpoint: Endpoint) -> GrpcConnection:
            certificate = await peek(endpoint, deadline=deadline)
            proven = judge(certificate, endpoint, self._tls(), node_id=node_id, now=self._now())
            connection = GrpcConnection(self._bridge, self._tls, endpoint, proven)
            opened.append(connection)
            with trio.move_on_at(deadline):
                if await connection.wait_ready():
                    return connection
            raise refused_handshake(endpoint)

        async def dial_address(address: str) -> GrpcConnection:
            endpoints = await resolve(address, deadline=deadline)
            return await race([partial(dial_endpoint, endpoint) for endpoint in endpoints])

        try:
            winner = await race([partial(dial_address, address) for address in tried])
            return winner
        finally:
            for connection in opened:
                if connection is not winner:
                    await connection.aclose()
