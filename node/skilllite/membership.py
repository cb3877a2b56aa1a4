"""Joining a team by a code, and leaving it; with the node stopped or running.

The exchange itself is the swarm's. Decided here: where to look for the inviter, whom to ask and
how often, and which failure a person gets to see.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any

import trio

from skilllite.config import load_config
from skilllite.errors import NotFound
from skilllite.home import Home
from skilllite.lock import hold_node_lock
from skilllite.standing import Standing, open_standing, utc_now
from skilllite_swarm.addresses import parse_address
from skilllite_swarm.bridge import Bridge, open_bridge
from skilllite_swarm.diagnosis import fetch_certificate, judge_dates
from skilllite_swarm.discovery import Discovery, Found, find_responders
from skilllite_swarm.errors import JoinFailed, JoinReason, SwarmError
from skilllite_swarm.identity import certificate_facts
from skilllite_swarm.mdns import open_mdns
from skilllite_swarm.pairing import JoinCode, JoinedTeam, Joiner, join_through
from skilllite_swarm.rpc import join_client
from skilllite_swarm.team import LeftTeam, leave_team

FIND_TIMEOUT_S = 8.0
"""An announcement arrives within two seconds; a lost packet is asked for again after one."""

PEEK_TIMEOUT_S = 5.0
EXCHANGE_TIMEOUT_S = 20.0
"""Of one inviter; the arithmetic takes 45 ms, on a small machine ten times that."""

ADDRESSES_TRIED_MAX = 4
"""Of one inviter with several interfaces: the address that answers first wins the exchange."""

Say = Callable[[str], object]
"""Takes one clause of progress, for a person."""


@asynccontextmanager
async def no_discovery() -> AsyncIterator[None]:
    """Stand in where the address is given and nothing has to be found."""
    yield None


async def join_team(
    standing: Standing,
    *,
    code_text: str,
    peer: str | None,
    bridge: Bridge,
    discovery: Discovery | None,
    say: Say,
    now: Callable[[], datetime] = utc_now,
) -> JoinedTeam:
    """Become a member of the inviter's team; when this returns it is on disk.

    Raises:
        JoinFailed: nothing has changed; the reason says whether another try can help.
        PeerUnreachable: the inviter does not answer at that address.
        InvalidAddress: `peer` is not "host:port".
    """
    code = JoinCode.parse(code_text)
    standing.team.ensure_can_join()
    if peer is not None:
        parse_address(peer)
        inviters: tuple[tuple[str, ...], ...] = ((peer,),)
    else:
        inviters = await _find_inviters(discovery, code.number, say)
    joined = await _ask_in_turn(standing, code, inviters, bridge, say, now)
    standing.team.join(joined.leaf_der, joined.ca_der, joined.members, now())
    return joined


async def _find_inviters(
    discovery: Discovery | None, number: int, say: Say
) -> tuple[tuple[str, ...], ...]:
    """Return the join addresses of those who announce the window, at most three inviters."""
    found: tuple[Found, ...] = ()
    if discovery is not None:
        say(f"looking for who invites under {number}")
        found = await find_responders(discovery, number, timeout_s=FIND_TIMEOUT_S)
    if not found:
        raise JoinFailed(
            f"nobody on this network announces an invitation with the number {number}",
            reason=JoinReason.NO_WINDOW,
            cause=discovery.statistics().problem if discovery is not None else "mDNS is off",
            hint="is the code still valid? where multicast is blocked, name the inviter with "
            "`--peer HOST:PORT`: its `skilllite node invite` printed the address",
        )
    return tuple(one.join_addresses[:ADDRESSES_TRIED_MAX] for one in found)


async def _ask_in_turn(
    standing: Standing,
    code: JoinCode,
    inviters: tuple[tuple[str, ...], ...],
    bridge: Bridge,
    say: Say,
    now: Callable[[], datetime],
) -> JoinedTeam:
    """Ask one inviter after the other: two teams may happen to use one number.

    Each inviter is told a guess of the code at most once, at the first of its addresses that takes
    the connection.
    """
    refusal: SwarmError | None = None
    for addresses in inviters:
        for address in addresses:
            try:
                certificate = await _peek(address)
                # With a wrong clock the handshake would fail without a word about the reason.
                judge_dates(certificate_facts(certificate), address, address, now())
            except SwarmError as error:
                refusal = refusal or error
                continue
            say(f"asking {address}")
            try:
                return await _exchange(standing, code, address, certificate, bridge, now)
            except SwarmError as error:
                # What an inviter said tells more than that another did not answer.
                refusal = error
            break
    assert refusal is not None, "every inviter has an address"
    raise refusal


async def _peek(address: str) -> bytes:
    host, port = parse_address(address)
    return await fetch_certificate(host, port, PEEK_TIMEOUT_S)


async def _exchange(
    standing: Standing,
    code: JoinCode,
    address: str,
    certificate: bytes,
    bridge: Bridge,
    now: Callable[[], datetime],
) -> JoinedTeam:
    joiner = Joiner(standing.identity, code, certificate, name=standing.name)
    try:
        with trio.fail_after(EXCHANGE_TIMEOUT_S):
            async with join_client(bridge, address, certificate) as client:
                return await join_through(client, joiner, now)
    except trio.TooSlowError:
        raise JoinFailed(
            f"{address} did not finish the join within {EXCHANGE_TIMEOUT_S:g} s",
            hint="try again with a new code",
        ) from None


def joined_facts(standing: Standing, *, running: bool) -> dict[str, Any]:
    """Return what the command line tells about a join."""
    team = standing.team
    return {"team_id": team.team_id, "members": len(team.members), "running": running}


def left_facts(left: LeftTeam, *, team_id: str | None) -> dict[str, Any]:
    """Return what the command line tells about leaving."""
    warnings = []
    if left.held_ca and left.members:
        warnings.append(
            "the team's CA was here: its other members can't invite or renew any more, "
            "and their certificates end within 30 days"
        )
    if left.archived_key is not None:
        warnings.append(f"the CA's key is kept in {left.archived_key}")
    return {"left_team_id": left.team_id, "team_id": team_id, "warnings": warnings}


def join_stopped(home: Home, code_text: str, peer: str | None, *, say: Say) -> dict[str, Any]:
    """Join while no node runs in this home; the lock keeps one from starting meanwhile."""
    JoinCode.parse(code_text)  # a slip of the tongue is told before anything is made
    home.prepare()
    config = load_config(home)
    with hold_node_lock(home):
        standing = open_standing(home, config)
        trio.run(
            partial(_join_alone, standing, code_text, peer, say, config.flag("node.discovery"))
        )
        return joined_facts(standing, running=False)


async def _join_alone(
    standing: Standing, code_text: str, peer: str | None, say: Say, discover: bool
) -> None:
    async with open_bridge() as bridge:
        source = open_mdns(bridge) if peer is None and discover else no_discovery()
        async with source as discovery:
            await join_team(
                standing,
                code_text=code_text,
                peer=peer,
                bridge=bridge,
                discovery=discovery,
                say=say,
            )


def leave_stopped(home: Home) -> dict[str, Any]:
    """Leave while no node runs in this home; the next start founds a team of one."""
    home.prepare()
    with hold_node_lock(home):
        left = leave_team(home.team, home.keys, utc_now())
    if left is None:
        raise NotFound(
            "this node is in no team",
            hint="its first start, or `skilllite node join CODE`, makes it a member of one",
        )
    return left_facts(left, team_id=None)
