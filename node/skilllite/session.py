"""This node's time in one team: its ports, its mesh, its invitations.

A node that joins or leaves a team ends its session and begins another with the same ports; tasks
and ledger don't notice. All that a session needs is passed in.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import trio

from skilllite.errors import innermost
from skilllite.home import Home
from skilllite.invitations import Invitations
from skilllite.membership import no_discovery
from skilllite.standing import Standing, utc_now
from skilllite.version import VERSION
from skilllite_swarm.address_book import AddressBook
from skilllite_swarm.bridge import Bridge
from skilllite_swarm.discovery import Discovery
from skilllite_swarm.errors import PortInUse
from skilllite_swarm.mdns import open_mdns
from skilllite_swarm.mesh import Mesh, MeshConfig, open_mesh
from skilllite_swarm.rpc import GrpcTransport, serve_join, serve_mesh
from skilllite_swarm.transport import TaskService

ANY_PORT = 0
GOODBYE_S_MAX = 3.0

log = logging.getLogger("skilllite.node")


@dataclass(frozen=True, slots=True)
class Port:
    """A port to listen on."""

    number: int
    may_be_another: bool
    """Whether any free one will do when this is taken: nobody asked for it."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and how the node is found."""

    host: str
    port: Port
    join_port: Port
    static_peers: tuple[str, ...]
    discover: bool

    def settled(self, session: Session) -> Listening:
        """Return the same with the ports that the first session got."""
        join_port = self.join_port
        if session.join_port is not None:
            join_port = Port(session.join_port, may_be_another=True)
        port = Port(session.port, may_be_another=False)
        return Listening(self.host, port, join_port, self.static_peers, self.discover)


@dataclass(frozen=True, slots=True)
class Session:
    """What is open while this node is in one team."""

    mesh: Mesh
    port: int
    discovery: Discovery | None
    invitations: Invitations
    join_port: int | None
    """None on a node that can't invite: there is nothing to ask it."""


@asynccontextmanager
async def open_session(
    home: Home,
    standing: Standing,
    listening: Listening,
    *,
    bridge: Bridge,
    tasks: TaskService,
) -> AsyncIterator[Session]:
    """Serve the team inside the block.

    Raises:
        PortInUse: the port that was asked for is taken.
        InvalidAddress: a static peer is not "host:port".
    """
    team = standing.team
    if problem := team.leaf.clock_problem(now := utc_now()):
        log.warning(
            "this node's certificate is %s, and this machine's clock says %s UTC: no member can be "
            "reached until the clock is right; `skilllite doctor` says more",
            problem,
            f"{now:%Y-%m-%d %H:%M}",
        )
    async with AsyncExitStack() as stack:
        discovery = await stack.enter_async_context(
            open_mdns(bridge) if listening.discover else no_discovery()
        )
        mesh = await stack.enter_async_context(
            _open_mesh(home, standing, listening, bridge, discovery)
        )
        port = await _listen(
            stack,
            listening.port,
            lambda number: serve_mesh(
                bridge,
                lambda: team.tls,
                host=listening.host,
                port=number,
                nodes=mesh,
                tasks=tasks,
            ),
        )
        invitations = Invitations(standing, mesh)
        join_port = await _serve_newcomers(stack, standing, listening, bridge, invitations)
        nursery = await stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(invitations.keep, join_port)
        mesh.start(port)
        try:
            yield Session(mesh, port, discovery, invitations, join_port)
        finally:
            nursery.cancel_scope.cancel()
            # Before the ports close: the others shall see a node that left, not one that died.
            with trio.move_on_after(GOODBYE_S_MAX, shield=True):
                await mesh.leave()


def _open_mesh(
    home: Home,
    standing: Standing,
    listening: Listening,
    bridge: Bridge,
    discovery: Discovery | None,
) -> AbstractAsyncContextManager[Mesh]:
    team = standing.team
    book = AddressBook.open(home.peers_file, team_id=team.team_id, now=utc_now())
    if book.problem is not None:
        log.warning("remembered peers: %s", book.problem)
    config = MeshConfig(
        name=standing.name,
        version=VERSION,
        host=listening.host,
        static_peers=listening.static_peers,
    )
    return open_mesh(
        config,
        identity=standing.identity,
        team=team,
        transport=GrpcTransport(bridge, lambda: team.tls),
        discovery=discovery,
        book=book,
        now=utc_now,
    )


async def _serve_newcomers(
    stack: AsyncExitStack,
    standing: Standing,
    listening: Listening,
    bridge: Bridge,
    invitations: Invitations,
) -> int | None:
    """Open the join port where somebody could be let in; return it."""
    team = standing.team
    if not team.holds_ca:
        return None
    return await _listen(
        stack,
        listening.join_port,
        lambda number: serve_join(
            bridge, lambda: team.tls, host=listening.host, port=number, desk=invitations.desk
        ),
    )


async def _listen(
    stack: AsyncExitStack,
    port: Port,
    serve: Callable[[int], AbstractAsyncContextManager[int]],
) -> int:
    try:
        return await stack.enter_async_context(serve(port.number))
    except Exception as raised:
        if not port.may_be_another or not _is_taken(innermost(raised)):
            raise
        log.warning("port %d is taken, another one is used", port.number)
        return await stack.enter_async_context(serve(ANY_PORT))


def _is_taken(error: BaseException) -> bool:
    """Return whether another port can help: it can't where the address itself is wrong."""
    refusal = error.__cause__
    return isinstance(error, PortInUse) and not (
        isinstance(refusal, OSError) and refusal.errno != errno.EADDRINUSE
    )
