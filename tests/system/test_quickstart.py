"""The first five minutes: a tour without a terminal, a guided start with one."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from node_process import skilllite

ANSWER_WITHIN_S = 60.0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    yield home
    skilllite("node", "stop", home=home)


def test_the_tour_shows_real_results_and_leaves_nothing_behind(home: Path) -> None:
    done = skilllite("quickstart", home=home)

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["schema"] == 1
    assert report["ok"] is True
    assert [r["command"].split()[1] for r in report["results"]] == ["run"] * 2 + ["submit"] * 2
    assert all(result["result"] for result in report["results"])
    for label in ("sandbox ", "skills 12 ready", "node ", " ready ", "node stopped", "next:"):
        assert label in done.stderr
    assert not home.exists()


def test_the_tour_minds_nothing_in_the_current_folder_and_says_where_the_command_is(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "shlex.py").write_text("raise SystemExit('not ours')", encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-P", "-m", "skilllite", "quickstart"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=ANSWER_WITHIN_S,
        env={**os.environ, "SKILLLITE_HOME": str(home), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    assert str(Path(sys.executable).with_name("skilllite")) in done.stderr


def converse(home: Path, answer: str) -> tuple[int, str]:
    """Run `skilllite quickstart` at a terminal, answer its question, return status and screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "skilllite", "quickstart"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "SKILLLITE_HOME": str(home), "SKILLLITE_NODE_PORT": "0"},
        cwd=home.parent,
    )
    os.close(theirs)
    screen, answered = "", False
    deadline = time.monotonic() + ANSWER_WITHIN_S
    while time.monotonic() < deadline:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                screen += os.read(ours, 65536).decode()
            except OSError:  # the last holder of the other side is gone
                break
        elif process.poll() is not None:
            break
        if not answered and "[Y/n]" in screen:
            os.write(ours, f"{answer}\n".encode())
            answered = True
    os.close(ours)
    return process.wait(ANSWER_WITHIN_S), screen


def test_at_a_terminal_a_no_starts_nothing(home: Path) -> None:
    status, screen = converse(home, "n")

    assert status == 0, screen
    assert "next:" in screen
    assert skilllite("node", "status", home=home).returncode == 1


def test_at_a_terminal_a_yes_leaves_a_node_running(home: Path) -> None:
    status, screen = converse(home, "y")

    assert status == 0, screen
    assert "skilllite node invite" in screen
    assert skilllite("node", "status", home=home).returncode == 0
