"""Random system calls with random arguments: nothing happens to the host, and nothing hangs.

One run makes some thousand calls. It ends early when a call is deadly, which the filter says of
many, so every call that can be survived is made in most runs and each deadly one ends a few.
"""

from __future__ import annotations

import os
import random
import time

from sandbox_lab import Lab, Listener
from skilllite_sandbox.policy import Tier
from skilllite_sandbox.seccomp.bpf import KILL_PROCESS
from skilllite_sandbox.seccomp.filters import Executes, Profile, worker_rules
from skilllite_sandbox.seccomp.syscalls import TABLES

CALLS = int(os.environ.get("SKILLLITE_FUZZ_CALLS", "100000"))
CALLS_A_RUN = 12_500  # in eight runs: each starts from another state, and a hang costs one of them
WALL_S = 5.0  # a call that waits with its signals blocked sits until here
LATE_S = 1.0
SUITE_S = 60.0
RUNS_MAX = 1000  # most end early, by a call that breaks the interpreter itself
SURVIVED = {"ok", "not_json"}
ITS_OWN_DEATH = {"signal", "exit", "memory", "disk", "cpu", "processes", "timeout"}

# Calls after which the loop itself could not go on; each is tried on its own elsewhere.
ENDS_ITSELF = {
    *("exit", "exit_group", "rt_sigreturn", "pause", "rt_sigsuspend", "munmap", "mremap", "brk"),
    *("mmap", "mprotect", "pkey_mprotect", "clone", "vfork", "fork", "rt_sigprocmask"),
    *("rt_sigaction", "sigaltstack", "close_range", "setrlimit", "prlimit64", "arch_prctl"),
    *("set_robust_list", "rseq", "set_tid_address", "madvise", "alarm", "setitimer", "kill"),
    *("tkill", "tgkill", "timer_settime", "timer_create", "futex", "futex_wait", "futex_waitv"),
    *("nanosleep", "clock_nanosleep", "rt_sigtimedwait", "wait4", "waitid", "prctl"),
}

FUZZ = """
import ctypes, json, mmap, os, random, signal, sys
facts = json.load(sys.stdin)
choose = random.Random(facts["seed"])
libc = ctypes.CDLL(None, use_errno=True)
call = libc.syscall
call.restype = ctypes.c_long
# What the kernel writes goes here: nothing of the interpreter is near, and it ends at a gap.
space = mmap.mmap(-1, 4 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
place = ctypes.addressof(ctypes.c_char.from_buffer(space))
libc.munmap(ctypes.c_void_p(place + (3 << 20)), ctypes.c_size_t(1 << 20))
words = [place + (1 << 20), place + (2 << 20), place + (3 << 20) - 8]
words += [0, 1, 2, 3, 4, 5, 63, 64, -1, -100,
         facts["victim"], os.getppid(), 4096, 1 << 20, 1 << 31, 1 << 32, (1 << 63) - 1, -(1 << 63)]
texts = [facts["secret"].encode(), facts["mark"].encode(), b"/", b"..", b"/dev/null", b"/skill",
         b"/proc/self/mem", b"", b"x" * 300]
addresses = [place + 512 * index for index in range(len(texts))]
numbers = facts["calls"]
out = os.dup(1)
made = 0
# Some calls wait for ever, as they should.
signal.signal(signal.SIGALRM, lambda number, frame: None)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
while made < facts["count"]:
    if made % 250 == 0:
        for address, text in zip(addresses, texts):
            ctypes.memmove(address, text + b"\\0", len(text) + 1)
        os.write(out, b"%d\\n" % made)
    number = choose.choice(numbers)
    arguments = []
    for _ in range(6):
        kind = choose.random()
        if kind < 0.45:
            arguments.append(choose.choice(words))
        elif kind < 0.65:
            arguments.append(choose.choice(addresses))
        elif kind < 0.85:
            arguments.append(choose.getrandbits(choose.choice((4, 8, 16, 32))))
        else:
            arguments.append(choose.getrandbits(64) - (1 << 63))
    for index in (0, 1):
        if arguments[index] & 0xFFFFFFFF in (1, out):
            arguments[index] = 63  # what says how far it came stays open
    call(ctypes.c_long(number), *map(ctypes.c_long, arguments))
    made += 1
os.write(out, b"%d\\n" % made)
os._exit(0)
"""


def _calls(*, deadly: bool) -> list[int]:
    """Return the numbers of the calls that end a run, or of those that don't, unknown ones too."""
    table = TABLES[os.uname().machine]
    rules = worker_rules(Profile.PYTHON, os.uname().machine, executes=Executes.NONE, network=False)
    killed = {name for name, rule in rules.items() if rule == KILL_PROCESS}
    killed |= {"mknod", "mknodat"}  # for a device
    if deadly:
        return sorted(table[name] for name in killed if name in table)
    known = {number for name, number in table.items() if name not in killed | ENDS_ITSELF}
    avoided = {number for name, number in table.items() if name in killed | ENDS_ITSELF}
    return sorted(known | (set(range(600)) - avoided))


def test_random_calls_do_nothing_to_the_host(lab: Lab, listener: Listener) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    # The whole number in the tier that people get; a share of it elsewhere would find the rest.
    wanted = CALLS if lab.tier is Tier.FULL and lab.as_user is None else CALLS // 10
    skill = lab.skill("python", FUZZ)
    facts = {**lab.facts(listener), "calls": _calls(deadly=False)}
    made, runs, started = 0, 0, time.monotonic()

    while made < wanted:
        facts |= {"seed": seed + runs, "count": min(CALLS_A_RUN, wanted - made)}
        result = lab.run_once(skill, 2, facts, listener, wall_s=WALL_S)
        runs += 1

        assert result.effects == frozenset(), (facts["seed"], result)
        assert result.outcome["reason"] in SURVIVED | ITS_OWN_DEATH, (facts["seed"], result)
        assert result.outcome["duration_ms"] < (WALL_S + LATE_S) * 1000, (facts["seed"], result)
        made += int(result.outcome["text"].split()[-1])
        assert runs < RUNS_MAX, f"{made} calls in {runs} runs"
    print(f"{made} calls in {runs} runs, {time.monotonic() - started:.1f} s")
    assert time.monotonic() - started < SUITE_S


def test_every_deadly_call_ends_the_run_whatever_its_arguments(
    lab: Lab, listener: Listener
) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    skill = lab.skill("python", FUZZ)
    devices = {TABLES[os.uname().machine].get(name) for name in ("mknod", "mknodat")}

    for number in _calls(deadly=True):
        if number in devices:
            continue  # deadly for some arguments only
        facts = {**lab.facts(listener), "seed": seed + number, "calls": [number], "count": 3}
        result = lab.run_once(skill, 2, facts, wall_s=WALL_S)

        assert result.outcome["reason"] == "violation", (seed, number, result)
        assert result.effects == frozenset()
