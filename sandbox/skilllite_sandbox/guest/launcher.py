"""From a fresh interpreter to a zygote: gives up root, enters the namespaces, builds the root.

    launcher CONTROL_FD

The layout comes as the first message on the control socket, with the directory from which it names
what belongs to the host's user; nothing else is read from the host, and no byte of any skill.
Started by root, the trees are cloned by root, since only root may reach them, and then root is
given up for good, before anything else happens.
"""

import gc
import json
import os
import sys
from _signal import SIGKILL
from _socket import socket

from skilllite_sandbox.guest import landlock, report
from skilllite_sandbox.guest.byte_code import trust_byte_code
from skilllite_sandbox.guest.python_program import add_site_builtins
from skilllite_sandbox.guest.root import build_root, clone_sources
from skilllite_sandbox.guest.system import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    MS_PRIVATE,
    MS_REC,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    Libc,
)
from skilllite_sandbox.guest.worker import Kind, receive
from skilllite_sandbox.guest.zygote import serve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOST_NAME = "sandbox"
_STREAMS_END = 3
_DESCRIPTORS_END = 1 << 20  # above every limit on open files
_NAMESPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET


def main() -> None:
    """Become a zygote, or say on the control socket at which step that failed."""
    gc.disable()
    control = socket(fileno=int(sys.argv[1]))
    _keep_only(control)
    step = "layout"
    try:
        data, base = receive(control)
        if not data:
            os._exit(0)  # started early, and then there was nothing to run
        os.fchdir(base[0])  # also in the mount namespaces to come
        os.close(base[0])
        layout = json.loads(data)
        libc = Libc()
        step = "service user"
        clones = None
        if layout["service_id"] is not None:
            clones = _leave_root(libc, layout)
        step = "namespaces"
        _enter_namespaces(libc)
        if clones is None:
            step = "mounts"
            clones = clone_sources(libc, layout["mounts"])
        zygote = os.fork()
        if zygote:
            _wait_for(zygote, control)
        libc.prctl(PR_SET_PDEATHSIG, SIGKILL)
        libc.must("sethostname", HOST_NAME.encode("ascii"), len(HOST_NAME))
        step = "procfs"
        proc = libc.detached_proc()
        step = "private root"
        build_root(libc, layout["mounts"], clones, layout["files"])
        os.environ.clear()
        step = "landlock"
        version = landlock.version(libc)
        if version < layout["landlock_least"]:
            raise OSError(f"the kernel has version {version} of {layout['landlock_least']}")
        step = "preload"
        _preload(layout)
        if _threads(proc) != 1:
            raise RuntimeError("a preloaded package started a thread")
        kind = Kind(libc, layout, proc)
    except BaseException as error:
        answer = {"failed": step, "why": f"{type(error).__name__}: {error}"}
        control.send(json.dumps(answer).encode("utf-8"))
        os._exit(report.SETUP_FAILED)
    control.send(json.dumps({"landlock": version}).encode("utf-8"))
    if layout["preload"]:
        gc.collect()  # what the imports left behind would be copied into every worker
    serve(control, kind, layout["idle_s"])
    os._exit(0)


def _keep_only(control: socket) -> None:
    """Let go of everything else of the host: its descriptors, its working directory."""
    os.chdir("/")
    os.set_inheritable(control.fileno(), False)
    os.closerange(_STREAMS_END, control.fileno())
    os.closerange(control.fileno() + 1, _DESCRIPTORS_END)


def _leave_root(libc: Libc, layout: "dict[str, Any]") -> "dict[str, tuple[int, bool]]":
    """Clone the trees in a mount namespace of root's own, then become the service user for good."""
    libc.unshare(CLONE_NEWNS)
    libc.mount(None, "/", None, MS_REC | MS_PRIVATE)
    clones = clone_sources(libc, layout["mounts"])
    identity = layout["service_id"]
    os.setgroups([])
    os.setresgid(identity, identity, identity)
    os.setresuid(identity, identity, identity)
    # The change of identity made /proc/self root's, and the id maps are written there.
    libc.prctl(PR_SET_DUMPABLE, 1)
    return clones


def _enter_namespaces(libc: Libc) -> None:
    uid, gid = os.getuid(), os.getgid()
    libc.unshare(CLONE_NEWUSER | _NAMESPACES | CLONE_NEWCGROUP)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def _wait_for(zygote: int, control: socket) -> None:
    """Stay as the parent that reaps the zygote: without one it would become a zombie of init's."""
    control.close()
    os.chdir("/")
    null = os.open("/dev/null", os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    os.closerange(3, 1 << 16)
    os.waitpid(zygote, 0)
    os._exit(0)


def _preload(layout: "dict[str, Any]") -> None:
    """Import what workers need often, here and once; what isn't there isn't loaded."""
    sys.path += layout["paths"]
    trust_byte_code(sys.path)  # each worker says anew what it trusts
    os.environ.update(layout["preload_environment"])
    for name in layout["preload"]:
        __import__(name)
    if not layout["is_program"]:
        add_site_builtins()
    os.environ.clear()


def _threads(proc: int) -> int:
    """Return how many threads this process has: a fork would copy but one."""
    tasks = os.open("self/task", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=proc)
    try:
        return len(os.listdir(tasks))
    finally:
        os.close(tasks)
