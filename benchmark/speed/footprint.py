"""What running a skill takes of memory: at start, while it runs, and when nothing happens."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.run_and_submit import running_node
from benchmark.security.subjects.commands import CommandLine
from benchmark.speed import own, peers
from benchmark.speed.contender import Contender, RunFailed
from benchmark.speed.memory import (
    Process,
    Unreadable,
    WarmWorker,
    peak_while,
    pss_of,
    read_tree,
    warm_workers,
)
from benchmark.speed.workload import Workload
from skilllite_sandbox.host import Host
from skilllite_sandbox.policy import Level
from skilllite_sandbox.sandbox import Sandbox

RUNS_BEFORE = 4  # then the pool has the size for one caller
SETTLE_S = 0.5  # between two looks that have to see the same processes
REST_S_MAX = 10.0  # for workers to be ready and for what ended to be gone, on a busy machine
_ELSEWHERE = {"docker"}  # its containers are children of its engine, not of the command

START = "started, no worker yet"
RUNNING = "peak while a skill runs"
IDLE = "idle, after runs"


@dataclass(frozen=True, slots=True)
class Memory:
    """PSS of one tree of processes in one state."""

    name: str
    state: str
    pss_bytes: int | None
    processes: int | None
    """How many of them; None for a peak."""
    why_open: str = ""
    """Why there is no figure, when there is none."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """All that was looked at."""

    memory: tuple[Memory, ...]
    workers: tuple[WarmWorker, ...]
    why_no_workers: str


def measure_footprint(
    root: Path, workload: Workload, host: Host, found: Sequence[CommandLine]
) -> Footprint:
    """Look at each contender in turn; nothing else may be a child of this process meanwhile."""
    interpreter = peers.interpreter_of(host)
    slow = workload.slow.python
    rows = [
        _peak(peers.bare(interpreter, slow)),
        _peak(peers.bare(interpreter, slow, "-I", "-S", name=peers.LEAN)),
        *(_peak_of_peer(subject, workload) for subject in found),
        _peak(own.whole_command(root / "no-node", slow, name=own.RUN_ALONE)),
    ]
    rows += _on_demand(workload)
    pooled, workers, why = _pooled(workload)
    return Footprint((*rows, *pooled, *_node(root, workload)), tuple(workers), why)


def _peak_of_peer(subject: CommandLine, workload: Workload) -> Memory:
    contender = peers.peer(subject, workload.slow)
    if subject.name in _ELSEWHERE:
        return Memory(contender.name, RUNNING, None, None, "not among the command's descendants")
    return _peak(contender)


def _on_demand(workload: Workload) -> list[Memory]:
    with Sandbox(Level.ISOLATED, pool=False) as sandbox:
        run = own.in_process(sandbox, workload.calculator.python, name=own.ON_DEMAND, how="")
        # The zygote starts with the first run, and when that is over it is all there is.
        start = _still(own.ON_DEMAND, START, _children, run)
        slow = own.in_process(sandbox, workload.slow.python, name=own.ON_DEMAND, how="")
        return [start, _peak(slow)]


def _pooled(workload: Workload) -> tuple[list[Memory], list[WarmWorker], str]:
    with Sandbox(Level.ISOLATED) as sandbox:
        run = own.in_process(sandbox, workload.calculator.python, name=own.WARM, how="")
        idle = _still(own.WARM, IDLE, _children, *[run] * RUNS_BEFORE)
        try:
            workers = warm_workers(_at_rest(_children))
            why = "" if workers else f"no warm worker is there: tiers {sorted(run.tiers)}"
        except Unreadable as error:
            workers, why = [], str(error)
        slow = own.in_process(sandbox, workload.slow.python, name=own.WARM, how="")
        return [idle, _peak(slow)], workers, why


def _node(root: Path, workload: Workload) -> list[Memory]:
    home = root / "with-node"
    try:
        with running_node(home, "bench") as pid:
            contender = own.node_socket(home, workload.calculator.python)
            return [
                _still("SkillLite node", START, lambda: [pid]),
                _still("SkillLite node", IDLE, lambda: [pid], *[contender] * RUNS_BEFORE),
            ]
    except (SystemExit, OSError) as error:  # the first is its way to say that it did not start
        return [Memory("SkillLite node", START, None, None, str(error))]


def _still(name: str, state: str, roots: Callable[[], Iterable[int]], *before: Contender) -> Memory:
    """Look at a tree at rest, after these runs."""
    try:
        for contender in before:
            contender.run()
            time.sleep(SETTLE_S / RUNS_BEFORE)
        tree = _at_rest(roots)
    except (RunFailed, Unreadable) as error:
        return Memory(name, state, None, None, str(error))
    return Memory(name, state, pss_of(tree), len(tree))


def _at_rest(roots: Callable[[], Iterable[int]]) -> list[Process]:
    """Return the tree when it is that of a moment ago.

    Raises:
        Unreadable: it doesn't come to rest, or one of it can't be looked into.
    """
    before: set[int] = set()
    deadline_s = time.monotonic() + REST_S_MAX
    while time.monotonic() < deadline_s:
        tree = read_tree(roots())
        now = {process.pid for process in tree}
        if now and now == before:
            return tree
        before = now
        time.sleep(SETTLE_S)
    raise Unreadable("its processes keep coming and going")


def _peak(contender: Contender) -> Memory:
    """Look at all children of this process while the contender runs."""
    printed: list[str] = []
    try:
        peak = peak_while(lambda: printed.append(contender.run()), [os.getpid()], with_roots=False)
    except (RunFailed, Unreadable) as error:
        return Memory(contender.name, RUNNING, None, None, str(error))
    if not printed or not contender.accepts(printed[0]):
        return Memory(contender.name, RUNNING, None, None, "it gave a wrong answer")
    return Memory(contender.name, RUNNING, peak, None)


def _children() -> list[int]:
    tree = read_tree([os.getpid()], with_roots=False)
    return [process.pid for process in tree if process.parent == os.getpid()]
