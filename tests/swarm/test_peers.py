"""The table of peers: events in, effects out, and invariants under any order of events."""

from __future__ import annotations

import copy
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from skilllite_swarm.errors import AmbiguousNode, DialStep, UnknownNode
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
from skilllite_swarm.peer_view import PeerState, PeerView, resolve_node, shown_names
from skilllite_swarm.peers import (
    DIALS_MAX,
    FORGET_HINT_S,
    FORGET_MEMBER_S,
    PEERS_MAX,
    STATIC_PEERS_MAX,
    PeerTable,
)
from skilllite_swarm.transport import CatalogueHead, Load, NodeInfo, SkillEntry

ME = "aaaa-me"
OTHER = "bbbb-other"
ADDRESS = "192.0.2.7:7700"
SKILL = SkillEntry("calculator", "Adds.", "sha256:" + "0" * 64, "python", idempotent=True)


def info(node_id: str = OTHER, *, epoch: int = 1, name: str = "other") -> NodeInfo:
    return NodeInfo(node_id, name, epoch, 1, 1, (ADDRESS,), b"k" * 32, b"p", "0.1.0", False)


def pong(dial: int, *, epoch: int = 1, sequence: int = 0, leaving: bool = False) -> Pong:
    head = CatalogueHead(epoch, sequence, bytes([sequence]) * 32)
    return Pong(dial, 2.0, Load(leaving=leaving), head, draining=False)


def found(node_id: str = OTHER, *addresses: str, generation: str = "") -> Found:
    return Found(node_id, addresses or (ADDRESS,), Source.MDNS, generation=generation)


class Driver:
    """A table with a clock, and the peer that most tests are about."""

    def __init__(self) -> None:
        self.table = PeerTable(ME, random.Random(1))
        self.now = 100.0

    def tell(self, event: Event) -> tuple[Effect, ...]:
        return self.table.handle(event, self.now)

    def dial(self, event: Event) -> Dial:
        (dial,) = dials(self.tell(event))
        return dial

    def connect(self, node_id: str = OTHER, *, epoch: int = 1) -> int:
        dial = self.dial(found(node_id, f"{node_id}:1"))
        self.tell(Connected(dial.dial, node_id, ADDRESS, info(node_id, epoch=epoch)))
        self.now += 1.0
        return dial.dial

    def wait_for_dial(self, *, at_most_s: float) -> Dial:
        end = self.now + at_most_s
        while self.now < end:
            self.now += 0.1
            if due := dials(self.tell(Tick())):
                return due[0]
        raise AssertionError(f"no dial within {at_most_s} s")

    def view(self, node_id: str = OTHER) -> PeerView:
        return next(view for view in self.table.views(self.now) if view.node_id == node_id)


def dials(effects: tuple[Effect, ...]) -> list[Dial]:
    return [effect for effect in effects if isinstance(effect, Dial)]


@pytest.fixture
def driver() -> Driver:
    return Driver()


def test_a_found_peer_is_dialled_at_once_and_must_prove_its_id(driver: Driver) -> None:
    effects = driver.tell(found())

    assert dials(effects) == [Dial(1, OTHER, (ADDRESS,))]
    assert driver.view().state is PeerState.UNREACHABLE
    assert driver.view().why == "not tried yet"


def test_our_own_announcement_is_ignored(driver: Driver) -> None:
    assert driver.tell(found(ME)) == ()
    assert driver.table.views(driver.now) == ()


def test_a_connected_peer_is_alive_and_pinged(driver: Driver) -> None:
    dial = driver.dial(found())

    effects = driver.tell(Connected(dial.dial, OTHER, ADDRESS, info()))

    assert effects == (StartPings(dial.dial, OTHER), Changed())
    assert driver.view().state is PeerState.ALIVE
    assert driver.view().why == ""
    assert driver.table.connection_of(OTHER) == dial.dial


def test_a_failed_dial_says_how_far_it_got(driver: Driver) -> None:
    dial = driver.dial(found())

    driver.tell(DialFailed(dial.dial, DialStep.TEAM, f"{ADDRESS} belongs to another team"))

    assert driver.view().state is PeerState.UNREACHABLE
    assert driver.view().why == f"team: {ADDRESS} belongs to another team"


def test_dials_back_off_and_never_stop(driver: Driver) -> None:
    dial = driver.dial(found())
    waits = []

    for _ in range(12):
        failed_at = driver.now
        driver.tell(DialFailed(dial.dial, DialStep.TCP, "refused"))
        dial = driver.wait_for_dial(at_most_s=5.2)
        waits.append(driver.now - failed_at)

    assert waits[0] <= 0.6
    assert max(waits) > 2.0
    assert max(waits) <= 5.2


def test_the_same_announcement_again_does_not_hurry_a_dial(driver: Driver) -> None:
    dial = driver.dial(found(generation="1.0"))
    for _ in range(6):
        driver.tell(DialFailed(dial.dial, DialStep.TCP, "refused"))
        dial = driver.wait_for_dial(at_most_s=6)
    driver.tell(DialFailed(dial.dial, DialStep.TCP, "refused"))

    driver.now += 0.6

    assert dials(driver.tell(found(generation="1.0"))) == []
    assert dials(driver.tell(found(generation="2.0"))) != []


def test_a_new_address_is_dialled_at_once_together_with_the_old(driver: Driver) -> None:
    dial = driver.dial(found())
    driver.tell(DialFailed(dial.dial, DialStep.TCP, "refused"))
    driver.now += 0.5

    hinted = driver.dial(Found(OTHER, ("198.51.100.1:7",), Source.HINT))

    assert hinted.addresses == (ADDRESS, "198.51.100.1:7")


def test_a_peer_that_moved_while_being_dialled_is_dialled_again_soon(driver: Driver) -> None:
    dial = driver.dial(found())
    for _ in range(5):
        driver.tell(DialFailed(dial.dial, DialStep.TCP, "refused"))
        dial = driver.wait_for_dial(at_most_s=6)
    driver.tell(found(OTHER, "198.51.100.1:7"))
    driver.now += 1

    (again,) = dials(driver.tell(DialFailed(dial.dial, DialStep.TCP, "timed out")))

    assert again.addresses == ("198.51.100.1:7",)


def test_one_missed_ping_is_suspicion_and_three_are_death(driver: Driver) -> None:
    dial = driver.connect()
    states = []

    for _ in range(3):
        effects = driver.tell(PingMissed(dial, "timed out"))
        states.append(driver.view().state)

    assert states == [PeerState.SUSPECT, PeerState.SUSPECT, PeerState.DEAD]
    assert effects[0] == Close(dial)
    assert isinstance(effects[1], Dial)
    assert driver.view().why == "no answer to 3 pings: timed out"
    assert driver.table.connection_of(OTHER) is None


def test_an_answer_ends_suspicion(driver: Driver) -> None:
    dial = driver.connect()
    driver.tell(PingMissed(dial, "timed out"))
    driver.tell(PingMissed(dial, "timed out"))

    driver.tell(pong(dial))
    driver.tell(PingMissed(dial, "timed out"))

    assert driver.view().state is PeerState.SUSPECT


def test_a_dead_peer_comes_back_by_its_next_dial(driver: Driver) -> None:
    first = driver.connect()
    for _ in range(3):
        effects = driver.tell(PingMissed(first, "timed out"))
    (dial,) = dials(effects)
    driver.tell(DialFailed(dial.dial, DialStep.TCP, "timed out"))
    assert driver.view().state is PeerState.DEAD
    assert driver.view().why == "tcp: timed out"

    dial = driver.wait_for_dial(at_most_s=1)
    driver.tell(Connected(dial.dial, OTHER, ADDRESS, info()))

    assert driver.view().state is PeerState.ALIVE


def test_a_peer_that_was_alive_lately_is_dialled_every_three_seconds(driver: Driver) -> None:
    first = driver.connect()
    for _ in range(3):
        effects = driver.tell(PingMissed(first, "timed out"))
    (dial,) = dials(effects)

    for _ in range(20):
        driver.tell(DialFailed(dial.dial, DialStep.TCP, "timed out"))
        dial = driver.wait_for_dial(at_most_s=3.1)


def test_reports_of_former_connections_change_nothing(driver: Driver) -> None:
    first = driver.connect()
    for _ in range(3):
        effects = driver.tell(PingMissed(first, "timed out"))
    (dial,) = dials(effects)
    driver.tell(Connected(dial.dial, OTHER, ADDRESS, info()))

    for late in (pong(first, leaving=True), PingMissed(first, "x"), pong(first, epoch=9)):
        assert driver.tell(late) == ()

    assert driver.view().state is PeerState.ALIVE


def test_a_restarted_peer_is_dialled_anew(driver: Driver) -> None:
    dial = driver.connect(epoch=1)
    driver.now += 10

    effects = driver.tell(pong(dial, epoch=2))

    assert effects[0] == Close(dial)
    assert isinstance(effects[1], Dial)
    assert driver.view().why == "it was restarted"


def test_the_call_of_a_restarted_peer_replaces_the_old_connection(driver: Driver) -> None:
    dial = driver.connect(epoch=1)
    driver.now += 10

    effects = driver.tell(Called(OTHER, "other", 2, ("192.0.2.9:7700",)))

    assert effects[0] == Close(dial)
    assert isinstance(effects[1], Dial)
    assert "192.0.2.9:7700" in effects[1].addresses


def test_a_caller_that_nobody_announced_is_dialled_back(driver: Driver) -> None:
    effects = driver.tell(Called(OTHER, "other", 1, (ADDRESS,)))

    assert dials(effects) == [Dial(1, OTHER, (ADDRESS,))]


def test_a_peer_that_calls_but_can_not_be_reached_is_explained(driver: Driver) -> None:
    dial = driver.dial(Called(OTHER, "other", 1, (ADDRESS,)))
    assert driver.view().why == "not tried yet"
    driver.now += 1
    driver.tell(Pinged(OTHER, Load(), CatalogueHead(1)))

    driver.tell(DialFailed(dial.dial, DialStep.TCP, "timed out"))

    assert driver.view().why.startswith("tcp: timed out; it reaches this node")
    driver.now += 60
    assert driver.view().why == "tcp: timed out"


def test_a_peer_that_is_gone_is_not_said_to_call(driver: Driver) -> None:
    first = driver.connect()
    driver.tell(Pinged(OTHER, Load(), CatalogueHead(1)))
    driver.now += 3
    for _ in range(3):
        effects = driver.tell(PingMissed(first, "timed out"))
    (dial,) = dials(effects)

    driver.tell(DialFailed(dial.dial, DialStep.TCP, "timed out"))

    assert driver.view().why == "tcp: timed out"


@pytest.mark.parametrize("by_ping", [True, False])
def test_a_goodbye_is_left_and_not_dead(driver: Driver, *, by_ping: bool) -> None:
    dial = driver.connect()
    goodbye = Pinged(OTHER, Load(leaving=True), CatalogueHead(1)) if by_ping else None

    effects = driver.tell(goodbye or pong(dial, leaving=True))

    assert effects == (Close(dial), Changed())
    assert driver.view().state is PeerState.LEFT
    driver.now += 29
    assert driver.tell(Tick()) == ()
    assert driver.wait_for_dial(at_most_s=2).node_id == OTHER


def test_a_peer_that_left_stays_left_while_it_can_not_be_reached(driver: Driver) -> None:
    driver.connect()
    driver.tell(Pinged(OTHER, Load(leaving=True), CatalogueHead(1)))
    dial = driver.wait_for_dial(at_most_s=31)

    driver.tell(DialFailed(dial.dial, DialStep.TCP, "refused"))

    assert driver.view().state is PeerState.LEFT
    assert driver.view().why == "it said goodbye"
    driver.now += 14
    assert dials(driver.tell(Tick())) == []


@pytest.mark.parametrize("step", [DialStep.TLS, DialStep.VERSION])
def test_what_answers_in_the_place_of_one_that_left_is_told(driver: Driver, step: DialStep) -> None:
    driver.connect()
    driver.tell(Pinged(OTHER, Load(leaving=True), CatalogueHead(1)))
    dial = driver.wait_for_dial(at_most_s=31)

    effects = driver.tell(DialFailed(dial.dial, step, "it speaks protocol 9"))

    assert Changed() in effects
    assert driver.view().state is PeerState.LEFT
    assert driver.view().why == f"it said goodbye; now {step.value}: it speaks protocol 9"


def test_a_peer_that_left_is_back_with_its_next_start(driver: Driver) -> None:
    driver.connect()
    driver.tell(Pinged(OTHER, Load(leaving=True), CatalogueHead(1)))
    driver.now += 5
    assert dials(driver.tell(Called(OTHER, "other", 1, (ADDRESS,)))) == []

    dial = driver.dial(Called(OTHER, "other", 2, (ADDRESS,)))

    driver.tell(Connected(dial.dial, OTHER, ADDRESS, info(epoch=2)))
    assert driver.view().state is PeerState.ALIVE


def test_the_goodbye_of_a_former_start_is_ignored(driver: Driver) -> None:
    driver.connect(epoch=2)

    driver.tell(Pinged(OTHER, Load(leaving=True), CatalogueHead(1)))

    assert driver.view().state is PeerState.ALIVE


def test_a_static_address_becomes_the_peer_that_answers_there(driver: Driver) -> None:
    dial = driver.dial(StaticPeer("build.lan:7700"))
    assert dial == Dial(1, None, ("build.lan:7700",))
    (unknown,) = driver.table.views(driver.now)
    assert (unknown.name, unknown.node_id) == ("build.lan:7700", "")

    driver.tell(Connected(1, OTHER, "build.lan:7700", info()))

    (known,) = driver.table.views(driver.now)
    assert (known.node_id, known.state) == (OTHER, PeerState.ALIVE)
    assert known.addresses == ("build.lan:7700", ADDRESS)


def test_a_static_address_of_a_connected_peer_adds_no_second_connection(driver: Driver) -> None:
    driver.connect()
    dial = driver.dial(StaticPeer("build.lan:7700"))

    effects = driver.tell(Connected(dial.dial, OTHER, "build.lan:7700", info()))

    assert effects == (Close(dial.dial), Changed())
    driver.now += 600
    assert dials(driver.tell(Tick())) == []


def test_a_static_address_is_dialled_openly_when_its_peer_is_gone(driver: Driver) -> None:
    static = driver.dial(StaticPeer("build.lan:7700"))
    driver.tell(Connected(static.dial, OTHER, "build.lan:7700", info()))
    driver.now += 60
    for _ in range(3):
        effects = driver.tell(PingMissed(static.dial, "timed out"))

    assert {dial.node_id for dial in dials(effects)} == {OTHER, None}


def test_a_static_address_of_this_node_is_named_and_left_alone(driver: Driver) -> None:
    dial = driver.dial(StaticPeer("me.lan:7700"))

    assert driver.tell(ReachedSelf(dial.dial)) == (Close(dial.dial), Changed())

    (view,) = driver.table.views(driver.now)
    assert view.why == "that address is this node itself"
    driver.now += 600
    assert driver.tell(Tick()) == ()


def test_another_identity_than_the_dialled_one_is_never_believed(driver: Driver) -> None:
    dial = driver.dial(found())

    effects = driver.tell(Connected(dial.dial, "mallory", ADDRESS, info("mallory")))

    assert effects[0] == Close(dial.dial)
    assert driver.view().state is PeerState.UNREACHABLE
    assert [view.node_id for view in driver.table.views(driver.now)] == [OTHER]


def test_a_new_network_forgets_old_failures(driver: Driver) -> None:
    dial = driver.dial(found())
    for _ in range(6):
        driver.tell(DialFailed(dial.dial, DialStep.TCP, "unreachable"))
        dial = driver.wait_for_dial(at_most_s=6)
    driver.tell(DialFailed(dial.dial, DialStep.TCP, "unreachable"))
    driver.now += 0.5

    assert len(dials(driver.tell(NetworkChanged()))) == 1


def test_a_new_catalogue_is_fetched_once(driver: Driver) -> None:
    dial = driver.connect()

    first = driver.tell(pong(dial, sequence=1))
    second = driver.tell(pong(dial, sequence=1))

    wanted = CatalogueHead(1, 1, b"\x01" * 32)
    assert FetchCatalogue(dial, info(), CatalogueHead(), wanted) in first
    assert second == ()
    driver.tell(CatalogueFetched(dial, wanted, (SKILL,)))
    assert driver.view().skills == (SKILL,)
    assert driver.tell(pong(dial, sequence=1)) == ()


def test_a_catalogue_is_fetched_also_when_the_peer_pings_first(driver: Driver) -> None:
    dial = driver.connect()
    head = CatalogueHead(1, 5, b"\x05" * 32)

    effects = driver.tell(Pinged(OTHER, Load(), head))

    assert effects == (FetchCatalogue(dial, info(), CatalogueHead(), head),)


def test_a_catalogue_that_did_not_come_is_fetched_again(driver: Driver) -> None:
    dial = driver.connect()
    driver.tell(pong(dial, sequence=1))

    driver.tell(CatalogueFailed(dial, "interrupted", None))

    assert any(isinstance(e, FetchCatalogue) for e in driver.tell(pong(dial, sequence=1)))


def test_a_rejected_catalogue_offers_nothing_and_is_not_fetched_again(driver: Driver) -> None:
    dial = driver.connect()
    good = CatalogueHead(1, 1, b"\x01" * 32)
    driver.tell(pong(dial, sequence=1))
    driver.tell(CatalogueFetched(dial, good, (SKILL,)))
    driver.tell(pong(dial, sequence=2))

    driver.tell(CatalogueFailed(dial, "not signed", CatalogueHead(1, 2, b"\x02" * 32)))

    assert driver.view().skills == ()
    assert driver.view().why == "not signed"
    assert driver.tell(pong(dial, sequence=2)) == ()
    assert any(isinstance(e, FetchCatalogue) for e in driver.tell(pong(dial, sequence=3)))


def test_skills_of_a_former_start_are_not_offered(driver: Driver) -> None:
    dial = driver.connect(epoch=1)
    driver.tell(pong(dial, sequence=1))
    driver.tell(CatalogueFetched(dial, CatalogueHead(1, 1, b"\x01" * 32), (SKILL,)))
    driver.now += 1
    (again,) = dials(driver.tell(pong(dial, epoch=2)))

    driver.tell(Connected(again.dial, OTHER, ADDRESS, info(epoch=2)))

    assert driver.view().skills == ()


def test_latency_is_averaged(driver: Driver) -> None:
    dial = driver.connect()
    driver.tell(replace(pong(dial), latency_ms=10.0))

    driver.tell(replace(pong(dial), latency_ms=2.0))

    assert driver.view().latency_ms == pytest.approx(8.0)


def test_a_flood_of_announcements_fills_a_bounded_table(driver: Driver) -> None:
    for number in range(2 * PEERS_MAX):
        driver.tell(found(f"flood{number}"))

    statistics = driver.table.statistics()
    assert statistics.peers == PEERS_MAX
    assert statistics.dialling == DIALS_MAX
    assert statistics.dropped == PEERS_MAX


def test_a_member_gets_in_through_a_flood(driver: Driver) -> None:
    for number in range(2 * PEERS_MAX):
        driver.tell(found(f"flood{number}"))

    driver.tell(Called(OTHER, "other", 1, (ADDRESS,)))

    assert driver.view().node_id == OTHER
    assert driver.table.statistics().peers == PEERS_MAX


def test_announcements_that_led_nowhere_make_room_for_others(driver: Driver) -> None:
    first = driver.dial(found("flood"))
    driver.tell(DialFailed(first.dial, DialStep.TCP, "refused"))
    for number in range(PEERS_MAX - 1):
        driver.tell(found(f"flood{number}"))

    driver.tell(found(OTHER))

    assert driver.view().node_id == OTHER
    assert "flood" not in {view.node_id for view in driver.table.views(driver.now)}


def test_static_addresses_are_bounded(driver: Driver) -> None:
    for number in range(STATIC_PEERS_MAX + 1):
        driver.tell(StaticPeer(f"host{number}:1"))

    assert len(driver.table.views(driver.now)) == STATIC_PEERS_MAX


def test_hints_are_forgotten_in_minutes_and_members_in_days(driver: Driver) -> None:
    member = driver.connect("member")
    for _ in range(3):
        driver.tell(PingMissed(member, "timed out"))
    driver.tell(found("hint"))

    driver.now += FORGET_HINT_S + 1
    driver.tell(Tick())
    assert [view.node_id for view in driver.table.views(driver.now)] == ["member"]

    driver.now += FORGET_MEMBER_S
    driver.tell(Tick())
    assert driver.table.views(driver.now) == ()


def test_a_dial_of_a_forgotten_peer_is_closed_when_it_succeeds(driver: Driver) -> None:
    dial = driver.dial(found("hint"))
    driver.now += FORGET_HINT_S + 1
    driver.tell(Tick())

    assert driver.tell(Connected(dial.dial, "hint", ADDRESS, info("hint"))) == (Close(dial.dial),)


# Names


def test_the_smallest_id_keeps_the_name_and_the_others_get_a_suffix() -> None:
    claimed = {"cccc3333": "build", "aaaa1111": "build", "bbbb2222": "build", "dddd": "desk"}

    assert shown_names(claimed) == {
        "aaaa1111": "build",
        "bbbb2222": "build-bbbb",
        "cccc3333": "build-cccc",
        "dddd": "desk",
    }


def test_a_suffix_never_takes_the_name_of_somebody_else() -> None:
    claimed = {"aaaa1111": "build", "bbbb2222": "build", "cccc3333": "build-bbbb"}

    assert shown_names(claimed) == {
        "aaaa1111": "build",
        "bbbb2222": "build-bbbb2",
        "cccc3333": "build-bbbb",
    }


def test_names_are_cleaned_for_the_terminal() -> None:
    names = shown_names({"aaaa1111": "\x1b[2Jbuild\n host", "bbbb2222": "", "cccc3333": "x" * 999})

    assert names["aaaa1111"] == "[2Jbuildhost"
    assert names["bbbb2222"] == "bbbb2222"
    assert len(names["cccc3333"]) == 64


ids = st.text("abcdefgh234567", min_size=8, max_size=8)


@given(st.dictionaries(ids, st.text("ab-", max_size=4), max_size=8))
def test_every_node_has_a_name_of_its_own(claimed: dict[str, str]) -> None:
    shown = shown_names(claimed)

    assert shown.keys() == claimed.keys()
    assert len(set(shown.values())) == len(claimed)
    assert all(shown.values())


def members(*named: tuple[str, str]) -> list[PeerView]:
    return [PeerView(name, node_id, (), PeerState.ALIVE, "") for name, node_id in named]


@pytest.mark.parametrize(
    ("text", "node_id"),
    [
        ("build", "bbbb2222"),
        ("BUILD", "bbbb2222"),
        ("bbbb2222", "bbbb2222"),
        ("bbbb", "bbbb2222"),
        ("BBBB2", "bbbb2222"),
        ("build-cccc", "cccc3333"),
        ("aaaa1", "aaaa1111"),
    ],
)
def test_a_node_is_found_by_name_or_start_of_its_id(text: str, node_id: str) -> None:
    known = members(("build", "bbbb2222"), ("build-cccc", "cccc3333"), ("aaaa1", "aaaa1111"))

    assert resolve_node(known, text) == node_id


@pytest.mark.parametrize("text", ["", "nobody", "bbb", "zzzz"])
def test_an_unknown_node_is_refused_with_those_that_are_known(text: str) -> None:
    with pytest.raises(UnknownNode) as caught:
        resolve_node(members(("build", "bbbb2222")), text)

    assert caught.value.cause == "known are build"


def test_an_ambiguous_prefix_is_refused_with_those_it_fits() -> None:
    known = members(("build", "bbbb2222"), ("desk", "bbbb3333"))

    with pytest.raises(AmbiguousNode) as caught:
        resolve_node(known, "bbbb")

    assert caught.value.cause == "build (bbbb2222), desk (bbbb3333)"


# Any order of events

NODES = [ME, "n1", "n2", "n3"]
EPOCHS = st.integers(1, 3)
PICK = st.integers(0, 99)
RARELY = st.sampled_from([False] * 9 + [True])


class AnyOrder(RuleBasedStateMachine):
    """The network does what it wants; the table must keep its books."""

    def __init__(self) -> None:
        super().__init__()
        self.table = PeerTable(ME, random.Random(3))
        self.now = 0.0
        self.asked: dict[int, Dial] = {}
        """Every dial that was ever asked for."""
        self.pending: list[int] = []
        """Those that are not answered yet."""
        self.open: dict[int, str] = {}
        """Connections that exist, as the mesh would hold them."""

    def tell(self, event: Event) -> None:
        for effect in self.table.handle(event, self.now):
            match effect:
                case Dial(dial, node_id):
                    assert node_id != ME
                    assert dial not in self.asked
                    self.asked[dial] = effect
                    self.pending.append(dial)
                case Close(dial):
                    # Closing twice, or what never was open, is a bug of the books.
                    del self.open[dial]
                case StartPings(dial, node_id):
                    assert self.open[dial] == node_id
                case FetchCatalogue(dial):
                    assert self.table.connection_of(self.open[dial]) == dial
                case Changed():
                    pass

    @rule(node=st.sampled_from(NODES), source=st.sampled_from(Source), seed=EPOCHS)
    def find(self, node: str, source: Source, seed: int) -> None:
        self.tell(Found(node, (f"h{seed}:1",), source, generation=str(seed)))

    @rule(seed=st.integers(1, 2))
    def name_static(self, seed: int) -> None:
        self.tell(StaticPeer(f"static{seed}:1"))

    @rule(node=st.sampled_from(NODES), epoch=EPOCHS)
    def call(self, node: str, epoch: int) -> None:
        self.tell(Called(node, node, epoch, (f"{node}:1",)))

    @rule(node=st.sampled_from(NODES), epoch=EPOCHS, leaving=st.booleans())
    def ping_us(self, node: str, epoch: int, *, leaving: bool) -> None:
        self.tell(Pinged(node, Load(leaving=leaving), CatalogueHead(epoch)))

    @precondition(lambda self: self.pending)
    @rule(pick=PICK, other=st.sampled_from(NODES[1:]), epoch=EPOCHS)
    def succeed(self, pick: int, other: str, epoch: int) -> None:
        dial = self.pending.pop(pick % len(self.pending))
        node_id = self.asked[dial].node_id or other
        self.open[dial] = node_id
        self.tell(Connected(dial, node_id, "h:1", info(node_id, epoch=epoch)))

    @precondition(lambda self: len(self.pending) > 1)
    @rule(other=st.sampled_from(NODES[1:]))
    def succeed_all(self, other: str) -> None:
        while self.pending:
            self.succeed(0, other, 1)

    @precondition(lambda self: self.pending)
    @rule(pick=PICK)
    def fail(self, pick: int) -> None:
        dial = self.pending.pop(pick % len(self.pending))
        self.tell(DialFailed(dial, DialStep.TCP, "refused"))

    @precondition(lambda self: any(self.asked[dial].node_id is None for dial in self.pending))
    @rule()
    def reach_self(self) -> None:
        dial = next(dial for dial in self.pending if self.asked[dial].node_id is None)
        self.pending.remove(dial)
        self.open[dial] = ME
        self.tell(ReachedSelf(dial))

    @precondition(lambda self: self.open)
    @rule(pick=PICK, epoch=st.sampled_from([1, 1, 1, 2]), sequence=EPOCHS, leaving=RARELY)
    def answer(self, pick: int, epoch: int, sequence: int, *, leaving: bool) -> None:
        dial = sorted(self.open)[pick % len(self.open)]
        self.tell(pong(dial, epoch=epoch, sequence=sequence, leaving=leaving))

    @precondition(lambda self: self.asked)
    @rule(pick=PICK, leaving=st.booleans())
    def answer_late(self, pick: int, *, leaving: bool) -> None:
        self.tell(pong(1 + pick % len(self.asked), leaving=leaving))

    @precondition(lambda self: self.open)
    @rule(pick=PICK, times=st.integers(1, 4))
    def miss(self, pick: int, times: int) -> None:
        dial = sorted(self.open)[pick % len(self.open)]
        for _ in range(times):
            self.tell(PingMissed(dial, "timed out"))

    @precondition(lambda self: self.open)
    @rule(pick=PICK, sequence=EPOCHS, fine=st.booleans())
    def fetch(self, pick: int, sequence: int, *, fine: bool) -> None:
        dial = sorted(self.open)[pick % len(self.open)]
        head = CatalogueHead(1, sequence)
        fetched = CatalogueFetched(dial, head, (SKILL,))
        self.tell(fetched if fine else CatalogueFailed(dial, "no", head))

    @rule(seconds=st.sampled_from([0.1, 1.0, 6.0, 31.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.tell(Tick())

    @rule(forget=RARELY)
    def pass_long(self, *, forget: bool) -> None:
        self.now += FORGET_MEMBER_S if forget else FORGET_HINT_S
        self.tell(NetworkChanged())
        self.tell(Tick())

    @invariant()
    def alive_and_suspect_are_exactly_the_connected(self) -> None:
        in_use = set()
        for view in self.table.views(self.now):
            assert view.node_id != ME
            connection = self.table.connection_of(view.node_id)
            reachable = view.state in (PeerState.ALIVE, PeerState.SUSPECT)
            assert reachable == (connection is not None)
            assert view.why or view.state is PeerState.ALIVE
            if connection is not None:
                assert self.open[connection] == view.node_id
                in_use.add(connection)
        assert in_use == set(self.open), "a connection leaked"

    @invariant()
    def nobody_is_given_up(self) -> None:
        # A minute later everybody who can be dialled and isn't connected is being dialled.
        later = copy.deepcopy(self.table)
        due = {dial.node_id for dial in dials(later.handle(Tick(), self.now + 60.0))}
        due |= {self.asked[dial].node_id for dial in self.pending}
        for view in later.views(self.now + 60.0):
            if view.node_id and view.addresses and later.connection_of(view.node_id) is None:
                assert view.node_id in due


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
