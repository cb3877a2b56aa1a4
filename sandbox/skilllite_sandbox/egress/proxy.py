"""The proxy of one run: accepts on the listener of the sandbox, bounds, and ends with the run.

One thread, one loop over all its sockets. The listener was made inside the network namespace of
the skill and handed out; what is accepted from it and everything that is connected lives on the
host. What a client may reach is decided in connection.py and below.

The listener is shared with processes of the skill, which can accept from it as well (they get
their own connections) or make it blocking again: so closing shuts it down first, which also wakes
an accept that should not have blocked.
"""

from __future__ import annotations

import errno
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from skilllite_sandbox.egress.attempt import (
    DEFAULT_EGRESS_LIMITS,
    Attempt,
    Cause,
    EgressLimits,
)
from skilllite_sandbox.egress.connection import Connection, Shared, State
from skilllite_sandbox.egress.relay import READ_BYTES, Budget
from skilllite_sandbox.egress.resolution import Lookups, Resolver, default_resolver
from skilllite_sandbox.egress.rules import Rules

ACCEPT_PAUSE_S = 0.1  # after the system had no descriptor left for us
_FOREVER_S = 3600.0  # nothing to wait for; a wake-up ends it

# The listener itself is all right after these: the client was too quick, or we have to wait.
_ACCEPT_AGAIN = frozenset({errno.ECONNABORTED, errno.EINTR, errno.EPROTO, errno.EPERM})
_ACCEPT_LATER = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class EgressProxy:
    """An allow-list HTTP proxy on a listening socket. Owns the socket from now on.

    `close` has to be called, also if `start` was not; it may be called on any thread, any number
    of times.
    """

    def __init__(
        self,
        listener: socket.socket,
        rules: Rules,
        *,
        on_attempt: Callable[[Attempt], None],
        resolve: Resolver = default_resolver,
        limits: EgressLimits = DEFAULT_EGRESS_LIMITS,
    ) -> None:
        """Take the listener; nothing is accepted before `start`.

        Args:
            listener: A listening TCP socket, from whichever network namespace.
            rules: What may be reached.
            on_attempt: Called once for each connection, on the proxy's thread. Must not block; if
                it raises, the proxy ends: what can't be recorded doesn't happen.
            resolve: Names to addresses; called on threads of its own.
            limits: The bounds of this run.
        """
        self.failure: BaseException | None = None
        """What ended the proxy before `close` did; None as long as nothing has."""
        self._listener = listener
        self._limits = limits
        self._on_attempt = on_attempt
        self._waker = _Waker()
        self._selector = selectors.DefaultSelector()
        self._lookups = Lookups(resolve, self._waker.wake)
        self._shared = Shared(
            rules=rules,
            limits=limits,
            lookups=self._lookups,
            selector=self._selector,
            buffer=memoryview(bytearray(READ_BYTES)),
            up=Budget(limits.bytes_up),
            down=Budget(limits.bytes_down),
            report=on_attempt,
            clock=time.monotonic,
        )
        self._connections: set[Connection] = set()
        self._accepted = 0
        self._accepts = True
        """Whether anybody is ever accepted again."""
        self._listens = False
        self._accept_after = 0.0
        self._wake_at = 0.0
        """No deadline of a connection is earlier than this."""
        self._stopping = False
        self._released = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="egress-proxy", daemon=True)

    def __enter__(self) -> EgressProxy:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Begin to accept.

        Raises:
            OSError: the listener can't be used.
            RuntimeError: no thread could be started.
        """
        self._listener.setblocking(False)
        self._thread.start()

    def close(self) -> None:
        """End every connection, report it, close every socket and wait for the threads.

        A name server's answer that is still awaited is waited for as well, until `close_s` are
        over; after that its thread, which holds nothing of the run, ends by itself.
        """
        deadline = time.monotonic() + self._limits.close_s
        self._stopping = True
        with self._lock:
            if not self._released:
                with suppress(OSError):
                    self._listener.shutdown(socket.SHUT_RDWR)
        self._waker.wake()
        if self._thread.ident is None:
            self._release()
        elif self._thread is not threading.current_thread():
            self._thread.join(self._limits.close_s)
            self._lookups.join(deadline)

    # The loop

    def _run(self) -> None:
        try:
            self._selector.register(self._waker.reader, selectors.EVENT_READ)
            while not self._stopping:
                self._turn()
        except BaseException as error:
            self.failure = error
            raise  # to threading.excepthook, so that it is seen
        finally:
            self._release()

    def _turn(self) -> None:
        self._watch_listener()
        for key, events in self._selector.select(self._time_left()):
            if isinstance(key.data, Connection):
                key.data.on_ready(key.fileobj, events)
                self._note(key.data)
            elif key.fileobj is self._listener:
                self._accept()
            else:
                self._waker.drain()
        for name, answer in self._lookups.collect(time.monotonic()):
            for connection in tuple(self._connections):
                if connection.awaited_name == name:
                    connection.on_answer(answer)
                    self._note(connection)
        if time.monotonic() >= self._wake_at:
            self._expire()

    def _note(self, connection: Connection) -> None:
        """Remember a connection's deadline, or forget the connection if it is over."""
        if connection.state is State.OVER:
            self._connections.discard(connection)
        elif connection.deadline < self._wake_at:
            self._wake_at = connection.deadline

    def _time_left(self) -> float:
        wake_at = self._wake_at if self._connections else self._accept_after
        left_s = wake_at - time.monotonic()
        return max(left_s, 0.0) if self._connections or left_s > 0 else _FOREVER_S

    def _expire(self) -> None:
        """Tell connections whose time is up, and find out when the next one's is.

        Activity only moves a deadline away, so between two calls nobody has to look at all.
        """
        now = time.monotonic()
        for connection in tuple(self._connections):
            if connection.deadline <= now:
                connection.on_deadline()
                if connection.state is State.OVER:
                    self._connections.discard(connection)
        deadlines = [connection.deadline for connection in self._connections]
        self._wake_at = min([now + _FOREVER_S, *deadlines])
        if self._accept_after > now:
            self._wake_at = min(self._wake_at, self._accept_after)

    # The listener

    def _watch_listener(self) -> None:
        """Accept only while there is room: whoever comes meanwhile waits in the backlog."""
        wanted = (
            self._accepts
            and len(self._connections) < self._limits.connections_at_once
            and time.monotonic() >= self._accept_after
        )
        if wanted and not self._listens:
            self._selector.register(self._listener, selectors.EVENT_READ)
        elif self._listens and not wanted:
            self._selector.unregister(self._listener)
        self._listens = wanted

    def _accept(self) -> None:
        """Accept one; another one makes the listener ready again, and a second try could block."""
        try:
            client, _address = self._listener.accept()
        except BlockingIOError:
            return
        except OSError as error:
            self._accept_failed(error)
            return
        if self._accepted == self._limits.connections:
            self._accepts = False
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
        self._begin(client)

    def _accept_failed(self, error: OSError) -> None:
        if error.errno in _ACCEPT_AGAIN:
            return
        if error.errno in _ACCEPT_LATER:
            self._accept_after = time.monotonic() + ACCEPT_PAUSE_S
            self._wake_at = min(self._wake_at, self._accept_after)
        else:  # EINVAL: somebody who shares the listener shut it down; open connections go on
            self._accepts = False

    def _begin(self, client: socket.socket) -> None:
        self._accepted += 1
        client.setblocking(False)
        with suppress(OSError):  # gone already; reading will tell
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self._shared, client, self._accepted)
        self._connections.add(connection)
        if self._accepted > self._limits.connections:
            text = f"this run has made {self._limits.connections} connections, which is its limit"
            connection.refuse_at_once(Cause.CONNECTIONS, text)
        self._note(connection)

    def _release(self) -> None:
        """Close everything; what can't be reported any more is closed nevertheless."""
        with self._lock:
            if self._released:
                return
            self._released = True
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for connection in tuple(self._connections):
            try:
                connection.abort("the run ended")
            except Exception as error:  # of the report
                self.failure = self.failure or error
        self._connections.clear()
        self._selector.close()
        self._waker.close()


class _Waker:
    """Wakes the loop from another thread, also when it is gone already."""

    def __init__(self) -> None:
        self.reader, self._writer = socket.socketpair()
        self.reader.setblocking(False)
        self._writer.setblocking(False)
        self._lock = threading.Lock()
        self._closed = False

    def wake(self) -> None:
        """Make the loop take a turn."""
        # The lock: a number that was closed may be somebody else's by now.
        with self._lock, suppress(BlockingIOError):  # full: it is going to wake anyway
            if not self._closed:
                self._writer.send(b"w")

    def drain(self) -> None:
        """Forget the calls so far."""
        with suppress(BlockingIOError):
            self.reader.recv(4096)

    def close(self) -> None:
        """Give both ends back."""
        with self._lock:
            self._closed = True
            self.reader.close()
            self._writer.close()
