"""The host's side of one zygote: starts it, asks it for workers, hands jobs to them.

No thread and no event loop: whatever a worker or the zygote has to say about a run arrives on two
sockets of that run, where whoever waits for the run reads it. The zygote itself speaks once, when
it is ready or could not become so.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from _socket import (
    AF_UNIX,
    CMSG_LEN,
    MSG_CMSG_CLOEXEC,
    MSG_DONTWAIT,
    SCM_RIGHTS,
    SOCK_CLOEXEC,
    SOCK_SEQPACKET,
    SOL_SOCKET,
    socket,
    socketpair,
)
from _thread import allocate_lock
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from fcntl import F_GETPIPE_SZ, fcntl

from skilllite_sandbox.backend.base import Ended
from skilllite_sandbox.backend.launch import Launcher
from skilllite_sandbox.backend.memory_file import memory_file
from skilllite_sandbox.errors import SandboxUnavailable
from skilllite_sandbox.guest import report
from skilllite_sandbox.plan import ZygotePart

START_S = 15.0  # a healthy start takes 0.05; this is for a machine under water
ANSWER_S = 10.0  # a fork takes milliseconds
_ANSWER_BYTES = 4096
_JSON = {True: "true", False: "false"}


class ZygoteFailed(SandboxUnavailable):
    """This host, or this moment, can't have a zygote; another carrier may do."""

    def __init__(self, step: str, why: str) -> None:
        super().__init__(
            f"the zygote could not be set up at: {step}",
            cause=why,
            hint="`skilllite doctor` tries out what this host can do",
        )
        self.step = step


class Zygote:
    """A running zygote. Safe to use from several threads; starting is not waiting for it."""

    def __init__(
        self, interpreter: str, part: ZygotePart, launcher: Launcher | None = None
    ) -> None:
        """Start one, or make one of a launcher that was started already."""
        try:
            self._launcher = launcher or Launcher(interpreter)
        except OSError as error:
            raise ZygoteFailed("start", error.strerror or str(error)) from error
        self._control = self._launcher.control
        self._lock = allocate_lock()
        self._ready: bool | None = None
        self.spawned = 0
        """Workers asked for so far."""
        self.running = 0
        """Jobs handed over and not ended; kept by whoever hands them over."""
        self.expired = False
        """Whether it ended by itself, because nobody used it."""
        try:
            base = os.open(part.base, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                _send(self._control, part.layout.encode("utf-8"), (base,))
            finally:
                os.close(base)
        except OSError as error:
            self.close()
            raise ZygoteFailed("start", error.strerror or str(error)) from error

    @property
    def pid(self) -> int:
        """The launcher, parent of the zygote."""
        return self._launcher.pid

    def wait_ready(self) -> None:
        """Wait until it serves.

        Raises:
            ZygoteFailed: it can't, with the step at which it failed.
        """
        with self._lock:
            if self._ready:
                return
            waiting = select.poll()
            waiting.register(self._control.fileno(), select.POLLIN)
            data = b""
            if waiting.poll(START_S * 1000):
                with suppress(OSError):
                    data = self._control.recv(_ANSWER_BYTES)
            answer = (
                json.loads(data)
                if data
                else {"failed": "start", "why": self._launcher.last_words()}
            )
            self._ready = "failed" not in answer
        if not self._ready:
            self.close()
            raise ZygoteFailed(answer["failed"], answer["why"])

    def is_alive(self) -> bool:
        """Return whether it can still be asked; a dead one closes its end of the control socket."""
        try:
            self.expired = self._control.recv(_ANSWER_BYTES, MSG_DONTWAIT) == report.EXPIRED
            return False
        except BlockingIOError:
            return True
        except OSError:
            return False

    def spawn(
        self, worker: str, *, warm: bool, rehearses: bool = True, deferred: bool = False
    ) -> Worker:
        """Ask for a worker.

        Args:
            worker: What its kind is, in JSON.
            warm: It prepares itself as far as it can before its job comes.
            rehearses: The preparation includes what takes time and saves less than that.
            deferred: It may be forked when a run has ended, or milliseconds later.

        Raises:
            ZygoteFailed: it is dead.
        """
        kind = SOCK_SEQPACKET | SOCK_CLOEXEC
        channel, their_channel = socketpair(AF_UNIX, kind)
        reports, their_reports = socketpair(AF_UNIX, kind)
        # `worker` is a JSON object of ours: three more members go at its end.
        how = f'"warm": {_JSON[warm]}, "rehearses": {_JSON[warm and rehearses]}'
        request = f'{worker[:-1]}, {how}, "deferred": {_JSON[deferred]}}}'
        try:
            _send(self._control, request.encode("utf-8"), (their_channel, their_reports))
        except OSError as error:
            channel.close()
            reports.close()
            raise ZygoteFailed("request", error.strerror or str(error)) from error
        finally:
            their_channel.close()
            their_reports.close()
        self.spawned += 1
        return Worker(channel, reports, self, warm=warm)

    def close(self) -> None:
        """End it and all its workers, and wait until they are gone."""
        self._launcher.close()


class Worker:
    """One process of a zygote, before and while it runs a job; also the `Started` of that run."""

    tells_end = True

    def __init__(
        self, channel: socket, reports: socket, zygote: Zygote, *, warm: bool = False
    ) -> None:
        self.zygote = zygote
        self.warm = warm
        """Whether it did before its job came what can be done then."""
        self.on_finished: Callable[[], None] | None = None
        """Called once, when the run is over and everything of it is released."""
        self.on_code: Callable[[bytes], None] | None = None
        self._channel = channel
        self._reports = reports
        self._lock = allocate_lock()
        self._pidfd = -1
        self._pid = -1
        self._ended: Ended | None = None
        self._closed = False
        self.born_s = time.monotonic()
        self.stdin = self.stdout = self.stderr = -1
        self.status = -1
        self.end = reports.fileno()

    def is_warm(self) -> bool:
        """Return whether it waits for its job; False also when it is gone."""
        try:
            return self._channel.recv(_ANSWER_BYTES, MSG_DONTWAIT) == report.WARM
        except OSError:
            return False

    def run(self, job: str, input_bytes: bytes, *, stdin_file: bool, code: bytes = b"") -> None:
        """Hand over the job; from here on this is a started run.

        Args:
            job: What to run, in JSON.
            input_bytes: For its stdin; what doesn't fit into a pipe is left to whoever waits.
            stdin_file: Whether the input has to be a file, too.
            code: What an earlier run of this job gave to `on_code`.

        Raises:
            ZygoteFailed: it died before it could take the job.
        """
        stdin, our_stdin = os.pipe2(os.O_CLOEXEC)
        our_stdout, stdout = os.pipe2(os.O_CLOEXEC)
        our_stderr, stderr = os.pipe2(os.O_CLOEXEC)
        theirs = [stdin, stdout, stderr]
        if stdin_file:
            theirs.append(memory_file(input_bytes))
        try:
            if len(input_bytes) <= fcntl(our_stdin, F_GETPIPE_SZ):
                # Now and at once: nobody has to wait for the pipe to take it. How much that is
                # depends on how many pipes this user has, a skill's among them.
                if input_bytes:
                    os.write(our_stdin, input_bytes)
                os.close(our_stdin)
                our_stdin = -1
            message = job.encode("utf-8")
            if code:
                message += report.CODE_SEPARATOR + code
            _send(self._channel, message, theirs)
        except OSError as error:
            for descriptor in (our_stdin, our_stdout, our_stderr):
                if descriptor >= 0:
                    os.close(descriptor)
            self.discard()
            raise ZygoteFailed("job", error.strerror or str(error)) from error
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        self.stdin, self.stdout, self.stderr = our_stdin, our_stdout, our_stderr
        self.status = self._channel.detach()

    @property
    def pid(self) -> int:
        """The first process of the run, as the host numbers it; -1 when it never was."""
        self._await_start()
        if self._pid < 0 and self._pidfd >= 0:
            with open(f"/proc/self/fdinfo/{self._pidfd}", encoding="ascii") as file:
                lines = dict(line.split(":", 1) for line in file)
            self._pid = int(lines["Pid"])
        return self._pid

    def is_over(self) -> bool:
        """Take in what the zygote says; return whether the worker is dead, or the zygote."""
        with self._lock:
            return self._hear()

    def kill(self) -> None:
        """Kill the first process, and with it everything in its namespace."""
        self._await_start()
        with self._lock:
            if self._pidfd >= 0:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def finish(self, timeout_s: float) -> Ended:
        """Wait for the death, if there is time for it, and release everything."""
        deadline = time.monotonic() + timeout_s
        waiting = select.poll()
        waiting.register(self.end, select.POLLIN)
        over = False
        while not over and (left_s := deadline - time.monotonic()) > 0:
            over = bool(waiting.poll(left_s * 1000)) and self.is_over()
        with self._lock:
            self._closed = True
            if self._pidfd >= 0:
                os.close(self._pidfd)
                self._pidfd = -1
            self._reports.close()
        if self.on_finished is not None:
            self.on_finished()
        return self._ended or Ended(signal.SIGKILL, None)

    def discard(self) -> None:
        """Let go of a worker without a job: it ends when its channel closes, if not before."""
        with self._lock:
            self._hear()
            if self._pidfd >= 0:  # it may have imported something that doesn't want to end
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            self._closed = True
            self._channel.close()
            if self._pidfd >= 0:
                os.close(self._pidfd)
                self._pidfd = -1
            self._reports.close()

    def _await_start(self) -> None:
        """Have the pidfd, unless the worker is gone or was never made."""
        deadline = time.monotonic() + ANSWER_S
        waiting = select.poll()
        waiting.register(self.end, select.POLLIN)
        while True:
            with self._lock:
                if self._closed or self._pidfd >= 0 or self._hear() or self._pidfd >= 0:
                    return
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not waiting.poll(left_s * 1000):
                return

    def _hear(self) -> bool:
        """Read every message that is there; return whether the worker is over."""
        while self._ended is None and not self._closed:
            try:
                data, ancillary, _, _ = self._reports.recvmsg(
                    _ANSWER_BYTES, CMSG_LEN(4), MSG_CMSG_CLOEXEC | MSG_DONTWAIT
                )
            except BlockingIOError:
                return False
            except OSError:
                data, ancillary = b"", []
            if data.startswith(report.STARTED):
                for _, _, content in ancillary:
                    self._pidfd = int.from_bytes(content[:4], "little")
            elif data.startswith(report.DIED):
                status, cpu_s = data[len(report.DIED) :].split()
                self._ended = Ended(int(status), float(cpu_s))
            else:  # the zygote died, and with it this worker
                self._ended = Ended(signal.SIGKILL, None)
        return True


def _send(channel: socket, data: bytes, descriptors: Sequence[int | socket]) -> None:
    numbers = [each if isinstance(each, int) else each.fileno() for each in descriptors]
    channel.sendmsg([data], [(SOL_SOCKET, SCM_RIGHTS, array("i", numbers))])
