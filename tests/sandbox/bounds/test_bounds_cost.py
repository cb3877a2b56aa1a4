"""What the bounds on whole trees cost those who don't need them: nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox_lab import require
from skill_files import make_skill
from skilllite_sandbox.bounds.group_keeper import GroupKeeper, Groups
from skilllite_sandbox.bounds.tree_bounds import TreeBounds
from skilllite_sandbox.bounds.tree_clock import TreeClock
from skilllite_sandbox.policy import DEFAULT_LIMITS, Limits
from skilllite_sandbox.seccomp.filters import FORKING, MACHINES, Profile, carrier_rules

RUN_S = 60.0


@pytest.mark.parametrize(
    ("language", "needs"), [("python", False), ("node", False), ("bash", True)]
)
def test_a_run_of_one_process_loads_and_asks_nothing(
    tmp_path: Path, language: str, needs: bool
) -> None:
    require(language)
    entry, script = {
        "python": ("scripts/main.py", "print(1)"),
        "node": ("scripts/main.js", "console.log(1)"),
        "bash": ("scripts/main.sh", "echo 1"),
    }[language]
    skill = make_skill(tmp_path, files={entry: script})
    host = (
        "import sys\nsys.path[:0] = sys.argv[2:]\n"
        "from skilllite_sandbox.sandbox import Sandbox\n"
        "with Sandbox(2) as sandbox:\n"
        "    for _ in range(3): assert sandbox.run(sys.argv[1], {}).output == 1\n"
        "print(*[name for name in sys.modules if name.startswith('skilllite_sandbox.')])\n"
    )
    command = [sys.executable, "-c", host, str(skill), *sys.path]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=RUN_S, check=True)
    loaded = done.stdout.decode().split()

    found = [name for name in loaded if name.split(".")[1] in ("bounds", "linux")]

    assert "skilllite_sandbox.execution" in loaded
    assert bool(found) is needs, found


def test_a_profile_without_a_bound_on_its_tree_makes_no_second_process() -> None:
    for machine in MACHINES:
        clones = {
            profile: carrier_rules(profile, machine)["clone"]
            for profile in Profile
            if profile not in FORKING
        }
        assert len(clones) == len(Profile) - len(FORKING)
        for profile, clone in clones.items():
            assert clone == carrier_rules(Profile.PYTHON, machine)["clone"], profile
            assert not {"fork", "vfork"} & carrier_rules(profile, machine).keys()


class CountingGroups(Groups):
    """Notes who asks for a group, and gives none."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def keep(self, root: int, limits: Limits) -> GroupKeeper | None:
        self.asked.append(root)
        return None


def test_only_a_run_that_lasts_gets_a_group_and_only_one() -> None:
    groups = CountingGroups()
    bounds = TreeBounds(replace(DEFAULT_LIMITS, cpu_s=10_000), groups)
    bounds.attach(os.getpid())

    assert bounds.check() is None
    assert groups.asked == []

    bounds._clock = TreeClock(DEFAULT_LIMITS, 1, -1.0)
    bounds._clock.due_s = 0.0
    bounds.check()
    bounds._clock.due_s = 0.0
    bounds.check()
    bounds.close()

    assert groups.asked == [os.getpid()]
