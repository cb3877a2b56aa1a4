"""A proxy, servers behind it and clients in front of it, all on loopback, with a made-up DNS."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from skilllite_sandbox.egress.attempt import DEFAULT_EGRESS_LIMITS, Attempt, EgressLimits
from skilllite_sandbox.egress.proxy import EgressProxy
from skilllite_sandbox.egress.resolution import Resolver
from skilllite_sandbox.egress.rules import parse_rules

WAIT_S = 20.0  # for anything that has to happen; only a failing test waits so long
HOST = "api.example.com"


class Names:
    """A resolver with a few names, which remembers what it was asked."""

    def __init__(self, known: Mapping[str, Sequence[str]]) -> None:
        self.known = dict(known)
        self.asked: list[str] = []

    def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        if name not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.known[name]


class Attempts:
    """Collects what a proxy reports."""

    def __init__(self) -> None:
        self._seen: list[Attempt] = []
        self._changed = threading.Condition()

    def __call__(self, attempt: Attempt) -> None:
        with self._changed:
            self._seen.append(attempt)
            self._changed.notify_all()

    @property
    def seen(self) -> list[Attempt]:
        """Everything reported so far, in the order of connecting; reports come at the end."""
        with self._changed:
            return sorted(self._seen, key=lambda attempt: attempt.number)

    def wait(self, count: int = 1) -> list[Attempt]:
        """Return all attempts once there are `count`."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._seen) >= count, WAIT_S), self._seen
        return self.seen

    def only(self) -> Attempt:
        """Return the one attempt that there is to be."""
        (attempt,) = self.wait()
        return attempt


class Lab:
    """An open proxy."""

    def __init__(self, proxy: EgressProxy, port: int, attempts: Attempts) -> None:
        self.proxy = proxy
        self.port = port
        self.attempts = attempts

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, data: bytes = b"") -> socket.socket:
        """Connect to the proxy and say something."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S)
        client.sendall(data)
        return client

    def ask(self, data: bytes) -> bytes:
        """Say something and return all that comes back until the proxy closes."""
        with self.connect(data) as client:
            return read_all(client)

    def is_deaf(self) -> bool:
        """Try to connect; return whether nobody serves any more."""
        try:
            with self.connect() as client:
                return client.recv(1) == b""
        except ConnectionError:
            return True

    def tunnel(self, target: str) -> socket.socket:
        """Return a client whose tunnel is open."""
        client = self.connect(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())
        answer = read_head(client)
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        return client


@contextmanager
def open_proxy(
    *grants: str,
    resolve: Resolver | None = None,
    limits: EgressLimits = DEFAULT_EGRESS_LIMITS,
    on_attempt: Callable[[Attempt], None] | None = None,
) -> Iterator[Lab]:
    """Run a proxy; unless told otherwise every granted name is on loopback."""
    attempts = Attempts()
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    port = int(listener.getsockname()[1])
    proxy = EgressProxy(
        listener,
        parse_rules(grants),
        on_attempt=on_attempt or attempts,
        resolve=resolve or Names({HOST: ["127.0.0.1"]}),
        limits=limits,
    )
    with proxy:
        yield Lab(proxy, port, attempts)


@contextmanager
def serve(behave: Callable[[socket.socket], None], *, host: str = "127.0.0.1") -> Iterator[int]:
    """Listen on loopback and treat each connection in a thread; yield the port.

    What the threads raise is raised here at the end, except that the other side went away.
    """
    errors: list[Exception] = []
    threads: list[threading.Thread] = []
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family, backlog=512)

    def treat(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(WAIT_S)
            try:
                behave(connection)
            except ConnectionError:
                pass
            except Exception as error:
                errors.append(error)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                thread = threading.Thread(target=treat, args=(connection,))
                threads.append(thread)
                thread.start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        acceptor.join(WAIT_S)
        listener.close()
        for thread in threads:
            thread.join(WAIT_S)
    assert not errors, errors


def echo(connection: socket.socket) -> None:
    """Send everything back, then the end."""
    while data := connection.recv(65536):
        connection.sendall(data)


def read_head(connection: socket.socket) -> bytes:
    """Read up to and including the first empty line."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            break
        data += byte
    return data


def read_all(connection: socket.socket) -> bytes:
    """Read until the end or until the other side breaks off."""
    data = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            data += piece
    return data


def open_descriptors() -> dict[str, str]:
    """Return this process's open descriptors and what they lead to."""
    found: dict[str, str] = {}
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one of this very listing
            found[entry.name] = str(entry.readlink())
    return found


def egress_threads() -> list[str]:
    """Return the names of running threads that belong to a proxy."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("egress-")]
