"""A code lets in who knows it, once, past the pinned certificate; everybody else learns nothing."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skilllite_swarm.errors import IdentityCorrupt, JoinFailed, JoinReason
from skilllite_swarm.identity import (
    DeviceIdentity,
    load_or_create_identity,
    make_authority,
    public_key_der_of_certificate,
    to_der,
    to_pem,
)
from skilllite_swarm.pairing import (
    PROOFS_MAX,
    SESSION_S,
    WINDOW_S,
    InviteDesk,
    JoinCode,
    JoinedTeam,
    Joiner,
    JoinEvent,
    JoinEventKind,
    JoinService,
    join_through,
)
from skilllite_swarm.pairing.agreement import AgreedKeys, Binding, KeyAgreement, Side
from skilllite_swarm.pairing.body import (
    BODY_BYTES_MAX,
    JoinRequest,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
)
from skilllite_swarm.team import Team, open_team
from skilllite_swarm.team_record import Member
from skilllite_swarm.words import WORDS

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ADDRESS = "10.0.0.9:51234"


BINDING = Binding(42, b"c" * 32, b"joiner", b"responder")
CODE = JoinCode(42, ("maple", "robin", "tunnel"))


@pytest.mark.parametrize(
    "other",
    [
        replace(BINDING, window=43),
        replace(BINDING, certificate_sha256=b"d" * 32),
        replace(BINDING, joiner_key=b"another"),
        replace(BINDING, responder_key=b"another"),
        replace(BINDING, joiner_key=b"joinerr", responder_key=b"esponder"),
    ],
)
def test_both_ends_must_see_the_same_of_everything(other: Binding) -> None:
    joiner = KeyAgreement(Side.JOINER, CODE, BINDING)
    responder = KeyAgreement(Side.RESPONDER, CODE, other)
    session = b"s" * 16

    ours = joiner.finish(session, responder.message)
    theirs = responder.finish(session, joiner.message)

    assert not ours.confirms(theirs.confirmation())
    assert not theirs.confirms(ours.confirmation())
    assert ours.open(theirs.seal(b"plain")) is None


def test_keys_differ_by_direction_and_session() -> None:
    joiner = KeyAgreement(Side.JOINER, CODE, BINDING)
    responder = KeyAgreement(Side.RESPONDER, CODE, BINDING)

    ours = joiner.finish(b"s" * 16, responder.message)
    theirs = responder.finish(b"t" * 16, joiner.message)

    assert ours.open(ours.seal(b"plain")) is None
    assert not ours.confirms(ours.confirmation())
    assert not ours.confirms(theirs.confirmation())


@dataclass
class Clock:
    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Inviter:
    """A node with the CA, its desk, and what a person at it would see."""

    team: Team
    desk: InviteDesk
    clock: Clock
    events: list[JoinEvent]

    @property
    def certificate(self) -> bytes:
        return self.team.tls.leaf_pem

    def kinds(self) -> list[str]:
        return [event.kind.value for event in self.events]

    def messages(self) -> list[str]:
        return [event.message for event in self.events]


def make_inviter(root: Path, *, seed: int = 1) -> Inviter:
    identity = load_or_create_identity(root / "keys")
    team = open_team(root / "team", root / "keys", identity, NOW)
    clock, events = Clock(), list[JoinEvent]()
    desk = InviteDesk(
        team,
        me=lambda: Member(team.tls.node_id, "alice", ("10.0.0.1:7000",)),
        clock=clock,
        now=lambda: NOW,
        on_event=events.append,
        rng=random.Random(seed),
    )
    return Inviter(team, desk, clock, events)


@dataclass
class Wire:
    """A client that calls the desk directly, and lets a test change what passes."""

    desk: JoinService
    on_start: Callable[[int, bytes, bytes], tuple[int, bytes, bytes]] = lambda *parts: parts
    on_started: Callable[[bytes, bytes, bytes], tuple[bytes, bytes, bytes]] = lambda *parts: parts
    on_confirm: Callable[[bytes, bytes, bytes], tuple[bytes, bytes, bytes]] = lambda *parts: parts
    on_confirmed: Callable[[bytes], bytes] = lambda sealed: sealed
    confirms: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)

    async def start(self, window: int, spake: bytes, key: bytes) -> tuple[bytes, bytes, bytes]:
        return self.on_started(*await self.desk.start(ADDRESS, *self.on_start(window, spake, key)))

    async def confirm(self, session: bytes, confirmation: bytes, sealed: bytes) -> bytes:
        parts = self.on_confirm(session, confirmation, sealed)
        self.confirms.append(parts)
        return self.on_confirmed(await self.desk.confirm(*parts))


@pytest.fixture
def inviter(tmp_path: Path) -> Inviter:
    return make_inviter(tmp_path / "inviter")


@pytest.fixture
def bob(tmp_path: Path) -> DeviceIdentity:
    return load_or_create_identity(tmp_path / "bob" / "keys")


def joiner_for(
    inviter: Inviter, identity: DeviceIdentity, code: str, *, name: str = "bob"
) -> Joiner:
    return Joiner(identity, JoinCode.parse(code), inviter.certificate, name=name)


async def attempt(
    inviter: Inviter, identity: DeviceIdentity, code: str, *, name: str = "bob"
) -> JoinedTeam:
    joiner = joiner_for(inviter, identity, code, name=name)
    return await join_through(Wire(inviter.desk), joiner, lambda: NOW)


async def refused(reason: JoinReason, inviter: Inviter, identity: DeviceIdentity, code: str) -> str:
    with pytest.raises(JoinFailed) as caught:
        await attempt(inviter, identity, code)
    assert caught.value.reason is reason
    assert caught.value.hint
    return caught.value.message


def other_code(code: str) -> str:
    head, _, last = code.rpartition("-")
    return f"{head}-{'river' if last != 'river' else 'robin'}"


async def test_the_right_code_makes_a_member(
    inviter: Inviter, bob: DeviceIdentity, tmp_path: Path
) -> None:
    inviter.team.record_member(Member("a" * 52, "carol", ("10.0.0.3:7000",)))
    code = inviter.desk.open().code

    joined = await attempt(inviter, bob, code)
    team = open_team(tmp_path / "bob" / "team", tmp_path / "bob" / "keys", bob, NOW)
    team.join(joined.leaf_der, joined.ca_der, joined.members, NOW)

    assert team.team_id == inviter.team.team_id == joined.team_id
    assert joined.inviter == Member(
        inviter.team.tls.node_id, "alice", ("10.0.0.1:7000",), holds_ca=True
    )
    assert [member.name for member in team.members] == ["alice", "carol"]
    assert [member.name for member in inviter.team.members] == ["carol", "bob"]
    assert inviter.kinds() == ["joined"]
    assert inviter.events[0] == JoinEvent(
        JoinEventKind.JOINED,
        JoinCode.parse(code).number,
        "bob joined",
        ADDRESS,
        PROOFS_MAX,
        bob.node_id,
        "bob",
    )
    assert inviter.desk.status() is None


async def test_a_code_works_once(inviter: Inviter, bob: DeviceIdentity, tmp_path: Path) -> None:
    code = inviter.desk.open().code
    await attempt(inviter, bob, code)

    carol = load_or_create_identity(tmp_path / "carol")
    assert "used already" in await refused(JoinReason.USED, inviter, carol, code)
    assert inviter.kinds() == ["joined"]


async def test_a_wrong_word_is_noticed_by_the_newcomer_and_shown_to_the_inviter(
    inviter: Inviter, bob: DeviceIdentity
) -> None:
    code = inviter.desk.open().code

    await refused(JoinReason.WRONG_CODE, inviter, bob, other_code(code))

    assert inviter.events == [
        JoinEvent(
            JoinEventKind.ATTEMPT_FAILED, int(code[:2]), "wrong code", ADDRESS, PROOFS_MAX - 1
        )
    ]
    assert (await attempt(inviter, bob, code)).team_id == inviter.team.team_id


async def test_a_newcomer_with_a_wrong_code_sends_no_proof_and_no_request(
    inviter: Inviter, bob: DeviceIdentity
) -> None:
    code = inviter.desk.open().code
    wire = Wire(inviter.desk)

    with pytest.raises(JoinFailed):
        await join_through(wire, joiner_for(inviter, bob, other_code(code)), lambda: NOW)

    assert [(proof, sealed) for _, proof, sealed in wire.confirms] == [(b"", b"")]


async def test_three_wrong_codes_close_the_window(inviter: Inviter, bob: DeviceIdentity) -> None:
    code = inviter.desk.open().code

    for _ in range(PROOFS_MAX):
        await refused(JoinReason.WRONG_CODE, inviter, bob, other_code(code))

    assert "closed" in await refused(JoinReason.CLOSED, inviter, bob, code)
    assert inviter.kinds() == ["attempt_failed"] * 3 + ["closed"]
    assert [event.attempts_left for event in inviter.events] == [2, 1, 0, 0]
    assert inviter.desk.status() is None


async def test_an_answered_start_is_a_spent_guess_even_if_nothing_follows(
    inviter: Inviter, bob: DeviceIdentity
) -> None:
    code = inviter.desk.open().code
    answers = []

    with pytest.raises(JoinFailed) as caught:
        for _ in range(10):
            start = joiner_for(inviter, bob, other_code(code)).start()
            answers.append(
                await inviter.desk.start(
                    ADDRESS, start.window, start.spake_message, start.public_key
                )
            )

    assert len(answers) == PROOFS_MAX
    assert caught.value.reason is JoinReason.CLOSED
    assert inviter.kinds() == ["attempt_failed"] * 3 + ["closed"]


async def test_the_desk_spends_no_guess_on_a_wrong_number(
    inviter: Inviter, bob: DeviceIdentity
) -> None:
    code = inviter.desk.open().code
    number = 10 + (int(code[:2]) - 9) % 90

    for _ in range(5):
        message = await refused(JoinReason.NO_WINDOW, inviter, bob, f"{number}{code[2:]}")

    assert str(number) in message
    assert inviter.events == []


async def test_nobody_joins_where_nobody_is_invited(inviter: Inviter, bob: DeviceIdentity) -> None:
    await refused(JoinReason.NO_WINDOW, inviter, bob, "42-maple-robin-tunnel")
    with pytest.raises(JoinFailed) as caught:
        await inviter.desk.confirm(b"s" * 16, b"", b"")
    assert caught.value.reason is JoinReason.NO_WINDOW


async def test_a_code_expires_and_the_inviter_is_told(
    inviter: Inviter, bob: DeviceIdentity
) -> None:
    code = inviter.desk.open().code
    inviter.clock.now_s += WINDOW_S - 0.001
    inviter.desk.tick()
    assert inviter.events == []

    inviter.clock.now_s += 0.001
    inviter.desk.tick()

    assert inviter.messages() == ["the 10 minutes are over"]
    assert "expired" in await refused(JoinReason.EXPIRED, inviter, bob, code)


async def test_expiry_needs_no_tick_to_count(inviter: Inviter, bob: DeviceIdentity) -> None:
    code = inviter.desk.open().code
    inviter.clock.now_s += WINDOW_S

    await refused(JoinReason.EXPIRED, inviter, bob, code)
    assert inviter.kinds() == ["closed"]


async def test_a_session_ends_after_its_time_and_counts_as_failed(
    inviter: Inviter, bob: DeviceIdentity
) -> None:
    joiner = joiner_for(inviter, bob, inviter.desk.open().code)
    start = joiner.start()
    answer = await inviter.desk.start(ADDRESS, start.window, start.spake_message, start.public_key)
    proof = joiner.receive_start(*answer)
    inviter.clock.now_s += SESSION_S

    with pytest.raises(JoinFailed) as caught:
        await inviter.desk.confirm(proof.session, proof.confirmation, proof.sealed)

    assert caught.value.reason is JoinReason.STALE_SESSION
    assert inviter.kinds() == ["attempt_failed"]
    assert inviter.team.is_alone


async def test_a_session_does_not_outlive_its_window(inviter: Inviter, bob: DeviceIdentity) -> None:
    joiner = joiner_for(inviter, bob, inviter.desk.open().code)
    inviter.clock.now_s += WINDOW_S - 1
    start = joiner.start()
    answer = await inviter.desk.start(ADDRESS, start.window, start.spake_message, start.public_key)
    proof = joiner.receive_start(*answer)
    inviter.clock.now_s += 2

    with pytest.raises(JoinFailed) as caught:
        await inviter.desk.confirm(proof.session, proof.confirmation, proof.sealed)

    assert caught.value.reason is JoinReason.EXPIRED
    assert inviter.kinds() == ["attempt_failed", "closed"]


async def test_of_two_parallel_attempts_the_later_goes_on(
    inviter: Inviter, bob: DeviceIdentity, tmp_path: Path
) -> None:
    code = inviter.desk.open().code
    early = joiner_for(inviter, load_or_create_identity(tmp_path / "carol"), code)
    start = early.start()
    answer = await inviter.desk.start(ADDRESS, start.window, start.spake_message, start.public_key)
    proof = early.receive_start(*answer)

    late = joiner_for(inviter, bob, code)
    start = late.start()
    answer = await inviter.desk.start(ADDRESS, start.window, start.spake_message, start.public_key)
    with pytest.raises(JoinFailed) as caught:
        await inviter.desk.confirm(proof.session, proof.confirmation, proof.sealed)
    assert caught.value.reason is JoinReason.STALE_SESSION
    proof = late.receive_start(*answer)
    sealed = await inviter.desk.confirm(proof.session, proof.confirmation, proof.sealed)

    assert late.receive_confirm(sealed, NOW).team_id == inviter.team.team_id
    assert inviter.messages() == ["another attempt began before it was proven", "bob joined"]


async def test_a_session_can_not_be_replayed(inviter: Inviter, bob: DeviceIdentity) -> None:
    wire = Wire(inviter.desk)
    code = inviter.desk.open().code
    await join_through(wire, joiner_for(inviter, bob, code), lambda: NOW)

    with pytest.raises(JoinFailed) as caught:
        await inviter.desk.confirm(*wire.confirms[0])
    assert caught.value.reason is JoinReason.USED
    inviter.desk.open()
    with pytest.raises(JoinFailed) as caught:
        await inviter.desk.confirm(*wire.confirms[0])
    assert caught.value.reason is JoinReason.STALE_SESSION
    assert len(inviter.team.members) == 1


class Relay:
    """Somebody in between with a certificate of their own, who passes every message on."""

    def __init__(self, inner: JoinService) -> None:
        self.inner = inner
        self.seen: list[bytes] = []

    async def start(
        self, address: str, window: int, spake_message: bytes, public_key: bytes
    ) -> tuple[bytes, bytes, bytes]:
        return await self.inner.start(address, window, spake_message, public_key)

    async def confirm(self, session: bytes, confirmation: bytes, sealed: bytes) -> bytes:
        self.seen += [confirmation, sealed]
        return await self.inner.confirm(session, confirmation, sealed)


async def test_a_relay_with_its_own_certificate_is_refused_by_both_sides(
    inviter: Inviter, bob: DeviceIdentity, tmp_path: Path
) -> None:
    relay_team = make_inviter(tmp_path / "relay").team
    relay = Relay(inviter.desk)
    code = JoinCode.parse(inviter.desk.open().code)

    joiner = Joiner(bob, code, relay_team.tls.leaf_pem, name="bob")
    with pytest.raises(JoinFailed) as caught:
        await join_through(Wire(relay), joiner, lambda: NOW)

    assert caught.value.reason is JoinReason.WRONG_CODE
    assert "interferes" in str(caught.value.hint)
    assert relay.seen == [b"", b""]
    assert inviter.messages() == ["wrong code"]
    assert inviter.team.is_alone


async def test_a_relay_that_forges_the_first_proof_gets_no_second(
    inviter: Inviter, bob: DeviceIdentity
) -> None:
    code = inviter.desk.open().code
    wire = Wire(inviter.desk, on_started=lambda name, message, _: (name, message, b"x" * 32))

    with pytest.raises(JoinFailed) as caught:
        await join_through(wire, joiner_for(inviter, bob, code), lambda: NOW)

    assert caught.value.reason is JoinReason.WRONG_CODE
    assert wire.confirms[0][1:] == (b"", b"")


async def test_exchanging_the_newcomers_key_is_noticed(
    inviter: Inviter, bob: DeviceIdentity, tmp_path: Path
) -> None:
    mallory = load_or_create_identity(tmp_path / "mallory")
    code = inviter.desk.open().code
    wire = Wire(
        inviter.desk, on_start=lambda window, message, _: (window, message, mallory.device_key)
    )

    with pytest.raises(JoinFailed) as caught:
        await join_through(wire, joiner_for(inviter, bob, code), lambda: NOW)
    assert caught.value.reason is JoinReason.WRONG_CODE


async def test_the_request_must_be_for_the_key_that_was_agreed_on(
    inviter: Inviter, bob: DeviceIdentity, tmp_path: Path
) -> None:
    mallory = load_or_create_identity(tmp_path / "mallory")
    code = JoinCode.parse(inviter.desk.open().code)
    keys, session = await agree(inviter, bob, code)
    request = encode_request(JoinRequest(mallory.csr_der(), "bob"))

    with pytest.raises(JoinFailed, match="another key"):
        await inviter.desk.confirm(session, keys.confirmation(), keys.seal(request))
    assert inviter.kinds() == ["attempt_failed"]
    assert inviter.team.is_alone


def binding_of(inviter: Inviter, identity: DeviceIdentity, code: JoinCode) -> Binding:
    leaf = to_der(inviter.certificate)
    return Binding(
        code.number,
        sha256(leaf).digest(),
        identity.device_key,
        public_key_der_of_certificate(leaf),
    )


async def agree(
    inviter: Inviter, identity: DeviceIdentity, code: JoinCode
) -> tuple[AgreedKeys, bytes]:
    """Go as far as the keys, like a newcomer that knows the code and means no good."""
    agreement = KeyAgreement(Side.JOINER, code, binding_of(inviter, identity, code))
    session, message, _ = await inviter.desk.start(
        ADDRESS, code.number, agreement.message, identity.device_key
    )
    return agreement.finish(session, message), session


@pytest.mark.parametrize("name", ["", "x" * 65, "\x1b[31mred", "two\nlines", " padded"])
async def test_a_name_that_would_spoil_the_inviters_terminal_is_refused(
    inviter: Inviter, bob: DeviceIdentity, name: str
) -> None:
    code = inviter.desk.open().code

    with pytest.raises(JoinFailed, match="name") as caught:
        await attempt(inviter, bob, code, name=name)
    assert "--name" in str(caught.value.hint)
    assert inviter.kinds() == ["attempt_failed"]


async def test_a_node_can_not_join_itself(inviter: Inviter, tmp_path: Path) -> None:
    code = inviter.desk.open().code
    itself = load_or_create_identity(tmp_path / "inviter" / "keys")

    await refused(JoinReason.ALREADY_MEMBER, inviter, itself, code)
    with pytest.raises(JoinFailed, match="key"):
        await inviter.desk.start(ADDRESS, int(code[:2]), b"A" + b"\0" * 32, itself.device_key)


@pytest.mark.parametrize("side", [b"A", b"B"])
async def test_a_reflected_message_is_refused_by_both_sides(
    inviter: Inviter, bob: DeviceIdentity, side: bytes
) -> None:
    code = JoinCode.parse(inviter.desk.open().code)
    joiner = Joiner(bob, code, inviter.certificate, name="bob")

    with pytest.raises(JoinFailed, match="not what the protocol allows"):
        joiner.receive_start(b"s" * 16, side + joiner.start().spake_message[1:], b"")

    responder = KeyAgreement(Side.RESPONDER, code, binding_of(inviter, bob, code))
    with pytest.raises(JoinFailed, match="not what the protocol allows"):
        responder.finish(b"s" * 16, side + responder.message[1:])


LOW_ORDER_POINTS = [
    bytes(32),
    b"\x01" + bytes(31),
    b"\xec" + b"\xff" * 30 + b"\x7f",
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
]


@pytest.mark.parametrize("point", LOW_ORDER_POINTS, ids=range(len(LOW_ORDER_POINTS)))
async def test_points_outside_the_group_are_refused_and_counted(
    inviter: Inviter, bob: DeviceIdentity, point: bytes
) -> None:
    code = inviter.desk.open().code

    for left in (2, 1, 0):
        with pytest.raises(JoinFailed):
            await inviter.desk.start(ADDRESS, int(code[:2]), b"A" + point, bob.device_key)
        assert inviter.events[-1 if left else -2].attempts_left == left
    assert inviter.kinds()[-1] == "closed"


async def test_the_reply_must_come_from_a_ca_that_signed_the_pinned_certificate(
    inviter: Inviter, bob: DeviceIdentity
) -> None:
    """The inviter is who it proved to be, but hands out a membership in somebody else's team."""
    code = JoinCode.parse(inviter.desk.open().code)
    joiner = Joiner(bob, code, inviter.certificate, name="bob")
    other = make_authority(NOW)
    keys = responder_keys(inviter, joiner, code, bob)
    reply = encode_reply(other.issue(bob.csr_der(), NOW), other.certificate_der, ())

    with pytest.raises(JoinFailed, match="not signed by this CA") as caught:
        joiner.receive_confirm(keys.seal(reply), NOW)
    assert caught.value.reason is JoinReason.WRONG_TEAM


def responder_keys(
    inviter: Inviter, joiner: Joiner, code: JoinCode, identity: DeviceIdentity
) -> AgreedKeys:
    """Play the inviter's side by hand, so that a test can seal what it likes."""
    agreement = KeyAgreement(Side.RESPONDER, code, binding_of(inviter, identity, code))
    keys = agreement.finish(b"s" * 16, joiner.start().spake_message)
    joiner.receive_start(b"s" * 16, agreement.message, keys.confirmation())
    return keys


async def test_a_reply_for_another_key_or_out_of_date_is_refused(
    inviter: Inviter, bob: DeviceIdentity, tmp_path: Path
) -> None:
    code = JoinCode.parse(inviter.desk.open().code)
    joiner = Joiner(bob, code, inviter.certificate, name="bob")
    carol = load_or_create_identity(tmp_path / "carol")
    keys = responder_keys(inviter, joiner, code, bob)
    ca = inviter.team.ca_der

    foreign = encode_reply(inviter.team.admit(carol.csr_der(), "carol", NOW), ca, ())
    with pytest.raises(JoinFailed, match="another key"):
        joiner.receive_confirm(keys.seal(foreign), NOW)
    own = encode_reply(inviter.team.admit(bob.csr_der(), "bob", NOW), ca, ())
    with pytest.raises(JoinFailed, match="expired on") as caught:
        joiner.receive_confirm(keys.seal(own), NOW + timedelta(days=60))
    assert "clock" in str(caught.value.hint)
    with pytest.raises(JoinFailed, match="sealed"):
        joiner.receive_confirm(own, NOW)
    assert joiner.receive_confirm(keys.seal(own), NOW).members[0].holds_ca


async def test_a_reply_before_any_agreement_is_refused(
    inviter: Inviter, bob: DeviceIdentity
) -> None:
    with pytest.raises(JoinFailed, match="sealed"):
        joiner_for(inviter, bob, inviter.desk.open().code).receive_confirm(b"x" * 100, NOW)


async def test_what_is_no_skilllite_node_is_not_asked(bob: DeviceIdentity) -> None:
    code = JoinCode.parse("42-maple-robin-tunnel")

    for certificate in (b"garbage", to_pem(make_authority(NOW).certificate_der)):
        with pytest.raises(JoinFailed, match="not a SkillLite node"):
            Joiner(bob, code, certificate, name="bob")


async def test_a_second_invitation_closes_the_first_and_says_so(
    inviter: Inviter, bob: DeviceIdentity
) -> None:
    first = inviter.desk.open().code
    second = inviter.desk.open().code

    assert first[:2] != second[:2]
    assert inviter.messages() == ["a new invitation replaces it"]
    await refused(JoinReason.CLOSED, inviter, bob, first)
    assert (await attempt(inviter, bob, second)).team_id == inviter.team.team_id


async def test_window_numbers_do_not_repeat_soon(inviter: Inviter) -> None:
    numbers = [inviter.desk.open().window for _ in range(200)]

    assert all(10 <= number <= 99 for number in numbers)
    for index in range(len(numbers) - 45):
        assert len(set(numbers[index : index + 45])) == 45


async def test_the_status_counts_down(inviter: Inviter, bob: DeviceIdentity) -> None:
    assert inviter.desk.status() is None
    assert inviter.desk.window is None
    opened = inviter.desk.open()
    inviter.clock.now_s += 60
    await refused(JoinReason.WRONG_CODE, inviter, bob, other_code(opened.code))

    status = inviter.desk.status()

    assert status is not None
    assert (status.code, status.window) == (opened.code, opened.window)
    assert (status.seconds_left, status.attempts_left) == (WINDOW_S - 60, 2)
    assert inviter.desk.window == opened.window
    inviter.desk.close()
    assert inviter.desk.window is None
    assert inviter.messages()[-1] == "the inviter closed it"


async def test_only_the_node_with_the_ca_invites_and_the_others_say_which(
    inviter: Inviter, bob: DeviceIdentity, tmp_path: Path
) -> None:
    joined = await attempt(inviter, bob, inviter.desk.open().code)
    team = open_team(tmp_path / "bob" / "team", tmp_path / "bob" / "keys", bob, NOW)
    team.join(joined.leaf_der, joined.ca_der, joined.members, NOW)
    desk = InviteDesk(
        team,
        me=lambda: Member(bob.node_id, "bob"),
        clock=Clock(),
        now=lambda: NOW,
        on_event=lambda _: None,
    )

    with pytest.raises(JoinFailed) as caught:
        desk.open()
    assert caught.value.reason is JoinReason.CANNOT_INVITE
    assert caught.value.hint == "run `skilllite node invite` on alice"


async def test_leaving_the_team_closes_the_invitation(
    inviter: Inviter, bob: DeviceIdentity
) -> None:
    code = inviter.desk.open().code
    inviter.team.leave(NOW)

    await refused(JoinReason.CLOSED, inviter, bob, code)
    assert inviter.messages() == ["this node changed its team"]


async def test_two_teams_inviting_under_one_number_do_not_mix(
    inviter: Inviter, bob: DeviceIdentity, tmp_path: Path
) -> None:
    other = make_inviter(tmp_path / "other", seed=2)
    code = inviter.desk.open().code
    for _ in range(200):
        if other.desk.open().window == int(code[:2]):
            break

    await refused(JoinReason.WRONG_CODE, other, bob, code)
    joined = await attempt(inviter, bob, code)

    assert joined.team_id == inviter.team.team_id
    assert other.messages()[-1] == "wrong code"
    assert other.team.is_alone


async def test_trouble_at_the_inviter_is_told_there_and_not_to_the_stranger(
    inviter: Inviter, bob: DeviceIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise IdentityCorrupt("can't write /secret/team.json", cause="no space left on device")

    monkeypatch.setattr(Team, "admit", fail)
    code = inviter.desk.open().code

    with pytest.raises(JoinFailed) as caught:
        await attempt(inviter, bob, code)

    assert "/secret" not in f"{caught.value.message} {caught.value.hint} {caught.value.cause}"
    assert inviter.messages() == ["can't write /secret/team.json: no space left on device"]


async def test_a_large_team_is_told_in_part(inviter: Inviter, bob: DeviceIdentity) -> None:
    for index in range(200):
        node_id = f"{index:052d}".translate(str.maketrans("0189", "abcd"))
        inviter.team.record_member(Member(node_id, f"node-{index}", ("10.0.0.1:7000",)))

    joined = await attempt(inviter, bob, inviter.desk.open().code)

    assert joined.members[0].name == "alice"
    assert 50 < len(joined.members) < 200


def test_bodies_survive_the_wire() -> None:
    members = (Member("a" * 52, "näme", ("[fe80::1]:7000",)), Member("b" * 52, "two"))

    request = decode_request(encode_request(JoinRequest(b"csr", "bob")))
    reply = decode_reply(encode_reply(b"leaf", b"ca", members))

    assert request == JoinRequest(b"csr", "bob")
    assert (reply.leaf_der, reply.ca_der, reply.members) == (b"leaf", b"ca", members)


@given(st.binary(max_size=300))
def test_random_bodies_are_only_refused(data: bytes) -> None:
    for decode in (decode_request, decode_reply):
        with contextlib.suppress(JoinFailed):
            decode(data)


def test_an_oversized_body_is_not_parsed() -> None:
    with pytest.raises(JoinFailed, match="more than"):
        decode_reply(b"\0" * (BODY_BYTES_MAX + 1))


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Inviter:
    return make_inviter(tmp_path_factory.mktemp("busy"))


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> DeviceIdentity:
    return load_or_create_identity(tmp_path_factory.mktemp("newcomer"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spake=st.one_of(st.binary(max_size=40), st.binary(min_size=32, max_size=32).map(b"A".__add__)),
    key=st.one_of(st.none(), st.binary(max_size=100)),
    session=st.binary(max_size=20),
    proof=st.binary(max_size=40),
    sealed=st.binary(max_size=60),
)
async def test_random_bytes_at_the_desk_are_only_refused(
    busy: Inviter,
    newcomer: DeviceIdentity,
    spake: bytes,
    key: bytes | None,
    session: bytes,
    proof: bytes,
    sealed: bytes,
) -> None:
    number = busy.desk.open().window
    name = session
    with contextlib.suppress(JoinFailed):
        name, _, _ = await busy.desk.start(
            ADDRESS, number, spake, newcomer.device_key if key is None else key
        )

    for claimed in (session, name):
        with pytest.raises(JoinFailed):
            await busy.desk.confirm(claimed, proof, sealed)
    assert busy.team.is_alone


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    session=st.one_of(st.binary(max_size=20), st.binary(min_size=16, max_size=16)),
    spake=st.one_of(st.binary(max_size=40), st.binary(min_size=32, max_size=32).map(b"B".__add__)),
    proof=st.binary(max_size=40),
    sealed=st.binary(max_size=60),
)
def test_random_bytes_at_the_joiner_are_only_refused(
    busy: Inviter,
    newcomer: DeviceIdentity,
    session: bytes,
    spake: bytes,
    proof: bytes,
    sealed: bytes,
) -> None:
    joiner = joiner_for(busy, newcomer, "42-maple-robin-tunnel")

    with pytest.raises(JoinFailed):
        joiner.receive_start(session, spake, proof)
    with pytest.raises(JoinFailed):
        joiner.receive_confirm(sealed, NOW)


@given(st.integers(10, 99), st.lists(st.sampled_from(WORDS), min_size=3, max_size=3), st.data())
def test_a_code_is_read_however_it_is_typed(
    number: int, words: list[str], data: st.DataObject
) -> None:
    parts = [str(number), *(data.draw(st.sampled_from([w, w.upper(), w.title()])) for w in words)]
    separator = data.draw(st.sampled_from(["-", " ", "_", "  ", " - ", "\u2013", ", ", "\t", "."]))

    code = JoinCode.parse(f"  {separator.join(parts)}\n")

    assert (code.number, code.words) == (number, tuple(words))
    assert JoinCode.parse(str(code)) == code


@given(st.text(max_size=120))
def test_any_other_text_is_refused_as_a_code(text: str) -> None:
    try:
        JoinCode.parse(text)
    except JoinFailed as error:
        assert error.reason is JoinReason.BAD_CODE
        assert error.hint


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("", "empty", "looks like"),
        ("42", "3 words after its number, not 0", "looks like"),
        ("42-maple-robin", "3 words after its number, not 2", "looks like"),
        ("42-maple-robin-tunnel-tunnel", "not 4", "looks like"),
        ("maple-robin-tunnel", "two digits, not with 'maple'", "looks like"),
        ("7-maple-robin-tunnel", "two digits", "looks like"),
        ("\u0664\u0662-maple-robin-tunnel", "two digits", "looks like"),
        ("42-maple-robbin-tunnel", "'robbin'", "did you mean robin"),
        ("42-maple-xqzzy-tunnel", "'xqzzy'", "spell"),
        ("x" * 101, "too long", "looks like"),
    ],
)
def test_a_slip_in_a_code_is_named(text: str, said: str, hint: str) -> None:
    with pytest.raises(JoinFailed) as caught:
        JoinCode.parse(text)

    assert said in caught.value.message
    assert hint in str(caught.value.hint)


def test_a_code_does_not_show_its_words_in_logs() -> None:
    code = JoinCode.generate(42, random.Random(7))

    assert not any(word in repr(code) for word in code.words)
    assert str(code) == "-".join(("42", *code.words))
