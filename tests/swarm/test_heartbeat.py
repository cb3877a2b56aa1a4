"""How often a peer is pinged, and what counts as a missed ping."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
import trio
import trio.testing

from skilllite_swarm.errors import CallInterrupted, PeerUnreachable
from skilllite_swarm.heartbeat import STALLS_MAX, heartbeat
from skilllite_swarm.peer_events import PingMissed, Pong
from skilllite_swarm.service_nursery import open_service_nursery
from skilllite_swarm.transport import CatalogueHead, Connection, Load
from skilllite_swarm.transport import Pong as Answer

ANSWER = Answer(Load(running=1), CatalogueHead(3), draining=True)


class Peer:
    """Answers pings as it is told."""

    address = "192.0.2.7:7700"

    def __init__(self, behave: Callable[[], object]) -> None:
        self.behave = behave
        self.pinged_at: list[float] = []

    async def ping(self, load: Load, catalogue: CatalogueHead, *, timeout_s: float) -> Answer:
        self.pinged_at.append(round(trio.current_time(), 3))
        result = self.behave()
        if isinstance(result, float):
            await trio.sleep(result)
        elif isinstance(result, Exception):
            await trio.lowlevel.checkpoint()
            raise result
        return ANSWER


async def reports_of(peer: Peer, *, for_s: float) -> list[Pong | PingMissed]:
    reports: list[Pong | PingMissed] = []
    with trio.move_on_after(for_s):
        await heartbeat(
            cast(Connection, peer), 7, mine=lambda: (Load(), CatalogueHead()), report=reports.append
        )
    return reports


async def test_a_peer_is_pinged_every_second(autojump_clock: trio.testing.MockClock) -> None:
    peer = Peer(lambda: 0.25)

    reports = await reports_of(peer, for_s=3.5)

    assert peer.pinged_at == [0, 1, 2, 3]
    assert reports[0] == Pong(7, 250.0, Load(running=1), CatalogueHead(3), draining=True)


async def test_a_silent_peer_is_dead_three_seconds_after_its_last_answer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    peer = Peer(lambda: 99.0)

    reports = await reports_of(peer, for_s=2.01)

    assert peer.pinged_at == [0, 0.8, 1.4, 2.0]
    assert [type(report) for report in reports] == [PingMissed] * 3
    assert "192.0.2.7:7700 within 0.8 s" in cast(PingMissed, reports[0]).why


async def test_a_broken_connection_gets_a_moment_between_pings(
    autojump_clock: trio.testing.MockClock,
) -> None:
    peer = Peer(lambda: PeerUnreachable("no connection"))

    reports = await reports_of(peer, for_s=0.5)

    assert peer.pinged_at == [0, 0.2, 0.4]
    assert reports == [PingMissed(7, "no connection")] * 3


async def test_pings_that_were_held_up_here_are_excused_twice(
    autojump_clock: trio.testing.MockClock,
) -> None:
    def stall() -> Exception:
        autojump_clock.jump(5.0)
        return CallInterrupted("not in time")

    reports = await reports_of(Peer(stall), for_s=5.0 * (STALLS_MAX + 1) + 0.1)

    assert [type(report) for report in reports] == [PingMissed]


async def test_tasks_of_a_service_outlive_the_cancellation_of_its_body(
    autojump_clock: trio.testing.MockClock,
) -> None:
    happened: list[str] = []

    async def serve() -> None:
        try:
            await trio.sleep_forever()
        finally:
            happened.append("task ended")

    with trio.move_on_after(1):
        async with open_service_nursery() as nursery:
            nursery.start_soon(serve)
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(5)
                happened.append("body cleaned up")

    assert happened == ["body cleaned up", "task ended"]
    assert trio.current_time() == pytest.approx(6)


async def test_an_error_of_the_body_comes_out_as_it_is() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with open_service_nursery():
            raise ValueError("mine")


async def test_a_failing_task_cancels_the_body(autojump_clock: trio.testing.MockClock) -> None:
    async def fail() -> None:
        await trio.sleep(1)
        raise ValueError("the task's")

    with pytest.raises(ExceptionGroup):
        async with open_service_nursery() as nursery:
            nursery.start_soon(fail)
            await trio.sleep_forever()

    assert trio.current_time() == pytest.approx(1)
