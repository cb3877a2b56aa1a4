"""The tiers without namespaces, each as the user that it is for, on a host worth attacking."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox_lab import OTHER_USER, RUN_DEADLINE_S, SECRET, Lab, Result, open_lab
from sandbox_lab import _other_python as other_python
from skilllite_sandbox.policy import Tier


@dataclass(frozen=True, slots=True)
class BareLab:
    """A lab and the tier that its runs get."""

    lab: Lab
    tier: Tier

    @property
    def python(self) -> str:
        """A Python that this lab's user can start."""
        return sys.executable if self.tier is Tier.ROOT_CHROOT else other_python()

    def command(self, program: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """Return how this lab's user runs a program of ours, and with which environment."""
        user = self.lab.as_user
        command = [self.python, program, *arguments]
        if user is not None:
            text = str(user)
            command[:0] = ["setpriv", "--reuid", text, "--regid", text, "--clear-groups", "--"]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.lab.home),
            "TMPDIR": str(self.lab.drop),
            "PYTHONPATH": str(self.lab.root / "packages"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SKILLLITE_CANARY": SECRET,
        }
        return command, environment

    def run(
        self,
        script: str,
        *,
        language: str = "python",
        limits: dict[str, Any] | None = None,
        **arguments: Any,
    ) -> Result:
        """Run a script in this tier."""
        lab = self.lab
        facts = {
            "secret": str(lab.secret_file),
            "key": str(lab.key_file),
            "drop": str(lab.drop),
            **arguments,
        }
        request = {
            "skill": str(lab.skill(language, script)),
            "tier": self.tier.value,
            "stage": self.stage,
            "input": facts,
            "limits": limits or {},
        }
        command, environment = self.command(str(lab.root / "bare_runner.py"))
        done = subprocess.run(
            command,
            input=json.dumps(request).encode(),
            capture_output=True,
            env=environment,
            cwd=lab.root,
            timeout=RUN_DEADLINE_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        answer = json.loads(done.stdout)
        effects = frozenset[str]() if answer["victim_alive"] else frozenset({"killed"})
        return Result(answer["outcome"], effects)

    @property
    def stage(self) -> str:
        """Where this lab's skills are kept, all of them beside each other."""
        return str(self.lab.home / "stage")

    def leftovers(self) -> list[str]:
        """Return what runs have left in the directory for temporary files."""
        return sorted(path.name for path in self.lab.drop.glob("skilllite-*"))


def tier_for(name: str) -> tuple[Tier, int | None]:
    """Return the tier, and the user to become for it; skip where nobody here can have it."""
    tier = Tier(name)
    is_root = os.geteuid() == 0
    if tier is Tier.ROOT_CHROOT and not is_root:
        pytest.skip("tier root-chroot needs root")
    return tier, OTHER_USER if tier is Tier.LANDLOCK and is_root else None


@contextlib.contextmanager
def open_bare_lab(name: str) -> Iterator[BareLab]:
    """Open a lab whose secrets belong to the user that runs skills."""
    tier, user = tier_for(name)
    with open_lab(as_user=user) as lab:
        for module in ("bare_runner.py", "no_namespaces.py"):
            source = Path(__file__).with_name(module)
            (lab.root / module).write_bytes(source.read_bytes())
            (lab.root / module).chmod(0o644)
        if user is not None:
            for path in (lab.secret_file, lab.home, *lab.home.rglob("*"), lab.drop):
                os.chown(path, user, user)
        yield BareLab(lab, tier)
