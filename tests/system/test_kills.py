"""Nodes die by SIGKILL at every point of a task's life: no accepted task is lost or told twice.

Two real nodes; the owner has the tasks, the executor alone has the skill. In each round one of
them dies at a named point, or at a random moment, while a handful of tasks is under way; it starts
again, and in the end every accepted task has one outcome and both ledgers tell the same story.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from node_process import NodeProcess, eventually
from skilllite.tasks.failpoints import Point
from team import free_port, join_by_address, loopback_node, wait_until_alive, write_skill

TASKS_A_ROUND = 6
ROUNDS_A_POINT = 2
RANDOM_ROUNDS = 10  # 12 points x 2 rounds x 6 tasks + 10 x 6 = 204 submits
SETTLED_WITHIN_S = 60.0
ENDED = {"succeeded", "failed", "cancelled"}
LAUNCHER = str(Path(__file__).parents[1] / "support" / "node_that_dies.py")

SLOW_DOUBLE = """\
import json, sys, time
n = json.load(sys.stdin)["n"]
time.sleep(0.15)
json.dump({"double": 2 * n}, sys.stdout)
"""


@dataclass
class Pair:
    """The two nodes, and every task that the owner has accepted so far, with its input."""

    owner: NodeProcess
    executor: NodeProcess
    ports: dict[str, int]
    accepted: dict[str, int]

    def victim(self, point: Point) -> NodeProcess:
        """Return the node that reaches a point."""
        return self.owner if point.value.startswith("owner.") else self.executor


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    directory = tmp_path_factory.mktemp("kills")
    # Without multicast, nodes that both came back on other ports would never find each other.
    ports = {"owner": free_port(), "executor": free_port()}
    owner = loopback_node(directory / "owner", "owner", port=ports["owner"])
    executor = loopback_node(directory / "executor", "executor", port=ports["executor"])
    write_skill(executor.home / "skills", "slow-double", SLOW_DOUBLE)
    try:
        owner.start()
        join_by_address(executor.home, owner)
        executor.start()
        wait_until_alive(owner, "executor")
        yield Pair(owner, executor, ports, {})
    finally:
        executor.stop()
        owner.stop()


def dying(pair: Pair, node: NodeProcess, point: Point, nth: int) -> NodeProcess:
    """Return the same node, not started, as one that dies at a point."""
    return NodeProcess(
        node.home,
        name=node.name,
        args=(str(pair.ports[node.name]), point.value, str(nth)),
        program=(sys.executable, LAUNCHER),
    )


def submit(pair: Pair, node: NodeProcess, n: int) -> None:
    """Submit one task and note its id as soon as the owner has said that it is accepted."""
    done = node.cli(
        *("submit", "--skill", "slow-double", json.dumps({"n": n}), "--no-wait", "--json"),
        *("--wait", "--deadline", "50"),
    )
    if done.returncode == 0:
        pair.accepted[json.loads(done.stdout)["task_id"]] = n


def submit_round(pair: Pair, node: NodeProcess) -> None:
    """Submit a round of tasks at the same time; the owner may die meanwhile."""
    with ThreadPoolExecutor(TASKS_A_ROUND) as pool:
        for n in range(TASKS_A_ROUND):
            pool.submit(submit, pair, node, n)


def restart(node: NodeProcess) -> None:
    """Start the ordinary node of a home after its predecessor died."""
    node.start()


def rows(node: NodeProcess, query: str) -> list[tuple[Any, ...]]:
    """Read a node's ledger."""
    with sqlite3.connect(f"file:{node.home / 'ledger.sqlite3'}?mode=ro", uri=True) as ledger:
        found: list[tuple[Any, ...]] = ledger.execute(query).fetchall()
    ledger.close()
    return found


def assert_settled(pair: Pair) -> None:
    """Wait for the end of every task and compare the two ledgers."""

    def settled() -> bool:
        states = dict(rows(pair.owner, "SELECT task_id, state FROM tasks"))
        open_attempts = rows(
            pair.owner, "SELECT 1 FROM attempts WHERE stage NOT IN ('ended', 'lost')"
        )
        return set(states.values()) <= ENDED and not open_attempts

    eventually(settled, within_s=SETTLED_WITHIN_S, every_s=0.2)
    tasks = {
        str(task_id): (state, output)
        for task_id, state, output in rows(pair.owner, "SELECT task_id, state, output FROM tasks")
    }
    assert set(pair.accepted) <= set(tasks), "an accepted task was lost"
    for task_id, n in pair.accepted.items():
        state, output = tasks[task_id]
        assert state == "succeeded", (task_id, state)
        assert json.loads(str(output)) == {"double": 2 * n}
    assert_ledgers_agree(pair)


def assert_ledgers_agree(pair: Pair) -> None:
    """Every attempt that the owner saw end, ended the same way at the executor, and only once."""
    executions = {
        (task_id, attempt): (state, terminal)
        for task_id, attempt, state, terminal in rows(
            pair.executor, "SELECT task_id, attempt, state, terminal FROM executions"
        )
    }
    for task_id, attempt, stage, terminal in rows(
        pair.owner, "SELECT task_id, attempt, stage, terminal FROM attempts"
    ):
        executed = executions.get((task_id, attempt))
        if stage == "lost":
            assert executed is None or executed[0] != "running", (task_id, attempt, executed)
        else:
            assert executed is not None, (task_id, attempt, terminal)
            assert executed == ("ended", terminal)
    assert not [state for state, _ in executions.values() if state in ("accepted", "running")]


@pytest.mark.parametrize("nth", range(1, ROUNDS_A_POINT + 1))
@pytest.mark.parametrize("point", list(Point))
def test_a_death_at_a_named_point_loses_nothing(pair: Pair, point: Point, nth: int) -> None:
    ordinary = pair.victim(point)
    ordinary.stop()
    victim = dying(pair, ordinary, point, nth)
    try:
        victim.start()
        wait_until_alive(victim, "executor" if ordinary is pair.owner else "owner")
        submit_round(pair, victim if ordinary is pair.owner else pair.owner)
        status = victim.wait(timeout_s=30)
    finally:
        victim.kill()
    restart(ordinary)

    assert status == -9, f"{point} was not reached\n{victim.log}"
    assert_settled(pair)


@pytest.mark.parametrize("seed", range(RANDOM_ROUNDS))
def test_a_death_at_a_random_moment_loses_nothing(pair: Pair, seed: int) -> None:
    rng = random.Random(seed)
    victim = rng.choice((pair.owner, pair.executor))

    with ThreadPoolExecutor(1) as pool:
        submitting = pool.submit(submit_round, pair, pair.owner)
        time.sleep(rng.uniform(0.05, 1.5))
        victim.kill()
        restart(victim)
        submitting.result(timeout=60)

    assert_settled(pair)


def test_the_rounds_make_two_hundred_submits() -> None:
    rounds = ROUNDS_A_POINT * len(Point) + RANDOM_ROUNDS

    assert rounds * TASKS_A_ROUND >= 200


def test_the_submitter_gets_a_definite_outcome_when_the_executor_dies(pair: Pair) -> None:
    waiting = subprocess.Popen(
        [
            *(sys.executable, "-m", "skilllite", "submit", "--skill", "slow-double"),
            *('{"n": 4}', "--json", "--deadline", "20"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "SKILLLITE_HOME": str(pair.owner.home)},
    )
    time.sleep(0.3)
    pair.executor.kill()
    stdout, stderr = waiting.communicate(timeout=40)
    restart(pair.executor)

    record = json.loads(stdout)
    assert record["state"] in ("succeeded", "failed", "unknown"), stderr
    assert waiting.returncode == (0 if record["state"] == "succeeded" else 1)
    eventually(
        lambda: pair.owner.json("tasks", "show", record["task_id"], "--json")["state"] != "unknown",
        within_s=30.0,
    )
    assert_ledgers_agree(pair)
