"""Level 3 lets run what the scanner passes, and what a person agreed to; for one content each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gates import RULES, finding, lets_all_pass, scanner_that_says
from skill_files import make_skill
from skilllite_sandbox.errors import ConsentRequired, PolicyDenied, SandboxError, SandboxUnavailable
from skilllite_sandbox.gate.callback import ask_callback
from skilllite_sandbox.gate.clearance import Clearance
from skilllite_sandbox.gate.gate import Gate
from skilllite_sandbox.gate.request import Answer, ConsentRequest
from skilllite_sandbox.gate.verdicts import RECORD_NAME, Verdicts
from skilllite_sandbox.policy import Grants, Level, Origin, Policy
from skilllite_sandbox.sandbox import Job, Sandbox, entry_of
from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.report import ScanReport
from skilllite_sandbox.stage import Stage, StagedSkill
from skilllite_sandbox.values import replace

if TYPE_CHECKING:
    from skilllite_sandbox.gate.request import Ask

CRITICAL = finding(Severity.CRITICAL, code="SL301", capability=None)
HIGH = finding()
LOW = finding(Severity.LOW)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "stage")


@pytest.fixture
def staged(tmp_path: Path, stage: Stage) -> StagedSkill:
    return stage.put(make_skill(tmp_path, "demo"))


def gate_of(*findings: Finding, ask: Ask | None = None) -> Gate:
    return Gate(verdicts=Verdicts(scanner_that_says(*findings), rules=RULES), ask=ask)


class Recorded:
    """An audit log in memory."""

    def __init__(self) -> None:
        self.events: list[tuple[str, bool]] = []

    def record(self, event: str, facts: Mapping[str, object], *, durable: bool = False) -> None:
        self.events.append((event, durable))


# The verdict


@pytest.mark.parametrize("findings", [(), (LOW,)], ids=["no finding", "a light one"])
def test_what_passes_runs_without_a_question(
    staged: StagedSkill, findings: tuple[Finding, ...]
) -> None:
    clearance = gate_of(*findings, ask=lambda _: pytest.fail("asked")).clear(staged, Policy())

    assert clearance.digest == staged.digest
    assert clearance.by == ""


def test_a_critical_finding_is_refused_and_nobody_is_asked(staged: StagedSkill) -> None:
    gate = gate_of(CRITICAL, HIGH, ask=lambda _: pytest.fail("asked"))

    with pytest.raises(PolicyDenied, match="nobody can agree") as caught:
        gate.clear(staged, Policy())

    assert "scripts/main.py:3" in (caught.value.cause or "")


def test_a_heavy_finding_needs_a_person_and_there_is_none(staged: StagedSkill) -> None:
    with pytest.raises(ConsentRequired) as caught:
        gate_of(HIGH).clear(staged, Policy())

    assert "SL401" in (caught.value.cause or "")
    assert caught.value.report_id is None, "nobody keeps it"


def test_what_was_received_is_blocked_for_what_it_does_not_declare(staged: StagedSkill) -> None:
    gate = gate_of(HIGH, ask=lambda _: Answer.ONCE)

    with pytest.raises(PolicyDenied):
        gate.clear(staged, Policy(), strict=True)
    assert gate.clear(staged, Policy()).by == "terminal"


@pytest.mark.parametrize(
    ("answer", "runs"), [(Answer.NO, False), (Answer.ONCE, True), (Answer.ALWAYS, True)]
)
def test_a_heavy_finding_is_up_to_the_person(
    staged: StagedSkill, answer: Answer, runs: bool
) -> None:
    asked: list[ConsentRequest] = []

    def ask(request: ConsentRequest) -> Answer:
        asked.append(request)
        return answer

    gate = gate_of(HIGH, ask=ask)
    policy = Policy(grants=Grants(network=("api.example.com:443",)))
    if runs:
        gate.clear(staged, policy)
    else:
        with pytest.raises(ConsentRequired, match="does not run"):
            gate.clear(staged, policy)

    (request,) = asked
    text = str(request)
    assert staged.digest in text
    assert "sends something to evil.example" in text
    assert "over the network: api.example.com:443" in text


def test_a_person_is_never_asked_for_a_peer(staged: StagedSkill) -> None:
    gate = gate_of(HIGH, ask=lambda _: pytest.fail("asked"))

    with pytest.raises(ConsentRequired, match="at the node that runs it"):
        gate.clear(staged, Policy(origin=Origin.REMOTE))


def test_the_question_can_not_repaint_the_terminal(tmp_path: Path, stage: Stage) -> None:
    said = "reads\x1b[2J\r\nyes\u202e and \u2066more\x07 \u200b"
    gate = gate_of(finding(message=said), ask=lambda request: Answer(check(str(request))))

    def check(text: str) -> str:
        assert all(char == "\n" or char.isprintable() for char in text)
        assert not any(line.strip() == "yes" for line in text.splitlines())
        return "once"

    staged = stage.put(make_skill(tmp_path, "demo"))
    named = replace(staged.skill, manifest=replace(staged.skill.manifest, name="a\x1b]0;b\x07"))
    gate.clear(replace(staged, skill=named), Policy())


def test_consent_is_written_down_before_it_counts(staged: StagedSkill) -> None:
    log = Recorded()
    gate = Gate(
        verdicts=Verdicts(scanner_that_says(HIGH), rules=RULES),
        ask=lambda _: Answer.ONCE,
        recorder=log,
    )

    gate.clear(staged, Policy())

    assert log.events == [("consent.given", True)]


def test_consent_that_can_not_be_written_down_does_not_count(staged: StagedSkill) -> None:
    class Full(Recorded):
        def record(self, event: str, facts: Mapping[str, object], *, durable: bool = False) -> None:
            raise OSError("disk full")

    gate = Gate(
        verdicts=Verdicts(scanner_that_says(HIGH), rules=RULES),
        ask=lambda _: Answer.ALWAYS,
        recorder=Full(),
    )

    with pytest.raises(OSError, match="disk full"):
        gate.clear(staged, Policy())


# The clearance


def test_no_path_starts_a_job_of_level_3_that_nobody_looked_at(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        staged = sandbox.stage.put(make_skill(tmp_path))
        job = Job(staged, entry_of(staged), b"{}", Policy(Level.FULL))

        with pytest.raises(PolicyDenied, match="not cleared"):
            sandbox.start(job)
        with pytest.raises(PolicyDenied, match="not cleared"):
            sandbox.run_job(job)
        assert sandbox.run_job(sandbox.clear(job)).ok


def test_a_clearance_is_for_one_content_only(tmp_path: Path) -> None:
    with Sandbox(gate=lets_all_pass()) as sandbox:
        one = sandbox.stage.put(make_skill(tmp_path, "one"))
        other = sandbox.stage.put(make_skill(tmp_path, "other", files={"scripts/main.py": "1"}))
        cleared = sandbox.clear(Job(one, entry_of(one), b"{}", Policy()))

        with pytest.raises(PolicyDenied, match="not cleared") as caught:
            sandbox.start(replace(cleared, staged=other, entry=entry_of(other)))

    assert "other content" in (caught.value.cause or "")


@pytest.mark.parametrize(
    "changed",
    [
        {"grants": Grants(network=("api.example.com:443",))},
        {"grants": Grants(exec=("git",))},
        {"grants": Grants(env=("API_KEY",))},
        {"origin": Origin.REMOTE},
    ],
    ids=["network", "programs", "variables", "a peer's"],
)
def test_a_clearance_is_for_the_policy_it_was_given_for(
    staged: StagedSkill, changed: dict[str, Any]
) -> None:
    clearance = gate_of().clear(staged, Policy())

    with pytest.raises(PolicyDenied):
        clearance.take(staged.digest, replace(Policy(), **changed))
    clearance.take(staged.digest, Policy())


def test_consent_for_one_run_starts_one_run_whoever_is_first(staged: StagedSkill) -> None:
    clearance = Clearance(staged.digest, Policy(), single_use=True)
    taken: list[bool] = []
    together = threading.Barrier(8)

    def take() -> None:
        together.wait()
        try:
            clearance.take(staged.digest, Policy())
            taken.append(True)
        except PolicyDenied:
            taken.append(False)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == [False] * 7 + [True]


# A sandbox as a library


def test_a_library_asks_its_callback_for_each_run_and_true_alone_is_a_yes(tmp_path: Path) -> None:
    skill = make_skill(tmp_path)
    answers: list[object] = [True, False, 1, "yes", None]
    seen: list[ConsentRequest] = []

    def callback(request: ConsentRequest) -> bool:
        seen.append(request)
        return answers.pop(0)  # type: ignore[return-value]

    with Sandbox(gate=gate_of(HIGH, ask=ask_callback(callback))) as sandbox:
        assert sandbox.run(skill, {}).ok
        for _ in range(4):
            with pytest.raises(ConsentRequired):
                sandbox.run(skill, {})

    assert len(seen) == 5
    assert answers == []


def test_the_callback_of_a_sandbox_is_asked_what_the_scanner_asks(tmp_path: Path) -> None:
    seen: list[ConsentRequest] = []

    def callback(request: ConsentRequest) -> bool:
        seen.append(request)
        return False

    skill = make_skill(tmp_path, files={"scripts/main.sh": "curl -s https://api.example.com/x\n"})

    with (
        Sandbox(confirmation_callback=callback) as sandbox,
        pytest.raises(ConsentRequired),
    ):
        sandbox.run(skill, {})

    (request,) = seen
    assert "scripts/main.sh:1" in str(request)


def test_a_library_without_a_callback_refuses(tmp_path: Path) -> None:
    with Sandbox(gate=gate_of(HIGH)) as sandbox, pytest.raises(ConsentRequired):
        sandbox.run(make_skill(tmp_path), {})


@pytest.mark.parametrize("level", [Level.DIRECT, Level.ISOLATED])
def test_lower_levels_have_no_scanner(tmp_path: Path, level: Level) -> None:
    with Sandbox(level, gate=gate_of(CRITICAL)) as sandbox:
        assert sandbox.run(make_skill(tmp_path), {}).ok


# Between the look and the run


def test_what_is_looked_at_is_what_runs(tmp_path: Path) -> None:
    skill = make_skill(tmp_path, files={"scripts/main.py": "print(1)"})

    asked: list[str] = []

    def ask(request: ConsentRequest) -> Answer:
        asked.append(request.digest)
        (skill / "scripts" / "main.py").write_text("print('stolen')", encoding="utf-8")
        return Answer.ONCE

    with Sandbox(gate=gate_of(HIGH, ask=ask)) as sandbox:
        assert sandbox.run(skill, {}).output == 1
        # What is there now is other content, and is asked about anew.
        assert sandbox.run(skill, {}).text == "stolen\n"
    assert len(set(asked)) == 2


def test_a_copy_that_is_not_what_it_is_called_gets_no_verdict(staged: StagedSkill) -> None:
    script = staged.directory / "scripts" / "main.py"
    script.chmod(0o644)
    script.write_text("print('other')", encoding="utf-8")

    with pytest.raises(PolicyDenied, match="was changed"):
        gate_of().clear(staged, Policy())


# Verdicts that are kept


def verdict_file(staged: StagedSkill) -> Path:
    return staged.directory.parent / RECORD_NAME


def test_a_verdict_is_kept_beside_the_copy(staged: StagedSkill) -> None:
    scans: list[str] = []

    def scan(place: str) -> ScanReport:
        scans.append(place)
        return scanner_that_says(HIGH)(place)

    def fails(_: object) -> SandboxError:
        with pytest.raises(ConsentRequired) as caught:
            Gate(verdicts=Verdicts(scan, rules=RULES)).clear(staged, Policy())
        return caught.value

    first, second = fails(1), fails(2)

    assert len(scans) == 1
    assert (first.message, first.cause) == (second.message, second.cause)
    assert verdict_file(staged).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.update(scanner=record["scanner"] + 1),
        lambda record: record.update(rules="others"),
        lambda record: record.update(version=0),
        lambda record: record.update(digest="sha256:" + "0" * 64),
        lambda record: record.update(verdict="FINE"),
        lambda record: record.update(heavy=None),
        lambda record: record.pop("strict_verdict"),
    ],
    ids=["scanner", "rules", "version", "digest", "verdict", "findings", "part"],
)
def test_a_kept_verdict_of_anything_else_is_not_used(
    staged: StagedSkill, change: Callable[[dict[str, object]], object]
) -> None:
    lets_all_pass().clear(staged, Policy())
    file = verdict_file(staged)
    record = json.loads(file.read_text(encoding="utf-8"))
    change(record)
    file.write_text(json.dumps(record), encoding="utf-8")

    with pytest.raises(PolicyDenied):
        gate_of(CRITICAL).clear(staged, Policy())


def test_what_could_not_be_looked_at_now_is_looked_at_again(staged: StagedSkill) -> None:
    busy = finding(code="SL701", message="it took too long", capability=None)
    found = [(busy,), ()]
    verdicts = Verdicts(lambda place: scanner_that_says(*found.pop(0))(place), rules=RULES)

    with pytest.raises(ConsentRequired):
        Gate(verdicts=verdicts).clear(staged, Policy())

    assert Gate(verdicts=verdicts).clear(staged, Policy()).by == ""
    assert found == []


def test_without_a_scanner_nothing_runs(staged: StagedSkill) -> None:
    def scan(_: str) -> ScanReport:
        raise ModuleNotFoundError("No module named 'tree_sitter'")

    with pytest.raises(SandboxUnavailable, match="looks before it runs"):
        Gate(verdicts=Verdicts(scan, rules=RULES)).clear(staged, Policy())


def test_a_change_of_the_rules_asks_for_another_verdict(staged: StagedSkill) -> None:
    now = [Verdicts(scanner_that_says(), rules="mild"), Verdicts(scanner_that_says(), rules="mild")]
    strict = Verdicts(scanner_that_says(CRITICAL), rules="strict")
    gate = Gate(verdicts=lambda: now.pop(0) if now else strict)

    gate.clear(staged, Policy())
    gate.clear(staged, Policy())
    with pytest.raises(PolicyDenied):
        gate.clear(staged, Policy())


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"PASS"', "[" * 5000])
def test_a_damaged_verdict_is_made_anew(staged: StagedSkill, content: str) -> None:
    verdict_file(staged).write_text(content, encoding="utf-8")

    with pytest.raises(PolicyDenied):
        gate_of(CRITICAL).clear(staged, Policy())


def test_a_verdict_that_others_can_write_is_not_used(staged: StagedSkill) -> None:
    lets_all_pass().clear(staged, Policy())
    verdict_file(staged).chmod(0o666)

    with pytest.raises(PolicyDenied):
        gate_of(CRITICAL).clear(staged, Policy())


def test_a_verdict_that_is_a_link_is_not_used(staged: StagedSkill, tmp_path: Path) -> None:
    lets_all_pass().clear(staged, Policy())
    file = verdict_file(staged)
    file.rename(tmp_path / "elsewhere.json")
    file.symlink_to(tmp_path / "elsewhere.json")

    with pytest.raises(PolicyDenied):
        gate_of(CRITICAL).clear(staged, Policy())


def test_a_skill_can_neither_read_nor_write_verdicts(tmp_path: Path) -> None:
    script = """
import json, os
found = {}
for name in ("/skill/../scan.json", "../scan.json", os.path.dirname(__file__) + "/../../scan.json"):
    for mode in ("r", "w"):
        try:
            open(name, mode).close()
            found[name + mode] = True
        except OSError:
            pass
print(json.dumps(found))
"""
    stage = Stage(tmp_path / "stage")
    with Sandbox(stage=stage, gate=lets_all_pass()) as sandbox:
        skill = make_skill(tmp_path, files={"scripts/main.py": script})
        outcome = sandbox.run(skill, {})

    before = {
        name: kind
        for name, kind in (outcome.output or {}).items()
        if not name.startswith("../")  # its own scratch directory, one up
    }
    assert before == {}, outcome.stderr
    record = json.loads(verdict_file(stage.put(skill)).read_text(encoding="utf-8"))
    assert record["verdict"] == "PASS"


def test_a_kept_verdict_needs_no_scanner(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "stage")
    skill = make_skill(tmp_path)
    with Sandbox(stage=stage) as sandbox:
        sandbox.run(skill, {})
    program = (
        "import sys\n"
        "from skilllite_sandbox.sandbox import Sandbox\n"
        "from skilllite_sandbox.stage import Stage\n"
        "with Sandbox(stage=Stage(sys.argv[1]), pool=False) as sandbox:\n"
        "    assert sandbox.run(sys.argv[2], {}).ok\n"
        "print(*sorted(sys.modules))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(stage.root), str(skill)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ},
    )

    loaded = set(done.stdout.split())
    assert "skilllite_sandbox.gate.verdicts" in loaded
    heavy = {"yaml", "tree_sitter", "ast", "skilllite_sandbox.scan.scanner", "dataclasses"}
    assert not heavy & loaded
