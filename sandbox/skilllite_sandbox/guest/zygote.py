"""The zygote: first process of its namespaces, forks one worker for each request, reaps them.

Holds no secret: every worker is a copy of it. Single-threaded, because a fork copies one thread.
Reads requests from the control socket and nothing else; when the host is gone, so is this, and with
the first process the kernel takes every worker.
"""

import gc
import json
import os
import select
from _socket import SCM_RIGHTS, SOL_SOCKET, socket

from skilllite_sandbox.guest import report
from skilllite_sandbox.guest.system import CLONE_NEWPID, Libc
from skilllite_sandbox.guest.worker import Kind, be_worker, receive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def serve(control: socket, kind: Kind, idle_s: float) -> None:
    """Serve until the host closes the control socket, or asks for nothing for long."""
    gc.collect()
    gc.disable()  # a collection in a worker would copy pages; each worker turns it on again
    gc.freeze()
    _Zygote(control, kind, idle_s).serve()


class _Zygote:
    def __init__(self, control: socket, kind: Kind, idle_s: float) -> None:
        self._control = control
        self._idle_s = idle_s
        self._kind = kind
        self._own_processes = os.open("self/ns/pid", os.O_RDONLY | os.O_CLOEXEC, dir_fd=kind.proc)
        self._poll = select.poll()
        self._poll.register(control.fileno(), select.POLLIN)
        self._workers: dict[int, tuple[int, socket]] = {}
        """pid and report channel by pidfd."""

    def serve(self) -> None:
        """Answer requests and ends of workers as they come."""
        while True:
            ready = self._poll.poll(None if self._workers else self._idle_s * 1000)
            if not ready:
                self._control.send(report.EXPIRED)
                return
            for descriptor, _ in ready:
                if descriptor in self._workers:
                    self._reap(descriptor)
                    continue
                data, descriptors = receive(self._control)
                if not data:
                    return
                self._spawn(json.loads(data), *descriptors)

    def _spawn(self, spec: "dict[str, Any]", job_channel: int, report_channel: int) -> None:
        reports = socket(fileno=report_channel)
        try:
            pid = self._fork()
        except OSError as error:
            # The host sees both channels close: this run failed, the zygote goes on.
            reports.send(report.FAILED + f"fork: {error.strerror}".encode())
            reports.close()
            os.close(job_channel)
            return
        if pid == 0:
            be_worker(self._kind, spec, socket(fileno=job_channel))
        os.close(job_channel)
        pidfd = os.pidfd_open(pid)
        self._workers[pidfd] = (pid, reports)
        self._poll.register(pidfd, select.POLLIN)
        content = pidfd.to_bytes(4, "little")
        _tell(reports, report.STARTED, [(SOL_SOCKET, SCM_RIGHTS, content)])

    def _fork(self) -> int:
        libc: Libc = self._kind.libc
        libc.unshare(CLONE_NEWPID)  # for the child; this process stays where it is
        pid = os.fork()
        if pid:
            libc.setns(self._own_processes, CLONE_NEWPID)
        return pid

    def _reap(self, pidfd: int) -> None:
        pid, reports = self._workers.pop(pidfd)
        self._poll.unregister(pidfd)
        _, status, usage = os.wait4(pid, 0)
        os.close(pidfd)
        cpu_s = usage.ru_utime + usage.ru_stime
        _tell(reports, report.DIED + f"{status} {cpu_s:.6f}".encode("ascii"), [])
        reports.close()


def _tell(channel: socket, data: bytes, ancillary: "list[Any]") -> None:
    try:
        channel.sendmsg([data], ancillary)
    except OSError:
        pass  # the host has what it wanted and doesn't listen any more
