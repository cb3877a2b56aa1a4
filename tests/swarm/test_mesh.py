"""Whole meshes on a network in memory and a virtual clock."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trio
import trio.testing

from mesh_lab import BORN, Lab, Node, eventually, open_lab, skill
from skilllite_swarm import transport as transport_module
from skilllite_swarm.addresses import Interface
from skilllite_swarm.discovery import Announcement, find_responders, team_hash
from skilllite_swarm.errors import (
    InvalidAddress,
    NotAMember,
    PeerRefused,
    PeerUnreachable,
    UnknownNode,
)
from skilllite_swarm.mesh import Mesh, MeshConfig, open_mesh
from skilllite_swarm.peer_view import PeerState
from skilllite_swarm.placement import choose
from skilllite_swarm.transport import Caller, CatalogueHead, Load

ALIVE, SUSPECT, DEAD = PeerState.ALIVE, PeerState.SUSPECT, PeerState.DEAD


def all_alive(*nodes: Node) -> bool:
    return all(len(node.states()) == len(nodes) - 1 for node in nodes) and all(
        state is ALIVE for node in nodes for state in node.states().values()
    )


async def start_three(lab: Lab) -> tuple[Node, Node, Node]:
    nodes = (await lab.start("alpha"), await lab.start("bravo"), await lab.start("charlie"))
    await eventually(lambda: all_alive(*nodes), within_s=3)
    return nodes


async def test_three_nodes_find_each_other_at_once(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        nodes = [await lab.start(host) for host in ("alpha", "bravo", "charlie")]

        took_s = await eventually(lambda: all_alive(*nodes), within_s=3)

        assert took_s < 0.1
        assert nodes[0].peer("bravo").addresses == ("bravo:7700",)
        assert nodes[0].mesh.self_view().name == "alpha"
        assert nodes[0].mesh.self_view().holds_ca


async def test_one_way_discovery_is_enough(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        lab.lan.deafen("alpha", "bravo")
        nodes = await lab.start("alpha"), await lab.start("bravo")

        await eventually(lambda: all_alive(*nodes), within_s=1)


async def test_a_static_peer_is_enough_and_spreads_the_others(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha = await lab.start("alpha", announced=False)
        to_alpha = ("alpha:7700",)
        bravo = await lab.start("bravo", announced=False, static_peers=to_alpha)
        charlie = await lab.start("charlie", announced=False, static_peers=to_alpha)

        await eventually(lambda: all_alive(alpha, bravo, charlie), within_s=3)


async def test_a_static_peer_that_is_not_there_is_listed_with_the_reason(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha = await lab.start("alpha", static_peers=("nowhere:1", "alpha:7700"))
        await trio.sleep(1)

        assert alpha.states() == {
            "nowhere:1": PeerState.UNREACHABLE,
            "alpha:7700": PeerState.UNREACHABLE,
        }
        assert alpha.peer("nowhere:1").why == "tcp: nothing listens at nowhere:1"
        assert alpha.peer("alpha:7700").why == "that address is this node itself"


async def test_remembered_peers_are_found_without_any_discovery(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha = await lab.start("alpha", remembers=True)
        bravo = await lab.start("bravo", remembers=True)
        await eventually(lambda: all_alive(alpha, bravo), within_s=1)
        await alpha.stop()
        await bravo.stop()

        alpha = await lab.start("alpha", remembers=True, announced=False)
        bravo = await lab.start("bravo", remembers=True, announced=False)

        await eventually(lambda: all_alive(alpha, bravo), within_s=6)


async def test_a_new_start_has_a_later_epoch(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha = await lab.start("alpha", remembers=True)
        first = alpha.mesh.statistics().epoch
        await alpha.stop()

        alpha = await lab.start("alpha", remembers=True)

        assert alpha.mesh.statistics().epoch > first


async def test_a_silent_link_is_noticed_within_three_seconds_and_heals(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, bravo, charlie = await start_three(lab)
        charlie.mesh.set_skills([skill("only-on-c")])
        await eventually(lambda: len(alpha.mesh.candidates("only-on-c")) == 1, within_s=2)

        lab.network.partition([charlie.node_id], [alpha.node_id, bravo.node_id])

        suspected_s = await eventually(lambda: alpha.peer("charlie").state is SUSPECT, within_s=2)
        dead_s = await eventually(lambda: alpha.peer("charlie").state is DEAD, within_s=2)
        assert suspected_s <= 1.9
        assert suspected_s + dead_s <= 3.1
        assert alpha.mesh.candidates("only-on-c") == ()
        with pytest.raises(PeerUnreachable, match=r"charlie is dead: no answer to 3 pings"):
            alpha.mesh.connection(charlie.node_id)
        await trio.sleep(60)
        assert charlie.states() == {"alpha": DEAD, "bravo": DEAD}
        assert alpha.peer("bravo").state is ALIVE

        lab.network.heal_all()

        back_s = await eventually(lambda: all_alive(alpha, bravo, charlie), within_s=15)
        assert back_s < 6
        assert len(alpha.mesh.candidates("only-on-c")) == 1


@pytest.mark.parametrize("seed", range(8))
async def test_any_outage_heals_within_six_seconds(
    tmp_path: Path, autojump_clock: trio.testing.MockClock, seed: int
) -> None:
    async with open_lab(tmp_path, seed) as lab:
        alpha, bravo, charlie = await start_three(lab)
        outage_s = random.Random(seed).uniform(1, 120)
        print(f"outage of {outage_s:.1f} s")

        lab.network.partition([charlie.node_id], [alpha.node_id, bravo.node_id])
        await trio.sleep(outage_s)
        lab.network.heal_all()

        await eventually(lambda: all_alive(alpha, bravo, charlie), within_s=6)


async def test_waiting_for_candidates_ends_when_suspicion_does(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, _, charlie = await start_three(lab)
        charlie.mesh.set_skills([skill("only-on-c")])
        await eventually(lambda: len(alpha.mesh.candidates("only-on-c")) == 1, within_s=2)
        lab.network.partition([charlie.node_id], [alpha.node_id])
        await eventually(lambda: alpha.peer("charlie").state is SUSPECT, within_s=2)

        started = trio.current_time()
        assert await alpha.mesh.find_candidates("only-on-c") == ()

        assert alpha.peer("charlie").state is DEAD
        assert trio.current_time() - started < 2
        assert await alpha.mesh.find_candidates("nobody-has-it") == ()
        assert trio.current_time() - started < 2


async def test_a_late_answer_does_not_lose_a_candidate(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, _, charlie = await start_three(lab)
        charlie.mesh.set_skills([skill("only-on-c")])
        await eventually(lambda: len(alpha.mesh.candidates("only-on-c")) == 1, within_s=2)
        lab.network.partition([charlie.node_id], [alpha.node_id])
        await eventually(lambda: alpha.peer("charlie").state is SUSPECT, within_s=2)

        lab.network.heal_all()

        (candidate,) = await alpha.mesh.find_candidates("only-on-c")
        assert candidate.node_id == charlie.node_id


async def test_only_a_suspect_that_would_do_is_waited_for(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, bravo, charlie = await start_three(lab)
        charlie.mesh.set_skills([skill("only-on-c")])
        await eventually(lambda: len(alpha.mesh.candidates("only-on-c")) == 1, within_s=2)
        lab.network.partition([charlie.node_id], [alpha.node_id])
        await eventually(lambda: alpha.peer("charlie").state is SUSPECT, within_s=2)

        started = trio.current_time()
        found = await alpha.mesh.find_candidates(
            "only-on-c", among=lambda node_id: node_id == bravo.node_id
        )
        assert (found, trio.current_time()) == ((), started)
        lab.network.heal_all()

        (found_c,) = await alpha.mesh.find_candidates(
            "only-on-c", among=lambda node_id: node_id == charlie.node_id
        )
        assert found_c.node_id == charlie.node_id


async def test_a_killed_node_is_dead_and_alive_again_after_its_restart(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, bravo, charlie = await start_three(lab)
        charlie.mesh.set_skills([skill("old")])
        await eventually(lambda: len(alpha.mesh.candidates("old")) == 1, within_s=2)

        await lab.crash(charlie, [alpha, bravo])
        await eventually(lambda: alpha.peer("charlie").state is DEAD, within_s=3)
        charlie = await lab.start("charlie")
        charlie.mesh.set_skills([skill("new")])

        await eventually(lambda: all_alive(alpha, bravo, charlie), within_s=1)
        await eventually(lambda: len(alpha.mesh.candidates("new")) == 1, within_s=2)
        assert alpha.mesh.candidates("old") == ()


async def test_a_restart_that_nobody_missed_is_noticed(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        lab.lan.deafen("charlie", "alpha")
        lab.lan.deafen("alpha", "charlie")
        alpha = await lab.start("alpha", static_peers=("charlie:7700",))
        charlie = await lab.start("charlie")
        await eventually(lambda: all_alive(alpha, charlie), within_s=6)
        charlie.mesh.set_skills([skill("old")])
        await eventually(lambda: len(alpha.mesh.candidates("old")) == 1, within_s=2)

        # Within one ping period, at the same address.
        await lab.crash(charlie, [alpha])
        charlie = await lab.start("charlie")
        charlie.mesh.set_skills([skill("new")])

        await eventually(lambda: len(alpha.mesh.candidates("new")) == 1, within_s=6)
        assert alpha.mesh.candidates("old") == ()


async def test_a_stopped_node_has_left_at_once_and_comes_back(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, bravo, charlie = await start_three(lab)

        await charlie.stop()

        await eventually(lambda: alpha.peer("charlie").state is PeerState.LEFT, within_s=0.1)
        assert bravo.peer("charlie").state is PeerState.LEFT
        assert alpha.peer("charlie").why == "it said goodbye"
        await trio.sleep(60)
        assert alpha.peer("charlie").state is PeerState.LEFT
        charlie = await lab.start("charlie")
        await eventually(lambda: all_alive(alpha, bravo, charlie), within_s=1)


async def test_a_draining_node_is_seen_and_gets_nothing(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, bravo, _ = await start_three(lab)
        for node in (alpha, bravo):
            node.mesh.set_skills([skill("calculator")])
        await eventually(lambda: len(alpha.mesh.candidates("calculator")) == 2, within_s=2)

        bravo.mesh.drain()

        await eventually(lambda: len(alpha.mesh.candidates("calculator")) == 1, within_s=1.1)
        assert alpha.peer("bravo").draining
        assert bravo.mesh.self_view().draining
        bravo.mesh.drain(draining=False)
        await eventually(lambda: len(alpha.mesh.candidates("calculator")) == 2, within_s=1.1)


async def test_skills_and_load_spread_with_the_next_ping(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, bravo, charlie = await start_three(lab)

        assert charlie.mesh.set_skills([skill("one"), skill("two"), skill("no name")]) == (
            "no name",
        )
        charlie.mesh.set_load(Load(running=3, queued=1, capacity=4))

        await eventually(lambda: len(alpha.peer("charlie").skills) == 2, within_s=1.2)
        await eventually(
            lambda: bravo.peer("charlie").load == Load(running=3, queued=1, capacity=4),
            within_s=1.2,
        )
        charlie.mesh.set_skills([skill("one", version=2)])
        await eventually(
            lambda: alpha.peer("charlie").skills == (skill("one", version=2),), within_s=1.2
        )


async def test_an_idle_node_is_chosen_before_a_busy_one(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, bravo, _ = await start_three(lab)
        for node in (alpha, bravo):
            node.mesh.set_skills([skill("calculator")])
        alpha.mesh.set_load(Load(running=1, capacity=2))
        await eventually(lambda: len(alpha.mesh.candidates("calculator")) == 2, within_s=2)

        placement = choose(alpha.mesh.candidates("calculator"), random.Random(1))

        assert placement is not None
        assert placement.node_id == bravo.node_id
        assert placement.why.startswith("bravo (0 of 1 busy")
        assert "before alpha (1 of 2 busy, 0.0 ms)" in placement.why


async def test_a_catalogue_that_was_tampered_with_offers_nothing(
    tmp_path: Path,
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, bravo, charlie = await start_three(lab)
        honest = charlie.mesh.get_catalogue

        async def forged(caller: Caller, have: CatalogueHead) -> object:
            catalogue = await honest(caller, have)
            return catalogue and replace(catalogue, skills=(skill("one", version=666),))

        monkeypatch.setattr(charlie.mesh, "get_catalogue", forged)
        charlie.mesh.set_skills([skill("one")])
        await trio.sleep(5)

        assert alpha.mesh.candidates("one") == ()
        assert alpha.peer("charlie").state is ALIVE
        assert "not those that were signed" in alpha.peer("charlie").why
        assert bravo.mesh.candidates("one") == ()


async def test_a_catalogue_that_its_node_did_not_sign_offers_nothing(
    tmp_path: Path,
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, bravo, charlie = await start_three(lab)
        somebody_else = lab.identity("bravo").sign
        monkeypatch.setattr(charlie.mesh._own._identity, "_signer", lab.identity("bravo")._signer)
        assert charlie.mesh._own._identity.sign(b"x") == somebody_else(b"x")

        charlie.mesh.set_skills([skill("one")])
        await trio.sleep(5)

        for node in (alpha, bravo):
            assert node.mesh.candidates("one") == ()
            assert "not signed by the node" in node.peer("charlie").why


async def test_two_nodes_with_one_name_are_told_apart_the_same_way_everywhere(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        nodes = [
            await lab.start("alpha", name="build"),
            await lab.start("bravo", name="build"),
            await lab.start("charlie"),
        ]
        await eventually(lambda: all_alive(*nodes), within_s=3)
        first, second = sorted(node.node_id for node in nodes[:2])

        for node in nodes:
            views = (node.mesh.self_view(), *node.mesh.peers())
            names = {view.node_id: view.name for view in views}
            assert names[first] == "build"
            assert names[second] == f"build-{second[:4]}"
            assert node.mesh.resolve_node(f"build-{second[:4]}") == second
            assert node.mesh.resolve_node("build") == first
            assert node.mesh.resolve_node(second[:10]) == second
        assert nodes[0].mesh.resolve_node("charlie") == nodes[2].node_id
        assert nodes[2].mesh.resolve_node("charlie") == nodes[2].node_id
        with pytest.raises(UnknownNode):
            nodes[0].mesh.resolve_node("delta")


async def test_another_protocol_is_unreachable_with_both_ranges(
    tmp_path: Path,
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha = await lab.start("alpha")
        bravo = await lab.start("bravo")
        monkeypatch.setattr(
            bravo.mesh, "info", _answering(bravo.mesh, protocol_min=7, protocol_max=9)
        )
        monkeypatch.setattr(bravo.mesh._peering, "_me", bravo.mesh.info)
        await trio.sleep(3)

        (seen,) = alpha.mesh.peers()
        assert seen.name == "bravo"
        assert seen.state is PeerState.UNREACHABLE
        assert seen.why.startswith("version: ")
        assert f"7-9, this node {transport_module.PROTOCOL_MIN}" in seen.why
        (seen,) = bravo.mesh.peers()
        assert seen.state is PeerState.UNREACHABLE
        assert seen.why.startswith("version: ")
        assert "it answers: bravo speaks protocol 7-9" in seen.why


async def test_a_signing_key_that_the_device_did_not_sign_is_refused(
    tmp_path: Path,
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha = await lab.start("alpha")
        bravo = await lab.start("bravo")
        monkeypatch.setattr(bravo.mesh, "info", _answering(bravo.mesh, signing_key=b"k" * 32))
        await trio.sleep(3)

        (seen,) = alpha.mesh.peers()
        assert seen.state is PeerState.UNREACHABLE
        assert "signing key" in seen.why


def _answering(mesh: Mesh, **changes: object) -> object:
    changed = replace(mesh.info(), **changes)  # type: ignore[arg-type]
    return lambda: changed


async def test_a_claimed_id_that_the_connection_does_not_prove_is_refused(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, bravo, charlie = await start_three(lab)
        caller = Caller(charlie.node_id, "charlie:50000")

        with pytest.raises(NotAMember, match="proves"):
            await alpha.mesh.hello(caller, bravo.mesh.info())


async def test_a_node_does_not_answer_itself(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha = await lab.start("alpha")
        me = Caller(alpha.node_id, "alpha:50000")

        with pytest.raises(NotAMember):
            await alpha.mesh.hello(me, alpha.mesh.info())
        with pytest.raises(NotAMember):
            await alpha.mesh.ping(me, Load(), CatalogueHead())


async def test_a_stopping_node_takes_no_new_peer(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, bravo, _ = await start_three(lab)

        await alpha.mesh.leave()

        with pytest.raises(PeerRefused, match="stopping"):
            await alpha.mesh.hello(Caller(bravo.node_id, "bravo:50000"), bravo.mesh.info())


async def test_a_flood_of_announcements_hides_nobody(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha = await lab.start("alpha")
        bravo = await lab.start("bravo")
        for number in range(400):
            name = f"flood{number}"
            async with lab.lan.open(name) as flood:
                await flood.announce(
                    Announcement(
                        node_id=f"{number:032}".translate(str.maketrans("0189", "abcd")),
                        team_hash=team_hash(lab.team("alpha").team_id),
                        port=7700,
                    )
                )
        charlie = await lab.start("charlie")

        def known() -> bool:
            return all(
                any(peer.node_id == other.node_id and peer.state is ALIVE for peer in mine)
                for node in (alpha, bravo, charlie)
                for mine in [node.mesh.peers()]
                for other in (alpha, bravo, charlie)
                if other is not node
            )

        await eventually(known, within_s=5)
        assert alpha.mesh.statistics().table.peers <= 256


async def test_other_teams_are_counted_and_not_dialled(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab, lab.lan.open("stranger") as stranger:
        await stranger.announce(Announcement("a" * 52, team_hash("other team"), 1))
        alpha = await lab.start("alpha")
        await trio.sleep(1)

        assert alpha.mesh.peers() == ()
        assert alpha.mesh.statistics().foreign == 1


async def test_an_open_join_window_is_announced_until_it_closes(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab, lab.lan.open("newcomer") as newcomer:
        alpha = await lab.start("alpha")

        alpha.mesh.announce_join(42, 7701)
        responders = await find_responders(newcomer, 42, timeout_s=2)

        assert [node.join_addresses for node in responders] == [("alpha:7701",)]
        alpha.mesh.announce_join(None)
        await trio.sleep(0.1)
        assert await find_responders(newcomer, 42, timeout_s=2) == ()


async def test_a_due_certificate_is_renewed_by_the_node_that_holds_the_ca(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        lab.team("alpha")
        old = lab.team("bravo").tls.leaf_pem
        # Twenty-one of thirty days later, both start.
        lab.now = lambda: BORN + timedelta(days=21, seconds=trio.current_time())  # type: ignore[method-assign]

        alpha = await lab.start("alpha")
        bravo = await lab.start("bravo")
        await eventually(lambda: all_alive(alpha, bravo), within_s=1)

        team = bravo.mesh._team
        await eventually(lambda: team.tls.leaf_pem != old, within_s=31)
        assert not team.needs_renewal(lab.now())
        assert not alpha.mesh._team.needs_renewal(lab.now())


async def test_a_certificate_that_ended_is_reported_with_the_clock(
    tmp_path: Path,
    autojump_clock: trio.testing.MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_lab(tmp_path) as lab:
        lab.team("alpha")
        lab.team("bravo")
        lab.now = lambda: BORN + timedelta(days=40)  # type: ignore[method-assign]

        await lab.start("bravo")
        await trio.sleep(5)

    (said,) = [each.getMessage() for each in caplog.records if "renew" in each.name]
    assert "expired on" in said
    assert f"clock says {BORN + timedelta(days=40):%Y-%m-%d}" in said


async def test_nobody_gets_a_certificate_for_another_key(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha, bravo, _ = await start_three(lab)
        stranger = lab.identity("stranger")

        with pytest.raises(NotAMember):
            await alpha.mesh.renew(Caller(bravo.node_id, "bravo:1"), stranger.csr_der())
        with pytest.raises(PeerRefused):
            await bravo.mesh.renew(Caller(alpha.node_id, "a:1"), lab.identity("alpha").csr_der())


async def test_a_new_network_is_tried_at_once(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        interfaces: tuple[Interface, ...] = ()
        alpha = await lab.start("alpha", interfaces=lambda: interfaces)
        bravo = await lab.start("bravo")
        await eventually(lambda: all_alive(alpha, bravo), within_s=1)
        lab.network.partition([alpha.node_id], [bravo.node_id])
        await trio.sleep(120)

        interfaces = (Interface("wlan0", 3, "192.0.2.5"),)
        lab.network.heal_all()

        await eventually(lambda: all_alive(alpha, bravo), within_s=6)


async def test_a_watcher_sees_the_peers_and_every_later_state(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        alpha = await lab.start("alpha")
        seen = []
        with trio.move_on_after(20):
            async for peers in alpha.mesh.watch():
                seen.append({peer.name: peer.state for peer in peers})
                if len(seen) == 1:
                    bravo = await lab.start("bravo")
                if seen[-1] == {"bravo": ALIVE}:
                    await bravo.stop()
                if seen[-1] == {"bravo": PeerState.LEFT}:
                    break

        assert seen[0] == {}
        assert {"bravo": ALIVE} in seen
        assert seen[-1] == {"bravo": PeerState.LEFT}
        assert len(seen) < 10


async def test_a_static_peer_that_is_no_address_is_refused(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_lab(tmp_path) as lab:
        identity = lab.identity("alpha")
        config = MeshConfig("alpha", "0.1.0", static_peers=("192.0.2.7",))

        with pytest.raises(InvalidAddress):
            async with open_mesh(
                config,
                identity=identity,
                team=lab.team("alpha"),
                transport=lab.network.transport(identity.node_id),
            ):
                raise AssertionError("the mesh opened")


@pytest.mark.parametrize("seed", range(5))
async def test_five_nodes_converge_whatever_breaks_on_the_way(
    tmp_path: Path, autojump_clock: trio.testing.MockClock, seed: int
) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    hosts = ["alpha", "bravo", "charlie", "delta", "echo"]
    async with open_lab(tmp_path, seed) as lab:
        nodes = {host: await lab.start(host) for host in hosts}
        lab.network.break_calls(0.05)

        for _ in range(6):
            host = rng.choice(hosts)
            others = [node for name, node in nodes.items() if name != host]
            if rng.random() < 0.5:
                await lab.crash(nodes[host], others)
                await trio.sleep(rng.uniform(0, 5))
                nodes[host] = await lab.start(host)
            else:
                lab.network.partition([nodes[host].node_id], [node.node_id for node in others])
                await trio.sleep(rng.uniform(0, 20))
                lab.network.heal_all()
            nodes[host].mesh.set_skills([skill(f"skill-{rng.randrange(9)}")])
        lab.network.break_calls(0.0)

        def agreed() -> bool:
            return all_alive(*nodes.values()) and all(
                node.peer(name).skills == other.mesh.self_view().skills
                for node in nodes.values()
                for name, other in nodes.items()
                if other is not node
            )

        await eventually(agreed, within_s=15)
