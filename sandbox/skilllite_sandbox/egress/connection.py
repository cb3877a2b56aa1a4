"""One client of the proxy, from its first byte to its last.

    HEAD -> RESOLVING -> CONNECTING -> RELAYING -> OVER
      any of them -> ANSWERING (the client is told why not) -> OVER

Does what rules, requests and client_hello decide, on sockets that never block; everything here is
called by the loop in proxy.py, on its thread. The order is what makes it safe: nothing is resolved
before the name was allowed, nothing connected before every address was judged, nothing of a
tunnel passed on before its greeting was read, and an attempt is reported before the client can see
how it ended.
"""

from __future__ import annotations

import selectors
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto

from skilllite_sandbox.egress.addresses import Address
from skilllite_sandbox.egress.attempt import Attempt, Cause, EgressLimits, Result
from skilllite_sandbox.egress.client_hello import TunnelGate
from skilllite_sandbox.egress.dial import Dial
from skilllite_sandbox.egress.interest import Interests
from skilllite_sandbox.egress.relay import Budget, Ending, Outlet, Relay
from skilllite_sandbox.egress.requests import (
    CONNECTED,
    BadRequest,
    Body,
    Forward,
    HeadReader,
    Request,
    answer,
)
from skilllite_sandbox.egress.resolution import Answer, Lookups, is_own_address
from skilllite_sandbox.egress.rules import Refused, Rules, show, with_article

LINGER_BYTES_MAX = 1024 * 1024  # read and dropped after an answer, so that the client gets it

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close sends RST and forgets what wasn't sent


class State(Enum):
    """How far a connection has come."""

    HEAD = auto()
    RESOLVING = auto()
    CONNECTING = auto()
    RELAYING = auto()
    ANSWERING = auto()
    OVER = auto()


@dataclass(slots=True)
class Shared:
    """What all connections of one proxy use together."""

    rules: Rules
    limits: EgressLimits
    lookups: Lookups
    selector: selectors.BaseSelector
    buffer: memoryview
    up: Budget
    down: Budget
    report: Callable[[Attempt], None]
    clock: Callable[[], float]


class Connection:
    """A client, and the server it was let through to."""

    def __init__(self, shared: Shared, client: socket.socket, number: int) -> None:
        self.state = State.HEAD
        self.deadline = shared.clock() + shared.limits.head_s
        """When the present state has lasted too long."""
        self._shared = shared
        self._number = number
        self._started = shared.clock()
        self._client = client
        self._server: socket.socket | None = None
        self._interests = Interests(shared.selector, self)
        self._reader = HeadReader(shared.limits.head_bytes)
        self._request: Request | None = None
        self._early = b""
        """What came behind the head, until there is a server for it."""
        self._address: Address | None = None
        self._dial: Dial | None = None
        self._relay: Relay | None = None
        self._is_held = False
        self._answer = Outlet(client)
        self._dropped_bytes = 0
        self._is_reported = False
        self._watch()

    @property
    def awaited_name(self) -> str | None:
        """The name whose addresses this connection waits for."""
        if self.state is State.RESOLVING and self._request is not None:
            return str(self._request.host)
        return None

    def on_ready(self, ready: object, events: int) -> None:
        """Go on because a socket can be read or written."""
        if self.state is State.OVER:  # ended by an earlier event of the same turn
            return
        if self.state is State.RELAYING:
            self._move(ready, events)
        elif self.state is State.CONNECTING:
            self._go_on_connecting()
        elif self.state is State.HEAD:
            self._read_head()
        elif self.state is State.ANSWERING:
            self._go_on_answering(events)
        self._watch()

    def on_answer(self, found: Answer) -> None:
        """Go on with the addresses of the name."""
        self._take_answer(found)
        self._watch()

    def on_deadline(self) -> None:
        """Give up what takes too long."""
        limits = self._shared.limits
        if self.state is State.HEAD:
            text = f"no complete request came within {limits.head_s:g} s"
            self._refuse(408, Cause.TIMEOUT, text, result=Result.FAILED)
        elif self.state is State.RESOLVING:
            self._fail(504, Cause.TIMEOUT, f"was not resolved within {limits.resolve_s:g} s")
        elif self.state is State.CONNECTING and self._dial is not None:
            self._dial.problem = "no answer"
            self._connect_next()
        elif self.state is State.RELAYING and self._is_held:
            text = f"no complete TLS greeting came within {limits.head_s:g} s"
            self._end(Ending(Cause.TIMEOUT, text, Result.FAILED))
        elif self.state is State.RELAYING:
            self._end(Ending(Cause.IDLE, f"no byte in either direction for {limits.idle_s:g} s"))
        else:
            self._release(reset=True)
        self._watch()

    def abort(self, detail: str) -> None:
        """End at once, because the proxy does."""
        result = Result.ALLOWED if self.state is State.RELAYING else Result.FAILED
        try:
            self._report(Ending(Cause.CLOSED, detail, result))
        finally:
            self._release(reset=True)

    # The request

    def _read_head(self) -> None:
        try:
            data = self._client.recv(self._shared.limits.head_bytes)
            found = self._reader.feed(data) if data else None
        except BlockingIOError:
            return
        except OSError as error:
            self._end(Ending(Cause.CLIENT_GONE, str(error), Result.FAILED))
            return
        except BadRequest as problem:
            self._refuse(problem.status, Cause.BAD_REQUEST, str(problem))
            return
        if not data:
            text = "the client closed before its request was complete"
            self._end(Ending(Cause.CLIENT_GONE, text, Result.FAILED, reset=False))
        elif found is not None:
            self._request, self._early = found
            self._decide(self._request)

    def _decide(self, request: Request) -> None:
        for budget, cause, way in (
            (self._shared.up, Cause.BYTES_UP, "sent"),
            (self._shared.down, Cause.BYTES_DOWN, "received"),
        ):
            if not budget.left_bytes:
                self._refuse(403, cause, f"this run has {way} as many bytes as it may")
                return
        decision = self._shared.rules.decide(request.host, request.port)
        if isinstance(decision, Refused):
            self._refuse(403, decision.cause, decision.reason)
        elif decision.addresses:
            self._check_addresses(request, decision.addresses)
        else:
            self._enter(State.RESOLVING, self._shared.limits.resolve_s)
            known = self._shared.lookups.ask(str(request.host), self._shared.clock())
            if known is not None:
                self._take_answer(known)

    def _take_answer(self, found: Answer) -> None:
        assert self._request is not None
        if found.addresses:
            self._check_addresses(self._request, found.addresses)
        else:
            self._fail(502, Cause.NOT_RESOLVED, "could not be resolved", found.problem)

    # The server

    def _check_addresses(self, request: Request, addresses: tuple[Address, ...]) -> None:
        """Refuse a name as a whole if one of its addresses is refused, else connect.

        A public name with a private address among its own is a trick or a mistake. Connecting to
        the others would hide it, and which one is connected to must not depend on their order.
        """
        for address in addresses:
            try:
                kind = self._kind_refused(address, request.port)
            except OSError as error:
                self._fail(502, Cause.NOT_CONNECTED, "could not be reached", str(error))
                return
            if kind is not None:
                self._address = address
                shown = show(request.host, request.port)
                # Not which address: the skill would learn of a network that it can't see.
                text = f"{shown} leads to {with_article(kind)}, which a name may not lead to"
                self._refuse(403, Cause.ADDRESS_REFUSED, text)
                return
        until = self._shared.clock() + self._shared.limits.connect_s
        self._dial = Dial(addresses, request.port, until)
        self._connect_next()

    def _kind_refused(self, address: Address, port: int) -> str | None:
        rules = self._shared.rules
        if rules.names_address(address, port):
            return None
        kind = rules.address_refusal(address, port)
        return kind or ("address of this machine" if is_own_address(address) else None)

    def _connect_next(self) -> None:
        assert self._dial is not None
        self._forget_server()
        now = self._shared.clock()
        under_way = self._dial.try_next(now)
        self._address = self._dial.address
        if under_way:
            self._server = self._dial.socket
            self.state, self.deadline = State.CONNECTING, self._dial.deadline
        elif self._dial.is_late(now):
            text = f"did not answer within {self._shared.limits.connect_s:g} s"
            self._fail(504, Cause.TIMEOUT, text)
        else:
            self._fail(502, Cause.NOT_CONNECTED, f"could not be reached: {self._dial.problem}")

    def _go_on_connecting(self) -> None:
        assert self._dial is not None
        assert self._request is not None
        if not self._dial.is_connected():
            self._connect_next()
            return
        server = self._dial.take()
        request, shared = self._request, self._shared
        passage: TunnelGate | Body
        greeting, head = CONNECTED, b""
        if isinstance(request, Forward):
            passage, greeting, head = Body(request.length), b"", request.head
        else:
            passage = TunnelGate(request.host, request.port, shared.limits.head_bytes)
        self._relay = Relay(
            self._client, server, passage, buffer=shared.buffer, up=shared.up, down=shared.down
        )
        self.state = State.RELAYING
        early, self._early = self._early, b""
        self._after(self._relay.begin(greeting=greeting, head=head, early=early))

    def _move(self, ready: object, events: int) -> None:
        assert self._relay is not None
        if ready is self._client:
            self._after(self._relay.on_client(events))
        elif ready is self._server:
            self._after(self._relay.on_server(events))

    def _after(self, ending: Ending | None) -> None:
        """Go on or end after bytes were moved."""
        assert self._relay is not None
        if ending is not None:
            self._end(ending)
            return
        was_held, self._is_held = self._is_held, self._relay.is_held
        if not self._is_held:
            self.deadline = self._shared.clock() + self._shared.limits.idle_s
        elif not was_held:
            self.deadline = self._shared.clock() + self._shared.limits.head_s

    # The end

    def _fail(self, status: int, cause: Cause, what: str, why: str = "") -> None:
        assert self._request is not None
        text = f"{show(self._request.host, self._request.port)} {what}"
        detail = f"{text}: {why}" if why else text
        self._refuse(status, cause, text, result=Result.FAILED, detail=detail)

    def _refuse(
        self,
        status: int,
        cause: Cause,
        text: str,
        *,
        result: Result = Result.REFUSED,
        detail: str = "",
    ) -> None:
        """Report, tell the client, and wait a moment until it has read that."""
        self._report(Ending(cause, detail or text, result))
        self._forget_server()
        self._enter(State.ANSWERING, self._shared.limits.linger_s)
        try:
            self._answer.send(answer(status, text))
            self._answer.finish()
        except OSError:
            self._release(reset=True)

    def refuse_at_once(self, cause: Cause, text: str) -> None:
        """Refuse before anything was read."""
        self._refuse(403, cause, text)
        self._watch()

    def _go_on_answering(self, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                self._answer.flush()
            if events & selectors.EVENT_READ:
                count = self._client.recv_into(self._shared.buffer)
                self._dropped_bytes += count
                if not count or self._dropped_bytes > LINGER_BYTES_MAX:
                    self._release(reset=bool(count))
        except BlockingIOError:
            return
        except OSError:
            self._release(reset=True)

    def _end(self, ending: Ending) -> None:
        self._report(ending)
        lingers = self._relay is not None and self._relay.upload_is_open and not ending.reset
        if lingers:  # a close now would reset, and take the answer away from the client
            self._forget_server()
            self._enter(State.ANSWERING, self._shared.limits.linger_s)
            self._answer.finish()
        else:
            self._release(reset=ending.reset)

    def _report(self, ending: Ending) -> None:
        """Say what became of this attempt, once."""
        if self._is_reported:
            return
        self._is_reported = True
        request, relay = self._request, self._relay
        method = "CONNECT" if request is not None else ""
        self._shared.report(
            Attempt(
                number=self._number,
                method=request.method if isinstance(request, Forward) else method,
                host=str(request.host) if request is not None else "",
                port=request.port if request is not None else 0,
                address=str(self._address) if self._address is not None else "",
                result=ending.result,
                cause=ending.cause,
                detail=ending.detail,
                bytes_up=relay.bytes_up if relay is not None else 0,
                bytes_down=relay.bytes_down if relay is not None else 0,
                duration_ms=(self._shared.clock() - self._started) * 1000,
            )
        )

    def _enter(self, state: State, duration_s: float) -> None:
        self.state = state
        self.deadline = self._shared.clock() + duration_s

    def _release(self, *, reset: bool) -> None:
        """Close both sockets."""
        self.state = State.OVER
        self._forget_server(reset=reset)
        self._watch()
        _close(self._client, reset=reset)

    def _forget_server(self, *, reset: bool = True) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        self._interests.set(server, 0)
        if self._dial is not None:
            self._dial.close()
        _close(server, reset=reset)

    def _watch(self) -> None:
        """Wait for what the present state needs."""
        client = server = 0
        if self.state is State.HEAD:
            client = selectors.EVENT_READ
        elif self.state is State.CONNECTING:
            server = selectors.EVENT_WRITE
        elif self.state is State.RELAYING and self._relay is not None:
            client, server = self._relay.client_interest(), self._relay.server_interest()
        elif self.state is State.ANSWERING:
            client = selectors.EVENT_READ | self._answer.is_blocked * selectors.EVENT_WRITE
        self._interests.set(self._client, client)
        if self._server is not None:
            self._interests.set(self._server, server)


def _close(ended: socket.socket, *, reset: bool) -> None:
    if reset:
        with suppress(OSError):
            ended.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    ended.close()
