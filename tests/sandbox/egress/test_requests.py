"""Heads of proxy requests: what is read, what is refused, and where a body ends."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skilllite_sandbox.egress.requests import (
    BadRequest,
    Body,
    Forward,
    HeadReader,
    Request,
    Tunnel,
    answer,
    parse_head,
)

LIMIT = 16 * 1024


def read(data: bytes) -> tuple[Request, bytes] | None:
    return HeadReader(LIMIT).feed(data)


def forwarded(*lines: str) -> Forward:
    """Return what becomes of a plain request with these lines."""
    request = parse_head("\r\n".join(lines).encode("latin-1"))
    assert isinstance(request, Forward)
    return request


def lines_of(request: Forward) -> list[str]:
    assert request.head.endswith(b"\r\n\r\n")
    return request.head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")


def refused(*lines: str) -> str:
    with pytest.raises(BadRequest) as caught:
        parse_head("\r\n".join(lines).encode("latin-1"))
    return str(caught.value)


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
def test_connect(version: str) -> None:
    head = f"CONNECT API.example.com:443 {version}\r\nHost: api.example.com:443\r\n\r\n"

    assert read(head.encode() + b"\x16\x03") == (Tunnel("api.example.com", 443), b"\x16\x03")


def test_connect_to_an_ipv6_address() -> None:
    request = parse_head(b"CONNECT [2001:DB8::1]:8443 HTTP/1.1")

    assert (str(request.host), request.port) == ("2001:db8::1", 8443)


def test_a_plain_request_becomes_one_for_that_server() -> None:
    request = forwarded(
        "GET http://API.example.com:8080/a/b?c=d HTTP/1.1",
        "User-Agent: test",
        "Host: api.example.com:8080",
        "Accept: */*",
    )

    assert (request.host, request.port, request.length) == ("api.example.com", 8080, 0)
    assert lines_of(request) == [
        "GET /a/b?c=d HTTP/1.1",
        "Host: api.example.com:8080",
        "User-Agent: test",
        "Accept: */*",
        "Connection: close",
    ]


@pytest.mark.parametrize(
    ("line", "expected", "host"),
    [
        ("GET http://a.example HTTP/1.1", "GET / HTTP/1.1", "a.example"),
        ("GET HTTP://a.example:80/x HTTP/1.0", "GET /x HTTP/1.0", "a.example"),
        ("GET http://a.example?q=/@: HTTP/1.1", "GET /?q=/@: HTTP/1.1", "a.example"),
        ("OPTIONS http://a.example HTTP/1.1", "OPTIONS * HTTP/1.1", "a.example"),
        ("OPTIONS http://a.example/ HTTP/1.1", "OPTIONS / HTTP/1.1", "a.example"),
        ("M-SEARCH http://a.example//b HTTP/1.1", "M-SEARCH //b HTTP/1.1", "a.example"),
        ("GET http://[::1]:80/ HTTP/1.1", "GET / HTTP/1.1", "[::1]"),
    ],
)
def test_the_target_is_split(line: str, expected: str, host: str) -> None:
    first, second, *_ = lines_of(forwarded(line))

    assert first == expected
    assert second == f"Host: {host}"


def test_what_is_for_this_hop_only_is_not_passed_on() -> None:
    request = forwarded(
        "POST http://a.example/ HTTP/1.1",
        "Connection: keep-alive, X-Private , upgrade",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic c2VjcmV0",
        "proxy-anything: 1",
        "TE: trailers",
        "Trailer: X",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        "x-private: 1",
        "X-Kept: yes",
        "Content-Length: 5",
    )

    assert lines_of(request)[1:] == [
        "Host: a.example",
        "X-Kept: yes",
        "Content-Length: 5",
        "Connection: close",
    ]
    assert request.length == 5


def test_chunks_stay_chunks() -> None:
    request = forwarded("POST http://a.example/ HTTP/1.1", "Transfer-Encoding: Chunked")

    assert request.length is None
    assert "Transfer-Encoding: Chunked" in lines_of(request)


@pytest.mark.parametrize(
    "line",
    [
        *("", "GET", "GET http://a.example/", "GET http://a.example/ HTTP/2.0", "PRI * HTTP/2.0"),
        *("GET  http://a.example/ HTTP/1.1", " GET http://a.example/ HTTP/1.1"),
        *("GET http://a.example/ HTTP/1.1 ", "GET\thttp://a.example/ HTTP/1.1"),
        *("GET http://a.example/ x HTTP/1.1", "GET http://a.example/\x00 HTTP/1.1"),
        *("G(T http://a.example/ HTTP/1.1", "A" * 40 + " http://a.example/ HTTP/1.1"),
        *(
            "GET / HTTP/1.1",
            "GET * HTTP/1.1",
            "GET a.example/ HTTP/1.1",
            "GET //a.example/ HTTP/1.1",
        ),
        *("GET https://a.example/ HTTP/1.1", "GET ftp://a.example/ HTTP/1.1"),
        *("GET http:a.example HTTP/1.1", "GET http:/a.example HTTP/1.1", "GET http:///x HTTP/1.1"),
        *("GET http://user@a.example/ HTTP/1.1", "GET http://a.example@b.example/ HTTP/1.1"),
        *("GET http://a.example\\@b.example/ HTTP/1.1", "GET http://a.example/#x HTTP/1.1"),
        *("GET http://a.example:x/ HTTP/1.1", "GET http://a.example:/ HTTP/1.1"),
        *("GET http://a.example%2f.b.example/ HTTP/1.1", "GET http://a.example,b/ HTTP/1.1"),
        *(
            "GET http://[::1%25lo]/ HTTP/1.1",
            "GET http://0x7f.1/ HTTP/1.1",
            "GET http://\xe4/ HTTP/1.1",
        ),
        *("CONNECT a.example HTTP/1.1", "CONNECT http://a.example:443 HTTP/1.1"),
        *("CONNECT a.example:443/x HTTP/1.1", "CONNECT a@b:443 HTTP/1.1", "CONNECT :443 HTTP/1.1"),
        *(
            "connect a.example:443 HTTP/1.1",
            "CONNECT a.example:443 HTTP/3",
            "CONNECT 1.2.3:1 HTTP/1.1",
        ),
    ],
)
def test_a_first_line_with_another_meaning_is_refused(line: str) -> None:
    assert refused(line)


@pytest.mark.parametrize(
    "fields",
    [
        ["Host: a.example", "Host: a.example"],
        ["Host: a.example", "host: b.example"],
        ["Host:"],
        ["Host: a.example, b.example"],
        ["Host: a.example/b"],
        ["Host: user@a.example"],
        ["Content-Length: 5", "Content-Length: 5"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5, 5"],
        ["Content-Length: +5"],
        ["Content-Length: -5"],
        ["Content-Length: 0x5"],
        ["Content-Length: 5 5"],
        ["Content-Length:"],
        ["Content-Length: " + "9" * 19],
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: identity"],
        ["Transfer-Encoding: \x0bchunked"],
        ["Transfer-Encoding : chunked"],
        ["Connection: content-length", "Content-Length: 5"],
        ["Connection: close, Host"],
        [" folded"],
        ["X: 1", "\tfolded"],
        ["X : 1"],
        ["X"],
        [": 1"],
        ["X: a\x00b"],
        ["X: a\nY: b"],
        ["X: a\rY: b"],
        ["X: a\x7fb"],
        ["X\xe9: 1"],
        [""],
    ],
)
def test_header_lines_that_programs_read_differently_are_refused(fields: list[str]) -> None:
    assert refused("POST http://a.example/ HTTP/1.1", *fields)


@pytest.mark.parametrize(
    "fields",
    [
        ["Host: a.example:443", "Host: a.example:443"],
        ["Host: a.example:443", "Host: b.example:443"],
        ["Host: http://a.example"],
        ["Content-Length: 5"],
        ["Transfer-Encoding: chunked"],
    ],
)
def test_a_connect_with_a_second_meaning_is_refused(fields: list[str]) -> None:
    assert refused("CONNECT a.example:443 HTTP/1.1", *fields)


def test_chunks_in_http_1_0_are_refused() -> None:
    assert refused("POST http://a.example/ HTTP/1.0", "Transfer-Encoding: chunked")


# Of the proxy itself, as node's `http` sends it, of another server, and of another port.
OTHER_HOSTS = ["127.0.0.1:3128", "[::1]:3128", "localhost:3128", "b.example", "a.example:81"]


@pytest.mark.parametrize("named", OTHER_HOSTS)
def test_the_target_alone_says_where_a_request_goes_and_its_host_replaces_the_one_that_came(
    named: str,
) -> None:
    request = forwarded("GET http://a.example/x HTTP/1.1", f"hOsT: {named}", "X: 1")

    assert (request.host, request.port) == ("a.example", 80)
    assert lines_of(request) == ["GET /x HTTP/1.1", "Host: a.example", "X: 1", "Connection: close"]


@pytest.mark.parametrize("named", [*OTHER_HOSTS, "a.example"])
def test_the_target_alone_says_where_a_connect_goes(named: str) -> None:
    head = f"CONNECT a.example:8443 HTTP/1.1\r\nHost: {named}"

    assert parse_head(head.encode()) == Tunnel("a.example", 8443)


@pytest.mark.parametrize(
    "data",
    [b"GET http://a.example/ HTTP/1.1\n\n", b"GET http://a.example/ HTTP/1.1\r\nA: b\n\r\n\r\n"],
)
def test_a_bare_line_feed_ends_no_line(data: bytes) -> None:
    with pytest.raises(BadRequest):
        assert read(data + b"\r\n\r\n") is None


def test_a_head_is_bounded() -> None:
    start = b"GET http://a.example/ HTTP/1.1\r\nX: "
    fits = start + b"a" * (LIMIT - len(start) - 4) + b"\r\n\r\n"

    assert read(fits) is not None
    for data in (fits.replace(b"\r\n\r\n", b"a\r\n\r\n"), b"a" * LIMIT):
        with pytest.raises(BadRequest) as caught:
            read(data)
        assert caught.value.status == 431


@given(st.lists(st.integers(0, 200), max_size=6))
def test_how_a_head_is_cut_makes_no_difference(cuts: list[int]) -> None:
    data = b"POST http://a.example/x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nbody"
    reader = HeadReader(LIMIT)
    edges = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    rest = b""
    found: Request | None = None

    for start, end in pairwise(edges):
        piece = data[start:end]
        if found is not None:
            rest += piece
        elif (complete := reader.feed(piece)) is not None:
            found, rest = complete

    assert found == parse_head(data[: data.index(b"\r\n\r\n")])
    assert rest == b"body"


TOKENS = st.text("abcXYZ-", min_size=1, max_size=12)
VALUES = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20
)


@given(st.lists(st.tuples(TOKENS, VALUES), max_size=8), st.text("/?&=abc%20", max_size=20))
def test_a_new_head_says_one_thing_to_one_host(fields: list[tuple[str, str]], path: str) -> None:
    lines = [f"{name}: {value}" for name, value in fields]
    try:
        request = forwarded(f"GET http://a.example/{path} HTTP/1.1", *lines)
    except BadRequest:
        return

    names = [line.partition(":")[0].lower() for line in lines_of(request)[1:]]

    assert re.fullmatch(rb"GET /[^ ]* HTTP/1\.1", request.head.split(b"\r\n")[0])
    assert request.head.count(b"\r\n\r\n") == 1
    assert b"\n" not in request.head.replace(b"\r\n", b"")
    assert names.count("host") == names.count("connection") == 1
    # Our own reader finds the same request in it.
    again = forwarded(*[f"GET http://a.example/{path} HTTP/1.1", *lines_of(request)[1:]])
    assert again == request


@given(st.binary(max_size=300))
@example(b"\r\n\r\n")
@example(b"\xff\r\n\r\n")
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        read(data + b"\r\n\r\n")
    except BadRequest as problem:
        assert str(problem)


@given(st.text(max_size=200))
def test_an_answer_is_one_response_whatever_is_in_the_reason(reason: str) -> None:
    data = answer(403, reason)

    head, body = data.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 403 ")
    assert head.count(b"\r\n") == 3
    assert f"Content-Length: {len(body)}".encode() in head
    assert body.startswith(b"skilllite: ")
    assert body.count(b"\n") == 1


# Bodies


def take(body: Body, data: bytes, cuts: list[int]) -> int:
    """Feed data in pieces; return how many bytes belonged to the body."""
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    taken = 0
    for start, end in pairwise(edges):
        count = body.feed(data[start:end])
        taken += count
        if count < end - start:
            assert body.complete
            break
    return taken


CUTS = st.lists(st.integers(0, 5000), max_size=10)


def test_a_request_without_a_body_takes_nothing() -> None:
    body = Body(0)

    assert body.complete
    assert body.feed(b"GET / HTTP/1.1\r\nHost: hidden.example\r\n\r\n") == 0


@given(st.binary(max_size=200), st.binary(max_size=50), CUTS)
def test_a_sized_body_ends_at_its_size(content: bytes, extra: bytes, cuts: list[int]) -> None:
    body = Body(len(content))

    assert take(body, content + extra, cuts) == len(content)
    assert body.complete


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.binary(max_size=30), CUTS)
def test_a_chunked_body_ends_after_its_last_chunk(
    chunks: list[bytes], extra: bytes, cuts: list[int]
) -> None:
    coded = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    body = Body(None)

    assert take(body, coded + extra, cuts) == len(coded)
    assert body.complete


@pytest.mark.parametrize("end", range(len(b"3\r\nabc\r\n0\r\n\r\n")))
def test_a_chunked_body_is_not_complete_before_its_last_byte(end: int) -> None:
    body = Body(None)

    assert body.feed(b"3\r\nabc\r\n0\r\n\r\n"[:end]) == end
    assert not body.complete


@pytest.mark.parametrize(
    "coded",
    [
        *(b"\r\n", b"x\r\n", b"-1\r\n", b"+1\r\n", b"0x1\r\n", b" 1\r\n", b"1 \r\n", b"1\n", b"\n"),
        *(b"1;a=b\r\n", b"1\r\r\n", b"1" * 17 + b"\r\n", b"1" * 100, b"1\r\naXX", b"1\r\na\n\n"),
        *(b"0\r\nTrailer: x\r\n\r\n", b"0\r\n\n", b"1\r\nab\r\n", b"1_0\r\n", b"\xd9\xa1\r\n"),
    ],
)
@pytest.mark.parametrize("bytewise", [False, True])
def test_a_chunk_that_programs_read_differently_is_refused(coded: bytes, bytewise: bool) -> None:
    body = Body(None)
    pieces = [bytes([byte]) for byte in coded] if bytewise else [coded]

    with pytest.raises(BadRequest):
        for piece in pieces:
            body.feed(piece)


@given(st.binary(max_size=200), CUTS)
def test_no_bytes_break_a_chunked_body(data: bytes, cuts: list[int]) -> None:
    outcomes = []
    for edges in ([], cuts):
        try:
            outcomes.append(take(Body(None), data, edges))
        except BadRequest:
            outcomes.append(-1)

    assert outcomes[0] == outcomes[1]
