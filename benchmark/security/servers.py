"""Servers and visitors of the host, which tell who reached whom."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

LOOPBACK = "127.0.0.1"
_REQUEST_BYTES = 4096
_PATIENCE_S = 5.0
_VISIT_EVERY_S = 0.02
_VISIT_TIMEOUT_S = 0.5


class Servers:
    """A web server and a name server that remember what they were asked."""

    def __init__(self, address: str = LOOPBACK) -> None:
        self.address = address
        self._tcp = socket.create_server((address, 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((address, 0))
        self.tcp_port: int = self._tcp.getsockname()[1]
        self.udp_port: int = self._udp.getsockname()[1]
        self._asked = threading.Condition()
        self._tcp_requests: list[bytes] = []
        self._udp_requests: list[bytes] = []
        self._threads = [
            threading.Thread(target=serve, daemon=True) for serve in (self._serve, self._answer)
        ]
        for thread in self._threads:
            thread.start()

    def visits(self, word: str) -> tuple[int, int]:
        """Return how many requests by TCP and by UDP held a word."""
        wanted = word.encode()
        with self._asked:
            return (
                sum(wanted in request for request in self._tcp_requests),
                sum(wanted in request for request in self._udp_requests),
            )

    def answers(self, word: str) -> bool:
        """Return whether both still count visitors, by visiting them."""
        with contextlib.suppress(OSError):
            with socket.create_connection((self.address, self.tcp_port), _PATIENCE_S) as visitor:
                visitor.sendall(f"GET /{word} HTTP/1.0\r\n\r\n".encode())
                visitor.settimeout(_PATIENCE_S)
                visitor.recv(_REQUEST_BYTES)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as visitor:
                visitor.settimeout(_PATIENCE_S)
                visitor.sendto(word.encode(), (self.address, self.udp_port))
                visitor.recv(_REQUEST_BYTES)
        return self.visits(word) == (1, 1)

    def close(self) -> None:
        """Stop serving."""
        # close alone doesn't wake a thread that waits in accept or recv.
        for server in (self._tcp, self._udp):
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_PATIENCE_S)
        self._tcp.close()
        self._udp.close()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._tcp.accept()
            except OSError:
                return
            with visitor, contextlib.suppress(OSError):
                visitor.settimeout(_PATIENCE_S)
                request = visitor.recv(_REQUEST_BYTES)
                self._remember(self._tcp_requests, request or b"connected without a word")
                visitor.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    def _answer(self) -> None:
        while True:
            try:
                request, visitor = self._udp.recvfrom(_REQUEST_BYTES)
            except OSError:
                return
            if not request:
                return  # what a shut down socket of this kind gives
            self._remember(self._udp_requests, request)
            with contextlib.suppress(OSError):
                # The same question with the bits of an answer that knows no such name.
                self._udp.sendto(request[:2] + b"\x81\x83" + request[4:], visitor)

    def _remember(self, requests: list[bytes], request: bytes) -> None:
        with self._asked:
            requests.append(request)


class Visitor:
    """Tries to reach a port of this host until it hears a word or is told to stop."""

    def __init__(self, port: int, word: str) -> None:
        self.heard = False
        self._port = port
        self._word = word.encode()
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)

    def __enter__(self) -> Visitor:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._enough.set()
        self._thread.join(_PATIENCE_S)

    def _visit(self) -> None:
        while not self.heard and not self._enough.wait(_VISIT_EVERY_S):
            with (
                contextlib.suppress(OSError),
                socket.create_connection((LOOPBACK, self._port), _VISIT_TIMEOUT_S) as there,
            ):
                there.settimeout(_VISIT_TIMEOUT_S)
                self.heard = there.recv(_REQUEST_BYTES).startswith(self._word)


def free_port() -> int:
    """Return a port that nobody listens on now; who takes it meanwhile doesn't know the word."""
    with socket.create_server((LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
        return port
