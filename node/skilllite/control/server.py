"""Serves the control socket of a running node.

What an operation does is none of this module's business: it takes a table of them. It decides how
many clients and requests there may be, what a broken line costs, and when a request ends: with its
answer, or when its client goes away.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import trio

from skilllite.control.framing import (
    ALIVE,
    KEEPALIVE_S,
    REQUEST_BYTES_MAX,
    BadLine,
    Message,
    decode,
    encode,
)
from skilllite.control.messages import (
    SHAPE_HINT,
    Arguments,
    Envelope,
    parse_arguments,
    parse_envelope,
)
from skilllite.control.sockets import listen, peer_is_trusted
from skilllite.errors import (
    NodeStopping,
    NotFound,
    Refused,
    SkillLiteError,
    UsageError,
    code_of,
    innermost,
)
from skilllite.home import Home

CLIENTS_MAX = 64
"""Commands that talk to one node at the same time."""

REQUESTS_MAX = 16
"""In flight on one connection; the command line has one, programs a few."""

BAD_LINES_MAX = 8
"""A client that sends this much nonsense speaks another protocol."""

IDLE_S_MAX = 60.0
"""A connection with nothing in flight that sends no whole line for this long is closed."""

SEND_S_MAX = 10.0
"""A client that doesn't read its events for this long is treated as gone."""

GOODBYE_S_MAX = 1.0
RECEIVE_BYTES = 64 * 1024
ACCEPT_PAUSE_S = 0.1
"""After running out of descriptors: long enough for some request to end."""

_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

log = logging.getLogger(__name__)


class Exchange:
    """One request in flight, as its operation sees it."""

    def __init__(self, connection: _Connection, request_id: int) -> None:
        self._connection = connection
        self._id = request_id

    @property
    def client_left(self) -> bool:
        """Whether the client has closed the connection: then nobody wants the result.

        An operation that is cancelled looks here to tell this from the node's own end.
        """
        return self._connection.client_left

    async def emit(self, event: Message) -> None:
        """Send an event; waits while the client is slow."""
        await self._connection.send({"id": self._id, "event": event})


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client can ask for: the shape of its arguments and what answers it."""

    arguments: type[Arguments]
    run: Callable[[Any, Exchange], Awaitable[object]]


@asynccontextmanager
async def serve_control(home: Home, operations: Mapping[str, Operation]) -> AsyncIterator[None]:
    """Serve inside the block; the socket is gone after it. The caller holds the node's lock."""
    listener = trio.socket.from_stdlib_socket(listen(home.control_socket))
    with listener:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_accept, listener, operations)
            try:
                yield
            finally:
                home.control_socket.unlink(missing_ok=True)
                nursery.cancel_scope.cancel()


async def _accept(listener: trio.socket.SocketType, operations: Mapping[str, Operation]) -> None:
    clients = 0

    async def serve(stream: trio.SocketStream) -> None:
        nonlocal clients
        clients += 1
        try:
            await _serve_client(stream, operations, full=clients > CLIENTS_MAX)
        finally:
            clients -= 1

    async with trio.open_nursery() as nursery:
        while True:
            try:
                connection, _ = await listener.accept()
            except OSError as error:
                if error.errno not in _OUT_OF_DESCRIPTORS:
                    log.warning("control socket: accept failed: %s", error)
                await trio.sleep(ACCEPT_PAUSE_S)
                continue
            nursery.start_soon(serve, trio.SocketStream(connection))


async def _serve_client(
    stream: trio.SocketStream, operations: Mapping[str, Operation], *, full: bool
) -> None:
    """Serve one client to its end; nothing it does reaches the others."""
    connection = _Connection(stream, operations)
    async with stream:
        try:
            if not peer_is_trusted(stream.socket):
                log.warning("control socket: another user was turned away")
                await connection.refuse(Refused("this socket belongs to another user"))
            elif full:
                hint = "wait for some of them to end"
                await connection.refuse(
                    Refused(f"the node talks to {CLIENTS_MAX} clients already", hint=hint)
                )
            else:
                await connection.serve()
        except* _GONE:
            pass  # gone in the middle of an answer: nobody is left to tell


class _Connection:
    """One client: its requests, and the end of all of them when it leaves."""

    def __init__(self, stream: trio.SocketStream, operations: Mapping[str, Operation]) -> None:
        self._stream = stream
        self._operations = operations
        self._sending = trio.Lock()
        self._buffer = bytearray()
        self._in_flight: set[int] = set()
        self._bad_lines = 0
        self.client_left = False

    async def serve(self) -> None:
        """Answer requests until the client leaves, falls silent or talks nonsense."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_alive)
            while self._bad_lines < BAD_LINES_MAX:
                line = await self._next_line()
                if line is None:
                    break
                request = await self._admit(line)
                if request is not None:
                    self._in_flight.add(request.id)
                    nursery.start_soon(self._answer, request)
            self.client_left = True
            nursery.cancel_scope.cancel()

    async def refuse(self, error: SkillLiteError) -> None:
        """Say why this client isn't served."""
        await self.send({"id": None, "error": _facts(error)})

    async def send(self, message: Message) -> None:
        """Send one line; a client that doesn't read it in time is gone."""
        await self._send_line(encode(message))

    async def _send_line(self, line: bytes) -> None:
        async with self._sending:
            with trio.move_on_after(SEND_S_MAX) as scope:
                try:
                    await self._stream.send_all(line)
                except _GONE:
                    self.client_left = True
                    raise
        if scope.cancelled_caught:
            # Half a line may be out: nothing can follow it.
            self.client_left = True
            await trio.aclose_forcefully(self._stream)
            raise trio.BrokenResourceError("the client does not read")

    async def _next_line(self) -> bytes | None:
        """Return the next line that says anything; None when the client is gone or must go."""
        searched = 0
        while True:
            end = self._buffer.find(b"\n", searched)
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                searched = 0
                if line.strip():
                    return line
            elif (searched := len(self._buffer)) > REQUEST_BYTES_MAX:
                await self.refuse(UsageError(f"the line exceeds {REQUEST_BYTES_MAX} bytes"))
                return None
            elif data := await self._receive():
                self._buffer += data
            else:
                return None

    async def _receive(self) -> bytes:
        while True:
            with trio.move_on_after(IDLE_S_MAX):
                try:
                    return bytes(await self._stream.receive_some(RECEIVE_BYTES))
                except trio.BrokenResourceError:
                    return b""
            if not self._in_flight:
                return b""

    async def _admit(self, line: bytes) -> Envelope | None:
        """Return a request that can be started; anything else is answered here."""
        request_id: object = None
        try:
            message = decode(line)
            request_id = message.get("id") if isinstance(message.get("id"), int) else None
            request = parse_envelope(message)
            if request.id in self._in_flight:
                raise UsageError(f"request {request.id} is in flight already")
            if len(self._in_flight) >= REQUESTS_MAX:
                raise Refused(f"{REQUESTS_MAX} requests are in flight on this connection")
        except BadLine as error:
            self._bad_lines += 1
            await self.refuse(UsageError(str(error), hint=SHAPE_HINT))
        except SkillLiteError as error:
            await self.send({"id": request_id, "error": _facts(error)})
        else:
            return request
        return None

    async def _answer(self, request: Envelope) -> None:
        try:
            reply = await self._reply_to(request)
        except trio.Cancelled:
            if not self.client_left:
                await self._say_goodbye(request)
            raise
        finally:
            self._in_flight.discard(request.id)
        # Shielded, and bounded by `send`: the answer to `stop` is what ends this very server.
        with trio.CancelScope(shield=True):
            await self._send_line(_line_of({"id": request.id, **reply}, request.op))

    async def _reply_to(self, request: Envelope) -> Message:
        try:
            operation = self._operations.get(request.op)
            if operation is None:
                raise NotFound(
                    f"this node knows no operation `{request.op}`",
                    hint="restart the node: it runs another version of the program",
                )
            arguments = parse_arguments(operation.arguments, request.args)
            return {"ok": await operation.run(arguments, Exchange(self, request.id))}
        except _GONE:
            raise
        except Exception as raised:
            # The boundary of one request: whatever it was, the node and its other clients go on.
            error = innermost(raised)
            if code_of(error) is None:
                log.exception("control operation %s failed", request.op)
            return {"error": _facts(error)}

    async def _say_goodbye(self, request: Envelope) -> None:
        error = NodeStopping(
            "the node is stopping", hint="what it accepted goes on when it starts again"
        )
        with trio.move_on_after(GOODBYE_S_MAX, shield=True):
            with suppress(*_GONE, trio.BusyResourceError):
                await self._stream.send_all(encode({"id": request.id, "error": _facts(error)}))

    async def _keep_alive(self) -> None:
        while True:
            await trio.sleep(KEEPALIVE_S)
            for request_id in list(self._in_flight):
                await self.send({"id": request_id, "event": {"event": ALIVE}})


def _line_of(reply: Message, op: str) -> bytes:
    """Return an answer as it travels; one that can't be written is an error of its request."""
    try:
        return encode(reply)
    except (ValueError, TypeError, RecursionError) as error:
        log.error("the answer to %s can't be written: %s", op, error)
        return encode({"id": reply["id"], "error": _facts(error)})


def _facts(error: BaseException) -> Message:
    """Return an error of any layer as it travels; one nobody foresaw without its details."""
    code = code_of(error)
    if code is None:
        return {
            "code": "internal",
            "message": f"the node failed on this request: {type(error).__name__}",
            "hint": "`skilllite node logs` has the details",
        }
    return {
        "code": code,
        "message": getattr(error, "message", str(error)),
        "hint": getattr(error, "hint", None),
        "cause": getattr(error, "cause", None),
    }
