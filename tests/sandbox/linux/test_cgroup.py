"""Groups of runs, on a host that lets this process make some."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from skilllite_sandbox.linux import cgroup_home
from skilllite_sandbox.linux.cgroup import Counted, RunGroup
from skilllite_sandbox.linux.cgroup_home import Home, Place, find_home
from skilllite_sandbox.policy import DEFAULT_LIMITS, MIB

SMALL = replace(DEFAULT_LIMITS, memory_bytes=48 * MIB, scratch_bytes=16 * MIB)
DEATH_S = 10.0


@pytest.fixture
def home() -> Home:
    found = find_home()
    if found is None:
        pytest.skip("this host delegates no control group to this user")
    return found


@pytest.fixture
def group(home: Home) -> Iterator[RunGroup]:
    made = RunGroup(home, SMALL)
    yield made
    made.kill()
    assert _is_removed(made), "a group outlived its run"


def directories(home: Home, pid: int) -> set[str]:
    """Return the groups that a process made."""
    places = {place.directory for place in (home.memory, home.cpu) if place is not None}
    return {str(path) for place in places for path in Path(place).glob(f"skilllite-{pid}-*")}


def _is_removed(group: RunGroup) -> bool:
    deadline = time.monotonic() + DEATH_S
    while not group.remove():
        if time.monotonic() > deadline:
            return False
    return True


def start(script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", f"input()\n{script}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def go(process: subprocess.Popen[bytes]) -> bytes:
    return process.communicate(b"\n", timeout=60)[0]


def test_a_group_holds_what_its_processes_start(group: RunGroup) -> None:
    with start("import os, time\nos.fork(), os.fork()\ntime.sleep(600)") as process:
        group.attach(process.pid)
        assert group.processes() == [process.pid]
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()

        deadline = time.monotonic() + DEATH_S
        while len(group.processes()) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(group.processes()) == 4
        group.kill()
        assert process.wait(DEATH_S) == -signal.SIGKILL


def test_what_was_started_before_is_moved_too(group: RunGroup) -> None:
    script = """
import os, sys
for number in range(3):
    if not os.fork():
        sys.stdin.read()
        os._exit(0)
print("up", flush=True)
sys.stdin.read()
"""
    with start(script) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"up\n"

        group.attach(process.pid)

        assert len(group.processes()) == 4
        process.kill()


def test_processes_that_nobody_waited_for_are_counted(group: RunGroup, home: Home) -> None:
    if home.cpu is None:
        pytest.skip("no group counts processor time here")
    burn = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for number in range(6):
    if not os.fork():
        until = time.process_time() + 0.1
        while time.process_time() < until: pass
        os._exit(0)
    try: os.wait()
    except OSError: pass
print(os.times().children_user)
"""
    with start(burn) as process:
        group.attach(process.pid)
        said = float(go(process))

    counted = group.counted().cpu_s
    assert said < 0.1, "the control: the parent knows nothing of it"
    assert counted is not None and counted >= 0.55


def test_memory_above_the_bound_is_killed_and_said(group: RunGroup, home: Home) -> None:
    if home.memory is None:
        pytest.skip("no group counts memory here")
    with start(f"bytearray({40 * MIB})\nprint('held')") as process:
        group.attach(process.pid)
        assert go(process) == b"held\n"
    assert not group.counted().out_of_memory

    with start(f"held = b'x' * {100 * MIB}\nprint('held')") as process:
        group.attach(process.pid)
        assert go(process) == b""

    assert process.returncode == -signal.SIGKILL
    assert group.counted().out_of_memory


def test_a_group_without_cgroup_kill_is_emptied_as_well(home: Home) -> None:
    if home.memory is None or home.memory.version != 1:
        pytest.skip("this host has no version 1")
    only_old = RunGroup(Home(home.memory, None), SMALL)
    with start("pass") as process:
        only_old.attach(process.pid)

        only_old.kill()

        assert process.wait(DEATH_S) == -signal.SIGKILL
    assert _is_removed(only_old)


def test_a_place_that_cannot_be_written_leaves_nothing(home: Home, tmp_path: Path) -> None:
    before = directories(home, os.getpid())
    unusable = Home(home.memory or home.cpu, Place(str(tmp_path / "none"), 2))

    with pytest.raises(OSError, match="none"):
        RunGroup(unusable, SMALL)

    assert directories(home, os.getpid()) == before


def test_the_groups_of_a_host_that_was_killed_are_removed_by_the_next(home: Home) -> None:
    script = (
        "import os, sys\nsys.path[:0] = sys.argv[1:]\n"
        "from skilllite_sandbox.linux.cgroup import RunGroup\n"
        "from skilllite_sandbox.linux.cgroup_home import find_home\n"
        "from skilllite_sandbox.policy import DEFAULT_LIMITS\n"
        "group = RunGroup(find_home(), DEFAULT_LIMITS)\n"
        "print(os.getpid(), group.processes(), flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", script, *sys.path]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    pid, _, processes = done.stdout.decode().strip().partition(" ")
    assert processes == "[]", "the control: there was a group"

    find_home()

    assert directories(home, int(pid)) == set()


def test_a_name_says_who_made_it() -> None:
    first, second = cgroup_home.new_name(), cgroup_home.new_name()

    assert first != second
    assert first.startswith(f"skilllite-{os.getpid()}-")


def test_version_2_is_bounded_without_swap_and_killed_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a directory like the kernel's: this machine's memory controller may be of version 1."""
    files = dict.fromkeys(("memory.max", "memory.swap.max", "memory.oom.group"), "")
    files |= {
        "cpu.stat": "usage_usec 2500000\nuser_usec 1\n",
        "memory.events": "max 3\noom_kill 0\n",
    }
    make = os.mkdir

    def mkdir(path: str, mode: int) -> None:
        make(path, mode)
        for name, text in files.items():
            Path(path, name).write_text(text, encoding="ascii")

    monkeypatch.setattr(os, "mkdir", mkdir)
    place = Place(str(tmp_path), 2)
    group = RunGroup(Home(place, place), SMALL)
    (made,) = tmp_path.iterdir()

    assert (made / "memory.max").read_text(encoding="ascii") == str(64 * MIB)
    assert (made / "memory.swap.max").read_text(encoding="ascii") == "0"
    assert (made / "memory.oom.group").read_text(encoding="ascii") == "1"
    assert group.counted() == Counted(cpu_s=2.5, out_of_memory=False)
    (made / "memory.events").write_text("max 9\noom 2\noom_kill 1\n", encoding="ascii")
    assert group.counted().out_of_memory
