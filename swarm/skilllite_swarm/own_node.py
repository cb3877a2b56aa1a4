"""This node as a member of the mesh: what it is called, where it listens, what it offers.

State and nothing else; who is told about it, and when, is `mesh`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from skilllite_swarm.addresses import (
    Interface,
    is_loopback_host,
    normal_ip,
    own_addresses,
    parse_address,
)
from skilllite_swarm.catalogue import fit_entries, make_catalogue
from skilllite_swarm.discovery import Announcement, team_hash
from skilllite_swarm.errors import InvalidAddress
from skilllite_swarm.identity import DeviceIdentity
from skilllite_swarm.peer_view import PeerState, PeerView
from skilllite_swarm.team import Team
from skilllite_swarm.transport import (
    PROTOCOL_MAX,
    PROTOCOL_MIN,
    Catalogue,
    Load,
    NodeInfo,
    SkillEntry,
)


@dataclass(frozen=True, slots=True)
class MeshConfig:
    """What a person decides about this node's place in the mesh."""

    name: str
    version: str
    host: str = ""
    """The IP address to listen on; empty means all."""
    static_peers: tuple[str, ...] = ()
    """Nodes to look for besides those that are announced, as "host:port"."""
    addresses: tuple[str, ...] = ()
    """To give to others instead of this host's own: behind NAT or a port mapping."""

    def check(self) -> None:
        """Raise `InvalidAddress` if one of the addresses is not "host:port"."""
        for address in (*self.static_peers, *self.addresses):
            parse_address(address)


class OwnNode:
    """What this node tells others about itself."""

    def __init__(
        self,
        config: MeshConfig,
        identity: DeviceIdentity,
        team: Team,
        *,
        epoch: int,
        interfaces: Callable[[], tuple[Interface, ...]],
    ) -> None:
        self._config = config
        self._identity = identity
        self._team = team
        self._list_interfaces = interfaces
        self._interfaces = interfaces()
        self._load = Load()
        self.epoch = epoch
        self.port: int | None = None
        self.draining = False
        self.leaving = False
        self.join: tuple[int, int] | None = None
        """Number and port of the open join window."""
        self.catalogue = self._make_catalogue((), sequence=0)

    @property
    def node_id(self) -> str:
        return self._identity.node_id

    @property
    def load(self) -> Load:
        return replace(self._load, leaving=self.leaving)

    def set_load(self, load: Load) -> bool:
        """Return whether it is different."""
        changed = load != self._load
        self._load = load
        return changed

    def offer(self, entries: Iterable[SkillEntry]) -> tuple[bool, tuple[str, ...]]:
        """Offer these skills; return whether that is different, and the names left out."""
        kept, left_out = fit_entries(entries)
        changed = kept != self.catalogue.skills
        if changed:
            self.catalogue = self._make_catalogue(kept, self.catalogue.head.sequence + 1)
        return changed, left_out

    def addresses(self) -> tuple[str, ...]:
        """Return where others can dial this node; empty before it listens."""
        if self._config.addresses or self.port is None:
            return self._config.addresses
        return own_addresses(self._interfaces, self.port, host=self._config.host)

    def look_at_interfaces(self) -> bool:
        """Return whether this host has other addresses than at the last look."""
        before, self._interfaces = self._interfaces, self._list_interfaces()
        return before != self._interfaces

    def is_on_this_host(self, address: str) -> bool:
        """Return whether "host:port" is an address of this very host."""
        try:
            host, _ = parse_address(address)
        except InvalidAddress:
            return False
        ip = normal_ip(host)
        own = {interface.ip for interface in self._interfaces}
        return is_loopback_host(host) or (ip is not None and str(ip) in own)

    def info(self) -> NodeInfo:
        """Return how this node describes itself in Hello."""
        return NodeInfo(
            node_id=self.node_id,
            name=self._config.name,
            epoch=self.epoch,
            protocol_min=PROTOCOL_MIN,
            protocol_max=PROTOCOL_MAX,
            addresses=self.addresses(),
            signing_key=self._identity.signing_key,
            signing_key_proof=self._identity.signing_key_proof,
            version=self._config.version,
            holds_ca=self._team.holds_ca,
            device_key=self._identity.device_key,
        )

    def view(self) -> PeerView:
        """Return this node as one row among the others."""
        return PeerView(
            name=self._config.name,
            node_id=self.node_id,
            addresses=self.addresses(),
            state=PeerState.ALIVE,
            why="",
            skills=self.catalogue.skills,
            load=self.load,
            latency_ms=0.0,
            draining=self.draining or self.leaving,
            version=self._config.version,
            holds_ca=self._team.holds_ca,
        )

    def announcement(self) -> Announcement:
        """Return what everybody on the LAN may know."""
        assert self.port is not None, "nothing to announce before this node listens"
        window, join_port = self.join or (None, None)
        head = self.catalogue.head
        host = self._config.host
        return Announcement(
            node_id=self.node_id,
            team_hash=team_hash(self._team.team_id),
            port=self.port,
            generation=f"{head.epoch}.{head.sequence}",
            catalogue=head.root.hex(),
            join_port=join_port,
            join_window=window,
            hosts=() if host in ("", "0.0.0.0", "::") else (host,),
        )

    def _make_catalogue(self, entries: tuple[SkillEntry, ...], sequence: int) -> Catalogue:
        return make_catalogue(
            self.node_id,
            entries,
            epoch=self.epoch,
            sequence=sequence,
            sign=self._identity.sign,
        )
