"""SkillLite's own contenders: the sandbox as a library, a node, and the whole command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmark.speed.contender import (
    BARE,
    Contender,
    Kind,
    RunFailed,
    host_environment,
    run_process,
)
from benchmark.speed.workload import REQUEST, is_right
from skilllite.control.client import ControlClient
from skilllite.errors import SkillLiteError
from skilllite.home import Home
from skilllite.version import VERSION
from skilllite_sandbox.errors import SandboxError
from skilllite_sandbox.outcome import Outcome
from skilllite_sandbox.policy import Level
from skilllite_sandbox.sandbox import Sandbox

NODE_SOCKET = "SkillLite node, its local socket"
RUN_WITH_NODE = "skilllite run, with a node"
RUN_ALONE = "skilllite run, no node"
IN_BUBBLEWRAP = "SkillLite level 2, tier bwrap"
FIRST_RUN = "SkillLite level 2, first run of a launcher"


def warm_name(level: int) -> str:
    """Return the name of runs from the warm pool; level 1 has none."""
    if level == Level.DIRECT:
        return "SkillLite level 1, no isolation"
    return f"SkillLite level {level}, warm pool"


def on_demand_name(level: int) -> str:
    """Return the name of runs that have their worker forked for them."""
    return f"SkillLite level {level}, on demand"


WARM = warm_name(2)
ON_DEMAND = on_demand_name(2)


def in_process(
    sandbox: Sandbox, skill: Path, *, name: str, how: str, baseline: str = BARE
) -> Contender:
    """Return runs by the library, in one sandbox that stays open."""
    tiers: set[str] = set()

    def run() -> str:
        return printed_by(lambda: sandbox.run(skill, REQUEST), tiers)

    return Contender(name, Kind.OURS, how, run, is_right, baseline=baseline, tiers=tiers)


def printed_by(call: Callable[[], Outcome], tiers: set[str]) -> str:
    """Return what a run printed, and note in which tier it was.

    Raises:
        RunFailed: it was refused, or did not end well.
    """
    try:
        outcome = call()
    except SandboxError as error:
        raise RunFailed(str(error)) from error
    tiers.add(outcome.tier.value)
    if not outcome.ok:
        raise RunFailed(f"{outcome.reason.value}: {outcome.message}")
    return outcome.text


def first_run(skill: Path) -> Contender:
    """Return runs in a sandbox of their own: each starts the launcher and the zygote."""
    opened = ExitStack()
    tiers: set[str] = set()

    def run() -> str:
        sandbox = opened.enter_context(Sandbox(Level.ISOLATED))
        return printed_by(lambda: sandbox.run(skill, REQUEST), tiers)

    return Contender(
        name=FIRST_RUN,
        kind=Kind.OURS,
        how="with Sandbox(2) as sandbox: sandbox.run(...), a new one each time, in a live process",
        run=run,
        accepts=is_right,
        after=opened.close,
        tiers=tiers,
    )


def node_socket(home: Path, skill: Path) -> Contender:
    """Return runs by a running node, asked over its socket by a client that is there already."""
    request: dict[str, object] = {
        "version": VERSION,
        "skill": str(skill),
        "directory": str(skill),
        "script": None,
        "input_json": REQUEST,
        "level": int(Level.ISOLATED),
        "timeout_s": None,
        "memory_mb": None,
        "network": [],
        "log": False,
    }
    place = Home.locate({"SKILLLITE_HOME": str(home)})
    tiers: set[str] = set()

    def run() -> str:
        try:
            with ControlClient(place) as client:
                facts = client.call("run", request)["outcome"]
        except SkillLiteError as error:
            raise RunFailed(str(error)) from error
        tiers.add(facts["tier"])
        if facts["reason"] != "ok":
            raise RunFailed(f"{facts['reason']}: {facts['message']}")
        return str(facts["text"])

    return Contender(
        NODE_SOCKET,
        Kind.OURS,
        "connect, one `run` request, one answer; level 2",
        run,
        is_right,
        tiers=tiers,
    )


def whole_command(home: Path, skill: Path, *, name: str) -> Contender:
    """Return `skilllite run` as a whole process in this home."""
    argv = [*skilllite_command(), "run", str(skill), REQUEST, "--sandbox-level", "2"]
    environment = host_environment(SKILLLITE_HOME=str(home))
    return Contender(
        name,
        Kind.OURS,
        "skilllite run DIR JSON --sandbox-level 2, a process for each run",
        lambda: run_process(argv, "", environment=environment),
        is_right,
    )


def skilllite_command() -> list[str]:
    """Return how this installation's `skilllite` is started."""
    installed = Path(sys.executable).with_name("skilllite")
    if os.access(installed, os.X_OK):
        return [str(installed)]
    return [sys.executable, "-m", "skilllite"]
