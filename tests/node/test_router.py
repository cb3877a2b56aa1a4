"""The mesh as the owner of tasks sees it, and the time when there is none."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
import trio

from skilllite.offer import Offer, OfferedSkills
from skilllite.router import MeshRouter
from skilllite.tasks.local_connection import LocalConnection
from skilllite.tasks.router_port import TaskConnection
from skilllite_swarm import placement
from skilllite_swarm.errors import PeerUnreachable, UnknownNode
from skilllite_swarm.peer_view import PeerState, PeerView, resolve_node
from skilllite_swarm.transport import Load, SkillEntry

ME, YOU = "a" * 52, "b" * 52
TIMEOUT_S = 5.0


def entry(name: str, *, idempotent: bool = True) -> SkillEntry:
    return SkillEntry(name, "Made for a test.", "sha256:" + "0" * 64, "python", idempotent)


def view(
    node_id: str,
    name: str,
    *skills: SkillEntry,
    state: PeerState = PeerState.ALIVE,
    running: int = 0,
    why: str = "",
    draining: bool = False,
) -> PeerView:
    load = Load(running=running, capacity=2)
    addresses = ("192.0.2.1:1",)
    return PeerView(name, node_id, addresses, state, why, skills, load, 1.0, draining=draining)


def anybody(node_id: str) -> bool:
    return True


class FakeMesh:
    """A mesh that knows what it is told."""

    def __init__(self, me: PeerView, *others: PeerView) -> None:
        self.me = me
        self.others = others
        self.changes = 0
        self.changed = trio.Event()
        self.connections: dict[str, TaskConnection] = {}

    def change(self, *others: PeerView) -> None:
        self.others = others
        self.changes += 1
        self.changed.set()
        self.changed = trio.Event()

    async def wait_for_change(self, seen: int) -> None:
        while self.changes == seen:
            await self.changed.wait()

    def peers(self) -> tuple[PeerView, ...]:
        return self.others

    def self_view(self) -> PeerView:
        return self.me

    def candidates(self, skill: str) -> Sequence[placement.Candidate]:
        return [
            placement.Candidate(one.node_id, one.name, one.load or Load(), 0.0)
            for one in (self.me, *self.others)
            if one.state is PeerState.ALIVE and any(each.name == skill for each in one.skills)
        ]

    async def find_candidates(
        self, skill: str, *, among: Callable[[str], bool]
    ) -> Sequence[placement.Candidate]:
        await trio.lowlevel.checkpoint()
        return [each for each in self.candidates(skill) if among(each.node_id)]

    def connection(self, node_id: str) -> TaskConnection:
        if node_id not in self.connections:
            raise PeerUnreachable(f"no connection to {node_id}")
        return self.connections[node_id]

    def resolve_node(self, text: str) -> str:
        return resolve_node((self.me, *self.others), text)

    def drain(self) -> None:
        raise NotImplementedError


class Offered(OfferedSkills):
    """An offer without a stage."""

    def __init__(self, *entries: SkillEntry) -> None:
        self._offer = Offer(entries)
        self._directories = {}


class Nowhere(LocalConnection):
    """This node's executor, which these tests never reach."""

    def __init__(self) -> None:
        pass


def make_router(*offered: SkillEntry) -> MeshRouter:
    return MeshRouter(Nowhere(), Offered(*offered), self_id=ME, rng=random.Random(1))


async def test_candidates_say_whether_their_own_version_may_run_twice() -> None:
    router = make_router()
    router.attach(
        FakeMesh(
            view(ME, "me", entry("diff", idempotent=False)),
            view(YOU, "you", entry("diff"), entry("hash")),
        )
    )

    found = await router.find_candidates("diff", among=anybody)

    assert {one.name: one.idempotent for one in found} == {"me": False, "you": True}
    (other,) = await router.find_candidates("diff", among=lambda node_id: node_id != ME)
    assert other.name == "you"
    assert [one.name for one in await router.find_candidates("hash", among=anybody)] == ["you"]
    assert await router.find_candidates("missing", among=anybody) == []


async def test_without_a_mesh_this_node_is_the_only_one() -> None:
    router = make_router(entry("diff"))

    (only,) = await router.find_candidates("diff", among=anybody)

    assert only.node_id == ME
    assert router.choose([only]) is only
    assert await router.find_candidates("hash", among=anybody) == []
    assert await router.find_candidates("diff", among=lambda node_id: node_id != ME) == []
    assert router.is_live(ME)
    assert not router.is_live(YOU)
    assert router.name_of(YOU) == YOU[:8]
    with pytest.raises(UnknownNode, match="changing its team"):
        router.resolve("me")


async def test_less_busy_of_two_is_chosen() -> None:
    router = make_router()
    router.attach(
        FakeMesh(
            view(ME, "me", entry("diff"), running=2), view(YOU, "you", entry("diff"), running=0)
        )
    )

    found = await router.find_candidates("diff", among=anybody)
    chosen = {router.choose(found).name for _ in range(20)}

    assert chosen == {"you"}


async def test_dead_node_is_no_candidate_and_not_live_but_keeps_its_name() -> None:
    router = make_router()
    router.attach(
        FakeMesh(view(ME, "me"), view(YOU, "you", entry("diff"), state=PeerState.SUSPECT))
    )

    assert await router.find_candidates("diff", among=anybody) == []
    assert not router.is_live(YOU)
    assert router.name_of(YOU) == "you"
    assert router.ever_offered("diff")
    assert not router.ever_offered("hash")


def test_what_is_wrong_with_a_node_is_said_with_its_reason() -> None:
    router = make_router()
    clock = "tls: its certificate is expired, and this machine's clock says 2027"
    router.attach(
        FakeMesh(
            view(ME, "me"),
            view(YOU, "you", entry("diff"), state=PeerState.DEAD, why="no answer to 3 pings"),
            view("c" * 52, "clocky", state=PeerState.UNREACHABLE, why=clock),
            view("d" * 52, "dry", entry("diff"), draining=True),
        )
    )

    assert router.obstacles("diff", on=None) == (
        "you is dead: no answer to 3 pings; dry is draining and takes no new tasks"
    )
    assert router.obstacles("diff", on="c" * 52) == f"clocky is unreachable: {clock}"
    assert router.obstacles("diff", on=ME) == ""
    assert router.obstacles("hash", on=None) == ""


async def test_skill_of_a_node_that_was_forgotten_is_remembered(
    autojump_clock: trio.testing.MockClock,
) -> None:
    router = make_router()
    mesh = FakeMesh(view(ME, "me"), view(YOU, "you", entry("diff")))
    router.attach(mesh)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(router.follow, mesh)
        await trio.testing.wait_all_tasks_blocked()
        mesh.change()
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert router.ever_offered("diff")


async def test_every_change_wakes_those_who_wait(autojump_clock: trio.testing.MockClock) -> None:
    router = make_router()
    mesh = FakeMesh(view(ME, "me"))
    woken: list[str] = []

    async def wait(name: str) -> None:
        await router.wait_changed()
        woken.append(name)

    async with trio.open_nursery() as nursery:
        for number, change in enumerate(
            (lambda: router.attach(mesh), mesh.change, router.tell_changed, router.detach)
        ):
            nursery.start_soon(wait, f"waiter {number}")
            await trio.testing.wait_all_tasks_blocked()
            if number == 1:
                nursery.start_soon(router.follow, mesh)
            change()
            await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert woken == [f"waiter {number}" for number in range(4)]


async def test_change_between_looking_and_waiting_is_not_missed(
    autojump_clock: trio.testing.MockClock,
) -> None:
    router = make_router()
    seen = router.changes
    router.tell_changed()

    with trio.fail_after(TIMEOUT_S):
        await router.wait_for_change(seen)


async def test_connection_to_oneself_takes_no_network_and_others_the_mesh() -> None:
    router = make_router()
    with pytest.raises(PeerUnreachable, match="changing its team"):
        await router.connection(YOU)
    mesh = FakeMesh(view(ME, "me"), view(YOU, "you"))
    mesh.connections[YOU] = Nowhere()
    router.attach(mesh)

    assert isinstance(await router.connection(ME), LocalConnection)
    assert await router.connection(YOU) is mesh.connections[YOU]
    assert router.resolve("you") == YOU
