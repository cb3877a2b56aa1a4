"""The three services as functions from request bytes to reply bytes, on trio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import grpc

from skilllite_swarm.rpc_server import Dispatcher, Unary
from skilllite_swarm.rpc_stubs import JOIN, NODE, TASK, generic_handler
from skilllite_swarm.task import RunEvent
from skilllite_swarm.transport import Caller, NodeService, TaskService, check_hello
from skilllite_swarm.wire import join_pb2, node_pb2, task_pb2
from skilllite_swarm.wire_mapping import (
    catalogue_to_wire,
    head_from_wire,
    hints_to_wire,
    load_from_wire,
    node_info_from_wire,
    node_info_to_wire,
    parse,
    pong_to_wire,
    run_request_from_wire,
    status_to_wire,
    task_key_from_wire,
)

if TYPE_CHECKING:
    from skilllite_swarm.pairing import JoinService


def node_handler(dispatcher: Dispatcher, nodes: NodeService) -> grpc.GenericRpcHandler:
    """Serve what a node tells its team about itself."""

    async def hello(caller: Caller, data: bytes) -> bytes:
        peer = node_info_from_wire(parse(node_pb2.HelloRequest, data).self)
        check_hello(peer, proven=caller.node_id)
        me, hints = await nodes.hello(caller, peer)
        reply = node_pb2.HelloReply(self=node_info_to_wire(me), peers=hints_to_wire(hints))
        return reply.SerializeToString()

    async def ping(caller: Caller, data: bytes) -> bytes:
        request = parse(node_pb2.PingRequest, data)
        load, head = load_from_wire(request.load), head_from_wire(request.catalogue)
        pong = await nodes.ping(caller, load, head)
        return pong_to_wire(pong, request.sequence).SerializeToString()

    async def get_catalogue(caller: Caller, data: bytes) -> bytes:
        have = head_from_wire(parse(node_pb2.GetCatalogueRequest, data).have)
        return catalogue_to_wire(await nodes.get_catalogue(caller, have)).SerializeToString()

    async def renew(caller: Caller, data: bytes) -> bytes:
        leaf, ca = await nodes.renew(caller, parse(node_pb2.RenewRequest, data).csr_der)
        return node_pb2.RenewReply(leaf_der=leaf, ca_der=ca).SerializeToString()

    calls: dict[str, Unary] = {
        "Hello": hello,
        "Ping": ping,
        "GetCatalogue": get_catalogue,
        "Renew": renew,
    }
    return generic_handler(
        NODE, {name: dispatcher.unary(NODE[name].path, serve) for name, serve in calls.items()}
    )


def task_handler(dispatcher: Dispatcher, tasks: TaskService) -> grpc.GenericRpcHandler:
    """Serve what an executor does for its team."""

    async def run(caller: Caller, data: bytes, send: Callable[[RunEvent], Awaitable[None]]) -> None:
        await tasks.run(caller, run_request_from_wire(parse(task_pb2.RunRequest, data)), send)

    async def cancel(caller: Caller, data: bytes) -> bytes:
        task_id, attempt = task_key_from_wire(parse(task_pb2.CancelRequest, data))
        cancelled = await tasks.cancel(caller, task_id, attempt)
        return task_pb2.CancelReply(cancelled=cancelled).SerializeToString()

    async def status(caller: Caller, data: bytes) -> bytes:
        request = parse(task_pb2.StatusRequest, data)
        task_id, attempt = task_key_from_wire(request)
        found = await tasks.status(caller, task_id, attempt, fence=request.fence)
        return status_to_wire(found).SerializeToString()

    return generic_handler(
        TASK,
        {
            "Run": dispatcher.streaming(TASK["Run"].path, run),
            "Cancel": dispatcher.unary(TASK["Cancel"].path, cancel),
            "Status": dispatcher.unary(TASK["Status"].path, status),
        },
    )


def join_handler(dispatcher: Dispatcher, desk: JoinService) -> grpc.GenericRpcHandler:
    """Serve newcomers: all that a stranger can call."""

    async def start(caller: Caller, data: bytes) -> bytes:
        request = parse(join_pb2.JoinStartRequest, data)
        session, spake_message, confirmation = await desk.start(
            caller.address, request.window, request.spake_message, request.public_key
        )
        reply = join_pb2.JoinStartReply(
            session=session, spake_message=spake_message, confirmation=confirmation
        )
        return reply.SerializeToString()

    async def confirm(_caller: Caller, data: bytes) -> bytes:
        request = parse(join_pb2.JoinConfirmRequest, data)
        sealed = await desk.confirm(request.session, request.confirmation, request.sealed)
        return join_pb2.JoinConfirmReply(sealed=sealed).SerializeToString()

    return generic_handler(
        JOIN,
        {
            "Start": dispatcher.unary(JOIN["Start"].path, start),
            "Confirm": dispatcher.unary(JOIN["Confirm"].path, confirm),
        },
    )
