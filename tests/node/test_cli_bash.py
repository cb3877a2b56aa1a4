"""`skilllite bash`, as a person types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill_files import make_skill
from skilllite.cli.main import main

TOOLS = "allowed-tools: Bash(git version) Bash(cat:*)\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test, and a working directory without skills."""
    place = tmp_path / "home"
    monkeypatch.setenv("SKILLLITE_HOME", str(place))
    monkeypatch.setenv("SKILLLITE_SANDBOX_LEVEL", "2")
    monkeypatch.chdir(tmp_path)
    return place


def test_a_directory_and_an_installed_name_run(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make_skill(home / "skills", "installed", extra=TOOLS, files={"notes.txt": "hi\n"})
    make_skill(tmp_path, "local", extra=TOOLS, files={"notes.txt": "there\n"})

    assert main(["bash", "installed", "cat /skill/notes.txt"]) == 0
    assert main(["bash", "./local", "cat /skill/notes.txt"]) == 0

    assert capfd.readouterr() == ("hi\nthere\n", "")


def test_a_flag_grants_for_one_run_and_the_home_s_settings_for_all(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make_skill(tmp_path, "local", extra=TOOLS, files={})
    command = ["bash", "./local", "git version"]

    assert main(command) == 4
    assert "git can run hooks, aliases" in capfd.readouterr().err
    assert main([*command, "--allow-exec", "git"]) == 0
    assert main(command) == 4

    (home / "config.toml").write_text('sandbox.allow_exec = ["git"]\n', encoding="utf-8")
    assert main(command) == 0
    assert capfd.readouterr().out.count("git version ") == 2


def test_a_folder_grants_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".env").write_text("SKILLLITE_SANDBOX_ALLOW_EXEC=git\n", encoding="utf-8")
    make_skill(tmp_path, "local", extra=TOOLS, files={})

    assert main(["bash", "./local", "git version"]) == 4
    assert "git is not granted" in capfd.readouterr().err


def test_what_is_not_allowed_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_skill(tmp_path, "local", extra=TOOLS, files={})

    assert main(["bash", "./local", "cat x; git push", "--allow-exec", "git"]) == 3
    assert "does not allow `git push`" in capfd.readouterr().err
    assert main(["bash", "nowhere", "cat x"]) == 5
    assert main(["bash", "./local"]) == 2


def test_run_takes_the_same_grants(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = "import subprocess as s\ns.run(['git', '--version'])"
    extra = "metadata:\n  skilllite.exec: git\n"
    make_skill(tmp_path, "local", extra=extra, files={"scripts/main.py": script})

    assert main(["run", "./local", "{}"]) == 1
    assert main(["run", "./local", "{}", "--allow-exec", "git"]) == 0
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text('sandbox.allow_exec = ["git", "jq"]\n', encoding="utf-8")
    capfd.readouterr()
    assert main(["run", "./local", "{}"]) == 0

    said = capfd.readouterr()
    assert said.out.startswith("git version ")
    assert "no effect" not in said.err, "nobody asked for jq, and that is nothing to remark"
