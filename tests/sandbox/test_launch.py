"""The launcher before it is a zygote: started early, and gone when nobody needs it."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from pathlib import Path

import pytest

from skill_files import make_skill
from skilllite_sandbox.backend.launch import Launcher
from skilllite_sandbox.cli import main
from skilllite_sandbox.host import read_host
from skilllite_sandbox.policy import Level, Tier
from skilllite_sandbox.probe import probe_host
from skilllite_sandbox.run_request import RunRequest, make_job
from skilllite_sandbox.sandbox import Sandbox

DEADLINE_S = 15.0

pytestmark = pytest.mark.skipif(
    probe_host().tier is not Tier.FULL, reason="this host can't have zygotes"
)


def interpreter() -> str:
    python = read_host().python
    assert python is not None
    return python.path


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def kinds_of_descriptors(pid: int) -> set[str]:
    kinds = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            kinds.add(str(file.readlink()).partition(":")[0])
    return kinds


def has_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def test_one_that_nobody_needs_ends_and_leaves_nothing() -> None:
    before = open_descriptors()

    launcher = Launcher(interpreter())
    launcher.close()
    launcher.close()

    assert open_descriptors() == before
    assert not Path(f"/proc/{launcher.pid}").exists()


def test_it_ends_when_the_host_is_gone_before_the_layout() -> None:
    launcher = Launcher(interpreter())
    gone = os.pidfd_open(launcher.pid)

    launcher.control.close()  # what the kernel does to a host that was killed

    assert select.select([gone], [], [], DEADLINE_S)[0]
    os.close(gone)
    launcher.close()


def test_one_that_can_not_be_started_leaves_nothing() -> None:
    before = open_descriptors()

    with pytest.raises(OSError):
        Launcher("/nowhere/python3.11")

    assert open_descriptors() == before
    assert not has_children()


def test_it_keeps_nothing_that_it_inherits() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    launcher = Launcher(interpreter())
    os.close(writing)

    # The last writer of the pipe is the launcher, until it has closed what it got.
    assert select.select([reading], [], [], DEADLINE_S)[0]
    assert os.read(reading, 1) == b""
    os.close(reading)
    # It closes the others one by one, and each pytest has some.
    deadline = time.monotonic() + DEADLINE_S
    while (kept := kinds_of_descriptors(launcher.pid)) != {"/dev/null", "socket", "/memfd"}:
        assert time.monotonic() < deadline, kept
        time.sleep(0.01)
    working_directory = str(Path(f"/proc/{launcher.pid}/cwd").readlink())
    launcher.close()
    assert working_directory == "/"


def test_a_sandbox_makes_its_first_zygote_of_it(tmp_path: Path) -> None:
    launcher = Launcher(interpreter())

    with Sandbox(pool=False, preload=False, launcher=launcher) as sandbox:
        request = RunRequest(Level.ISOLATED)
        job, _ = make_job(request, b'{"a": 1}', make_skill(tmp_path), sandbox.stage)
        execution = sandbox.start(job)
        outcome = execution.wait()
        assert execution.plan.tier is Tier.FULL
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()

    assert outcome.output == {"a": 1}
    assert children == [str(launcher.pid)]
    assert not Path(f"/proc/{launcher.pid}").exists()


def test_a_sandbox_that_runs_nothing_ends_it(tmp_path: Path) -> None:
    launcher = Launcher(interpreter())

    with Sandbox(pool=False, launcher=launcher):
        pass

    assert not Path(f"/proc/{launcher.pid}").exists()


def test_one_of_another_interpreter_is_left_alone(tmp_path: Path) -> None:
    launcher = Launcher(interpreter())
    launcher.interpreter = "/usr/bin/python3.99"

    with Sandbox(pool=False, preload=False, launcher=launcher) as sandbox:
        job, _ = make_job(RunRequest(Level.ISOLATED), b"{}", make_skill(tmp_path), sandbox.stage)
        assert sandbox.run_job(job).ok

    assert not Path(f"/proc/{launcher.pid}").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["run", "demo", "{}"],
        ["run", "demo", "{}", "--sandbox-level", "1"],
        ["run", "demo", "{"],
        ["run", "nowhere", "{}"],
        ["run", "demo", "{}", "--max-memory", "1"],
        ["exec", "demo", "scripts/none.py", "{}"],
    ],
)
def test_a_command_leaves_no_process_behind_however_it_ends(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    make_skill(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = open_descriptors()

    main(words)

    assert not has_children()
    assert open_descriptors() == before
