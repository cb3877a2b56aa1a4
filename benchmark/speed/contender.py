"""One way to run a skill, and how a run of a command line is done.

A contender runs and hands over what was printed. Whether that is the right answer is checked by
whoever timed it, outside the time taken; a wrong answer is a failure and never a time.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

RUN_S_MAX = 60.0  # far above the slowest sandbox's first run
_WORDS_CHARS_MAX = 200  # of an error, for a table
_INTERPRETER_SETTINGS = ("PYTHON", "VIRTUAL_ENV", "NODE_", "SKILLLITE_")

BARE = "bare python3 main.py"


class RunFailed(Exception):
    """A run gave no answer; says why."""


class Kind(StrEnum):
    """Whose contender it is."""

    BARE = "bare"
    OURS = "skilllite"
    PEER = "peer"


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to run a skill."""

    name: str
    kind: Kind
    how: str
    """The command line or the call, for the report."""
    run: Callable[[], str]
    """Runs once and returns what was printed; raises when there is no answer."""
    accepts: Callable[[str], bool]
    """Whether what was printed is the right answer."""
    baseline: str = BARE
    """The contender that its times are compared with."""
    after: Callable[[], None] = lambda: None
    """Tidies up after each run; not timed."""
    tiers: set[str] = field(default_factory=set)
    """The tiers that its runs said they had; only our own say so."""


def host_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without what would slow one interpreter or speed it up."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_INTERPRETER_SETTINGS)
    }
    return {**kept, **more}


def run_process(
    argv: Sequence[str],
    given: str,
    *,
    environment: Mapping[str, str],
    directory: Path | None = None,
) -> str:
    """Run a command to its end and return its stdout.

    Raises:
        RunFailed: it can't be started, failed, or did not end in time.
    """
    try:
        done = subprocess.run(
            list(argv),
            input=given,
            capture_output=True,
            text=True,
            timeout=RUN_S_MAX,
            env=dict(environment),
            cwd=directory,
        )
    except subprocess.TimeoutExpired:
        raise RunFailed(f"no answer within {RUN_S_MAX:g} s") from None
    except OSError as error:
        raise RunFailed(f"{argv[0]}: {error.strerror}") from error
    if done.returncode:
        raise RunFailed(f"exit status {done.returncode}: {_last_words(done.stderr)}")
    return done.stdout


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:_WORDS_CHARS_MAX] if lines else "it said nothing"
