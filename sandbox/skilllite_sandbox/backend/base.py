"""What every carrier offers: a plan in, a started process with its pipes out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Protocol

from skilllite_sandbox.errors import SandboxUnavailable
from skilllite_sandbox.plan import Plan


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Launched:
    """A running process, leader of its own process group, and the host's ends of its pipes."""

    process: subprocess.Popen[bytes]
    stdin: int
    stdout: int
    stderr: int
    status: int
    """What the guest reports, see `guest.bootstrap`."""
    clean_up: Callable[[], None] = field(default=_nothing)
    """To be called when the process is gone."""


class Backend(Protocol):
    """A way to start a guest."""

    def launch(self, plan: Plan, input_bytes: bytes) -> Launched:
        """Start the guest on the calling thread, which has to live as long as the run.

        Args:
            plan: What to start and what to put around it.
            input_bytes: What will be written to its stdin, for a carrier that also shows it as a
                file.

        Raises:
            SandboxUnavailable: the process could not be started.
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

    def file_of(self, content: bytes) -> int:
        """Return a descriptor that they can read this from, however long it is.

        Not a pipe: what all pipes of a user hold together is bounded, so that a skill with a few
        large ones would keep every other run of this user from being set up.
        """
        descriptor = os.memfd_create("set-up", os.MFD_CLOEXEC)
        self._theirs.callback(os.close, descriptor)
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    def _keep(self, theirs: int, ours: int) -> tuple[int, int]:
        self._theirs.callback(os.close, theirs)
        self._ours.callback(_close_quietly, ours)
        return theirs, ours


def _close_quietly(descriptor: int) -> None:
    with suppress(OSError):
        os.close(descriptor)


def spawn(
    arguments: Sequence[str],
    *,
    pipes: Pipes,
    inherited: Sequence[int],
    status: int,
    environment: dict[str, str],
    directory: str,
    clean_up: Callable[[], None] = _nothing,
) -> Launched:
    """Start a command with fresh standard streams and nothing else of this process."""
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
    return Launched(process, our_stdin, our_stdout, our_stderr, status, clean_up)
