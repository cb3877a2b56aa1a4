"""The box that installs: what code in it can't do, and how it ends when it doesn't want to."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from skilllite_sandbox.egress.rules import Rules
from skilllite_sandbox.environment import box as plan
from skilllite_sandbox.environment import box_run
from skilllite_sandbox.environment.box import Box, base_environment, box_command
from skilllite_sandbox.environment.box_run import BoxResult, run_box
from skilllite_sandbox.environment.installed import remove_tree
from skilllite_sandbox.errors import EnvironmentUnavailable
from skilllite_sandbox.host import Host, Interpreter, RootTools, find_program, read_host

DEADLINE_S = 60.0
needs_bwrap = pytest.mark.skipif(
    find_program("bwrap") is None, reason="bubblewrap is not installed"
)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "work"
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder, read_host().service_id, read_host().service_id)
    yield folder
    remove_tree(folder)


def run_python(code: str, work: Path, *, deadline_s: float = DEADLINE_S) -> BoxResult:
    host = read_host()
    assert host.python is not None
    environment = base_environment(certificates=False)
    box = Box((host.python.path, "-c", code), environment, str(work), building=True)
    return run_box(box, host, Rules(), on_line=lambda line: None, deadline_s=deadline_s)


ATTEMPTS = """
import json, os, socket, subprocess

def attempt(action):
    try:
        return action() not in (False, -1)
    except OSError:
        return False

def listen():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

print(json.dumps({
    "listen": attempt(listen),
    "datagram": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
    "raw": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)),
    "netlink": attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
    "unix": attempt(lambda: socket.socket(socket.AF_UNIX)),
    "more namespaces": attempt(lambda: subprocess.run(["unshare", "-U", "true"]).returncode == 0),
    "procfs": os.path.exists("/proc/self"),
    "write the system": attempt(lambda: open("/usr/mark", "w")),
    "write the root": attempt(lambda: open("/mark", "w")),
    "environment of the host": "SKILLLITE_CANARY" in os.environ,
    "other descriptors": len(os.listdir("/dev/fd")) > 0 if os.path.exists("/dev/fd") else False,
}))
"""


@needs_bwrap
def test_code_in_a_box_has_what_it_needs_and_no_more(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILLLITE_CANARY", "x")

    result = run_python(ATTEMPTS, work)

    achieved = json.loads(result.stdout)
    assert result.ok and achieved and not any(achieved.values()), (achieved, result.stderr)


@needs_bwrap
def test_code_in_a_box_can_start_programs_and_write_where_it_is_kept(work: Path) -> None:
    code = """
import subprocess
subprocess.run(["sh", "-c", "echo kept > /run/build/file && echo scratch > /tmp/file"], check=True)
"""
    result = run_python(code, work)

    assert result.ok, result.stderr
    assert (work / "file").read_text(encoding="utf-8") == "kept\n"


LINGERS = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
for _ in range(8):
    if not os.fork():
        os.setsid()
        break
while True:
    with open("/run/build/%d" % os.getpid(), "w") as file:
        file.write("busy")
"""


@needs_bwrap
def test_a_box_that_takes_too_long_is_gone_with_all_its_processes(work: Path) -> None:
    begun = time.monotonic()

    result = run_python(LINGERS, work, deadline_s=2.0)

    assert result.exceeded and not result.ok
    assert time.monotonic() - begun < DEADLINE_S / 2
    assert list(work.iterdir())
    remove_tree(work)
    assert not work.exists(), "somebody still writes there"


@needs_bwrap
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("open('/run/build/x', 'wb').write(bytes(32 << 20)); __import__('time').sleep(600)", "MiB"),
        (
            "[open(f'/run/build/{n}', 'w').close() for n in range(500)];"
            "__import__('time').sleep(600)",
            "files",
        ),
        ("print('x' * (16 << 20)); __import__('time').sleep(600)", "printed"),
    ],
)
def test_a_box_that_takes_too_much_is_ended(
    work: Path, monkeypatch: pytest.MonkeyPatch, code: str, says: str
) -> None:
    monkeypatch.setattr(plan, "DISK_BYTES", 8 << 20)
    monkeypatch.setattr(plan, "DISK_ENTRIES", 300)
    monkeypatch.setattr(box_run, "MEASURE_EVERY_S", 0.05)

    result = run_python(code, work)

    assert says in result.exceeded


@needs_bwrap
def test_a_box_leaves_no_descriptor_behind(work: Path) -> None:
    run_python("pass", work)
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208

    for _ in range(3):
        assert run_python("pass", work).ok

    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


@needs_bwrap
def test_a_box_reaches_nothing_that_was_not_granted(work: Path) -> None:
    code = """
import socket
with socket.create_connection(("127.0.0.1", 3128), timeout=20) as proxy:
    proxy.sendall(b"CONNECT 127.0.0.1:{0} HTTP/1.1\\r\\nHost: 127.0.0.1:{0}\\r\\n\\r\\n")
    print(proxy.recv(100).split()[1].decode())
"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        result = run_python(code.format(listener.getsockname()[1]), work)

    assert result.stdout == b"403\n", result.stderr
    assert [attempt.host for attempt in result.attempts] == ["127.0.0.1"]


DESCRIPTORS = dict.fromkeys(("info", "seccomp", "guest", "passwd", "orders"), 40)
HOST = Host(
    machine="x86_64",
    is_root=False,
    bwrap="/usr/bin/bwrap",
    python=Interpreter(
        "/usr/bin/python3.11", ("/usr/bin/python3.11", "/usr/lib/python3.11"), "/usr"
    ),
    node=None,
    bash=None,
    libraries=("/usr/lib/x86_64-linux-gnu",),
    links=(("usr/bin", "/bin"),),
    loader="/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    shared=(),
    root_tools=None,
    relay_points=("/mnt", "/media"),
)
ROOT = replace(
    HOST, is_root=True, root_tools=RootTools("/unshare", "/bin/sh", "/mount", "/setpriv")
)
BOX = Box(
    ("/x/uv",), {"UV_DEFAULT_INDEX": "https://a:secret@b"}, "/root/w", ("/root/t/uv",), ("/root/t",)
)


def test_the_command_shows_the_tools_and_nothing_of_the_orders() -> None:
    command = box_command(BOX, HOST, DESCRIPTORS)

    text = " ".join(command)
    assert command[0] == "/usr/bin/bwrap" and "--unshare-all" in command
    assert "--ro-bind /root/t/uv /root/t/uv" in text
    assert f"--bind /root/w {plan.WORK}" in text
    assert "secret" not in text and "--setenv" not in command
    assert "--ro-bind /usr /usr" not in text


def test_root_gives_itself_up_first_and_shows_what_only_root_can_reach() -> None:
    text = " ".join(box_command(BOX, ROOT, DESCRIPTORS))

    assert text.index("/setpriv") < text.index("/usr/bin/bwrap")
    assert "/mount /root/w /mnt /root/t /media --" in text
    assert f"--bind /mnt {plan.WORK}" in text
    assert "--ro-bind /media/uv /root/t/uv" in text


@pytest.mark.parametrize(
    "host",
    [replace(HOST, bwrap=None), replace(ROOT, root_tools=None), replace(ROOT, relay_points=())],
)
def test_a_host_that_cannot_carry_a_box_is_refused(host: Host) -> None:
    with pytest.raises(EnvironmentUnavailable) as refused:
        box_command(BOX, host, DESCRIPTORS)

    assert refused.value.hint


def test_the_guest_of_the_box_needs_nothing_of_this_package() -> None:
    source = Path(box_run.__file__).with_name("box_guest.py")

    done = subprocess.run(
        ["/usr/bin/python3", "-I", "-S", str(source), "0"],
        input=b"{}",
        capture_output=True,
        timeout=30,
    )

    assert done.returncode == 125
    assert b"could not be set up" in done.stderr
