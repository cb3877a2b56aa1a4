"""What /proc tells about a tree of real processes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from skilllite_sandbox.linux.shared_memory import distinct
from skilllite_sandbox.linux.tree import Tree, descendants, start_time
from skilllite_sandbox.policy import MIB

WAIT_S = 30.0
NO_LIMIT = 1 << 60


@contextmanager
def tree_of(
    script: str, *, with_root: bool = True
) -> Iterator[tuple[Tree, subprocess.Popen[bytes]]]:
    """Run a script until it says `up`, and hold its tree."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        tree = Tree(process.pid, with_root=with_root)
        try:
            assert process.stdout.readline() == b"up\n"
            yield tree, process
        finally:
            for pid in (*descendants(process.pid), process.pid):
                subprocess.run(["kill", "-9", str(pid)], check=False, stderr=subprocess.DEVNULL)
            tree.close()


def test_memory_is_the_sum_over_all_processes() -> None:
    script = f"""
import os, sys, time
for number in range(4):
    reading, writing = os.pipe()
    if not os.fork():
        held = b"x" * {20 * MIB}
        os.write(writing, b"1")
        time.sleep(600)
    os.read(reading, 1)
print("up", flush=True)
time.sleep(600)
"""
    with tree_of(script) as (tree, _):
        usage = tree.look(NO_LIMIT)

    assert usage.processes == 5
    assert 80 * MIB <= usage.memory_bytes < 140 * MIB


def test_what_a_fork_left_shared_is_counted_once_when_it_matters() -> None:
    script = f"""
import os, time
held = bytearray({64 * MIB})
held[::4096] = b"x" * len(held[::4096])
for number in range(5):
    if not os.fork():
        time.sleep(600)
print("up", flush=True)
time.sleep(600)
"""
    with tree_of(script) as (tree, _):
        rough = tree.look(NO_LIMIT).memory_bytes
        exact = tree.look(100 * MIB).memory_bytes

    assert rough > 300 * MIB
    assert 60 * MIB <= exact < 100 * MIB


def test_two_processes_with_one_memory_are_counted_once() -> None:
    script = f"""
import ctypes, os, time
held = b"x" * {64 * MIB}
libc = ctypes.CDLL(None)
stack = ctypes.create_string_buffer(1 << 16)
sleep = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(0)
CLONE_VM = 0x100
top = ctypes.cast(ctypes.byref(stack, 1 << 15), ctypes.c_void_p)
child = libc.clone(ctypes.cast(libc.pause, ctypes.c_void_p), top, CLONE_VM | 17, None)
assert child > 0
print("up", flush=True)
time.sleep(600)
"""
    with tree_of(script) as (tree, process):
        pids = [process.pid, *descendants(process.pid)]
        assert len(pids) == 2
        assert list(distinct(pids)) == [process.pid]
        assert tree.look(NO_LIMIT).memory_bytes > 128 * MIB
        assert 64 * MIB <= tree.look(70 * MIB).memory_bytes < 100 * MIB


def test_memory_is_found_when_the_first_thread_is_through() -> None:
    script = f"""
import ctypes, threading, time
def hold():
    held = b"x" * {64 * MIB}
    print("up", flush=True)
    time.sleep(600)
threading.Thread(target=hold).start()
ctypes.CDLL(None).pthread_exit(None)
"""
    with tree_of(script) as (tree, process):
        _until(lambda: _state(process.pid) == "Z")

        assert tree.look(NO_LIMIT).memory_bytes >= 64 * MIB


def test_the_root_may_be_left_out() -> None:
    script = f"import time\nheld = b'x' * {64 * MIB}\nprint('up', flush=True)\ntime.sleep(600)"
    with tree_of(script, with_root=False) as (tree, _):
        assert tree.look(NO_LIMIT).memory_bytes == 0


@pytest.mark.parametrize("waits", [True, False], ids=["waited for", "not waited for"])
def test_time_of_children_that_are_gone_stays_counted(waits: bool) -> None:
    script = f"""
import os, signal, sys, time
if not {waits}:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("up", flush=True)
for number in range(4):
    if not os.fork():
        until = time.process_time() + 0.2
        while time.process_time() < until: pass
        time.sleep(0.3)
        os._exit(0)
    try: os.wait()
    except OSError: pass
os.kill(os.getpid(), signal.SIGSTOP)
"""
    with tree_of(script) as (tree, process):
        used: list[float] = []

        def stopped() -> bool:
            used.append(tree.look(NO_LIMIT).cpu_s)
            return _state(process.pid) == "T"

        _until(stopped)

    assert used == sorted(used), "it never falls"
    assert used[-1] >= 0.7


def test_a_tree_that_is_gone_uses_nothing_more_and_raises_nothing() -> None:
    with tree_of("import time; print('up', flush=True); time.sleep(600)") as (tree, process):
        process.kill()
        process.wait()

        assert tree.look(NO_LIMIT).processes == 0


def test_a_process_that_never_was_cannot_be_held() -> None:
    with pytest.raises(OSError, match="4194304"):
        Tree(4_194_304, with_root=True)

    assert start_time(4_194_304) == -1
    assert descendants(4_194_304) == []


def _state(pid: int) -> str:
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rpartition(")")[2].split()[0]


def _until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
