"""The security benchmark, end to end: a small part of it for real, and what must not fool it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from benchmark import security_vs
from benchmark.security.attacks import ITEMS
from benchmark.security.attacks.language import BUILTINS
from benchmark.security.attacks.processes import SIGNAL
from benchmark.security.benign import BENIGN
from benchmark.security.campaign import Campaign, run_campaign
from benchmark.security.item import Attack, Item
from benchmark.security.judgement import EffectKind, End, Verdict
from benchmark.security.lab import Lab, Watch
from benchmark.security.meter import Meter
from benchmark.security.prelude import Account, Language, program
from benchmark.security.report import EFFECT_SEEN, HOLDS, NOT_PROVEN, Findings
from benchmark.security.subjects import commands
from benchmark.security.subjects.base import Run, SkillFiles, run_command
from benchmark.security.subjects.skilllite import Library, read_outcome

from skilllite_sandbox.errors import ConsentRequired, PolicyDenied, SandboxError
from skilllite_sandbox.host import read_host
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.policy import DEFAULT_LIMITS, Level, Limits
from skilllite_sandbox.sandbox import Sandbox

FEW = ["read-ssh-key", "http-request", "signal", "eval-exec"]


def test_a_few_items_hold_at_level_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report.json"

    status = security_vs.main(
        ["--items", *FEW, "--levels", "2", "--subjects", "bubblewrap", "-o", str(out)]
    )

    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["problems"] == []
    assert status == HOLDS
    subjects = {each["name"]: each for each in report["subjects"]}
    assert subjects["bare"]["twenty"]["effect"] == len(FEW)
    assert subjects["level 2"]["all_variants"]["effect"] == 0
    assert subjects["level 2"]["all_variants"]["inconclusive"] == 0
    assert subjects["level 2"]["tiers"] != ["none"]
    assert all(answer["right"] for answer in report["benign"])
    table = capsys.readouterr().out
    assert "refused before the run  stopped at run time  effect outside" in table
    assert "20 of 20" not in table, "it ran four"


def test_effects_at_level_1_are_shown_and_no_failure(tmp_path: Path) -> None:
    out = tmp_path / "report.json"

    status = security_vs.main(
        ["--items", "eval-exec", "--levels", "1", "--subjects", "--markdown", "-o", str(out)]
    )

    report = json.loads(out.read_text(encoding="utf-8"))
    assert status == HOLDS, report["problems"]
    results = report["items"][0]["results"]
    direct = [each for each in results if each["subject"] == "level 1"]
    assert {each["verdict"] for each in direct} == {"effect"}
    assert {each["effect_outside"] for each in direct} == {"read a file of the host"}


def test_the_help_of_the_command_stands() -> None:
    root = Path(security_vs.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "benchmark.security_vs", "--help"],
        capture_output=True,
        text=True,
        cwd=root,
        timeout=60,
        check=True,
    )

    assert "--subjects" in done.stdout


def test_there_are_twenty_items_and_a_dozen_well_behaved_skills() -> None:
    assert len({item.name for item in ITEMS}) == len(ITEMS) == 20
    assert all(item.attacks[0].variant == "plain" for item in ITEMS)
    assert all(item.attacks[0].language is Language.PYTHON for item in ITEMS)
    assert sum(skill.language is Language.PYTHON for skill in BENIGN) >= 12
    assert len({(item.name, attack.variant) for item in ITEMS for attack in item.attacks}) == sum(
        len(item.attacks) for item in ITEMS
    )


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_no_attack_is_a_mistake_of_its_own(item: Item) -> None:
    for attack in item.attacks:
        source = program(attack.language, attack.body)
        if attack.language is Language.PYTHON:
            compile(source, f"{item.name} {attack.variant}", "exec")
        elif attack.language is Language.BASH:
            subprocess.run(["bash", "-n"], input=source.encode(), timeout=60, check=True)


def test_whoever_finds_out_the_identity_was_not_told_it() -> None:
    system = next(item for item in ITEMS if item.name == "system-info")

    assert system.facts == ()


@dataclass
class Fake:
    """A subject that answers every run in one way, but says hello."""

    answer: Run
    name: str = "fake"
    how: str = "fake"
    languages: tuple[Language, ...] = (Language.PYTHON,)
    address: str | None = None

    def missing(self) -> str:
        """See `Subject`."""
        return ""

    def effective(self, limits: Limits) -> Limits:
        """See `Subject`."""
        return limits

    def run(self, skill: SkillFiles, given: bytes, limits: Limits) -> Run:
        """See `Subject`."""
        nonce = json.loads(given).get("nonce", "")
        if '"hello"' in skill.script.read_text(encoding="utf-8"):
            events = f'{nonce} {{"event": "started"}}\n{nonce} {{"event": "finished"}}\n'
            return Run(End.EXITED, '{"found": {"hello": true}}', events, 1.0)
        source = skill.script.read_text(encoding="utf-8")
        return replace(
            self.answer,
            stdout=self.answer.stdout.replace("SOURCE", source),
            stderr=self.answer.stderr.replace("NONCE", nonce),
        )

    def close(self) -> None:
        """See `Subject`."""


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A host with things worth stealing."""
    with Lab() as opened:
        yield opened


READ = Item(
    "read",
    "Read",
    EffectKind.FILE_READ,
    (Attack("plain", Language.PYTHON, 'attempt("read", lambda: open(facts["secret"]).read())'),),
    facts=("secret",),
)


def campaign_of(lab: Lab, subject: Any, item: Item = READ) -> Campaign:
    """Return what a campaign of one item finds in one subject next to the control."""
    control = commands.bare(read_host())
    return run_campaign(lab, control, [subject], [item], benign=(), progress=lambda line: None)


def verdict_on(lab: Lab, subject: Any, item: Item = READ) -> Verdict:
    """Return the verdict of a campaign of one attack in one subject."""
    trials = campaign_of(lab, subject, item).trials
    assert [trial.judgement.verdict for trial in trials if trial.subject == "bare"] == [
        Verdict.EFFECT
    ]
    (trial,) = (trial for trial in trials if trial.subject == subject.name)
    return trial.judgement.verdict


CRASHED = Run(End.EXITED, "", "Traceback …", 1.0, detail="exit status 1")


@pytest.mark.parametrize(
    "answer",
    [
        CRASHED,
        replace(CRASHED, stdout="refused because of this line: SOURCE"),
        replace(CRASHED, end=End.SIGNALLED),
        replace(CRASHED, end=End.UNAVAILABLE),
        replace(CRASHED, end=End.HARNESS_DEADLINE),
        replace(CRASHED, stderr='NONCE {"event": "started"}\n'),
        replace(CRASHED, end=End.SIGNALLED, stderr='NONCE {"event": "started"}\n'),
    ],
    ids=["crash", "quotation", "signal", "missing", "deadline", "half way", "half way by signal"],
)
def test_what_merely_fails_is_inconclusive(lab: Lab, answer: Run) -> None:
    assert verdict_on(lab, Fake(answer)) is Verdict.INCONCLUSIVE


def test_what_a_subject_refuses_is_refused(lab: Lab) -> None:
    answer = Run(End.REFUSED, "", "", 1.0, detail="a critical finding")

    assert verdict_on(lab, Fake(answer)) is Verdict.REFUSED


def test_a_subject_whose_program_is_missing_is_not_available(lab: Lab) -> None:
    missing = commands.CommandLine(
        "missing", "", (Language.PYTHON,), lambda skill: ["/nonexistent/sandbox"]
    )

    found = campaign_of(lab, missing)

    standing = next(each for each in found.standings if each.name == "missing")
    assert not standing.works
    assert "No such file or directory" in standing.languages[Language.PYTHON]
    assert {trial.subject for trial in found.trials} == {"bare"}


def test_an_attack_whose_control_fails_is_inconclusive_and_a_problem(lab: Lab) -> None:
    harmless = Item(
        "harmless",
        "Harmless",
        EffectKind.FILE_READ,
        (Attack("plain", Language.PYTHON, 'attempt("nothing", lambda: None)'),),
    )
    found = campaign_of(lab, Fake(CRASHED), harmless)
    findings = Findings(found, (harmless,), "bare", (), ("bare",), {})

    assert {trial.judgement.verdict for trial in found.trials} == {Verdict.INCONCLUSIVE}
    assert findings.failed_controls == ["harmless (plain)"]
    assert findings.status == NOT_PROVEN


def test_an_effect_at_a_promised_subject_decides_the_status(lab: Lab) -> None:
    # Bare, under another name, in the place of a sandbox that holds nothing.
    leaky = replace(commands.bare(read_host()), name="leaky")

    findings = Findings(campaign_of(lab, leaky), (READ,), "bare", ("leaky",), ("leaky",), {})

    assert findings.status == EFFECT_SEEN
    assert [what for _, what in findings.problems] == [
        "leaky, read (plain): read a file of the host"
    ]


def test_a_level_that_is_not_there_is_a_problem(lab: Lab) -> None:
    found = campaign_of(lab, Library(Level.ISOLATED, _nothing_to_open))

    findings = Findings(found, (READ,), "bare", ("level 2",), ("level 2",), {})

    assert findings.status == NOT_PROVEN
    assert findings.problems[0][1].startswith("level 2 is not available: not on this host")


def _nothing_to_open(level: Level, limits: Limits) -> Sandbox:
    raise SandboxError("not on this host")


class RefusingSandbox(Sandbox):
    """A sandbox that says no to every skill."""

    refusal: SandboxError = ConsentRequired("a person has to agree")

    def run(self, *arguments: Any, **options: Any) -> Outcome:
        """Refuse."""
        raise self.refusal


@pytest.mark.parametrize(
    "refusal", [ConsentRequired("a person has to agree"), PolicyDenied("a critical finding")]
)
def test_a_refusal_of_the_sandbox_is_one_before_the_run(lab: Lab, refusal: SandboxError) -> None:
    def open_sandbox(level: Level, limits: Limits) -> Sandbox:
        sandbox = RefusingSandbox(level, limits=limits)
        sandbox.refusal = refusal
        return sandbox

    assert verdict_on(lab, Library(Level.FULL, open_sandbox)) is Verdict.REFUSED


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_of_an_outcome_has_a_meaning(reason: Reason) -> None:
    outcome = {
        "reason": reason.value,
        "text": "",
        "stderr": "",
        "duration_ms": 1.0,
        "message": "",
        "tier": "bwrap",
        "not_enforced": ["scan"],
    }

    run = read_outcome(outcome)

    assert (run.end is End.BOUND) == (run.bound is not None)
    assert (run.end is End.REFUSED) == (reason is Reason.REFUSED)
    assert (run.end is End.UNAVAILABLE) == (reason in (Reason.UNAVAILABLE, Reason.CANCELLED))


def test_what_is_left_for_the_next_run_is_an_effect(lab: Lab) -> None:
    answer = Run(End.EXITED, '{"left": ["builtin"]}', 'NONCE {"event": "started"}\n', 1.0)

    found = campaign_of(lab, Fake(answer), replace(BUILTINS, attacks=BUILTINS.attacks[:1]))

    (trial,) = (trial for trial in found.trials if trial.subject == "fake")
    assert [effect.kind for effect in trial.effects] == [EffectKind.NEXT_RUN_CHANGED]


def test_servers_that_stopped_counting_are_noticed(lab: Lab) -> None:
    with Watch(lab, READ) as watch:
        assert watch.failed() == ""
        lab.servers_at("127.0.0.1").close()

    assert watch.failed() == "the servers of the host stopped counting"


def test_a_killed_process_is_seen_at_once_and_replaced(lab: Lab) -> None:
    with Watch(lab, SIGNAL) as watch:
        subprocess.run(["kill", "-9", str(watch.facts()["victim"])], timeout=60, check=True)

    effects = watch.effects("", Account(True, True, ()), DEFAULT_LIMITS)

    assert [effect.kind for effect in effects] == [EffectKind.PROCESS_HURT]
    assert lab.victim_lives() is False
    lab.victim()
    assert lab.victim_lives() is True


def test_a_planted_file_that_was_changed_is_noticed(lab: Lab) -> None:
    with Watch(lab, READ) as watch:
        lab.key.write_text("mine", encoding="utf-8")
        lab.key.chmod(0o600)

    effects = watch.effects("", Account(True, True, ()), DEFAULT_LIMITS)

    assert [effect.kind for effect in effects] == [EffectKind.FILE_WRITTEN]


def test_a_meter_sees_memory_threads_and_time_of_children() -> None:
    hungry = """
import threading, time
block = b"x" * (96 << 20)
threads = [threading.Thread(target=time.sleep, args=(0.5,)) for _ in range(5)]
for thread in threads: thread.start()
while time.process_time() < 0.5: sum(range(10_000))
for thread in threads: thread.join()
"""
    with Meter() as meter:
        run = run_command([sys.executable, "-c", hungry], b"")

    assert run.end is End.EXITED, run.stderr
    assert meter.taken.memory_mib > 90
    assert meter.taken.tasks >= 6
    assert meter.taken.cpu_s > 0.25


def test_a_command_that_never_ends_is_ended_by_the_harness() -> None:
    run = run_command(["sleep", "600"], b"", deadline_s=0.2)

    assert run.end is End.HARNESS_DEADLINE


def test_a_command_is_not_told_a_directory_of_the_host_for_its_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("ELSE", "kept")
    told = ["sh", "-c", 'echo "$ELSE ${TMPDIR-nothing}"']
    subject = commands.CommandLine("x", "x", (Language.BASH,), lambda _: told)

    run = subject.run(SkillFiles(tmp_path, Language.BASH), b"", DEFAULT_LIMITS)

    assert run.stdout == "kept nothing\n"


def test_a_lab_leaves_nothing_behind() -> None:
    with Lab() as lab:
        root = lab.root
        assert lab.key.read_text(encoding="utf-8").strip() == lab.canaries.key

    assert not root.exists()
