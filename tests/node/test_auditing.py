"""What commands, the library and the node write into the audit log, and when they stop for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import skilllite
from skill_files import make_skill
from skilllite.audit_writer import AuditWriter, open_audit_writer
from skilllite.cli.main import main
from skilllite.home import Home
from skilllite.tasks.reconcile import Reconciled
from skilllite.tasks.records import TaskState
from skilllite.tasks.trail import REPEAT_S, TaskTrail
from skilllite_sandbox.audit.run_record import RunRecord
from skilllite_sandbox.errors import AuditUnavailable

SECRET = "hush-hush-8f7e6d5c"
SCRIPT = "import json, sys; print(json.dumps({'echo': json.load(sys.stdin)}))"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILLLITE_CACHE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    return Home.at(tmp_path / "home")


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    return make_skill(tmp_path / "skills", "echo", files={"scripts/main.py": SCRIPT})


def lines_in(home: Home) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(home.audit.glob("*.jsonl"))
        for line in path.read_text("ascii").splitlines()
    ]


def events_in(home: Home) -> list[str]:
    return [line["event"] for line in lines_in(home)]


def facts_of(home: Home, event: str) -> dict[str, Any]:
    found = [line["facts"] for line in lines_in(home) if line["event"] == event]
    assert len(found) == 1, found
    facts: dict[str, Any] = found[0]
    return facts


def verified(home: Home, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    status = main(["audit", "verify", "--json"])
    state: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (status == 0) == state["ok"]
    return state


# Runs


@pytest.mark.parametrize("level", [1, 2, 3])
def test_every_stage_of_a_run_is_written_down(
    home: Home, skill: Path, level: int, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", str(skill), json.dumps({"word": SECRET}), "--sandbox-level", str(level)]
    assert main(words) == 0

    stages = [each for each in events_in(home) if each.startswith("run.")]
    scanned = ["run.scanned"] if level == 3 else []
    assert stages == ["run.requested", *scanned, "run.staged", "run.started", "run.ended"]
    requested, staged = facts_of(home, "run.requested"), facts_of(home, "run.staged")
    assert (requested["by"], requested["level"], requested["uid"]) == (
        "command",
        level,
        os.getuid(),
    )
    assert staged["skill"] == "echo" and staged["digest"].startswith("sha256:")
    assert facts_of(home, "run.started")["tier"] == ("none" if level == 1 else "full")
    assert facts_of(home, "run.ended")["reason"] == "ok"
    assert staged.get("verdict") == ("PASS" if level == 3 else None)
    assert len({line["facts"]["run"] for line in lines_in(home)}) == 1
    assert verified(home, capsys)["ok"]


def test_input_and_output_of_a_skill_are_not_in_the_log(home: Home, skill: Path) -> None:
    assert main(["run", str(skill), json.dumps({"word": SECRET})]) == 0

    written = "".join(path.read_text("ascii") for path in home.audit.glob("*.jsonl"))
    assert SECRET not in written
    assert facts_of(home, "run.staged")["input_bytes"] > len(SECRET)


@pytest.mark.parametrize(
    ("script", "reason"),
    [("raise SystemExit(3)", "exit"), ("import time; time.sleep(30)", "timeout")],
)
def test_failures_and_timeouts_are_written_down(
    home: Home, tmp_path: Path, script: str, reason: str
) -> None:
    bad = make_skill(tmp_path / "skills", "bad", files={"scripts/main.py": script})

    assert main(["run", str(bad), "{}", "--timeout", "1"]) != 0

    assert facts_of(home, "run.ended")["reason"] == reason


def test_what_could_not_start_is_written_down(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "nowhere", "{}"]) == 5

    assert facts_of(home, "run.refused")["code"] == "not_found"


def test_a_refusal_is_sealed_at_once(home: Home, tmp_path: Path, capsys: Any) -> None:
    extra = "allowed-tools: Bash(git log:*)\n"
    tool = make_skill(tmp_path / "skills", "tool", extra=extra, files={"note.md": "x"})

    assert main(["bash", str(tool), "rm -rf /"]) == 3

    assert facts_of(home, "run.refused")["code"] == "policy_denied"
    state = verified(home, capsys)
    assert state["ok"] and state["unsealed"] == 0


def test_the_library_writes_down_its_runs(home: Home, skill: Path) -> None:
    assert skilllite.run_skill(skill, {"n": 1}, sandbox_level=2)["success"]

    assert facts_of(home, "run.requested")["by"] == "program"
    assert facts_of(home, "run.ended")["ok"] is True


def test_a_run_that_is_interrupted_has_an_end(home: Home) -> None:
    kept = Kept()
    record = RunRecord(kept, by="command", level=2, skill="x")

    with pytest.raises(KeyboardInterrupt), record.refusals():
        raise KeyboardInterrupt

    assert [event for event, _ in kept.told] == ["run.requested", "run.ended"]
    assert kept.told[1][1]["reason"] == "cancelled"


# What can't be written


def make_unwritable(home: Home) -> None:
    """Put a file where the log would be: root ignores modes."""
    home.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home.data_dir / "audit").write_text("in the way")


def test_at_level_3_nothing_runs_unrecorded(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = make_skill(tmp_path / "skills", "trace", files={"scripts/main.py": "print(1)"})
    make_unwritable(home)

    status = main(["run", str(trace), "{}"])

    assert status == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "audit log" in said.err and "hint:" in said.err


def test_a_program_is_told_that_nothing_ran(
    home: Home, skill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_unwritable(home)

    assert main(["run", str(skill), "{}", "--json"]) == 3

    assert json.loads(capsys.readouterr().out)["reason"] == "refused"


@pytest.mark.parametrize("level", ["1", "2"])
def test_at_lower_levels_a_person_is_told(
    home: Home, skill: Path, level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_unwritable(home)

    status = main(["run", str(skill), "{}", "--sandbox-level", level])

    assert status == 0
    assert "not in the audit log" in capsys.readouterr().err


def test_a_skill_is_not_installed_unrecorded(
    home: Home, skill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_unwritable(home)

    status = main(["add", str(skill)])

    assert status == 3
    assert not (home.skills / "echo").exists()


def test_the_library_raises_at_level_3(home: Home, skill: Path) -> None:
    make_unwritable(home)

    with pytest.raises(AuditUnavailable):
        skilllite.run_skill(skill, {})


# Changes


def test_installs_and_removals_are_written_down_and_sealed(
    home: Home, skill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", str(skill)]) == 0
    assert main(["add", str(skill)]) == 3
    assert main(["remove", "echo"]) == 0

    assert events_in(home) == [
        *("skill.add_requested", "skill.added", "skill.add_requested", "skill.refused"),
        *("skill.remove_requested", "skill.removed"),
    ]
    assert facts_of(home, "skill.added")["digest"] == facts_of(home, "skill.removed")["digest"]
    assert verified(home, capsys)["unsealed"] == 0


def test_a_change_of_the_policy_is_written_down_once(
    home: Home, skill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(skill), "{}"]) == 0
    home.config_file.write_text("[sandbox]\nlevel = 2\n", encoding="utf-8")
    assert main(["run", str(skill), "{}"]) == 0
    assert main(["run", str(skill), "{}", "--sandbox-level", "3"]) == 0

    facts = facts_of(home, "policy.changed")

    assert facts["changes"] == {"sandbox.level": {"before": 3, "now": 2}}


# The commands


def test_a_broken_log_exits_1_and_says_where(
    home: Home, skill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", str(skill)]) == 0
    path = next(home.audit.glob("*.jsonl"))
    path.write_text(path.read_text("ascii").replace("echo", "ecco"), encoding="ascii")

    status = main(["audit", "verify"])

    assert status == 1
    out = capsys.readouterr().out
    assert f"{path.name}:1: " in out and "BROKEN" in out
    assert not verified(home, capsys)["ok"]


def test_a_report_counts_runs_and_lists_refusals(
    home: Home, skill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        assert main(["run", str(skill), "{}", "--sandbox-level", "2"]) == 0
    assert main(["run", "nowhere", "{}"]) == 5
    capsys.readouterr()

    assert main(["audit", "report", "--json"]) == 0

    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == 1
    assert report["runs"][0] == {"skill": "echo", "verdict": "", "outcome": "ok", "count": 3}
    assert [each["event"] for each in report["refusals"]] == ["run.refused"]
    assert main(["audit", "report"]) == 0
    assert "echo" in capsys.readouterr().out
    assert main(["audit", "report", "--since", "2999-01-01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["events"] == 0
    assert main(["audit", "report", "--event", "run.staged", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["entries"]) == 3


@pytest.mark.parametrize("since", ["yesterday", "24", "2026-1-1", ""])
def test_a_time_that_is_none_is_a_usage_error(home: Home, since: str, capsys: Any) -> None:
    assert main(["audit", "report", "--since", since]) == 2


def test_a_copy_is_verified_with_the_key_that_is_named(
    home: Home, skill: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["add", str(skill)]) == 0
    head = json.loads(next(home.audit.glob("*.heads")).read_text("ascii").splitlines()[0])
    copy = home.audit.rename(tmp_path / "copy")
    (home.keys / "sign.pem").unlink()

    assert main(["audit", "verify", "--dir", str(copy), "--key", head["key"]]) == 0
    assert main(["audit", "verify", "--dir", str(copy), "--key", "00" * 32]) == 1
    assert main(["audit", "verify", "--dir", str(copy)]) == 1


# The node


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_writer_of_a_node_seals_each_group(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_audit_writer(home) as writer:
        for number in range(50):
            writer.without_waiting.record("run.ended", {"n": number}, durable=True)
        wait_until(lambda: len(lines_in(home)) == 50)
        writer.record("consent.given", {}, durable=True)
        assert len(lines_in(home)) == 51
        writer.record("node.stopped", {})

    state = verified(home, capsys)
    assert (state["ok"], state["lines"], state["unsealed"]) == (True, 52, 0)


def test_a_node_whose_disk_is_full_runs_nothing_at_level_3_and_loses_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_audit_writer(home) as writer:
        writer.check()
        really_write = os.write

        def write(descriptor: int, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", write)
            writer.record("run.ended", {"n": 1})
            wait_until(lambda: _fails(writer))
            with pytest.raises(AuditUnavailable):
                writer.record("consent.given", {}, durable=True)
            record = RunRecord(writer, by="peer", level=3, commit=writer.check)
            with pytest.raises(AuditUnavailable):
                record.commit()
            RunRecord(writer, by="command", level=2, commit=writer.check).commit()
        assert os.write is really_write
        wait_until(lambda: not _fails(writer))

    events = events_in(home)
    assert events[:2] == ["run.ended", "consent.given"]
    assert verified(home, capsys)["ok"]


def _fails(writer: AuditWriter) -> bool:
    try:
        writer.check()
    except AuditUnavailable:
        return True
    return False


class Kept:
    """A recorder that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, object]]] = []

    def record(self, event: str, facts: Any, *, durable: bool = False) -> None:
        self.told.append((event, dict(facts)))


def test_refusals_of_one_member_are_counted_not_repeated() -> None:
    kept, now_s = Kept(), 0.0
    trail = TaskTrail(kept, lambda: now_s)
    for _ in range(100):
        trail.denied("a" * 64, "t", "calc", "queue_full")
    trail.denied("b" * 64, "t", "calc", "queue_full")
    now_s = REPEAT_S
    trail.denied("a" * 64, "t", "calc", "queue_full")

    assert [event for event, _ in kept.told] == ["task.denied"] * 3
    assert kept.told[2][1]["before"] == 99


def test_a_reconciled_outcome_is_told() -> None:
    kept = Kept()

    TaskTrail(kept).reconciled(Reconciled("t" * 32, 1, "n" * 64, TaskState.SUCCEEDED, ""))

    assert kept.told[0][0] == "task.reconciled"
    assert kept.told[0][1]["state"] == "succeeded"


def test_a_node_writes_down_its_life_and_what_it_ran(
    home: Home, skill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["node", "start", "--name", "one", "--host", "127.0.0.1", "--no-mdns"]
    node = subprocess.Popen(
        [sys.executable, "-m", "skilllite", *words, "--port", "0", "--join-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert node.stdout is not None and "ready" in node.stdout.readline()
        assert main(["run", str(skill), "{}", "--sandbox-level", "2"]) == 0
        words = ["submit", "--skill", "calculator", '{"operation": "add", "a": 1, "b": 2}']
        assert main(words) == 0
    finally:
        node.terminate()
        node.wait(30)
        assert node.stdout is not None
        node.stdout.close()

    events = events_in(home)
    assert events[0] == "node.started" and events[-1] == "node.stopped"
    assert events.count("run.ended") == 2
    assert facts_of(home, "task.accepted")["local"] is True
    asked = [line["facts"] for line in lines_in(home) if line["event"] == "run.requested"]
    assert [each["by"] for each in asked] == ["command", "task"]
    assert asked[1]["task_id"] == facts_of(home, "task.accepted")["task"]
    state = verified(home, capsys)
    assert (state["ok"], state["unsealed"]) == (True, 0)


@pytest.mark.parametrize("word", ["verify", "report"])
def test_a_log_that_is_not_there_is_not_called_whole(
    home: Home, tmp_path: Path, word: str, capsys: Any
) -> None:
    assert main(["audit", word, "--dir", str(tmp_path / "nowhere")]) == 5
    assert "there is no folder" in capsys.readouterr().err


def test_an_event_that_never_was_is_said_to_be_none(home: Home, capsys: Any) -> None:
    assert main(["audit", "report", "--event", "nonsense"]) == 0
    assert "no event 'nonsense' was recorded" in capsys.readouterr().err
