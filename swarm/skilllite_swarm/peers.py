"""What this node knows of the others, and what to do next: a state machine without I/O.

Events go in with the present time; effects come out and are carried out by the mesh:

    found, called      -> dial            dial failed        -> dial again later, for ever
    connected          -> ping, alive     pong               -> alive, perhaps fetch the catalogue
    ping missed        -> suspect         third in a row     -> dead: close, dial again
    goodbye            -> left: close, look again now and then

Each side of a pair uses the connection it dialled itself, so that "alive" always means: this node
reaches that one. Every dial has a number, and what a former dial still reports is ignored.
Nobody who was once a member is given up: forgetting the other half after a long partition is the
best-known complaint about meshes. Members that are gone are forgotten after days, mere hints after
minutes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from skilllite_swarm.errors import DialStep
from skilllite_swarm.peer_events import (
    Called,
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
    NetworkChanged,
    Pinged,
    PingMissed,
    Pong,
    ReachedSelf,
    Source,
    StartPings,
    StaticPeer,
    Tick,
)
from skilllite_swarm.peer_record import Peer, Seed, Target
from skilllite_swarm.peer_view import PeerState, PeerView
from skilllite_swarm.transport import CatalogueHead

PEERS_MAX = 256
"""Members and hints together: more than twice what a full mesh of connections is meant for."""

STATIC_PEERS_MAX = 64
"""Addresses named by a person."""

DIALS_MAX = 64
"""At the same time: a team whose other half is gone is tried again in two rounds of dials."""

MISSES_DEAD = 3
"""Missed pings in a row: one is a hiccup, two a busy machine."""

FORGET_MEMBER_S = 7 * 24 * 3600.0
"""A laptop may be away over a holiday; remembered addresses bring it back even later."""

GOODBYE = "it said goodbye"

FORGET_HINT_S = 600.0
"""Somebody who was announced, never connected, and is not announced any more."""


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """Counts for diagnosis."""

    peers: int
    connected: int
    dialling: int
    dropped: int
    """Hints that found no room."""


class PeerTable:
    """All peers of one node. `handle` is the only way in."""

    def __init__(self, self_id: str, rng: random.Random) -> None:
        self._self_id = self_id
        self._rng = rng
        self._peers: dict[str, Peer] = {}
        self._seeds: dict[str, Seed] = {}
        self._dialling: dict[int, Target] = {}
        self._connected: dict[int, Peer] = {}
        self._dials = 0
        self._dropped = 0
        self._effects: list[Effect] = []
        self._changed = False

    def handle(self, event: Event, now: float) -> tuple[Effect, ...]:
        """Take one event; return what is to be done, in order. `now` never goes back."""
        self._effects, self._changed = [], False
        self._take(event, now)
        self._start_dials(now)
        if self._changed:
            self._effects.append(Changed())
        return tuple(self._effects)

    def views(self, now: float) -> tuple[PeerView, ...]:
        """Return every peer under the name it claims, in the order of their ids."""
        rows = [self._peers[node_id].view(now) for node_id in sorted(self._peers)]
        # A static peer is one row: under its id once that is known, under its address before.
        unknown = [seed.view() for seed in self._seeds.values() if seed.node_id is None]
        return (*rows, *unknown)

    def hints(self, now: float) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return (node id, addresses) of the members that are up, for others to try.

        Those who called and are not dialled back yet belong to them: of two newcomers that meet
        here, the second must hear of the first.
        """
        return tuple(
            (peer.node_id, peer.addresses())
            for peer in self._peers.values()
            if peer.connection is not None or peer.called_recently(now)
        )

    def connection_of(self, node_id: str) -> int | None:
        """Return the number of the connection in use."""
        peer = self._peers.get(node_id)
        return peer.connection if peer is not None else None

    def statistics(self) -> TableStatistics:
        return TableStatistics(
            peers=len(self._peers),
            connected=len(self._connected),
            dialling=len(self._dialling),
            dropped=self._dropped,
        )

    def _take(self, event: Event, now: float) -> None:
        match event:
            case Found():
                self._found(event, now)
            case StaticPeer():
                self._static(event, now)
            case Called():
                self._called(event, now)
            case Pinged():
                self._pinged(event, now)
            case Connected():
                self._connect(event, now)
            case ReachedSelf():
                self._reached_self(event)
            case DialFailed():
                self._dial_failed(event, now)
            case Pong():
                self._pong(event, now)
            case PingMissed():
                self._ping_missed(event, now)
            case CatalogueFetched():
                self._catalogue_fetched(event)
            case CatalogueFailed():
                self._catalogue_failed(event)
            case NetworkChanged():
                for target in self._targets():
                    target.kick(now)
            case Tick():
                self._forget(now)

    # Hints

    def _found(self, event: Found, now: float) -> None:
        if event.node_id == self._self_id or not event.addresses:
            return
        proven = event.source is Source.REMEMBERED
        peer = self._peers.get(event.node_id) or self._admit(event.node_id, now, proven=proven)
        if peer is None:
            return
        peer.found_at = now
        if proven:
            peer.is_member = True
        peer.name = peer.name or event.name
        new_addresses = peer.learn(event.source, event.addresses)
        restarted = bool(event.generation) and event.generation != peer.generation
        if event.generation:
            peer.generation = event.generation
        # What is repeated at every browse is no news, and no reason to dial more often.
        if new_addresses or restarted:
            peer.kick(now)
        self._changed |= new_addresses

    def _static(self, event: StaticPeer, now: float) -> None:
        if event.address in self._seeds:
            return
        if len(self._seeds) >= STATIC_PEERS_MAX:
            self._dropped += 1
            return
        self._seeds[event.address] = Seed(event.address, next_dial_at=now)
        self._changed = True

    def _called(self, event: Called, now: float) -> None:
        if event.node_id == self._self_id:
            return
        peer = self._peers.get(event.node_id) or self._admit(event.node_id, now, proven=True)
        if peer is None:
            return
        peer.is_member = True
        peer.called_at = now
        peer.found_at = now
        # Its goodbye may overtake what it said before: the same start does not come back.
        if peer.state is PeerState.LEFT and peer.left_epoch == event.epoch:
            return
        if peer.state is PeerState.LEFT:
            peer.state, peer.why = PeerState.DEAD, "it is back, and not reached yet"
            self._changed = True
        peer.name = peer.name or event.name
        if event.addresses:
            peer.learn(Source.CALLED, event.addresses)
        if peer.connection is not None and peer.epoch != event.epoch:
            self._drop(peer, PeerState.DEAD, "it was restarted", now)
        peer.kick(now)

    def _pinged(self, event: Pinged, now: float) -> None:
        peer = self._peers.get(event.node_id)
        if peer is None:
            return
        peer.called_at = now
        if event.load.leaving:
            if peer.epoch in (None, event.head.epoch):
                self._leave(peer, event.head.epoch, now)
        elif peer.connection is not None and event.head.epoch == peer.epoch:
            # Sooner than with the next pong.
            self._want_catalogue(peer, event.head)

    # Dials

    def _targets(self) -> Iterator[Target]:
        yield from self._peers.values()
        yield from self._seeds.values()

    def _start_dials(self, now: float) -> None:
        if len(self._dialling) >= DIALS_MAX:
            return
        due = [target for target in self._targets() if self._is_due(target, now)]
        # Those that failed least first, so that the long gone don't delay the living.
        due.sort(key=lambda target: (target.failures, target.next_dial_at))
        for target in due[: DIALS_MAX - len(self._dialling)]:
            self._dials += 1
            target.start_dial(self._dials, now)
            self._dialling[self._dials] = target
            self._effects.append(Dial(self._dials, target.node_id_to_prove, target.addresses()))

    def _is_due(self, target: Target, now: float) -> bool:
        # Cheapest first: this is asked about everybody at every event.
        if target.dialling is not None or target.next_dial_at > now:
            return False
        if isinstance(target, Peer):
            return target.connection is None and bool(target.by_source)
        # Also while its node is known but gone: the home there may have got a new identity.
        known = self._peers.get(target.node_id) if target.node_id is not None else None
        return known is None or known.connection is None

    def _ended_dial(self, dial: int) -> Target | None:
        target = self._dialling.pop(dial, None)
        if target is not None:
            target.dialling = None
        return target

    def _connect(self, event: Connected, now: float) -> None:
        target = self._ended_dial(event.dial)
        if target is None:  # forgotten in the meantime
            self._effects.append(Close(event.dial))
            return
        if target.node_id_to_prove not in (None, event.node_id):
            # The transport promises that this can't be; believing it would be the worse failure.
            self._effects.append(Close(event.dial))
            self._note_failure(target, f"proved to be {event.node_id}", now)
            return
        if isinstance(target, Seed):
            target.resolved(event.node_id, now)
            self._changed = True
        peer = self._peers.get(event.node_id) or self._admit(event.node_id, now, proven=True)
        if peer is None or peer.connection is not None:
            self._effects.append(Close(event.dial))
            return
        if isinstance(target, Seed):
            peer.learn(Source.STATIC, (target.address,))
        peer.connected(event, now)
        self._connected[event.dial] = peer
        self._effects.append(StartPings(event.dial, peer.node_id))
        self._changed = True

    def _reached_self(self, event: ReachedSelf) -> None:
        target = self._ended_dial(event.dial)
        self._effects.append(Close(event.dial))
        if isinstance(target, Seed):
            target.why = "that address is this node itself"
            target.next_dial_at = math.inf
            self._changed = True

    def _dial_failed(self, event: DialFailed, now: float) -> None:
        target = self._ended_dial(event.dial)
        if target is None:
            return
        why = f"{event.step.value}: {event.why}"
        if _is_gone(target) and event.step not in (DialStep.RESOLVE, DialStep.TCP):
            # Something answers there again, and not as the member that said goodbye.
            why = f"{GOODBYE}; now {why}"
            self._changed |= target.why != why
            target.why = why
        self._note_failure(target, why, now)

    def _note_failure(self, target: Target, why: str, now: float) -> None:
        # That one who said goodbye can't be reached is what it announced.
        if not _is_gone(target):
            self._changed |= target.why != why
            target.why = why
        target.failed(now, self._rng)

    # Connections

    def _pong(self, event: Pong, now: float) -> None:
        peer = self._connected.get(event.dial)
        if peer is None:
            return
        if event.load.leaving:
            self._leave(peer, event.head.epoch, now)
            return
        if event.head.epoch != peer.epoch:
            # The same address and identity, another process: its Hello may say something else.
            self._drop(peer, PeerState.DEAD, "it was restarted", now)
            return
        self._changed |= peer.pong(event, now)
        self._want_catalogue(peer, event.head)

    def _ping_missed(self, event: PingMissed, now: float) -> None:
        peer = self._connected.get(event.dial)
        if peer is None:
            return
        peer.misses += 1
        self._changed = True
        times = "a ping" if peer.misses == 1 else f"{peer.misses} pings"
        why = f"no answer to {times}: {event.why}"
        if peer.misses >= MISSES_DEAD:
            self._drop(peer, PeerState.DEAD, why, now)
        else:
            peer.state, peer.why = PeerState.SUSPECT, why

    def _leave(self, peer: Peer, epoch: int, now: float) -> None:
        self._drop(peer, PeerState.LEFT, GOODBYE, now)
        peer.leave(epoch, now)

    def _drop(self, peer: Peer, state: PeerState, why: str, now: float) -> None:
        """End the connection, if there is one, and dial again at once."""
        if peer.connection is not None:
            del self._connected[peer.connection]
            self._effects.append(Close(peer.connection))
        peer.lost(state, why, now)
        self._changed = True

    # Catalogues

    def _want_catalogue(self, peer: Peer, head: CatalogueHead) -> None:
        if head in (peer.head, peer.rejected) or peer.fetching or peer.info is None:
            return
        assert peer.connection is not None
        peer.fetching = True
        self._effects.append(FetchCatalogue(peer.connection, peer.info, peer.head, head))

    def _catalogue_fetched(self, event: CatalogueFetched) -> None:
        peer = self._connected.get(event.dial)
        if peer is None:
            return
        peer.fetching = False
        peer.rejected = None
        if event.skills is not None:
            peer.head, peer.skills = event.head, event.skills
        peer.catalogue_problem = ""
        self._changed = True

    def _catalogue_failed(self, event: CatalogueFailed) -> None:
        peer = self._connected.get(event.dial)
        if peer is None:
            return
        peer.fetching = False
        if event.rejected is not None:
            peer.rejected = event.rejected
            peer.skills = ()
        self._changed |= peer.catalogue_problem != event.why
        peer.catalogue_problem = event.why

    # Room

    def _admit(self, node_id: str, now: float, *, proven: bool) -> Peer | None:
        """Add a peer; if there is no room, instead of the least valuable, or not at all."""
        if len(self._peers) >= PEERS_MAX and not self._evict(proven=proven):
            self._dropped += 1
            return None
        peer = self._peers[node_id] = Peer(node_id, next_dial_at=now, found_at=now)
        self._changed = True
        return peer

    def _evict(self, *, proven: bool) -> bool:
        # Announcements are free for anybody: those that led nowhere make room first, and a flood
        # of them never displaces somebody who proved to be a member.
        def worth(peer: Peer) -> tuple[bool, int, float]:
            return peer.is_member, -peer.failures, peer.found_at

        victims = sorted(
            (
                peer
                for peer in self._peers.values()
                if peer.connection is None
                and (proven or (not peer.is_member and peer.failures > 0))
            ),
            key=worth,
        )
        if victims:
            self._remove(victims[0])
        return bool(victims)

    def _forget(self, now: float) -> None:
        for peer in list(self._peers.values()):
            limit_s = FORGET_MEMBER_S if peer.is_member else FORGET_HINT_S
            if peer.connection is None and now - peer.found_at > limit_s:
                self._remove(peer)

    def _remove(self, peer: Peer) -> None:
        del self._peers[peer.node_id]
        if peer.dialling is not None:
            del self._dialling[peer.dialling]
        self._changed = True


def _is_gone(target: Target) -> bool:
    return isinstance(target, Peer) and target.state is PeerState.LEFT
