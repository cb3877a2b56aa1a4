"""gRPC under trio: what the rest of the swarm uses of it.

`GrpcTransport` dials, `serve_mesh` answers the team, `serve_join` answers newcomers, `join_client`
is a newcomer. No module outside the rpc files imports gRPC. Nothing may fork after this is
imported: forked children of a gRPC process crash, hang, or keep its ports.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from skilllite_swarm import rpc_environment as rpc_environment  # before gRPC is loaded
from skilllite_swarm import rpc_stubs
from skilllite_swarm.bridge import Bridge
from skilllite_swarm.rpc_client import GrpcConnection, GrpcTransport, utc_now
from skilllite_swarm.rpc_join import JoinClient, Throttle, join_client
from skilllite_swarm.rpc_server import (
    Authorize,
    Gate,
    allow_members,
    changing_credentials,
    open_server,
)
from skilllite_swarm.rpc_services import join_handler, node_handler, task_handler
from skilllite_swarm.rpc_stubs import server_options
from skilllite_swarm.transport import NodeService, TaskService, TlsMaterial

if TYPE_CHECKING:
    from skilllite_swarm.pairing import JoinService

__all__ = [
    "GrpcConnection",
    "GrpcTransport",
    "JoinClient",
    "allow_members",
    "join_client",
    "serve_join",
    "serve_mesh",
]

CALLS_MAX = 2_048
"""Calls under way on the team's port; further ones are refused, so that memory stays bounded."""

JOIN_CALLS_MAX = 16
"""The same on the port for newcomers: a house has few doors, and each proof costs milliseconds."""


@asynccontextmanager
async def serve_mesh(
    bridge: Bridge,
    tls: Callable[[], TlsMaterial],
    *,
    host: str = "",
    port: int = 0,
    nodes: NodeService,
    tasks: TaskService,
    authorize: Authorize = allow_members,
    now: Callable[[], datetime] = utc_now,
) -> AsyncIterator[int]:
    """Answer members of the team as long as the context lasts; yield the port.

    An empty host means every address of both families. `tls` and `authorize` are called from other
    threads at every connection and every call: they must be cheap and must not depend on trio.

    Raises:
        PortInUse: the address can't be listened on; the hint says what to do.
    """
    gate = Gate(tls, authorize, now)
    async with open_server(
        bridge,
        changing_credentials(tls, members_only=True),
        lambda dispatcher: [node_handler(dispatcher, nodes), task_handler(dispatcher, tasks)],
        admit=gate.admit,
        host=host,
        port=port,
        options=server_options(),
        calls_max=CALLS_MAX,
    ) as bound:
        yield bound


@asynccontextmanager
async def serve_join(
    bridge: Bridge,
    tls: Callable[[], TlsMaterial],
    *,
    host: str = "",
    port: int = 0,
    desk: JoinService,
) -> AsyncIterator[int]:
    """Answer newcomers as long as the context lasts; yield the port.

    This is the one port on which strangers are heard: two calls, small messages, few at a time, and
    few from one source.

    Raises:
        PortInUse: the address can't be listened on; the hint says what to do.
    """
    async with open_server(
        bridge,
        changing_credentials(tls, members_only=False),
        lambda dispatcher: [join_handler(dispatcher, desk)],
        admit=Throttle().admit,
        host=host,
        port=port,
        options=server_options(
            message_bytes_max=rpc_stubs.JOIN_MESSAGE_BYTES_MAX,
            streams_max=rpc_stubs.JOIN_STREAMS_MAX,
            connection_ms_max=rpc_stubs.JOIN_CONNECTION_MS,
        ),
        calls_max=JOIN_CALLS_MAX,
    ) as bound:
        yield bound
