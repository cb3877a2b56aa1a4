"""What every subject offers, and how one that is a command line is run.

A subject says how a run ended and hands over what it printed. It judges nothing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmark.security.judgement import Bound, End
from benchmark.security.prelude import SCRIPTS, Language
from skilllite_sandbox.policy import Limits

HARNESS_DEADLINE_S = 90.0  # far above the longest attack on the slowest sandbox
OUTPUT_BYTES_MAX = 16 * 1024 * 1024
_DEATH_S = 10.0
_SIGNAL_BASE = 128  # shells and carriers report a death by signal N as 128 + N
_SIGNAL_LAST = 64
_BOUNDS_BY_SIGNAL = {
    int(signal.SIGXCPU): Bound.CPU,
    int(signal.SIGXFSZ): Bound.DISK,
    int(signal.SIGSYS): Bound.VIOLATION,
}


@dataclass(frozen=True, slots=True)
class SkillFiles:
    """A skill on disk."""

    directory: Path
    language: Language

    @property
    def script(self) -> Path:
        """Its entry point."""
        return self.directory / SCRIPTS[self.language]


@dataclass(frozen=True, slots=True)
class Run:
    """How one run ended."""

    end: End
    stdout: str
    stderr: str
    duration_ms: float
    detail: str = ""
    bound: Bound | None = None
    tier: str = ""
    not_enforced: tuple[str, ...] = ()


class Subject(Protocol):
    """One way to run a skill."""

    @property
    def name(self) -> str:
        """How the report calls it."""

    @property
    def how(self) -> str:
        """The command line or the call, for the report."""

    @property
    def languages(self) -> tuple[Language, ...]:
        """What it may be able to run; whether it does is tried out."""

    @property
    def address(self) -> str | None:
        """Where its skills would find servers of the host, if not on loopback."""

    def missing(self) -> str:
        """Return what it lacks to be tried at all, else empty."""

    def effective(self, limits: Limits) -> Limits:
        """Return what a run may really take when it is asked for these limits."""

    def run(self, skill: SkillFiles, given: bytes, limits: Limits) -> Run:
        """Run a skill to its end."""

    def close(self) -> None:
        """Release what it holds."""


def run_command(
    arguments: Sequence[str],
    given: bytes,
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    deadline_s: float = HARNESS_DEADLINE_S,
) -> Run:
    """Run a command to its end, or to the deadline, and return how it ended."""
    started = time.monotonic()

    def lasted_ms() -> float:
        return (time.monotonic() - started) * 1000

    try:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            cwd=directory,
            env=environment,
        )
    except OSError as error:
        what = f"{arguments[0]}: {error.strerror}"
        return Run(End.UNAVAILABLE, "", "", lasted_ms(), detail=what)
    end, detail, bound = End.EXITED, "", None
    try:
        stdout, stderr = process.communicate(given, deadline_s)
    except subprocess.TimeoutExpired:
        _kill_group(process.pid)
        stdout, stderr = process.communicate(timeout=_DEATH_S)
        end, detail = End.HARNESS_DEADLINE, f"still running after {deadline_s:g} s"
    else:
        end, bound, detail = _end_of(process.returncode)
        _kill_group(process.pid)  # what an attack left behind
    return Run(end, _decoded(stdout), _decoded(stderr), lasted_ms(), detail=detail, bound=bound)


def _end_of(code: int) -> tuple[End, Bound | None, str]:
    number = -code if code < 0 else code - _SIGNAL_BASE if code > _SIGNAL_BASE else 0
    if not 0 < number <= _SIGNAL_LAST:
        return End.EXITED, None, "" if code == 0 else f"exit status {code}"
    bound = _BOUNDS_BY_SIGNAL.get(number)
    detail = f"killed by signal {number}"
    return (End.SIGNALLED, None, detail) if bound is None else (End.BOUND, bound, detail)


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _decoded(data: bytes) -> str:
    return data[:OUTPUT_BYTES_MAX].decode("utf-8", "replace")


def last_line(text: str) -> str:
    """Return the last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
