"""One node in one home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skilllite.errors import NodeAlreadyRunning
from skilllite.home import Home
from skilllite.lock import hold_node_lock, lock_is_held

HOLDER = """
import sys
from pathlib import Path
from skilllite.home import Home
from skilllite.lock import hold_node_lock
with hold_node_lock(Home.at(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""
TIMEOUT_S = 20


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    home.prepare()
    return home


def test_second_holder_is_told_the_pid_of_the_first(home: Home) -> None:
    with (
        hold_node_lock(home),
        pytest.raises(NodeAlreadyRunning, match=rf"\(pid {os.getpid()}\)"),
        hold_node_lock(home),
    ):
        pass


def test_lock_is_free_again_after_the_block(home: Home) -> None:
    with hold_node_lock(home):
        assert lock_is_held(home)

    assert not lock_is_held(home)
    with hold_node_lock(home):
        pass


def test_home_without_a_lock_file_is_free(home: Home) -> None:
    assert not lock_is_held(home)


def test_killed_holder_leaves_nothing_behind(home: Home) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(NodeAlreadyRunning, match=f"pid {holder.pid}"), hold_node_lock(home):
            pass

        holder.kill()
        holder.wait(TIMEOUT_S)

    with hold_node_lock(home):
        pass
