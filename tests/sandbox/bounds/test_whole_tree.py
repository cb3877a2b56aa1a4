"""Skills that spread what they take over many processes, and how much of it they get.

Each is tried in both tiers, bounded by a control group and by looking. No process of them has more
than a bound of its own allows: only the sum is too much.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gates import lets_all_pass
from sandbox_runs import Runs
from skilllite_sandbox.bounds import group_keeper
from skilllite_sandbox.execution import Execution
from skilllite_sandbox.linux.cgroup_home import Home, find_home
from skilllite_sandbox.linux.tree import Tree, descendants
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.policy import MIB, Level, Tier
from skilllite_sandbox.sandbox import Sandbox

GONE_WITHIN_S = 0.2  # after the bound was crossed, in the design
SLACK_S = 0.8  # for a machine that does other things: this process, too, has to be scheduled
NO_LIMIT = 1 << 60
HOLD = (
    "awk -v size={size} "
    """'BEGIN {{ held = sprintf("%" size "s", "x"); while (1) print 1 > "/dev/null" }}'"""
)
"""A program that holds some bytes, and is busy."""


@pytest.fixture(scope="module", params=["group", "looking"])
def how(request: pytest.FixtureRequest) -> Iterator[str]:
    """Who counts: the kernel, where it lets us, or the host itself."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "looking":
            patch.setattr(group_keeper, "find_home", lambda: None)
        elif find_home() is None:
            pytest.skip("this host delegates no control group to this user")
        yield request.param


@pytest.fixture(scope="module", params=[Tier.FULL, Tier.BWRAP])
def sandbox(how: str, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(tier=request.param, gate=lets_all_pass()) as opened:
        yield opened


@pytest.fixture
def runs(sandbox: Sandbox, tmp_path: Path) -> Runs:
    return Runs(sandbox, tmp_path, Level.ISOLATED)


def groups() -> set[str]:
    home = find_home() or Home(None, None)
    places = {place.directory for place in (home.memory, home.cpu) if place is not None}
    own = f"skilllite-{os.getpid()}-*"  # other processes of this host may have some too
    return {str(path) for place in places for path in Path(place).glob(own)}


def no_groups() -> bool:
    """Return whether none is left, a moment after the run."""
    deadline = time.monotonic() + SLACK_S
    while groups() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not groups()


class Watched:
    """A run that is looked at from outside until it is over."""

    def __init__(self, execution: Execution) -> None:
        self.seen: set[int] = set()
        self.most_bytes = 0
        self._crossed_s: float | None = None
        self._root = execution.pid
        self._over = threading.Event()
        self._limit = execution.plan.limits.memory_bytes
        watcher = threading.Thread(target=self._watch)
        watcher.start()
        try:
            self.outcome: Outcome = execution.wait()
        finally:
            self._over.set()
            watcher.join()
        ended_s = time.monotonic()
        deadline = ended_s + GONE_WITHIN_S + SLACK_S
        while any(map(_lives, self.seen)) and time.monotonic() < deadline:
            time.sleep(0.005)
        self.gone_s = time.monotonic()
        self.survivors = set(filter(_lives, self.seen))

    @property
    def gone_after_s(self) -> float:
        """From the first look that found too much memory to the death of the last process."""
        return self.gone_s - self._crossed_s if self._crossed_s is not None else 0.0

    def _watch(self) -> None:
        tree = Tree(self._root, with_root=False)
        while not self._over.wait(0.01):
            self.seen.update(descendants(self._root))
            used = tree.look(NO_LIMIT).memory_bytes
            self.most_bytes = max(self.most_bytes, used)
            if used > self._limit and self._crossed_s is None:
                self._crossed_s = time.monotonic()
        tree.close()


def _lives(pid: int) -> bool:
    with suppress(OSError), open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rpartition(")")[2].split()[0] not in "ZX"
    return False


def _is_bounded(outcome: Outcome, how: str) -> bool:
    by = "supervision" if how == "looking" else "cgroup"
    return {"memory-of-the-tree", "cpu-of-the-tree"} <= {*outcome.enforced} and any(
        word.endswith(f"-by-{by}") for word in outcome.enforced
    )


def test_memory_spread_on_twenty_processes_is_bounded(runs: Runs, how: str) -> None:
    hold = HOLD.format(size=30 * MIB)
    watched = Watched(
        runs.start(
            f"for ((n = 0; n < 20; n++)); do {hold} & done; wait",
            language="bash",
            memory_bytes=128 * MIB,
            wall_s=30,
        )
    )

    assert watched.outcome.reason is Reason.MEMORY, watched.outcome
    assert watched.outcome.message == "memory limit of 128 MiB exceeded"
    assert watched.survivors == set()
    assert watched.gone_after_s < GONE_WITHIN_S + SLACK_S
    assert watched.most_bytes < 600 * MIB, "nearer to the bound than to what was asked for"
    assert _is_bounded(watched.outcome, how)
    assert no_groups()


def test_memory_within_the_bound_is_left_alone(runs: Runs) -> None:
    hold = HOLD.format(size=20 * MIB).replace("while (1)", "")
    outcome = runs.run(
        f"for ((n = 0; n < 4; n++)); do {hold} & done; wait; echo 1",
        language="bash",
        memory_bytes=160 * MIB,
    )

    assert outcome.output == 1, outcome
    assert no_groups()


def test_memory_that_forks_share_is_counted_once(runs: Runs) -> None:
    outcome = runs.run(
        f"printf -v held '%*s' {40 * MIB} ''\n"
        "for ((n = 0; n < 6; n++)); do (sleep 0.5; : ${#held}) & done; wait; echo 1",
        language="bash",
        memory_bytes=160 * MIB,
    )

    assert outcome.output == 1, outcome


def test_a_full_scratch_and_memory_are_bounded_side_by_side(runs: Runs) -> None:
    fill = f"head -c {30 * MIB} /dev/urandom > /tmp/full\n"
    hold = HOLD.format(size=25 * MIB)
    limits: dict[str, Any] = {"memory_bytes": 96 * MIB, "scratch_bytes": 32 * MIB}

    within = runs.run(fill + hold.replace("while (1)", "") + "; echo 1", language="bash", **limits)
    assert within.output == 1, within

    above = runs.run(
        fill + f"for ((n = 0; n < 12; n++)); do {hold} & done; wait", language="bash", **limits
    )
    assert above.reason is Reason.MEMORY, above


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(
            "while :; do (for ((n = 0; n < 2000; n++)); do :; done); done",
            id="children that are short",
        ),
        pytest.param(
            "next() { for ((n = 0; n < 2000; n++)); do :; done; next & }\nnext\nsleep 60",
            id="a chain of forks that die",
        ),
        pytest.param(
            "for ((n = 0; n < 8; n++)); do ( (while :; do :; done) & ) & done; sleep 60",
            id="orphans",
        ),
    ],
)
def test_time_spread_on_many_processes_is_bounded(runs: Runs, script: str, how: str) -> None:
    watched = Watched(runs.start(script, language="bash", cpu_s=2, wall_s=30))

    assert watched.outcome.reason is Reason.CPU, watched.outcome
    assert watched.outcome.message == "cpu limit of 2 s exceeded"
    assert watched.outcome.signal == signal.SIGKILL, "a process ran into a bound of its own"
    assert watched.survivors == set()
    assert _is_bounded(watched.outcome, how)
    assert no_groups()


def test_nine_busy_processes_are_gone_right_after_the_deadline(runs: Runs) -> None:
    watched = Watched(
        runs.start(
            'for ((n = 0; n < 8; n++)); do (trap "" TERM; while :; do :; done) & done\n'
            "while :; do :; done",
            language="bash",
            wall_s=1.5,
        )
    )

    assert watched.outcome.reason is Reason.TIMEOUT
    assert len(watched.seen) >= 9
    assert watched.survivors == set()
    assert watched.outcome.duration_ms < (1.5 + GONE_WITHIN_S + SLACK_S) * 1000
    assert no_groups()


def test_a_fork_bomb_ends_with_everything_it_made(runs: Runs) -> None:
    watched = Watched(
        runs.start("bomb() { bomb | bomb & }\nbomb\nsleep 60", language="bash", cpu_s=1, wall_s=4)
    )

    assert watched.outcome.reason in {Reason.CPU, Reason.TIMEOUT}
    assert watched.survivors == set()
    assert no_groups()


def test_a_cancelled_run_leaves_no_group(runs: Runs) -> None:
    execution = runs.start("while :; do :; done", language="bash")
    threading.Timer(0.2, execution.kill).start()

    assert execution.wait().reason is Reason.CANCELLED
    assert no_groups()


@pytest.mark.parametrize("language", ["python", "node"])
def test_a_run_of_one_process_is_bounded_by_its_own_limits(runs: Runs, language: str) -> None:
    script = {"python": "print(1)", "node": "console.log(1)"}[language]

    outcome = runs.run(script, language=language)

    assert outcome.output == 1
    assert {"memory-by-rlimit", "cpu-by-rlimit"} <= {*outcome.enforced}
