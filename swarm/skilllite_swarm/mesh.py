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

from skilllite_swarm.address_book import AddressBook
from skilllite_swarm.addresses import (
    Interface,
    accept_addresses,
    caller_address,
    is_loopback_host,
    list_interfaces,
    normal_ip,
    own_addresses,
    parse_address,
)
from skilllite_swarm.catalogue import fit_entries, make_catalogue
from skilllite_swarm.discovery import Announcement, Discovery, DiscoveryStatistics, team_hash
from skilllite_swarm.discovery import Found as Announced
from skilllite_swarm.errors import (
    InvalidAddress,
    NotAMember,
    PeerRefused,
    PeerUnreachable,
    SwarmError,
)
from skilllite_swarm.heartbeat import PING_TIMEOUT_S
from skilllite_swarm.identity import DeviceIdentity
from skilllite_swarm.peer_events import Called, Found, NetworkChanged, Pinged, Source, StaticPeer
from skilllite_swarm.peer_view import PeerState, PeerView, clean_name, resolve_node, shown_names
from skilllite_swarm.peering import Peering
from skilllite_swarm.peers import PeerTable, TableStatistics
from skilllite_swarm.placement import Candidate
from skilllite_swarm.renewal import keep_leaf_fresh
from skilllite_swarm.service_nursery import open_service_nursery
from skilllite_swarm.team import Team
from skilllite_swarm.team_record import Member, is_acceptable_name
from skilllite_swarm.transport import (
    PROTOCOL_MAX,
    PROTOCOL_MIN,
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

SAVE_PERIOD_S = 5.0
"""Between two writes of the remembered peers, so that a flapping LAN doesn't wear the disk."""

FOREIGN_MAX = 256
"""Announcements of other teams that are counted."""

SUSPICION_SETTLES_S = 2.0
"""A suspected peer is alive or dead again after this, see `heartbeat`."""


@dataclass(frozen=True, slots=True)
class MeshConfig:
    """What a person decides about this node's place in the mesh."""

    name: str
    version: str
    host: str = ""
    """The IP address to listen on; empty means all."""
    static_peers: tuple[str, ...] = ()
    """ "host:port" of nodes to look for besides those that are announced."""
    addresses: tuple[str, ...] = ()
    """ "host:port" to give to others instead of this host's own: behind NAT or a port mapping."""


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
        config: MeshConfig,
        *,
        identity: DeviceIdentity,
        team: Team,
        transport: Transport,
        discovery: Discovery | None,
        book: AddressBook | None,
        interfaces: Callable[[], tuple[Interface, ...]],
        now: Callable[[], datetime],
        rng: random.Random,
        nursery: trio.Nursery,
    ) -> None:
        self._config = config
        self._identity = identity
        self._team = team
        self._discovery = discovery
        self._book = book
        self._list_interfaces = interfaces
        self._interfaces = interfaces()
        self._now = now
        self._nursery = nursery
        self._epoch = book.next_epoch(now()) if book else int(now().timestamp() * 1000)
        self._load = Load()
        self._draining = False
        self._leaving = False
        self._port: int | None = None
        self._join: tuple[int, int] | None = None
        self._foreign: set[str] = set()
        self._announce_wanted = trio.Event()
        self.changes = 0
        """Counts what `peers` or `self_view` had different."""
        self._change = trio.Event()
        self._peering = Peering(
            PeerTable(identity.node_id, rng),
            transport,
            nursery,
            rng,
            me=self.info,
            mine=lambda: (self._own_load(), self._catalogue.head),
            on_change=self._changed,
            on_connected=self._remember,
        )
        self._catalogue = self._make_catalogue((), sequence=0)

    # What the node asks

    def start(self, port: int) -> None:
        """Become known and look for others, now that this node serves on `port`."""
        assert self._port is None, "the mesh has started already"
        self._port = port
        feed = self._peering.feed
        for member in self._team.members:
            if member.addresses:
                feed(Found(member.node_id, member.addresses, Source.REMEMBERED, name=member.name))
        for peer in self._book.peers() if self._book is not None else ():
            feed(Found(peer.node_id, peer.addresses, Source.REMEMBERED, name=peer.name))
        for address in self._config.static_peers:
            feed(StaticPeer(address))
        self._nursery.start_soon(self._peering.tick)
        self._nursery.start_soon(self._peering.ask_around)
        self._nursery.start_soon(self._follow_addresses)
        self._nursery.start_soon(self._renew)
        if self._discovery is not None:
            self._nursery.start_soon(self._listen, self._discovery)
            self._nursery.start_soon(self._announce, self._discovery)
        if self._book is not None:
            self._nursery.start_soon(self._save, self._book)

    @property
    def node_id(self) -> str:
        return self._identity.node_id

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
        kept, left_out = fit_entries(entries)
        if kept != self._catalogue.skills:
            self._catalogue = self._make_catalogue(kept, self._catalogue.head.sequence + 1)
            self._announce_wanted.set()
            self._changed()
        return left_out

    def set_load(self, load: Load) -> None:
        """Let others know how busy this node is, with the next ping."""
        if load != self._load:
            self._load = load
            self._changed()

    def drain(self, *, draining: bool = True) -> None:
        """Take no more tasks of others, or take them again. Members see it within a second."""
        self._draining = draining
        self._changed()

    def announce_join(self, window: int | None, port: int | None = None) -> None:
        """Announce an open join window and the port that serves it, or none any more."""
        self._join = (window, port) if window is not None and port is not None else None
        self._announce_wanted.set()

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

    async def find_candidates(self, skill: str) -> tuple[Candidate, ...]:
        """Return `candidates`; if there are none but suspected ones, once their fate is known.

        One late answer on a busy machine should not fail a task, and a pulled cable should not make
        it wait: suspicion ends within two seconds either way.
        """
        with trio.move_on_after(SUSPICION_SETTLES_S):
            while not (candidates := self.candidates(skill)):
                seen = self.changes
                if not any(
                    view.state is PeerState.SUSPECT and _offers(view, skill)
                    for view in self.peers()
                ):
                    break
                await self.wait_for_change(seen)
            return candidates
        return self.candidates(skill)

    def statistics(self) -> MeshStatistics:
        return MeshStatistics(
            epoch=self._epoch,
            catalogue=self._catalogue.head,
            table=self._peering.table.statistics(),
            foreign=len(self._foreign),
            discovery=self._discovery.statistics() if self._discovery is not None else None,
        )

    async def leave(self) -> None:
        """Say goodbye to everybody, so that they see a node that left and not one that died.

        Bounded; called by closing, too, when it was not called before.
        """
        if self._leaving:
            return
        self._leaving = True
        load, head = self._own_load(), self._catalogue.head
        with trio.move_on_after(PING_TIMEOUT_S):
            async with trio.open_nursery() as nursery:
                for _, connection in self._peering.connected():
                    nursery.start_soon(_say_goodbye, connection, load, head)
                if self._discovery is not None:
                    nursery.start_soon(self._discovery.withdraw)

    # What the team asks

    async def hello(self, caller: Caller, peer: NodeInfo) -> tuple[NodeInfo, tuple[PeerHint, ...]]:
        self._authorise(caller)
        check_hello(peer, proven=caller.node_id)
        if self._leaving:
            raise PeerRefused("this node is stopping")
        same_host = self._is_on_this_host(caller.address)
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
        return Pong(self._own_load(), self._catalogue.head, draining=self._draining)

    async def get_catalogue(self, caller: Caller, have: CatalogueHead) -> Catalogue | None:
        self._authorise(caller)
        await trio.lowlevel.checkpoint()
        return None if have == self._catalogue.head else self._catalogue

    async def renew(self, caller: Caller, csr_der: bytes) -> tuple[bytes, bytes]:
        self._authorise(caller)
        await trio.lowlevel.checkpoint()
        leaf = self._team.issue_leaf(csr_der, self._now(), caller=caller.node_id)
        log.info("renewed the certificate of %s", caller.node_id)
        return leaf, self._team.ca_der

    def info(self) -> NodeInfo:
        """Return how this node describes itself in Hello."""
        return NodeInfo(
            node_id=self.node_id,
            name=self._config.name,
            epoch=self._epoch,
            protocol_min=PROTOCOL_MIN,
            protocol_max=PROTOCOL_MAX,
            addresses=self._addresses(),
            signing_key=self._identity.signing_key,
            signing_key_proof=self._identity.signing_key_proof,
            version=self._config.version,
            holds_ca=self._team.holds_ca,
            device_key=self._identity.device_key,
        )

    def _authorise(self, caller: Caller) -> None:
        # Membership is proven by the certificate; what is left is this node meeting itself.
        if caller.node_id == self.node_id:
            raise NotAMember("a node does not call itself")

    # This node

    def _own_load(self) -> Load:
        return replace(self._load, leaving=self._leaving)

    def _addresses(self) -> tuple[str, ...]:
        if self._config.addresses or self._port is None:
            return self._config.addresses
        return own_addresses(self._interfaces, self._port, host=self._config.host)

    def _is_on_this_host(self, address: str) -> bool:
        try:
            host, _ = parse_address(address)
        except InvalidAddress:
            return False
        ip = normal_ip(host)
        own = {interface.ip for interface in self._interfaces}
        return is_loopback_host(host) or (ip is not None and str(ip) in own)

    def _make_catalogue(self, entries: tuple[SkillEntry, ...], sequence: int) -> Catalogue:
        return make_catalogue(
            self.node_id,
            entries,
            epoch=self._epoch,
            sequence=sequence,
            sign=self._identity.sign,
        )

    def _views(self) -> tuple[PeerView, ...]:
        rows = self._peering.table.views(trio.current_time())
        claimed = {view.node_id: view.name for view in rows if view.node_id}
        names = shown_names(claimed | {self.node_id: self._config.name})
        me = PeerView(
            name=names[self.node_id],
            node_id=self.node_id,
            addresses=self._addresses(),
            state=PeerState.ALIVE,
            why="",
            skills=self._catalogue.skills,
            load=self._load,
            latency_ms=0.0,
            draining=self._draining or self._leaving,
            version=self._config.version,
            holds_ca=self._team.holds_ca,
        )
        return me, *(
            replace(view, name=names[view.node_id]) if view.node_id else view for view in rows
        )

    def _changed(self) -> None:
        self.changes += 1
        self._change.set()
        self._change = trio.Event()

    def _remember(self, info: NodeInfo, address: str) -> None:
        name = info.name if is_acceptable_name(info.name) else info.node_id[:8]
        if self._book is not None:
            self._book.remember(
                info.node_id, name=name, addresses=(address, *info.addresses), now=self._now()
            )
        known = {member.node_id: member for member in self._team.members}.get(info.node_id)
        if known is None or (known.name, known.holds_ca) != (name, info.holds_ca):
            try:
                # A write to disk on this thread, once in the life of a pair of nodes.
                self._team.record_member(
                    Member(info.node_id, name, info.addresses, holds_ca=info.holds_ca)
                )
            except SwarmError as error:
                log.warning("could not record %s as a member: %s", name, error.message)

    # Tasks of the nursery

    async def _listen(self, discovery: Discovery) -> None:
        ours = team_hash(self._team.team_id)
        with discovery.subscribe() as events:
            async for event in events:
                if not isinstance(event, Announced):
                    continue  # a goodbye that anybody could have said; the ping knows better
                if event.team_hash != ours:
                    if len(self._foreign) < FOREIGN_MAX:
                        self._foreign.add(event.instance)
                elif event.node_id is not None:
                    # Loopback is dialled, too: it must prove the id, and may be on this host.
                    addresses = accept_addresses(event.addresses, same_host=True)
                    found = Found(event.node_id, addresses, Source.MDNS)
                    self._peering.feed(replace(found, generation=event.generation))

    async def _announce(self, discovery: Discovery) -> None:
        while not self._leaving:
            self._announce_wanted = trio.Event()
            await discovery.announce(self._announcement())
            await self._announce_wanted.wait()

    def _announcement(self) -> Announcement:
        assert self._port is not None
        window, join_port = self._join or (None, None)
        head = self._catalogue.head
        hosts = self._config.host if self._config.host not in ("", "0.0.0.0", "::") else None
        return Announcement(
            node_id=self.node_id,
            team_hash=team_hash(self._team.team_id),
            port=self._port,
            generation=f"{head.epoch}.{head.sequence}",
            catalogue=head.root.hex(),
            join_port=join_port,
            join_window=window,
            hosts=(hosts,) if hosts is not None else (),
        )

    async def _follow_addresses(self) -> None:
        while True:
            await trio.sleep(ADDRESS_POLL_S)
            before, self._interfaces = self._interfaces, self._list_interfaces()
            if before != self._interfaces:
                log.info("this host's addresses are now %s", ", ".join(self._addresses()))
                self._peering.feed(NetworkChanged())
                self._changed()

    async def _renew(self) -> None:
        def issuers() -> list[Connection]:
            return [link for info, link in self._peering.connected() if info.holds_ca]

        await keep_leaf_fresh(self._team, self._identity, issuers=issuers, now=self._now)

    async def _save(self, book: AddressBook) -> None:
        while True:
            await trio.sleep(SAVE_PERIOD_S)
            content = book.take_changes()
            if content is not None:
                try:
                    await trio.to_thread.run_sync(book.write, content)
                except OSError as error:
                    log.warning("could not save the remembered peers: %s", error)


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
    for address in (*config.static_peers, *config.addresses):
        parse_address(address)
    # Not cancelled with the body, so that there are connections to say goodbye on.
    async with open_service_nursery() as nursery:
        mesh = Mesh(
            config,
            identity=identity,
            team=team,
            transport=transport,
            discovery=discovery,
            book=book,
            interfaces=interfaces,
            now=now,
            rng=rng or random.Random(),
            nursery=nursery,
        )
        try:
            yield mesh
        finally:
            with trio.CancelScope(shield=True):
                await mesh.leave()
            if book is not None:
                try:
                    book.save()
                except OSError as error:
                    log.warning("could not save the remembered peers: %s", error)
