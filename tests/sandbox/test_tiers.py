"""Which tier a run gets: what is accepted, what is tried, and what is refused with the reason.

Where it matters that something is really not there, the program runs under the refusals of a
container: see `no_namespaces`. A tier is never chosen by a variable of the environment.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bare_lab import BareLab, open_bare_lab
from skill_files import make_skill
from skilllite_sandbox.backend.bare import Bare
from skilllite_sandbox.backend.base import Started
from skilllite_sandbox.backend.run_user import RUN_IDS, take_run_user
from skilllite_sandbox.backend.scratch import remove_tree
from skilllite_sandbox.bare_plan import lacks_of, make_bare_plan
from skilllite_sandbox.bare_self_test import try_attackers
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import PolicyDenied, SandboxUnavailable
from skilllite_sandbox.execution import Execution
from skilllite_sandbox.host import Host, read_host
from skilllite_sandbox.plan import Plan
from skilllite_sandbox.policy import (
    TIERS,
    WEAKEST_TIER,
    Grants,
    Level,
    Origin,
    Policy,
    Tier,
    stronger,
)
from skilllite_sandbox.run_arguments import OTHER_SYSTEMS
from skilllite_sandbox.run_arguments import TIERS as NAMES
from skilllite_sandbox.sandbox import Sandbox

PYTHON = EntryPoint("scripts/main.py", Language.PYTHON, "test")
BASH = EntryPoint("scripts/main.sh", Language.BASH, "test")
LOCAL = Policy(Level.ISOLATED, accept_tier=Tier.LANDLOCK)
REMOTE = Policy(Level.FULL, origin=Origin.REMOTE, accept_tier=Tier.LANDLOCK)
RUN_S = 60.0
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="tier root-chroot needs root")


def user() -> Host:
    """Return this host as a plain user sees it."""
    return replace(read_host(), is_root=False)


def root() -> Host:
    """Return this host as root sees it."""
    return replace(read_host(), is_root=True)


# What is accepted


def test_nobody_gets_landlock_without_having_accepted_it() -> None:
    assert Policy().tiers == (Tier.FULL, Tier.BWRAP, Tier.ROOT_CHROOT)
    assert LOCAL.tiers == TIERS
    assert Policy(accept_tier=Tier.FULL).tiers == (Tier.FULL,)


@pytest.mark.parametrize("accepted", TIERS)
def test_a_task_of_a_peer_never_gets_landlock_and_never_less_than_was_accepted(
    accepted: Tier,
) -> None:
    tiers = Policy(Level.FULL, origin=Origin.REMOTE, accept_tier=accepted).tiers

    assert Tier.LANDLOCK not in tiers
    assert tiers[-1] is stronger(accepted, WEAKEST_TIER)


def test_the_arguments_name_what_exists() -> None:
    from skilllite_sandbox.other_systems import SYSTEMS

    assert tuple(Tier(name) for name in NAMES) == TIERS
    assert OTHER_SYSTEMS == SYSTEMS


@pytest.mark.parametrize(
    ("tier", "policy", "host", "entry", "error"),
    [
        (Tier.LANDLOCK, Policy(Level.ISOLATED), user, PYTHON, PolicyDenied),
        (Tier.LANDLOCK, REMOTE, user, PYTHON, PolicyDenied),
        (Tier.LANDLOCK, LOCAL, root, PYTHON, SandboxUnavailable),
        (Tier.LANDLOCK, LOCAL, user, BASH, SandboxUnavailable),
        (Tier.ROOT_CHROOT, LOCAL, user, PYTHON, SandboxUnavailable),
        (Tier.ROOT_CHROOT, replace(LOCAL, level=Level.DIRECT), root, PYTHON, PolicyDenied),
        (
            *(Tier.ROOT_CHROOT, replace(LOCAL, grants=Grants(network=("a.example",)))),
            *(root, PYTHON, SandboxUnavailable),
        ),
        (
            *(Tier.LANDLOCK, replace(LOCAL, grants=Grants(exec=("git",)))),
            *(user, PYTHON, SandboxUnavailable),
        ),
    ],
    ids=[
        *("not accepted", "of a peer", "by root", "bash", "chroot by a user", "level 1"),
        *("with network", "with programs"),
    ],
)
def test_what_a_tier_must_not_run_is_refused_with_what_to_do(
    tier: Tier, policy: Policy, host: Any, entry: EntryPoint, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        make_bare_plan(tier, policy, host(), entry, "/stage/skill")

    assert type(caught.value) is error
    assert tier.value in str(caught.value) or "level 1" in str(caught.value)


def test_plans_say_what_they_hold_and_what_not() -> None:
    chroot = make_bare_plan(Tier.ROOT_CHROOT, LOCAL, root(), BASH, "/stage/skill")
    landlock = make_bare_plan(Tier.LANDLOCK, LOCAL, user(), PYTHON, "/stage/skill")

    assert set(lacks_of(Tier.ROOT_CHROOT)) <= set(chroot.not_enforced)
    assert set(lacks_of(Tier.LANDLOCK)) <= set(landlock.not_enforced)
    assert {"hidden-file-names", "own-user"} <= set(landlock.not_enforced) - set(
        chroot.not_enforced
    )
    for plan in (chroot, landlock):
        assert not set(plan.enforced) & set(plan.not_enforced)
        said = plan.to_json()
        assert "socket" in said["syscalls"]["refused"]
        assert said["tier"] == plan.tier.value
        assert f"landlock read {plan.script.rpartition('/scripts')[0]}" in plan.describe()


# What is tried


class Leaky(Bare):
    """Lets every run read all files, and so has to be found out."""

    def start(self, plan: Plan, input_bytes: bytes) -> Started:
        """Start it with one rule too many."""
        assert plan.bare is not None
        rules = (*plan.bare.rules, ("/", "read"))
        return super().start(replace(plan, bare=replace(plan.bare, rules=rules)), input_bytes)


@needs_root
def test_a_tier_in_which_an_attacker_gets_anywhere_runs_nothing(tmp_path: Path) -> None:
    host = read_host()
    bare = Leaky(host, str(tmp_path), lambda this, plan: try_attackers(host, this, plan))
    plan = make_bare_plan(Tier.ROOT_CHROOT, LOCAL, host, PYTHON, str(tmp_path))

    for _ in range(2):
        with pytest.raises(SandboxUnavailable, match="doesn't hold a hostile skill") as caught:
            bare.launch(plan, b"")

    assert "list the root" in str(caught.value.cause)


@needs_root
def test_a_host_without_zygote_and_bubblewrap_gives_root_a_root_of_its_own(
    tmp_path: Path,
) -> None:
    host = replace(read_host(), bwrap=None)
    skill = make_skill(tmp_path, "test", files={"scripts/main.py": "print(1)"})

    with Sandbox(Level.ISOLATED, host=host, tier=Tier.ROOT_CHROOT) as sandbox:
        outcome = sandbox.run(skill, {})

    assert (outcome.output, outcome.tier) == (1, Tier.ROOT_CHROOT)


@needs_root
@pytest.mark.parametrize("language", [Language.PYTHON, Language.NODE])
def test_packages_are_found_in_a_root_of_its_own(tmp_path: Path, language: Language) -> None:
    host = read_host()
    packages = tmp_path / "packages"
    (packages / "given").mkdir(parents=True)
    (packages / "given" / "__init__.py").write_text("VALUE = 7", encoding="utf-8")
    (packages / "given" / "index.js").write_text("exports.VALUE = 7", encoding="utf-8")
    scripts = {
        Language.PYTHON: ("scripts/main.py", "import given\nprint(given.VALUE)"),
        Language.NODE: ("scripts/main.js", "console.log(require('given').VALUE)"),
    }
    path, script = scripts[language]
    skill = make_skill(tmp_path, "test", files={path: script})
    entry = EntryPoint(path, language, "test")
    plan = make_bare_plan(Tier.ROOT_CHROOT, LOCAL, host, entry, str(skill), packages=str(packages))

    started = Bare(host, str(tmp_path), None).launch(plan, b"{}")
    outcome = Execution(plan, started, b"{}").wait()

    assert outcome.output == 7, outcome


@needs_root
def test_users_of_runs_are_nobody_elses() -> None:
    taken = [take_run_user() for _ in range(3)]

    users = {user for user, _ in taken}
    assert len(users) == 3 and users <= set(RUN_IDS)
    for _, holder in taken:
        holder.close()


def test_what_a_run_left_is_removed_however_deep_and_closed(tmp_path: Path) -> None:
    place = tmp_path / "scratch"
    place.mkdir()
    here = os.open(place, os.O_RDONLY)
    for _ in range(1500):  # deeper than a path and than recursion
        os.mkdir("d" * 50, 0o700, dir_fd=here)
        below = os.open("d" * 50, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, 0o000, dir_fd=here))
    os.close(here)
    (place / "closed").mkdir(0o000)
    (place / "link").symlink_to(tmp_path)

    remove_tree(str(place))

    assert list(tmp_path.iterdir()) == []


# The program, where there are no namespaces


@pytest.fixture(scope="module")
def root_host() -> Iterator[BareLab]:
    """A host that forbids namespaces, as root meets it."""
    with open_bare_lab("root-chroot") as lab:
        yield lab


@pytest.fixture(scope="module")
def user_host() -> Iterator[BareLab]:
    """A host that forbids namespaces, as a plain user meets it."""
    with open_bare_lab("landlock") as lab:
        yield lab


def sandbox_run(
    lab: BareLab, *options: str, language: str = "python", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `skilllite-sandbox run` where no namespaces can be made."""
    script = {"python": "print(1)", "bash": "echo 1"}[language]
    skill = lab.lab.skill(language, script)
    python, settings = lab.command(
        str(lab.lab.root / "no_namespaces.py"),
        *(
            lab.python,
            "-m",
            "skilllite_sandbox.cli",
            "run",
            str(skill),
            "{}",
            "--sandbox-level",
            "2",
            *options,
        ),
    )
    return subprocess.run(
        python,
        env=settings | environment,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        cwd=lab.lab.root,
        check=False,
    )


def test_without_namespaces_root_gets_the_next_tier_and_is_told(root_host: BareLab) -> None:
    done = sandbox_run(root_host)

    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    assert "note: tier root-chroot, which doesn't hold: namespaces" in done.stderr


def test_without_namespaces_a_user_is_refused_and_told_what_there_is(user_host: BareLab) -> None:
    done = sandbox_run(user_host)

    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "error: " in done.stderr and "cause: " in done.stderr
    assert "--accept-tier landlock" in done.stderr


def test_who_accepts_landlock_gets_it_for_python_alone(user_host: BareLab) -> None:
    done = sandbox_run(user_host, "--accept-tier", "landlock", "--json")
    bash = sandbox_run(user_host, "--accept-tier", "landlock", language="bash")

    outcome = json.loads(done.stdout)
    assert (outcome["output"], outcome["tier"]) == (1, "landlock")
    assert {"hidden-file-names", "hidden-processes"} <= set(outcome["not_enforced"])
    assert (bash.returncode, bash.stdout) == (3, ""), bash.stderr


def test_no_variable_of_the_environment_accepts_a_tier(user_host: BareLab) -> None:
    done = sandbox_run(
        user_host,
        SKILLLITE_SANDBOX_ACCEPT_TIER="landlock",
        SKILLLITE_ACCEPT_TIER="landlock",
        SKILLLITE_TIER="none",
    )

    assert (done.returncode, done.stdout) == (3, ""), done.stderr


def test_who_accepts_only_the_best_tier_gets_nothing_less(root_host: BareLab) -> None:
    done = sandbox_run(root_host, "--accept-tier", "full")

    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "zygote" in done.stderr


def test_bash_runs_in_a_root_of_its_own(root_host: BareLab) -> None:
    done = sandbox_run(root_host, "--json", language="bash")

    assert json.loads(done.stdout)["tier"] == "root-chroot", done.stderr


def test_the_plan_that_is_shown_is_of_the_tier_that_it_would_get(root_host: BareLab) -> None:
    done = sandbox_run(root_host, "--explain", "--json")

    plan = json.loads(done.stdout)
    assert plan["tier"] == "root-chroot", done.stderr
    assert ["/tmp", "scratch"] in plan["landlock_rules"]


def doctor(lab: BareLab) -> tuple[dict[str, Any], int]:
    """Return what `skilllite-sandbox doctor` says where no namespaces can be made."""
    command, environment = lab.command(
        str(lab.lab.root / "no_namespaces.py"),
        *(lab.python, "-m", "skilllite_sandbox.cli", "doctor", "--json"),
    )
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    return json.loads(done.stdout), done.returncode


def test_the_doctor_names_the_tier_of_root_and_what_it_does_not_hold(root_host: BareLab) -> None:
    said, status = doctor(root_host)

    checks = {check["name"]: check for check in said["checks"]}
    assert (said["tier"], status) == ("root-chroot", 0), said
    assert "scratch-size" in checks["not-held"]["detail"]
    assert not checks["not-held"]["required"]


def test_the_doctor_refuses_a_user_and_says_what_could_be_accepted(user_host: BareLab) -> None:
    said, status = doctor(user_host)

    checks = {check["name"]: check for check in said["checks"]}
    assert (said["tier"], status) == ("none", 1), said
    assert checks["tier-landlock"]["ok"], said
    assert "hidden-file-names" in checks["tier-landlock"]["detail"]
