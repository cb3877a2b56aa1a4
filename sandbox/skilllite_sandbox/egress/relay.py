"""Bytes between a client and its server, in both directions, without a queue.

What was read is sent at once. What the receiver doesn't take is kept, and nothing more is read
until it did: the sender's own socket buffer fills and it has to wait. So a direction never holds
more than one read, and a connection never more than two.

What may pass is decided by the gate of a tunnel or the body of a plain request; how much, by the
budgets of the run. Says how a relay ended; reporting and closing are left to connection.py.
"""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress
from dataclasses import dataclass

from skilllite_sandbox.egress.attempt import Cause, Result
from skilllite_sandbox.egress.client_hello import UNRECOGNIZED_NAME, GateClosed, TunnelGate
from skilllite_sandbox.egress.requests import BadRequest, Body
from skilllite_sandbox.egress.responses import ResponseHead

READ_BYTES = 256 * 1024  # one buffer for a whole proxy; measured: larger ones were no faster


class Budget:
    """How many bytes all connections of a run may still move in one direction."""

    def __init__(self, limit_bytes: int) -> None:
        self.left_bytes = limit_bytes

    def take(self, wanted: int) -> int:
        """Take as many as are left of `wanted`."""
        taken = min(wanted, self.left_bytes)
        self.left_bytes -= taken
        return taken


@dataclass(frozen=True, slots=True)
class Ending:
    """How a relay ended."""

    cause: Cause
    detail: str = ""
    result: Result = Result.ALLOWED
    reset: bool = True
    """Whether both sides have to see that something is missing: an orderly end after half an
    answer would make it look whole."""


DONE = Ending(Cause.DONE, reset=False)
_EXCESS = Ending(Cause.EXCESS, "the client sent more than one request on its connection")
_UP_SPENT = Ending(Cause.BYTES_UP, "the run has sent as many bytes as it may")
_DOWN_SPENT = Ending(Cause.BYTES_DOWN, "the run has received as many bytes as it may")


class Outlet:
    """The sending side of a socket: sends what it can, keeps the rest."""

    def __init__(self, sink: socket.socket) -> None:
        self._sink = sink
        self._rest = memoryview(b"")
        self._ending = False

    @property
    def is_blocked(self) -> bool:
        """Whether bytes are waiting for the receiver."""
        return len(self._rest) > 0

    @property
    def is_finished(self) -> bool:
        """Whether everything was sent and the end of the stream after it."""
        return self._ending and not self.is_blocked

    def send(self, data: bytes | memoryview) -> None:
        """Send, or keep behind what waits already.

        Raises:
            OSError: the receiver is gone.
        """
        if self.is_blocked:
            self._rest = memoryview(bytes(self._rest) + bytes(data))
            return
        sent = self._try(data)
        if sent < len(data):
            self._rest = memoryview(bytes(data[sent:]))

    def flush(self) -> None:
        """Send of what waits as much as the receiver takes now.

        Raises:
            OSError: the receiver is gone.
        """
        if self.is_blocked:
            self._rest = self._rest[self._try(self._rest) :]
            self._shut_at_end()

    def finish(self) -> None:
        """Send the end of the stream after what waits."""
        self._ending = True
        self._shut_at_end()

    def discard(self) -> None:
        """Forget what waits: the receiver won't take it any more."""
        self._rest = memoryview(b"")
        self._ending = True

    def _try(self, data: bytes | memoryview) -> int:
        try:
            return self._sink.send(data)
        except BlockingIOError:
            return 0

    def _shut_at_end(self) -> None:
        if self.is_finished:
            with suppress(OSError):  # already gone: then it knows that nothing more comes
                self._sink.shutdown(socket.SHUT_WR)


class Relay:
    """One connected pair. Every method that moves bytes returns how it ended, if it did."""

    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        passage: TunnelGate | Body,
        *,
        buffer: memoryview,
        up: Budget,
        down: Budget,
    ) -> None:
        self.bytes_up = 0
        self.bytes_down = 0
        self._client, self._server = client, server
        self._to_client, self._to_server = Outlet(client), Outlet(server)
        self._passage = passage
        self._response = ResponseHead() if isinstance(passage, Body) else None
        self._buffer = buffer
        self._up, self._down = up, down
        self._up_ended = self._down_ended = False

    @property
    def is_held(self) -> bool:
        """Whether the client owes the bytes by which its tunnel is judged."""
        return isinstance(self._passage, TunnelGate) and self._passage.is_waiting

    @property
    def upload_is_open(self) -> bool:
        """Whether the client may still be sending the body of its request."""
        return isinstance(self._passage, Body) and not self._passage.complete

    def client_interest(self) -> int:
        """Return the selector's events to wait for on the client's socket."""
        reads = not self._up_ended and not self._to_server.is_blocked
        return _events(reads=reads, writes=self._to_client.is_blocked)

    def server_interest(self) -> int:
        """Return the selector's events to wait for on the server's socket."""
        reads = not self._down_ended and not self._to_client.is_blocked
        return _events(reads=reads, writes=self._to_server.is_blocked)

    def begin(self, *, greeting: bytes, head: bytes, early: bytes) -> Ending | None:
        """Tell the client that it is connected or the server what is asked; then what waited."""
        try:
            self._to_client.send(greeting)
        except OSError as error:
            return _client_gone(error)
        ending = self._send_up(head)
        return ending or (self._pass_up(early) if early else None)

    def on_client(self, events: int) -> Ending | None:
        """Move bytes because the client's socket is ready."""
        try:
            if events & selectors.EVENT_WRITE:
                self._to_client.flush()
            count = self._client.recv_into(self._buffer) if events & selectors.EVENT_READ else None
        except BlockingIOError:
            count = None
        except OSError as error:
            return _client_gone(error)
        if count is None:
            return self._ended()
        return self._pass_up(self._buffer[:count]) if count else self._client_ended()

    def on_server(self, events: int) -> Ending | None:
        """Move bytes because the server's socket is ready."""
        if events & selectors.EVENT_WRITE:
            try:
                self._to_server.flush()
            except OSError:
                self._server_stopped_listening()
        if not events & selectors.EVENT_READ:
            return self._ended()
        try:
            count = self._server.recv_into(self._buffer)
        except BlockingIOError:
            return None
        except OSError as error:
            return Ending(Cause.SERVER_GONE, f"the server broke off: {error}")
        return self._pass_down(self._buffer[:count]) if count else self._server_ended()

    def _pass_up(self, data: bytes | memoryview) -> Ending | None:
        passage = self._passage
        if isinstance(passage, Body):
            try:
                count = passage.feed(data)
            except BadRequest as problem:
                return Ending(Cause.BAD_REQUEST, str(problem))
            return self._send_up(data[:count]) or (_EXCESS if count < len(data) else None)
        if not passage.is_open:
            try:
                data = passage.feed(bytes(data))
            except GateClosed as closed:
                return self._gate_closed(closed)
        return self._send_up(data)

    def _gate_closed(self, closed: GateClosed) -> Ending:
        if closed.cause is Cause.SERVER_NAME and not self.bytes_down:
            with suppress(OSError):  # so that the client says more than that it was reset
                self._client.send(UNRECOGNIZED_NAME)
        return Ending(closed.cause, str(closed), Result.REFUSED, reset=False)

    def _send_up(self, data: bytes | memoryview) -> Ending | None:
        taken = self._up.take(len(data))
        try:
            self._to_server.send(data[:taken])
        except OSError:
            self._server_stopped_listening()
        else:
            self.bytes_up += taken
        return _UP_SPENT if taken < len(data) else None

    def _pass_down(self, data: bytes | memoryview) -> Ending | None:
        taken = self._down.take(len(data))
        self.bytes_down += taken
        passed = data[:taken]
        if self._response is not None and not self._response.is_passed:
            passed = self._response.feed(bytes(passed))
        try:
            self._to_client.send(passed)
        except OSError as error:
            return _client_gone(error)
        return _DOWN_SPENT if taken < len(data) else None

    def _client_ended(self) -> Ending | None:
        if self.upload_is_open or self.is_held:
            return Ending(Cause.CLIENT_GONE, "the client closed before its request was complete")
        self._up_ended = True
        if isinstance(self._passage, TunnelGate):  # a server may take half of the end for all of it
            self._to_server.finish()
        return self._ended()

    def _server_ended(self) -> Ending | None:
        self._down_ended = True
        try:
            if self._response is not None:
                self._to_client.send(self._response.finish())
        except OSError as error:
            return _client_gone(error)
        self._to_client.finish()
        return self._ended()

    def _server_stopped_listening(self) -> None:
        """Stop sending; an answer may still come, like 413 before the whole body was sent."""
        self._up_ended = True
        self._to_server.discard()

    def _ended(self) -> Ending | None:
        """Return the orderly end if it is reached: the answer through, or both sides silent."""
        if not (self._down_ended and self._to_client.is_finished):
            return None
        whole = isinstance(self._passage, Body) or (self._up_ended and self._to_server.is_finished)
        return DONE if whole else None


def _client_gone(error: OSError) -> Ending:
    return Ending(Cause.CLIENT_GONE, f"the client broke off: {error}")


def _events(*, reads: bool, writes: bool) -> int:
    return reads * selectors.EVENT_READ | writes * selectors.EVENT_WRITE
