"""What every carrier offers: a plan in, a started run with its pipes out."""

from __future__ import annotations

import os
import select
import signal
from _thread import allocate_lock
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress

from skilllite_sandbox.backend.memory_file import memory_file
from skilllite_sandbox.errors import SandboxUnavailable
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    import subprocess
    from typing import Protocol

    from skilllite_sandbox.plan import Plan
else:
    Protocol = object


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended."""

    wait_status: int
    cpu_s: float | None
    """Processor time of the whole run; None where nobody counted."""


class Started(Protocol):
    """A started run and the host's ends of its pipes, which belong to whoever waits for it."""

    stdin: int
    """-1 when all of the input was taken already."""
    stdout: int
    stderr: int
    status: int
    """What the guest reports, see `guest.report`."""
    end: int
    """Readable when there is something for `is_over` to look at; stays this object's."""
    on_code: Callable[[bytes], None] | None
    """Gets what the guest compiled its script to, when it doesn't have that yet."""
    tells_end: bool
    """Whether the guest says by itself that the skill is through, before its process is gone."""

    @property
    def pid(self) -> int:
        """A process of the run, as the host sees it."""

    def is_over(self) -> bool:
        """Return whether the first process is gone; called when `end` is readable."""

    def kill(self) -> None:
        """Kill the whole tree. Safe on any thread, any number of times, also afterwards."""

    def finish(self, timeout_s: float) -> Ended:
        """Release everything and return how it ended; called once, after a kill or the end."""


class Backend(Protocol):
    """A way to start a run."""

    def launch(self, plan: Plan, input_bytes: bytes) -> Started:
        """Start it, by bubblewrap on the calling thread, which has to live as long as the run.

        Args:
            plan: What to start and what to put around it.
            input_bytes: What stdin will give, for a carrier that takes it now or shows it as a
                file.

        Raises:
            SandboxUnavailable: it could not be started.
        """


class Pipes:
    """The descriptors of one launch: which end stays, which goes, and all closed on failure."""

    def __init__(self) -> None:
        self._theirs = ExitStack()
        self._ours = ExitStack()

    def __enter__(self) -> Pipes:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Close the other side's ends; after a failure ours too."""
        self._theirs.close()
        if kind is not None:
            self._ours.close()

    def to_guest(self) -> tuple[int, int]:
        """Return (theirs, ours) of a pipe that the host writes."""
        reading, writing = os.pipe()
        return self._keep(reading, writing)

    def from_guest(self) -> tuple[int, int]:
        """Return (theirs, ours) of a pipe that the host reads."""
        reading, writing = os.pipe()
        return self._keep(writing, reading)

    def packets(self) -> tuple[int, int]:
        """Return (theirs, ours) of a socket that keeps messages apart and carries descriptors."""
        import socket  # only for runs in bubblewrap with network

        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return self._keep(theirs.detach(), ours.detach())

    def file_of(self, content: bytes) -> int:
        """Return a descriptor that they can read this from, however long it is.

        Not a pipe: what all pipes of a user hold together is bounded, so that a skill with a few
        large ones would keep every other run of this user from being set up.
        """
        descriptor = memory_file(content)
        self._theirs.callback(os.close, descriptor)
        return descriptor

    def _keep(self, theirs: int, ours: int) -> tuple[int, int]:
        self._theirs.callback(os.close, theirs)
        self._ours.callback(_close_quietly, ours)
        return theirs, ours


def _close_quietly(descriptor: int) -> None:
    with suppress(OSError):
        os.close(descriptor)


class SpawnedProcess:
    """A run that is a process of ours, leader of its own process group.

    The group holds the carrier and the first process of the sandbox, with whose death the kernel
    kills all others in it; at level 1 everything that made no session of its own.
    """

    tells_end = False
    on_code: Callable[[bytes], None] | None = None

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        streams: tuple[int, int, int],
        status: int,
        *,
        counts_cpu: bool,
        clean_up: Callable[[], None],
    ) -> None:
        self._process = process
        self._counts_cpu = counts_cpu
        self._clean_up = clean_up
        self._lock = allocate_lock()
        self._reaped = False
        self.stdin, self.stdout, self.stderr = streams
        self.status = status
        self.end = os.pidfd_open(process.pid)

    @property
    def pid(self) -> int:
        """The process that was started; at levels 2 and 3 the carrier, not the skill."""
        return self._process.pid

    def is_over(self) -> bool:
        """Return True: a pidfd is readable when its process is gone."""
        return True

    def kill(self) -> None:
        """Kill whatever is left of the group."""
        with self._lock:
            # Not reaped: the id still belongs to this run.
            if not self._reaped:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, signal.SIGKILL)

    def finish(self, timeout_s: float) -> Ended:
        """Reap the process."""
        dying = select.poll()
        dying.register(self.end, select.POLLIN)
        dying.poll(timeout_s * 1000)
        os.close(self.end)
        self.kill()
        with self._lock:
            found, status, usage = os.wait4(self.pid, os.WNOHANG)
            self._reaped = True
        if not found:  # stuck in the kernel: nothing can be done about it from here
            status = signal.SIGKILL
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._clean_up()
        # A carrier doesn't wait for what it started, so its own count knows nothing.
        cpu_s = usage.ru_utime + usage.ru_stime if self._counts_cpu else None
        return Ended(status, cpu_s)


def spawn(
    arguments: Sequence[str],
    *,
    pipes: Pipes,
    inherited: Sequence[int],
    status: int,
    environment: dict[str, str],
    directory: str,
    counts_cpu: bool = False,
    clean_up: Callable[[], None] = _nothing,
) -> SpawnedProcess:
    """Start a command with fresh standard streams and nothing else of this process."""
    import subprocess  # 5 ms, and a zygote needs none of it

    stdin, our_stdin = pipes.to_guest()
    stdout, our_stdout = pipes.from_guest()
    stderr, our_stderr = pipes.from_guest()
    try:
        process = subprocess.Popen(
            arguments,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=inherited,
            env=environment,
            cwd=directory,
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxUnavailable(
            f"{arguments[0]} can't be started", cause=error.strerror or str(error)
        ) from error
    streams = (our_stdin, our_stdout, our_stderr)
    return SpawnedProcess(process, streams, status, counts_cpu=counts_cpu, clean_up=clean_up)
