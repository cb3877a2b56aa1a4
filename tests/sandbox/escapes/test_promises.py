"""What each tier says that it enforces about scratch, code and devices is what it enforces.

The tier `bwrap` can't bound the number of files in scratch, nor keep what lies there from being
mapped as code, nor keep the times of /dev/null: it says so, and here that is seen to be so.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from skill_files import make_skill
from skilllite_sandbox.outcome import Outcome
from skilllite_sandbox.policy import DEFAULT_LIMITS, Level, Tier
from skilllite_sandbox.sandbox import Sandbox

RETURNS_42 = {
    "x86_64": bytes.fromhex("b82a000000c3"),
    "aarch64": bytes.fromhex("40058052c0035fd6"),
}.get(platform.machine(), b"")

CODE = f"""
import ctypes, json, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
code = {RETURNS_42!r}

kept = []

def mapped(protection):
    try:
        kept.append(mmap.mmap(-1, 4096, flags=0x22, prot=protection))
    except OSError:
        return 0
    return ctypes.addressof(ctypes.c_char.from_buffer(kept[-1]))

def writable_code():
    place = mapped(7)
    if not place:
        return False
    ctypes.memmove(place, code, len(code))
    return call(place)

def made_executable():
    place = mapped(3)
    ctypes.memmove(place, code, len(code))
    if libc.mprotect(ctypes.c_void_p(place), ctypes.c_size_t(4096), 5):
        return False
    return call(place)

def out_of_scratch():
    path = os.environ["TMPDIR"] + "/code"
    with open(path, "wb") as file:
        file.write(code.ljust(4096, b"\\0"))
    libc.mmap.restype = ctypes.c_void_p
    file = os.open(path, os.O_RDONLY)
    place = libc.mmap(None, ctypes.c_size_t(4096), 5, 2, file, ctypes.c_long(0))
    return place != ctypes.c_void_p(-1).value and call(place)

def call(place):
    # Without a callback's trampoline, which would need memory that is writable and executable.
    prototype = type("Function", (ctypes._CFuncPtr,), {{"_flags_": 1, "_restype_": ctypes.c_int}})
    return prototype(place)() == 42

print(json.dumps({{
    "writable code": writable_code(),
    "made executable": made_executable(),
    "out of scratch": out_of_scratch(),
}}))
"""


@pytest.fixture(scope="module")
def sandbox(tier: Tier) -> Iterator[Sandbox]:
    """One sandbox of each tier."""
    with Sandbox(Level.ISOLATED, tier=tier) as opened:
        yield opened


def run(sandbox: Sandbox, directory: Path, script: str) -> Outcome:
    """Run Python."""
    return sandbox.run(make_skill(directory, files={"scripts/main.py": script}), {})


@pytest.mark.skipif(not RETURNS_42, reason="no machine code for this processor")
def test_no_code_is_made_while_running_but_where_the_tier_says_so(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    with Sandbox(Level.DIRECT) as bare:
        control = run(bare, tmp_path / "control", CODE)

    outcome = run(sandbox, tmp_path, CODE)

    assert control.output == dict.fromkeys(control.output, True), control
    assert outcome.output == {
        "writable code": False,
        "made executable": False,
        "out of scratch": "scratch-noexec" in outcome.not_enforced,
    }
    assert ("scratch-noexec" in outcome.enforced) is (outcome.tier is Tier.FULL)


def test_the_number_of_files_is_bounded_where_the_tier_says_so(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    script = """
made = 0
try:
    for number in range(5000):
        open(f"/tmp/{number}", "w").close()
        made += 1
except OSError:
    pass
print(made)
"""
    outcome = run(sandbox, tmp_path, script)

    bounded = outcome.output <= DEFAULT_LIMITS.scratch_inodes
    assert bounded is ("scratch-inodes" in outcome.enforced)
    assert bounded is not ("scratch-inodes" in outcome.not_enforced)
    assert bounded is (outcome.tier is Tier.FULL)


def test_the_devices_stay_as_they_are(sandbox: Sandbox, tmp_path: Path) -> None:
    script = """
import json, os
def can(action):
    try:
        action()
    except OSError:
        return False
    return True
print(json.dumps([
    can(lambda: os.utime("/dev/null", (5, 5))), can(lambda: os.chmod("/dev/null", 0o600)),
    can(lambda: os.unlink("/dev/null")), can(lambda: os.truncate("/dev/null", 5)),
    can(lambda: os.utime("/dev/null")),
]))
"""
    before = Path("/dev/null").stat()

    outcome = run(sandbox, tmp_path, script)

    after = Path("/dev/null").stat()
    assert outcome.output[:4] == [False] * 4
    assert (after.st_mode, after.st_uid, after.st_rdev) == (
        *(before.st_mode, before.st_uid, before.st_rdev),
    )
    assert outcome.output[4] is (outcome.tier is Tier.BWRAP)  # as SECURITY.md says


@pytest.mark.parametrize("protocol", [132, 256, 262], ids=["sctp", "smc", "mptcp"])
def test_with_network_there_is_tcp_and_nothing_like_it(
    sandbox: Sandbox, tmp_path: Path, protocol: int
) -> None:
    script = f"""
import json, socket
def made(protocol):
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol).close()
    except OSError as error:
        return error.errno
    return 0
print(json.dumps([made(6), made({protocol})]))
"""
    extra = 'metadata:\n  skilllite.network: "api.example.com"\n'
    skill = make_skill(tmp_path, extra=extra, files={"scripts/main.py": script})

    outcome = sandbox.run(skill, {}, network=["api.example.com"])

    assert outcome.output == [0, 97]  # EAFNOSUPPORT
