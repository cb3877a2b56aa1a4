"""`skilllite-sandbox` as a program: what goes to stdout, what to stderr, which status."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from skill_files import make_skill
from skilllite_sandbox.cli import main
from skilllite_sandbox.errors import PolicyDenied


@pytest.fixture
def skill(tmp_path: Path) -> str:
    """A skill that prints its input."""
    return str(make_skill(tmp_path, "demo"))


def with_script(tmp_path: Path, script: str) -> str:
    """Return a skill of one Python script."""
    return str(make_skill(tmp_path, "scripted", files={"scripts/main.py": script}))


def test_stdout_is_the_value_and_a_newline(skill: str, capfd: pytest.CaptureFixture[str]) -> None:
    status = main(["run", skill, '{"a": 1}'])

    said = capfd.readouterr()
    assert status == 0
    assert said.out == '{"a": 1}\n'
    assert said.err == ""


def test_level_2_has_nothing_to_remark(skill: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", skill, "{}", "--sandbox-level", "2"]) == 0

    assert capfd.readouterr() == ("{}\n", "")


def test_the_value_is_printed_as_the_skill_wrote_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    skill = with_script(tmp_path, 'print(\'  {"b":1,   "a":1.50}  \\n\\n\')')

    main(["run", skill, "{}"])

    assert capfd.readouterr().out == '{"b":1,   "a":1.50}\n'


def test_input_may_come_from_stdin(
    skill: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO('{"ä": 1}'.encode())))

    assert main(["run", skill, "-"]) == 0
    assert json.loads(capfd.readouterr().out) == {"ä": 1}


def test_input_on_stdin_is_bounded(
    skill: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"x" * (5 << 20))))

    assert main(["run", skill, "-"]) == 2
    assert "exceeds" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("script", "arguments", "status", "reason"),
    [
        ("print(1)", [], 0, "ok"),
        ("print('hello')", [], 0, "not_json"),
        ("print(1); raise SystemExit(7)", [], 1, "exit"),
        ("import time; time.sleep(60)", ["--timeout", "0.3"], 124, "timeout"),
        ("import os; os.kill(os.getpid(), 9)", [], 1, "signal"),
        ("x = bytes(1 << 30)", ["--max-memory", "64"], 1, "memory"),
        ("import os; os.abort()", [], 1, "signal"),
    ],
)
def test_each_ending_has_its_status(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    script: str,
    arguments: list[str],
    status: int,
    reason: str,
) -> None:
    skill = with_script(tmp_path, script)

    # At level 2, as some of them the scanner would ask about.
    assert main(["run", skill, "{}", "--json", "--sandbox-level", "2", *arguments]) == status

    outcome = json.loads(capfd.readouterr().out)
    assert outcome["reason"] == reason
    assert outcome["ok"] is (status == 0)


def test_a_failure_prints_what_there_is_and_says_what_happened(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    skill = with_script(tmp_path, 'print(\'{"error": "no"}\'); raise SystemExit(2)')

    assert main(["run", skill, "{}", "--sandbox-level", "2"]) == 1

    said = capfd.readouterr()
    assert said.out == '{"error": "no"}\n'
    assert said.err == (
        "error: exit status 2: no\n"
        "hint: change the input; the skill's SKILL.md says what it takes\n"
    )


@pytest.mark.parametrize(
    ("script", "hint"),
    [
        ("raise SystemExit(2)", "the skill said nothing about it"),
        ("raise SystemExit('why')", "what the skill wrote about it stands above"),
        ("print('{\"error\": [1]}'); raise SystemExit(2)", "the skill said nothing about it"),
        ("import os; os.kill(os.getpid(), 9)", "the skill said nothing about it"),
    ],
)
def test_every_failure_has_a_hint(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], script: str, hint: str
) -> None:
    assert main(["run", with_script(tmp_path, script), "{}", "--sandbox-level", "2"]) == 1

    said = capfd.readouterr().err
    assert said.count("error:") == 1
    assert f"hint: {hint}" in said


@pytest.mark.parametrize(
    "arguments", [["run", "x", "-"], ["mcp"], ["run", "x", "{}", "--max-memory", "1"]]
)
def test_every_error_has_a_hint(
    arguments: list[str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    skill = with_script(tmp_path, "print(1)")

    assert main([skill if word == "x" else word for word in arguments]) in (2, 3)

    assert "hint: " in capfd.readouterr().err


@pytest.mark.parametrize("arguments", [["--timeout", "soon"], ["--max-memory", "much"]])
def test_what_is_no_number_is_said_to_be_none(
    arguments: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["run", "x", "{}", *arguments])

    assert left.value.code == 2
    said = capfd.readouterr().err
    assert "number above 0" in said
    assert "_seconds" not in said and "_megabytes" not in said
    assert said.startswith("error: ")
    assert said.endswith("hint: see `skilllite-sandbox run --help`\n")


def test_output_that_is_not_json_is_printed_with_a_note(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    skill = with_script(tmp_path, "print('two'); print('lines')")

    assert main(["run", skill, "{}", "--sandbox-level", "2"]) == 0

    said = capfd.readouterr()
    assert said.out == "two\nlines\n"
    assert said.err == "note: output is not one JSON value; printed as it came\n"


def test_what_a_skill_logs_cannot_steer_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    skill = with_script(
        tmp_path, "import sys; print('\\x1b]0;owned\\x07 \\u202e', file=sys.stderr); print(1)"
    )

    main(["run", skill, "{}"])

    said = capfd.readouterr().err
    assert "\\x1b]0;owned\\x07 \\u202e" in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["{", ""], 2),
        (["[]"], 2),
        (["{}", "--sandbox-level", "4"], 2),
        (["{}", "--timeout", "-1"], 2),
        (["{}", "--timeout", "nan"], 2),
        (["{}", "--max-memory", "0"], 2),
        (["{}", "--max-memory", "1"], 2),
        (["{}", "--allow-network", "*.example.com"], 2),
        ([], 2),
        (["{}", "--unknown"], 2),
    ],
)
def test_wrong_calls_have_a_status_and_one_error(
    skill: str, capfd: pytest.CaptureFixture[str], arguments: list[str], status: int
) -> None:
    try:
        found = main(["run", skill, *arguments])
    except SystemExit as leaving:
        found = int(str(leaving.code))

    said = capfd.readouterr()
    assert found == status
    assert said.out == ""
    assert said.err.count("error:") == 1


def test_a_missing_skill_is_not_found(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tmp_path / "none"), "{}"]) == 5
    assert main(["exec", str(make_skill(tmp_path)), "scripts/no.py", "{}"]) == 5

    assert capfd.readouterr().out == ""


def test_exec_runs_one_script(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    skill = make_skill(
        tmp_path, files={"scripts/a.py": "print(1)", "scripts/deep/b.py": "print(2)"}
    )

    assert main(["exec", str(skill), "scripts/deep/b.py", "{}"]) == 0
    assert capfd.readouterr().out == "2\n"


def test_a_refusal_is_an_outcome_for_machines(
    skill: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise PolicyDenied("not on this machine")

    monkeypatch.setattr("skilllite_sandbox.sandbox.Sandbox.run_job", nowhere)
    assert main(["run", skill, "{}", "--json"]) == 3

    said = capfd.readouterr()
    outcome = json.loads(said.out)
    assert outcome["ok"] is False
    assert outcome["reason"] == "refused"
    assert outcome["enforced"] == []
    assert "error: not on this machine" in said.err


def test_a_grant_that_nobody_asked_for_has_no_effect_and_that_is_said(
    skill: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", skill, "{}", "--json", "--allow-network", "example.com"]) == 0

    said = capfd.readouterr()
    assert "no-network" in json.loads(said.out)["enforced"]
    assert "does not ask for example.com" in said.err


def test_a_plan_is_printed_without_running_anything(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    skill = with_script(tmp_path, "raise SystemExit('it ran')")

    assert main(["run", skill, "--explain", "--sandbox-level", "2"]) == 0
    text = capfd.readouterr().out
    assert main(["run", skill, "--explain", "--sandbox-level", "2", "--json"]) == 0
    plan = json.loads(capfd.readouterr().out)

    assert "tier full, level 2, python" in text
    assert "syscalls killed" in text and " ptrace " in text
    assert plan["tier"] == "full"
    assert "ptrace" in plan["syscalls"]["killed"]
    assert plan["network"] == []


def test_what_a_skill_lacks_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    skill = make_skill(tmp_path, extra="compatibility: Requires network access\n")

    main(["run", str(skill), "{}", "--sandbox-level", "2"])

    assert "network" in capfd.readouterr().err


def test_doctor_tells_what_this_host_can_enforce(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "tier full" in capfd.readouterr().out

    assert main(["doctor", "--json"]) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["schema"] == 1
    assert report["tier"] == "full"
    assert all(check["ok"] for check in report["checks"] if check["required"])


@pytest.mark.parametrize("command", ["mcp"])
def test_what_is_not_built_says_so(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([command]) == 3

    assert "not built yet" in capfd.readouterr().err
