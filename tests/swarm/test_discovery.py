"""What an announcement says, what is believed of one, and real multicast between real sockets."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from lan import missing_feature, open_lan
from skilllite_swarm.addresses import Interface, list_interfaces
from skilllite_swarm.bridge import open_bridge
from skilllite_swarm.discovery import (
    EVENTS_MAX,
    FOUND_MAX,
    TXT_BYTES_MAX,
    Announcement,
    DiscoveryEvent,
    Found,
    FoundTable,
    Lost,
    decode_found,
    encode_txt,
    find_responders,
    team_hash,
)
from skilllite_swarm.mdns import (
    INTERFACES_MAX,
    MdnsDiscovery,
    announced_hosts,
    open_mdns,
    pick_interfaces,
    probe_multicast,
)
from skilllite_swarm.memory_lan import MemoryLan

NODE = "a" * 52
TEAM = team_hash("team")
LOOPBACK = Interface("lo", 1, "127.0.0.1")
ON_LOOPBACK: Callable[[], tuple[Interface, ...]] = lambda: (LOOPBACK,)  # noqa: E731


def announcement(node_id: str = NODE, **changes: object) -> Announcement:
    plain = Announcement(node_id, TEAM, 7700, generation="17.4", catalogue="ab" * 32)
    return replace(plain, **changes)  # type: ignore[arg-type]


def found(instance: str, team: str = TEAM, **changes: object) -> Found:
    plain = Found(instance, NODE, ("192.0.2.7:7700",), team)
    return replace(plain, **changes)  # type: ignore[arg-type]


def drain(events: trio.MemoryReceiveChannel[DiscoveryEvent]) -> list[DiscoveryEvent]:
    got = []
    while True:
        try:
            got.append(events.receive_nowait())
        except trio.WouldBlock:
            return got


# What is said


def test_what_is_announced_is_found() -> None:
    said = announcement(join_port=7701, join_window=42)

    heard = decode_found("one", ("192.0.2.7", "2001:db8::7"), 7700, encode_txt(said))

    assert heard == Found(
        instance="one",
        node_id=NODE,
        addresses=("192.0.2.7:7700", "[2001:db8::7]:7700"),
        team_hash=TEAM,
        generation="17.4",
        join_port=7701,
        join_window=42,
    )
    assert heard.join_addresses == ("192.0.2.7:7701", "[2001:db8::7]:7701")


def test_an_announcement_is_small_and_tells_no_names() -> None:
    said = announcement(generation=f"{2**64 - 1}.{2**64 - 1}", join_port=65_535, join_window=99)

    txt = encode_txt(said)

    assert sum(len(key) + len(value) + 2 for key, value in txt.items()) <= TXT_BYTES_MAX
    assert txt.keys() == {"id", "cl", "pv", "gen", "cat", "jp", "jw"}


def test_a_closed_join_window_is_not_mentioned() -> None:
    assert encode_txt(announcement(join_port=7701)).keys() == {"id", "cl", "pv", "gen", "cat"}


def test_a_team_can_not_be_had_from_its_hash() -> None:
    assert team_hash("team") != team_hash("team2")
    assert len(team_hash("t" * 1000)) == 16


@pytest.mark.parametrize(
    ("key", "value", "field", "expected"),
    [
        ("id", "../../etc", "node_id", None),
        ("id", "A" * 52, "node_id", None),
        ("id", "", "node_id", None),
        ("cl", "x" * 99, "team_hash", None),
        ("pv", "7-9", "protocol_max", 9),
        ("pv", "9-7", "protocol_max", 1),
        ("pv", "many", "protocol_max", 1),
        ("gen", "17", "generation", "0.0"),
        ("jw", "100", "join_window", None),
        ("jw", "-1", "join_window", None),
        ("jp", "0", "join_window", None),
        ("jp", "65536", "join_port", None),
        ("later", "anything", "node_id", NODE),
    ],
)
def test_what_is_malformed_is_left_out(key: str, value: str, field: str, expected: object) -> None:
    txt = encode_txt(announcement(join_port=7701, join_window=42)) | {key: value}

    heard = decode_found("one", ("192.0.2.7",), 7700, txt)

    assert getattr(heard, field) == expected


def test_an_announcement_without_a_usable_address_is_none() -> None:
    assert decode_found("one", (), 7700, {}) is None
    assert decode_found("one", ("192.0.2.7",), 0, {}) is None
    assert decode_found("one", ("fe80::1",), 7700, {}) is None


def test_a_link_local_address_keeps_its_scope() -> None:
    heard = decode_found("one", ("fe80::1%4", "fe80::1"), 7700, {})

    assert heard is not None
    assert heard.addresses == ("[fe80::1%4]:7700",)


@given(
    st.lists(st.text(max_size=8), max_size=3).map(tuple),
    st.integers(0, 70_000),
    st.dictionaries(st.sampled_from(["id", "cl", "pv", "gen", "jp", "jw"]), st.text(max_size=60)),
)
def test_any_announcement_is_read_or_dropped(
    hosts: tuple[str, ...], port: int, txt: dict[str, str]
) -> None:
    heard = decode_found("one", hosts, port, txt)

    if heard is not None:
        assert heard.addresses
        assert heard.join_addresses is not None


# What is remembered


async def test_a_listener_hears_what_is_known_and_what_comes() -> None:
    table = FoundTable()
    table.put(found("one"))
    with table.subscribe() as events:
        table.put(found("two"))
        table.remove("one")
        table.remove("one")

        heard = drain(events)

    assert [event.instance for event in heard] == ["one", "two", "one"]
    assert isinstance(heard[-1], Lost)
    table.put(found("three"))


async def test_a_flood_leaves_room_for_the_own_team() -> None:
    table = FoundTable(TEAM)
    for number in range(2 * FOUND_MAX):
        table.put(found(f"foreign{number}", team="other"))

    table.put(found("ours"))

    assert len(table.all()) == FOUND_MAX + 1
    assert table.dropped == FOUND_MAX


async def test_a_listener_that_does_not_listen_costs_a_bounded_memory() -> None:
    table = FoundTable(TEAM)
    with table.subscribe() as events:
        for _ in range(2 * EVENTS_MAX):
            table.put(found("one"))

        assert len(drain(events)) == EVENTS_MAX
    assert table.dropped == EVENTS_MAX


async def test_at_most_three_responders_are_asked(
    autojump_clock: trio.testing.MockClock,
) -> None:
    lan = MemoryLan()
    async with AsyncExitStack() as stack:
        for name in "abcde":
            inviter = await stack.enter_async_context(lan.open(name))
            window = 8 if name == "e" else 7
            await inviter.announce(announcement(join_port=1, join_window=window))
        newcomer = await stack.enter_async_context(lan.open("newcomer"))

        responders = await find_responders(newcomer, 7, timeout_s=1)

        assert [responder.instance for responder in responders] == ["a", "b", "c"]
        assert await find_responders(newcomer, 9, timeout_s=1) == ()


async def test_an_inviter_that_opens_while_a_newcomer_waits_is_found(
    autojump_clock: trio.testing.MockClock,
) -> None:
    lan = MemoryLan()
    async with (
        lan.open("newcomer") as newcomer,
        lan.open("a") as inviter,
        trio.open_nursery() as nursery,
    ):

        async def invite() -> None:
            await trio.sleep(5)
            await inviter.announce(announcement(join_port=1, join_window=7))

        nursery.start_soon(invite)
        responders = await find_responders(newcomer, 7, timeout_s=10)

    assert len(responders) == 1


# On which interfaces


def test_every_ipv4_address_and_one_ipv6_address_an_interface_are_used() -> None:
    interfaces = (
        LOOPBACK,
        Interface("lo", 1, "::1"),
        Interface("eth0", 2, "192.0.2.7"),
        Interface("eth0", 2, "198.51.100.7"),
        Interface("eth0", 2, "2001:db8::7"),
        Interface("eth0", 2, "fe80::7"),
        Interface("wlan0", 3, "fe80::8"),
    )

    picked = [interface.ip for interface in pick_interfaces(interfaces)]

    assert picked == ["127.0.0.1", "fe80::7", "192.0.2.7", "198.51.100.7", "fe80::8"]
    assert announced_hosts(interfaces, hosts=()) == [
        "192.0.2.7",
        "198.51.100.7",
        "2001:db8::7",
        "fe80::7",
        "fe80::8",
    ]


def test_loopback_is_announced_only_when_there_is_nothing_else() -> None:
    assert announced_hosts([LOOPBACK], hosts=()) == ["127.0.0.1"]


def test_a_node_on_one_address_is_announced_there_alone() -> None:
    interfaces = (LOOPBACK, Interface("eth0", 2, "192.0.2.7"))

    assert pick_interfaces(interfaces, hosts=["127.0.0.1"]) == (LOOPBACK,)
    assert announced_hosts(interfaces, hosts=["127.0.0.1"]) == ["127.0.0.1"]


def test_a_host_full_of_bridges_uses_a_bounded_number() -> None:
    many = [Interface(f"br{n}", n, f"10.0.{n}.1") for n in range(100)]

    assert len(pick_interfaces(many)) == INTERFACES_MAX


def test_an_interface_that_is_gone_says_why() -> None:
    assert probe_multicast(LOOPBACK) is None
    assert probe_multicast(Interface("gone", 9, "203.0.113.99")) is not None
    assert probe_multicast(Interface("gone", 999_999, "fe80::99")) is not None


# Real multicast, on loopback: works on every host, and nothing of it leaves this one

FOUND_WITHIN_S = 5.0
"""Takes milliseconds on an idle machine."""


async def wait_for(
    discovery: MdnsDiscovery, claim: Callable[[DiscoveryEvent], bool]
) -> DiscoveryEvent:
    with trio.fail_after(FOUND_WITHIN_S), discovery.subscribe() as events:
        async for event in events:
            if claim(event):
                return event
    raise AssertionError("the discovery ended")


async def test_two_nodes_on_one_host_find_each_other_by_multicast() -> None:
    async with (
        open_bridge() as bridge,
        open_mdns(bridge, interfaces=ON_LOOPBACK) as one,
        open_mdns(bridge, interfaces=ON_LOOPBACK) as two,
    ):
        await one.announce(announcement("b" * 52))
        await two.announce(announcement("c" * 52))

        for discovery, other in ((one, "c" * 52), (two, "b" * 52)):
            seen = await wait_for(discovery, lambda event, o=other: event.node_id == o)  # type: ignore[misc]
            assert isinstance(seen, Found)
            assert seen.addresses == ("127.0.0.1:7700",)
            assert (seen.team_hash, seen.generation) == (TEAM, "17.4")
        assert one.statistics().problem is None
        assert one.statistics().announced


async def test_a_join_window_appears_and_a_goodbye_is_heard() -> None:
    async with (
        open_bridge() as bridge,
        open_mdns(bridge, interfaces=ON_LOOPBACK) as inviter,
        open_mdns(bridge, interfaces=ON_LOOPBACK) as newcomer,
    ):
        await inviter.announce(announcement("d" * 52))
        await wait_for(newcomer, lambda event: event.node_id == "d" * 52)

        await inviter.announce(announcement("d" * 52, join_port=7701, join_window=42))
        (responder,) = await find_responders(newcomer, 42, timeout_s=FOUND_WITHIN_S)
        assert responder.join_addresses == ("127.0.0.1:7701",)

        with newcomer.subscribe() as events:
            await inviter.withdraw()
            with trio.fail_after(FOUND_WITHIN_S):
                while await events.receive() != Lost("d" * 16, "d" * 52):
                    pass
        assert not any(node.node_id == "d" * 52 for node in newcomer.found())


async def test_a_node_that_moved_is_found_at_its_new_port() -> None:
    async with open_bridge() as bridge, open_mdns(bridge, interfaces=ON_LOOPBACK) as other:
        async with open_mdns(bridge, interfaces=ON_LOOPBACK) as first:
            await first.announce(announcement("e" * 52))
            await wait_for(other, lambda event: event.node_id == "e" * 52)
        async with open_mdns(bridge, interfaces=ON_LOOPBACK) as again:
            await again.announce(announcement("e" * 52, port=7799))

            await wait_for(
                other,
                lambda event: isinstance(event, Found) and event.addresses[0].endswith(":7799"),
            )


async def test_a_host_without_any_interface_goes_on_and_says_why() -> None:
    interfaces: tuple[Interface, ...] = ()
    async with open_bridge() as bridge, open_mdns(bridge, interfaces=lambda: interfaces) as one:
        await one.announce(announcement("f" * 52))

        assert one.found() == ()
        assert one.statistics().problem == "no interface has an address to send from"
        assert not one.statistics().announced
        await one.withdraw()


async def test_an_interface_that_can_not_do_multicast_is_left_out() -> None:
    broken = Interface("gone", 9, "203.0.113.99")
    async with (
        open_bridge() as bridge,
        open_mdns(bridge, interfaces=lambda: (LOOPBACK, broken)) as one,
    ):
        await one.announce(announcement("g" * 52))

        assert one.statistics().interfaces == ("127.0.0.1",)
        await wait_for(one, lambda event: event.node_id == "g" * 52)


async def test_an_interface_that_comes_up_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skilllite_swarm.mdns.POLL_PERIOD_S", 0.05)
    interfaces: tuple[Interface, ...] = ()
    async with open_bridge() as bridge, open_mdns(bridge, interfaces=lambda: interfaces) as one:
        await one.announce(announcement("h" * 52))
        assert not one.statistics().announced

        interfaces = (LOOPBACK,)

        await wait_for(one, lambda event: event.node_id == "h" * 52)
        assert one.statistics().announced
        assert one.statistics().problem is None


async def test_looking_again_finds_what_was_announced_unheard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("skilllite_swarm.mdns.POLL_PERIOD_S", 0.05)
    monkeypatch.setattr("skilllite_swarm.mdns.BROWSE_PERIOD_S", 0.2)
    async with (
        open_bridge() as bridge,
        open_mdns(bridge, interfaces=ON_LOOPBACK) as one,
        open_mdns(bridge, interfaces=ON_LOOPBACK) as two,
    ):
        await two.announce(announcement("i" * 52))
        await wait_for(one, lambda event: event.node_id == "i" * 52)

        # As if its packets had been lost.
        one._table.clear()

        await wait_for(one, lambda event: event.node_id == "i" * 52)


# Real multicast, between hosts

LISTENER = """
import sys, trio
from skilllite_swarm.bridge import open_bridge
from skilllite_swarm.discovery import Announcement, Found
from skilllite_swarm.mdns import open_mdns

async def main(me, other):
    async with open_bridge() as bridge, open_mdns(bridge) as discovery:
        await discovery.announce(Announcement(me * 52, "team", 7700))
        with trio.fail_after(20), discovery.subscribe() as events:
            async for event in events:
                if isinstance(event, Found) and event.node_id == other * 52:
                    print(*event.addresses, flush=True)
                    break
        # The other may still be looking.
        await trio.to_thread.run_sync(sys.stdin.read)

trio.run(main, *sys.argv[1:])
"""


@pytest.mark.skipif(missing_feature() is not None, reason=str(missing_feature()))
def test_two_hosts_find_each_other_also_when_the_link_comes_up_late() -> None:
    root = Path(__file__).resolve().parents[2]
    paths = ":".join(str(root / wing) for wing in ("swarm", "sandbox"))
    with open_lan("alpha", "bravo") as (alpha, bravo):
        bravo.link_down()
        running = [
            subprocess.Popen(
                host.command([sys.executable, "-c", LISTENER, me, other]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={"PYTHONPATH": paths, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )
            for host, me, other in ((alpha, "a", "b"), (bravo, "b", "a"))
        ]
        try:
            # Long enough for the announcements to go nowhere.
            with pytest.raises(subprocess.TimeoutExpired):
                running[0].wait(timeout=3)

            bravo.link_up()

            heard = [process.stdout.readline() for process in running if process.stdout]
            assert "10.77.0.2:7700" in heard[0]
            assert "10.77.0.1:7700" in heard[1]
        finally:
            for process in running:
                process.kill()
                process.communicate()


def test_this_host_has_an_interface_that_can_do_multicast() -> None:
    assert shutil.which("ip") is None or any(
        probe_multicast(interface) is None for interface in list_interfaces()
    )
