"""Starts the process that becomes a zygote, before anybody knows which one it shall be.

An interpreter takes some 20 ms from its start to the first line of the launcher. Whoever starts it
first and finds out meanwhile what is to be run, waits for that no more: the launcher wants its
layout only then. Until it has one it is an interpreter that waits, and ends when its socket closes.
"""

from __future__ import annotations

import os
import select
from _socket import AF_UNIX, SOCK_CLOEXEC, SOCK_SEQPACKET, socket, socketpair
from _thread import allocate_lock
from contextlib import suppress
from signal import SIGKILL, SIGPIPE, SIGXFSZ

from skilllite_sandbox.backend.memory_file import memory_file
from skilllite_sandbox.guest.code import guest_code

DEATH_S = 10.0  # from the end of its socket; it takes milliseconds
_FLAGS = ("-I", "-S", "-B", "-X", "utf8")
_LAST_WORDS_BYTES = 4096


class Launcher:
    """A launcher, and after it has its layout a zygote. Safe to use from several threads."""

    def __init__(self, interpreter: str) -> None:
        """Start it; raises OSError when that can't be done."""
        self.interpreter = interpreter
        self.control, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC)
        self._complaints = os.memfd_create("complaints", os.MFD_CLOEXEC)
        self._lock = allocate_lock()
        code = -1
        try:
            code = memory_file(guest_code("launcher", interpreter))
            self.pid = _spawn(interpreter, code, theirs, self._complaints)
            self._pidfd = os.pidfd_open(self.pid)
        except BaseException:
            self.control.close()
            os.close(self._complaints)
            raise
        finally:
            theirs.close()
            if code >= 0:
                os.close(code)

    def last_words(self) -> str:
        """Return the last line that it wrote on stderr."""
        text = os.pread(self._complaints, _LAST_WORDS_BYTES, 0).decode("utf-8", "replace")
        return text.strip().rpartition("\n")[2] or "it said nothing"

    def close(self) -> None:
        """End it with everything that it has become, and wait until that is gone."""
        with self._lock:
            if self._pidfd < 0:
                return
            pidfd, self._pidfd = self._pidfd, -1
        self.control.close()
        os.close(self._complaints)
        dying = select.poll()
        dying.register(pidfd, select.POLLIN)
        if not dying.poll(DEATH_S * 1000):
            # Its death takes the zygote along, and that all workers.
            os.kill(self.pid, SIGKILL)
        os.close(pidfd)
        with suppress(ChildProcessError):  # somebody ignores SIGCHLD: the kernel has reaped it
            os.waitpid(self.pid, 0)


def _spawn(interpreter: str, code: int, control: socket, complaints: int) -> int:
    """Start it with these descriptors; what else it may inherit it closes itself, first of all."""
    number = control.fileno()
    command = [interpreter, *_FLAGS, f"/proc/self/fd/{code}", str(number)]
    # From any thread: what ends with the host is the control socket, not a thread.
    return os.posix_spawn(
        interpreter,
        command,
        {},
        file_actions=(
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, complaints, 2),
            # To the same number: takes close-on-exec away there, and only there.
            (os.POSIX_SPAWN_DUP2, code, code),
            (os.POSIX_SPAWN_DUP2, number, number),
        ),
        setsid=True,
        # Python ignores these, and whatever is executed would inherit that.
        setsigdef=(SIGPIPE, SIGXFSZ),
    )
