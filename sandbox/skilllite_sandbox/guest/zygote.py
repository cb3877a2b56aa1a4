"""The zygote: first process of its namespaces, forks one worker for each request, reaps them.

Each gets a process namespace of its own. A skill is never the first process there: that one ignores
the signals that it has no handler for, and the kernel kills everything with it. A worker that can
start others becomes two processes, the first of which reaps and reports. One of Python can't; its
first process only exists, and is killed when the worker is gone.

Holds no secret: every worker is a copy of it. Single-threaded, because a fork copies one thread.
Reads requests from the control socket and nothing else; when the host is gone, so is this, and with
the first process the kernel takes every worker.
"""

import gc
import json
import os
import select
import time
from _signal import SIG_DFL, SIGINT, SIGKILL, pidfd_send_signal, signal
from _socket import SCM_RIGHTS, SOL_SOCKET, socket

from skilllite_sandbox.guest import report
from skilllite_sandbox.guest.system import CLONE_NEWPID, Libc
from skilllite_sandbox.guest.worker import Kind, be_worker, receive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


DEFERRED_S = 0.004  # longer than most runs: until then a replacement would be in their way
DEFERRED_MAX = 64  # above what a host keeps warm; what comes on top is forked at once


def serve(control: socket, kind: Kind, idle_s: float) -> None:
    """Serve until the host closes the control socket, or asks for nothing for long."""
    gc.disable()  # a collection in a worker would copy pages; each worker turns it on again
    gc.freeze()
    signal(SIGINT, SIG_DFL)  # the only one that Python handles; see Libc.start_idle
    _Zygote(control, kind, idle_s).serve()


class _Zygote:
    def __init__(self, control: socket, kind: Kind, idle_s: float) -> None:
        self._control = control
        self._idle_s = idle_s
        self._kind = kind
        self._own_processes = os.open("self/ns/pid", os.O_RDONLY | os.O_CLOEXEC, dir_fd=kind.proc)
        self._poll = select.poll()
        self._poll.register(control.fileno(), select.POLLIN)
        self._workers: dict[int, tuple[int, _First | None, socket]] = {}
        """pid, the idle first process and report channel by pidfd."""
        self._deferred: list[tuple[dict[str, Any], int, int]] = []
        """Requests that may wait for the end of a run, the oldest first."""
        self._due_s = 0.0
        """When they have waited long enough."""

    def serve(self) -> None:
        """Answer requests and ends of workers as they come."""
        while True:
            ready = self._poll.poll(self._patience_ms())
            if self._deferred and time.monotonic() >= self._due_s:
                while self._deferred:
                    self._spawn(*self._deferred.pop(0))
            elif not ready and not self._workers:
                self._control.send(report.EXPIRED)
                return
            for descriptor, _ in ready:
                if descriptor in self._workers:
                    self._reap(descriptor)
                    if self._deferred:
                        self._spawn(*self._deferred.pop(0))
                    continue
                data, descriptors = receive(self._control)
                if not data:
                    return
                self._answer(json.loads(data), *descriptors)

    def _patience_ms(self) -> float | None:
        if self._deferred:
            return max(0.0, self._due_s - time.monotonic()) * 1000
        return None if self._workers else self._idle_s * 1000

    def _answer(self, spec: "dict[str, Any]", job_channel: int, report_channel: int) -> None:
        """Fork at once, or, for a replacement, when the run is over that it replaces."""
        if not spec["deferred"] or len(self._deferred) >= DEFERRED_MAX:
            self._spawn(spec, job_channel, report_channel)
            return
        if not self._deferred:
            self._due_s = time.monotonic() + DEFERRED_S
        self._deferred.append((spec, job_channel, report_channel))

    def _spawn(self, spec: "dict[str, Any]", job_channel: int, report_channel: int) -> None:
        reports = socket(fileno=report_channel)
        first = None
        try:
            first = None if self._kind.is_program else _First(self._kind.libc)
            pid = self._fork(first)
        except OSError as error:
            if first is not None:
                first.end()
            # The host sees both channels close: this run failed, the zygote goes on.
            reports.send(report.FAILED + f"fork: {error.strerror}".encode())
            reports.close()
            os.close(job_channel)
            return
        if pid == 0:
            be_worker(self._kind, spec, socket(fileno=job_channel))
        os.close(job_channel)
        pidfd = os.pidfd_open(pid)
        self._workers[pidfd] = (pid, first, reports)
        self._poll.register(pidfd, select.POLLIN)
        content = pidfd.to_bytes(4, "little")
        _tell(reports, report.STARTED, [(SOL_SOCKET, SCM_RIGHTS, content)])

    def _fork(self, first: "_First | None") -> int:
        libc: Libc = self._kind.libc
        # For the child; this process stays where it is.
        if first is None:
            libc.unshare(CLONE_NEWPID)
        else:
            libc.setns(first.pidfd, CLONE_NEWPID)
        try:
            pid = os.fork()
        except OSError:
            libc.setns(self._own_processes, CLONE_NEWPID)
            raise
        if pid:
            libc.setns(self._own_processes, CLONE_NEWPID)
        return pid

    def _reap(self, pidfd: int) -> None:
        pid, first, reports = self._workers.pop(pidfd)
        self._poll.unregister(pidfd)
        _, status, usage = os.wait4(pid, 0)
        os.close(pidfd)
        if first is not None:
            first.end()
        cpu_s = usage.ru_utime + usage.ru_stime
        _tell(reports, report.DIED + f"{status} {cpu_s:.6f}".encode("ascii"), [])
        reports.close()


class _First:
    """The idle first process of a namespace; while there is one, others can be put beside it."""

    def __init__(self, libc: Libc) -> None:
        self._pid = libc.start_idle(CLONE_NEWPID)
        try:
            self.pidfd = os.pidfd_open(self._pid)
        except OSError:
            os.kill(self._pid, SIGKILL)
            os.waitpid(self._pid, 0)
            raise

    def end(self) -> None:
        """End it, with everything in its namespace that is still there."""
        pidfd_send_signal(self.pidfd, SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self.pidfd)


def _tell(channel: socket, data: bytes, ancillary: "list[Any]") -> None:
    try:
        channel.sendmsg([data], ancillary)
    except OSError:
        pass  # the host has what it wanted and doesn't listen any more
