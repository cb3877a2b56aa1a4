"""The filter of tiers without namespaces: what it refuses besides, and that nothing got weaker."""

from __future__ import annotations

import pytest

from filter_machine import judge
from skilllite_sandbox.seccomp.bare import OWN_PID, bare_filter, bare_rules
from skilllite_sandbox.seccomp.bpf import ALLOW, KILL_PROCESS
from skilllite_sandbox.seccomp.filters import Executes, Profile, worker_filter, worker_rules
from skilllite_sandbox.seccomp.syscalls import AUDIT_ARCH, TABLES

MACHINES = sorted(TABLES)
ALONE = [Profile.PYTHON, Profile.PYTHON_JIT, Profile.NODE]
OWN = 4242


def verdict(program: bytes, machine: str, name: str, *arguments: int) -> int:
    """Return what a filter says to a call by the process that loaded it."""
    program = program.replace(OWN_PID.to_bytes(4, "little"), OWN.to_bytes(4, "little"))
    return judge(program, AUDIT_ARCH[machine], TABLES[machine][name], *arguments)


def bare(profile: Profile, machine: str, *, shared_user: bool = False) -> bytes:
    """Return the filter of a profile that executes nothing."""
    return bare_filter(profile, machine, Executes.NONE, shared_user=shared_user)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", ALONE)
def test_a_skill_signals_itself_and_nobody_else(profile: Profile, machine: str) -> None:
    program = bare(profile, machine)

    assert verdict(program, machine, "kill", OWN, 15) == ALLOW
    assert verdict(program, machine, "kill", 0, 15) == ALLOW
    assert verdict(program, machine, "tgkill", OWN, 77, 15) == ALLOW
    for other in (1, OWN + 1, -1, -OWN, OWN_PID):
        assert verdict(program, machine, "kill", other, 9) != ALLOW
        assert verdict(program, machine, "tgkill", other, 1, 9) != ALLOW
    assert verdict(program, machine, "tkill", OWN, 9) != ALLOW


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("command", [8, 10, 15, 1024, 1026, 1031, 8 | 1 << 32])
def test_the_kernel_signals_nobody_for_a_skill(machine: str, command: int) -> None:
    program = bare(Profile.PYTHON, machine)

    assert verdict(program, machine, "fcntl", 3, command, 1) != ALLOW
    assert verdict(program, machine, "fcntl", 3, 4, 0) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_no_pair_of_sockets_carries_datagrams(machine: str) -> None:
    program = bare(Profile.PYTHON, machine)

    for flags in (0, 0o2000000, 0o4000):
        assert verdict(program, machine, "socketpair", 1, 1 | flags, 0) == ALLOW
        assert verdict(program, machine, "socketpair", 1, 5 | flags, 0) == ALLOW
        for kind in (2, 3, 4):
            assert verdict(program, machine, "socketpair", 1, kind | flags, 0) != ALLOW
    assert verdict(program, machine, "socket", 1, 1, 0) != ALLOW
    assert verdict(program, machine, "connect", 3, 0, 0) != ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_modes_and_times_of_files_stay_where_the_user_is_shared(machine: str) -> None:
    names = [
        name for name in ("chmod", "fchmod", "fchmodat", "utimensat") if name in TABLES[machine]
    ]
    shared, own = bare(Profile.PYTHON, machine, shared_user=True), bare(Profile.PYTHON, machine)

    assert all(verdict(shared, machine, name) != ALLOW for name in names)
    assert all(verdict(own, machine, name) == ALLOW for name in names)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("profile", list(Profile))
def test_nothing_is_allowed_that_a_worker_with_namespaces_may_not(
    profile: Profile, machine: str
) -> None:
    program = bare(profile, machine)
    worker = worker_filter(profile, machine, Executes.NONE, False)

    for name, number in TABLES[machine].items():
        for arguments in ((), (OWN,), (1, 1), (1, 5), (3, 3), (0, 0x10000)):
            said = judge(worker, AUDIT_ARCH[machine], number, *arguments)
            if said != ALLOW:
                assert verdict(program, machine, name, *arguments) != ALLOW, (name, arguments)
            if said == KILL_PROCESS:
                assert verdict(program, machine, name, *arguments) == KILL_PROCESS, name


def test_every_rule_that_differs_is_meant_to() -> None:
    given = {"executes": Executes.LISTED, "network": False}
    worker = worker_rules(Profile.BASH, "x86_64", **given)  # type: ignore[arg-type]
    rules = bare_rules(Profile.BASH, "x86_64", executes=Executes.LISTED, shared_user=False)

    assert {name for name in rules if rules[name] != worker.get(name)} == {"socketpair"}
