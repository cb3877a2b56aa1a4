"""`skilllite run` with a running node: the same to see, and the node's workers do it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from node_process import SKILLLITE, NodeProcess
from skill_files import make_skill
from skilllite.cli import run_by_node as run_by_node_module
from skilllite.cli.main import main
from skilllite.control.client import ControlClient
from skilllite.control.messages import DirectRun, Nothing
from skilllite.control.server import Exchange, Operation, serve_control
from skilllite.direct_runs import RUNS_MAX, DirectRuns
from skilllite.errors import Refused, Reported
from skilllite.home import Home
from skilllite.sdk import open_stage
from skilllite.version import VERSION
from skilllite_sandbox.policy import Tier
from skilllite_sandbox.probe import probe_host
from skilllite_sandbox.sandbox import Sandbox
from team import LOOPBACK

TIMEOUT_S = 30.0

pytestmark = pytest.mark.skipif(
    probe_host().tier is Tier.NONE, reason="this host has no working sandbox"
)

LOUD = "import sys\nprint('one', file=sys.stderr)\nprint('two\\x1b[2J', file=sys.stderr)\n"
SKILLS = {
    "plain": {},
    "loud": {"scripts/main.py": LOUD + "print(1)"},
    "failing": {"scripts/main.py": LOUD + "sys.exit(3)"},
    "complaining": {"scripts/main.py": 'print(\'{"error": "no such city"}\')\nraise SystemExit(2)'},
    "text": {"scripts/main.py": "print('not JSON', end='')"},
    "silent": {"scripts/main.py": ""},
    "null": {"scripts/main.py": "print('null')"},
    "bytes": {"scripts/main.py": "import os\nos.write(1, b'\\xff\\xfe\"')"},
    "slow": {"scripts/main.py": "import time\nprint('before', flush=True)\ntime.sleep(60)"},
    "greedy": {"scripts/main.py": "x = bytearray(300 * 1024 * 1024)\nprint(1)"},
    "several": {"scripts/a.py": "print('\"a\"')", "scripts/b.py": "print('\"b\"')"},
    "shell": {"scripts/main.sh": "cat; echo done >&2"},
}

CASES: dict[str, list[str]] = {
    "a value": ["run", "plain", '{"ü": [1.50, "\\u0000"]}'],
    "from stdin": ["run", "plain", "-"],
    "at level 3": ["run", "./plain", "{}", "--sandbox-level", "3"],
    "an outcome": ["run", "plain", '{"a": 1}', "--json"],
    "an outcome at level 3": ["run", "plain/", "{}", "--json", "--sandbox-level", "3"],
    "log lines": ["run", "loud", "{}"],
    "log lines in the outcome": ["run", "loud", "{}", "--json"],
    "a failure": ["run", "failing", "{}"],
    "an outcome of a failure": ["run", "failing", "{}", "--json"],
    "a complaint": ["run", "complaining", "{}"],
    "no JSON": ["run", "text", "{}"],
    "no output": ["run", "silent", "{}"],
    "null": ["run", "null", "{}"],
    "null in the outcome": ["run", "null", "{}", "--json"],
    "no text": ["run", "bytes", "{}"],
    "no text in the outcome": ["run", "bytes", "{}", "--json"],
    "a deadline": ["run", "slow", "{}", "--timeout", "0.4"],
    "a deadline in the outcome": ["run", "slow", "{}", "--timeout", "0.4", "--json"],
    "too much memory": ["run", "greedy", "{}", "--max-memory", "100"],
    "one of several scripts": ["exec", "several", "scripts/b.py", "{}"],
    "no script of several": ["run", "several", "{}"],
    "a script that is not there": ["exec", "several", "scripts/c.py", "{}"],
    "a bash skill": ["run", "shell", '{"a": 1}'],
    "a bundled skill": ["run", "calculator", '{"operation": "add", "a": 2, "b": 3}'],
    "a name that hides another": ["run", "diff", "{}"],
    "an unknown name": ["run", "plaim", "{}"],
    "a directory that is not there": ["run", "./nowhere", "{}"],
    "a directory that is no skill": ["run", "..", "{}"],
    "broken JSON": ["run", "plain", "{"],
    "an array": ["run", "plain", "[]"],
    "no input": ["run", "plain"],
    "no input and no skill": ["run", "plaim"],
    "an odd level": ["run", "plain", "{}", "--sandbox-level", "4"],
    "a host it does not ask for": ["run", "plain", "{}", "--allow-network", "example.com"],
    "a host that is none": ["run", "plain", "{}", "--allow-network", "http://a b"],
    "a program it may execute": ["run", "caller", "{}", "--allow-exec", "git"],
    "a program it may not execute": ["run", "caller", "{}", "--allow-exec", "jq"],
    "too little memory": ["run", "plain", "{}", "--max-memory", "1", "--json"],
    "what would stand around it": ["run", "plain", "{}", "--explain"],
}
BY_THE_COMMAND = frozenset(
    {
        *("no script of several", "a script that is not there", "an unknown name", "broken JSON"),
        *("a directory that is not there", "a directory that is no skill", "an array", "no input"),
        *("no input and no skill", "an odd level", "a host that is none", "too little memory"),
        "what would stand around it",
    }
)
"""The cases that end before anything starts; the command finds that out itself."""


@pytest.fixture(scope="module")
def skills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with all the skills above, and one that hides a bundled one."""
    place = tmp_path_factory.mktemp("skills")
    for name, files in SKILLS.items():
        make_skill(place, name, files=files or None)
    caller = {"scripts/main.py": "import subprocess as s\ns.run(['git', '--version'])"}
    make_skill(place, "caller", extra="metadata:\n  skilllite.exec: git\n", files=caller)
    make_skill(place / ".skills", "diff", extra="compatibility: needs network access\n")
    return place


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A node on loopback."""
    home = tmp_path_factory.mktemp("node") / "home"
    with NodeProcess(home, name="one", args=LOOPBACK) as running:
        yield running


def typed(words: list[str], home: Path, here: Path) -> tuple[int, str, str]:
    """Type a command and return its status, stdout and stderr."""
    done = subprocess.run(
        [SKILLLITE, *words],
        input=b'{"from": "stdin"}' if "-" in words else b"",
        capture_output=True,
        timeout=TIMEOUT_S,
        cwd=here,
        env={**os.environ, "SKILLLITE_HOME": str(home)},
        check=False,
    )
    out = re.sub(rb'"duration_ms": [0-9.]+', b'"duration_ms": 0', done.stdout)
    out = out.replace(os.fsencode(home), b"HOME")
    err = done.stderr.replace(os.fsencode(home), b"HOME")
    return done.returncode, out.decode(), err.decode()


def runs_of(node: NodeProcess) -> int:
    return node.log.count("direct run of")


@pytest.mark.parametrize("case", CASES)
def test_it_looks_the_same_with_and_without_a_node(
    case: str, node: NodeProcess, skills: Path, tmp_path: Path
) -> None:
    before = runs_of(node)

    with_node = typed(CASES[case], node.home, skills)

    # A digest names the copy that --explain shows; the homes differ.
    assert with_node == typed(CASES[case], tmp_path / "home", skills)
    assert runs_of(node) - before == (case not in BY_THE_COMMAND)


def test_the_settings_of_the_command_decide_the_level(
    node: NodeProcess, skills: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILLLITE_SANDBOX_LEVEL", "2")

    _, out, err = typed(["run", "plain", "{}", "--json"], node.home, skills)

    assert json.loads(out)["level"] == 2
    assert err == ""


def test_level_1_stays_in_the_process_of_the_command(node: NodeProcess, skills: Path) -> None:
    before = runs_of(node)

    status, out, _ = typed(["run", "plain", "{}", "--sandbox-level", "1"], node.home, skills)

    assert (status, out) == (0, "{}\n")
    assert runs_of(node) == before


def test_a_large_value_comes_whole(node: NodeProcess, skills: Path, tmp_path: Path) -> None:
    big = "print('[' + ','.join(['1e5', '\"\\\\\\\\\"'] * 400000) + ']')"
    skill = str(make_skill(tmp_path, "big", files={"scripts/main.py": big}))

    with_node = typed(["run", skill, "{}", "--json"], node.home, skills)

    assert with_node == typed(["run", skill, "{}", "--json"], tmp_path / "home", skills)
    assert len(with_node[1]) > 4_000_000


def test_ctrl_c_ends_the_run_in_the_node(node: NodeProcess, tmp_path: Path) -> None:
    script = "import sys, time\nprint('started', file=sys.stderr, flush=True)\ntime.sleep(600)"
    skill = str(make_skill(tmp_path, "sleeper", files={"scripts/main.py": script}))
    command = subprocess.Popen(
        [SKILLLITE, "run", skill, "{}", "--sandbox-level", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "SKILLLITE_HOME": str(node.home)},
    )
    with command:
        assert command.stderr is not None
        assert command.stderr.readline() == b"started\n"
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=TIMEOUT_S)

    assert (command.returncode, out, err) == (130, b"", b"interrupted\n")
    deadline = time.monotonic() + 10
    while "direct run of sleeper ended: cancelled" not in node.log:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_is_no_task(node: NodeProcess, skills: Path) -> None:
    typed(["run", "plain", "{}"], node.home, skills)

    assert node.json("tasks", "list", "--json")["tasks"] == []


# A node that doesn't do it


class Fake:
    """A node whose operation `run` is up to the test."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.asked = 0
        self.told = trio.Event()

    async def refuse(self, args: DirectRun, exchange: Exchange) -> object:
        self.asked += 1
        raise Refused("not now")

    async def start_and_fail(self, args: DirectRun, exchange: Exchange) -> object:
        self.asked += 1
        await exchange.emit({"event": "starts", "notes": ["said once"]})
        raise Reported("sandbox_unavailable", "the sandbox broke", hint="mend it")

    async def start_and_hang(self, args: DirectRun, exchange: Exchange) -> object:
        self.asked += 1
        await exchange.emit({"event": "starts", "notes": []})
        self.told.set()
        await trio.sleep_forever()
        return None

    async def hang(self, args: DirectRun, exchange: Exchange) -> object:
        self.asked += 1
        await trio.sleep_forever()
        return None


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    home = Home.at(tmp_path / "home")
    home.prepare()
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    make_skill(tmp_path, "plain")
    return Fake(home)


async def command(*words: str) -> int:
    return await trio.to_thread.run_sync(main, list(words))


async def test_a_node_too_old_for_it_leaves_it_to_the_command(
    fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    with trio.fail_after(TIMEOUT_S):
        async with serve_control(fake.home, {"status": Operation(Nothing, fake.refuse)}):
            status = await command("run", "plain", '{"a": 1}', "--sandbox-level", "2")

    assert (status, *capfd.readouterr()) == (0, '{"a": 1}\n', "")


async def test_a_node_that_refuses_leaves_it_to_the_command(
    fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    with trio.fail_after(TIMEOUT_S):
        async with serve_control(fake.home, {"run": Operation(DirectRun, fake.refuse)}):
            status = await command("run", "plain", '{"a": 1}', "--sandbox-level", "2")

    assert (status, *capfd.readouterr()) == (0, '{"a": 1}\n', "")
    assert fake.asked == 1


async def test_a_node_of_another_user_is_not_asked(
    fake: Fake, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ControlClient, "user", os.geteuid() + 1)

    with trio.fail_after(TIMEOUT_S):
        async with serve_control(fake.home, {"run": Operation(DirectRun, fake.refuse)}):
            assert await command("run", "plain", "{}", "--sandbox-level", "2") == 0

    assert fake.asked == 0


async def test_a_node_that_is_stuck_before_the_start_leaves_it_to_the_command(
    fake: Fake, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_by_node_module, "ANSWER_S_MAX", 0.2)

    with trio.fail_after(TIMEOUT_S):
        async with serve_control(fake.home, {"run": Operation(DirectRun, fake.hang)}):
            assert await command("run", "plain", "{}", "--sandbox-level", "2") == 0

    assert fake.asked == 1
    assert capfd.readouterr().out == "{}\n"


async def test_what_has_started_is_never_run_twice(
    fake: Fake, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_by_node_module, "ANSWER_S_MAX", 0.2)

    with trio.fail_after(TIMEOUT_S):
        async with serve_control(fake.home, {"run": Operation(DirectRun, fake.start_and_hang)}):
            status = await command("run", "plain", "{}", "--sandbox-level", "2")

    said = capfd.readouterr()
    assert status == 1
    assert said.out == ""
    assert "the node said nothing" in said.err


async def test_a_start_that_failed_in_the_node_is_reported_as_it_would_be_here(
    fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    with trio.fail_after(TIMEOUT_S):
        async with serve_control(fake.home, {"run": Operation(DirectRun, fake.start_and_fail)}):
            status = await command("run", "plain", "{}", "--json", "--sandbox-level", "2")

    said = capfd.readouterr()
    outcome = json.loads(said.out)
    assert status == 3
    assert (outcome["reason"], outcome["message"]) == ("unavailable", "the sandbox broke")
    assert said.err == "said once\nerror: the sandbox broke\nhint: mend it\n"


async def test_a_node_that_stops_says_how_to_go_on(
    fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    statuses: list[int] = []

    async def ask() -> None:
        statuses.append(await command("run", "plain", "{}", "--sandbox-level", "2"))

    with trio.fail_after(TIMEOUT_S):
        async with (
            trio.open_nursery() as nursery,
            serve_control(fake.home, {"run": Operation(DirectRun, fake.start_and_hang)}),
        ):
            nursery.start_soon(ask)
            await fake.told.wait()

    assert statuses == [1]
    assert "hint: run it again" in capfd.readouterr().err


# The operation itself


@pytest.fixture
def runs(fake: Fake) -> Iterator[DirectRuns]:
    stage = open_stage(fake.home)
    with Sandbox(stage=stage) as sandbox:
        yield DirectRuns(sandbox, stage, fake.home)


def request(skill: str, **changes: object) -> dict[str, object]:
    return {
        "version": VERSION,
        "skill": skill,
        "directory": str(Path.cwd()),
        "input_json": "{}",
        "level": 2,
        **changes,
    }


async def in_thread(action: Callable[[], Any]) -> Any:
    return await trio.to_thread.run_sync(action)


async def test_a_client_that_leaves_ends_its_run(runs: DirectRuns, fake: Fake) -> None:
    script = "import sys, time\nprint('started', file=sys.stderr, flush=True)\ntime.sleep(600)"
    make_skill(fake.home.data_dir, "sleeper", files={"scripts/main.py": script})
    started = threading.Event()
    leave = threading.Event()

    def ask() -> None:
        with ControlClient(fake.home) as client:
            args = request(str(fake.home.data_dir / "sleeper"))
            for event in client.request("run", args):
                if event.get("event") == "log":
                    started.set()
                    leave.wait(TIMEOUT_S)
                    return

    with trio.fail_after(TIMEOUT_S):
        async with (
            serve_control(fake.home, {"run": Operation(DirectRun, runs.run)}),
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(in_thread, ask)
            await in_thread(started.wait)
            assert runs.running == 1
            leave.set()
            await runs.drain()
            assert runs.running == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": "0.0.1"}, "refused"),
        ({"level": 1}, "usage"),
        ({"directory": "relative"}, "usage"),
        ({"timeout_s": 0}, "usage"),
        ({"memory_mb": -1}, "usage"),
        ({"input_json": "["}, "invalid_input"),
        ({"script": "scripts/b.py"}, "not_found"),
    ],
)
async def test_what_is_refused_starts_nothing(
    runs: DirectRuns, fake: Fake, changes: dict[str, object], code: str
) -> None:
    events: list[object] = []

    def ask() -> None:
        with ControlClient(fake.home) as client:
            client.call("run", request("./plain", **changes), on_event=events.append)

    with trio.fail_after(TIMEOUT_S):
        async with serve_control(fake.home, {"run": Operation(DirectRun, runs.run)}):
            with pytest.raises(Reported) as caught:
                await in_thread(ask)

    assert caught.value.code == code
    assert events == []


async def test_runs_above_the_bound_and_after_the_end_are_refused(
    runs: DirectRuns, fake: Fake
) -> None:
    script = "import sys, time\nprint('started', file=sys.stderr, flush=True)\ntime.sleep(600)"
    make_skill(fake.home.data_dir, "sleeper", files={"scripts/main.py": script})

    async def occupy(task_status: trio.TaskStatus[None]) -> None:
        exchange = Said(task_status)
        args = DirectRun.model_validate(request(str(fake.home.data_dir / "sleeper")))
        await runs.run(args, exchange)  # type: ignore[arg-type] # all that it needs of one

    with trio.fail_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            for _ in range(RUNS_MAX):
                await nursery.start(occupy)
            with pytest.raises(Refused, match="at once"):
                await occupy(trio.TASK_STATUS_IGNORED)
            nursery.cancel_scope.cancel()
        await runs.drain()
        with pytest.raises(Refused, match="stopping"):
            await occupy(trio.TASK_STATUS_IGNORED)


class Said:
    """The part of an `Exchange` that a run uses."""

    def __init__(self, task_status: trio.TaskStatus[None]) -> None:
        self._task_status = task_status

    async def emit(self, event: dict[str, object]) -> None:
        await trio.lowlevel.checkpoint()
        if event["event"] == "starts":
            self._task_status.started()


# What it costs

FORBIDDEN = {
    *("argparse", "dataclasses", "inspect", "typing", "subprocess", "threading", "socket"),
    *("logging", "hashlib", "tempfile", "trio", "pydantic", "asyncio"),
}


def modules_after(words: list[str], home: Path, here: Path) -> set[str]:
    """Return what is imported when a command is through."""
    code = (
        "import sys\nfrom skilllite.cli.main import main\n"
        f"status = main({words!r})\nprint(*sys.modules)\nsys.exit(status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        cwd=here,
        env={**os.environ, "SKILLLITE_HOME": str(home)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def site_modules() -> set[str]:
    """Return what the interpreter brings itself; a development environment brings more."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    return set(done.stdout.split())


def test_with_a_node_the_command_imports_nothing_of_the_sandbox(
    node: NodeProcess, skills: Path
) -> None:
    before = runs_of(node)
    words = ["run", "./plain", "{}", "--sandbox-level", "2"]

    loaded = modules_after(words, node.home, skills) - site_modules()

    assert runs_of(node) == before + 1
    assert not loaded & {*FORBIDDEN, "pathlib", "contextlib", "select"}
    assert {name for name in loaded if name.startswith("skilllite_sandbox.")} == {
        *("skilllite_sandbox.errors", "skilllite_sandbox.run_arguments"),
        "skilllite_sandbox.run_output",
    }


def test_without_a_node_the_command_imports_what_a_run_needs_and_no_more(
    skills: Path, tmp_path: Path
) -> None:
    words = ["run", "./plain", "{}", "--sandbox-level", "2"]
    modules_after(words, tmp_path / "home", skills)  # the first one copies the skill

    loaded = modules_after(words, tmp_path / "home", skills) - site_modules()

    assert not loaded & {*FORBIDDEN, "pathlib"}
    assert not loaded & {
        *("skilllite.catalog", "skilllite.control", "skilllite_sandbox.archive"),
        *("skilllite_sandbox.backend.bubblewrap", "skilllite_sandbox.probe"),
        *("skilllite_sandbox.frontmatter", "skilllite_sandbox.parameters"),
        *("skilllite_sandbox.network_gate", "skilllite_sandbox.self_test"),
    }
