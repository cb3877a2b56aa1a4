"""The mesh as one node runs it: what the node asks of it, and what it answers the team.

`open_mesh` gives a `Mesh`; once the node serves, `start` makes it known and looks for others.
Who is dialled and who is alive is decided by `peers` and carried out by `peering`; this module
knows this node: its name, addresses, load and skills, and who it remembers.
"""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import trio

from skilllite_swarm.acquaintances import Acquaintances
from skilllite_swarm.address_book import AddressBook
from skilllite_swarm.addresses import (
    Interface,
    accept_addresses,
    caller_address,
    list_interfaces,
)
from skilllite_swarm.discovery import Discovery, DiscoveryStatistics
from skilllite_swarm.errors import (
    NotAMember,
    PeerRefused,
    PeerUnreachable,
    SwarmError,
)
from skilllite_swarm.heartbeat import PING_TIMEOUT_S
from skilllite_swarm.identity import DeviceIdentity
from skilllite_swarm.own_node import MeshConfig as MeshConfig
from skilllite_swarm.own_node import OwnNode
from skilllite_swarm.peer_events import Called, NetworkChanged, Pinged, StaticPeer
from skilllite_swarm.peer_view import PeerState, PeerView, clean_name, resolve_node, shown_names
from skilllite_swarm.peering import Peering
from skilllite_swarm.peers import PeerTable, TableStatistics
from skilllite_swarm.placement import Candidate
from skilllite_swarm.presence import Presence
from skilllite_swarm.renewal import keep_leaf_fresh
from skilllite_swarm.service_nursery import open_service_nursery
from skilllite_swarm.team import Team
from skilllite_swarm.transport import (
    Caller,
    Catalogue,
    CatalogueHead,
    Connection,
    Load,
    NodeInfo,
    PeerHint,
    Pong,
    SkillEntry,
    Transport,
    check_hello,
)

log = logging.getLogger(__name__)

ADDRESS_POLL_S = 3.0
"""How soon others can learn of a new address of this host; looking takes 0.4 ms."""

SUSPICION_SETTLES_S = 2.0
"""A suspected peer is alive or dead again after this, see `heartbeat`."""


def _anybody(node_id: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class MeshStatistics:
    """What the mesh is doing, for diagnosis."""

    epoch: int
    catalogue: CatalogueHead
    table: TableStatistics
    foreign: int
    """Announcements of other teams on this LAN."""
    discovery: DiscoveryStatistics | None


class Watch:
    """Yields the peers at once and after every change; changes in quick succession count as one."""

    COALESCE_S = 0.05
    """A person can't tell it from at once, and a burst of changes is printed once."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._seen = -1

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> tuple[PeerView, ...]:
        if self._seen >= 0:
            await self._mesh.wait_for_change(self._seen)
            await trio.sleep(self.COALESCE_S)
        self._seen = self._mesh.changes
        return self._mesh.peers()


class Mesh:
    """Made by `open_mesh`. Implements `transport.NodeService`."""

    def __init__(
        self,
        own: OwnNode,
        *,
        identity: DeviceIdentity,
        team: Team,
        transport: Transport,
        static_peers: tuple[str, ...],
        discovery: Discovery | None,
        acquaintances: Acquaintances,
        now: Callable[[], datetime],
        rng: random.Random,
        nursery: trio.Nursery,
    ) -> None:
        self._own = own
        self._identity = identity
        self._team = team
        self._static_peers = static_peers
        self._acquaintances = acquaintances
        self._now = now
        self._nursery = nursery
        self.changes = 0
        """Counts what `peers` or `self_view` had different."""
        self._change = trio.Event()
        self._peering = Peering(
            PeerTable(own.node_id, rng),
            transport,
            nursery,
            rng,
            me=self.info,
            mine=lambda: (own.load, own.catalogue.head),
            on_change=self._changed,
            on_connected=acquaintances.remember,
        )
        self._presence = None
        if discovery is not None:
            self._presence = Presence(discovery, own, team.team_id, self._peering.feed)

    # What the node asks

    def start(self, port: int) -> None:
        """Become known and look for others, now that this node serves on `port`."""
        assert self._own.port is None, "the mesh has started already"
        self._own.port = port
        for remembered in self._acquaintances.remembered():
            self._peering.feed(remembered)
        for address in self._static_peers:
            self._peering.feed(StaticPeer(address))
        tasks = [
            self._peering.tick,
            self._peering.ask_around,
            self._acquaintances.keep_saved,
            self._follow_addresses,
            self._renew,
        ]
        if self._presence is not None:
            tasks += [self._presence.announce, self._presence.listen]
        for task in tasks:
            self._nursery.start_soon(task)

    @property
    def node_id(self) -> str:
        return self._own.node_id

    def peers(self) -> tuple[PeerView, ...]:
        """Return every other node this one knows of, each under a name of its own."""
        return self._views()[1:]

    def self_view(self) -> PeerView:
        """Return this node as a member of the mesh."""
        return self._views()[0]

    def watch(self) -> Watch:
        return Watch(self)

    async def wait_for_change(self, seen: int) -> None:
        """Return once `changes` is not `seen` any more."""
        while self.changes == seen:
            await self._change.wait()

    def set_skills(self, entries: Iterable[SkillEntry]) -> tuple[str, ...]:
        """Offer these skills from the next ping on; return the names that can't be offered."""
        changed, left_out = self._own.offer(entries)
        if changed:
            self._changed()
            self._tell_news()
        return left_out

    def set_load(self, load: Load) -> None:
        """Let others know how busy this node is, with the next ping."""
        if self._own.set_load(load):
            self._changed()

    def drain(self, *, draining: bool = True) -> None:
        """Take no more tasks of others, or take them again. Members see it within a second."""
        self._own.draining = draining
        self._changed()

    def announce_join(self, window: int | None, port: int | None = None) -> None:
        """Announce an open join window and the port that serves it, or none any more."""
        self._own.join = (window, port) if window is not None and port is not None else None
        self._tell_news()

    def resolve_node(self, text: str) -> str:
        """Return the id of the node called `text`, this one included.

        Raises:
            UnknownNode: nobody fits.
            AmbiguousNode: an id prefix fits several.
        """
        return resolve_node(self._views(), text)

    def connection(self, node_id: str) -> Connection:
        """Return the connection to a live peer.

        Raises:
            PeerUnreachable: there is none at the moment; the message says why.
        """
        connection = self._peering.connection(node_id)
        if connection is not None:
            return connection
        for peer in self.peers():
            if peer.node_id == node_id:
                raise PeerUnreachable(
                    f"{peer.name} is {peer.state}: {peer.why}",
                    address=peer.addresses[0] if peer.addresses else "",
                    hint="`skilllite peers` shows who is here; `skilllite doctor` what blocks",
                )
        raise PeerUnreachable(f"no connection to {node_id[:8]}", hint="see `skilllite peers`")

    def candidates(self, skill: str) -> tuple[Candidate, ...]:
        """Return who can take a task for the skill now: alive, not draining; this node included."""
        return tuple(
            Candidate(view.node_id, view.name, view.load or Load(), view.latency_ms or 0.0)
            for view in self._views()
            if view.state is PeerState.ALIVE and not view.draining and _offers(view, skill)
        )

    async def find_candidates(
        self, skill: str, *, among: Callable[[str], bool] = _anybody
    ) -> tuple[Candidate, ...]:
        """Return `candidates` for whose id `among` holds; if all suspected, once that is settled.

        One late answer on a busy machine should not fail a task, and a pulled cable should not make
        it wait: suspicion ends within two seconds either way.
        """
        with trio.move_on_after(SUSPICION_SETTLES_S):
            while not (found := self._candidates_among(skill, among)):
                seen = self.changes
                if not any(
                    view.state is PeerState.SUSPECT and _offers(view, skill) and among(view.node_id)
                    for view in self.peers()
                ):
                    break
                await self.wait_for_change(seen)
            return found
        return self._candidates_among(skill, among)

    def _candidates_among(self, skill: str, among: Callable[[str], bool]) -> tuple[Candidate, ...]:
        return tuple(each for each in self.candidates(skill) if among(each.node_id))

    def statistics(self) -> MeshStatistics:
        return MeshStatistics(
            epoch=self._own.epoch,
            catalogue=self._own.catalogue.head,
            table=self._peering.table.statistics(),
            foreign=self._presence.foreign if self._presence is not None else 0,
            discovery=(
                self._presence.discovery.statistics() if self._presence is not None else None
            ),
        )

    async def leave(self) -> None:
        """Say goodbye to everybody, so that they see a node that left and not one that died.

        Bounded; called by closing, too, when it was not called before.
        """
        if self._own.leaving:
            return
        self._own.leaving = True
        load, head = self._own.load, self._own.catalogue.head
        with trio.move_on_after(PING_TIMEOUT_S):
            async with trio.open_nursery() as nursery:
                for _, connection in self._peering.connected():
                    nursery.start_soon(_say_goodbye, connection, load, head)
                if self._presence is not None:
                    nursery.start_soon(self._presence.discovery.withdraw)

    # What the team asks

    async def hello(self, caller: Caller, peer: NodeInfo) -> tuple[NodeInfo, tuple[PeerHint, ...]]:
        self._authorise(caller)
        check_hello(peer, proven=caller.node_id)
        if self._own.leaving:
            raise PeerRefused("this node is stopping")
        same_host = self._own.is_on_this_host(caller.address)
        source = caller_address(caller.address, peer.addresses)
        claimed = (*((source,) if source is not None else ()), *peer.addresses)
        addresses = accept_addresses(claimed, same_host=same_host)
        # One way is enough: whoever calls is dialled back.
        self._peering.feed(Called(peer.node_id, clean_name(peer.name), peer.epoch, addresses))
        await trio.lowlevel.checkpoint()
        return self.info(), self._peering.hints(to=caller.node_id)

    async def ping(self, caller: Caller, load: Load, catalogue: CatalogueHead) -> Pong:
        self._authorise(caller)
        self._peering.feed(Pinged(caller.node_id, load, catalogue))
        # Through the scheduler: a node whose loop is stuck must not look alive.
        await trio.lowlevel.checkpoint()
        return Pong(self._own.load, self._own.catalogue.head, draining=self._own.draining)

    async def get_catalogue(self, caller: Caller, have: CatalogueHead) -> Catalogue | None:
        self._authorise(caller)
        await trio.lowlevel.checkpoint()
        return None if have == self._own.catalogue.head else self._own.catalogue

    async def renew(self, caller: Caller, csr_der: bytes) -> tuple[bytes, bytes]:
        self._authorise(caller)
        await trio.lowlevel.checkpoint()
        leaf = self._team.issue_leaf(csr_der, self._now(), caller=caller.node_id)
        log.info("renewed the certificate of %s", caller.node_id)
        return leaf, self._team.ca_der

    def info(self) -> NodeInfo:
        """Return how this node describes itself in Hello."""
        return self._own.info()

    def _authorise(self, caller: Caller) -> None:
        # Membership is proven by the certificate; what is left is this node meeting itself.
        if caller.node_id == self.node_id:
            raise NotAMember("a node does not call itself")

    # This node

    def _views(self) -> tuple[PeerView, ...]:
        rows = self._peering.table.views(trio.current_time())
        # A member that never connected has said nothing, but gave its name when it joined.
        joined = {member.node_id: member.name for member in self._team.members}
        claimed = {
            view.node_id: view.name or joined.get(view.node_id, "") for view in rows if view.node_id
        }
        names = shown_names(claimed | {self.node_id: self._own.view().name})
        me = replace(self._own.view(), name=names[self.node_id])
        return me, *(
            replace(view, name=names[view.node_id]) if view.node_id else view for view in rows
        )

    def _changed(self) -> None:
        self.changes += 1
        self._change.set()
        self._change = trio.Event()

    def _tell_news(self) -> None:
        if self._presence is not None:
            self._presence.tell_news()

    # Tasks of the nursery

    async def _follow_addresses(self) -> None:
        while True:
            await trio.sleep(ADDRESS_POLL_S)
            if self._own.look_at_interfaces():
                log.info("this host's addresses are now %s", ", ".join(self._own.addresses()))
                self._peering.feed(NetworkChanged())
                self._changed()

    async def _renew(self) -> None:
        def issuers() -> list[Connection]:
            return [link for info, link in self._peering.connected() if info.holds_ca]

        await keep_leaf_fresh(self._team, self._identity, issuers=issuers, now=self._now)


def _offers(view: PeerView, skill: str) -> bool:
    return any(entry.name == skill for entry in view.skills)


async def _say_goodbye(connection: Connection, load: Load, head: CatalogueHead) -> None:
    try:
        await connection.ping(load, head, timeout_s=PING_TIMEOUT_S)
    except SwarmError as error:
        log.debug("no goodbye to %s: %s", connection.address, error)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_mesh(
    config: MeshConfig,
    *,
    identity: DeviceIdentity,
    team: Team,
    transport: Transport,
    discovery: Discovery | None = None,
    book: AddressBook | None = None,
    interfaces: Callable[[], tuple[Interface, ...]] = list_interfaces,
    now: Callable[[], datetime] = _utc_now,
    rng: random.Random | None = None,
) -> AsyncIterator[Mesh]:
    """Make a mesh that waits for `start`. At the end it says goodbye and closes its connections.

    Raises:
        InvalidAddress: a static peer or a given address is not "host:port".
    """
    config.check()
    own = OwnNode(
        config,
        identity,
        team,
        epoch=book.next_epoch(now()) if book is not None else int(now().timestamp() * 1000),
        interfaces=interfaces,
    )
    acquaintances = Acquaintances(team, book, now)
    # Not cancelled with the body, so that there are connections to say goodbye on.
    async with open_service_nursery() as nursery:
        mesh = Mesh(
            own,
            identity=identity,
            team=team,
            transport=transport,
            static_peers=config.static_peers,
            discovery=discovery,
            acquaintances=acquaintances,
            now=now,
            rng=rng or random.Random(),
            nursery=nursery,
        )
        try:
            yield mesh
        finally:
            with trio.CancelScope(shield=True):
                await mesh.leave()
            acquaintances.save()
