"""The server name in the first bytes of a TLS connection, before any of them is passed on.

CONNECT names a host, and the tunnel behind it could greet the server there with another name: on a
machine that serves many names (every CDN) that reaches a host nobody granted. So a tunnel's first
message has to be a ClientHello that names the host of the CONNECT.

What this can't give: the request inside TLS may still carry another Host header than the name in
the greeting. Seeing that would mean breaking the encryption. Most CDNs answer such a request with
421; one that doesn't is only as closed as its own rules. An encrypted ClientHello would hide a
second name behind the visible one and is refused for it; no client sends one unasked.

Reads only what it needs, strictly: lengths must add up, nothing may occur twice. Knows no socket.
"""

from __future__ import annotations

from dataclasses import dataclass

from skilllite_sandbox.egress.addresses import Address
from skilllite_sandbox.egress.attempt import Cause
from skilllite_sandbox.egress.rules import BadTarget, Host, parse_host

TLS_PORT = 443  # here nothing but TLS is served; at other ports it is looked for

UNRECOGNIZED_NAME = bytes([21, 3, 3, 0, 2, 2, 112])
"""The alert by which a TLS server says that it doesn't know the name; fatal."""

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_RECORD_HEADER = 5
_MESSAGE_HEADER = 4
_RECORD_BYTES_MAX = 2**14
_SERVER_NAME = 0
_HOST_NAME = 0
_ENCRYPTED_HELLO = 0xFE0D
_RANDOM_AND_VERSION = 34
_MINOR_VERSIONS: tuple[list[int], ...] = (
    [],
    [1],
    [2],
    [3],
)  # of the record layer; later ones say 3 or 1 as well


class NotTls(ValueError):
    """These bytes don't begin a TLS connection that can be judged."""


class GateClosed(Exception):
    """A tunnel must not go on; nothing of it has reached the server."""

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What is looked at in a ClientHello."""

    server_name: str | None
    encrypted: bool
    """Whether it carries a second, encrypted greeting."""


class HelloReader:
    """Puts the first message of a TLS client together, from however many records it comes in."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._header = bytearray()
        self._record_left = 0
        self._message = bytearray()

    def feed(self, data: bytes) -> ClientHello | None:
        """Take bytes; return the greeting once it is complete. What follows it isn't looked at.

        Raises:
            NotTls: it is something else, malformed, or longer than the limit.
        """
        position = 0
        while position < len(data):
            if self._record_left:
                step = min(self._record_left, len(data) - position)
                self._message += data[position : position + step]
                self._record_left -= step
                position += step
                if len(self._message) >= self._needed():
                    return _read_hello(bytes(self._message[_MESSAGE_HEADER : self._needed()]))
            else:
                self._header.append(data[position])
                position += 1
                self._read_header()
        return None

    def _needed(self) -> int:
        """Return the length of the whole message, as far as it is known."""
        if self._message[0] != _CLIENT_HELLO:
            raise NotTls("the first TLS message is not a ClientHello")
        if len(self._message) < _MESSAGE_HEADER:
            return _MESSAGE_HEADER
        needed = _MESSAGE_HEADER + int.from_bytes(self._message[1:_MESSAGE_HEADER])
        if needed > self._limit_bytes:
            raise NotTls(f"the ClientHello is longer than {self._limit_bytes} bytes")
        return needed

    def _read_header(self) -> None:
        """Refuse at the first byte that is wrong, so that another protocol isn't waited for."""
        kind, *version = self._header[:3]
        if kind != _HANDSHAKE or version[:1] not in ([], [3]) or version[1:] not in _MINOR_VERSIONS:
            raise NotTls("the connection doesn't begin with TLS")
        if len(self._header) == _RECORD_HEADER:
            self._record_left = int.from_bytes(self._header[3:])
            if not 0 < self._record_left <= _RECORD_BYTES_MAX:
                raise NotTls("a TLS record has an impossible length")
            self._header.clear()


class TunnelGate:
    """Holds back what a client says first in a tunnel until it is known to be meant for the host.

    At the port of HTTPS that has to be TLS. At others it may be anything, but if it looks like TLS
    it is judged as that.
    """

    def __init__(self, host: Host, port: int, limit_bytes: int) -> None:
        self.is_open = False
        """Everything passes from now on."""
        self._host = host
        self._only_tls = port == TLS_PORT
        self._hello = HelloReader(limit_bytes)
        self._held = bytearray()

    @property
    def is_waiting(self) -> bool:
        """Whether the client owes more bytes before anything can pass."""
        return not self.is_open and (self._only_tls or bool(self._held))

    def feed(self, data: bytes) -> bytes:
        """Take what the client said, return what may be passed on.

        Raises:
            GateClosed: the tunnel has to end here.
        """
        if self.is_open:
            return data
        self._held += data
        if self._only_tls or self._held[0] == _HANDSHAKE:
            try:
                hello = self._hello.feed(data)
            except NotTls as error:
                raise GateClosed(Cause.NOT_TLS, str(error)) from None
            if hello is None:
                return b""
            problem = name_problem(hello, self._host)
            if problem is not None:
                raise GateClosed(Cause.SERVER_NAME, problem)
        self.is_open = True
        released = bytes(self._held)
        self._held.clear()
        return released


def name_problem(hello: ClientHello, host: Host) -> str | None:
    """Say why this greeting doesn't belong to a tunnel to `host`; None if it does."""
    if hello.encrypted:
        return "an encrypted ClientHello hides which host is meant"
    if hello.server_name is None:
        # An address has no name to give. For a name, leaving it out asks the server for whatever
        # it serves by default.
        return None if isinstance(host, Address) else "the TLS connection names no host"
    try:
        if parse_host(hello.server_name) == host:
            return None
    except BadTarget:
        pass
    return "the TLS connection names another host than the request"


class _Fields:
    """Takes length-prefixed fields off a message, never past its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def empty(self) -> bool:
        return self._position == len(self._data)

    def take(self, count: int) -> bytes:
        taken = self._data[self._position : self._position + count]
        if len(taken) < count:
            raise NotTls("a length in the ClientHello is wrong")
        self._position += count
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> bytes:
        return self.take(self.number(size))


def _read_hello(body: bytes) -> ClientHello:
    fields = _Fields(body)
    fields.take(_RANDOM_AND_VERSION)
    fields.vector(1)  # session id
    fields.vector(2)  # cipher suites
    fields.vector(1)  # compression
    if fields.empty:
        return ClientHello(None, encrypted=False)  # TLS before extensions
    extensions = _read_extensions(fields.vector(2))
    if not fields.empty:
        raise NotTls("a length in the ClientHello is wrong")
    named = extensions.get(_SERVER_NAME)
    return ClientHello(
        server_name=None if named is None else _read_server_name(named),
        encrypted=_ENCRYPTED_HELLO in extensions,
    )


def _read_extensions(data: bytes) -> dict[int, bytes]:
    fields = _Fields(data)
    found: dict[int, bytes] = {}
    while not fields.empty:
        kind = fields.number(2)
        if kind in found:
            raise NotTls("an extension of the ClientHello occurs twice")
        found[kind] = fields.vector(2)
    return found


def _read_server_name(data: bytes) -> str:
    outer = _Fields(data)
    names = _Fields(outer.vector(2))
    kind = names.number(1)
    name = names.vector(2)
    if kind != _HOST_NAME or not names.empty or not outer.empty:
        raise NotTls("the ClientHello names more than one host")
    return name.decode("latin-1")
