"""A run without namespaces: Landlock, a filter, limits; for root its own user and root directory.

    bare_worker STATUS_FD SPEC_FD

Two processes. The first stays outside: it kills what is left of the run when the skill ends, when
the host says so by SIGTERM, and when the host is gone, and watches over what no kernel bounds here.
It is trusted, out of the skill's reach, and ends as the skill did. The second isolates itself,
reads no byte of the skill before every protection stands, and becomes the skill.

Standard library of 3.11 only; each import costs every run.
"""

import fcntl
import marshal
import os
import select
import sys
from _signal import (
    SIG_BLOCK,
    SIG_DFL,
    SIG_UNBLOCK,
    SIGCHLD,
    SIGKILL,
    SIGTERM,
    pidfd_send_signal,
    pthread_sigmask,
    signal,
    sigtimedwait,
)
from _socket import AF_UNIX, SOCK_SEQPACKET, socket, socketpair
from time import monotonic

from skilllite_sandbox.guest import landlock, report
from skilllite_sandbox.guest.bare_watch import Usage, count_threads, processes_of, used_bytes
from skilllite_sandbox.guest.exec_program import become
from skilllite_sandbox.guest.execute_once import let_one_through, load_and_offer
from skilllite_sandbox.guest.python_program import Interrupted, add_site_builtins, run_script
from skilllite_sandbox.guest.streams import die_of_interrupt, finish_interpreter
from skilllite_sandbox.guest.system import (
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    RESOURCES,
    FilterProgram,
    Libc,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_TICK_S = 0.05  # what a skill can write meanwhile is what it can have too much of
_SWEEPS_MOST = 100  # each kills all there is; more than a few means one hangs in the kernel
_SWEEP_PAUSE_S = 0.01
_PR_SET_CHILD_SUBREAPER = 36
_DESCRIPTORS_END = 1 << 20  # above every limit on open files
_STATUS = 3
_CHANNEL = 4
_SPARE_LEAST = 16
_RIGHTS = {
    "read": landlock.READ,
    "execute": landlock.READ_EXECUTE,
    "write": landlock.READ_WRITE_FILE,
    "scratch": landlock.SCRATCH,
}


def main() -> None:
    """Start the run and stay with it to its end."""
    status, spec_file = int(sys.argv[1]), int(sys.argv[2])
    with open(spec_file, "rb") as file:
        spec: dict[str, Any] = marshal.load(file)
    libc = Libc()
    pthread_sigmask(SIG_BLOCK, (SIGCHLD, SIGTERM))
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        ours.detach()  # its number will be another one's
        _be_skill(libc, spec, status, theirs, parent)
        return
    theirs.close()
    _let_go_of_streams()
    if spec["executes"] == "once":
        let_one_through(ours)
    else:
        ours.recv(1)  # until it is closed: before, the other process is not the run's user yet
    ours.close()
    end = _Watch(spec, child, status).stay()
    _end_like(libc, end)


def _let_go_of_streams() -> None:
    null = os.open("/dev/null", os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    os.close(null)


class _Watch:
    """What the first process does while the skill runs."""

    def __init__(self, spec: "dict[str, Any]", child: int, status: int) -> None:
        self._spec = spec
        self._child = child
        self._status = status
        self._user: int | None = spec["user"]
        # Whoever can't make processes is gone when it is reaped.
        self._has_tree = spec["executes"] == "listed"
        self._host = select.poll()
        self._host.register(status, 0)  # tells an error when the reader is gone, and only that
        self._ended: int | None = None
        self._closed: set[int] = set()
        self._scratch: str = (spec["root"] or "") + spec["scratch"]
        self._used_before = used_bytes(self._scratch)

    def stay(self) -> int:
        """Return the wait status of the skill, when nothing of the run is left."""
        try:
            return self._stay()
        except BaseException:
            self._kill()  # whatever went wrong here, nobody would watch the skill any more
            raise
        finally:
            if self._has_tree:
                self._sweep()

    def _stay(self) -> int:
        looked_s = monotonic()
        while True:
            found = sigtimedwait((SIGCHLD, SIGTERM), _TICK_S)
            self._reap()
            if self._ended is not None:
                return self._ended
            if (found is not None and found.si_signo == SIGTERM) or self._host.poll(0):
                self._kill()
            elif monotonic() - looked_s >= _TICK_S:  # also while orphans end all the time
                self._look()
                looked_s = monotonic()

    def _kill(self) -> None:
        try:
            os.kill(self._child, SIGKILL)
        except PermissionError:  # root without CAP_KILL
            assert self._user is not None
            _as_child(_kill_all_of, self._user)

    def _reap(self) -> None:
        while True:
            try:
                found, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not found:
                return
            if found == self._child:
                self._ended = status

    def _look(self) -> None:
        """Kill the skill when it has too much of what is only watched."""
        spec = self._spec
        usage = Usage(
            bytes_most=spec["scratch_bytes"],
            inodes_most=spec["scratch_inodes"],
            file_bytes=spec["file_bytes"],
            lost_bytes=used_bytes(self._scratch) - self._used_before,
        )
        fact = b""
        if usage.has_too_much(self._scratch) or self._keeps_too_much(usage):
            fact = report.OUT_OF_DISK
        elif spec["threads"] and count_threads(self._child) > spec["threads"]:
            fact = report.OUT_OF_PROCESSES
        self._closed = usage.closed
        if fact:
            self._kill()  # first: it could keep the pipe full
            try:
                os.write(self._status, fact)
            except OSError:
                pass  # nobody wants to know any more

    def _processes(self) -> "list[int]":
        if self._has_tree:
            assert self._user is not None
            return processes_of(self._user)
        return [self._child]

    def _keeps_too_much(self, usage: Usage) -> bool:
        """Look as the run's user: root without CAP_SYS_PTRACE may not see what another has open.

        The real and saved user stay root, so that no process of the run may signal this one.
        """
        if self._user is None:
            return usage.keeps_too_much(self._processes(), self._closed)
        own_group = os.getegid()
        os.setegid(self._user)
        os.seteuid(self._user)
        try:
            return usage.keeps_too_much(self._processes(), self._closed)
        finally:
            os.seteuid(0)
            os.setegid(own_group)

    def _sweep(self) -> None:
        """Kill every process of the run's user.

        As that user by kill(-1), which reaches all of them in one step, however they fork; and one
        by one as root, whom none of them can kill first.
        """
        assert self._user is not None
        for _ in range(_SWEEPS_MOST):
            _as_child(_kill_all_of, self._user)
            for pid in processes_of(self._user):
                _kill_if_of(pid, self._user)
            self._reap()
            if not processes_of(self._user):
                return
            sigtimedwait((SIGCHLD,), _SWEEP_PAUSE_S)
            self._reap()


def _as_child(act: "Callable[[int], None]", user: int) -> None:
    """Do something in a process of its own, and wait for that."""
    child = os.fork()
    if child == 0:
        try:
            act(user)
        except OSError:
            pass
        os._exit(0)
    os.waitpid(child, 0)


def _kill_all_of(user: int) -> None:
    """Become this user for good, and kill everybody whom it may kill."""
    _become_user(user)
    os.kill(-1, SIGKILL)


def _kill_if_of(pid: int, user: int) -> None:
    """Kill a process unless its number is another one's by now."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if os.stat(f"/proc/{pid}").st_uid == user:
            pidfd_send_signal(descriptor, SIGKILL)
    except OSError:
        pass  # gone, or this root may not
    finally:
        os.close(descriptor)


def _become_user(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _end_like(libc: Libc, status: int) -> None:
    """End as the skill did, so that the host sees it."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        libc.set_limit(RESOURCES["CORE"], 1, 1)
        if number != SIGKILL:
            signal(number, SIG_DFL)
        pthread_sigmask(SIG_UNBLOCK, (number,))
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


def _be_skill(
    libc: Libc, spec: "dict[str, Any]", status: int, channel: socket, parent: int
) -> None:
    """Isolate this process, then run the skill; a failure before that ends it without."""
    try:
        _keep_only(status, channel)
        _isolate(libc, spec, parent)
        command = _load_filters(libc, spec)
        os.write(_STATUS, report.LANDLOCK + report.READY)
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(report.SETUP_FAILED)
    if command:
        become(command, _tell)
        return
    try:
        run_script(spec["script"], spec["paths"], _tell)
    except Interrupted:
        finish_interpreter(1)
        die_of_interrupt()


def _tell(fact: bytes) -> None:
    os.write(_STATUS, fact)


def _keep_only(status: int, channel: socket) -> None:
    """Close what belongs to the first process."""
    # First out of each other's way.
    spare = fcntl.fcntl(status, fcntl.F_DUPFD_CLOEXEC, _SPARE_LEAST)
    kept = fcntl.fcntl(channel.detach(), fcntl.F_DUPFD_CLOEXEC, _SPARE_LEAST)
    os.dup2(spare, _STATUS, inheritable=False)
    os.dup2(kept, _CHANNEL, inheritable=False)
    os.closerange(_CHANNEL + 1, _DESCRIPTORS_END)
    # Out of the group of the first process: kill(0, ...) must not reach it.
    os.setsid()
    pthread_sigmask(SIG_UNBLOCK, (SIGCHLD, SIGTERM))


def _isolate(libc: Libc, spec: "dict[str, Any]", parent: int) -> None:
    """Give up root and reach, in an order in which nothing needs what is gone already."""
    add_site_builtins()
    if spec["root"] is not None:
        os.chroot(spec["root"])
        os.chdir("/")
        _become_user(spec["user"])
        # The first process looks at it as the same user, and nobody else is that user.
        libc.prctl(PR_SET_DUMPABLE, 1)
    elif os.geteuid() == 0:
        raise PermissionError("root needs a user and a root directory for the skill")
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL)  # after the change of user, which clears it
    if os.getppid() != parent:
        raise ProcessLookupError("the first process is gone")
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1)
    libc.drop_capabilities()
    os.chdir(spec["scratch"])
    os.umask(0o022)
    os.environ.clear()
    os.environ.update(spec["environment"])
    found = landlock.version(libc)
    if found < spec["landlock_least"]:
        raise OSError(f"the kernel has version {found} of Landlock, not {spec['landlock_least']}")
    ruleset = landlock.Ruleset(libc)
    for path, rights in spec["rules"]:
        ruleset.allow(path, _RIGHTS[rights])
    ruleset.restrict()
    if not spec["writable_code"]:
        libc.refuse_writable_code()


def _load_filters(libc: Libc, spec: "dict[str, Any]") -> "list[str]":
    """Set the limits and load the filters, the last that is done; return what is to be executed."""
    command: list[str] = spec["command"]
    own = os.getpid().to_bytes(4, "little")
    program = FilterProgram(spec["filter"].replace(spec["own_pid"].to_bytes(4, "little"), own))
    closing = FilterProgram(spec["closing_filter"])
    for name, soft, hard in spec["limits"]:
        libc.set_limit(RESOURCES[name], soft, hard)
    if spec["executes"] == "once":
        load_and_offer(libc, program, socket(fileno=_CHANNEL))
    else:
        os.close(_CHANNEL)
        libc.load_filter(program)
    libc.load_filter(closing)
    return command
