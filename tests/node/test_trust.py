"""Drift and denylist as a person meets them: the real command, at every level."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from skill_files import make_skill
from skilllite.cli.main import main
from skilllite.home import Home
from skilllite.trust import compute_starter_digests, starter_digests
from skilllite_sandbox.digest import compute_digest

LEVELS = ("1", "2", "3")
FILES: dict[str, str | bytes] = {
    "scripts/main.py": "import json\nprint(json.dumps({'ran': True}))\n",
    "notes.txt": "hello\n",
}


class Lab:
    def __init__(self, base: Path) -> None:
        self.base = base
        self.home = base / "home"
        self.work = base / "work"
        self.work.mkdir()
        make_skill(self.work, "report", files=FILES)

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "skilllite", *words],
            env={"PATH": "/usr/bin:/bin", "SKILLLITE_HOME": str(self.home), "HOME": str(self.base)},
            cwd=self.work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def skill(self) -> Path:
        return self.home / "skills/report"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path)
    added = lab("add", "report")
    assert added.returncode == 0, added.stderr
    shutil.rmtree(lab.work / "report")
    return lab


def test_the_list_of_starter_digests_is_up_to_date() -> None:
    # `python -m skilllite.trust > node/skilllite/starter_digests.json` writes it.
    assert starter_digests() == compute_starter_digests()
    assert len(starter_digests()) == 12


@pytest.mark.parametrize("level", LEVELS)
def test_an_installed_skill_runs_until_it_is_changed(lab: Lab, level: str) -> None:
    words = ("run", "report", "{}", "--sandbox-level", level)
    before = lab(*words)
    (lab.skill / "notes.txt").write_bytes(b"hellp\n")
    after = lab(*words)
    machine = lab(*words, "--json")
    (lab.skill / "notes.txt").write_bytes(b"hello\n")
    again = lab(*words)

    assert (before.returncode, json.loads(before.stdout)) == (0, {"ran": True})
    assert (after.returncode, after.stdout) == (3, "")
    assert "report is not what was installed" in after.stderr
    assert "changed notes.txt" in after.stderr
    assert "skilllite verify report" in after.stderr
    assert (machine.returncode, json.loads(machine.stdout)["reason"]) == (3, "refused")
    assert again.returncode == 0


SAMPLES: dict[str, Callable[[Path], object]] = {
    "a byte of SKILL.md": lambda skill: _flip(skill / "SKILL.md", 20),
    "a byte of its name": lambda skill: _flip(skill / "SKILL.md", 12),
    "the first byte": lambda skill: _flip(skill / "SKILL.md", 0),
    "no SKILL.md": lambda skill: (skill / "SKILL.md").unlink(),
    "an added file": lambda skill: (skill / "more").touch(),
    "a mode": lambda skill: (skill / "notes.txt").chmod(0o666),
    "a rename": lambda skill: (skill / "notes.txt").rename(skill / "note.txt"),
    "a link": lambda skill: (skill / "link").symlink_to("/etc/passwd"),
    "an empty folder": lambda skill: (skill / "empty").mkdir(),
    "a .git file": lambda skill: (skill / ".git").write_text("gitdir: elsewhere\n"),
}


def _flip(path: Path, place: int) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("change", SAMPLES)
def test_every_kind_of_change_stops_the_real_command(lab: Lab, change: str, level: str) -> None:
    SAMPLES[change](lab.skill)
    for skill in ("report", str(lab.skill)):
        ran = lab("run", skill, "{}", "--sandbox-level", level)

        assert (ran.returncode, ran.stdout) == (3, ""), ran.stderr
        assert "report is not what was installed" in ran.stderr


def test_exec_and_the_library_refuse_too(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    from skilllite.sdk import run_skill
    from skilllite_sandbox.errors import SkillChanged

    (lab.skill / "more").touch()
    ran = lab("exec", "report", "scripts/main.py", "{}")
    monkeypatch.setenv("SKILLLITE_HOME", str(lab.home))

    assert ran.returncode == 3
    with pytest.raises(SkillChanged):
        run_skill("report", "{}", sandbox_level=1)


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_on_the_denylist_runs_at_no_level(lab: Lab, level: str) -> None:
    entry = {"digest": compute_digest(lab.skill), "reason": "it steals"}
    denylist = json.dumps({"schema": 1, "entries": [entry]})
    Path(Home.at(lab.home).denylist_name).write_text(denylist, encoding="utf-8")

    ran = lab("run", "report", "{}", "--sandbox-level", level)

    assert (ran.returncode, ran.stdout) == (3, "")
    assert "it steals" in ran.stderr


def test_a_removed_skill_is_forgotten(lab: Lab) -> None:
    assert lab("remove", "report").returncode == 0
    make_skill(lab.skill.parent, "report", files=FILES)

    assert lab("run", "report", "{}").returncode == 0


@pytest.mark.parametrize("words", [("run", "calculator", "{}"), ("add", "source/small", "--force")])
def test_nothing_runs_and_nothing_comes_in_where_others_can_replace_the_register(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SKILLLITE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    assert main(["add", str(make_skill(tmp_path / "source", "small"))]) == 0
    (tmp_path / "home").chmod(0o777)

    assert main(words) == 1

    assert "can be written by others" in capfd.readouterr().err
