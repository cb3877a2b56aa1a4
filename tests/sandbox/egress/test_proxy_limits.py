"""Bounds of one run: bytes, connections and time, each cut off where it is passed."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from egress_lab import echo, open_proxy, read_all, read_head, serve
from skilllite_sandbox.egress.attempt import Cause, EgressLimits, Result

KIB = 1024
MIB = 1024 * KIB


def pour(connection: socket.socket) -> None:
    """Send without end, once asked."""
    connection.recv(100)
    while True:
        connection.sendall(bytes(64 * KIB))


def read_all_of(connection: socket.socket) -> None:
    """Take everything and say nothing."""
    read_all(connection)


def read_until_reset(client: socket.socket) -> int:
    """Count what comes before the connection is broken off; an orderly end fails."""
    count = 0
    with pytest.raises(ConnectionResetError):
        while data := client.recv(64 * KIB):
            count += len(data)
    return count


def test_a_run_receives_no_more_than_its_limit() -> None:
    limits = EgressLimits(bytes_down=300 * KIB)
    with serve(pour) as port, open_proxy(f"127.0.0.1:{port}", limits=limits) as lab:
        with lab.tunnel(f"127.0.0.1:{port}") as client:
            client.sendall(b"go")
            assert read_until_reset(client) <= 300 * KIB
        attempt = lab.attempts.only()
        answer = lab.ask(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
        after = lab.attempts.wait(2)[1]

    assert (attempt.result, attempt.cause) == (Result.ALLOWED, Cause.BYTES_DOWN)
    assert attempt.bytes_down == 300 * KIB
    assert answer.startswith(b"HTTP/1.1 403 this run has received as many bytes as it may")
    assert (after.result, after.cause) == (Result.REFUSED, Cause.BYTES_DOWN)


def test_a_run_sends_no_more_than_its_limit() -> None:
    received: list[int] = []
    limits = EgressLimits(bytes_up=300 * KIB)
    with (
        serve(lambda connection: received.append(len(read_all(connection)))) as port,
        open_proxy(f"127.0.0.1:{port}", limits=limits) as lab,
    ):
        with lab.tunnel(f"127.0.0.1:{port}") as client, pytest.raises(ConnectionError):
            while True:
                client.sendall(bytes(64 * KIB))
        attempt = lab.attempts.only()

    assert attempt.cause is Cause.BYTES_UP
    assert attempt.bytes_up == 300 * KIB
    assert sum(received) <= 300 * KIB


def test_all_connections_of_a_run_share_its_limit() -> None:
    limits = EgressLimits(bytes_up=1000)
    with serve(echo) as port, open_proxy(f"127.0.0.1:{port}", limits=limits) as lab:
        first, second = lab.tunnel(f"127.0.0.1:{port}"), lab.tunnel(f"127.0.0.1:{port}")
        with first, second:
            first.sendall(bytes(600))
            assert len(first.recv(600, socket.MSG_WAITALL)) == 600
            second.sendall(bytes(600))
            assert read_until_reset(second) <= 400
        attempts = lab.attempts.wait(2)

    assert sum(attempt.bytes_up for attempt in attempts) == 1000


def test_a_transfer_of_exactly_the_limit_is_whole() -> None:
    def send_some(connection: socket.socket) -> None:
        connection.sendall(bytes(1000))
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    limits = EgressLimits(bytes_down=1000)
    with serve(send_some) as port, open_proxy(f"127.0.0.1:{port}", limits=limits) as lab:
        with lab.tunnel(f"127.0.0.1:{port}") as client:
            assert len(read_all(client)) == 1000
        attempt = lab.attempts.only()

    assert (attempt.cause, attempt.bytes_down) == (Cause.DONE, 1000)


def test_a_client_that_does_not_read_stops_its_server() -> None:
    sent = 0
    stopped = threading.Event()

    def send_until_blocked(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(100)
        connection.settimeout(0.5)
        with suppress(TimeoutError):
            while sent < 512 * MIB:
                sent += connection.send(bytes(256 * KIB))
        stopped.set()

    with serve(send_until_blocked) as port, open_proxy(f"127.0.0.1:{port}") as lab:
        with lab.tunnel(f"127.0.0.1:{port}") as client:
            client.sendall(b"go")
            assert stopped.wait(20)
            assert sent < 64 * MIB, "more than four socket buffers were taken off the server"
            assert len(read_all(client)) == sent
        assert lab.attempts.only().bytes_down == sent


def test_a_server_that_does_not_read_stops_its_client() -> None:
    received: list[int] = []
    go_on = threading.Event()

    def read_later(connection: socket.socket) -> None:
        go_on.wait(20)
        received.append(len(read_all(connection)))

    limits = EgressLimits(bytes_up=1024 * MIB)
    sent = 0
    with serve(read_later) as port, open_proxy(f"127.0.0.1:{port}", limits=limits) as lab:
        with lab.tunnel(f"127.0.0.1:{port}") as client:
            client.settimeout(0.5)
            with suppress(TimeoutError):
                while sent < 512 * MIB:
                    sent += client.send(bytes(256 * KIB))
            go_on.set()
        attempt = lab.attempts.only()

    assert sent < 64 * MIB, "more than four socket buffers were taken off the client"
    assert received == [sent]
    assert attempt.bytes_up == sent


def test_one_stuck_client_does_not_hold_up_another() -> None:
    with (
        serve(pour) as busy,
        serve(echo) as port,
        open_proxy(f"127.0.0.1:{busy}", f"127.0.0.1:{port}") as lab,
        lab.tunnel(f"127.0.0.1:{busy}") as stuck,
        lab.tunnel(f"127.0.0.1:{port}") as quick,
    ):
        stuck.sendall(b"go")
        stuck.recv(1)
        quick.sendall(b"hello")
        assert quick.recv(5, socket.MSG_WAITALL) == b"hello"


def test_two_hundred_connections_at_the_same_time_are_all_served() -> None:
    def visit(number: int) -> bool:
        with lab.tunnel(f"127.0.0.1:{port}") as client:
            client.sendall(b"%d" % number)
            client.shutdown(socket.SHUT_WR)
            return read_all(client) == b"%d" % number

    with serve(echo) as port, open_proxy(f"127.0.0.1:{port}") as lab:
        with ThreadPoolExecutor(200) as pool:
            assert all(pool.map(visit, range(200)))
        attempts = lab.attempts.wait(200)

    assert sorted(attempt.number for attempt in attempts) == list(range(1, 201))
    assert {attempt.cause for attempt in attempts} == {Cause.DONE}


def test_two_hundred_open_tunnels_are_all_alive() -> None:
    limits = EgressLimits(connections_at_once=200)
    with (
        serve(echo) as port,
        open_proxy(f"127.0.0.1:{port}", limits=limits) as lab,
        ExitStack() as stack,
    ):
        clients = [stack.enter_context(lab.tunnel(f"127.0.0.1:{port}")) for _ in range(200)]
        for number, client in enumerate(clients):
            client.sendall(b"%03d" % number)
        for number, client in enumerate(clients):
            assert client.recv(3, socket.MSG_WAITALL) == b"%03d" % number


def test_one_connection_too_many_waits_for_its_turn() -> None:
    limits = EgressLimits(connections_at_once=2)
    target = b"GET http://evil.example/ HTTP/1.1\r\n\r\n"
    with serve(echo) as port, open_proxy(f"127.0.0.1:{port}", limits=limits) as lab:
        first, second = lab.tunnel(f"127.0.0.1:{port}"), lab.tunnel(f"127.0.0.1:{port}")
        with second, lab.connect(target) as third:
            third.settimeout(0.3)
            with pytest.raises(TimeoutError):
                third.recv(1)
            first.close()
            third.settimeout(20)
            assert b" 403 " in read_all(third)


def test_a_run_makes_no_more_connections_than_its_limit() -> None:
    limits = EgressLimits(connections=3)
    with open_proxy("api.example.com", limits=limits) as lab:
        answers = [lab.ask(b"GET http://evil.example/ HTTP/1.1\r\n\r\n") for _ in range(4)]
        attempts = lab.attempts.wait(4)
        assert lab.is_deaf()

    assert answers[3].startswith(b"HTTP/1.1 403 this run has made 3 connections")
    assert attempts[3].cause is Cause.CONNECTIONS
    assert len(lab.attempts.seen) == 4


def test_a_head_that_never_ends_is_answered_and_closed() -> None:
    with open_proxy("api.example.com", limits=EgressLimits(head_s=0.2)) as lab:
        answer = lab.ask(b"GET http://api.example.com/ HTTP/1.1\r\n")
        attempt = lab.attempts.only()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert (attempt.result, attempt.cause) == (Result.FAILED, Cause.TIMEOUT)


def test_trickling_does_not_prolong_a_head() -> None:
    started = time.monotonic()
    limits = EgressLimits(head_s=0.3, linger_s=0.1)
    with open_proxy("api.example.com", limits=limits) as lab, lab.connect() as client:
        client.settimeout(0.02)
        data = b""
        with suppress(ConnectionError):
            while time.monotonic() < started + 10 and not data.endswith(b"\n"):
                client.sendall(b"G")
                with suppress(TimeoutError):
                    data += client.recv(1000)
        assert data.startswith(b"HTTP/1.1 408 ")
        assert lab.attempts.only().duration_ms < 2000


def test_a_head_that_is_too_long_is_answered_at_once() -> None:
    with open_proxy("api.example.com", limits=EgressLimits(head_bytes=2048)) as lab:
        answer = lab.ask(b"GET http://api.example.com/" + b"a" * 5000)

    assert answer.startswith(b"HTTP/1.1 431 ")


def test_a_silent_relay_is_ended() -> None:
    with (
        serve(echo) as port,
        open_proxy(f"127.0.0.1:{port}", limits=EgressLimits(idle_s=0.3)) as lab,
        lab.tunnel(f"127.0.0.1:{port}") as client,
    ):
        for _ in range(5):  # each one puts the end off
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        assert read_until_reset(client) == 0
        attempt = lab.attempts.only()

    assert (attempt.result, attempt.cause) == (Result.ALLOWED, Cause.IDLE)
    assert attempt.duration_ms > 250


def test_half_a_greeting_is_not_waited_for_longer_than_a_head() -> None:
    received: list[bytes] = []
    with (
        serve(lambda connection: received.append(read_all(connection))) as port,
        open_proxy(f"127.0.0.1:{port}", limits=EgressLimits(head_s=0.3)) as lab,
        lab.tunnel(f"127.0.0.1:{port}") as client,
    ):
        client.sendall(b"\x16\x03\x01")
        assert read_until_reset(client) == 0
        assert lab.attempts.only().cause is Cause.TIMEOUT

    assert b"".join(received) == b""


def test_trickling_does_not_prolong_a_greeting() -> None:
    started = time.monotonic()
    with (
        serve(read_all_of) as port,
        open_proxy(f"127.0.0.1:{port}", limits=EgressLimits(head_s=0.3)) as lab,
        lab.tunnel(f"127.0.0.1:{port}") as client,
    ):
        client.settimeout(0.02)
        with pytest.raises(ConnectionError):
            client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")
            while time.monotonic() < started + 10:
                client.sendall(b"\0")
                with suppress(TimeoutError):
                    client.recv(1)
        assert lab.attempts.only().cause is Cause.TIMEOUT


def test_a_client_that_does_not_read_its_refusal_is_let_go() -> None:
    limits = EgressLimits(linger_s=0.2, connections_at_once=1)
    with (
        open_proxy("api.example.com", limits=limits) as lab,
        lab.connect(b"GET / HTTP/1.1\r\n\r\n"),
    ):
        lab.attempts.wait(1)
        assert b" 400 " in lab.ask(b"GET / HTTP/1.1\r\n\r\n")  # there is room for one only


def test_a_refused_upload_still_hears_why() -> None:
    with open_proxy("api.example.com") as lab:
        head = b"POST http://evil.example/ HTTP/1.1\r\nContent-Length: 500000\r\n\r\n"
        with lab.connect(head) as client:
            client.sendall(bytes(500_000))
            assert b" 403 " in read_head(client)
