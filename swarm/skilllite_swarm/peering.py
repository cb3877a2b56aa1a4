"""Carries out what the table of peers decides: dials, connections, pings and catalogues.

Each dial is one task, which lives on as the task of the connection that came of it. Everything
between two awaits runs alone on the trio thread, so nothing here needs a lock.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

import trio

from skilllite_swarm.addresses import accept_addresses, is_loopback_host, parse_address
from skilllite_swarm.catalogue import check_catalogue
from skilllite_swarm.dialer import HELLO_TIMEOUT_S, Greeting, close, explain, greet
from skilllite_swarm.errors import CatalogueRejected, PeerUnreachable, SwarmError
from skilllite_swarm.heartbeat import heartbeat
from skilllite_swarm.identity import verify_signature
from skilllite_swarm.peer_events import (
    CatalogueFailed,
    CatalogueFetched,
    Changed,
    Close,
    Connected,
    Dial,
    DialFailed,
    Effect,
    Event,
    FetchCatalogue,
    Found,
    ReachedSelf,
    Source,
    StartPings,
    Tick,
)
from skilllite_swarm.peer_view import clean_name
from skilllite_swarm.peers import PeerTable
from skilllite_swarm.transport import CatalogueHead, Connection, Load, NodeInfo, PeerHint, Transport

log = logging.getLogger(__name__)

TICK_S = 0.25
"""How late a dial after a back-off may be; four wake-ups a second cost nothing."""

HELLO_PERIOD_S = 30.0
"""Between two Hellos to a peer picked at random, which says whom it knows. Without multicast this
brings two nodes together that could not reach each other when they first heard of each other."""

HINTS_MAX = 64
"""Members named in one Hello: with a few dozen of them everybody is found in two steps."""


@dataclass(slots=True)
class _Live:
    """A connection that exists, wanted or about to be closed."""

    connection: Connection
    info: NodeInfo | None
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)


class Peering:
    """The table of peers and the connections it asked for, in the nursery of the mesh."""

    def __init__(
        self,
        table: PeerTable,
        transport: Transport,
        nursery: trio.Nursery,
        rng: random.Random,
        *,
        me: Callable[[], NodeInfo],
        mine: Callable[[], tuple[Load, CatalogueHead]],
        on_change: Callable[[], None],
        on_connected: Callable[[NodeInfo, str], None],
    ) -> None:
        self.table = table
        self._transport = transport
        self._nursery = nursery
        self._rng = rng
        self._me = me
        self._mine = mine
        self._on_change = on_change
        self._on_connected = on_connected
        self._live: dict[int, _Live] = {}

    def feed(self, event: Event) -> None:
        """Let the table decide about an event, and start what it asks for."""
        for effect in self.table.handle(event, trio.current_time()):
            self._carry_out(effect)

    def connection(self, node_id: str) -> Connection | None:
        """Return the connection in use to a peer that is alive or suspect."""
        dial = self.table.connection_of(node_id)
        return self._live[dial].connection if dial is not None else None

    def connected(self) -> tuple[tuple[NodeInfo, Connection], ...]:
        """Return every connection in use, with what its peer said in Hello."""
        return tuple(
            (live.info, live.connection)
            for dial, live in self._live.items()
            if live.info is not None and self.table.connection_of(live.info.node_id) == dial
        )

    def hints(self, *, to: str) -> tuple[PeerHint, ...]:
        """Return whom another node may want to know."""
        known = self.table.hints(trio.current_time())
        others = [PeerHint(*hint) for hint in known if hint[0] != to]
        return tuple(self._rng.sample(others, min(len(others), HINTS_MAX)))

    async def ask_around(self) -> None:
        """Say Hello to somebody from time to time, until cancelled."""
        while True:
            await trio.sleep(HELLO_PERIOD_S * self._rng.uniform(0.5, 1.5))
            connected = self.connected()
            if not connected:
                continue
            _, connection = self._rng.choice(connected)
            try:
                with trio.fail_after(HELLO_TIMEOUT_S):
                    _, hints = await connection.hello(self._me())
            except (SwarmError, trio.TooSlowError) as error:
                log.debug("no second Hello from %s: %s", connection.address, error)
            else:
                self._follow(hints, connection)

    async def tick(self) -> None:
        """Tell the table that time passes, until cancelled."""
        while True:
            await trio.sleep(TICK_S)
            self.feed(Tick())

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Dial():
                self._nursery.start_soon(self._dial, effect)
            case StartPings(dial, node_id):
                # The task of the dial pings from here on.
                connected = self._live[dial]
                name = clean_name(connected.info.name) if connected.info is not None else ""
                who = f"{name} ({node_id[:8]})" if name else node_id[:8]
                log.info("%s is connected at %s", who, connected.connection.address)
            case Close(dial):
                # Gone already only while the mesh closes.
                if (live := self._live.get(dial)) is not None:
                    live.scope.cancel()
            case FetchCatalogue(dial):
                if (live := self._live.get(dial)) is not None:
                    self._nursery.start_soon(self._fetch, effect, live.connection)
            case Changed():
                self._on_change()

    async def _dial(self, dial: Dial) -> None:
        try:
            greeting = await greet(self._transport, dial, self._me)
        except PeerUnreachable as error:
            log.debug("dial of %s failed at %s: %s", dial.addresses, error.step, error)
            self.feed(DialFailed(dial.dial, error.step, explain(error)))
            return
        live = self._live[dial.dial] = _Live(greeting.connection, greeting.info)
        try:
            self._greeted(dial.dial, greeting)
            with live.scope:
                await heartbeat(greeting.connection, dial.dial, mine=self._mine, report=self.feed)
        finally:
            del self._live[dial.dial]
            await close(greeting.connection)

    def _greeted(self, dial: int, greeting: Greeting) -> None:
        info, connection = greeting.info, greeting.connection
        if info is None:
            self.feed(ReachedSelf(dial))
            return
        same_host = _is_here(connection)
        info = replace(info, addresses=accept_addresses(info.addresses, same_host=same_host))
        self.feed(Connected(dial, connection.node_id, connection.address, info))
        if self.table.connection_of(info.node_id) != dial:
            return
        self._on_connected(info, connection.address)
        self._follow(greeting.hints, connection)

    def _follow(self, hints: Iterable[PeerHint], connection: Connection) -> None:
        for hint in hints:
            addresses = accept_addresses(hint.addresses, same_host=_is_here(connection))
            self.feed(Found(hint.node_id, addresses, Source.HINT))

    async def _fetch(self, fetch: FetchCatalogue, connection: Connection) -> None:
        # Not cancelled with the connection: closing that ends the call, and it has a deadline.
        info = fetch.info
        try:
            catalogue = await connection.get_catalogue(fetch.have)
            if catalogue is None:
                self.feed(CatalogueFetched(fetch.dial, fetch.have, None))
                return
            check_catalogue(
                catalogue,
                node_id=info.node_id,
                epoch=info.epoch,
                held=fetch.have,
                is_signed=partial(verify_signature, info.signing_key),
            )
        except CatalogueRejected as error:
            log.warning("rejected the catalogue of %s: %s", info.node_id, error)
            why = f"its catalogue is not believed: {error}"
            self.feed(CatalogueFailed(fetch.dial, why, fetch.wanted))
        except SwarmError as error:
            self.feed(CatalogueFailed(fetch.dial, f"its catalogue did not come: {error}", None))
        else:
            self.feed(CatalogueFetched(fetch.dial, catalogue.head, catalogue.skills))


def _is_here(connection: Connection) -> bool:
    return is_loopback_host(parse_address(connection.address)[0])
