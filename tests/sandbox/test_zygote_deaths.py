"""A zygote that dies, or that would not hold a skill: what its runs and the next ones get."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from skill_files import make_skill
from skilllite_sandbox import self_test
from skilllite_sandbox.backend import zygotes
from skilllite_sandbox.backend.zygote import ZygoteFailed
from skilllite_sandbox.errors import SandboxUnavailable
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.policy import Level, Policy, Tier
from skilllite_sandbox.probe import probe_host
from skilllite_sandbox.sandbox import Job, Sandbox, entry_of

AT_ONCE_S = 5.0  # a deadline would be 30
SLEEPS = "import time; print(1, flush=True); time.sleep(600)"

pytestmark = pytest.mark.skipif(
    probe_host().tier is not Tier.FULL, reason="this host can't have zygotes"
)


def zygote_pids() -> list[int]:
    found = []
    for launcher in _children(os.getpid()):
        found += _children(launcher)
    return found


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    return [int(each) for each in text.split()]


def is_there(pid: int) -> bool:
    """Return whether a process is there and not dead already."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill_zygotes() -> None:
    pids = zygote_pids()
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_its_runs_end_at_once_and_the_next_gets_a_new_one(tmp_path: Path) -> None:
    sleeps = make_skill(tmp_path, "sleeps", files={"scripts/main.py": SLEEPS})
    echo = make_skill(tmp_path, "echo")
    outcomes: list[Outcome] = []
    with Sandbox(tier=Tier.FULL) as sandbox:
        staged = sandbox.stage.put(sleeps)
        job = Job(staged, entry_of(staged), b"{}", Policy(Level.ISOLATED))
        runs = [sandbox.start(job) for _ in range(3)]
        waiting = [
            threading.Thread(target=lambda run=run: outcomes.append(run.wait())) for run in runs
        ]
        for thread in waiting:
            thread.start()
        time.sleep(0.2)
        began_s = time.monotonic()
        kill_zygotes()
        for thread in waiting:
            thread.join(AT_ONCE_S)

        assert time.monotonic() - began_s < AT_ONCE_S
        assert [(each.reason, each.signal) for each in outcomes] == [(Reason.SIGNAL, 9)] * 3
        assert sandbox.run(echo, {"a": 1}).output == {"a": 1}


def test_a_warm_worker_of_a_dead_one_costs_no_run(tmp_path: Path) -> None:
    echo = make_skill(tmp_path, "echo")
    with Sandbox(tier=Tier.FULL) as sandbox:
        for number in range(3):
            assert sandbox.run(echo, {"a": number}).output == {"a": number}
            [zygote] = zygote_pids()
            below = _children(zygote)
            kill_zygotes()
            deadline_s = time.monotonic() + AT_ONCE_S
            while any(map(is_there, (zygote, *below))) and time.monotonic() < deadline_s:
                time.sleep(0.005)


def test_one_that_keeps_dying_is_started_later_and_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(zygote: object, plan: object) -> None:
        raise ZygoteFailed("self-test", "it always does")

    monkeypatch.setattr(self_test, "make_self_test", lambda canary: dies)
    monkeypatch.setattr(zygotes, "BACK_OFF_FIRST_S", 30.0)
    echo = make_skill(tmp_path, "echo")
    with Sandbox(tier=Tier.FULL) as sandbox:
        staged = sandbox.stage.put(echo)
        job = Job(staged, entry_of(staged), b"{}", Policy(Level.ISOLATED))
        line = sandbox._carriers._zygotes
        plan = sandbox.plan(job)
        causes = []
        for _ in range(3):
            with pytest.raises(ZygoteFailed) as caught:
                line.launch(plan, b"{}")
            causes.append(caught.value.cause)

    assert causes[:2] == ["it always does"] * 2
    assert causes[2] == "it failed 2 times in a row"


@pytest.mark.parametrize("tier", [Tier.FULL, None])
def test_a_zygote_that_does_not_hold_the_attacker_gets_no_skill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tier: Tier | None
) -> None:
    # As if every file of the host could be read: the canary is one that every worker has.
    real = self_test.make_self_test
    monkeypatch.setattr(self_test, "make_self_test", lambda canary: real("/etc/passwd"))
    echo = make_skill(tmp_path, "echo")

    with Sandbox(tier=tier) as sandbox:
        if tier is Tier.FULL:
            with pytest.raises(SandboxUnavailable) as caught:
                sandbox.run(echo, {"a": 1})
            assert "a hostile skill could read a file of the host" in str(caught.value.cause)
        else:
            outcome = sandbox.run(echo, {"a": 1})
            assert (outcome.output, outcome.tier) == ({"a": 1}, Tier.BWRAP)
        assert zygote_pids() == []
