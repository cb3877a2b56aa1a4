"""The zygotes of a sandbox: their pools and successors, and what no run leaves to the next."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gates import lets_all_pass
from skill_files import make_skill
from skilllite_sandbox.backend import zygotes
from skilllite_sandbox.backend.zygote import Worker
from skilllite_sandbox.execution import Execution
from skilllite_sandbox.guest.report import CODE_BYTES_MAX
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.policy import Level, Policy, Tier
from skilllite_sandbox.probe import probe_host
from skilllite_sandbox.sandbox import Job, Sandbox, entry_of
from skilllite_sandbox.stage import Stage

SETTLED_S = 10.0

pytestmark = pytest.mark.skipif(
    probe_host().tier is not Tier.FULL, reason="this host can't have zygotes"
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(tier=Tier.FULL, gate=lets_all_pass()) as opened:
        yield opened


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What each worker got along with its job."""
    given: list[bytes] = []
    hand_over = Worker.run

    def run(self: Worker, job: str, data: bytes, *, stdin_file: bool, code: bytes = b"") -> None:
        if "self-test" not in job:
            given.append(code)
        hand_over(self, job, data, stdin_file=stdin_file, code=code)

    monkeypatch.setattr(Worker, "run", run)
    return given


def skill(tmp_path: Path, code: str, name: str = "demo") -> Path:
    return make_skill(tmp_path, name, files={"scripts/main.py": code})


def run(sandbox: Sandbox, directory: Path, **arguments: Any) -> Outcome:
    return sandbox.run(directory, arguments)


def children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    return [int(each) for each in text.split()]


def launchers() -> set[int]:
    return set(children(os.getpid()))


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def memory_of(pid: int) -> bytes:
    """Return all that a process may write to."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            places, access, *_ = line.split()
            if access.startswith("rw"):
                begin, end = (int(place, 16) for place in places.split("-"))
                memory.seek(begin)
                found.append(memory.read(end - begin))
    return b"".join(found)


def has_printed(execution: Execution) -> bool:
    """Return whether a run that nobody waits for yet has written to its stdout."""
    waiting = select.poll()
    waiting.register(execution._process.stdout, select.POLLIN)
    return bool(waiting.poll(0))


def below_the_zygote() -> int:
    """Return how many processes the zygotes of this process have."""
    found = [zygote for launcher in launchers() for zygote in children(launcher)]
    return sum(len(children(zygote)) for zygote in found)


def settles_at(expected: int) -> bool:
    deadline_s = time.monotonic() + SETTLED_S
    while below_the_zygote() != expected:
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.01)
    return True


def test_a_pool_keeps_two_workers_for_one_caller(sandbox: Sandbox, tmp_path: Path) -> None:
    directory = skill(tmp_path, "print(1)")

    for _ in range(3):
        assert run(sandbox, directory).output == 1

    # Each is a worker and the first process of its namespace.
    assert settles_at(4)


def test_without_a_pool_nothing_is_left_between_runs(tmp_path: Path) -> None:
    directory = skill(tmp_path, "print(1)")
    with Sandbox(tier=Tier.FULL, pool=False, gate=lets_all_pass()) as sandbox:
        assert run(sandbox, directory).output == 1

        assert settles_at(0)


def test_a_replacement_does_not_wait_for_a_run_that_lasts(sandbox: Sandbox, tmp_path: Path) -> None:
    slow = skill(tmp_path, "import time; time.sleep(600)", "slow")
    quick = skill(tmp_path, "print(1)", "quick")
    assert run(sandbox, quick).output == 1
    assert settles_at(4)

    staged = sandbox.stage.put(slow)
    execution = sandbox.start(Job(staged, entry_of(staged), b"{}", Policy(Level.ISOLATED)))
    try:
        assert settles_at(6)
    finally:
        execution.kill()
        execution.wait()


def test_a_zygote_is_followed_by_another_after_its_last_fork(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zygotes, "FORKS_MAX", 8)
    directory = skill(tmp_path, "print(hash('what a seed changes'))")

    outcomes = [run(sandbox, directory) for _ in range(30)]

    assert all(outcome.ok for outcome in outcomes)
    assert len({outcome.output for outcome in outcomes}) >= 3
    # The one that serves, and the start of its successor.
    deadline_s = time.monotonic() + SETTLED_S
    while len(launchers()) > 2 and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert len(launchers()) <= 2


def test_no_signal_of_a_skill_reaches_the_first_process_or_the_zygote(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    attack = """
import ctypes, os, signal, time
libc = ctypes.CDLL(None)
information = (ctypes.c_int * 32)()
information[2] = -1  # si_code: SI_QUEUE
for number in signal.valid_signals():
    information[0] = number
    for _ in range(3):
        libc.syscall(129, 1, number, information)  # rt_sigqueueinfo
        libc.kill(1, number)
print(os.getppid(), flush=True)
time.sleep(600)
"""
    staged = sandbox.stage.put(skill(tmp_path, attack))
    execution = sandbox.start(Job(staged, entry_of(staged), b"{}", Policy(Level.ISOLATED)))
    [zygote] = [zygote for launcher in launchers() for zygote in children(launcher)]
    try:
        deadline_s = time.monotonic() + SETTLED_S
        while not has_printed(execution) and time.monotonic() < deadline_s:
            time.sleep(0.01)
        idle = [pid for pid in children(zygote) if status_of(pid)["NSpid"].endswith("\t1")]
        assert idle
        for pid in (*idle, zygote):
            status = status_of(pid)
            pending = int(status["SigPnd"], 16) | int(status["ShdPnd"], 16)
            # A SIGKILL that is pending is the zygote's, which ends one at this moment.
            assert pending & ~(1 << signal.SIGKILL - 1) == int(status["SigCgt"], 16) == 0
    finally:
        execution.kill()
        execution.wait()

    assert run(sandbox, skill(tmp_path, "print(1)", "next")).output == 1
    assert [zygote for launcher in launchers() for zygote in children(launcher)] == [zygote]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into a worker's memory")
def test_a_worker_has_no_path_of_its_user_in_memory(tmp_path: Path) -> None:
    directory = skill(tmp_path, "import time; print(1, flush=True); time.sleep(600)")
    with Sandbox(
        tier=Tier.FULL, stage=Stage(tmp_path / "a-private-place"), gate=lets_all_pass()
    ) as sandbox:
        staged = sandbox.stage.put(directory)
        execution = sandbox.start(Job(staged, entry_of(staged), b"{}", Policy(Level.ISOLATED)))
        try:
            deadline_s = time.monotonic() + SETTLED_S
            while not has_printed(execution) and time.monotonic() < deadline_s:
                time.sleep(0.01)
            memory = memory_of(execution.pid)
        finally:
            execution.kill()
            execution.wait()

    assert staged.digest.removeprefix("sha256:").encode() in memory  # it is looked at in earnest
    assert b"a-private-place" not in memory
    assert str(tmp_path).encode() not in memory


@pytest.mark.parametrize("status", [0, 1, 130, 137, 255])
def test_an_exit_status_is_the_skills_own(sandbox: Sandbox, tmp_path: Path, status: int) -> None:
    directory = skill(tmp_path, f"import os; print(1, flush=True); os._exit({status})")

    outcome = run(sandbox, directory)

    assert (outcome.exit_code, outcome.signal) == (status, None)
    assert outcome.duration_ms < 5000  # nobody waits for what is gone


def test_a_death_by_signal_is_told_as_one(sandbox: Sandbox, tmp_path: Path) -> None:
    directory = skill(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGTERM)")

    outcome = run(sandbox, directory)

    assert (outcome.reason, outcome.signal) == (Reason.SIGNAL, signal.SIGTERM)


def test_a_script_is_compiled_once(sandbox: Sandbox, tmp_path: Path, codes: list[bytes]) -> None:
    directory = skill(tmp_path, "print(1)")
    other = skill(tmp_path, "print(2)", "other")

    assert [run(sandbox, each).output for each in (directory, directory, other, other)] == [
        *(1, 1),
        *(2, 2),
    ]

    assert [bool(code) for code in codes] == [False, True, False, True]


def test_a_changed_script_is_compiled_anew(sandbox: Sandbox, tmp_path: Path) -> None:
    directory = skill(tmp_path, "print(1)")
    assert [run(sandbox, directory).output for _ in range(2)] == [1, 1]

    (directory / "scripts/main.py").write_text("print(2)", encoding="utf-8")

    assert [run(sandbox, directory).output for _ in range(2)] == [2, 2]


def test_compiled_or_not_an_error_looks_the_same(sandbox: Sandbox, tmp_path: Path) -> None:
    directory = skill(tmp_path, "def inner():\n    raise ValueError('no')\n\ninner()\n")

    first, second = run(sandbox, directory), run(sandbox, directory)

    assert first.stderr == second.stderr
    assert first.stderr.count("scripts/main.py") == 2
    assert "raise ValueError('no')" in first.stderr


def test_a_script_that_can_not_be_compiled_fails_each_time(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    directory = skill(tmp_path, "def broken(:\n")

    outcomes = [run(sandbox, directory) for _ in range(2)]

    assert [outcome.reason for outcome in outcomes] == [Reason.EXIT] * 2
    assert all("SyntaxError" in outcome.stderr for outcome in outcomes)


def test_a_script_too_long_to_keep_runs(
    sandbox: Sandbox, tmp_path: Path, codes: list[bytes]
) -> None:
    directory = skill(tmp_path, f"text = '''{'x' * (CODE_BYTES_MAX + 1)}'''\nprint(len(text))\n")

    outcomes = [run(sandbox, directory) for _ in range(2)]

    assert [outcome.output for outcome in outcomes] == [CODE_BYTES_MAX + 1] * 2
    assert codes == [b"", b""]


def test_a_skill_can_not_leave_code_to_its_next_run(
    sandbox: Sandbox, tmp_path: Path, codes: list[bytes]
) -> None:
    forges = """
import marshal, os
forged = b"C" + marshal.dumps(compile("print('forged')", "main.py", "exec"))
for descriptor in range(3, 64):
    for message in (forged, b"R", forged, b"LR", forged):
        try:
            os.write(descriptor, message)
        except OSError:
            break
print("'own'".replace("'", '"'))
"""
    directory = skill(tmp_path, forges)

    outcomes = [run(sandbox, directory) for _ in range(4)]

    assert [outcome.output for outcome in outcomes] == ["own"] * 4
    assert codes[1] == codes[2] == codes[3]
    assert b"forged'" in codes[1]  # the script's own constant, not the program in it
