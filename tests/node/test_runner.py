"""Skills run for the executor: real sandbox, real processes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from gates import lets_all_pass
from skilllite.home import Home
from skilllite.runner import SandboxRunner
from skilllite.trust import open_guard, open_store
from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.errors import (
    InvalidInput,
    InvalidSkill,
    NotFound,
    PolicyDenied,
    SkillChanged,
)
from skilllite_sandbox.integrity.entries import digest_of, read_entries
from skilllite_sandbox.integrity.manifest import Facts
from skilllite_sandbox.policy import Level, Origin, Tier
from skilllite_sandbox.probe import probe_host
from skilllite_sandbox.sandbox import Sandbox
from skilllite_sandbox.stage import Stage
from skilllite_swarm.task import Failed, Result

TIMEOUT_S = 60.0
DEADLINE_S = 30.0

pytestmark = pytest.mark.skipif(
    probe_host().tier is Tier.NONE, reason="this host has no working sandbox: bubblewrap"
)


class Folder:
    """Every directory below one folder is an offered skill."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def directory_of(self, skill: str) -> Path | None:
        directory = self.root / skill
        return directory if directory.is_dir() else None

    def add(self, name: str, code: str) -> None:
        (self.root / name / "scripts").mkdir(parents=True)
        manifest = f"---\nname: {name}\ndescription: Made for a test.\n---\n"
        (self.root / name / "SKILL.md").write_text(manifest, encoding="utf-8")
        if code:
            (self.root / name / "scripts/main.py").write_text(code, encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "skills")


@pytest.fixture
def runner(tmp_path: Path, folder: Folder) -> Iterator[SandboxRunner]:
    (tmp_path / "stage").mkdir(mode=0o700)
    stage = Stage(tmp_path / "stage")
    with Sandbox(stage=stage, pool=False, gate=lets_all_pass()) as sandbox:
        yield SandboxRunner(sandbox, stage, folder, local_level=Level.FULL, concurrency=2)


def runs_something() -> bool:
    """Return whether a process below this one sleeps or works for a skill.

    A launcher and its zygote stay; what a zygote forked is a run.
    """
    return any(
        _children(zygote) for launcher in _children(os.getpid()) for zygote in _children(launcher)
    )


def nothing_runs_within(seconds: float) -> bool:
    """Return whether all is gone soon: the kernel takes a moment for a killed process."""
    deadline = time.monotonic() + seconds
    while runs_something():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        texts = [(task / "children").read_text("ascii") for task in tasks]
    except OSError:
        return []
    return [int(child) for text in texts for child in text.split()]


class Watcher:
    """What the executor would hear."""

    def __init__(self) -> None:
        self.digests: list[str] = []
        self.lines: list[str] = []
        self.started = trio.Event()

    def on_started(self, digest: str) -> None:
        self.digests.append(digest)
        self.started.set()


async def run(
    runner: SandboxRunner,
    skill: str,
    input_json: str = "{}",
    *,
    origin: Origin = Origin.LOCAL,
    deadline_s: float = DEADLINE_S,
    watcher: Watcher | None = None,
) -> Result | Failed:
    watcher = watcher or Watcher()
    with trio.fail_after(TIMEOUT_S):
        return await runner.run(
            skill,
            input_json,
            origin=origin,
            deadline_s=deadline_s,
            on_started=watcher.on_started,
            on_log=watcher.lines.append,
        )


async def test_result_is_the_json_the_skill_printed(runner: SandboxRunner, folder: Folder) -> None:
    folder.add("twice", "import json, sys\nprint(json.load(sys.stdin)['n'] * 2)")
    watcher = Watcher()

    done = await run(runner, "twice", '{"n": 21}', watcher=watcher)

    assert isinstance(done, Result)
    assert (done.output_json, done.text) == ("42", "")
    assert watcher.digests[0].startswith("sha256:")


async def test_stderr_arrives_line_by_line_in_order_before_the_result(
    runner: SandboxRunner, folder: Folder
) -> None:
    folder.add("talks", "import sys\nfor n in range(50): print(n, file=sys.stderr)\nprint('{}')")
    watcher = Watcher()

    await run(runner, "talks", watcher=watcher)

    assert watcher.lines == [str(n) for n in range(50)]


async def test_output_that_is_not_json_is_kept_as_text(
    runner: SandboxRunner, folder: Folder
) -> None:
    folder.add("prose", "print('hello, world')")

    done = await run(runner, "prose")

    assert isinstance(done, Result)
    assert (done.output_json, done.text) == (None, "hello, world\n")


async def test_null_is_a_result(runner: SandboxRunner, folder: Folder) -> None:
    folder.add("nothing", "print('null')")

    done = await run(runner, "nothing")

    assert isinstance(done, Result)
    assert done.output_json == "null"


async def test_failure_names_the_reason_and_the_last_line(
    runner: SandboxRunner, folder: Folder
) -> None:
    folder.add("raises", "raise ValueError('no such month')")

    done = await run(runner, "raises")

    assert isinstance(done, Failed)
    assert done.error.code == "exit"
    assert "no such month" in done.error.message


async def test_failure_is_told_in_the_skills_own_words(
    runner: SandboxRunner, folder: Folder
) -> None:
    code = "import sys\nprint('{\"error\": \"b must not be zero\"}')\nprint('x', file=sys.stderr)\n"
    folder.add("says", code + "sys.exit(1)")

    done = await run(runner, "says")

    assert isinstance(done, Failed)
    assert done.error.message == "says: exit status 1: b must not be zero"
    assert done.output_json == '{"error": "b must not be zero"}'


async def test_deadline_ends_the_run_as_timeout(runner: SandboxRunner, folder: Folder) -> None:
    folder.add("endless", "while True: pass")

    done = await run(runner, "endless", deadline_s=0.5)

    assert isinstance(done, Failed)
    assert done.error.code == "timeout"


async def test_cancelling_kills_the_process_before_it_returns(
    runner: SandboxRunner, folder: Folder
) -> None:
    folder.add("sleeps", "import time\ntime.sleep(1000)")
    watcher = Watcher()
    ended = False

    async with trio.open_nursery() as nursery:

        async def carry() -> None:
            nonlocal ended
            try:
                await run(runner, "sleeps", watcher=watcher)
            finally:
                ended = True

        nursery.start_soon(carry)
        with trio.fail_after(TIMEOUT_S):
            await watcher.started.wait()
        nursery.cancel_scope.cancel()

    assert ended
    assert nothing_runs_within(TIMEOUT_S)


async def test_several_runs_go_on_at_the_same_time(runner: SandboxRunner, folder: Folder) -> None:
    folder.add("twice", "import json, sys\nprint(json.load(sys.stdin)['n'] * 2)")
    results: dict[int, str | None] = {}

    async def carry(number: int) -> None:
        done = await run(runner, "twice", json.dumps({"n": number}))
        assert isinstance(done, Result)
        results[number] = done.output_json

    async with trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(carry, number)

    assert results == {number: str(number * 2) for number in range(6)}


async def test_peers_get_tighter_limits(runner: SandboxRunner, folder: Folder) -> None:
    folder.add("echo", "print('{}')")
    large = json.dumps({"text": "x" * (3 * 1024 * 1024)})

    local = await run(runner, "echo", large)
    with pytest.raises(InvalidInput):
        await run(runner, "echo", large, origin=Origin.REMOTE)

    assert isinstance(local, Result)


async def test_unknown_skill_and_skill_without_script_are_errors_of_the_sandbox(
    runner: SandboxRunner, folder: Folder
) -> None:
    folder.add("prose-only", "")

    assert runner.knows("prose-only")
    assert not runner.knows("missing")
    with pytest.raises(NotFound):
        await run(runner, "missing")
    with pytest.raises(InvalidSkill):
        await run(runner, "prose-only")


@pytest.mark.parametrize("origin", list(Origin))
def test_no_task_gets_the_tier_that_its_node_accepts_by_hand(
    tmp_path: Path, folder: Folder, origin: Origin
) -> None:
    (tmp_path / "stage").mkdir(mode=0o700)
    stage = Stage(tmp_path / "stage")
    with Sandbox(stage=stage, pool=False) as sandbox:
        for accepted, weakest in ((Tier.LANDLOCK, Tier.ROOT_CHROOT), (Tier.FULL, Tier.FULL)):
            made = SandboxRunner(
                sandbox,
                stage,
                folder,
                local_level=Level.FULL,
                concurrency=1,
                accept_tier=accepted,
            )

            assert made.policy_for(origin, DEADLINE_S).weakest is weakest


@pytest.mark.parametrize("origin", Origin)
async def test_nobody_gets_what_was_changed_or_denied(
    tmp_path: Path, folder: Folder, origin: Origin
) -> None:
    home = Home.at(tmp_path / "home")
    folder.root = home.skills
    for name in ("kept", "changed", "denied"):
        folder.add(name, "print(1)")
        installed = home.skills / name
        entries = read_entries(installed)
        facts = Facts("", name, digest_of(entries), 0, 1, "community", "https://example.com/x")
        with open_store(home).installing(installed, facts, entries):
            pass
    (home.skills / "changed/more").touch()
    denied = {"schema": 1, "entries": [{"digest": compute_digest(home.skills / "denied")}]}
    (home.config_dir / "denylist.json").write_text(json.dumps(denied), encoding="utf-8")
    (tmp_path / "stage").mkdir(mode=0o700)
    stage = Stage(tmp_path / "stage", open_guard(home))
    with Sandbox(stage=stage, pool=False) as sandbox:
        runner = SandboxRunner(sandbox, stage, folder, local_level=Level.DIRECT, concurrency=2)

        assert isinstance(await run(runner, "kept", origin=origin), Result)
        for name, error in (("changed", SkillChanged), ("denied", PolicyDenied)):
            with pytest.raises(error):
                await run(runner, name, origin=origin)
