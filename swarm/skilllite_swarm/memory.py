"""The seams of `transport` in one process, with links that fail on command.

It keeps the promises that callers build on: who is proven, which error means "not delivered" and
which "perhaps", how long a dead link goes unnoticed. It runs under trio's MockClock, and all chance
comes from the seed. Values are handed over as they are: what the wire does to them is tested there.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import trio

from skilllite_swarm.diagnosis import race
from skilllite_swarm.errors import (
    CallInterrupted,
    DialStep,
    PeerRefused,
    PeerUnreachable,
    ProtocolMismatch,
    SwarmError,
)
from skilllite_swarm.task import (
    AttemptStatus,
    Failed,
    Refused,
    Result,
    RunEvent,
    RunRequest,
    Terminal,
)
from skilllite_swarm.transport import (
    CALL_S,
    DIAL_ADDRESSES_MAX,
    FETCH_S,
    LINK_DEAD_S,
    RUN_GRACE_S,
    Caller,
    Catalogue,
    CatalogueHead,
    Load,
    NodeInfo,
    NodeService,
    PeerHint,
    Pong,
    TaskService,
    check_hello,
)

T = TypeVar("T")

LATENCY_S = (0.0002, 0.001)
"""One way on a LAN, least and most."""

TEAM = "team"


@dataclass(eq=False, slots=True)
class _Host:
    """A node that is up."""

    node_id: str
    team_id: str
    addresses: tuple[str, ...]
    nodes: NodeService
    tasks: TaskService


@dataclass(eq=False, slots=True)
class _Flight:
    """A call under way. The scope ends it the way a broken connection would."""

    source: str
    target: str
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)


class MemoryNetwork:
    """A LAN in one process. Links are whole at first; node ids name their ends."""

    def __init__(self, seed: int = 0, *, latency_s: tuple[float, float] = LATENCY_S) -> None:
        self._random = random.Random(seed)
        self._latency_s = latency_s
        self._hosts: dict[str, _Host] = {}
        self._cuts: set[tuple[str, str]] = set()
        # In order of arrival: the order of a set would change from run to run.
        self._flights: dict[_Flight, None] = {}
        self._lost_replies: dict[str, int] = {}
        self._break_probability = 0.0
        self._healed = trio.Event()

    @contextmanager
    def serve(
        self,
        node_id: str,
        addresses: Iterable[str],
        *,
        nodes: NodeService,
        tasks: TaskService,
        team_id: str = TEAM,
    ) -> Iterator[None]:
        """Be up as this node as long as the context lasts; then calls to it break."""
        host = _Host(node_id, team_id, tuple(addresses), nodes, tasks)
        assert self._hosts.get(node_id) is None, f"{node_id} is up already"
        self._hosts[node_id] = host
        try:
            yield
        finally:
            if self._hosts.get(node_id) is host:
                self.kill(node_id)

    def transport(
        self, node_id: str, address: str = "memory:0", *, team_id: str = TEAM
    ) -> MemoryTransport:
        """Return what this node dials with; callees see `address` as its source."""
        return MemoryTransport(self, Caller(node_id, address), team_id)

    def kill(self, node_id: str) -> None:
        """Take a node down: its calls in both directions break, later ones are refused."""
        self._hosts.pop(node_id, None)
        for flight in self._flights:
            # Across a cut nobody hears of it; there the deadline of the cut ends the call.
            if node_id in (flight.source, flight.target) and self._is_open(flight):
                flight.scope.cancel()

    def cut(self, source: str, target: str) -> None:
        """Lose everything from one node to another. TCP needs both ways, so both will notice."""
        self._cuts.add((source, target))
        for flight in self._flights:
            if not self._is_open(flight):
                dead_at = trio.current_time() + LINK_DEAD_S
                flight.scope.deadline = min(flight.scope.deadline, dead_at)

    def heal(self, source: str, target: str) -> None:
        """Undo one `cut`. What was sent meanwhile arrives late, if its call still waits."""
        self._cuts.discard((source, target))
        for flight in self._flights:
            if self._is_open(flight):
                flight.scope.deadline = float("inf")
        self._healed.set()
        self._healed = trio.Event()

    def partition(self, *groups: Iterable[str]) -> None:
        """Cut every link between different groups, both ways."""
        sides = [tuple(group) for group in groups]
        for side in sides:
            for other in sides:
                if side is not other:
                    for source in side:
                        for target in other:
                            self.cut(source, target)

    def heal_all(self) -> None:
        """Undo every cut."""
        for source, target in sorted(self._cuts):
            self.heal(source, target)

    def lose_replies(self, node_id: str, calls: int = 1) -> None:
        """Break the connection after each of the next calls to a node was handled."""
        self._lost_replies[node_id] = calls

    def break_calls(self, probability: float) -> None:
        """Break this share of all calls: half before they arrive, half after they were handled."""
        self._break_probability = probability

    # What transports use

    def _is_open(self, flight: _Flight) -> bool:
        pair = (flight.source, flight.target)
        return pair not in self._cuts and pair[::-1] not in self._cuts

    def _host_at(self, address: str) -> _Host | None:
        return next((host for host in self._hosts.values() if address in host.addresses), None)

    async def _travel(self, source: str, target: str) -> None:
        """Take the time of one packet; behind a cut it waits to be sent again."""
        await trio.sleep(self._random.uniform(*self._latency_s))
        while (source, target) in self._cuts:
            await self._healed.wait()

    def _breaks_before(self) -> bool:
        return self._random.random() < self._break_probability / 2

    def _breaks_after(self, target: str) -> bool:
        if left := self._lost_replies.get(target, 0):
            self._lost_replies[target] = left - 1
            return True
        return self._random.random() < self._break_probability / 2

    @contextmanager
    def _flight(self, source: str, target: str) -> Iterator[_Flight]:
        flight = _Flight(source, target)
        if not self._is_open(flight):
            flight.scope.deadline = trio.current_time() + LINK_DEAD_S
        self._flights[flight] = None
        try:
            with flight.scope:
                yield flight
        finally:
            del self._flights[flight]


class MemoryTransport:
    """Dials in a `MemoryNetwork`; see `transport.Transport`."""

    def __init__(self, network: MemoryNetwork, me: Caller, team_id: str) -> None:
        self._network = network
        self._me = me
        self._team_id = team_id

    async def dial(
        self, addresses: Sequence[str], *, node_id: str | None, timeout_s: float
    ) -> MemoryConnection:
        tried = list(dict.fromkeys(addresses))[:DIAL_ADDRESSES_MAX]
        if not tried:
            raise PeerUnreachable("no address of the peer is known", step=DialStep.RESOLVE)
        return await race([partial(self._dial, each, node_id, timeout_s) for each in tried])

    async def _dial(self, address: str, node_id: str | None, timeout_s: float) -> MemoryConnection:
        network, me = self._network, self._me.node_id
        with trio.move_on_after(timeout_s):
            host = network._host_at(address)
            # Nobody at the address: a machine that is up says so at once.
            if host is not None:
                await network._travel(me, host.node_id)
                await network._travel(host.node_id, me)
            if host is None or network._host_at(address) is not host:
                raise _unreachable(f"nothing listens at {address}", address, DialStep.TCP)
            if host.team_id != self._team_id:
                raise _unreachable(f"{address} belongs to another team", address, DialStep.TEAM)
            if node_id is not None and host.node_id != node_id:
                raise _unreachable(f"{address} is another node now", address, DialStep.TLS)
            return MemoryConnection(network, self._me, host.node_id, address)
        raise _unreachable(f"no answer from {address}", address, DialStep.TCP)


class MemoryConnection:
    """Calls one node; see `transport.Connection`. Reconnects like a gRPC channel."""

    def __init__(self, network: MemoryNetwork, me: Caller, node_id: str, address: str) -> None:
        self._network = network
        self._me = me
        self._node_id = node_id
        self._address = address
        self._noticed_cut = False
        self._closed = False
        self._under_way: dict[trio.CancelScope, None] = {}

    @property
    def node_id(self) -> str:
        return self._node_id

    @property
    def address(self) -> str:
        return self._address

    async def hello(self, me: NodeInfo) -> tuple[NodeInfo, tuple[PeerHint, ...]]:
        async def serve(host: _Host) -> tuple[NodeInfo, tuple[PeerHint, ...]]:
            check_hello(me, proven=self._me.node_id)
            return await host.nodes.hello(self._me, me)

        peer, hints = await self._call("Hello", CALL_S, serve)
        check_hello(peer, proven=self._node_id)
        return peer, hints

    async def ping(self, load: Load, catalogue: CatalogueHead, *, timeout_s: float) -> Pong:
        return await self._call(
            "Ping", timeout_s, lambda host: host.nodes.ping(self._me, load, catalogue)
        )

    async def get_catalogue(self, have: CatalogueHead) -> Catalogue | None:
        return await self._call(
            "GetCatalogue", FETCH_S, lambda host: host.nodes.get_catalogue(self._me, have)
        )

    async def renew(self, csr_der: bytes) -> tuple[bytes, bytes]:
        return await self._call("Renew", CALL_S, lambda host: host.nodes.renew(self._me, csr_der))

    async def run(self, request: RunRequest, on_event: Callable[[RunEvent], None]) -> Terminal:
        terminals: list[Terminal] = []
        own_failures: list[Exception] = []

        async def send(event: RunEvent) -> None:
            await self._network._travel(self._node_id, self._me.node_id)
            if isinstance(event, Refused | Result | Failed):
                terminals.append(event)
            elif not terminals:
                try:
                    on_event(event)
                except Exception as error:  # the service must not take it for its own
                    own_failures.append(error)
                    raise

        try:
            await self._call(
                "Run",
                request.deadline_ms / 1_000 + RUN_GRACE_S,
                lambda host: host.tasks.run(self._me, request, send),
            )
        finally:
            if own_failures:
                raise own_failures[0]
        if not terminals:
            raise CallInterrupted(f"{self._address} ended the task without an outcome")
        return terminals[0]

    async def cancel(self, task_id: str, attempt: int) -> bool:
        return await self._call(
            "Cancel", CALL_S, lambda host: host.tasks.cancel(self._me, task_id, attempt)
        )

    async def status(self, task_id: str, attempt: int, *, fence: bool) -> AttemptStatus:
        return await self._call(
            "Status",
            CALL_S,
            lambda host: host.tasks.status(self._me, task_id, attempt, fence=fence),
        )

    async def aclose(self) -> None:
        self._closed = True
        for scope in self._under_way:
            scope.cancel()

    async def _call(self, name: str, timeout_s: float, serve: Callable[[_Host], Awaitable[T]]) -> T:
        """Take a request there and the answer back; the service runs in between, in this task."""
        network, me, peer = self._network, self._me.node_id, self._node_id
        broken = CallInterrupted(f"the connection to {self._address} broke during {name}")
        host = await self._reach()
        with trio.move_on_after(timeout_s) as in_time, network._flight(me, peer) as flight:
            self._under_way[flight.scope] = None
            try:
                await network._travel(me, peer)
                if network._hosts.get(peer) is not host or network._breaks_before():
                    raise broken
                try:
                    answer = await serve(host)
                except SwarmError as error:
                    await network._travel(peer, me)
                    raise _as_told(error) from error
                except Exception as error:  # the boundary of the service, as on a real server
                    await network._travel(peer, me)
                    raise broken from error
                if network._breaks_after(peer):
                    raise broken
                await network._travel(peer, me)
                return answer
            finally:
                del self._under_way[flight.scope]
        if in_time.cancelled_caught:
            raise CallInterrupted(f"{self._address} did not answer {name} in time")
        self._noticed_cut = not network._is_open(flight)
        raise broken

    async def _reach(self) -> _Host:
        """Return the host while it can be reached; a known cut fails before anything is sent."""
        network = self._network
        await trio.sleep(network._latency_s[0])
        if self._closed:
            raise _unreachable(f"the connection to {self._address} is closed", self._address)
        if self._noticed_cut:
            if not network._is_open(_Flight(self._me.node_id, self._node_id)):
                raise _unreachable(f"no connection to {self._address}", self._address)
            self._noticed_cut = False
        host = network._host_at(self._address)
        if host is None or host.node_id != self._node_id:
            raise _unreachable(f"no connection to {self._address}", self._address)
        return host


def _unreachable(message: str, address: str, step: DialStep = DialStep.TCP) -> PeerUnreachable:
    return PeerUnreachable(message, address=address, step=step)


def _as_told(error: SwarmError) -> SwarmError:
    if isinstance(error, ProtocolMismatch):
        return ProtocolMismatch(error.message, hint=error.hint)
    return PeerRefused(error.message, peer_code=error.code, hint=error.hint)
