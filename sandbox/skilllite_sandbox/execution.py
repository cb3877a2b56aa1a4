"""One running skill: feeds it, bounds it, waits for it, and says how it ended.

`wait` blocks and may be called on any thread, once; `kill` may be called on any thread at any time,
also when the run is over. No thread of its own: one `poll` over the pipes and the pidfd, which
wakes up by itself only to look at the tree of a run that may have more than one process.

The end of a run is the end of the guest's first process, or its word that the skill is through,
after which it is killed. Whatever it left behind dies with the process namespace (level 1: with the
process group), and what that still prints no longer counts.
"""

from __future__ import annotations

import codecs
import os
import select
import time
from _thread import allocate_lock
from collections.abc import Callable

from skilllite_sandbox.backend.base import Ended, Started
from skilllite_sandbox.guest import report
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.plan import Plan
from skilllite_sandbox.verdict import Ending, dropped_note, make_outcome

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from skilllite_sandbox.bounds.tree_bounds import TreeBounds
    from skilllite_sandbox.egress.attempt import Attempt
    from skilllite_sandbox.network_gate import NetworkGate

_PROCESSORS = os.cpu_count() or 1
_CHUNK_BYTES = 64 * 1024  # what a pipe holds
_STATUS_BYTES = 64  # far more than the guest ever says
_DRAIN_S = 0.5  # after the end: bytes already in the pipes, and the kernel's work on the leftovers
_DEATH_S = 10.0  # a SIGKILLed process that stays longer hangs in the kernel
_POLL_LONGEST_S = 3600.0  # poll takes milliseconds in an int
_LOG_LINE_CHARS = 4096  # a longer line is handed out in pieces


class Execution:
    """A started run. Wait for it exactly once, or it stays a zombie."""

    def __init__(
        self,
        plan: Plan,
        started: Started,
        input_bytes: bytes,
        bounds: TreeBounds | None = None,
        on_end: Callable[[Outcome], None] | None = None,
    ) -> None:
        """Take over a started run.

        Args:
            plan: What stands around it.
            started: Its first process.
            input_bytes: What is left to be fed.
            bounds: On its tree, if it may have more processes.
            on_end: Called with how it ended, on the thread that waits.
        """
        self._plan = plan
        self._process = started
        self._bounds = bounds
        self._on_end = on_end
        self._input = memoryview(input_bytes)
        self._started = time.monotonic()
        self._lock = allocate_lock()
        self._killed_for: Reason | None = None
        self._over = False
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._stderr_dropped = 0
        self._told = bytearray()
        self._told_code: int | None = None
        self._may_be_code = started.tells_end
        self._log: _Lines | None = None
        self._gate = _open_gate(plan) if plan.network else None
        self._attempts: tuple[Attempt, ...] = ()
        self._poll = select.poll()
        self._open: dict[int, Callable[[], bool]] = {
            started.stdout: self._read_stdout,
            started.stderr: self._read_stderr,
            started.status: self._read_status,
        }
        """What to do when a pipe is ready; False closes it."""
        if started.stdin >= 0:
            self._open[started.stdin] = self._feed

    @property
    def pid(self) -> int:
        """A process of the run, as the host sees it."""
        return self._process.pid

    @property
    def plan(self) -> Plan:
        """What stands around this run."""
        return self._plan

    def kill(self, reason: Reason = Reason.CANCELLED) -> None:
        """End the run with all its processes; the first reason given is the one that counts."""
        with self._lock:
            if not self._over:
                self._killed_for = self._killed_for or reason
        self._process.kill()

    def wait(self, on_log: Callable[[str], None] | None = None) -> Outcome:
        """Return how the run ended, at the latest a moment after its deadline.

        Args:
            on_log: Called with each line of stderr as it comes, within the bound on stderr.
        """
        self._log = _Lines(on_log) if on_log is not None else None
        try:
            self._exchange()
        except BaseException:
            self.kill()
            raise
        finally:
            ended = self._finish()
        if self._log is not None and on_log is not None:
            self._log.finish()
            if self._stderr_dropped:
                on_log(dropped_note(self._stderr_dropped))
        duration_s = time.monotonic() - self._started
        outcome = make_outcome(
            self._plan,
            Ending(
                wait_status=ended.wait_status,
                killed_for=self._killed_for,
                told=bytes(self._told),
                told_code=self._code_of_the_skill(ended),
                stdout=bytes(self._stdout),
                stderr=bytes(self._stderr),
                stderr_dropped=self._stderr_dropped,
                cpu_most_s=(ended.cpu_s if ended.cpu_s is not None else duration_s * _PROCESSORS),
                duration_ms=duration_s * 1000,
                attempts=self._attempts,
                tree=self._bounds.bound if self._bounds is not None else None,
            ),
        )
        if self._on_end is not None:
            self._on_end(outcome)
        return outcome

    def _code_of_the_skill(self, ended: Ended) -> int | None:
        """Return its own exit code; None when there is but the carrier's."""
        if self._told_code is None and self._process.tells_end:
            return os.waitstatus_to_exitcode(ended.wait_status)
        return self._told_code

    def _exchange(self) -> None:
        """Move bytes until the process is gone and its pipes are at their end."""
        self._poll.register(self._process.end, select.POLLIN)
        for descriptor in self._open:
            os.set_blocking(descriptor, False)
            wanted = select.POLLOUT if descriptor == self._process.stdin else select.POLLIN
            self._poll.register(descriptor, wanted)
        if not self._pump_until(self._started + self._plan.limits.wall_s):
            self.kill(Reason.TIMEOUT)
            self._pump_until(time.monotonic() + _DEATH_S)

    def _pump_until(self, deadline: float) -> bool:
        """Move bytes; return whether the run ended before the deadline."""
        ended = False
        while self._told_code is None and (not ended or self._outputs_open()):
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            if self._bounds is not None and self._killed_for is None:
                if (over := self._bounds.check()) is not None:
                    self.kill(over)
                    deadline = time.monotonic() + _DEATH_S
                left_s = max(min(left_s, self._bounds.due_in_s()), 0)
            for descriptor, _ in self._poll.poll(min(left_s, _POLL_LONGEST_S) * 1000):
                if descriptor == self._process.end:
                    if self._process.is_over():
                        ended = True
                        self._poll.unregister(descriptor)
                        self._process.kill()
                        deadline = time.monotonic() + _DRAIN_S
                elif descriptor in self._open and not self._open[descriptor]():
                    self._close(descriptor)
        if self._told_code is not None:
            self._take_the_rest()
            return True
        return ended

    def _take_the_rest(self) -> None:
        """Read what the pipes hold at this moment: the skill has written all that counts.

        No more than that, or a skill that says it is through and goes on writing, which it can
        until it is killed, would keep the host here.
        """
        for descriptor in (self._process.stdout, self._process.stderr):
            end = self._taken() + _CHUNK_BYTES
            while descriptor in self._open and self._taken() < end:
                before = self._taken()
                if not self._open[descriptor]():
                    self._close(descriptor)
                elif before == self._taken():
                    break

    def _taken(self) -> int:
        return len(self._stdout) + len(self._stderr) + self._stderr_dropped

    def _outputs_open(self) -> bool:
        return len(self._open) > (self._process.stdin in self._open)

    def _feed(self) -> bool:
        try:
            written = os.write(self._process.stdin, self._input[:_CHUNK_BYTES])
        except BlockingIOError:
            return True
        except BrokenPipeError:
            return False  # it doesn't read its input: its own business
        self._input = self._input[written:]
        return len(self._input) > 0

    def _read_stdout(self) -> bool:
        data = _read(self._process.stdout)
        if data is None:
            return True
        room = self._plan.limits.stdout_bytes - len(self._stdout)
        self._stdout += data[:room]
        if len(data) > room:
            self.kill(Reason.OUTPUT)
            return False
        return len(data) > 0

    def _read_stderr(self) -> bool:
        data = _read(self._process.stderr)
        if data is None:
            return True
        kept = self._keep_stderr(data)
        if self._log is not None and kept:
            self._log.feed(kept)
        return len(data) > 0

    def _keep_stderr(self, data: bytes) -> bytes:
        """Keep what the bound leaves room for, and return it."""
        kept = data[: self._plan.limits.stderr_bytes - len(self._stderr)]
        self._stderr += kept
        self._stderr_dropped += len(data) - len(kept)
        return kept

    def _read_status(self) -> bool:
        gate = self._gate
        if gate is not None and not gate.is_open:
            data, listener = _read_with_descriptor(self._process.status)
            if listener >= 0:
                gate.open(listener)
                return True
        else:
            data = _read(self._process.status)
        if data is None:
            return True
        if self._may_be_code and self._told.endswith(report.READY):
            # Only the first message after READY: what comes later may be the skill's.
            self._may_be_code = False
            if data.startswith(report.CODE):
                if self._process.on_code is not None:
                    self._process.on_code(data[len(report.CODE) :])
                return True
        if self._process.tells_end and data.startswith(report.ENDED):
            self._told_code = _code_of(data)
            return self._told_code is not None
        if self._process.tells_end and data.startswith(report.FAILED):
            # A skill can say this too, and as often as it likes.
            self._keep_stderr(data[len(report.FAILED) :])
            return True
        self._told += data[: _STATUS_BYTES - len(self._told)]
        return len(data) > 0

    def _close(self, descriptor: int) -> None:
        del self._open[descriptor]
        self._poll.unregister(descriptor)
        os.close(descriptor)

    def _finish(self) -> Ended:
        """Release everything; the run is over, or killed."""
        with self._lock:
            self._over = True
        if self._bounds is not None and self._killed_for is None:
            # The kernel may have killed for a bound, and what has ended since the last look counts.
            self._killed_for = self._bounds.look()
        if self._gate is not None:
            self._attempts = self._gate.close()
        for descriptor in tuple(self._open):
            del self._open[descriptor]
            os.close(descriptor)
        if self._told_code is not None:
            self._process.kill()
        try:
            return self._process.finish(0.0 if self._told_code is not None else _DEATH_S)
        finally:
            if self._bounds is not None:
                self._bounds.close()


def _open_gate(plan: Plan) -> NetworkGate:
    from skilllite_sandbox.network_gate import NetworkGate  # brings sockets and threads

    return NetworkGate(plan)


def _code_of(data: bytes) -> int | None:
    """Return the exit code that the guest told; None when it makes no sense."""
    text = data[len(report.ENDED) :]
    if len(text) > 4 or not text.lstrip(b"-").isdigit():
        return None
    return int(text)


def _read(descriptor: int) -> bytes | None:
    """Return what is there, empty at the end, None when there is nothing yet."""
    try:
        return os.read(descriptor, _CHUNK_BYTES)
    except BlockingIOError:
        return None
    except ConnectionResetError:
        return b""  # a worker that died before it took its job


def _read_with_descriptor(descriptor: int) -> tuple[bytes | None, int]:
    """Return one message, and the descriptor that came with it or -1."""
    import socket  # only for runs with network

    channel = socket.socket(fileno=os.dup(descriptor))
    with channel:
        try:
            data, descriptors, _, _ = socket.recv_fds(channel, _CHUNK_BYTES, 1)
        except BlockingIOError:
            return None, -1
        except ConnectionResetError:
            return b"", -1
    if data == report.LISTENER and len(descriptors) == 1:
        return data, descriptors[0]
    for unexpected in descriptors:
        os.close(unexpected)
    return data, -1


class _Lines:
    """Cuts a stream of UTF-8 into lines of bounded length."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> None:
        """Hand out every line that is complete, and what is too long to wait for its end."""
        *lines, self._rest = (self._rest + self._decoder.decode(data)).split("\n")
        for line in lines:
            self._hand_out(line)
        while len(self._rest) > _LOG_LINE_CHARS:
            self._on_line(self._rest[:_LOG_LINE_CHARS])
            self._rest = self._rest[_LOG_LINE_CHARS:]

    def finish(self) -> None:
        """Hand out the last line, if it had no end."""
        self._rest += self._decoder.decode(b"", final=True)
        if self._rest:
            self._hand_out(self._rest)
        self._rest = ""

    def _hand_out(self, line: str) -> None:
        for start in range(0, max(len(line), 1), _LOG_LINE_CHARS):
            self._on_line(line[start : start + _LOG_LINE_CHARS])
