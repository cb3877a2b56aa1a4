"""What is told of one run by a sandbox that was given a recorder, and nothing without one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from skill_files import make_skill
from skilllite_sandbox.audit.run_record import ATTEMPTS_A_LINE, RunRecord
from skilllite_sandbox.egress.attempt import Attempt, Cause, Result
from skilllite_sandbox.errors import AuditUnavailable, NotFound, PolicyDenied
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.policy import DEFAULT_LIMITS, Level, Tier
from skilllite_sandbox.sandbox import Sandbox


class Kept:
    """A recorder that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any], bool]] = []

    def record(self, event: str, facts: Mapping[str, object], *, durable: bool = False) -> None:
        self.told.append((event, dict(facts), durable))

    @property
    def events(self) -> list[str]:
        return [event for event, _, _ in self.told]


class Full:
    """A recorder whose disk is full."""

    def record(self, event: str, facts: Mapping[str, object], *, durable: bool = False) -> None:
        if durable:
            raise AuditUnavailable("the audit log can't be written", cause="no space")


def fail() -> None:
    raise AuditUnavailable("the audit log can't be written", cause="no space")


def an_outcome(**changes: Any) -> Outcome:
    facts: dict[str, Any] = {
        **{"output": None, "text": "hello", "reason": Reason.OK, "exit_code": 0, "signal": None},
        **{"duration_ms": 1.5, "tier": Tier.FULL, "level": Level.FULL, "enforced": ()},
        **{"violations": (), "stderr": "", "limits": DEFAULT_LIMITS},
    }
    return Outcome(**(facts | changes))


def test_a_sandbox_tells_the_recorder_it_was_given(tmp_path: Path) -> None:
    kept = Kept()
    skill = make_skill(tmp_path, "demo", files={"scripts/main.py": "print(1)"})
    with Sandbox(Level.ISOLATED, pool=False, preload=False, recorder=kept) as sandbox:
        assert sandbox.run(skill, {}).ok
        with pytest.raises(NotFound):
            sandbox.run(tmp_path / "none", {})

    assert kept.events == [
        *("run.requested", "run.staged", "run.started", "run.ended"),
        *("run.requested", "run.refused"),
    ]


def test_a_sandbox_without_a_recorder_touches_no_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path / "home"))
    skill = make_skill(tmp_path, "demo", files={"scripts/main.py": "print(1)"})

    with Sandbox(Level.ISOLATED, pool=False, preload=False) as sandbox:
        assert sandbox.run(skill, {}).ok

    assert not (tmp_path / "home").exists()


def test_every_connection_is_told() -> None:
    kept = Kept()
    attempts = tuple(
        Attempt(
            n, "CONNECT", f"h{n}.example", 443, "", Result.REFUSED, Cause.NOT_TLS, "", 0, 0, 1.0
        )
        for n in range(ATTEMPTS_A_LINE * 2 + 1)
    )

    RunRecord(kept, by="program", level=2).ended(an_outcome(network=attempts))

    assert kept.events == ["run.requested", *["run.network"] * 3, "run.ended"]
    hosts = [each["host"] for _, facts, _ in kept.told[1:4] for each in facts["attempts"]]
    assert hosts == [each.host for each in attempts]


def test_output_is_told_by_its_size_and_hash() -> None:
    kept = Kept()

    RunRecord(kept, by="program", level=2).ended(an_outcome())

    facts = kept.told[-1][1]
    assert facts["output_bytes"] == 5
    assert facts["output_sha256"].startswith("2cf24dba5fb0a30e")
    assert "hello" not in str(kept.told)


def test_a_refusal_has_to_be_durable_and_a_mistake_does_not() -> None:
    kept = Kept()
    for error in (PolicyDenied("no"), NotFound("no such skill")):
        with pytest.raises(type(error)), RunRecord(kept, by="program", level=2).refusals():
            raise error

    assert [durable for event, _, durable in kept.told if event == "run.refused"] == [True, False]


def test_what_has_ended_is_not_refused_as_well() -> None:
    kept = Kept()
    record = RunRecord(kept, by="program", level=2)

    with pytest.raises(PolicyDenied), record.refusals():
        record.ended(an_outcome(reason=Reason.UNAVAILABLE))
        raise PolicyDenied("the host could not give it")

    assert kept.events == ["run.requested", "run.ended"]


def test_a_refusal_that_can_not_be_written_is_one_all_the_same() -> None:
    said: list[str] = []
    record = RunRecord(Full(), by="program", level=3, warn=said.append)

    with pytest.raises(PolicyDenied), record.refusals():
        raise PolicyDenied("no")

    assert "no space" in said[0]


@pytest.mark.parametrize("level", [1, 2])
def test_below_level_3_a_run_goes_on_with_a_warning(level: int) -> None:
    said: list[str] = []

    record = RunRecord(Kept(), by="program", level=level, commit=fail, warn=said.append)
    record.commit()
    record.close()

    assert len(said) == 1


def test_at_level_3_a_run_does_not_start() -> None:
    with pytest.raises(AuditUnavailable):
        RunRecord(Kept(), by="program", level=3, commit=fail).commit()
