"""Owners and executors that die at every point: no task is lost, none is recorded twice."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import trio
import trio.lowlevel
import trio.testing

from skilllite.tasks.errors import TooManyTasks
from skilllite.tasks.failpoints import Point
from task_world import Killed, Node, SkillOnNode, World, rows

SEEDS_PER_TEST = 12
SEED_BLOCKS = 20

SETTLE_S = 150.0
"""Longer than every deadline and grace period after the last disturbance."""

Scenario = Callable[[World], Awaitable[None]]


@pytest.fixture
def fast_folder() -> Iterator[Path]:
    """Return a folder in memory where there is one: the simulated death leaves no page unsynced."""
    shared = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


def simulate(folder: Path, seed: int, scenario: Scenario) -> None:
    """Run a scenario in a fresh world under a clock that jumps."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            world = World(folder, nursery, seed=seed)
            await scenario(world)
            nursery.cancel_scope.cancel()

    # Private, and what hypothesis does too: with it a seed repeats its run.
    trio._core._run._r.seed(seed)
    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


async def submit_from(node: Node, skill: str, number: int, *, deadline_s: float = 60.0) -> None:
    """Submit as a client of a node does; when the node dies, the client is none the wiser."""

    async def client() -> None:
        try:
            submission = await node.owner.submit(skill, f'{{"n": {number}}}', deadline_s=deadline_s)
            await node.owner.wait(submission.task_id)
        except TooManyTasks:
            return

    if node.is_up:
        node.spawn(client)


async def settle(world: World) -> None:
    """Bring everybody back, heal the network, and give it time."""
    world.loss = 0.0
    world.cut.clear()
    world.on_reached = lambda node, point: None
    await trio.sleep(1.0)
    for node in world.nodes.values():
        if not node.is_up:
            await world.start(node)
    world.note_change()
    await trio.sleep(SETTLE_S)


def check(world: World) -> Counter[str]:
    """Assert every promise and return how many tasks ended how."""
    states: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    for node in world.nodes.values():
        runs.update(node.runs)
    for node in world.nodes.values():
        for task_id, state, value, skill in rows(
            node, "SELECT task_id, state, input, skill FROM tasks"
        ):
            assert state in ("succeeded", "failed", "cancelled"), (task_id, state)
            states[str(state)] += 1
            idempotent = any(
                other.skills[str(skill)].idempotent
                for other in world.nodes.values()
                if str(skill) in other.skills
            )
            assert runs[str(value)] <= (2 if idempotent else 1), (task_id, runs[str(value)])
        check_agreement(world, node)
    return states


def check_agreement(world: World, owner: Node) -> None:
    """Assert that an owner's ledger and those of its executors tell the same of every attempt."""
    attempts = {
        (task_id, attempt): (node_id, stage, terminal)
        for task_id, attempt, node_id, stage, terminal in rows(
            owner, "SELECT task_id, attempt, node_id, stage, terminal FROM attempts"
        )
    }
    for key, (node_id, stage, terminal) in attempts.items():
        assert stage in ("ended", "lost"), (key, stage)
        kept = rows(
            world.nodes[str(node_id)],
            "SELECT state, terminal FROM executions"
            f" WHERE caller = '{owner.node_id}' AND task_id = '{key[0]}' AND attempt = {key[1]}",
        )
        if stage == "lost":
            assert not kept or kept[0][0] == "fenced", (key, kept)
        elif kept:
            assert kept == [("ended", terminal)], (key, terminal, kept)
        else:
            assert '"kind":"refused"' in str(terminal), (key, terminal)
    for node in world.nodes.values():
        for task_id, attempt in rows(
            node, f"SELECT task_id, attempt FROM executions WHERE caller = '{owner.node_id}'"
        ):
            assert (task_id, attempt) in attempts, (task_id, attempt, "nobody's attempt")
    check_outcomes(owner)


def check_outcomes(owner: Node) -> None:
    """Assert that every task ended as one of its attempts did, if it says that it succeeded."""
    for task_id, output in rows(
        owner, "SELECT task_id, output FROM tasks WHERE state = 'succeeded'"
    ):
        terminals = rows(
            owner, f"SELECT terminal FROM attempts WHERE task_id = '{task_id}' AND stage = 'ended'"
        )
        assert any('"kind":"result"' in str(terminal) for (terminal,) in terminals), task_id
        assert output


async def build(world: World) -> tuple[Node, Node]:
    """Return an owner and an executor; a third node offers what the executor does."""
    owner = await world.add("a", here=SkillOnNode(2.0))
    both = {"once": SkillOnNode(2.0), "twice": SkillOnNode(2.0, idempotent=True)}
    executor = await world.add("b", **both)
    await world.add("c", **both)
    return owner, executor


OWNER_POINTS = [point for point in Point if point.value.startswith("owner.")]


@pytest.mark.parametrize("back_after_s", [1.0, 30.0])
@pytest.mark.parametrize("victim", ["owner", "executor"])
@pytest.mark.parametrize("point", list(Point))
@pytest.mark.parametrize("skill", ["once", "twice", "here"])
def test_a_death_at_any_point_loses_and_doubles_nothing(
    fast_folder: Path, skill: str, point: Point, victim: str, back_after_s: float
) -> None:
    states: Counter[str] = Counter()
    died: list[Node] = []

    async def scenario(world: World) -> None:
        owner, _ = await build(world)
        over = trio.Event()

        def kill(node: Node, reached: Point) -> None:
            if reached is not point or died:
                return
            target = owner if victim == "owner" else node
            if victim == "executor" and point in OWNER_POINTS:
                kept = rows(owner, "SELECT node_id FROM attempts")
                target = world.nodes[str(kept[0][0])] if kept else world.nodes["b"]
            died.append(target)
            over.set()
            target.die()

        world.on_reached = kill
        await submit_from(owner, skill, 1)
        with trio.fail_after(30.0):
            await over.wait()
        await trio.sleep(back_after_s)
        await settle(world)
        states.update(check(world))

    simulate(fast_folder, 1, scenario)

    assert sum(states.values()) == 1


@pytest.mark.parametrize("block", range(SEED_BLOCKS))
def test_random_deaths_losses_and_partitions_lose_and_double_nothing(
    fast_folder: Path, block: int
) -> None:
    states: Counter[str] = Counter()
    for seed in range(block * SEEDS_PER_TEST, (block + 1) * SEEDS_PER_TEST):
        print(f"seed {seed}")
        folder = fast_folder / str(seed)
        folder.mkdir()

        async def scenario(world: World, seed: int = seed) -> None:
            await disturb(world, random.Random(seed))
            await settle(world)
            states.update(check(world))

        simulate(folder, seed, scenario)

    assert states["succeeded"] > SEEDS_PER_TEST, states


async def disturb(world: World, rng: random.Random) -> None:
    """Submit tasks while nodes die at random points and times, and links break."""
    await build(world)
    nodes = list(world.nodes.values())
    chance = rng.choice([0.0, 0.02, 0.1])

    def maybe_kill(node: Node, point: Point) -> None:
        if rng.random() < chance:
            rng.choice([node, rng.choice(nodes)]).die()

    world.on_reached = maybe_kill
    world.loss = rng.choice([0.0, 0.05, 0.2])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bring_back, world, rng, nursery.cancel_scope)
        nursery.start_soon(break_links, world, rng)
        for number in range(8):
            owner = rng.choice(nodes)
            skill = rng.choice(["once", "twice", "twice", "here"])
            await submit_from(owner, skill, number, deadline_s=rng.choice([3.0, 20.0, 60.0]))
            await trio.sleep(rng.uniform(0.0, 3.0))
            if rng.random() < 0.2:
                await cancel_something(rng.choice(nodes))
        await trio.sleep(rng.uniform(0.0, 20.0))
        nursery.cancel_scope.cancel()


async def bring_back(world: World, rng: random.Random, scope: trio.CancelScope) -> None:
    while True:
        await trio.sleep(rng.uniform(0.2, 8.0))
        for node in world.nodes.values():
            if not node.is_up and rng.random() < 0.7:
                await world.start(node)
            elif node.is_up and rng.random() < 0.05:
                node.die()
            elif node.is_up and rng.random() < 0.05:
                await node.stop()


async def break_links(world: World, rng: random.Random) -> None:
    names = sorted(world.nodes)
    while True:
        await trio.sleep(rng.uniform(1.0, 10.0))
        world.cut = {
            frozenset((one, other))
            for one in names
            for other in names
            if one < other and rng.random() < 0.2
        }
        world.note_change()


async def cancel_something(node: Node) -> None:
    """Cancel the newest task of a node, in its process."""

    async def client() -> None:
        newest = await node.owner.list_tasks(limit=1)
        if newest:
            await node.owner.cancel(newest[0].task_id)

    if node.is_up:
        node.spawn(client)


def test_the_check_notices_an_end_that_changes(fast_folder: Path) -> None:
    async def scenario(world: World) -> None:
        owner, _ = await build(world)
        await submit_from(owner, "here", 1)
        await trio.sleep(10.0)
        assert owner.ledger is not None
        owner.ledger._connection.execute("DROP TRIGGER a_task_ends_once")
        with pytest.raises(AssertionError):
            await owner.ledger.write(lambda c: c.execute("UPDATE tasks SET output = '1'"))

    simulate(fast_folder, 1, scenario)


def test_a_killed_node_reaches_neither_disk_nor_network(fast_folder: Path) -> None:
    async def scenario(world: World) -> None:
        owner, executor = await build(world)
        ledger = executor.ledger
        executor.die()
        await trio.lowlevel.checkpoint()
        assert ledger is not None
        with pytest.raises(Killed):
            await ledger.write(lambda c: None)
        await submit_from(owner, "once", 1)
        await trio.sleep(20.0)

        assert executor.runs.total() == 0
        await settle(world)

    simulate(fast_folder, 1, scenario)
