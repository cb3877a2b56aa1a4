"""One single-use worker: isolates itself, waits for its job, runs one skill, and ends.

What can start processes becomes two. The first one of the namespace only reaps and reports: the
kernel ignores the signals that it has no handler for, leaves orphans to it, and kills everything
with it. A skill is the second, so that it lives and dies as it would anywhere else.

Whatever fails before the skill's first instruction ends the process without running it. The order
matters: file systems while the process still has capabilities over its namespaces, the user
namespace that takes them last; everything that only depends on the kind of worker before the job
comes, so that a warm one has but its skill's rule to add to Landlock, and the closing filter, since
that one refuses what the others still need.
"""

import fcntl
import gc
import json
import os
import select
import sys
from _signal import SIGINT, default_int_handler, signal
from _socket import (
    AF_UNIX,
    CMSG_LEN,
    MSG_CMSG_CLOEXEC,
    SCM_RIGHTS,
    SOCK_SEQPACKET,
    SOL_SOCKET,
    socket,
    socketpair,
)

from skilllite_sandbox.guest import landlock, network, report
from skilllite_sandbox.guest.early import import_early
from skilllite_sandbox.guest.exec_program import become, watch
from skilllite_sandbox.guest.execute_once import let_one_through, load_and_offer
from skilllite_sandbox.guest.python_program import Interrupted, run_script
from skilllite_sandbox.guest.rehearsal import compiled, rehearse
from skilllite_sandbox.guest.streams import (
    attach_streams,
    close_streams,
    die_of_interrupt,
    finish_interpreter,
)
from skilllite_sandbox.guest.system import (
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MS_NOATIME,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    RESOURCES,
    FilterProgram,
    Libc,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SCRATCH = "/tmp"
PER_RUN = "/run"
"""What differs between runs: where the skill is, and the file that stands for its stdin."""
SKILLS = "/skills"
ENVIRONMENTS = "/envs"
_STATUS = 3  # the descriptor of the channel to the host, after the standard streams
_PROC_LEAST = 16
_PROC = 4  # the procfs, until the identity is mapped
_LISTENER_CHANNEL = 5  # to the first process, for a program that may be executed once
_DESCRIPTORS_END = 1 << 20  # above every limit on open files
_PER_RUN_INODES = 8
_RIGHTS = {
    "read": landlock.READ,
    "execute": landlock.READ_EXECUTE,
    "write": landlock.READ_WRITE_FILE,
}


class Kind:
    """What all workers of one zygote have in common."""

    def __init__(self, libc: Libc, layout: "dict[str, Any]", proc: int) -> None:
        self.libc = libc
        # Above every place that a worker moves a descriptor to.
        self.proc = fcntl.fcntl(proc, fcntl.F_DUPFD_CLOEXEC, _PROC_LEAST)
        os.close(proc)
        self.filter = FilterProgram(bytes.fromhex(layout["filter"]))
        self.closing_filter = FilterProgram(bytes.fromhex(layout["closing_filter"]))
        self.rules: list[tuple[str, int]] = [
            (path, _RIGHTS[name]) for path, name in layout["landlock"]
        ]
        self.guest_id: int = layout["guest_id"]
        self.executes: str = layout["executes"]
        self.writable_code: bool = layout["writable_code"]
        self.network_port: int | None = layout["network_port"]
        self.warm_up: str = layout["warm_up"]
        self.is_program: bool = layout["is_program"]
        self.warm_up_code = b"" if self.is_program else compiled(self.warm_up)
        self.starts_processes = self.executes != "none"


def be_worker(kind: Kind, spec: "dict[str, Any]", channel: socket) -> None:
    """Run one job; never returns."""
    channel = _keep_only(channel, kind.proc)
    # Out of the zygote's process group: kill(0, ...) must not reach it.
    os.setsid()
    signal(SIGINT, default_int_handler)  # what Python does by itself, and the zygote took away
    if kind.starts_processes:
        ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        child = os.fork()
        if child:
            theirs.close()
            _be_first(kind, child, ours, channel)
        ours.close()
        os.setsid()
        if not kind.is_program:
            theirs.close()
    try:
        job, code = _become_ready(kind, spec, channel)
        if kind.is_program:
            os.dup2(theirs.detach(), _LISTENER_CHANNEL, inheritable=False)
            _run_program(kind, spec, job, channel)
        _run_python(job, code, channel)
    except BaseException as error:
        text = f"{type(error).__name__}: {error}"
        channel.send(report.FAILED + text.encode("utf-8", "replace")[:1024])
    os._exit(report.SETUP_FAILED)


def _be_first(kind: Kind, child: int, listeners: socket, channel: socket) -> None:
    """Reap until the skill is gone, say how it ended, and take the rest along; never returns."""
    os.closerange(0, _STATUS)
    os.close(_PROC)
    kind.libc.prctl(PR_SET_NO_NEW_PRIVS, 1)
    kind.libc.drop_capabilities()
    kind.libc.prctl(PR_SET_DUMPABLE, 0)
    if kind.executes == "once":
        let_one_through(listeners)
    listeners.close()
    code = os.waitstatus_to_exitcode(watch(child))
    try:
        channel.send(report.ENDED + str(code).encode("ascii"))
    except OSError:
        pass  # the skill has said it itself, and nobody listens any more
    os._exit(code & 0xFF)


def _become_ready(
    kind: Kind, spec: "dict[str, Any]", channel: socket
) -> "tuple[dict[str, Any], bytes]":
    """Isolate this process, take the job and prepare everything for it; return it and its code."""
    ruleset = _isolate(kind, spec, channel)
    _settle(spec)
    if kind.is_program:
        json.loads("{}")  # touch what the job will need
    else:
        _limit(kind, spec)
        if spec["rehearses"]:
            rehearse(kind.warm_up, kind.warm_up_code)
        _offer_streams()
    early = spec["early"] if spec["warm"] else None
    if early:
        # Before the first instruction of a package nothing is left to be done but the streams.
        _show(early, ruleset)
        kind.libc.load_filter(kind.closing_filter)
        channel.send(report.LANDLOCK + report.READY)
        import_early(early)
    if not kind.is_program:
        _seed()
    if spec["warm"]:
        gc.freeze()  # what is left of all this needs no collection when the skill has ended
        channel.send(report.WARM)
    data, descriptors = _await_job(channel, spec["idle_s"])
    if not data:
        os._exit(0)  # nobody needs this worker any more
    text, _, code = data.partition(report.CODE_SEPARATOR)
    job: dict[str, Any] = json.loads(text)
    _take(job, descriptors)
    if not early:
        _show(job, ruleset)
        if not kind.is_program:
            kind.libc.load_filter(kind.closing_filter)
    elif any(job[name] != early[name] for name in ("skill", "environment_id")):
        raise ValueError("this worker is for another skill")
    # What a package could have had a hand in is not for later runs.
    job["asks_for_code"] = not (code or early)
    gc.enable()
    return job, code


def _await_job(channel: socket, idle_s: float) -> "tuple[bytes, list[int]]":
    waiting = select.poll()
    waiting.register(channel.fileno(), select.POLLIN)
    return receive(channel) if waiting.poll(idle_s * 1000) else (b"", [])


def receive(channel: socket) -> "tuple[bytes, list[int]]":
    """Return one message and the descriptors that came with it."""
    space = CMSG_LEN(report.DESCRIPTORS_MAX * 4)
    data, ancillary, _, _ = channel.recvmsg(report.MESSAGE_BYTES_MAX, space, MSG_CMSG_CLOEXEC)
    found: list[int] = []
    for level, kind, content in ancillary:
        if level == SOL_SOCKET and kind == SCM_RIGHTS:
            found += memoryview(content[: len(content) // 4 * 4]).cast("i").tolist()
    return data, found


def _keep_only(channel: socket, proc: int) -> socket:
    """Close everything of the zygote and of other workers; return the channel in its new place."""
    os.dup2(channel.detach(), _STATUS, inheritable=False)
    os.dup2(proc, _PROC, inheritable=False)
    os.closerange(_PROC + 1, _DESCRIPTORS_END)
    return socket(fileno=_STATUS)


def _isolate(kind: Kind, spec: "dict[str, Any]", channel: socket) -> landlock.Ruleset:
    libc = kind.libc
    libc.unshare(CLONE_NEWNS | (CLONE_NEWNET if kind.network_port is not None else 0))
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME
    options = f"size={spec['scratch_bytes']},nr_inodes={spec['scratch_inodes'] + 1},mode=1777"
    libc.mount("tmpfs", SCRATCH, "tmpfs", flags, options)
    options = f"size={spec['input_bytes']},nr_inodes={_PER_RUN_INODES},mode=755"
    libc.mount("tmpfs", PER_RUN, "tmpfs", flags, options)
    if kind.network_port is not None:
        network.bring_loopback_up()
        network.offer_listener(kind.network_port, channel.fileno())
    libc.unshare(CLONE_NEWUSER)
    map_identity(_PROC, inside=kind.guest_id, outside=0)
    os.close(_PROC)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1)
    libc.drop_capabilities()
    libc.prctl(PR_SET_DUMPABLE, 0)
    ruleset = landlock.Ruleset(libc)
    for path, rights in kind.rules:
        ruleset.allow(path, rights)
    ruleset.allow(SCRATCH, landlock.SCRATCH)
    ruleset.allow(PER_RUN, landlock.READ)
    if kind.network_port is not None:
        ruleset.allow_connect(kind.network_port)
    if not kind.writable_code:
        libc.refuse_writable_code()
    if not kind.is_program:
        libc.load_filter(kind.filter)
    return ruleset


def map_identity(proc: int, *, inside: int, outside: int) -> None:
    """Give this process, in a user namespace just made, one uid and gid."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside} {outside} 1"),
        ("gid_map", f"{inside} {outside} 1"),
    ):
        file = os.open(f"self/{name}", os.O_WRONLY | os.O_CLOEXEC, dir_fd=proc)
        os.write(file, text.encode("ascii"))
        os.close(file)


def _settle(spec: "dict[str, Any]") -> None:
    """Take the environment and the place that are the same for all of this kind."""
    os.environ.clear()
    os.environ.update(spec["environment"])
    os.chdir(SCRATCH)
    os.umask(0o022)


def _limit(kind: Kind, spec: "dict[str, Any]") -> None:
    for name, soft, hard in spec["limits"]:
        kind.libc.set_limit(RESOURCES[name], soft, hard)


def _offer_streams() -> None:
    """Make the standard streams, on pipes as those of every job, which then take their place."""
    reading, writing = os.pipe()
    for number, descriptor in enumerate((reading, writing, writing)):
        os.dup2(descriptor, number)
    os.close(reading)
    os.close(writing)
    attach_streams(0, 1, 2)


def _seed() -> None:
    """Seed the generators: all workers were forked from one state of them."""
    if "random" in sys.modules:
        sys.modules["random"].seed()


def _take(job: "dict[str, Any]", descriptors: "list[int]") -> None:
    """Put the job's streams in their place, and its input."""
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    os.environ.update(job.get("variables", {}))
    if job["stdin_file"]:
        _copy_input(descriptors[3])
    for descriptor in descriptors:
        os.close(descriptor)


def _show(job: "dict[str, Any]", ruleset: landlock.Ruleset) -> None:
    """Let this process see its own skill and packages, and from here on no other's."""
    shown = []
    if job["skill"]:
        shown.append(f"{SKILLS}/{job['skill']}")
        # A warm worker can't mount any more, but it can write a link here.
        os.symlink(shown[0], f"{PER_RUN}/skill")
    if job["environment_id"]:
        shown.append(f"{ENVIRONMENTS}/{job['environment_id']}")
        os.symlink(f"{shown[-1]}/node_modules", f"{PER_RUN}/node_modules")
    for path in shown:
        ruleset.allow_directory(path, landlock.READ)
    ruleset.restrict()


def _copy_input(source: int) -> None:
    """Show the input as a file: without /proc no link can lead to a program's own stdin."""
    target = os.open(f"{PER_RUN}/stdin", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    while os.sendfile(target, source, None, 1 << 20):
        pass
    os.close(target)


def _run_python(job: "dict[str, Any]", code: bytes, channel: socket) -> None:
    tell = channel.send
    tell(report.LANDLOCK + report.READY)
    status, interrupted = 0, False
    try:
        run_script(job["script"], job["paths"], tell, code=code, asks_for_code=job["asks_for_code"])
    except SystemExit as error:
        status = exit_code(error)
        interrupted = isinstance(error, Interrupted)
    status = finish_interpreter(status)
    close_streams()
    if interrupted:
        die_of_interrupt()
    # Before the kernel takes the process apart, which is what the host would wait for else.
    tell(report.ENDED + str(status).encode("ascii"))
    os._exit(status)


def exit_code(error: SystemExit) -> int:
    """Return the status that the interpreter would exit with."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def _run_program(
    kind: Kind, spec: "dict[str, Any]", job: "dict[str, Any]", channel: socket
) -> None:
    """Load the filter and become the program; comes back only when that fails.

    The limits come last. One on files would hold for the input, too; and how many descriptors all
    processes of this user have under way is compared with the limit of who passes one on, as the
    listener is, and other runs could have them.
    """
    tell = channel.send
    if kind.executes == "once":
        load_and_offer(kind.libc, kind.filter, socket(fileno=_LISTENER_CHANNEL))
    else:
        os.close(_LISTENER_CHANNEL)
        kind.libc.load_filter(kind.filter)
    _limit(kind, spec)
    kind.libc.load_filter(kind.closing_filter)
    tell(report.LANDLOCK + report.READY)
    become(job["command"], tell)
