"""Methods, handlers and channel settings of gRPC, made from the service descriptors.

This takes the place of generated `_pb2_grpc` modules. Requests and replies pass as bytes: reading
them here would let gRPC answer malformed ones with its own status and a traceback in the log.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

import grpc
from google.protobuf.descriptor import FileDescriptor

from skilllite_swarm.diagnosis import Endpoint
from skilllite_swarm.transport import MESSAGE_BYTES_MAX
from skilllite_swarm.wire import join_pb2, node_pb2, task_pb2

KEEPALIVE_MS = 1_000
"""A silent link is noticed after one to two of these; without pings it never is."""

PING_INTERVAL_MS_MIN = KEEPALIVE_MS // 2
"""What a server tolerates. Its default of five minutes cuts healthy links of eager clients."""

RECONNECT_MS = (500, 1_000, 2_000)
"""First, least and longest wait between attempts. The default came back 48 s after the link did."""

HANDSHAKE_MS = 5_000
"""A connection that says nothing is dropped; the default is two minutes."""

STREAMS_PER_CONNECTION_MAX = 512
"""Calls one peer may have under way; more wait on its own side."""

JOIN_MESSAGE_BYTES_MAX = 16 * 1024
"""A certificate request and a list of members fit; strangers get no more memory than that."""

JOIN_STREAMS_MAX = 4

JOIN_CONNECTION_MS = 30_000
"""A join takes seconds; a stranger that only holds a connection is let go after this."""

Options = list[tuple[str, int | str]]


@dataclass(frozen=True, slots=True)
class Method:
    """One call of the contract."""

    name: str
    path: str
    streams: bool


def _methods(file: FileDescriptor, service: str) -> dict[str, Method]:
    descriptor = file.services_by_name[service]
    return {
        method.name: Method(
            method.name, f"/{descriptor.full_name}/{method.name}", method.server_streaming
        )
        for method in descriptor.methods
    }


NODE = _methods(node_pb2.DESCRIPTOR, "Node")
TASK = _methods(task_pb2.DESCRIPTOR, "Task")
JOIN = _methods(join_pb2.DESCRIPTOR, "Join")


def generic_handler(
    methods: dict[str, Method], handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]]
) -> grpc.GenericRpcHandler:
    """Serve one service. Every method of the contract must have its handler."""
    assert handlers.keys() == methods.keys(), "a method of the contract is not served"
    service = next(iter(methods.values())).path.split("/")[1]
    return grpc.method_handlers_generic_handler(service, handlers)


def _common_options(message_bytes_max: int) -> Options:
    return [
        ("grpc.max_receive_message_length", message_bytes_max),
        ("grpc.max_send_message_length", message_bytes_max),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]


def channel_options(name: str, *, message_bytes_max: int = MESSAGE_BYTES_MAX) -> Options:
    """Settings of a channel to the peer whose certificate must carry `name`."""
    initial, least, longest = RECONNECT_MS
    return [
        *_common_options(message_bytes_max),
        ("grpc.ssl_target_name_override", name),
        ("grpc.initial_reconnect_backoff_ms", initial),
        ("grpc.min_reconnect_backoff_ms", least),
        ("grpc.max_reconnect_backoff_ms", longest),
        # Otherwise two dials of one address share a connection, and with it an identity.
        ("grpc.use_local_subchannel_pool", 1),
        # A call that may have been delivered is never sent again behind our back.
        ("grpc.enable_retries", 0),
        # A LAN is not reached through the proxy of the environment.
        ("grpc.enable_http_proxy", 0),
        ("grpc.service_config_disable_resolution", 1),
    ]


def server_options(
    *,
    message_bytes_max: int = MESSAGE_BYTES_MAX,
    streams_max: int = STREAMS_PER_CONNECTION_MAX,
    connection_ms_max: int | None = None,
) -> Options:
    """Settings of a server; a bound on connections ends them whether or not they are in use."""
    ends: Options = []
    if connection_ms_max is not None:
        ends = [
            ("grpc.max_connection_age_ms", connection_ms_max),
            ("grpc.max_connection_age_grace_ms", connection_ms_max),
        ]
    return [
        *_common_options(message_bytes_max),
        *ends,
        ("grpc.max_concurrent_streams", streams_max),
        ("grpc.http2.min_ping_interval_without_data_ms", PING_INTERVAL_MS_MIN),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
        # A second program on the port must fail, not take every other connection.
        ("grpc.so_reuseport", 0),
    ]


def target(endpoint: Endpoint) -> str:
    """Return gRPC's name of a literal address."""
    if endpoint.family != socket.AF_INET6:
        return f"ipv4:{endpoint.ip}:{endpoint.port}"
    scope = f"%25{endpoint.scope}" if endpoint.scope else ""
    return f"ipv6:[{endpoint.ip}{scope}]:{endpoint.port}"
