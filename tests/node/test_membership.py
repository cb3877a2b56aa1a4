"""Joining by a code over real connections: whom a newcomer asks, and what it tells a person."""

from __future__ import annotations

import random
import socket
from collections.abc import AsyncIterator, MutableSequence, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
import trio

from skilllite.config import load_config
from skilllite.errors import ConfigInvalid, NotFound, UsageError
from skilllite.home import Home
from skilllite.membership import join_team, leave_stopped, left_facts
from skilllite.standing import Standing, node_name, open_standing, utc_now
from skilllite_swarm.bridge import Bridge, open_bridge
from skilllite_swarm.discovery import Found
from skilllite_swarm.errors import InvalidAddress, JoinFailed, JoinReason, PeerUnreachable
from skilllite_swarm.memory_lan import MemoryDiscovery, MemoryLan
from skilllite_swarm.pairing import InviteDesk, InviteView, JoinEvent, JoinEventKind
from skilllite_swarm.rpc import serve_join
from skilllite_swarm.team_record import Member

TIMEOUT_S = 60.0
T = TypeVar("T")


class SameNumber(random.Random):
    """Draws the first number every time, and the words as they come."""

    def choice(self, options: Sequence[T]) -> T:  # type: ignore[override]
        return options[0] if isinstance(options, MutableSequence) else super().choice(options)


def standing(tmp_path: Path, name: str) -> Standing:
    home = Home.at(tmp_path / name)
    home.prepare()
    return open_standing(home, load_config(home, flags={"node.name": name}, environ={}))


class Inviter:
    """A node that invites, as far as a newcomer sees it."""

    def __init__(self, who: Standing, events: list[JoinEvent]) -> None:
        self.standing = who
        self.events = events
        self.desk = InviteDesk(
            who.team,
            me=lambda: Member(who.identity.node_id, who.name, holds_ca=True),
            clock=trio.current_time,
            now=utc_now,
            on_event=events.append,
            rng=SameNumber(),
        )
        self.view: InviteView = self.desk.open()
        self.address = ""

    def found(self, *, before: Sequence[str] = ()) -> Found:
        """Return its announcement."""
        port = int(self.address.rpartition(":")[2])
        return Found(
            instance=self.standing.name,
            node_id=self.standing.identity.node_id,
            addresses=(*before, "127.0.0.1:1"),
            team_hash=None,
            join_port=port,
            join_window=self.view.window,
        )


@asynccontextmanager
async def inviting(tmp_path: Path, bridge: Bridge, name: str) -> AsyncIterator[Inviter]:
    inviter = Inviter(standing(tmp_path, name), [])
    tls = inviter.standing.team
    async with serve_join(
        bridge, lambda: tls.tls, host="127.0.0.1", port=0, desk=inviter.desk
    ) as port:
        inviter.address = f"127.0.0.1:{port}"
        yield inviter


@asynccontextmanager
async def bridged() -> AsyncIterator[Bridge]:
    with trio.fail_after(TIMEOUT_S):
        async with open_bridge() as bridge:
            yield bridge


async def join(
    who: Standing,
    bridge: Bridge,
    code: str,
    *,
    peer: str | None = None,
    found: Sequence[Found] = (),
    clock_off: timedelta = timedelta(0),
) -> list[str]:
    """Join; return what was said meanwhile."""
    said: list[str] = []
    discovery = MemoryDiscovery(MemoryLan(), "newcomer")
    for announcement in found:
        discovery.table.put(announcement)
    await join_team(
        who,
        code_text=code,
        peer=peer,
        bridge=bridge,
        discovery=discovery,
        say=said.append,
        now=lambda: utc_now() + clock_off,
    )
    return said


async def test_newcomer_joins_at_a_named_address(tmp_path: Path) -> None:
    who = standing(tmp_path, "newcomer")

    async with bridged() as bridge, inviting(tmp_path, bridge, "kitchen") as inviter:
        said = await join(who, bridge, inviter.view.code, peer=inviter.address)

    team = inviter.standing.team
    assert who.team.team_id == team.team_id
    assert [member.name for member in who.team.members] == ["kitchen"]
    assert [member.name for member in team.members] == ["newcomer"]
    assert said == [f"asking {inviter.address}"]
    again = open_standing(
        Home.at(tmp_path / "newcomer"), load_config(Home.at(tmp_path / "newcomer"), environ={})
    )
    assert again.team.team_id == team.team_id


async def test_of_two_teams_with_one_number_the_right_one_is_joined(tmp_path: Path) -> None:
    who = standing(tmp_path, "newcomer")

    async with (
        bridged() as bridge,
        inviting(tmp_path, bridge, "attic") as other,
        inviting(tmp_path, bridge, "kitchen") as right,
    ):
        assert other.view.window == right.view.window
        said = await join(who, bridge, right.view.code, found=[right.found(), other.found()])

    assert who.team.team_id == right.standing.team.team_id
    # The stranger was told one guess, and its window is still open.
    assert [event.kind for event in other.events] == [JoinEventKind.ATTEMPT_FAILED]
    assert said == [
        f"looking for who invites under {right.view.window}",
        f"asking {other.address}",
        f"asking {right.address}",
    ]


async def test_inviter_is_reached_at_the_first_of_its_addresses_that_answers(
    tmp_path: Path,
) -> None:
    who = standing(tmp_path, "newcomer")

    async with bridged() as bridge, inviting(tmp_path, bridge, "kitchen") as inviter:
        # 127.0.0.2 is this host too, and nothing listens there.
        await join(who, bridge, inviter.view.code, found=[inviter.found(before=["127.0.0.2:1"])])

    assert who.team.team_id == inviter.standing.team.team_id


async def test_wrong_code_changes_nothing(tmp_path: Path) -> None:
    who = standing(tmp_path, "newcomer")
    before = who.team.team_id

    async with bridged() as bridge, inviting(tmp_path, bridge, "kitchen") as inviter:
        number, *words = inviter.view.code.split("-")
        wrong = "-".join([number, *reversed(words)])
        with pytest.raises(JoinFailed) as caught:
            await join(who, bridge, wrong, peer=inviter.address)

    assert caught.value.reason is JoinReason.WRONG_CODE
    assert who.team.team_id == before
    assert who.team.is_alone


async def test_member_of_a_larger_team_asks_nobody(tmp_path: Path) -> None:
    who = standing(tmp_path, "member")

    async with (
        bridged() as bridge,
        inviting(tmp_path, bridge, "kitchen") as first,
        inviting(tmp_path, bridge, "attic") as second,
    ):
        await join(who, bridge, first.view.code, peer=first.address)
        with pytest.raises(JoinFailed) as caught:
            await join(who, bridge, second.view.code, peer=second.address)

    assert caught.value.reason is JoinReason.ALREADY_MEMBER
    assert "node leave" in (caught.value.hint or "")
    assert second.events == []


async def test_address_where_nobody_listens_is_named(tmp_path: Path) -> None:
    who = standing(tmp_path, "newcomer")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    async with bridged() as bridge:
        with pytest.raises(PeerUnreachable, match=str(port)):
            await join(who, bridge, "42-maple-robin-tunnel", peer=f"127.0.0.1:{port}")


@pytest.mark.parametrize("days", [-3, 40])
async def test_a_wrong_clock_is_named_before_a_guess_of_the_code_is_spent(
    tmp_path: Path, days: int
) -> None:
    who = standing(tmp_path, "newcomer")

    async with bridged() as bridge, inviting(tmp_path, bridge, "kitchen") as inviter:
        with pytest.raises(PeerUnreachable, match="this machine's clock says") as caught:
            await join(
                who,
                bridge,
                inviter.view.code,
                peer=inviter.address,
                clock_off=timedelta(days=days),
            )
        assert inviter.events == []

    assert caught.value.hint is not None and "timedatectl" in caught.value.hint
    assert who.team.is_alone


async def test_something_that_is_not_a_node_is_told_apart(tmp_path: Path) -> None:
    who = standing(tmp_path, "newcomer")

    async def speak(stream: trio.SocketStream) -> None:
        await stream.send_all(b"SSH-2.0-OpenSSH\r\n")

    async with bridged() as bridge, trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        assert isinstance(listener, trio.SocketListener)
        nursery.start_soon(trio.serve_listeners, speak, [listener])
        port = listener.socket.getsockname()[1]
        with pytest.raises(PeerUnreachable):
            await join(who, bridge, "42-maple-robin-tunnel", peer=f"127.0.0.1:{port}")
        nursery.cancel_scope.cancel()


async def test_nobody_announces_the_number(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    who = standing(tmp_path, "newcomer")
    unused = Bridge.__new__(Bridge)

    with pytest.raises(JoinFailed) as caught:
        await join(who, unused, "42-maple-robin-tunnel")

    assert caught.value.reason is JoinReason.NO_WINDOW
    assert "--peer HOST:PORT" in (caught.value.hint or "")


@pytest.mark.parametrize("peer", ["kitchen", "kitchen:0", "http://kitchen:1", ""])
async def test_peer_that_is_no_address_is_refused(tmp_path: Path, peer: str) -> None:
    who = standing(tmp_path, "newcomer")

    with pytest.raises(InvalidAddress):
        await join(who, Bridge.__new__(Bridge), "42-maple-robin-tunnel", peer=peer)


async def test_text_that_is_no_code_is_refused_first(tmp_path: Path) -> None:
    who = standing(tmp_path, "newcomer")

    with pytest.raises(JoinFailed) as caught:
        await join(who, Bridge.__new__(Bridge), "open sesame", peer="also wrong")

    assert caught.value.reason is JoinReason.BAD_CODE


async def test_leaving_the_ca_behind_is_said(tmp_path: Path) -> None:
    who = standing(tmp_path, "newcomer")

    async with bridged() as bridge, inviting(tmp_path, bridge, "kitchen") as inviter:
        await join(who, bridge, inviter.view.code, peer=inviter.address)
    left = inviter.standing.team.leave(utc_now())

    assert left is not None
    facts = left_facts(left, team_id="new")
    assert "can't invite or renew" in facts["warnings"][0]
    assert str(left.archived_key) in facts["warnings"][1]


def test_leaving_without_a_team_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="in no team"):
        leave_stopped(Home.at(tmp_path / "fresh"))


@pytest.mark.parametrize("name", ["", "x" * 65, "two words", "bell\x07"])
def test_name_of_a_node_is_the_hosts_or_an_acceptable_one(tmp_path: Path, name: str) -> None:
    home = Home.at(tmp_path / "home")
    home.prepare()
    config = load_config(home, flags={"node.name": name}, environ={})

    if name:
        with pytest.raises(UsageError, match="can't be called"):
            node_name(config)
        exported = load_config(home, environ={"SKILLLITE_NODE_NAME": name})
        with pytest.raises(ConfigInvalid, match="can't be called"):
            node_name(exported)
    else:
        assert node_name(config) == socket.gethostname().partition(".")[0][:64]
