"""The same skill outside, by the bare interpreter, and inside the sandbox: do both end the same?

Outside it runs in a scratch directory with the sandbox's environment. Two paths differ by nature,
the skill's and scratch's; in what the skill says they are replaced by what they are called inside.
Addresses in memory differ from run to run and are left out.
"""

from __future__ import annotations

import difflib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox_lab import ENTRIES, require
from skill_files import make_skill
from skilllite_sandbox import Outcome, Sandbox, Tier
from skilllite_sandbox.host import Interpreter, read_host

SKILL = "/skill"
SCRATCH = "/tmp"
ENVIRONMENT = {"HOME": SCRATCH, "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "TMPDIR": SCRATCH}
"""What a skill finds inside, written out: it is the promise that is tested."""
DATA = Path(__file__).parent.parent / "data" / "compatibility"
INPUT = '{"n": 3, "text": "Grüße, 世界 🦉"}'
_DEADLINE_S = 60.0
_ADDRESS = re.compile(r"0x[0-9a-f]{8,16}\b")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended, as a shell would see it."""

    stdout: str
    stderr: str
    status: int
    """The exit status, or minus the signal."""


class SideBySide:
    """Runs skills in one sandbox of one tier, and bare."""

    def __init__(self, sandbox: Sandbox, tier: Tier, directory: Path) -> None:
        self._sandbox = sandbox
        self._tier = tier
        self._directory = directory
        self._number = 0

    @property
    def tier(self) -> Tier:
        """The isolation that runs inside must have had."""
        return self._tier

    def skill(self, language: str, script: str, files: Mapping[str, str | bytes]) -> Path:
        """Write a skill whose entry point is this script."""
        require(language)
        self._number += 1
        everything = {ENTRIES[language]: script, **files}
        return make_skill(self._directory, f"skill-{self._number}", files=everything)

    def stored_skill(self, language: str, name: str) -> Path:
        """Write the skill that is kept under this name: a script, or a directory of files."""
        source = DATA / language / name
        if source.is_file():
            return self.skill(language, source.read_text(encoding="utf-8"), {})
        require(language)
        self._number += 1
        target = make_skill(self._directory, f"skill-{self._number}", files={})
        shutil.copytree(
            source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
        return target

    def inside(self, skill: Path, text: str = INPUT) -> Outcome:
        """Run a skill in the sandbox."""
        outcome = self._sandbox.run(skill, text)
        assert outcome.tier is self._tier, f"ran in tier {outcome.tier}, not {self._tier}"
        return outcome

    def outside(self, skill: Path, text: str = INPUT) -> Ran:
        """Run a skill's entry by the bare interpreter that the sandbox uses."""
        (script,) = (
            path for path in (skill / "scripts").iterdir() if path.name.startswith("main.")
        )
        # Not pytest's directory: its path is long, and the skill may shorten or count it.
        with tempfile.TemporaryDirectory() as scratch:
            done = subprocess.run(
                [_interpreter(script.suffix).path, str(script)],
                input=text.encode(),
                capture_output=True,
                cwd=scratch,
                env={**ENVIRONMENT, "HOME": scratch, "TMPDIR": scratch},
                timeout=_DEADLINE_S,
                check=False,
            )
            shutil.rmtree(skill / "scripts" / "__pycache__", ignore_errors=True)
            names = {str(skill): SKILL, scratch: SCRATCH}
            return Ran(_renamed(done.stdout, names), _renamed(done.stderr, names), done.returncode)

    def compare(
        self,
        language: str,
        script: str,
        *,
        text: str = INPUT,
        files: Mapping[str, str | bytes] | None = None,
    ) -> Ran:
        """Run a script at both sides and return how it ended at both."""
        return self.compare_skill(self.skill(language, script, files or {}), text)

    def compare_skill(self, skill: Path, text: str = INPUT) -> Ran:
        """Run a skill at both sides and return how it ended at both."""
        bare = self.outside(skill, text)
        found = as_ran(self.inside(skill, text))
        assert found == bare, f"inside and outside differ:\n{difference(found, bare)}"
        return found


def as_ran(outcome: Outcome) -> Ran:
    """Return an outcome as a shell would see it."""
    assert (outcome.signal is None) is not (outcome.exit_code is None), outcome
    status = outcome.exit_code if outcome.signal is None else -outcome.signal
    assert status is not None
    return Ran(_ADDRESS.sub("0x", outcome.text), _ADDRESS.sub("0x", outcome.stderr), status)


def difference(inside: Ran, outside: Ran) -> str:
    """Return what differs, in lines: `-` is what the bare interpreter did."""
    return "\n".join(difflib.unified_diff(_lines(outside), _lines(inside), lineterm="", n=1))


def _lines(ran: Ran) -> list[str]:
    # One fact of a JSON object a line, so that a single one can be seen.
    try:
        stdout = json.dumps(json.loads(ran.stdout), indent=1, ensure_ascii=False)
    except ValueError:
        stdout = ran.stdout
    return [*stdout.splitlines(), "stderr:", *ran.stderr.splitlines(), f"status: {ran.status}"]


def _interpreter(suffix: str) -> Interpreter:
    host = read_host()
    found = {".py": host.python, ".js": host.node, ".mjs": host.node, ".sh": host.bash}[suffix]
    assert found is not None
    return found


def _renamed(data: bytes, names: Mapping[str, str]) -> str:
    text = data.decode("utf-8", "replace")
    for path, name in names.items():
        text = text.replace(path, name)
    return _ADDRESS.sub("0x", text)
