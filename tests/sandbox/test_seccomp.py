"""The filters, run in a small machine of our own: every verdict of both architectures as data."""

from __future__ import annotations

import ctypes.util
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter_machine import judge
from skilllite_sandbox.environment.build_filter import build_filter
from skilllite_sandbox.seccomp.bpf import (
    ALLOW,
    KILL_PROCESS,
    ArgumentTest,
    Checked,
    Clause,
    Rule,
    assemble,
    errno_action,
)
from skilllite_sandbox.seccomp.filters import (
    Executes,
    Profile,
    carrier_filter,
    carrier_rules,
    closing_filter,
    guest_filter,
    guest_rules,
    worker_filter,
    worker_rules,
)
from skilllite_sandbox.seccomp.syscalls import AUDIT_ARCH, TABLES

EPERM, EACCES, ENOSYS, EAFNOSUPPORT = 1, 13, 38, 97
MACHINES = sorted(TABLES)
PROFILES = list(Profile)
WORD = 0xFFFF_FFFF


def verdict(profile: Profile, machine: str, name: str, *arguments: int) -> int:
    """Return what the two filters together say."""
    number, arch = TABLES[machine][name], AUDIT_ARCH[machine]
    outer = judge(carrier_filter(profile, machine), arch, number, *arguments)
    inner = judge(guest_filter(profile, machine), arch, number, *arguments)
    # Of two verdicts the kernel takes the lower one as a signed number; kill is negative.
    return min((outer, inner), key=lambda value: value - (1 << 32) * (value >> 31))


EXECUTES = {
    Profile.PYTHON: Executes.NONE,
    Profile.PYTHON_JIT: Executes.NONE,
    Profile.NODE: Executes.ONCE,
    Profile.BASH: Executes.LISTED,
}


def allows(profile: Profile, machine: str, network: bool, name: str, *arguments: int) -> set[bool]:
    """Return whether each of the two carriers lets a skill make a call."""
    number, arch = TABLES[machine][name], AUDIT_ARCH[machine]
    pairs = (
        (
            carrier_filter(profile, machine, network),
            guest_filter(profile, machine, network),
        ),
        (
            worker_filter(profile, machine, EXECUTES[profile], network),
            closing_filter(machine, network),
        ),
    )
    return {
        all(judge(program, arch, number, *arguments) == ALLOW for program in pair) for pair in pairs
    }


# The assembler

actions = st.sampled_from([ALLOW, KILL_PROCESS, errno_action(1), errno_action(38)])
tests = st.builds(
    ArgumentTest,
    st.integers(0, 5),
    st.integers(0, WORD),
    st.integers(0, WORD),
    st.booleans(),
)
checked = st.builds(
    Checked,
    st.lists(st.builds(Clause, st.lists(tests, max_size=2).map(tuple), actions), max_size=3).map(
        tuple
    ),
    actions,
)
rule_tables = st.dictionaries(st.integers(0, 500), st.one_of(actions, checked), max_size=60)


def expected(rule: Rule, arguments: list[int]) -> int:
    """Return what a rule says about arguments, without any BPF."""
    if isinstance(rule, int):
        return rule
    for clause in rule.clauses:
        if all(
            (arguments[test.argument] if test.wide else arguments[test.argument] & WORD) & test.mask
            == test.value
            if test.wide and test.mask > WORD
            else _word_holds(test, arguments[test.argument])
            for test in clause.tests
        ):
            return clause.action
    return rule.otherwise


def _word_holds(test: ArgumentTest, value: int) -> bool:
    low = (value & WORD) & (test.mask & WORD) == test.value & WORD
    high = (value >> 32) & (test.mask >> 32) == test.value >> 32
    return low and (high or not test.wide)


@given(
    rule_tables,
    st.integers(0, 600),
    st.lists(st.integers(0, (1 << 64) - 1), min_size=6, max_size=6),
)
def test_the_program_says_what_the_table_says(
    rules: dict[int, Rule], number: int, arguments: list[int]
) -> None:
    default, unknown = errno_action(1), errno_action(38)

    program = assemble(rules, audit_arch=7, default=default, unknown=unknown)

    rule = rules.get(number, unknown if number > max(rules, default=-1) else default)
    assert judge(program, 7, number, *arguments) == expected(rule, arguments)


@given(rule_tables, st.integers(0, 600))
def test_another_architecture_is_killed(rules: dict[int, Rule], number: int) -> None:
    program = assemble(rules, audit_arch=7, default=ALLOW, unknown=ALLOW)

    assert judge(program, 8, number) == KILL_PROCESS


@given(rule_tables, st.integers(0x4000_0000, 0x7FFF_FFFF))
def test_the_numbers_of_x32_are_killed(rules: dict[int, Rule], number: int) -> None:
    program = assemble(rules, audit_arch=7, default=ALLOW, unknown=ALLOW)

    assert judge(program, 7, number) == KILL_PROCESS


def test_a_program_longer_than_the_kernel_takes_is_refused() -> None:
    many = {number: Checked((), number) for number in range(5000)}

    with pytest.raises(ValueError, match="exceeds 4096"):
        assemble(many, audit_arch=7, default=ALLOW, unknown=ALLOW)


# The tables


@pytest.mark.parametrize("machine", MACHINES)
def test_no_number_is_used_twice(machine: str) -> None:
    numbers = list(TABLES[machine].values())

    assert len(numbers) == len(set(numbers))


def test_the_table_agrees_with_the_kernel_headers() -> None:
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip("no kernel headers (linux-libc-dev)")
    found = re.findall(r"#define __NR_(\w+) (\d+)", header.read_text(encoding="ascii"))

    assert {name: int(number) for name, number in found}.items() <= TABLES["x86_64"].items()


@pytest.mark.parametrize("machine", MACHINES)
def test_the_table_agrees_with_libseccomp(machine: str) -> None:
    path = ctypes.util.find_library("seccomp")
    if path is None:
        pytest.skip("no libseccomp")
    resolve = ctypes.CDLL(path).seccomp_syscall_resolve_name_arch
    resolve.argtypes = [ctypes.c_uint32, ctypes.c_char_p]
    compared = 0
    for name, number in TABLES[machine].items():
        known = resolve(AUDIT_ARCH[machine], name.encode())
        if known >= 0:  # else the library is older than the call
            assert known == number, name
            compared += 1

    assert compared > 300


@pytest.mark.parametrize("profile", PROFILES)
def test_every_name_in_the_rules_exists_somewhere(profile: Profile) -> None:
    known = set().union(*TABLES.values())
    # Calls that only other machines or old kernels have, listed so that they stay refused.
    elsewhere = {"futimesat"}

    for machine in MACHINES:
        assert set(carrier_rules(profile, machine)) <= known | elsewhere


# The verdicts

NEVER = [
    *("ptrace", "process_vm_readv", "process_vm_writev", "bpf", "perf_event_open"),
    *("userfaultfd", "keyctl", "add_key", "request_key", "mount", "umount2", "pivot_root"),
    *("chroot", "setns", "unshare", "open_tree", "move_mount", "fsopen", "fsmount"),
    *("mount_setattr", "kexec_load", "kexec_file_load", "init_module", "finit_module"),
    *("open_by_handle_at", "name_to_handle_at", "reboot", "swapon", "acct", "syslog"),
    *("clock_settime", "settimeofday", "sethostname", "fanotify_init", "pidfd_getfd"),
    *("process_madvise", "memfd_secret", "io_uring_enter", "io_uring_register"),
]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
def test_hostile_calls_kill(profile: Profile, machine: str) -> None:
    for name in NEVER:
        assert verdict(profile, machine, name) == KILL_PROCESS, name


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
def test_no_socket_can_be_made_and_only_unnamed_pairs(profile: Profile, machine: str) -> None:
    for family in range(64):
        assert verdict(profile, machine, "socket", family, 1, 0) == errno_action(EAFNOSUPPORT)
    assert verdict(profile, machine, "socketpair", 1, 1, 0) == ALLOW
    assert verdict(profile, machine, "socketpair", 2, 1, 0) == errno_action(EAFNOSUPPORT)
    for name in ("connect", "bind", "listen", "accept", "accept4"):
        assert verdict(profile, machine, name) == errno_action(EPERM)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("bit", [17, 25, 26, 27, 28, 29, 30])
def test_no_clone_makes_a_namespace(profile: Profile, machine: str, bit: int) -> None:
    for others in (17, 0x10000 | 0x100 | 0x200 | 0x400 | 0x800, 0x4000 | 0x100 | 17):
        flags = others | 1 << bit
        assert verdict(profile, machine, "clone", flags) == errno_action(EPERM)
        assert verdict(profile, machine, "clone", flags | 1 << 32) == errno_action(EPERM)
    assert verdict(profile, machine, "clone3") == errno_action(ENOSYS)


@pytest.mark.parametrize("machine", MACHINES)
def test_who_may_make_a_process(machine: str) -> None:
    thread = 0x3D0F00
    for profile in PROFILES:
        assert verdict(profile, machine, "clone", thread) == ALLOW
    forks = {profile: verdict(profile, machine, "clone", 17) for profile in PROFILES}

    assert forks == {
        Profile.PYTHON: errno_action(EPERM),
        Profile.PYTHON_JIT: errno_action(EPERM),
        Profile.NODE: errno_action(EPERM),
        Profile.BASH: ALLOW,
    }


@pytest.mark.parametrize("machine", MACHINES)
def test_who_may_execute(machine: str) -> None:
    number, arch = TABLES[machine]["execve"], AUDIT_ARCH[machine]
    for profile in PROFILES:
        # Else bubblewrap could not start the guest.
        assert judge(carrier_filter(profile, machine), arch, number) == ALLOW
        assert verdict(profile, machine, "execveat") == errno_action(EPERM)
        assert verdict(profile, machine, "memfd_create") == errno_action(EPERM)
    assert verdict(Profile.PYTHON, machine, "execve") == errno_action(EACCES)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
def test_with_listed_programs_a_profile_forks_and_executes_and_keeps_its_other_rules(
    profile: Profile, machine: str
) -> None:
    plain, listed = (
        worker_rules(profile, machine, executes=executes, network=False)
        for executes in (Executes.NONE, Executes.LISTED)
    )
    changed = {name for name in {*plain, *listed} if plain.get(name) != listed.get(name)}

    assert changed <= {"execve", "clone", "fork", "vfork", "setpgid", "memfd_create"}
    assert (listed["execve"], listed["fork"], listed["vfork"]) == (ALLOW, ALLOW, ALLOW)
    assert listed["memfd_create"] == errno_action(EPERM)
    assert "execveat" not in listed
    assert "execve" not in guest_rules(profile, network=False, executes=Executes.LISTED)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
def test_the_guest_closes_what_its_own_set_up_needed(profile: Profile, machine: str) -> None:
    arch, table = AUDIT_ARCH[machine], TABLES[machine]
    for name, *arguments in (
        ("prctl", 22, 2),
        ("landlock_create_ruleset",),
        ("landlock_add_rule",),
        ("landlock_restrict_self",),
    ):
        assert judge(carrier_filter(profile, machine), arch, table[name], *arguments) == ALLOW
        assert verdict(profile, machine, name, *arguments) == errno_action(EPERM)
    assert verdict(profile, machine, "seccomp", 1) == errno_action(EPERM)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
def test_memory_that_no_limit_counts_is_refused(profile: Profile, machine: str) -> None:
    for shared in (0x21, 0x23, 0x8021):
        assert verdict(profile, machine, "mmap", 0, 4096, 3, shared) == errno_action(EPERM)
    assert verdict(profile, machine, "mmap", 0, 4096, 3, 0x22) == ALLOW
    assert verdict(profile, machine, "mmap", 0, 4096, 1, 0x01) == ALLOW  # a file
    for name in ("shmget", "shmat", "memfd_create"):
        assert verdict(profile, machine, name) == errno_action(EPERM)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("network", [False, True])
def test_only_harmless_file_commands_pass(profile: Profile, machine: str, network: bool) -> None:
    harmless = {0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1027, 1030, 1032}

    for command in (*range(64), *range(1020, 1048), 1 << 31):
        for value in (command, command | 1 << 32):
            found = allows(profile, machine, network, "fcntl", 0, value)
            assert found == {command in harmless}, command


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("network", [False, True])
def test_memory_that_grows_or_is_huge_is_refused(
    profile: Profile, machine: str, network: bool
) -> None:
    grows_down, huge, private = 0x100, 0x40000, 0x22

    for protection in (0, 1, 3, 4, 5, 7):
        for bit in (grows_down, huge, grows_down | 0x20000):
            flags = private | bit
            assert allows(profile, machine, network, "mmap", 0, 4096, protection, flags) == {False}
    assert allows(profile, machine, network, "mmap", 0, 4096, 3, private | 0x20000) == {True}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("network", [False, True])
def test_socket_options_give_no_process_and_take_no_program(
    profile: Profile, machine: str, network: bool
) -> None:
    peer_pidfd, pass_pidfd, peer_security, cookie = 77, 76, 31, 57
    attach_filter, attach_bpf, attach_reuseport = 26, 50, 51
    tcp, tcp_ulp, tcp_repair, congestion, ip = 6, 31, 19, 13, 0

    for option in (peer_pidfd, pass_pidfd, peer_security, cookie, attach_filter):
        for value in (option, option | 1 << 32):
            assert allows(profile, machine, network, "getsockopt", 0, 1, value) == {False}
    for option in (pass_pidfd, attach_filter, attach_bpf, attach_reuseport):
        assert allows(profile, machine, network, "setsockopt", 0, 1, option) == {False}
    for option in (tcp_ulp, tcp_repair, congestion):
        assert allows(profile, machine, network, "setsockopt", 0, tcp, option) == {False}
    for level, option in ((ip, 64), (ip, 4), (ip, 35), (41, 64), (17, 1), (270, 1), (284, 1)):
        assert allows(profile, machine, network, "setsockopt", 0, level, option) == {False}
    for option in (3, 4, 38, 39):  # what Python asks of every socket that it is given
        assert allows(profile, machine, network, "getsockopt", 0, 1, option) == {True}
    assert allows(profile, machine, network, "setsockopt", 0, tcp, 1) == {network}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
def test_with_network_a_socket_is_tcp_and_connects_only_by_connect(
    profile: Profile, machine: str
) -> None:
    inet, inet6, stream, flags = 2, 10, 1, 0o2004000
    sctp, smc, mptcp, fast_open = 132, 256, 262, 0x2000_0000

    for protocol in (0, 6):
        assert allows(profile, machine, True, "socket", inet, stream | flags, protocol) == {True}
    for protocol in (sctp, smc, mptcp, 33, 1, 255):
        for value in (protocol, protocol | 1 << 32):
            assert allows(profile, machine, True, "socket", inet, stream, value) == {False}
    for family in (1, inet6, 16, 17, 38, 40):
        assert allows(profile, machine, True, "socket", family, stream, 0) == {False}
    assert allows(profile, machine, True, "socket", inet, 2, 0) == {False}
    assert allows(profile, machine, True, "sendto", 0, 0, 0, fast_open) == {False}
    assert allows(profile, machine, True, "sendmsg", 0, 0, fast_open) == {False}
    assert allows(profile, machine, True, "sendto", 0, 0, 0, 0x4000) == {True}
    for name in ("bind", "listen", "accept", "accept4"):
        assert allows(profile, machine, True, name) == {False}


@pytest.mark.parametrize("machine", MACHINES)
def test_installing_packages_talks_tcp_and_attaches_nothing(machine: str) -> None:
    program, table, arch = build_filter(machine), TABLES[machine], AUDIT_ARCH[machine]
    judged = {
        "tcp": judge(program, arch, table["socket"], 2, 1, 6),
        "tcp over IPv6": judge(program, arch, table["socket"], 10, 1, 0),
        "mptcp": judge(program, arch, table["socket"], 2, 1, 262),
        "pidfd": judge(program, arch, table["getsockopt"], 0, 1, 77),
        "bpf": judge(program, arch, table["setsockopt"], 0, 1, 50),
        "no delay": judge(program, arch, table["setsockopt"], 0, 6, 1),
    }

    assert {name for name, action in judged.items() if action == ALLOW} == {
        *("tcp", "tcp over IPv6", "no delay"),
    }


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
def test_pages_are_not_offered_for_merging(profile: Profile, machine: str) -> None:
    mergeable, poison, offline, free = 12, 100, 101, 8

    for advice in (mergeable, poison, offline, mergeable | 1 << 32):
        assert allows(profile, machine, False, "madvise", 0, 4096, advice) == {False}
    assert allows(profile, machine, False, "madvise", 0, 4096, free) == {True}


def test_a_thread_may_set_its_own_base_and_ask_for_nothing_else_of_the_processor() -> None:
    set_fs, set_cpuid, map_vdso, shadow_stack = 0x1002, 0x1012, 0x2001, 0x5001
    for profile in PROFILES:
        assert allows(profile, "x86_64", False, "arch_prctl", set_fs) == {True}
        for option in (set_cpuid, map_vdso, shadow_stack, 0x1023):
            assert allows(profile, "x86_64", False, "arch_prctl", option) == {False}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_shell_makes_children_of_its_own_only(machine: str) -> None:
    parent, traced, signal = 0x8000, 0x2000, 17

    assert allows(Profile.BASH, machine, False, "clone", 0x1200000 | signal) == {True}
    for flag in (parent, traced):
        assert allows(Profile.BASH, machine, False, "clone", flag | signal) == {False}


@pytest.mark.parametrize("machine", MACHINES)
def test_python_has_no_memory_that_is_writable_and_executable(machine: str) -> None:
    refused = errno_action(EPERM)
    judged = {
        "both": verdict(Profile.PYTHON, machine, "mmap", 0, 4096, 7, 0x02),
        "anonymous": verdict(Profile.PYTHON, machine, "mmap", 0, 4096, 5, 0x22),
        "later": verdict(Profile.PYTHON, machine, "mprotect", 0, 4096, 7),
        "a library": verdict(Profile.PYTHON, machine, "mmap", 0, 4096, 5, 0x02),
    }

    assert judged == {"both": refused, "anonymous": refused, "later": refused, "a library": ALLOW}
    # V8 could not start without it.
    assert verdict(Profile.NODE, machine, "mmap", 0, 4096, 7, 0x22) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
def test_int_arguments_are_compared_as_the_kernel_reads_them(
    profile: Profile, machine: str
) -> None:
    tiocsti, high = 0x5412, 1 << 32

    for request in (tiocsti, tiocsti | high):
        assert verdict(profile, machine, "ioctl", 0, request) != ALLOW
    assert verdict(profile, machine, "prctl", 22 | high) == errno_action(EPERM)
    assert verdict(profile, machine, "socketpair", 1 | high, 1, 0) == ALLOW
    assert verdict(profile, machine, "prlimit64", 0, 7) == ALLOW
    assert verdict(profile, machine, "prlimit64", high, 7) == errno_action(EPERM)
    assert verdict(profile, machine, "prlimit64", 1, 7) == errno_action(EPERM)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_named_pipe_is_no_device(profile: Profile, machine: str) -> None:
    fifo, block, character, file = 0o010600, 0o060600, 0o020600, 0o100600

    assert verdict(profile, machine, "mknodat", 0, 0, fifo) == ALLOW
    for mode in (block, character):
        assert verdict(profile, machine, "mknodat", 0, 0, mode) == KILL_PROCESS
    assert verdict(profile, machine, "mknodat", 0, 0, file) == errno_action(EPERM)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", PROFILES)
def test_calls_younger_than_the_table_seem_not_to_exist(profile: Profile, machine: str) -> None:
    arch = AUDIT_ARCH[machine]

    for number in (470, 500, 1000):
        assert judge(carrier_filter(profile, machine), arch, number) == errno_action(ENOSYS)


def test_filters_are_small_enough_to_load() -> None:
    for profile in PROFILES:
        for machine in MACHINES:
            assert len(carrier_filter(profile, machine)) // 8 < 700
            assert len(guest_filter(profile, machine)) // 8 < 40


def test_this_machine_has_a_filter() -> None:
    assert os.uname().machine in TABLES
