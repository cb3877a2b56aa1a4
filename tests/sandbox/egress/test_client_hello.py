"""The server name in a TLS greeting: made by a real client, and by hand where none would."""

from __future__ import annotations

import ssl
from ipaddress import IPv4Address
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_sandbox.egress.attempt import Cause
from skilllite_sandbox.egress.client_hello import (
    ClientHello,
    GateClosed,
    HelloReader,
    NotTls,
    TunnelGate,
    name_problem,
)
from skilllite_sandbox.egress.rules import Host

LIMIT = 16 * 1024
SERVER_NAME = 0
ENCRYPTED_HELLO = 0xFE0D


def real_hello(name: str | None) -> bytes:
    """Return what OpenSSL says first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    sent = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


def vector(size: int, data: bytes) -> bytes:
    return len(data).to_bytes(size) + data


def record(data: bytes, *, kind: int = 22, version: bytes = b"\x03\x01") -> bytes:
    return bytes([kind]) + version + vector(2, data)


def name_extension(name: bytes) -> tuple[int, bytes]:
    return SERVER_NAME, vector(2, b"\0" + vector(2, name))


def message(*extensions: tuple[int, bytes], after: bytes = b"") -> bytes:
    """Return a ClientHello with these extensions, without its record."""
    coded = b"".join(kind.to_bytes(2) + vector(2, data) for kind, data in extensions)
    body = b"\x03\x03" + bytes(32) + vector(1, bytes(32)) + vector(2, b"\x13\x01") + b"\x01\x00"
    return b"\x01" + vector(3, body + vector(2, coded) + after)


def read(data: bytes) -> ClientHello | None:
    return HelloReader(LIMIT).feed(data)


def test_the_name_in_a_real_greeting_is_found() -> None:
    assert read(real_hello("api.example.com")) == ClientHello("api.example.com", encrypted=False)


def test_a_greeting_without_a_name_has_none() -> None:
    assert read(real_hello(None)) == ClientHello(None, encrypted=False)
    assert read(real_hello("127.0.0.1")) == ClientHello(None, encrypted=False)


def test_a_greeting_before_there_were_extensions_has_none() -> None:
    body = b"\x03\x01" + bytes(32) + b"\0" + vector(2, b"\0\x2f") + b"\x01\0"

    assert read(record(b"\x01" + vector(3, body))) == ClientHello(None, encrypted=False)


@given(st.lists(st.integers(1, 600), max_size=12), st.lists(st.integers(1, 600), max_size=12))
def test_neither_records_nor_reads_change_what_is_found(
    records: list[int], reads: list[int]
) -> None:
    whole = message(name_extension(b"a.example"), (65535, bytes(500)))
    edges = sorted({0, len(whole), *(cut for cut in records if cut < len(whole))})
    data = b"".join(record(whole[a:b]) for a, b in pairwise(edges))
    cuts = sorted({0, len(data), *(cut for cut in reads if cut < len(data))})
    reader = HelloReader(LIMIT)

    found = [reader.feed(data[a:b]) for a, b in pairwise(cuts)]

    assert found[:-1] == [None] * (len(found) - 1)
    assert found[-1] == ClientHello("a.example", encrypted=False)


@pytest.mark.parametrize("end", [0, 1, 4, 5, 6, 8, 9, 40, -1])
def test_an_incomplete_greeting_is_waited_for(end: int) -> None:
    assert read(record(message(name_extension(b"a.example")))[:end]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"SSH-2.0-x\r\n",
        b"\x80",
        b"\x16\x02",
        b"\x16\x03\x04",
        record(b"", version=b"\x03\x01"),
        record(bytes(2**14 + 1)),
        record(b"\x02\0\0\0"),
        record(b"\x02\0\0\0", kind=21),
        record(b"\x01\0\xff\xff"),
        record(b"\x01\xff\xff\xff" + bytes(500)),
        record(b"\x01" + vector(3, b"\x03\x03")),
        record(message(name_extension(b"a.example"), name_extension(b"b.example"))),
        record(message(name_extension(b"a.example"), after=b"x")),
        record(message((SERVER_NAME, b""))),
        record(message((SERVER_NAME, vector(2, b"")))),
        record(message((SERVER_NAME, vector(2, b"\x01" + vector(2, b"a.example"))))),
        record(message((SERVER_NAME, vector(2, (b"\0" + vector(2, b"a.example")) * 2)))),
        record(message((SERVER_NAME, vector(2, b"\0" + vector(2, b"a.example")) + b"x"))),
        record(message((SERVER_NAME, b"\xff\xff\0\0\x09a.example"))),
    ],
)
def test_what_is_not_a_plain_greeting_is_refused(data: bytes) -> None:
    with pytest.raises(NotTls):
        read(data)


def test_a_greeting_is_bounded() -> None:
    whole = message((65535, bytes(LIMIT)))

    with pytest.raises(NotTls, match="longer"):
        read(record(whole[: 2**14]) + record(whole[2**14 :]))


@pytest.mark.parametrize(
    ("name", "host", "fits"),
    [
        ("api.example.com", "api.example.com", True),
        ("API.example.com", "api.example.com", True),
        ("api.example.com.", "api.example.com", True),
        ("evil.example.com", "api.example.com", False),
        ("example.com", "api.example.com", False),
        ("api.example.com\0.evil.test", "api.example.com", False),
        ("", "api.example.com", False),
        ("é", "api.example.com", False),
        (None, "api.example.com", False),
        (None, IPv4Address("192.0.2.1"), True),
        ("192.0.2.1", IPv4Address("192.0.2.1"), True),
        ("evil.test", IPv4Address("192.0.2.1"), False),
    ],
)
def test_a_name_has_to_be_the_one_of_the_tunnel(name: str | None, host: Host, fits: bool) -> None:
    assert (name_problem(ClientHello(name, encrypted=False), host) is None) == fits


def test_a_hidden_greeting_is_refused_whatever_the_visible_one_says() -> None:
    hello = read(record(message(name_extension(b"a.example"), (ENCRYPTED_HELLO, bytes(40)))))

    assert hello == ClientHello("a.example", encrypted=True)
    assert name_problem(hello, "a.example") is not None


def test_a_gate_holds_everything_back_until_it_knows() -> None:
    data = real_hello("a.example") + b"early"
    gate = TunnelGate("a.example", 443, LIMIT)

    assert gate.is_waiting
    assert [gate.feed(data[i : i + 1]) for i in range(20)] == [b""] * 20
    assert gate.feed(data[20:]) == data
    assert gate.is_open
    assert not gate.is_waiting
    assert gate.feed(b"more") == b"more"


@pytest.mark.parametrize(
    ("port", "data", "cause"),
    [
        (443, real_hello("b.example"), Cause.SERVER_NAME),
        (8443, real_hello("b.example"), Cause.SERVER_NAME),
        (443, b"GET / HTTP/1.1\r\n", Cause.NOT_TLS),
        (8443, b"\x16GET", Cause.NOT_TLS),
    ],
)
def test_a_gate_closes(port: int, data: bytes, cause: Cause) -> None:
    with pytest.raises(GateClosed) as caught:
        TunnelGate("a.example", port, LIMIT).feed(data)

    assert caught.value.cause is cause


def test_other_protocols_pass_at_other_ports() -> None:
    gate = TunnelGate("a.example", 22, LIMIT)

    assert not gate.is_waiting
    assert gate.feed(b"SSH-2.0-x\r\n") == b"SSH-2.0-x\r\n"
    assert gate.is_open


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for whole in (data, record(data) if data else b"", record(b"\x01" + vector(3, data))):
        try:
            read(whole)
        except NotTls as problem:
            assert str(problem)
