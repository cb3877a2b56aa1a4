"""Starting and ending a proxy: nothing stays open, nothing goes unreported, whatever happens."""

from __future__ import annotations

import gc
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from egress_lab import (
    HOST,
    WAIT_S,
    Attempts,
    Lab,
    Names,
    echo,
    egress_threads,
    open_descriptors,
    open_proxy,
    read_all,
    serve,
)
from skilllite_sandbox.egress.attempt import Attempt, Cause, EgressLimits, Result
from skilllite_sandbox.egress.proxy import EgressProxy
from skilllite_sandbox.egress.rules import parse_rules


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    gc.collect()
    before = open_descriptors()
    yield
    gc.collect()  # sockets of the test itself
    assert egress_threads() == []
    assert open_descriptors().keys() == before.keys()


def make_proxy(attempts: Attempts | None = None) -> EgressProxy:
    listener = socket.create_server(("127.0.0.1", 0))
    return EgressProxy(listener, parse_rules([HOST]), on_attempt=attempts or Attempts())


def test_a_proxy_that_was_never_started_closes_its_listener() -> None:
    proxy = make_proxy()

    proxy.close()
    proxy.close()

    with pytest.raises(OSError):
        proxy.start()


def test_closing_again_and_from_many_threads_is_the_same_as_once() -> None:
    proxy = make_proxy()
    proxy.start()
    threads = [threading.Thread(target=proxy.close) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    proxy.close()

    assert proxy.failure is None


def test_closing_ends_and_reports_whatever_is_going_on() -> None:
    released, asked = threading.Event(), threading.Event()

    def resolve(name: str) -> list[str]:
        asked.set()
        released.wait(20)
        return []

    def pour(connection: socket.socket) -> None:
        while True:
            connection.sendall(bytes(65536))

    attempts = Attempts()
    with serve(echo) as port, serve(pour) as flood:
        grants = (HOST, f"127.0.0.1:{port}", f"127.0.0.1:{flood}")
        with open_proxy(*grants, resolve=resolve, on_attempt=attempts) as lab:
            clients = [
                lab.connect(),
                lab.connect(b"GET http"),
                lab.connect(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode()),
                lab.tunnel(f"127.0.0.1:{port}"),
                lab.tunnel(f"127.0.0.1:{flood}"),
                lab.connect(b"nonsense\r\n\r\n"),
            ]
            assert asked.wait(20)
            attempts.wait(1)
            releaser = threading.Timer(0.2, released.set)
            releaser.start()
            started = time.monotonic()
            lab.proxy.close()
            took_s = time.monotonic() - started
            releaser.join(10)
        seen = attempts.seen
        for client in clients:
            read_all(client)
            client.close()

    assert took_s < 3
    assert sorted(attempt.number for attempt in seen) == [1, 2, 3, 4, 5, 6]
    causes = {attempt.number: (attempt.result, attempt.cause) for attempt in seen}
    assert causes == {
        1: (Result.FAILED, Cause.CLOSED),
        2: (Result.FAILED, Cause.CLOSED),
        3: (Result.FAILED, Cause.CLOSED),
        4: (Result.ALLOWED, Cause.CLOSED),
        5: (Result.ALLOWED, Cause.CLOSED),
        6: (Result.REFUSED, Cause.BAD_REQUEST),
    }


def test_nobody_is_accepted_after_the_end() -> None:
    with open_proxy(HOST) as lab:
        lab.proxy.close()

        assert lab.is_deaf()


def test_hundreds_of_connections_of_all_kinds_leave_nothing() -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    names = Names({HOST: ["127.0.0.1"], "private.example": ["10.0.0.1"]})
    with serve(answer) as port:
        grants = (f"{HOST}:{port}", f"127.0.0.1:{port}", "private.example", "missing.example")
        kinds = [
            f"CONNECT {HOST}:{port} HTTP/1.1\r\n\r\nhello",
            f"GET http://{HOST}:{port}/ HTTP/1.1\r\n\r\n",
            "GET http://private.example/ HTTP/1.1\r\n\r\n",
            "GET http://missing.example/ HTTP/1.1\r\n\r\n",
            "GET http://evil.example/ HTTP/1.1\r\n\r\n",
            "nonsense\r\n\r\n",
            "GET",
            "",
        ]
        with open_proxy(*grants, resolve=names) as lab:
            for number in range(400):
                with lab.connect(kinds[number % len(kinds)].encode()) as client:
                    client.shutdown(socket.SHUT_WR)
                    read_all(client)
            attempts = lab.attempts.wait(400)

    assert sorted(attempt.number for attempt in attempts) == list(range(1, 401))


def test_a_hundred_proxies_one_after_the_other_leave_nothing() -> None:
    with serve(echo) as port:
        for _ in range(100):
            with open_proxy(f"127.0.0.1:{port}") as lab:
                lab.tunnel(f"127.0.0.1:{port}").close()


def test_a_look_up_that_never_returns_does_not_hold_up_the_end_for_ever() -> None:
    released, asked = threading.Event(), threading.Event()

    def resolve(name: str) -> list[str]:
        asked.set()
        released.wait(20)
        return ["127.0.0.1"]

    with open_proxy(HOST, resolve=resolve, limits=EgressLimits(close_s=0.3)) as lab:
        with lab.connect(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode()):
            assert asked.wait(20)
            started = time.monotonic()
            lab.proxy.close()
            assert time.monotonic() - started < 3
        left = [thread for thread in threading.enumerate() if thread.name == "egress-lookup"]
        released.set()
        for thread in left:
            thread.join(10)

    assert len(left) == 1


def test_what_cannot_be_reported_ends_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda raised: seen.append(raised.exc_value))

    def fail(attempt: Attempt) -> None:
        raise RuntimeError("the disk is full")

    with serve(echo) as port, open_proxy(f"127.0.0.1:{port}", on_attempt=fail) as lab:
        with lab.tunnel(f"127.0.0.1:{port}") as open_one:
            assert b" 403 " not in lab.ask(b"GET http://evil.example/ HTTP/1.1\r\n\r\n")
            assert read_all(open_one) == b""
        lab.proxy.close()

        assert isinstance(lab.proxy.failure, RuntimeError)
        assert seen == [lab.proxy.failure]


def test_a_report_may_close_the_proxy() -> None:
    proxies: list[EgressProxy] = []
    with open_proxy(HOST, on_attempt=lambda attempt: proxies[0].close()) as lab:
        proxies.append(lab.proxy)
        lab.ask(b"nonsense\r\n\r\n")

    assert lab.proxy.failure is None


def test_a_skill_that_shuts_the_shared_listener_down_only_harms_itself() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    attempts = Attempts()
    with serve(echo) as port, listener.dup() as shared:
        proxy = EgressProxy(listener, parse_rules([f"127.0.0.1:{port}"]), on_attempt=attempts)
        lab = Lab(proxy, shared.getsockname()[1], attempts)
        with proxy, lab.tunnel(f"127.0.0.1:{port}") as client:
            shared.shutdown(socket.SHUT_RDWR)
            assert lab.is_deaf()
            client.sendall(b"still there")
            assert client.recv(11, socket.MSG_WAITALL) == b"still there"

    assert proxy.failure is None


def test_a_skill_that_makes_the_shared_listener_block_cannot_keep_the_proxy() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    attempts = Attempts()
    with listener.dup() as shared:
        proxy = EgressProxy(listener, parse_rules([HOST]), on_attempt=attempts)
        lab = Lab(proxy, shared.getsockname()[1], attempts)
        with proxy:
            shared.setblocking(True)
            assert b" 400 " in lab.ask(b"nonsense\r\n\r\n")
            started = time.monotonic()
            proxy.close()

    assert time.monotonic() - started < 3
    assert attempts.only().cause is Cause.BAD_REQUEST


def test_running_out_of_descriptors_is_waited_out() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open_proxy(HOST) as lab, socket.socket() as client:
        client.settimeout(0.3)
        lowest_free = os.dup(0)
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
        try:
            client.connect(("127.0.0.1", lab.port))
            client.sendall(b"nonsense\r\n\r\n")
            with pytest.raises(TimeoutError):
                client.recv(1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        client.settimeout(WAIT_S)
        assert b" 400 " in read_all(client)
