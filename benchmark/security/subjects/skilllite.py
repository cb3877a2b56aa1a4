"""SkillLite itself, called as a library and as a command.

Its own outcome says whether a run was refused, so the column of what was refused before the run
fills by itself as soon as level 3 scans and asks for consent.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from benchmark.security.judgement import Bound, End
from benchmark.security.prelude import Language
from benchmark.security.subjects.base import HARNESS_DEADLINE_S, Run, SkillFiles, run_command
from skilllite_sandbox.errors import ConsentRequired, PolicyDenied, SandboxError
from skilllite_sandbox.policy import DEFAULT_LIMITS, MIB, Level, Limits
from skilllite_sandbox.sandbox import Sandbox

_NEEDS_CONFIRMATION = 4  # exit status of the command
_BOUNDS = {bound.value: bound for bound in Bound}
# Ends that an attack can bring about itself; the rest of `Outcome.reason` is a bound or a failure.
_BY_ITSELF = {"ok": End.EXITED, "not_json": End.EXITED, "exit": End.EXITED, "signal": End.SIGNALLED}
_OTHER = {"refused": End.REFUSED, "unavailable": End.UNAVAILABLE}


def _open_sandbox(level: Level, limits: Limits) -> Sandbox:
    return Sandbox(level, limits=limits)


class Library:
    """`Sandbox(level).run(...)`, one sandbox for a whole campaign, as a node would keep it."""

    address: str | None = None
    languages = tuple(Language)

    def __init__(
        self, level: Level, open_sandbox: Callable[[Level, Limits], Sandbox] = _open_sandbox
    ) -> None:
        self._level = level
        self._open_sandbox = open_sandbox
        self._sandboxes: dict[Limits, Sandbox] = {}
        self._resources = ExitStack()

    @property
    def name(self) -> str:
        """See `Subject`."""
        return f"level {int(self._level)}"

    @property
    def how(self) -> str:
        """See `Subject`."""
        return f"skilllite_sandbox.sandbox.Sandbox({int(self._level)}).run(...)"

    def missing(self) -> str:
        """See `Subject`."""
        return ""

    def effective(self, limits: Limits) -> Limits:
        """See `Subject`."""
        return limits

    def run(self, skill: SkillFiles, given: bytes, limits: Limits) -> Run:
        """See `Subject`."""
        started = time.monotonic()
        try:
            with _deadline(HARNESS_DEADLINE_S):
                outcome = self._sandbox(limits).run(skill.directory, given.decode())
        except (ConsentRequired, PolicyDenied) as error:
            return _failed(End.REFUSED, error, started)
        except SandboxError as error:
            return _failed(End.UNAVAILABLE, error, started)
        except _DeadlinePassed as error:
            return _failed(End.HARNESS_DEADLINE, error, started)
        return read_outcome(outcome.to_json())

    def close(self) -> None:
        """See `Subject`."""
        self._sandboxes.clear()
        self._resources.close()

    def _sandbox(self, limits: Limits) -> Sandbox:
        if limits not in self._sandboxes:
            opened = self._resources.enter_context(self._open_sandbox(self._level, limits))
            self._sandboxes[limits] = opened
        return self._sandboxes[limits]


class Command:
    """`skilllite-sandbox run --json`, a process of its own for each run."""

    address: str | None = None
    languages = tuple(Language)

    def __init__(self, level: Level) -> None:
        self._level = level
        installed = Path(sys.executable).with_name("skilllite-sandbox")
        self._command = (
            [str(installed)]
            if installed.exists()
            else [sys.executable, "-m", "skilllite_sandbox.cli"]
        )

    @property
    def name(self) -> str:
        """See `Subject`."""
        return f"cli level {int(self._level)}"

    @property
    def how(self) -> str:
        """See `Subject`."""
        return f"skilllite-sandbox run DIR - --json --sandbox-level {int(self._level)}"

    def missing(self) -> str:
        """See `Subject`."""
        return ""

    def effective(self, limits: Limits) -> Limits:
        """See `Subject`.

        The command has no option for CPU seconds: where they are short, the deadline has to do,
        and until then every processor may be used.
        """
        if limits.cpu_s >= DEFAULT_LIMITS.cpu_s:
            return limits
        wall_s = limits.cpu_s + 1
        return replace(limits, wall_s=wall_s, cpu_s=wall_s * (os.cpu_count() or 1))

    def run(self, skill: SkillFiles, given: bytes, limits: Limits) -> Run:
        """See `Subject`."""
        wall_s = self.effective(limits).wall_s
        done = run_command(
            [
                *(*self._command, "run", str(skill.directory), "-", "--json"),
                *("--sandbox-level", str(int(self._level)), "--timeout", f"{wall_s:g}"),
                *("--max-memory", str(limits.memory_bytes // MIB)),
            ],
            given,
        )
        if done.end is not End.EXITED:
            return done
        try:
            return read_outcome(json.loads(done.stdout))
        except (ValueError, KeyError, TypeError):
            refused = done.detail == f"exit status {_NEEDS_CONFIRMATION}"
            end = End.REFUSED if refused else End.UNAVAILABLE
            said = done.stderr.partition("\n")[0]
            return Run(end, "", "", done.duration_ms, detail=said or done.detail)

    def close(self) -> None:
        """See `Subject`."""


def read_outcome(outcome: dict[str, Any]) -> Run:
    """Return what the JSON form of an outcome says."""
    reason: str = outcome["reason"]
    bound = _BOUNDS.get(reason)
    end = _BY_ITSELF.get(reason) or (End.BOUND if bound else _OTHER.get(reason, End.UNAVAILABLE))
    return Run(
        end=end,
        stdout=outcome["text"],
        stderr=outcome["stderr"],
        duration_ms=outcome["duration_ms"],
        detail=outcome["message"],
        bound=bound,
        tier=outcome["tier"],
        not_enforced=tuple(outcome["not_enforced"]),
    )


def _failed(end: End, error: Exception, started: float) -> Run:
    return Run(end, "", "", (time.monotonic() - started) * 1000, detail=str(error))


class _DeadlinePassed(Exception):
    """The sandbox did not come back."""


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raise in this thread, which has to be the main one, when its block takes too long."""

    def pass_deadline(number: int, frame: FrameType | None) -> None:
        raise _DeadlinePassed(f"still running after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, pass_deadline)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
