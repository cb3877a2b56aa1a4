"""One peer and one static address in the table of peers, and when each is dialled next.

Only `peers` changes these records; everything that touches several of them is decided there.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from skilllite_swarm.addresses import ADDRESSES_PER_NODE_MAX
from skilllite_swarm.peer_events import Connected, Pong, Source
from skilllite_swarm.peer_view import PeerState, PeerView, clean_name
from skilllite_swarm.transport import CatalogueHead, Load, NodeInfo, SkillEntry

BACKOFF_FIRST_S = 0.5
"""After the first failed dial; doubles from there."""

BACKOFF_MAX_S = 5.0
"""A dial to a host that is off costs three packets: often enough to be back soon after a link."""

BACKOFF_RECENT_MAX_S = 3.0
"""The same for a peer that was connected in the last minutes: most outages are short."""

RECENT_S = 600.0
"""How long that is."""

BACKOFF_JITTER = 0.5
"""Part of the back-off that is random, so that a switch coming up is not met by everybody."""

LEFT_RETRY_S = 30.0
"""Dialling one that said goodbye: it calls when it is back, this is for when it can't."""

STATIC_RETRY_S = 5.0
"""After a static address led to somebody who is connected already."""

KICK_SPACING_S = 0.5
"""Between two dials of one peer, however many reasons there are."""

LATENCY_WEIGHT = 0.25
"""Of the newest ping in the average: four pings old is half forgotten."""

CALLED_RECENTLY_S = 10.0
"""Pings arrive every second from a node that reaches this one."""


@dataclass(slots=True, kw_only=True)
class _Schedule:
    """When to dial next."""

    next_dial_at: float
    dialling: int | None = None
    """Number of the dial under way."""
    failures: int = 0
    """Dials that failed in a row."""
    started_at: float = -KICK_SPACING_S
    again: bool = False
    """Something new was learnt while a dial was under way."""
    why: str = "not tried yet"

    def start_dial(self, dial: int, now: float) -> None:
        self.dialling, self.started_at, self.again = dial, now, False

    def kick(self, now: float) -> None:
        """Forget former failures: there is a reason to believe that it works now."""
        self.failures = 0
        self.again = self.dialling is not None
        self.next_dial_at = max(now, self.started_at + KICK_SPACING_S)

    def failed(self, now: float, rng: random.Random) -> None:
        self.failures += 1
        if self.again:
            self.kick(now)
            return
        longest = min(self.backoff_max_s(now), BACKOFF_FIRST_S * 2 ** min(self.failures - 1, 9))
        self.next_dial_at = now + longest * rng.uniform(1 - BACKOFF_JITTER, 1)

    def backoff_max_s(self, now: float) -> float:
        return BACKOFF_MAX_S


@dataclass(slots=True)
class Seed(_Schedule):
    """An address that a person named; who is there turns out at the first success."""

    address: str
    node_id: str | None = None

    @property
    def node_id_to_prove(self) -> None:
        return None

    def addresses(self) -> tuple[str, ...]:
        return (self.address,)

    def resolved(self, node_id: str, now: float) -> None:
        self.node_id = node_id
        self.failures, self.why = 0, ""
        self.next_dial_at = now + STATIC_RETRY_S

    def view(self) -> PeerView:
        return PeerView(self.address, "", (self.address,), PeerState.UNREACHABLE, self.why)


@dataclass(slots=True)
class Peer(_Schedule):
    """Another node of the team, or one that is said to be."""

    node_id: str
    found_at: float = field(kw_only=True)
    """Last time anything was heard of it."""
    name: str = ""
    state: PeerState = PeerState.UNREACHABLE
    is_member: bool = False
    """It proved, or was remembered as having proved, that it is in the team."""
    by_source: dict[Source, tuple[str, ...]] = field(default_factory=dict)
    generation: str = ""
    connection: int | None = None
    address_in_use: str = ""
    info: NodeInfo | None = None
    connected_at: float | None = None
    """Last time it was known to be connected."""
    called_at: float = -math.inf
    """Last Hello or ping that came from it."""
    misses: int = 0
    latency_ms: float | None = None
    load: Load | None = None
    draining: bool = False
    left_epoch: int | None = None
    head: CatalogueHead = field(default_factory=CatalogueHead)
    """Of the skills below."""
    skills: tuple[SkillEntry, ...] = ()
    fetching: bool = False
    rejected: CatalogueHead | None = None
    catalogue_problem: str = ""

    @property
    def node_id_to_prove(self) -> str:
        return self.node_id

    @property
    def epoch(self) -> int | None:
        return self.info.epoch if self.info is not None else None

    def addresses(self) -> tuple[str, ...]:
        """Return what to dial, the address in use and the best sources first."""
        best = (self.address_in_use,) if self.address_in_use else ()
        known = (address for source in Source for address in self.by_source.get(source, ()))
        return tuple(dict.fromkeys((*best, *known)))[:ADDRESSES_PER_NODE_MAX]

    def learn(self, source: Source, addresses: tuple[str, ...]) -> bool:
        """Take what a source says now instead of what it said before; return whether it is news."""
        before = set(self.addresses())
        self.by_source[source] = addresses[:ADDRESSES_PER_NODE_MAX]
        return not before.issuperset(self.by_source[source])

    def connected(self, event: Connected, now: float) -> None:
        if self.epoch != event.info.epoch:
            self.head, self.skills, self.rejected = CatalogueHead(), (), None
            self.latency_ms, self.catalogue_problem = None, ""
        self.connection, self.info, self.is_member = event.dial, event.info, True
        # Until the connection is lost.
        self.next_dial_at = math.inf
        self.name = event.info.name
        self.address_in_use = event.address
        if event.info.addresses:
            self.learn(Source.TOLD, event.info.addresses)
        self.state, self.why = PeerState.ALIVE, ""
        self.misses = self.failures = 0
        self.fetching = self.again = self.draining = False
        self.left_epoch = None
        self.connected_at = self.found_at = now

    def pong(self, event: Pong, now: float) -> bool:
        """Note an answer; return whether anything but the latency is different."""
        before = (self.state, self.load, self.draining)
        self.state, self.why, self.misses = PeerState.ALIVE, "", 0
        self.load, self.draining = event.load, event.draining
        self.connected_at = self.found_at = now
        if self.latency_ms is None:
            self.latency_ms = event.latency_ms
        else:
            self.latency_ms += LATENCY_WEIGHT * (event.latency_ms - self.latency_ms)
        return before != (self.state, self.load, self.draining)

    def lost(self, state: PeerState, why: str, now: float) -> None:
        """The connection is over. What was known of its skills stays, for whoever asks."""
        self.connection = None
        self.state, self.why = state, why
        self.misses, self.fetching = 0, False
        self.load = self.latency_ms = None
        self.kick(now)

    def leave(self, epoch: int, now: float) -> None:
        self.left_epoch = epoch
        self.next_dial_at = now + LEFT_RETRY_S

    def failed(self, now: float, rng: random.Random) -> None:
        # Named in full: slotted dataclasses are made anew, which breaks the short form.
        _Schedule.failed(self, now, rng)
        if self.state is PeerState.LEFT and self.failures:
            self.next_dial_at = now + LEFT_RETRY_S * rng.uniform(1 - BACKOFF_JITTER, 1)

    def backoff_max_s(self, now: float) -> float:
        recent = self.connected_at is not None and now - self.connected_at < RECENT_S
        return BACKOFF_RECENT_MAX_S if recent else BACKOFF_MAX_S

    def called_recently(self, now: float) -> bool:
        return self.state is not PeerState.LEFT and now - self.called_at < CALLED_RECENTLY_S

    def view(self, now: float) -> PeerView:
        why = self.why
        if self.connection is not None:
            why = why or self.catalogue_problem
        elif self.failures and self.called_recently(now) and self.called_at > self.started_at:
            why += "; it reaches this node, so look for a firewall on its side"
        return PeerView(
            name=clean_name(self.name),
            node_id=self.node_id,
            addresses=self.addresses(),
            state=self.state,
            why=why,
            skills=self.skills,
            load=self.load,
            latency_ms=self.latency_ms,
            draining=self.draining,
            version=self.info.version if self.info is not None else "",
            holds_ca=self.info.holds_ca if self.info is not None else False,
        )


Target = Peer | Seed
