"""The head of a proxy request, read strictly; a plain request's new head, and where its body ends.

Knows HTTP/1 and no socket. A head is either read completely or refused: nothing is repaired,
because what one program repairs another one reads differently, and in that gap a second request
hides. So: CR LF only, no folded lines, one Host at most, one body length.

Where a request goes is said by its target alone (RFC 9112, 3.2.2). Programs that speak plain HTTP
to a proxy, node's `http` among them, name the proxy itself as Host: what came as Host decides
nothing and goes no further, a plain request gets one that is made of its target.

One connection carries one request to one host. The rewritten head says `Connection: close`, and
`Body` knows the last byte that may follow it, so that nothing the client appends is ever passed on
as a second request, perhaps with another Host.

Whether the target may be reached is rules.py's to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from skilllite_sandbox.egress.rules import BadTarget, Host, parse_authority, show

HTTP_PORT = 80
METHOD_CHARS_MAX = 32  # the longest registered one has 17
CHUNK_LINE_BYTES_MAX = 18  # 16 hexadecimal digits (64 bits) and CR LF

_END = b"\r\n\r\n"
_REQUEST_LINE = re.compile(
    r"(?P<method>[!#$%&'*+.^_`|~0-9A-Za-z-]+) (?P<target>[!-~]+) HTTP/1\.[01]"
)
_FIELD = re.compile(r"(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(?P<value>[\t -~\x80-\xff]*)")
_ABSOLUTE = re.compile(r"(?i:http)://(?P<authority>[^/?#]+)(?P<rest>[^#]*)")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}\r\n")

# For this hop only (RFC 9110, 7.6.1), besides everything that begins with "proxy-". A change of
# protocol is such a thing too: the relay could no longer tell where the request ends.
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "te", "trailer", "upgrade", "http2-settings", "host"}
)
# Fields that decide what the request is. `Connection` naming one of them would remove it.
_ESSENTIAL = frozenset({"host", "content-length", "transfer-encoding"})


class BadRequest(ValueError):
    """The head can't be read in exactly one way."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Tunnel:
    """`CONNECT host:port`."""

    host: Host
    port: int


@dataclass(frozen=True, slots=True)
class Forward:
    """A request for an `http://` address, ready to be sent to that host."""

    method: str
    host: Host
    port: int
    head: bytes
    length: int | None
    """Of the body in bytes; None when it comes in chunks."""


Request = Tunnel | Forward


class HeadReader:
    """Collects bytes until a head is complete."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._buffer = bytearray()

    @property
    def started(self) -> bool:
        """Whether any byte came yet."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> tuple[Request, bytes] | None:
        """Take bytes; return the request and what came after its head once that is complete.

        Raises:
            BadRequest: no continuation can make this a request that is served.
        """
        searched = max(len(self._buffer) - len(_END) + 1, 0)
        self._buffer += data
        end = self._buffer.find(_END, searched)
        if end + len(_END) > self._limit_bytes or (
            end < 0 and len(self._buffer) >= self._limit_bytes
        ):
            raise BadRequest(f"the request head is longer than {self._limit_bytes} bytes", 431)
        if end < 0:
            return None
        rest = bytes(self._buffer[end + len(_END) :])
        return parse_head(bytes(self._buffer[:end])), rest


def parse_head(head: bytes) -> Request:
    """Read a head without the empty line that ends it.

    Raises:
        BadRequest: see there.
    """
    line, *field_lines = head.decode("latin-1").split("\r\n")
    parts = _REQUEST_LINE.fullmatch(line)
    if parts is None:
        raise BadRequest("the first line is not METHOD TARGET HTTP/1.1")
    method = parts["method"]
    if len(method) > METHOD_CHARS_MAX:
        raise BadRequest(f"the method is longer than {METHOD_CHARS_MAX} characters")
    fields = [_parse_field(text) for text in field_lines]
    if method == "CONNECT":
        return _tunnel(parts["target"], fields)
    return _forward(method, parts["target"], line[-len("HTTP/1.1") :], fields)


def answer(status: int, reason: str) -> bytes:
    """Return a complete answer that ends the connection.

    The reason stands in the first line too: of a refused CONNECT that is all that most clients
    show.
    """
    text = "".join(char if " " <= char <= "~" else "?" for char in reason)
    body = f"skilllite: {text}\n".encode("ascii")
    head = (
        f"HTTP/1.1 {status} {text}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Body:
    """Finds the last byte of a request's body in the stream that follows its head.

    Chunks are followed, not decoded. Chunk extensions and trailers are refused: no common client
    sends them, and programs disagree about where they end.
    """

    def __init__(self, length: int | None) -> None:
        self.complete = length == 0
        self._chunked = length is None
        self._left = length or 0
        """Of a sized body or of one chunk."""
        self._literal = b""
        """What has to come after that."""
        self._line = bytearray()
        self._is_last = False

    def feed(self, data: bytes | memoryview) -> int:
        """Take bytes and return how many of them, from the first, belong to the body.

        Raises:
            BadRequest: a chunk is malformed.
        """
        content = bytes(data) if self._chunked else data  # of a sized body only the length counts
        position = 0
        while position < len(content) and not self.complete:
            if self._left:
                step = min(self._left, len(content) - position)
                self._left -= step
                position += step
                self.complete = not (self._left or self._chunked)
            elif self._literal:
                if content[position] != self._literal[0]:
                    raise BadRequest("a chunk of the body doesn't end where it said")
                self._literal = self._literal[1:]
                position += 1
                self.complete = self._is_last and not self._literal
            else:
                position = self._read_size(bytes(content), position)
        return position

    def _read_size(self, data: bytes, position: int) -> int:
        """Take the line before a chunk, or what is there of it; return where it ends."""
        end = data.find(b"\n", position, position + CHUNK_LINE_BYTES_MAX) + 1
        taken = data[position : end or position + CHUNK_LINE_BYTES_MAX]
        self._line += taken
        if not end and len(self._line) < CHUNK_LINE_BYTES_MAX:
            return position + len(taken)
        if not _CHUNK_SIZE.fullmatch(self._line):
            raise BadRequest("a chunk of the body has no plain size")
        self._left = int(self._line[:-2], 16)
        self._is_last = self._left == 0
        self._literal = b"\r\n"
        self._line.clear()
        return position + len(taken)


def _parse_field(text: str) -> tuple[str, str]:
    field = _FIELD.fullmatch(text)
    if field is None:
        raise BadRequest("a header line is malformed")
    return field["name"], field["value"].rstrip(" \t")


def _single(fields: list[tuple[str, str]], name: str) -> str | None:
    values = [value for field, value in fields if field.lower() == name]
    if len(values) > 1:
        raise BadRequest(f"there is more than one {name} header")
    return values[0] if values else None


def _tunnel(target: str, fields: list[tuple[str, str]]) -> Tunnel:
    host, port = _parse_target(target, None)
    _check_host_field(fields)
    if any(name.lower() in ("content-length", "transfer-encoding") for name, _ in fields):
        raise BadRequest("a CONNECT has no body")
    return Tunnel(host, port)


def _forward(method: str, target: str, version: str, fields: list[tuple[str, str]]) -> Forward:
    parts = _ABSOLUTE.fullmatch(target)
    if parts is None:
        raise BadRequest(
            "use CONNECT for https"
            if target.lower().startswith("https:")
            else "the target is not a plain http:// address, which a proxy needs"
        )
    host, port = _parse_target(parts["authority"], HTTP_PORT)
    _check_host_field(fields)
    length = _body_length(version, fields)
    path = parts["rest"]
    if not path.startswith("/"):
        path = "*" if method == "OPTIONS" and not path else f"/{path}"
    shown = show(host, port)
    lines = [
        f"{method} {path} {version}",
        f"Host: {shown.removesuffix(':80') if port == HTTP_PORT else shown}",
        *(f"{name}: {value}" for name, value in _end_to_end(fields)),
        "Connection: close",
    ]
    head = "\r\n".join(lines).encode("latin-1") + _END
    return Forward(method, host, port, head, length)


def _check_host_field(fields: list[tuple[str, str]]) -> None:
    """Refuse a second Host, and one that is none; which host it names is nobody's business."""
    named = _single(fields, "host")
    if named is not None:
        _parse_target(named, HTTP_PORT)


def _parse_target(text: str, default_port: int | None) -> tuple[Host, int]:
    try:
        return parse_authority(text, default_port)
    except BadTarget as problem:
        raise BadRequest(str(problem)) from None


def _body_length(version: str, fields: list[tuple[str, str]]) -> int | None:
    length = _single(fields, "content-length")
    coding = _single(fields, "transfer-encoding")
    if coding is None:
        if length is not None and not _LENGTH.fullmatch(length):
            raise BadRequest("content-length is not a number of bytes")
        return int(length or 0)
    if length is not None or version != "HTTP/1.1" or coding.lower() != "chunked":
        raise BadRequest("the length of the body is not said in one plain way")
    return None


def _end_to_end(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    named = {
        option.strip().lower()
        for name, value in fields
        if name.lower() == "connection"
        for option in value.split(",")
    }
    if named & _ESSENTIAL:
        raise BadRequest("the Connection header names a field that can't be left out")
    dropped = _HOP_BY_HOP | named
    return [
        (name, value)
        for name, value in fields
        if name.lower() not in dropped and not name.lower().startswith("proxy-")
    ]
