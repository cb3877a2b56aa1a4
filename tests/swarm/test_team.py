"""A node is in one team at a time, whatever happens to it and whenever it dies."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_swarm.errors import (
    IdentityCorrupt,
    InvalidCertificate,
    JoinFailed,
    JoinReason,
    NotAMember,
    PeerRefused,
)
from skilllite_swarm.identity import (
    DeviceIdentity,
    certificate_facts,
    check_leaf,
    load_or_create_identity,
    make_authority,
    to_der,
)
from skilllite_swarm.team import LeftTeam, Team, leave_team, open_team
from skilllite_swarm.team_record import MEMBERS_MAX, Member, is_acceptable_name

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Home:
    """One node's files, and starts of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.keys = root / "keys"
        self.team = root / "team"

    @property
    def identity(self) -> DeviceIdentity:
        return load_or_create_identity(self.keys)

    def start(self, now: datetime = NOW) -> Team:
        return open_team(self.team, self.keys, self.identity, now)

    def leave(self, now: datetime = NOW) -> LeftTeam | None:
        return leave_team(self.team, self.keys, now)

    def names(self) -> set[str]:
        return {path.name for path in (*self.keys.iterdir(), *self.team.iterdir())}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def inviter(tmp_path: Path) -> Team:
    return Home(tmp_path / "inviter").start()


def admit(inviter: Team, home: Home, now: datetime = NOW) -> tuple[bytes, bytes, list[Member]]:
    leaf = inviter.admit(home.identity.csr_der(), "newcomer", now)
    return leaf, inviter.ca_der, [Member(inviter.tls.node_id, "inviter", holds_ca=True)]


def join(inviter: Team, home: Home, now: datetime = NOW) -> Team:
    team = home.start(now)
    team.join(*admit(inviter, home, now), now)
    return team


def test_the_first_start_makes_a_team_of_one(home: Home) -> None:
    team = home.start()

    assert team.holds_ca
    assert team.is_alone
    assert team.members == ()
    tls = team.tls
    assert (tls.node_id, tls.team_id) == (home.identity.node_id, team.team_id)
    assert check_leaf(tls.leaf_pem, tls.ca_pem, now=NOW) == team.leaf
    assert home.names() == {"device.pem", "sign.pem", "ca.pem", "team.json"}
    for path in (home.keys / "ca.pem", home.team / "team.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_restart_finds_the_same_team(home: Home) -> None:
    before = home.start()

    after = home.start(NOW + DAY)

    assert after.team_id == before.team_id
    assert after.tls == before.tls
    assert after.is_alone


def test_tls_material_is_the_same_object_until_it_changes(home: Home) -> None:
    team = home.start()
    before = team.tls

    assert team.tls is before
    team.renew_own(NOW + DAY)
    assert team.tls is not before


def test_joining_replaces_the_team_of_one_and_its_key(home: Home, inviter: Team) -> None:
    team = join(inviter, home)

    for view in (team, home.start()):
        assert view.team_id == inviter.team_id
        assert not view.holds_ca
        assert not view.is_alone
        assert view.inviter == Member(inviter.tls.node_id, "inviter", holds_ca=True)
        check_leaf(view.tls.leaf_pem, inviter.tls.ca_pem, now=NOW)
    assert "ca.pem" not in home.names()


def test_admitting_makes_the_inviter_a_team_of_more_than_one(
    tmp_path: Path, inviter: Team, home: Home
) -> None:
    admit(inviter, home)

    again = Home(tmp_path / "inviter").start()

    for view in (inviter, again):
        assert not view.is_alone
        assert [member.name for member in view.members] == ["newcomer"]
        with pytest.raises(JoinFailed) as caught:
            view.ensure_can_join("x" * 52)
        assert caught.value.reason is JoinReason.ALREADY_MEMBER
        assert "with 1 other member" in caught.value.message
        assert "node leave" in str(caught.value.hint)


def test_joining_from_a_larger_team_is_refused_until_leave(
    tmp_path: Path, inviter: Team, home: Home
) -> None:
    other = Home(tmp_path / "other").start()
    team = join(inviter, home)
    granted = admit(other, home)

    with pytest.raises(JoinFailed) as caught:
        team.join(*granted, NOW)
    assert caught.value.reason is JoinReason.ALREADY_MEMBER
    assert team.team_id == inviter.team_id
    home.leave()
    team = home.start()
    team.join(*granted, NOW)

    assert home.start().team_id == other.team_id


def test_joining_ones_own_team_again_is_the_way_back_after_expiry(
    inviter: Team, home: Home
) -> None:
    join(inviter, home)
    later = NOW + 40 * DAY
    team = home.start(later)
    assert team.leaf.clock_problem(later) == "expired on 2026-03-31 12:00 UTC"

    team.ensure_can_join(inviter.team_id)
    team.join(*admit(inviter, home, later), later)

    assert home.start(later).leaf.clock_problem(later) is None


def test_the_node_that_made_a_team_can_not_join_it(home: Home) -> None:
    team = home.start()

    with pytest.raises(JoinFailed, match="made itself"):
        team.ensure_can_join(team.team_id)


def test_joining_with_what_is_not_a_membership_changes_nothing(
    tmp_path: Path, home: Home, inviter: Team
) -> None:
    team = home.start()
    before = (home.team / "team.json").read_bytes()
    leaf, ca, members = admit(inviter, home)
    stranger = Home(tmp_path / "stranger")
    others_leaf = inviter.admit(stranger.identity.csr_der(), "stranger", NOW)

    for bad_leaf, bad_ca, now in (
        (others_leaf, ca, NOW),
        (leaf, make_authority(NOW).certificate_der, NOW),
        (ca, ca, NOW),
        (leaf, ca, NOW + 40 * DAY),
    ):
        with pytest.raises(JoinFailed) as caught:
            team.join(bad_leaf, bad_ca, members, now)
        assert caught.value.reason is JoinReason.WRONG_TEAM
    assert (home.team / "team.json").read_bytes() == before
    assert team.is_alone


def test_renewal_is_due_when_a_third_is_left(home: Home) -> None:
    team = home.start()

    assert not team.needs_renewal(NOW)
    assert not team.needs_renewal(NOW + 19 * DAY)
    assert team.needs_renewal(NOW + 20 * DAY)
    assert team.needs_renewal(NOW + 60 * DAY)


def test_a_member_renews_by_asking_the_node_with_the_ca(inviter: Team, home: Home) -> None:
    team = join(inviter, home)
    later = NOW + 21 * DAY
    csr = home.identity.csr_der()

    team.install_leaf(
        inviter.issue_leaf(csr, later, caller=home.identity.node_id), inviter.ca_der, later
    )

    assert not team.needs_renewal(later)
    assert home.start(later).tls == team.tls
    assert team.members == home.start().members


def test_a_renewal_for_another_team_or_node_is_not_installed(
    tmp_path: Path, home: Home, inviter: Team
) -> None:
    team = join(inviter, home)
    before = team.tls
    other = Home(tmp_path / "other").start()
    foreign, foreign_ca, _ = admit(other, home)
    own = inviter.issue_leaf(home.identity.csr_der(), NOW)

    for leaf, ca, said in (
        (foreign, foreign_ca, "another team"),
        (foreign, inviter.ca_der, "not signed by this CA"),
        (to_der(inviter.tls.leaf_pem), inviter.ca_der, "another node's key"),
    ):
        with pytest.raises(InvalidCertificate, match=said):
            team.install_leaf(leaf, ca, NOW)
    with pytest.raises(InvalidCertificate, match="expired"):
        team.install_leaf(own, inviter.ca_der, NOW + 31 * DAY)
    assert team.tls is before


def test_certificates_are_issued_to_members_only(tmp_path: Path, inviter: Team, home: Home) -> None:
    join(inviter, home)
    member, stranger = home.identity, Home(tmp_path / "stranger").identity

    inviter.issue_leaf(member.csr_der(), NOW)
    inviter.issue_leaf(member.csr_der(), NOW, caller=member.node_id)
    for caller in (None, member.node_id):
        with pytest.raises(NotAMember, match="did not prove to be a member"):
            inviter.issue_leaf(stranger.csr_der(), NOW, caller=caller)
    with pytest.raises(InvalidCertificate):
        inviter.issue_leaf(b"garbage", NOW)


def test_only_the_node_with_the_ca_issues_and_the_others_say_who_does(
    inviter: Team, home: Home
) -> None:
    team = join(inviter, home)

    with pytest.raises(PeerRefused, match="does not hold the team's CA") as caught:
        team.issue_leaf(home.identity.csr_der(), NOW)
    assert caught.value.hint == "ask inviter"
    with pytest.raises(PeerRefused):
        team.admit(home.identity.csr_der(), "name", NOW)


def test_the_node_with_the_ca_comes_back_after_months(home: Home) -> None:
    team = home.start()
    team.record_member(Member("a" * 52, "other"))
    later = NOW + 200 * DAY

    again = home.start(later)

    assert again.team_id == team.team_id
    assert again.leaf.clock_problem(later) is None


def test_a_team_of_one_born_under_a_wrong_clock_is_born_again(home: Home) -> None:
    first = home.start(datetime(1971, 1, 1, tzinfo=UTC))

    team = home.start(NOW)

    assert team.team_id != first.team_id
    assert team.leaf.clock_problem(NOW) is None
    assert home.start(NOW).team_id == team.team_id
    assert home.names() == {"device.pem", "sign.pem", "ca.pem", "team.json"}


def test_a_team_with_members_is_kept_under_a_wrong_clock(home: Home) -> None:
    first = home.start()
    first.record_member(Member("a" * 52, "other"))

    team = home.start(datetime(1971, 1, 1, tzinfo=UTC))

    assert team.team_id == first.team_id
    assert "not valid before" in str(team.leaf.clock_problem(datetime(1971, 1, 1, tzinfo=UTC)))


def test_members_are_remembered_and_updated(home: Home) -> None:
    team = home.start()
    one, two = "a" * 52, "b" * 52

    team.record_member(Member(one, "one", ("10.0.0.1:1",)))
    team.record_member(Member(two, "two"))
    team.record_member(Member(one, "uno"))
    team.record_member(Member(team.tls.node_id, "me"))

    expected = (Member(one, "uno", ("10.0.0.1:1",)), Member(two, "two"))
    assert team.members == expected
    assert home.start().members == expected


@pytest.mark.parametrize(
    "member",
    [
        Member("short", "name"),
        Member("a" * 52, ""),
        Member("a" * 52, "x" * 65),
        Member("a" * 52, "\x1b[2Jname"),
        Member("a" * 52, " name"),
        Member("a" * 52, "name", ("10.0.0.1:1",) * 17),
        Member("a" * 52, "name", ("10.0.0.1:1\n",)),
        Member("a" * 52, "name", ("x" * 301,)),
    ],
)
def test_what_can_not_be_a_member_is_not_remembered(home: Home, member: Member) -> None:
    team = home.start()

    with pytest.raises(PeerRefused, match="can't remember"):
        team.record_member(member)
    assert team.is_alone


def test_a_team_has_a_largest_size(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skilllite_swarm.team.MEMBERS_MAX", 2)
    assert MEMBERS_MAX > 100
    team = home.start()
    team.record_member(Member("a" * 52, "one"))
    team.record_member(Member("b" * 52, "two"))

    with pytest.raises(PeerRefused, match="limit"):
        team.record_member(Member("c" * 52, "three"))
    team.record_member(Member("b" * 52, "zwei"))
    assert len(team.members) == 2


def test_leaving_a_team_of_one_leaves_nothing(home: Home) -> None:
    team_id = home.start().team_id

    left = home.leave()

    assert left == LeftTeam(team_id, (), held_ca=True, archived_key=None)
    assert home.names() == {"device.pem", "sign.pem"}
    assert home.leave() is None
    assert home.start().team_id != team_id


def test_leaving_keeps_the_identity(home: Home, inviter: Team) -> None:
    join(inviter, home)
    node_id = home.identity.node_id

    left = home.leave()

    assert left is not None
    assert (left.team_id, left.held_ca, left.archived_key) == (inviter.team_id, False, None)
    team = home.start()
    assert team.is_alone
    assert team.tls.node_id == node_id


def test_leaving_a_team_that_one_made_archives_its_key(home: Home) -> None:
    team = home.start()
    team.record_member(Member("a" * 52, "other"))
    key = (home.keys / "ca.pem").read_bytes()

    left = team.leave(NOW)

    assert left is not None
    assert left.held_ca
    assert [member.name for member in left.members] == ["other"]
    assert left.archived_key is not None
    assert left.archived_key.read_bytes() == key
    assert stat.S_IMODE(left.archived_key.stat().st_mode) == 0o600
    assert team.is_alone
    assert team.team_id != left.team_id
    assert home.start().team_id == team.team_id


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"schema": 9}', b"\xff\xfe"])
def test_a_damaged_team_file_refuses_to_start_and_leave_is_the_way_out(
    home: Home, content: bytes
) -> None:
    home.start()
    path = home.team / "team.json"
    path.write_bytes(content)

    with pytest.raises(IdentityCorrupt, match=r"team\.json is damaged") as caught:
        home.start()
    assert "node leave" in str(caught.value.hint)
    assert path.read_bytes() == content
    left = home.leave()

    assert left is not None
    assert left.archived_key is not None
    assert (home.team / "team.json.corrupt-20260301T120000Z").read_bytes() == content
    assert home.start().is_alone


def test_leave_is_the_way_out_for_a_member_with_a_damaged_file(home: Home, inviter: Team) -> None:
    join(inviter, home)
    (home.team / "team.json").write_bytes(b"{")

    assert home.leave() == LeftTeam("", (), held_ca=False, archived_key=None)
    assert home.start().is_alone


@pytest.mark.parametrize("content", [b"", b"garbage", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_damaged_ca_refuses_to_start_and_is_not_replaced(home: Home, content: bytes) -> None:
    home.start()
    path = home.keys / "ca.pem"
    path.write_bytes(content)

    with pytest.raises(IdentityCorrupt, match=r"ca\.pem does not hold the team's CA"):
        home.start()
    assert path.read_bytes() == content


def test_a_missing_or_foreign_ca_refuses_to_start(home: Home) -> None:
    home.start()
    path = home.keys / "ca.pem"
    path.unlink()

    with pytest.raises(IdentityCorrupt, match="is missing") as caught:
        home.start()
    assert str(path) in str(caught.value.hint)
    path.write_bytes(make_authority(NOW).to_pem())
    path.chmod(0o600)
    with pytest.raises(IdentityCorrupt, match="another team"):
        home.start()


def test_another_device_key_refuses_to_start(home: Home, inviter: Team) -> None:
    join(inviter, home)
    (home.keys / "device.pem").unlink()

    with pytest.raises(IdentityCorrupt, match="contradict") as caught:
        home.start()
    assert "another device key" in str(caught.value.cause)


def test_a_team_file_open_to_others_refuses_to_start(home: Home) -> None:
    home.start()
    (home.team / "team.json").chmod(0o644)

    with pytest.raises(IdentityCorrupt, match="open to other users"):
        home.start()


def test_a_lost_team_file_is_rebuilt_from_the_ca_and_never_taken_for_alone(home: Home) -> None:
    before = home.start()
    before.record_member(Member("a" * 52, "other"))
    (home.team / "team.json").unlink()

    after = home.start()

    assert after.team_id == before.team_id
    assert after.holds_ca
    assert not after.is_alone
    assert not home.start().is_alone
    with pytest.raises(JoinFailed):
        after.ensure_can_join()


def test_a_record_that_was_edited_to_another_team_is_refused(home: Home, inviter: Team) -> None:
    join(inviter, home)
    path = home.team / "team.json"
    content = json.loads(path.read_bytes())
    content["team_id"] = "a" * 52
    path.write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(IdentityCorrupt, match="contradict"):
        home.start()


@given(where=st.integers(0, 10_000), length=st.integers(0, 40), patch=st.binary(max_size=8))
def test_random_damage_to_the_team_file_is_reported_or_harmless(
    where: int, length: int, patch: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = Home(tmp_path_factory.mktemp("home"))
    home.start()
    path = home.team / "team.json"
    content = bytearray(path.read_bytes())
    start = where % len(content)
    content[start : start + length] = patch
    path.write_bytes(content)

    try:
        team = home.start()
    except IdentityCorrupt as error:
        assert error.hint
        return
    assert certificate_facts(team.tls.ca_pem).team_id == team.team_id


class Died(BaseException):
    """The process is gone: nothing more of it happens, clean-up included."""


@contextmanager
def dying_at(step: int) -> Iterator[Callable[[], int]]:
    """Die before the given step that changes the disk; yields a count of the steps reached."""
    reached = 0

    def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal reached
            reached += 1
            if reached > step:
                raise Died
            return real(*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in (
            (os, "fsync"),
            (os, "link"),
            (Path, "rename"),
            (Path, "unlink"),
            (Path, "mkdir"),
        ):
            patch.setattr(owner, name, deadly(getattr(owner, name)))
        yield lambda: reached


def all_deaths(act: Callable[[], object], check: Callable[[], None]) -> int:
    """Let `act` die at every step in turn, checking after each; return how many there were."""
    for step in range(100):
        with dying_at(step):
            try:
                act()
            except Died:
                died = True
            else:
                died = False
        check()
        if not died:
            return step
    raise AssertionError("more than 100 steps")


def coherent(home: Home) -> Team:
    team = home.start()
    check_leaf(team.tls.leaf_pem, team.tls.ca_pem, now=NOW)
    assert team.holds_ca == (home.keys / "ca.pem").exists()
    assert not (home.keys / "ca.pem.newborn").exists()
    assert home.start().tls == team.tls
    return team


def test_death_at_any_step_of_birth_leaves_a_startable_home(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    def check() -> None:
        assert coherent(home).is_alone
        shutil.rmtree(home.root)

    assert all_deaths(home.start, check) > 10


def test_death_at_any_step_of_a_join_leaves_the_old_or_the_new_team(
    tmp_path: Path, inviter: Team
) -> None:
    home, saved = Home(tmp_path / "home"), tmp_path / "saved"
    old = home.start()
    shutil.copytree(home.root, saved)
    granted = admit(inviter, home)
    outcomes = []

    def act() -> None:
        home.start().join(*granted, NOW)

    def check() -> None:
        team = coherent(home)
        assert team.team_id in (old.team_id, inviter.team_id)
        assert team.is_alone == (team.team_id == old.team_id)
        outcomes.append(team.team_id)
        shutil.rmtree(home.root)
        shutil.copytree(saved, home.root)

    all_deaths(act, check)

    assert outcomes == sorted(outcomes, key=[old.team_id, inviter.team_id].index)
    assert set(outcomes) == {old.team_id, inviter.team_id}


def test_death_at_any_step_of_leaving_leaves_the_old_or_a_fresh_team(tmp_path: Path) -> None:
    home, saved = Home(tmp_path / "home"), tmp_path / "saved"
    old = home.start()
    old.record_member(Member("a" * 52, "other"))
    key = (home.keys / "ca.pem").read_bytes()
    shutil.copytree(home.root, saved)
    outcomes = []

    def check() -> None:
        team = coherent(home)
        stayed = team.team_id == old.team_id
        assert team.is_alone == (not stayed)
        assert any(path.read_bytes() == key for path in home.keys.iterdir())
        outcomes.append(stayed)
        shutil.rmtree(home.root)
        shutil.copytree(saved, home.root)

    all_deaths(home.leave, check)

    assert outcomes == sorted(outcomes, reverse=True)
    assert set(outcomes) == {True, False}


def test_death_while_a_member_is_recorded_leaves_both_or_neither(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    team_id = home.start().team_id

    def check() -> None:
        team = coherent(home)
        assert team.team_id == team_id
        assert [member.name for member in team.members] in ([], ["other"])

    all_deaths(lambda: home.start().record_member(Member("a" * 52, "other")), check)
    assert not home.start().is_alone


def test_a_full_disk_during_a_join_changes_nothing(
    home: Home, inviter: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = home.start()
    granted = admit(inviter, home)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(IdentityCorrupt, match="can't write"):
            team.join(*granted, NOW)

    assert team.is_alone
    assert home.start().team_id == team.team_id


@given(st.text(max_size=70))
def test_an_acceptable_name_prints_as_itself(name: str) -> None:
    if is_acceptable_name(name):
        assert name == name.strip()
        assert name.isprintable()
        assert 1 <= len(name) <= 64
