"""Pings one peer for as long as its connection lasts, and reports what comes of it.

A peer whose link goes silent is suspected 1.8 s later and dead 3 s later at the latest: one second
until the next ping, and three that time out. A ping that fails because this very process was held
up says nothing about the peer, and is not counted.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from skilllite_swarm.errors import SwarmError
from skilllite_swarm.peer_events import PingMissed, Pong
from skilllite_swarm.transport import CatalogueHead, Connection, Load

PING_PERIOD_S = 1.0
"""Also how long a change of load or skills takes to be known everywhere."""

PING_TIMEOUT_S = 0.8
"""Of the first ping that is missed: hundreds of times what a LAN takes."""

SUSPECT_TIMEOUT_S = 0.6
"""Of those that follow, without a pause, until the peer answers or is dead."""

SUSPECT_SPACING_S = 0.2
"""Between pings that fail at once, so that a connection that is being made again gets a chance."""

STALL_S = 0.3
"""A ping that took this much longer than its timeout was held up here, not there."""

STALLS_MAX = 2
"""Pings in a row that are excused by that; a machine that is always late must not trust itself."""


async def heartbeat(
    connection: Connection,
    dial: int,
    *,
    mine: Callable[[], tuple[Load, CatalogueHead]],
    report: Callable[[Pong | PingMissed], None],
) -> None:
    """Ping until cancelled."""
    suspect = False
    stalls = 0
    while True:
        timeout_s = SUSPECT_TIMEOUT_S if suspect else PING_TIMEOUT_S
        load, head = mine()
        started = trio.current_time()
        why = None
        try:
            with trio.fail_after(timeout_s):
                answer = await connection.ping(load, head, timeout_s=timeout_s)
        except trio.TooSlowError:
            why = f"nothing came from {connection.address} within {timeout_s} s"
        except SwarmError as error:
            why = error.message
        took_s = trio.current_time() - started
        if why is None:
            suspect, stalls = False, 0
            report(
                Pong(dial, took_s * 1000, answer.load, answer.catalogue, draining=answer.draining)
            )
            pause_s = PING_PERIOD_S - took_s
        elif took_s > timeout_s + STALL_S and stalls < STALLS_MAX:
            stalls += 1
            pause_s = 0.0
        else:
            suspect, stalls = True, 0
            report(PingMissed(dial, why))
            pause_s = SUSPECT_SPACING_S - took_s
        await trio.sleep(max(0.0, pause_s))
