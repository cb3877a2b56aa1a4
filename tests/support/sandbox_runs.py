"""Runs of one-script skills, for tests of how runs end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox_lab import ENTRIES, require
from skill_files import make_skill
from skilllite_sandbox.execution import Execution
from skilllite_sandbox.outcome import Outcome
from skilllite_sandbox.policy import DEFAULT_LIMITS, Level, Limits, Policy
from skilllite_sandbox.sandbox import Job, Sandbox, entry_of


class Runs:
    """Writes skills and runs them in one sandbox."""

    def __init__(self, sandbox: Sandbox, directory: Path, level: Level) -> None:
        self._sandbox = sandbox
        self._directory = directory
        self._level = level
        self._number = 0

    def start(
        self, script: str, *, language: str = "python", data: bytes = b"{}", **limits: Any
    ) -> Execution:
        """Start a script; keyword arguments are limits."""
        require(language)
        self._number += 1
        name = f"run-{self._number}"
        skill = make_skill(self._directory, name, files={ENTRIES[language]: script})
        staged = self._sandbox.stage.put(skill)
        bounds: Limits = replace(DEFAULT_LIMITS, **limits)
        job = Job(staged, entry_of(staged), data, Policy(self._level, bounds))
        return self._sandbox.start(self._sandbox.clear(job))

    def run(
        self, script: str, *, language: str = "python", data: bytes = b"{}", **limits: Any
    ) -> Outcome:
        """Run a script to its end."""
        return self.start(script, language=language, data=data, **limits).wait()
