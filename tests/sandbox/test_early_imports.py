"""What a warm worker imports before its job comes, and what that can do: no more than in a run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from package_index import PackageIndex, open_index
from skill_files import make_skill
from skilllite_sandbox import zygote_plan
from skilllite_sandbox.early_imports import MODULES, modules_of, variables_of
from skilllite_sandbox.environment.installed import Environment
from skilllite_sandbox.environment.lock import LockedPackage
from skilllite_sandbox.environment.requirements import Ecosystem
from skilllite_sandbox.environment.store import Environments
from skilllite_sandbox.host import find_program, read_host
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.policy import DEFAULT_LIMITS, Level, Tier
from skilllite_sandbox.probe import probe_host
from skilllite_sandbox.sandbox import Sandbox

WARM_S = 20.0  # until a worker has imported a module of some lines

IN_ZYGOTES = pytest.mark.skipif(
    probe_host().tier is not Tier.FULL or find_program("bwrap") is None,
    reason="needs tier full, and bubblewrap to install packages",
)

# Before its job a worker has no script, and so no file in `__main__` that is a skill's.
PROLOGUE = """
import sys
was_early = not str(getattr(sys.modules["__main__"], "__file__", "")).startswith("/skill")
uses = 0
"""
WORKING = {"numpy/random.py": "", "numpy/linalg.py": ""}
SCRIPT = """
import json, sys, numpy
numpy.uses += 1
print(json.dumps({"early": numpy.was_early, "uses": numpy.uses, **json.load(sys.stdin)}))
"""


def an_environment(ecosystem: Ecosystem, *names: str) -> Environment:
    packages = tuple(LockedPackage(name, "1.0") for name in names)
    return Environment("0" * 64, Path("/e"), ecosystem, packages, 1, 1, False, 0)


def test_only_packages_of_the_list_are_imported_early() -> None:
    found = an_environment(Ecosystem.PYTHON, "numpy", "numpy-stubs", "os", "pandas")

    assert modules_of(found) == MODULES["numpy"]
    assert variables_of(found) == (("OPENBLAS_NUM_THREADS", "1"),)
    assert modules_of(an_environment(Ecosystem.PYTHON, "pandas")) == ()


@pytest.mark.parametrize("none", [None, an_environment(Ecosystem.NODE, "numpy")])
def test_nothing_is_imported_early_where_python_has_no_packages(none: Environment | None) -> None:
    assert not modules_of(none)
    assert not variables_of(none)


class World:
    """A sandbox with a pool, whose index has a numpy of our own."""

    def __init__(self, index: PackageIndex, root: Path, sandbox: Sandbox) -> None:
        self.index = index
        self.root = root
        self.sandbox = sandbox

    def offer(self, code: str) -> None:
        """Put a numpy into the index that does this at its import."""
        files = {**WORKING, "numpy/__init__.py": PROLOGUE + code}
        self.index.add_wheel("numpy", "9.0", files)

    def skill(self, script: str = SCRIPT, name: str = "demo", **files: str) -> Path:
        extra = "compatibility: Requires Python 3.x with numpy library\n"
        return make_skill(self.root, name, extra=extra, files={"scripts/main.py": script, **files})

    def warm_workers(self) -> list[Any]:
        lines = self.sandbox._carriers._zygotes._lines.values()
        return [each for line in lines for warm in line._warm.values() for each in warm]

    def run_warm(self, skill: Path, **arguments: Any) -> Outcome:
        """Run a skill in a worker that had nothing left to do but to wait for it."""
        self.sandbox.run(skill, arguments)
        workers = self.warm_workers()
        assert workers
        deadline_s = time.monotonic() + WARM_S
        while not workers[0].is_warm():
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        return self.sandbox.run(skill, arguments)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_index() as index:
        environments: Environments = index.environments(tmp_path / "env")
        with Sandbox(Level.ISOLATED, tier=Tier.FULL, environments=environments) as sandbox:
            yield World(index, tmp_path, sandbox)


@IN_ZYGOTES
def test_a_warm_worker_has_imported_the_package_and_serves_one_run(world: World) -> None:
    world.offer("")
    skill = world.skill()

    first = world.sandbox.run(skill, {"n": 1})
    second = world.run_warm(skill, n=2)
    third = world.run_warm(skill, n=3)

    assert first.output == {"early": False, "uses": 1, "n": 1}, first
    assert second.output == {"early": True, "uses": 1, "n": 2}, second
    assert third.output == {"early": True, "uses": 1, "n": 3}, third


@IN_ZYGOTES
def test_a_worker_that_imported_early_is_not_given_to_another_skill(world: World) -> None:
    world.offer("")
    one, other = world.skill(name="one"), world.skill(name="other")
    assert world.run_warm(one).output == {"early": True, "uses": 1}

    outcome = world.sandbox.run(other, {})

    assert outcome.output == {"early": False, "uses": 1}, outcome


ATTACKS = """
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)

def attempt(action):
    try:
        return bool(action())
    except (OSError, RuntimeError, ValueError):
        return False

def text_of(path):
    with open(path) as file:
        return file.read()

def fork():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return True

mine = __file__.split("/")[2]
attempts = {
    "fork": attempt(fork),
    "a socket": attempt(lambda: socket.socket()),
    "run a program": attempt(lambda: os.execv("/usr/bin/true", ["true"])),
    "a Landlock ruleset": attempt(lambda: libc.syscall(444, None, 0, 1) >= 0),
    "another filter": attempt(lambda: libc.prctl(22, 2, None) == 0 or ctypes.get_errno() == 14),
    "list all skills": attempt(lambda: os.listdir("/skills")),
    "list all environments": attempt(lambda: os.listdir("/envs")),
    "read another skill": attempt(lambda: text_of("/skills/DIGEST/skill/scripts/main.py")),
    "write into its package": attempt(lambda: open(__file__, "a")),
    "write into the skill": attempt(lambda: open("/skill/scripts/x.py", "w")),
    "write a file of the root": attempt(lambda: open("/usr/x", "w")),
    "signal others": attempt(lambda: os.kill(-1, 0) is None),
    "raise a limit": attempt(lambda: raise_limit()),
    "see processes": os.path.exists("/proc/self"),
}
control = {
    "read its own skill": attempt(lambda: text_of("/skill/scripts/main.py")),
    "write its scratch": attempt(lambda: open("/tmp/x", "w")),
    "see its limits": attempt(lambda: limits()),
}
""".replace(
    "attempts = {",
    """
def limits():
    import resource
    return resource.getrlimit(resource.RLIMIT_DATA) == (512 << 20, 512 << 20)

def raise_limit():
    import resource
    resource.setrlimit(resource.RLIMIT_DATA, (1 << 40, 1 << 40))
    return True

attempts = {""",
)
ATTACKED = """
import json, numpy
print(json.dumps([numpy.was_early, numpy.attempts, numpy.control]))
"""


@IN_ZYGOTES
def test_a_hostile_package_is_confined_at_an_early_import_as_in_a_run(world: World) -> None:
    other = make_skill(world.root, "other")
    assert world.sandbox.run(other, {}).ok
    place = world.sandbox.stage.put(other).directory
    assert (place / "scripts/main.py").is_file()
    world.offer(ATTACKS.replace("DIGEST", place.parent.name))
    skill = world.skill(ATTACKED)

    on_demand = world.sandbox.run(skill, {})
    early = world.run_warm(skill)

    for outcome, expected in ((on_demand, False), (early, True)):
        assert isinstance(outcome.output, list), outcome.stderr
        was_early, attempts, control = outcome.output
        assert was_early is expected
        assert all(control.values()), control
        assert not any(attempts.values()), attempts


@IN_ZYGOTES
def test_a_package_that_fails_early_is_left_to_the_skill(world: World) -> None:
    world.offer("raise SystemExit('not on this machine')")
    script = """
import json
try:
    import numpy
except SystemExit as error:
    print(json.dumps(str(error)))
"""
    skill = world.skill(script)

    assert world.run_warm(skill).output == "not on this machine"


@IN_ZYGOTES
def test_a_worker_that_died_early_fails_no_run(world: World) -> None:
    world.offer("import os\nif was_early: os._exit(7)")
    skill = world.skill()
    deadline_s = time.monotonic() + WARM_S

    for _ in range(3):
        assert world.sandbox.run(skill, {}).output == {"early": False, "uses": 1}
        workers = world.warm_workers()
        while not all(worker.is_over() for worker in workers):
            assert time.monotonic() < deadline_s
            time.sleep(0.01)


@IN_ZYGOTES
@pytest.mark.parametrize("name", ["numpy.py", "secrets.py"])
def test_a_module_of_the_skill_is_hidden_by_nothing_that_came_early(
    world: World, name: str
) -> None:
    world.offer("import secrets")
    module = name.removesuffix(".py")
    script = f"import json, {module}; print(json.dumps({module}.mine))"
    skill = world.skill(script, **{f"scripts/{name}": "mine = True\n"})

    assert world.run_warm(skill).output is True


@IN_ZYGOTES
def test_a_package_can_not_leave_code_to_the_next_run_of_a_skill(world: World) -> None:
    world.offer("""
if was_early:
    import marshal
    from _socket import socket
    code = marshal.dumps(compile("print('taken over')", "x", "exec"))
    channel = socket(fileno=3)
    channel.send(b"C" + code)
    channel.detach()
""")
    # Too long to be kept by the first run, so that later ones are asked again.
    skill = world.skill(SCRIPT + f"x = {list(range(20_000))}\n")
    outputs = [world.sandbox.run(skill, {}).output for _ in range(5)]

    assert {"early": True, "uses": 1} in outputs
    assert all(isinstance(each, dict) and each["uses"] == 1 for each in outputs), outputs


@IN_ZYGOTES
def test_a_worker_whose_package_never_returns_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zygote_plan, "IDLE_S", 6.0)
    monkeypatch.setattr(zygote_plan, "_END_MARGIN_S", -5.0)
    limits = replace(DEFAULT_LIMITS, wall_s=1.0)
    with open_index() as index:
        environments = index.environments(tmp_path / "env")
        with Sandbox(
            Level.ISOLATED, tier=Tier.FULL, limits=limits, environments=environments
        ) as sandbox:
            world = World(index, tmp_path, sandbox)
            world.offer("import time\nwhile was_early: time.sleep(60)")
            assert sandbox.run(world.skill(), {}, timeout_s=1.0).ok
            (worker, *_) = world.warm_workers()
            pid = worker.pid
            assert Path(f"/proc/{pid}").exists()

            deadline_s = time.monotonic() + WARM_S
            while not worker.is_over():
                assert time.monotonic() < deadline_s
                time.sleep(0.05)

            assert not Path(f"/proc/{pid}").exists()


@IN_ZYGOTES
def test_an_attack_at_an_early_import_is_told_as_a_violation(world: World) -> None:
    unshare = 97 if read_host().machine == "aarch64" else 272
    # Once the job is on its way: who dies before is not given one.
    world.offer(f"""
if was_early:
    import ctypes, select
    job = select.poll()
    job.register(3, select.POLLIN)
    job.poll(20_000)
    ctypes.CDLL(None).syscall({unshare}, 0x1000_0000)
""")
    skill = world.skill()
    assert world.sandbox.run(skill, {}).ok

    outcome = world.sandbox.run(skill, {})

    assert outcome.reason is Reason.VIOLATION, outcome
