"""Runs one box to its end: hands its socket to the proxy, collects what it prints, bounds it.

Blocks the calling thread, which has to live as long as the box: the kernel kills the box with it.
When this returns, no process of the box is left, whatever it did: its first process is waited for
by a descriptor of its own, and with that one's death the kernel has ended all others.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from skilllite_sandbox.backend.base import Pipes
from skilllite_sandbox.egress.attempt import Attempt, EgressLimits
from skilllite_sandbox.egress.proxy import EgressProxy
from skilllite_sandbox.egress.resolution import Resolver, default_resolver
from skilllite_sandbox.egress.rules import Rules
from skilllite_sandbox.environment import box as plan
from skilllite_sandbox.environment.box import Box, box_command
from skilllite_sandbox.environment.build_filter import build_filter, settled_filter
from skilllite_sandbox.errors import EnvironmentUnavailable
from skilllite_sandbox.host import Host
from skilllite_sandbox.policy import KIB, MIB

OUTPUT_BYTES_MAX = 8 * MIB  # of stdout, which carries a lock
COMPLAINT_BYTES_MAX = 256 * KIB  # of stderr; the end of it is kept
ATTEMPTS_KEPT = 1000  # connections that are remembered; a build of any size makes some hundred
LINE_CHARS_MAX = 300  # of a line that is shown as progress
MEASURE_EVERY_S = 1.0  # walking a large tree takes a twentieth of it
DEATH_S = 10.0  # a SIGKILLed process that stays longer hangs in the kernel

EGRESS_LIMITS = EgressLimits(
    connections_at_once=128,
    connections=16_384,
    bytes_up=256 * MIB,
    bytes_down=plan.DISK_BYTES,
    idle_s=120.0,
)

_GUEST_SOURCE = Path(__file__).with_name("box_guest.py")
_CHUNK_BYTES = 64 * KIB


@dataclass(frozen=True, slots=True)
class BoxResult:
    """How a box ended."""

    status: int
    """Exit status; negative for a signal."""
    stdout: bytes
    stderr: str
    """Its end, if it was long."""
    attempts: tuple[Attempt, ...]
    """The connections it made, the refused ones included."""
    exceeded: str = ""
    """Which bound ended it; empty when none did."""

    @property
    def ok(self) -> bool:
        """Whether the installer says that it succeeded."""
        return self.status == 0 and not self.exceeded


@dataclass(slots=True)
class _Progress:
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    rest: bytes = b""
    attempts: list[Attempt] = field(default_factory=list)
    exceeded: str = ""


def run_box(
    box: Box,
    host: Host,
    rules: Rules,
    *,
    on_line: Callable[[str], None],
    deadline_s: float = plan.BUILD_S,
    resolve: Resolver = default_resolver,
) -> BoxResult:
    """Run an installer in its box.

    Args:
        box: What to run.
        host: What this machine has.
        rules: What it may reach.
        on_line: Called with each line that the installer prints about its progress.
        deadline_s: After that many seconds it is killed.
        resolve: Names to addresses, for the proxy.

    Raises:
        EnvironmentUnavailable: it could not be started.
    """
    progress = _Progress()

    def note(attempt: Attempt) -> None:
        if len(progress.attempts) < ATTEMPTS_KEPT:
            progress.attempts.append(attempt)

    with ExitStack() as resources:
        started = _start(box, host, resources)

        def serve(listener: socket.socket) -> None:
            proxy = EgressProxy(
                listener, rules, on_attempt=note, resolve=resolve, limits=EGRESS_LIMITS
            )
            resources.callback(proxy.close)
            proxy.start()

        try:
            _attend(started, box, progress, serve, on_line, time.monotonic() + deadline_s)
        finally:
            status = _finish(started)
    return BoxResult(
        status=status,
        stdout=bytes(progress.stdout),
        stderr=progress.stderr.decode("utf-8", "replace"),
        attempts=tuple(progress.attempts),
        exceeded=progress.exceeded,
    )


@dataclass(slots=True)
class _Started:
    process: subprocess.Popen[bytes]
    pidfd: int
    stdout: int
    stderr: int
    info: int
    channel: socket.socket
    first: int | None = None
    """A descriptor of the box's first process, once it is known."""


def _start(box: Box, host: Host, resources: ExitStack) -> _Started:
    channel, theirs = socket.socketpair()
    resources.callback(channel.close)
    with theirs, Pipes() as pipes:
        stdout, our_stdout = pipes.from_guest()
        stderr, our_stderr = pipes.from_guest()
        info, our_info = pipes.from_guest()
        descriptors = {
            "info": info,
            "seccomp": pipes.file_of(build_filter(host.machine)),
            "guest": pipes.file_of(_GUEST_SOURCE.read_bytes()),
            "passwd": pipes.file_of(plan.passwd()),
            "orders": pipes.file_of(_orders(box, host, theirs.fileno())),
        }
        if box.certificates:
            descriptors["certificates"] = pipes.file_of(box.certificates)
        command = box_command(box, host, descriptors)
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(*descriptors.values(), theirs.fileno()),
                env={"PATH": "/usr/bin:/bin"},
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise EnvironmentUnavailable(
                f"{command[0]} can't be started", cause=error.strerror or str(error)
            ) from error
    ours = (our_stdout, our_stderr, our_info)
    for descriptor in ours:
        resources.callback(os.close, descriptor)
        os.set_blocking(descriptor, False)
    channel.setblocking(False)
    pidfd = os.pidfd_open(process.pid)
    resources.callback(os.close, pidfd)
    started = _Started(process, pidfd, *ours, channel)
    resources.callback(_close_first, started)
    return started


def _close_first(started: _Started) -> None:
    if started.first is not None:
        os.close(started.first)


def _orders(box: Box, host: Host, channel: int) -> bytes:
    orders: Mapping[str, object] = {
        "command": box.command,
        "environment": dict(box.environment),
        "limits": plan.limits(),
        "filter": settled_filter(host.machine).hex(),
        "channel": channel,
        "port": plan.PROXY_PORT,
    }
    return json.dumps(orders).encode("utf-8")


def _attend(
    started: _Started,
    box: Box,
    progress: _Progress,
    serve: Callable[[socket.socket], None],
    on_line: Callable[[str], None],
    deadline: float,
) -> None:
    """Serve the box until its carrier is gone, or a bound is exceeded."""
    poll = select.poll()
    channel = started.channel.fileno()
    waiting = {started.pidfd, started.stdout, started.stderr, started.info, channel}
    for descriptor in waiting:
        poll.register(descriptor, select.POLLIN)
    measure_at = time.monotonic() + MEASURE_EVERY_S
    while started.pidfd in waiting:
        now = time.monotonic()
        if now >= deadline:
            progress.exceeded = "the time for installing is over"
            return
        if now >= measure_at:
            if size := _too_large(Path(box.work)):
                progress.exceeded = size
                return
            measure_at = time.monotonic() + MEASURE_EVERY_S
        for descriptor, _ in poll.poll(max(min(deadline, measure_at) - now, 0.0) * 1000):
            if not _on_ready(descriptor, started, progress, serve, on_line):
                poll.unregister(descriptor)
                waiting.discard(descriptor)
        if len(progress.stdout) > OUTPUT_BYTES_MAX:
            progress.exceeded = f"it printed more than {OUTPUT_BYTES_MAX // MIB} MiB"
            return
    for descriptor in (started.stdout, started.stderr):  # what is still in the pipes
        while descriptor in waiting and _on_ready(
            descriptor, started, progress, serve, on_line, draining=True
        ):
            pass


def _on_ready(
    descriptor: int,
    started: _Started,
    progress: _Progress,
    serve: Callable[[socket.socket], None],
    on_line: Callable[[str], None],
    *,
    draining: bool = False,
) -> bool:
    """Take what is there; return whether more may come."""
    if descriptor == started.pidfd:
        return False
    if descriptor == started.channel.fileno():
        _, received, _, _ = socket.recv_fds(started.channel, 1, 1)
        for listener in received:
            serve(socket.socket(fileno=listener))
        return False
    try:
        data = os.read(descriptor, _CHUNK_BYTES)
    except BlockingIOError:
        return not draining
    if descriptor == started.stdout:
        progress.stdout += data
    elif descriptor == started.stderr:
        progress.stderr += data
        del progress.stderr[:-COMPLAINT_BYTES_MAX]
        *lines, progress.rest = (progress.rest + data)[-COMPLAINT_BYTES_MAX:].split(b"\n")
        for line in lines:
            on_line(line.decode("utf-8", "replace").strip()[:LINE_CHARS_MAX])
    elif data and started.first is None:
        started.first = _first_process(data)
    return bool(data)


def _first_process(info: bytes) -> int | None:
    """Return a descriptor of the process that the carrier says it made."""
    with contextlib.suppress(ValueError, KeyError, TypeError, OSError):
        return os.pidfd_open(int(json.loads(info)["child-pid"]))
    return None


def _finish(started: _Started) -> int:
    """Kill what is left, and return the status once all of it is gone."""
    if started.first is None:
        with contextlib.suppress(BlockingIOError):
            started.first = _first_process(os.read(started.info, _CHUNK_BYTES))
    if started.first is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(started.first, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(started.process.pid, signal.SIGKILL)
    for descriptor in (started.pidfd, started.first):
        if descriptor is not None and not _is_over(descriptor, DEATH_S):
            raise EnvironmentUnavailable(
                f"a process of the installation didn't end within {DEATH_S:.0f} s",
                hint="it hangs in the kernel; restart the machine when it stays",
            )
    return started.process.wait()


def _is_over(pidfd: int, timeout_s: float) -> bool:
    dying = select.poll()
    dying.register(pidfd, select.POLLIN)
    return bool(dying.poll(timeout_s * 1000))


def _too_large(work: Path) -> str:
    """Say which bound the directory exceeds, in blocks that are used, links counted once."""
    size = 0
    for entries, status in enumerate(_entries(work), start=1):
        size += status.st_blocks * 512 // max(status.st_nlink, 1)
        if size > plan.DISK_BYTES:
            return f"it wrote more than {plan.DISK_BYTES // MIB} MiB"
        if entries > plan.DISK_ENTRIES:
            return f"it made more than {plan.DISK_ENTRIES} files"
    return ""


def _entries(folder: Path) -> Iterator[os.stat_result]:
    """Yield the facts about everything below a folder that somebody else is changing."""
    folders = [str(folder)]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as found:
            for item in found:
                with contextlib.suppress(OSError):
                    yield item.stat(follow_symlinks=False)
                    if item.is_dir(follow_symlinks=False):
                        folders.append(item.path)
