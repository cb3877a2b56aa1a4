"""What a hostile Python skill tries on files, processes, the network and its own privileges.

In tier `landlock` skill and person are one user and see the same names of files and processes: what
the tier says it doesn't hold is asserted too, so that the list stays true.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from bare_lab import BareLab, open_bare_lab
from sandbox_lab import SECRET, Listener
from skilllite_sandbox.host import read_host
from skilllite_sandbox.policy import Tier

FILES = """
import glob, json, os, sys
facts = json.load(sys.stdin)
secret, own = facts["secret"], os.environ["TMPDIR"]

def can(action):
    try:
        action()
        return True
    except OSError:
        return False

def reads(path):
    try:
        with open(path) as file:
            return bool(file.read())
    except OSError:
        return False

def through_a_link():
    os.symlink(secret, own + "/link")
    open(own + "/link").close()

def by_path_descriptor():
    os.fchmod(os.open(secret, os.O_RDONLY), 0o777)

print(json.dumps({
    "read": reads(secret), "read the key": reads(facts["key"]),
    "read by another way": reads("/skill/../.." + secret) or reads("/../../" + secret),
    "read through a link": can(through_a_link),
    "read by /proc": reads("/proc/self/root" + secret) or reads("/proc/1/root" + secret),
    "list": bool(glob.glob(os.path.dirname(secret) + "/*")) or can(lambda: os.listdir("/home")),
    "list the root": can(lambda: os.listdir("/")),
    "write": can(lambda: open(secret, "w")), "append": can(lambda: open(secret, "a")),
    "make": can(lambda: open(facts["drop"] + "/mark", "w")),
    "make a folder": can(lambda: os.mkdir(facts["drop"] + "/folder")),
    "remove": can(lambda: os.unlink(facts["spares"][0])),
    "rename": can(lambda: os.rename(facts["spares"][1], facts["spares"][1] + "-taken")),
    "link": can(lambda: os.link(secret, facts["spares"][1] + "-linked")),
    "cut off": can(lambda: os.truncate(secret, 0)),
    "cut off by opening": can(lambda: os.open(secret, os.O_RDONLY | os.O_TRUNC)),
    "chmod": can(lambda: os.chmod(secret, 0o777)),
    "chmod by descriptor": can(by_path_descriptor),
    "chown": can(lambda: os.chown(secret, os.getuid(), -1)),
    "utime": can(lambda: os.utime(secret, (1, 1))),
    "mark it": can(lambda: os.setxattr(secret, "user.mark", b"x")),
    "change its own program": can(lambda: open(__file__, "a"))
        or can(lambda: os.chmod(__file__, 0o777)) or can(lambda: os.unlink(__file__)),
    "see other users": reads("/etc/passwd") and len(open("/etc/passwd").readlines()) > 1,
    "machine": reads("/etc/hostname") or reads("/etc/machine-id") or reads("/proc/version"),
}))
"""

PROCESSES = """
import ctypes, fcntl, json, os, resource, signal, sys
victim, libc = json.load(sys.stdin)["victim"], ctypes.CDLL(None, use_errno=True)
parent = os.getppid()

def can(action):
    try:
        action()
        return True
    except OSError:
        return False

def raw(*arguments):
    return libc.syscall(*map(ctypes.c_long, arguments)) >= 0

reading, writing = os.pipe()
others = (victim, parent, 1)
print(json.dumps({
    "kill": any(can(lambda: os.kill(pid, 9)) for pid in others),
    "kill everybody": can(lambda: os.kill(-1, 9)),
    "kill a group": any(can(lambda: os.killpg(pid, 9)) for pid in others),
    "kill a thread": any(raw(234, pid, pid, 9) or raw(200, pid, 9) for pid in others),
    "queue a signal": any(raw(129, pid, 9, 0) or raw(297, pid, pid, 9, 0) for pid in others),
    "signal by descriptor": any(can(lambda: os.pidfd_open(pid)) for pid in others),
    "have it signalled": any(can(lambda: fcntl.fcntl(reading, 8, pid)) for pid in others)
        or can(lambda: fcntl.fcntl(reading, 10, 9))
        or can(lambda: fcntl.fcntl(reading, 15, bytes(8))),
    "limit": any(can(lambda: resource.prlimit(pid, 7)) for pid in others),
    "read its memory": any(can(lambda: open(f"/proc/{pid}/mem", "rb")) for pid in others),
    "read its environment": any(can(lambda: open(f"/proc/{pid}/environ").read()) for pid in others),
    "read its command": any(can(lambda: open(f"/proc/{pid}/cmdline").read()) for pid in others),
    "list processes": can(lambda: os.listdir("/proc")),
    "make it slower": any(can(lambda: os.setpriority(0, pid, 19)) for pid in others),
    "outlive who watches it": libc.prctl(1, 0) == 0,
}))
"""

NETWORK = """
import ctypes, json, os, socket, sys
facts = json.load(sys.stdin)
libc = ctypes.CDLL(None, use_errno=True)

def can(action):
    try:
        action()
        return True
    except OSError:
        return False

def send(address):
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    pair[0].sendto(b"x", address)

def stream_send(address):
    socket.socketpair()[0].sendto(b"x", address)

print(json.dumps({
    "any family": any(libc.socket(family, kind, 0) >= 0
                      for family in range(46) for kind in (1, 2, 3, 5)),
    "connect": can(lambda: socket.create_connection(("127.0.0.1", facts["port"]), 1)),
    "resolve": can(lambda: socket.getaddrinfo("localhost", 80)),
    "a local socket": can(lambda: socket.socket(socket.AF_UNIX).connect(facts["path"])),
    "a datagram by path": can(lambda: send(facts["path"])),
    "a datagram by name": can(lambda: send("\\0" + facts["abstract"])),
    "a datagram in a stream": can(lambda: stream_send(facts["path"])),
    "a pair bound": can(lambda: socket.socketpair()[0].bind("\\0taken")),
}))
"""

PRIVILEGES = """
import ctypes, json, mmap, os, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
own = os.environ["TMPDIR"]

def can(action):
    try:
        action()
        return True
    except (OSError, MemoryError, ValueError):
        return False

def fork():
    if os.fork() == 0:
        os._exit(0)

def own_program():
    with open(own + "/program", "w") as file:
        file.write("#!/bin/sh\\n")
    os.open(own + "/program", os.O_RDONLY)
    os.execv(own + "/program", ["program"])

def raw(*arguments):
    return libc.syscall(*map(ctypes.c_long, arguments)) >= 0

print(json.dumps({
    "fork": can(fork),
    "clone a process": raw(56, 17, 0, 0, 0, 0) or raw(58),
    "clone into a namespace": raw(56, 0x10000000 | 17, 0, 0, 0, 0),
    "clone3": raw(435, 0, 88),
    "execute": can(lambda: subprocess.run(["/bin/true"]))
        or can(lambda: os.execv("/bin/sh", ["sh"])),
    "execute what it wrote": can(own_program),
    "execute from memory": raw(319, 0, 0) or raw(322, 3, 0, 0, 0, 0x1000),
    "become root": can(lambda: os.setuid(0)) or can(lambda: os.setgid(0)),
    "change groups": can(lambda: os.setgroups([0])),
    "write machine code": can(lambda: mmap.mmap(-1, 4096, prot=7)),
    "see the environment": "SKILLLITE_CANARY" in os.environ,
    "raise its limits": can(lambda: __import__("resource").setrlimit(7, (4096, 4096))),
    "root in an id": 0 in (*os.getresuid(), *os.getresgid(), *os.getgroups()),
}))
"""

_KILLING = {"ptrace": 101, "mount": 165, "unshare": 272, "chroot": 161, "keyctl": 250, "bpf": 321}
_SIGSYS = 31


def assert_nothing(said: dict[str, object]) -> None:
    """Nothing of what was tried succeeded."""
    assert said
    assert [name for name, could in said.items() if could] == []


def spares(bare: BareLab) -> list[str]:
    """Return two files for an attack to take away."""
    found = []
    for number in range(2):
        path = bare.lab.drop / f"spare-{number}"
        path.write_text(SECRET, encoding="utf-8")
        if bare.lab.as_user is not None:
            os.chown(path, bare.lab.as_user, bare.lab.as_user)
        found.append(str(path))
    return found


def test_no_file_of_the_host_is_read_or_changed(bare: BareLab) -> None:
    secret, others = bare.lab.secret_file, spares(bare)
    before, names = secret.stat(), sorted(bare.lab.drop.iterdir())

    said = bare.run(FILES, spares=others).said

    assert_nothing(said)
    after = secret.stat()
    assert secret.read_text(encoding="utf-8") == SECRET
    assert (after.st_mode, after.st_mtime_ns, after.st_nlink) == (
        *(before.st_mode, before.st_mtime_ns, before.st_nlink),
    )
    assert sorted(bare.lab.drop.iterdir()) == names


def test_without_isolation_the_same_attack_gets_all_that_it_may() -> None:
    """The control: as a plain user, who can't own the library or be another user."""
    with open_bare_lab("landlock") as lab:
        said = replace(lab, tier=Tier.NONE).run(FILES, spares=spares(lab)).said

    failed = {name for name, could in said.items() if not could}
    assert failed <= {"read by another way", "mark it"}, failed


def test_names_of_files_are_hidden_where_the_tier_says_so(bare: BareLab) -> None:
    script = (
        "import json, os, sys\nprint(json.dumps(os.path.exists(json.load(sys.stdin)['secret'])))"
    )

    result = bare.run(script)

    hides = "hidden-file-names" not in result.outcome["not_enforced"]
    assert result.outcome["output"] == (not hides)
    assert hides is (bare.tier is Tier.ROOT_CHROOT)


def test_a_library_that_it_wrote_can_be_loaded_and_the_tier_says_so(bare: BareLab) -> None:
    script = """
import ctypes, json, os, shutil, sys
own = os.environ["TMPDIR"] + "/own.so"
shutil.copyfile(json.load(sys.stdin)["library"], own)
ctypes.CDLL(own)
print(1)
"""
    library = next(
        path
        for directory in read_host().libraries
        for name in ("libstdc++.so.6", "libgcc_s.so.1", "libm.so.6")
        if os.path.exists(path := f"{directory}/{name}")  # noqa: PTH110
    )

    outcome = bare.run(script, library=library).outcome

    assert outcome["output"] == 1, outcome
    assert "scratch-noexec" in outcome["not_enforced"]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="raw numbers of x86_64")
def test_no_process_of_the_host_is_reached(bare: BareLab) -> None:
    result = bare.run(PROCESSES)

    assert_nothing(result.said)
    assert result.victim_alive


def test_nothing_is_sent_anywhere(bare: BareLab, listener: Listener) -> None:
    result = bare.run(NETWORK, port=listener.port, path=listener.path, abstract=listener.abstract)

    assert_nothing(result.said)
    assert listener.visits == 0


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="raw numbers of x86_64")
def test_it_gets_no_process_no_program_and_no_privilege(bare: BareLab) -> None:
    assert_nothing(bare.run(PRIVILEGES).said)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="raw numbers of x86_64")
@pytest.mark.parametrize("name", _KILLING)
def test_a_call_that_only_an_attack_uses_kills(bare: BareLab, name: str) -> None:
    script = f"import ctypes\nctypes.CDLL(None).syscall({_KILLING[name]}, 0, 0, 0, 0, 0)\nprint(1)"

    outcome = bare.run(script).outcome

    assert (outcome["reason"], outcome["signal"]) == ("violation", _SIGSYS), outcome


def test_other_skills_of_the_stage_are_not_read(bare: BareLab) -> None:
    script = """
import json, os, sys
found = []
def look(path):
    try:
        found.extend(os.listdir(path))
    except OSError:
        pass
here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
for above in ("..", "../..", "../../.."):
    look(os.path.join(here, above))
print(json.dumps(found))
"""
    assert bare.run(script).outcome["output"] == []


def test_the_outcome_names_the_tier_and_what_it_lacks(bare: BareLab) -> None:
    outcome = bare.run("print(1)").outcome

    assert outcome["tier"] == bare.tier.value
    assert {"landlock", "seccomp", "no-network", "no-exec", "no-fork"} <= set(outcome["enforced"])
    assert {"namespaces", "scratch-size", "hidden-processes"} <= set(outcome["not_enforced"])
    assert not set(outcome["enforced"]) & set(outcome["not_enforced"])
