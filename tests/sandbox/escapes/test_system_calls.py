"""Attacks below the standard library: raw system calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox_lab import OTHER_USER
from skill_files import make_skill
from skilllite_sandbox.policy import Level, Tier
from skilllite_sandbox.sandbox import Sandbox
from skilllite_sandbox.seccomp.syscalls import TABLES

NUMBERS = TABLES.get(os.uname().machine, {})
HOSTILE = [
    *("ptrace", "process_vm_readv", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup"),
    *("keyctl", "add_key", "mount", "umount2", "pivot_root", "chroot", "setns", "unshare"),
    *("open_by_handle_at", "fsopen", "move_mount", "init_module", "kexec_load", "reboot"),
    *("syslog", "clock_settime", "swapon", "fanotify_init", "pidfd_getfd", "memfd_secret"),
]


def call(number: int, *arguments: int) -> str:
    """Return a script that makes one call and prints what came back."""
    numbers = ", ".join(f"ctypes.c_long({value})" for value in (number, *arguments))
    return f"""
import ctypes, json
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall({numbers})
print(json.dumps([result, ctypes.get_errno()]))
"""


def outside(script: str) -> list[list[int]]:
    """Return what a script says on the bare host, without any right of root."""
    command = [sys.executable if os.geteuid() else "/usr/bin/python3", "-c", script]
    if os.geteuid() == 0:
        user = str(OTHER_USER)
        command[:0] = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--"]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_outside_the_hostile_calls_kill_nobody() -> None:
    # Each with arguments that make no sense, so that nothing comes of it.
    script = "".join(call(NUMBERS[name], *[-1] * 6) for name in HOSTILE)

    answers = outside(script)

    assert len(answers) == len(HOSTILE)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_call_ends_the_run_as_a_violation(
    name: str, lab_skill: Path, sandbox: Sandbox
) -> None:
    (lab_skill / "scripts/main.py").write_text(call(NUMBERS[name]), encoding="utf-8")

    outcome = sandbox.run(lab_skill, {})

    assert outcome.reason == "violation", outcome
    assert outcome.violations == ("killed for a forbidden system call",)


CLONE_NEWUSER = 0x1000_0000
CLONE_NEWNS = 0x0002_0000
SIGCHLD = 17
EPERM, EACCES, ENOSYS, EAFNOSUPPORT, ENOTTY, ENOPROTOOPT, EINVAL = 1, 13, 38, 97, 25, 92, 22
TIOCSTI = 0x5412
HIGH_BIT = 1 << 32
SAME_OUTSIDE = {
    *(("ioctl", (TIOCSTI,)), ("ioctl", (TIOCSTI | HIGH_BIT,))),  # stdin is no terminal
    *(("setuid", ()), ("setresuid", (0,)), ("setgroups", (0,)), ("prlimit64", (7,))),  # no root
    ("socket", (1,)),  # not every kernel has AF_VSOCK
    ("madvise", (4096,)),  # nor merges pages
}
"""Calls that answer a plain user the same without a filter, here or on some hosts."""


@pytest.mark.parametrize(
    ("name", "arguments", "errno"),
    [
        ("clone", (SIGCHLD,), EPERM),
        ("clone", (CLONE_NEWUSER | SIGCHLD,), EPERM),
        ("clone", (CLONE_NEWNS | 0x10000,), EPERM),
        ("clone3", (0, 0), ENOSYS),
        ("execve", (0, 0, 0), EACCES),
        ("execveat", (0, 0, 0, 0, 0), EPERM),
        ("memfd_create", (0, 0), EPERM),
        ("seccomp", (0, 0, 0), EPERM),
        ("prctl", (22, 2, 0), EPERM),  # PR_SET_SECCOMP
        ("prctl", (4, 1, 0), EPERM),  # PR_SET_DUMPABLE
        ("landlock_create_ruleset", (0, 0, 1), EPERM),
        ("prlimit64", (1, 7, 0, 0), EPERM),
        ("prlimit64", (HIGH_BIT, 7, 0, 0), EPERM),
        ("setuid", (0,), EPERM),
        ("setresuid", (0, 0, 0), EPERM),
        ("setgroups", (0, 0), EPERM),
        ("capset", (0, 0), EPERM),
        ("socket", (1, 1, 0), EAFNOSUPPORT),
        ("socket", (40, 1, 0), EAFNOSUPPORT),  # AF_VSOCK
        ("socketpair", (2, 1, 0, 0), EAFNOSUPPORT),
        ("ioctl", (0, TIOCSTI, 0), ENOTTY),
        ("ioctl", (0, TIOCSTI | HIGH_BIT, 0), ENOTTY),
        ("mmap", (0, 4096, 3, 0x21, -1, 0), EPERM),  # shared and anonymous: uncounted memory
        ("mmap", (0, 4096, 7, 0x22, -1, 0), EPERM),  # writable and executable
        ("mmap", (0, 4096, 5, 0x22, -1, 0), EPERM),  # executable out of nothing
        ("shmget", (0, 4096, 0o1600), EPERM),
        ("personality", (0x0040000,), EPERM),  # ADDR_NO_RANDOMIZE
        ("sched_setscheduler", (0, 1, 0), EPERM),
        ("mlockall", (1,), EPERM),
        ("inotify_init1", (0,), EPERM),
        ("fcntl", (0, 8, 1), EPERM),  # F_SETOWN
        ("fcntl", (0, 10, 9), EPERM),  # F_SETSIG
        ("fcntl", (0, 15, 0), EPERM),  # F_SETOWN_EX
        ("fcntl", (0, 1024, 0), EPERM),  # F_SETLEASE
        ("fcntl", (0, 1026, 1), EPERM),  # F_NOTIFY
        ("fcntl", (0, 1031, 1 << 20), EPERM),  # F_SETPIPE_SZ
        ("mmap", (0, 4096, 3, 0x122, -1, 0), EPERM),  # grows down: uncounted memory
        ("mmap", (0, 4096, 5, 0x122, -1, 0), EPERM),
        ("mmap", (0, 1 << 21, 3, 0x40022, -1, 0), EPERM),  # huge pages: everybody's
        ("getsockopt", (3, 1, 77, 0, 0), ENOPROTOOPT),  # SO_PEERPIDFD of the host
        ("madvise", (0, 4096, 12), EINVAL),  # MADV_MERGEABLE
        ("pidfd_open", (1, 0), EPERM),
        ("pidfd_send_signal", (0, 0, 0, 0), EPERM),
        ("rt_sigqueueinfo", (1, 9, 0), EPERM),
        ("splice", (0, 0, 0, 0, 0, 0), EPERM),
        ("fchownat", (0, 0, 0, 0, 0), EPERM),
    ],
)
def test_a_refused_call_fails_with_an_errno(
    name: str, arguments: tuple[int, ...], errno: int, lab_skill: Path, sandbox: Sandbox
) -> None:
    (lab_skill / "scripts/main.py").write_text(call(NUMBERS[name], *arguments), encoding="utf-8")

    outcome = sandbox.run(lab_skill, {})

    assert outcome.output == [-1, errno], outcome
    if (name, arguments[1:2]) not in SAME_OUTSIDE:
        bare = outside(call(NUMBERS[name], *arguments))
        assert [-1, errno] not in bare, "the control: it is the filter that says no"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="x32 exists on x86_64 only")
def test_the_x32_numbers_are_no_way_around(lab_skill: Path, sandbox: Sandbox) -> None:
    (lab_skill / "scripts/main.py").write_text(
        call(0x4000_0000 | NUMBERS["getpid"]), encoding="utf-8"
    )

    assert sandbox.run(lab_skill, {}).reason == "violation"


@pytest.fixture(scope="module")
def sandbox(tier: Tier) -> Iterator[Sandbox]:
    """One sandbox of each tier for all."""
    with Sandbox(Level.ISOLATED, tier=tier) as opened:
        yield opened


@pytest.fixture
def lab_skill(tmp_path: Path) -> Path:
    """A skill to write an attack into."""
    return make_skill(tmp_path, "attack")
