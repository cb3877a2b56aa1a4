"""The proxy over real sockets: what gets through, what doesn't, and what is reported of it."""

from __future__ import annotations

import socket
import threading

import pytest

from egress_lab import HOST, Names, echo, open_proxy, read_all, read_head, serve
from skilllite_sandbox.egress.attempt import Attempt, Cause, EgressLimits, Result

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Requests:
    """A server that answers and remembers what it was sent."""

    def __init__(self, answer: bytes = OK) -> None:
        self.answer = answer
        self.received: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        head = read_head(connection)
        connection.sendall(self.answer)
        connection.shutdown(socket.SHUT_WR)
        self.received.append(head + read_all(connection))


def get(port: int, path: str = "/", host: str = HOST) -> bytes:
    return f"GET http://{host}:{port}{path} HTTP/1.1\r\n\r\n".encode()


def summary(attempt: Attempt) -> tuple[Result, Cause]:
    return attempt.result, attempt.cause


def test_a_tunnel_carries_bytes_both_ways_and_ends_one_way_at_a_time() -> None:
    def shout_at_the_end(connection: socket.socket) -> None:
        connection.sendall(read_all(connection).upper())

    with serve(shout_at_the_end) as port, open_proxy(f"127.0.0.1:{port}") as lab:
        with lab.tunnel(f"127.0.0.1:{port}") as client:
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b"HELLO"
        attempt = lab.attempts.only()

    assert summary(attempt) == (Result.ALLOWED, Cause.DONE)
    assert (attempt.method, attempt.host, attempt.port) == ("CONNECT", "127.0.0.1", port)
    assert (attempt.bytes_up, attempt.bytes_down) == (5, 5)
    assert attempt.duration_ms > 0


def test_bytes_behind_a_connect_are_not_lost() -> None:
    with serve(echo) as port, open_proxy(f"127.0.0.1:{port}") as lab:
        data = f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\nearly".encode()
        with lab.connect(data) as client:
            client.shutdown(socket.SHUT_WR)
            answer = read_all(client)

    assert answer == b"HTTP/1.1 200 Connection established\r\n\r\nearly"


def test_a_plain_request_reaches_its_server_as_one_of_its_own() -> None:
    server = Requests()
    names = Names({HOST: ["127.0.0.1"]})
    with (
        serve(server) as port,
        open_proxy(f"{HOST}:{port}", f"127.0.0.1:{port}", resolve=names) as lab,
    ):
        answer = lab.ask(get(port, "/a?b"))
        attempt = lab.attempts.only()

    assert answer == OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    sent = f"GET /a?b HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode()
    assert server.received == [sent]
    assert summary(attempt) == (Result.ALLOWED, Cause.DONE)
    assert (attempt.method, attempt.host, attempt.address) == ("GET", HOST, "127.0.0.1")
    assert (attempt.bytes_up, attempt.bytes_down) == (len(sent), len(OK))


def test_a_host_without_a_grant_is_not_even_resolved() -> None:
    names = Names({"evil.example": ["127.0.0.1"]})
    with open_proxy(HOST, resolve=names) as lab:
        plain = lab.ask(b"GET http://evil.example/ HTTP/1.1\r\n\r\n")
        tunnel = lab.ask(b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n")
        attempts = lab.attempts.wait(2)

    assert plain.startswith(b"HTTP/1.1 403 evil.example:80 is not granted to this skill")
    assert tunnel.startswith(b"HTTP/1.1 403 evil.example:443 is not granted to this skill")
    assert plain.endswith(b"--allow-network evil.example:80\n")
    assert names.asked == []
    assert [summary(attempt) for attempt in attempts] == [
        (Result.REFUSED, Cause.HOST_NOT_GRANTED),
        (Result.REFUSED, Cause.HOST_NOT_GRANTED),
    ]
    assert [attempt.number for attempt in attempts] == [1, 2]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"CONNECT api.example.com:22 HTTP/1.1\r\n\r\n", Cause.PORT_NOT_GRANTED),
        (b"CONNECT 169.254.169.254:80 HTTP/1.1\r\n\r\n", Cause.ADDRESS_REFUSED),
        (b"CONNECT localhost:443 HTTP/1.1\r\n\r\n", Cause.ADDRESS_REFUSED),
        (b"GET http://[::ffff:127.0.0.1]/ HTTP/1.1\r\n\r\n", Cause.ADDRESS_REFUSED),
        (b"GET http://8.8.8.8/ HTTP/1.1\r\n\r\n", Cause.HOST_NOT_GRANTED),
        (b"GET http://2130706433/ HTTP/1.1\r\n\r\n", Cause.BAD_REQUEST),
        (b"GET http://api.example.com@evil.example/ HTTP/1.1\r\n\r\n", Cause.BAD_REQUEST),
        (b"GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n", Cause.BAD_REQUEST),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", Cause.BAD_REQUEST),
    ],
)
def test_refusals_are_answered_and_reported(data: bytes, cause: Cause) -> None:
    names = Names({HOST: ["127.0.0.1"]})
    with open_proxy(HOST, resolve=names) as lab:
        answer = lab.ask(data)
        attempt = lab.attempts.only()

    assert answer.startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 400 "))
    assert summary(attempt) == (Result.REFUSED, cause)
    assert names.asked == []


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "169.254.169.254", "10.0.0.5", "192.168.0.1", "0.0.0.0", "100.64.0.1"),
        *(
            "::1",
            "::ffff:127.0.0.1",
            "fd00:ec2::254",
            "fe80::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ),
        *("fe80::1%lo", "not an address", "127.1"),
    ],
)
def test_a_granted_name_does_not_lead_to_a_refused_address(address: str) -> None:
    with open_proxy(HOST, resolve=Names({HOST: [address]})) as lab:
        answer = lab.ask(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
        attempt = lab.attempts.only()

    assert answer.startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 502 "))
    assert address.encode() not in answer
    assert attempt.result is not Result.ALLOWED
    assert attempt.cause in (Cause.ADDRESS_REFUSED, Cause.NOT_RESOLVED)


@pytest.mark.parametrize("order", [1, -1])
def test_one_refused_address_refuses_the_whole_name(order: int) -> None:
    server = Requests()
    with serve(server) as port:
        names = Names({HOST: ["127.0.0.1", "169.254.169.254"][::order]})
        with open_proxy(f"{HOST}:{port}", f"127.0.0.1:{port}", resolve=names) as lab:
            answer = lab.ask(get(port))
            attempt = lab.attempts.only()

    assert b"403" in answer
    assert b"cloud metadata address" in answer
    assert b"169.254" not in answer
    assert attempt.address == "169.254.169.254"
    assert server.received == []


def test_a_name_that_changes_its_address_during_the_run_stays_where_it_was() -> None:
    server = Requests()
    names = Names({HOST: ["127.0.0.1"]})
    with (
        serve(server) as port,
        open_proxy(f"{HOST}:{port}", f"127.0.0.1:{port}", resolve=names) as lab,
    ):
        lab.ask(get(port, "/1"))
        names.known[HOST] = ["169.254.169.254"]
        lab.ask(get(port, "/2"))
        attempts = lab.attempts.wait(2)

    assert names.asked == [HOST]
    assert [attempt.address for attempt in attempts] == ["127.0.0.1", "127.0.0.1"]
    assert len(server.received) == 2


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    names = Names({HOST: ["127.0.0.2", "127.0.0.1"]})
    with serve(Requests()) as port:
        grants = (f"{HOST}:{port}", f"127.0.0.1:{port}", f"127.0.0.2:{port}")
        with open_proxy(*grants, resolve=names) as lab:
            assert b"200 OK" in lab.ask(get(port))
            assert lab.attempts.only().address == "127.0.0.1"


def test_ipv6_is_reached_as_it_is_granted() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("needs IPv6 on loopback")
    with serve(Requests(), host="::1") as port, open_proxy(f"[::1]:{port}") as lab:
        assert b"200 OK" in lab.ask(get(port, host="[0:0::1]"))
        assert lab.attempts.only().address == "::1"


def test_a_server_that_is_not_there_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with open_proxy(f"127.0.0.1:{port}") as lab:
        answer = lab.ask(get(port, host="127.0.0.1"))
        attempt = lab.attempts.only()

    assert answer.startswith(f"HTTP/1.1 502 127.0.0.1:{port} could not be reached".encode())
    assert summary(attempt) == (Result.FAILED, Cause.NOT_CONNECTED)
    assert "refused" in attempt.detail


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = []
        for _ in range(8):  # until the queue is full; the rest of them never get through
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            waiting.append(client)
        limits = EgressLimits(connect_s=0.3)
        with open_proxy(f"127.0.0.1:{port}", limits=limits) as lab:
            answer = lab.ask(get(port, host="127.0.0.1"))
            attempt = lab.attempts.only()
        for client in waiting:
            client.close()

    assert answer.startswith(b"HTTP/1.1 504 ")
    assert summary(attempt) == (Result.FAILED, Cause.TIMEOUT)
    assert 250 < attempt.duration_ms < 5000


def test_a_name_that_does_not_exist_is_a_failure() -> None:
    with open_proxy(HOST, resolve=Names({})) as lab:
        answer = lab.ask(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
        attempt = lab.attempts.only()

    assert answer.startswith(f"HTTP/1.1 502 {HOST}:443 could not be resolved".encode())
    assert summary(attempt) == (Result.FAILED, Cause.NOT_RESOLVED)
    assert "not known" in attempt.detail


def test_a_failed_look_up_is_not_remembered() -> None:
    names = Names({})
    with (
        serve(Requests()) as port,
        open_proxy(f"{HOST}:{port}", f"127.0.0.1:{port}", resolve=names) as lab,
    ):
        assert b" 502 " in lab.ask(get(port))
        names.known[HOST] = ["127.0.0.1"]
        assert b"200 OK" in lab.ask(get(port))


def test_a_slow_name_server_holds_up_nobody_else_and_is_given_up() -> None:
    released = threading.Event()

    def resolve(name: str) -> list[str]:
        if name == "slow.example":
            released.wait(20)
        return ["127.0.0.1"]

    limits = EgressLimits(resolve_s=0.3)
    with serve(Requests()) as port:
        grants = (f"slow.example:{port}", f"{HOST}:{port}", f"127.0.0.1:{port}")
        with open_proxy(*grants, resolve=resolve, limits=limits) as lab:
            with lab.connect(get(port, host="slow.example")) as slow:
                assert b"200 OK" in lab.ask(get(port))
                answer = read_all(slow)
            attempts = lab.attempts.wait(2)
            released.set()

    assert answer.startswith(b"HTTP/1.1 504 slow.example")
    assert [attempt.host for attempt in attempts] == ["slow.example", HOST]
    assert [attempt.cause for attempt in attempts] == [Cause.TIMEOUT, Cause.DONE]


def test_connections_that_wait_for_one_name_ask_once() -> None:
    released = threading.Event()
    names = Names({HOST: ["127.0.0.1"]})

    def resolve(name: str) -> list[str]:
        released.wait(20)
        return list(names(name))

    with (
        serve(Requests()) as port,
        open_proxy(f"{HOST}:{port}", f"127.0.0.1:{port}", resolve=resolve) as lab,
    ):
        clients = [lab.connect(get(port)) for _ in range(5)]
        released.set()
        answers = [read_all(client) for client in clients]
        for client in clients:
            client.close()

    assert all(b"200 OK" in answer for answer in answers)
    assert names.asked == [HOST]


def test_a_second_request_on_the_same_connection_reaches_nobody() -> None:
    server = Requests()
    with serve(server) as port, open_proxy(f"127.0.0.1:{port}") as lab:
        hidden = b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n"
        lab.ask(get(port, host="127.0.0.1") + hidden)
        attempt = lab.attempts.only()

    assert all(b"evil" not in received for received in server.received)
    assert attempt.cause is Cause.EXCESS


def test_a_body_is_passed_on_to_its_last_byte() -> None:
    server = Requests()

    def answer_at_the_end(connection: socket.socket) -> None:
        head = read_head(connection)
        body = b""
        while not body.endswith(b"0\r\n\r\n"):
            body += connection.recv(100)
        server.received.append(head + body)
        connection.sendall(OK)

    with serve(answer_at_the_end) as port, open_proxy(f"127.0.0.1:{port}") as lab:
        head = f"POST http://127.0.0.1:{port}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        with lab.connect(head.encode()) as client:
            for piece in (b"5\r", b"\nhel", b"lo\r\n0", b"\r\n\r\n"):
                client.sendall(piece)
            assert b"200 OK" in read_all(client)

    assert server.received[0].endswith(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")


def test_a_client_that_stops_in_the_middle_of_its_body_is_cut() -> None:
    received: list[bytes] = []
    with (
        serve(lambda connection: received.append(read_all(connection))) as port,
        open_proxy(f"127.0.0.1:{port}") as lab,
    ):
        head = f"POST http://127.0.0.1:{port}/ HTTP/1.1\r\nContent-Length: 9\r\n\r\n1234"
        with lab.connect(head.encode()) as client:
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b""
        attempt = lab.attempts.only()

    assert attempt.cause is Cause.CLIENT_GONE


def test_an_answer_before_the_end_of_the_upload_arrives() -> None:
    answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"

    def refuse(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    with serve(refuse) as port, open_proxy(f"127.0.0.1:{port}") as lab:
        head = f"POST http://127.0.0.1:{port}/ HTTP/1.1\r\nContent-Length: 900000\r\n\r\n"
        with lab.connect(head.encode() + bytes(300_000)) as client:
            lab.attempts.only()
            for _ in range(20):  # it hasn't looked yet, and must not fail before it does
                client.sendall(bytes(1000))
            assert read_head(client).startswith(b"HTTP/1.1 413 ")


def test_a_server_that_breaks_off_is_not_taken_for_a_complete_answer() -> None:
    def break_off(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"half")
        connection.recv(1)
        linger = b"\1\0\0\0\0\0\0\0"
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    with serve(break_off) as port, open_proxy(f"127.0.0.1:{port}") as lab:
        with lab.tunnel(f"127.0.0.1:{port}") as client:
            client.sendall(b"go")
            assert client.recv(4) == b"half"
            client.sendall(b"x")
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert lab.attempts.only().cause is Cause.SERVER_GONE


def test_a_client_that_breaks_off_ends_the_server_too() -> None:
    seen = threading.Event()

    def wait_for_the_end(connection: socket.socket) -> None:
        read_all(connection)
        seen.set()

    with serve(wait_for_the_end) as port, open_proxy(f"127.0.0.1:{port}") as lab:
        client = lab.tunnel(f"127.0.0.1:{port}")
        client.sendall(b"x")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        assert seen.wait(20)
        assert lab.attempts.only().cause is Cause.CLIENT_GONE


def test_a_client_that_says_nothing_is_reported_too() -> None:
    with open_proxy(HOST) as lab:
        lab.connect().close()
        attempt = lab.attempts.only()

    assert summary(attempt) == (Result.FAILED, Cause.CLIENT_GONE)
    assert (attempt.method, attempt.host, attempt.port) == ("", "", 0)
