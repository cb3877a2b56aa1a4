"""`skilllite run` and `skilllite exec`, as a person types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from person import lets_hide, trusts
from skill_files import make_skill
from skilllite.cli.main import main
from skilllite.home import Home

DEADLINE_S = 60.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test, and a working directory without skills."""
    place = tmp_path / "home"
    monkeypatch.setenv("SKILLLITE_HOME", str(place))
    monkeypatch.chdir(tmp_path)
    return place


def test_a_directory_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(make_skill(tmp_path)), '{"a": 1}']) == 0

    said = capfd.readouterr()
    assert said.out == '{"a": 1}\n'
    assert said.err == ""


def test_an_installed_name_runs(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_skill(home / "skills", "greeter", files={"scripts/main.py": "print('\"hi\"')"})

    assert main(["run", "greeter", "{}"]) == 0
    assert capfd.readouterr().out == '"hi"\n'


def test_a_bundled_name_runs(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "calculator", '{"operation": "add", "a": 2, "b": 3}']) == 0

    assert json.loads(capfd.readouterr().out)["result"] == 5


def test_a_folder_of_that_name_wins_only_if_it_is_a_skill(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make_skill(home / "skills", "greeter", files={"scripts/main.py": "print(1)"})
    (tmp_path / "greeter").mkdir()
    assert main(["run", "greeter", "{}"]) == 0
    (tmp_path / "greeter").rmdir()
    make_skill(tmp_path, "greeter", files={"scripts/main.py": "print(2)"})
    assert main(["run", "greeter", "{}"]) == 0

    assert capfd.readouterr().out == "1\n2\n"


def test_an_unknown_name_is_not_found_and_a_near_one_proposed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["run", "calculater", "{}"]) == 5

    said = capfd.readouterr()
    assert said.out == ""
    assert "calculator" in said.err


def test_what_a_name_hides_is_said_once(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = make_skill(tmp_path / ".skills", "calculator", files={"scripts/main.py": "print(1)"})
    trusts(Home.at(home), tmp_path)
    lets_hide(Home.at(home), other)

    for words in (["run", "calculator", "{}"], ["exec", "calculator", "scripts/main.py", "{}"]):
        assert main(words) == 0
        said = capfd.readouterr()
        assert said.out == "1\n"
        assert said.err.count("calculator is the project one") == 1
        assert "not the bundled one in" in said.err
    assert main(["run", ".skills/calculator", "{}"]) == 0
    assert "bundled" not in capfd.readouterr().err


@pytest.mark.parametrize("given", [".", "./plain"])
def test_a_folder_without_a_manifest_is_named_as_it_was_typed(
    given: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plain").mkdir()

    assert main(["run", given, "{}"]) == 1

    said = capfd.readouterr().err
    assert f"no SKILL.md in {Path(given).absolute()}" in said
    assert "hint:" in said


def test_a_name_that_no_file_can_have_is_not_found(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "x" * 5000, "{}"]) == 5

    assert "there is no skill 'xxx" in capfd.readouterr().err


def test_exec_runs_one_script_of_a_skill(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    skill = make_skill(tmp_path, files={"scripts/a.py": "print(1)", "scripts/b.py": "print(2)"})

    assert main(["exec", str(skill), "scripts/b.py", "{}"]) == 0
    assert main(["run", str(skill), "{}"]) == 1

    said = capfd.readouterr()
    assert said.out == "2\n"
    assert "exec" in said.err


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["{"], 2),
        (["[]"], 2),
        (["{}", "--allow-network", "*.example.com"], 2),
        (["{}", "--sandbox-level", "0"], 2),
        (["{}", "--timeout", "x"], 2),
    ],
)
def test_wrong_calls_have_the_documented_status(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], status: int
) -> None:
    assert main(["run", str(make_skill(tmp_path)), *arguments]) == status

    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.count("error:") == 1


@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_outcome_is_the_machine_contract(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], level: int
) -> None:
    skill = str(make_skill(tmp_path))

    assert main(["run", skill, "{}", "--json", "--sandbox-level", str(level)]) == 0

    outcome = json.loads(capfd.readouterr().out)
    assert outcome.keys() >= {
        *("output", "text", "ok", "reason", "exit_code", "signal", "duration_ms", "tier"),
        *("level", "enforced", "violations", "stderr", "limits"),
    }
    assert outcome["level"] == level
    assert outcome["tier"] == ("none" if level == 1 else "full")
    checks = {"scan", "consent"} & {*outcome["enforced"]}
    assert checks == ({"scan", "consent"} if level == 3 else set())


def test_the_level_comes_from_the_settings_unless_a_flag_says_otherwise(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILLLITE_SANDBOX_LEVEL", "2")
    skill = str(make_skill(tmp_path))

    main(["run", skill, "{}", "--json"])
    main(["run", skill, "{}", "--json", "--sandbox-level", "3"])

    levels = [json.loads(line)["level"] for line in capfd.readouterr().out.splitlines()]
    assert levels == [2, 3]


def test_a_folder_cannot_lower_the_level(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".env").write_text("SKILLLITE_SANDBOX_LEVEL=1\n", encoding="utf-8")

    main(["run", str(make_skill(tmp_path)), "{}", "--json"])

    assert json.loads(capfd.readouterr().out)["level"] == 3


def test_a_second_run_uses_the_same_copy(
    tmp_path: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    skill = str(make_skill(tmp_path))
    main(["run", skill, "{}"])
    copies = sorted(path.name for path in (home / "stage").glob("[0-9a-f]*"))
    main(["run", skill, "{}"])

    assert sorted(path.name for path in (home / "stage").glob("[0-9a-f]*")) == copies
    assert len(copies) == 1


def skilllite(*words: str, **variables: str) -> subprocess.Popen[bytes]:
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "skilllite", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_without_bubblewrap_it_runs_all_the_same(tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()

    with skilllite("run", str(make_skill(tmp_path)), "{}", PATH=str(empty)) as process:
        out, err = process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 0, err
    assert out


@pytest.mark.parametrize("level", ["1", "3"])
def test_ctrl_c_ends_the_run_with_all_its_processes(tmp_path: Path, level: str) -> None:
    script = "import sys, time; print('started', file=sys.stderr, flush=True); time.sleep(600)"
    skill = str(make_skill(tmp_path, files={"scripts/main.py": script}))

    with skilllite("run", skill, "{}", "--sandbox-level", level) as process:
        assert process.stderr is not None
        while process.stderr.readline() != b"started\n":
            pass
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 130
    assert out == b""
    assert err == b"interrupted\n"
    assert children.split()
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in children.split()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_stands_around_a_run_elsewhere_is_shown_and_not_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    skill = str(make_skill(tmp_path))

    assert main(["run", skill, "{}", "--explain", "--system", "darwin"]) == 0
    shown = capfd.readouterr().out
    assert main(["run", skill, "{}", "--system", "windows"]) == 2

    assert shown.startswith("system darwin, Seatbelt, untested on hardware: nothing starts this")
    assert "(deny default)" in shown
    assert "--explain" in capfd.readouterr().err


def test_a_variable_that_would_accept_a_tier_is_ignored_and_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILLLITE_SANDBOX_ACCEPT_TIER", "landlock")

    assert main(["run", str(make_skill(tmp_path)), "{}"]) == 0

    assert "SKILLLITE_SANDBOX_ACCEPT_TIER is ignored" in capfd.readouterr().err


def test_the_tier_that_the_config_accepts_is_the_runs(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text("[sandbox]\naccept_tier = 'full'\n", encoding="utf-8")

    assert main(["run", str(make_skill(tmp_path)), "{}", "--json"]) == 0

    assert json.loads(capfd.readouterr().out)["tier"] == "full"
