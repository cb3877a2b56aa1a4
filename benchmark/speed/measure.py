"""Does one benchmark: opens what is compared, measures it, and returns the figures."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark.machine import describe_machine
from benchmark.run_and_submit import running_node
from benchmark.security.subjects.commands import CommandLine
from benchmark.speed import own, peers
from benchmark.speed.clock import (
    SLOT_S,
    SLOTS,
    Latency,
    Progress,
    measure_throughput,
    time_latencies,
)
from benchmark.speed.contender import Contender
from benchmark.speed.footprint import Memory, measure_footprint
from benchmark.speed.size import Size, installed_sizes
from benchmark.speed.targets import NUMPY_BARE, NUMPY_WARM, Figures, Target, judge_targets
from benchmark.speed.workload import REQUEST, write_workload
from skilllite_sandbox.environment.store import open_environments
from skilllite_sandbox.errors import SandboxError
from skilllite_sandbox.host import read_host
from skilllite_sandbox.policy import Level, Policy, Tier
from skilllite_sandbox.sandbox import Job, Sandbox, entry_of

_REAL_TIME = {os.SCHED_FIFO, os.SCHED_RR}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be measured."""

    iterations: int
    callers: tuple[int, ...]
    compare_levels: bool = False
    compare_ipc: bool = False
    cold_iterations: int = 0
    """Zero without cold starts."""
    with_peers: bool = True
    with_numpy: bool = True
    slots: int = SLOTS
    """Of a throughput."""
    slot_s: float = SLOT_S


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was measured."""

    machine: dict[str, Any]
    load_after: tuple[float, float, float]
    wish: Wish
    figures: Figures
    targets: tuple[Target, ...]
    memory: tuple[Memory, ...]
    sizes: tuple[Size, ...]
    absent: tuple[peers.Absent, ...]


class _Setting:
    """What is open while things are measured."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self.host = read_host()
        self.interpreter = peers.interpreter_of(self.host)
        self.root = root
        self.workload = write_workload(root / "skills")
        self.not_measured: dict[str, str] = {}
        self._stack = stack

    def sandbox(self, level: Level = Level.ISOLATED, **more: Any) -> Sandbox:
        """Return a sandbox that is closed at the end."""
        return self._stack.enter_context(Sandbox(level, **more))

    @cached_property
    def node_home(self) -> Path:
        """The home of a node that runs until the end."""
        home = self.root / "with-node"
        self._stack.enter_context(running_node(home, "bench"))
        return home

    def keep_working(self, contenders: Sequence[Contender]) -> list[Contender]:
        """Return those that give the right answer once; note why the others are left out."""
        kept = []
        for contender in contenders:
            if why := peers.try_out(contender):
                self.not_measured[contender.name] = why
            else:
                kept.append(contender)
        return kept


@contextmanager
def _setting() -> Iterator[_Setting]:
    with tempfile.TemporaryDirectory(prefix="skilllite-bench-") as directory, ExitStack() as stack:
        root = Path(directory)
        root.chmod(0o755)  # other sandboxes may run as another user
        yield _Setting(root, stack)


def measure(wish: Wish, progress: Progress) -> Findings:
    """Measure on this machine."""
    refuse_real_time()
    machine = {**describe_machine(), "scheduling": "normal", "niceness": os.nice(0)}
    with _setting() as setting:
        if wish.compare_ipc or wish.cold_iterations:
            progress(f"started a node in {setting.node_home}")  # now: later it would lose figures
        found, absent = _peers(wish, setting, progress)
        compared = _compared(setting, found)
        contenders = [*compared, *_levels(wish, setting), *_ways_to_a_worker(wish, setting)]
        contenders += _numpy(wish, setting, progress)
        latencies = time_latencies(contenders, rounds=wish.iterations, progress=progress)
        throughputs = measure_throughput(
            compared,
            callers=wish.callers,
            slots=wish.slots,
            slot_s=wish.slot_s,
            progress=progress,
        )
        cold = _cold(wish, setting, progress)
        not_measured = setting.not_measured
    progress("memory")
    with _setting() as setting:
        footprint = measure_footprint(setting.root, setting.workload, setting.host, found)
    figures = Figures(
        latencies=tuple(latencies),
        commands=tuple(cold),
        throughputs=tuple(throughputs),
        workers=footprint.workers,
        not_measured={**not_measured, "workers": footprint.why_no_workers},
    )
    isolated = (2, 3) if wish.compare_levels else (2,)
    return Findings(
        machine=machine,
        load_after=os.getloadavg(),
        wish=wish,
        figures=figures,
        targets=tuple(judge_targets(figures, levels=isolated)),
        memory=footprint.memory,
        sizes=tuple(installed_sizes(setting.host, [subject.name for subject in found])),
        absent=tuple(absent),
    )


def refuse_real_time() -> None:
    """End when this process would hand real-time scheduling on to what it measures."""
    if os.sched_getscheduler(0) in _REAL_TIME:
        raise SystemExit(
            "under real-time scheduling these figures would mislead: start it normally"
        )


def _peers(
    wish: Wish, setting: _Setting, progress: Progress
) -> tuple[list[CommandLine], list[peers.Absent]]:
    if not wish.with_peers:
        return [], []
    progress("trying out other sandboxes")
    return peers.find_peers(setting.host, setting.workload)


def _compared(setting: _Setting, found: Sequence[CommandLine]) -> list[Contender]:
    """Return what is compared in any case, the baseline first."""
    skill = setting.workload.calculator.python
    bare = peers.bare(setting.interpreter, skill)
    if why := peers.try_out(bare):
        raise SystemExit(f"bare Python itself {why}")
    ours = [_warm(setting, Level.ISOLATED), _on_demand(setting, Level.ISOLATED)]
    if setting.host.bwrap is not None:
        ours.append(
            own.in_process(
                setting.sandbox(tier=Tier.BWRAP),
                skill,
                name=own.IN_BUBBLEWRAP,
                how="Sandbox(2, tier=Tier.BWRAP).run(...)",
            )
        )
    return [
        bare,
        peers.bare(setting.interpreter, skill, "-I", "-S", name=peers.LEAN),
        *setting.keep_working(ours),
        *(peers.peer(subject, setting.workload.calculator) for subject in found),
    ]


def _levels(wish: Wish, setting: _Setting) -> list[Contender]:
    """Return the levels that are not compared anyway."""
    if not wish.compare_levels:
        return []
    return setting.keep_working(
        [
            _warm(setting, Level.DIRECT),
            _warm(setting, Level.FULL),
            _on_demand(setting, Level.FULL),
        ]
    )


def _ways_to_a_worker(wish: Wish, setting: _Setting) -> list[Contender]:
    """Return how a job gets to a worker otherwise than by a call in this process."""
    return _commands(setting, with_socket=True) if wish.compare_ipc else []


def _cold(wish: Wish, setting: _Setting, progress: Progress) -> list[Latency]:
    """Time what starts anew for every run, with a baseline of the same rounds."""
    if not wish.cold_iterations:
        return []
    progress("cold starts")
    skill = setting.workload.calculator.python
    contenders = [
        peers.bare(setting.interpreter, skill),
        *_commands(setting, with_socket=False),
        *setting.keep_working([own.first_run(skill)]),
    ]
    return time_latencies(contenders, rounds=wish.cold_iterations, progress=progress)


def _commands(setting: _Setting, *, with_socket: bool) -> list[Contender]:
    """Return whole commands; those with a node only if the node takes runs.

    A command whose node doesn't take its run does it itself, and that would be timed as the node's.
    """
    skill = setting.workload.calculator.python
    alone = own.whole_command(setting.root / "no-node", skill, name=own.RUN_ALONE)
    socket = own.node_socket(setting.node_home, skill)
    by_node = own.whole_command(setting.node_home, skill, name=own.RUN_WITH_NODE)
    if why := peers.try_out(socket):
        setting.not_measured[own.NODE_SOCKET] = why
        setting.not_measured[own.RUN_WITH_NODE] = f"the node's socket {why}"
        return setting.keep_working([alone])
    return setting.keep_working([*([socket] if with_socket else []), by_node, alone])


def _warm(setting: _Setting, level: Level) -> Contender:
    return own.in_process(
        setting.sandbox(level),
        setting.workload.calculator.python,
        name=own.warm_name(level),
        how=f"Sandbox({int(level)}).run(...), one sandbox that stays open",
    )


def _on_demand(setting: _Setting, level: Level) -> Contender:
    return own.in_process(
        setting.sandbox(level, pool=False),
        setting.workload.calculator.python,
        name=own.on_demand_name(level),
        how=f"Sandbox({int(level)}, pool=False).run(...): a zygote, and a fork for each run",
    )


def _numpy(wish: Wish, setting: _Setting, progress: Progress) -> list[Contender]:
    """Return a skill with a package of the index, if that can be installed here."""
    if not wish.with_numpy:
        return []
    progress("installing numpy")
    skill = setting.workload.numpy
    environments = open_environments(setting.root / "environments", setting.host)
    sandbox = setting.sandbox(environments=environments)
    try:
        staged = sandbox.stage.put(skill)
        job = Job(staged, entry_of(staged), REQUEST.encode(), Policy(Level.ISOLATED))
        installed = sandbox.with_packages(job).environment
    except SandboxError as error:
        setting.not_measured[NUMPY_WARM] = f"numpy can't be installed: {error}"
        return []
    assert installed is not None, "the skill requires numpy"
    bare = peers.bare(setting.interpreter, skill, name=NUMPY_BARE, packages=installed.modules)
    warm = own.in_process(
        sandbox,
        skill,
        name=NUMPY_WARM,
        how="the same skill in its environment, Sandbox(2).run(...)",
        baseline=NUMPY_BARE,
    )
    kept = setting.keep_working([bare, warm])
    return kept if bare in kept else []
