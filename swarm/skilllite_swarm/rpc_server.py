"""Serves the team over mutual TLS, and newcomers over TLS with a server certificate only.

Every call is checked against the certificate of its connection before a service hears of it, since
connections outlive certificates and memberships. Services run on trio; what they raise ends their
call and nothing else.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import lru_cache
from typing import TypeVar, TypeVarTuple
from urllib.parse import unquote

import grpc
import trio

from skilllite_swarm.addresses import format_address
from skilllite_swarm.bridge import Bridge
from skilllite_swarm.bridge_stream import Outflow
from skilllite_swarm.errors import InvalidCertificate, NotAMember, PortInUse
from skilllite_swarm.identity import CertificateFacts, check_leaf
from skilllite_swarm.rpc_status import refuse
from skilllite_swarm.rpc_stubs import Options
from skilllite_swarm.task import RunEvent
from skilllite_swarm.transport import Caller, TlsMaterial
from skilllite_swarm.wire_mapping import run_event_to_wire

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Context = grpc.aio.ServicerContext[bytes, bytes]
Authorize = Callable[[Caller, str], None]
Unary = Callable[[Caller, bytes], Awaitable[bytes]]
Streaming = Callable[[Caller, bytes, Callable[[RunEvent], Awaitable[None]]], Awaitable[None]]
Admit = Callable[[Context, str], Caller]

CALL_S_MAX = 60.0
"""For a call that came without a deadline."""

STREAM_S_MAX = 24 * 3_600.0
"""For a stream that came without one: as long as an attempt is kept on record."""

DEADLINE_MARGIN = 0.1
"""Share of the caller's time that is left for the way back, so that it hears the reason."""

DEADLINE_MARGIN_S_MAX = 0.1

STOP_GRACE_S = 1.0
"""What calls under way get to end by themselves when the server stops."""

STOP_S_MAX = 3.0
"""Stopping takes no longer than this; what hangs dies with the loop."""

PORT_HINT = "stop the other program, or choose another port"

_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.ENOPROTOOPT)
"""What a kernel without IPv6 says."""

LEAVES_REMEMBERED = 256
"""Certificates that are not checked again at each call: the peers of a full mesh, twice."""


class Gate:
    """Admits members with a valid certificate of this team, unless `authorize` objects.

    Used on the asyncio thread, so `tls` and `authorize` must not depend on trio.
    """

    def __init__(
        self,
        tls: Callable[[], TlsMaterial],
        authorize: Authorize,
        now: Callable[[], datetime],
    ) -> None:
        self._tls = tls
        self._authorize = authorize
        self._now = now

    def admit(self, context: Context, method: str) -> Caller:
        """Return who calls `method`, as proven, or raise `NotAMember`."""
        leaf = next(iter(context.auth_context().get("x509_pem_cert", ())), None)
        if leaf is None:
            raise NotAMember("the call came without a certificate")
        # Again at every call: since the handshake the certificate may have expired, and this node
        # may have left the team.
        facts = _checked(leaf, self._tls().ca_pem)
        if problem := facts.clock_problem(self._now()):
            raise NotAMember(
                f"the certificate of the call is {problem}",
                hint="compare the clocks of the two nodes",
            )
        caller = Caller(facts.node_id, source_of(context))
        self._authorize(caller, method)
        return caller


def allow_members(caller: Caller, method: str) -> None:
    """Let every member call everything: the first step of authorisation is being a member."""


@lru_cache(maxsize=LEAVES_REMEMBERED)
def _checked(leaf: bytes, ca: bytes) -> CertificateFacts:
    try:
        return check_leaf(leaf, ca)
    except InvalidCertificate as error:
        raise NotAMember(
            f"the certificate of the call is not one of this team: {error.message}"
        ) from error


def source_of(context: Context) -> str:
    """Return the "host:port" that a call comes from: gRPC writes ipv6:%5B::1%5D:443."""
    return unquote(context.peer().partition(":")[2])


class Dispatcher:
    """Makes gRPC handlers of services: admit, cross to trio, answer or refuse."""

    def __init__(self, bridge: Bridge, nursery: trio.Nursery, admit: Admit) -> None:
        self._bridge = bridge
        self._nursery = nursery
        self._admit = admit

    def unary(self, path: str, serve: Unary) -> grpc.RpcMethodHandler[bytes, bytes]:
        async def handle(request: bytes, context: Context) -> bytes:
            try:
                caller = self._admit(context, path)
                budget_s = _budget_s(context, CALL_S_MAX)
                return await self._bridge.run_trio(
                    self._nursery, _within, budget_s, serve, caller, request
                )
            except Exception as error:
                await refuse(context, error, path)

        return grpc.unary_unary_rpc_method_handler(handle)

    def streaming(self, path: str, serve: Streaming) -> grpc.RpcMethodHandler[bytes, bytes]:
        async def handle(request: bytes, context: Context) -> None:
            try:
                caller = self._admit(context, path)
                await self._stream(context, serve, caller, request)
            except Exception as error:
                await refuse(context, error, path)

        return grpc.unary_stream_rpc_method_handler(handle)

    async def _stream(
        self, context: Context, serve: Streaming, caller: Caller, request: bytes
    ) -> None:
        flow: Outflow[RunEvent] = Outflow(self._bridge)

        async def run() -> None:
            await _within(_budget_s(context, STREAM_S_MAX), serve, caller, request, flow.send)

        async def write(event: RunEvent) -> None:
            await context.write(run_event_to_wire(event).SerializeToString())

        served = asyncio.ensure_future(self._bridge.run_trio(self._nursery, run))
        served.add_done_callback(lambda done: _end(done, flow))
        try:
            await flow.take(write)
            await served
        finally:
            served.cancel()


def _end(served: asyncio.Future[None], flow: Outflow[RunEvent]) -> None:
    flow.end()
    if not served.cancelled():
        # Looked at here, because nobody awaits it when the caller has gone away.
        served.exception()


async def _within(budget_s: float, serve: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    with trio.fail_after(budget_s):
        return await serve(*args)


def _budget_s(context: Context, otherwise_s: float) -> float:
    remaining = context.time_remaining()
    if remaining is None:
        return otherwise_s
    remaining = max(0.0, min(remaining, otherwise_s))
    return remaining - min(DEADLINE_MARGIN * remaining, DEADLINE_MARGIN_S_MAX)


def changing_credentials(
    tls: Callable[[], TlsMaterial], *, members_only: bool
) -> grpc.ServerCredentials:
    """Return credentials that follow `tls`: reading them at every handshake costs up to 190 ms."""
    current = tls()

    def configuration() -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(current.private_key_pem, current.leaf_pem)],
            root_certificates=current.ca_pem if members_only else None,
        )

    def changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal current
        latest = tls()
        if latest == current:
            return None
        current = latest
        return configuration()

    return grpc.dynamic_ssl_server_credentials(
        configuration(),
        changed,  # type: ignore[arg-type]  # None, "as before", is missing in the stubs
        require_client_authentication=members_only,
    )


@asynccontextmanager
async def open_server(
    bridge: Bridge,
    credentials: grpc.ServerCredentials,
    handlers: Callable[[Dispatcher], list[grpc.GenericRpcHandler]],
    *,
    admit: Admit,
    host: str,
    port: int,
    options: Options,
    calls_max: int,
) -> AsyncIterator[int]:
    """Listen as long as the context lasts and yield the port.

    On leaving, nothing new is taken, calls under way get a grace period, and then end.

    Raises:
        PortInUse: the address can't be listened on; the hint says what to do.
    """
    address = listening_address(host, port)

    async def start() -> tuple[grpc.aio.Server, int]:
        server = grpc.aio.server(options=options, maximum_concurrent_rpcs=calls_max)
        server.add_generic_rpc_handlers(handlers(Dispatcher(bridge, nursery, admit)))
        try:
            bound = server.add_secure_port(address, credentials)
        except RuntimeError as error:  # gRPC does not say why
            raise PortInUse(f"can't listen on {address}", hint=PORT_HINT) from error
        await server.start()
        return server, bound

    async def stop() -> None:
        await asyncio.wait_for(server.stop(STOP_GRACE_S), STOP_S_MAX)

    async with _transparent_nursery() as nursery:
        server, bound = await bridge.run_aio(start)
        try:
            yield bound
        finally:
            # Shielded and bounded by itself: a port that stays open would outlive the node.
            with trio.CancelScope(shield=True), suppress(TimeoutError, trio.ClosedResourceError):
                await bridge.run_aio(stop)
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def _transparent_nursery() -> AsyncIterator[trio.Nursery]:
    """Open a nursery for `Bridge.run_trio`, which lets no error in: all it has is the body's."""
    try:
        async with trio.open_nursery() as nursery:
            yield nursery
    except BaseExceptionGroup as group:
        if len(group.exceptions) != 1:
            raise
        error = group.exceptions[0]
        context = error.__context__
        try:
            raise error
        finally:
            error.__context__ = context
            del error, context


def listening_address(host: str, port: int) -> str:
    """Return what to listen on: all addresses of both families for an empty host.

    Raises:
        PortInUse: somebody has it already. gRPC would only say that it failed.
    """
    for candidate in (host,) if host else ("::", "0.0.0.0"):
        family = socket.AF_INET6 if ":" in candidate else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family is socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                probe.bind((candidate, port))
        except OSError as error:
            if candidate == "::" and not host and error.errno in _NO_IPV6:
                continue
            raise _cannot_listen(format_address(candidate, port), error) from error
        return format_address(candidate, port)
    raise AssertionError("the last candidate returns or raises")


def _cannot_listen(address: str, error: OSError) -> PortInUse:
    if error.errno == errno.EADDRINUSE:
        return PortInUse(f"{address} is in use by another program", hint=PORT_HINT)
    if error.errno in (errno.EACCES, errno.EPERM):
        return PortInUse(
            f"not allowed to listen on {address}", hint="choose a port of 1024 or above"
        )
    return PortInUse(
        f"can't listen on {address}",
        cause=error.strerror,
        hint="choose an address of this machine, or none for all of them",
    )
