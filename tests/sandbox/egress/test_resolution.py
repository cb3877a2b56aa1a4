"""Resolving beside the loop, and addresses that belong to this machine."""

from __future__ import annotations

import threading
from ipaddress import IPv4Address, IPv6Address

import pytest

from egress_lab import WAIT_S, Names
from skilllite_sandbox.egress.resolution import (
    ANSWER_KEPT_S,
    LOOKUP_THREADS_MAX,
    Answer,
    Lookups,
    default_resolver,
    is_own_address,
)

ANSWER = Answer((IPv4Address("192.0.2.1"),))


class Wakes:
    """Counts wake-ups and lets a test wait for them."""

    def __init__(self) -> None:
        self._semaphore = threading.Semaphore(0)

    def __call__(self) -> None:
        self._semaphore.release()

    def wait(self, count: int = 1) -> None:
        for _ in range(count):
            assert self._semaphore.acquire(timeout=WAIT_S)


def test_an_answer_is_kept_for_a_while_and_then_asked_for_again() -> None:
    names, wakes = Names({"a.example": ["192.0.2.1"]}), Wakes()
    lookups = Lookups(names, wakes)

    assert lookups.ask("a.example", 0.0) is None
    wakes.wait()
    assert lookups.collect(1.0) == [("a.example", ANSWER)]
    assert lookups.ask("a.example", ANSWER_KEPT_S) == ANSWER
    assert lookups.ask("a.example", 1.0 + ANSWER_KEPT_S) is None
    wakes.wait()
    assert lookups.collect(100.0) == [("a.example", ANSWER)]
    assert names.asked == ["a.example", "a.example"]


def test_no_more_threads_than_allowed_and_nobody_is_forgotten() -> None:
    released, wakes = threading.Event(), Wakes()
    lock = threading.Lock()
    now = most = 0

    def resolve(name: str) -> list[str]:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        released.wait(WAIT_S)
        with lock:
            now -= 1
        return ["192.0.2.1"]

    lookups = Lookups(resolve, wakes)
    wanted = {f"a{number}.example" for number in range(20)}
    for name in wanted:
        assert lookups.ask(name, 0.0) is None
    released.set()
    found: list[tuple[str, Answer]] = []
    while len(found) < len(wanted):
        wakes.wait()
        found += lookups.collect(0.0)

    assert {name for name, _ in found} == wanted
    assert 0 < most <= LOOKUP_THREADS_MAX


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"], ANSWER),
        (
            ["192.0.2.1", "fe80::1%eth0"],
            Answer(problem="unreadable address in 192.0.2.1, fe80::1%eth0"),
        ),
        ([], Answer(problem="the name has no address")),
    ],
)
def test_an_answer_is_read_whole_or_not_at_all(texts: list[str], expected: Answer) -> None:
    wakes = Wakes()
    lookups = Lookups(lambda name: texts, wakes)

    lookups.ask("a.example", 0.0)
    wakes.wait()

    assert lookups.collect(0.0) == [("a.example", expected)]


def test_whatever_a_resolver_raises_is_a_problem_with_the_name() -> None:
    wakes = Wakes()

    def resolve(name: str) -> list[str]:
        raise ValueError("broken")

    lookups = Lookups(resolve, wakes)
    lookups.ask("a.example", 0.0)
    wakes.wait()

    assert lookups.collect(0.0) == [("a.example", Answer(problem="broken"))]


def test_the_system_knows_this_machine() -> None:
    assert {"127.0.0.1", "::1"} & set(default_resolver("localhost"))


def test_an_address_of_this_machine_is_known_as_such() -> None:
    assert is_own_address(IPv4Address("127.0.0.1"))
    assert not is_own_address(IPv4Address("192.0.2.1"))
    assert not is_own_address(IPv6Address("2001:db8::1"))
