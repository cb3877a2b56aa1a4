"""The skills that are run: written once into a directory that every user of the host can read."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import skilllite

REQUEST = json.dumps({"operation": "add", "a": 15, "b": 27})
RESULT = 42
CALCULATOR = Path(skilllite.__file__).parent / "starter_skills" / "calculator"
SLOW_S = 0.8  # a run that can be looked at while it runs; the tree is read every few milliseconds
_EVERYBODY_ENTERS, _EVERYBODY_READS = 0o755, 0o644

_IN_JAVASCRIPT = """\
const fs = require('fs');
const {operation, a, b} = JSON.parse(fs.readFileSync(0, 'utf8'));
if (operation !== 'add') throw new Error('this one only adds');
console.log(JSON.stringify({operation, a, b, result: a + b}));
"""
_SLOW_IN_JAVASCRIPT = f"""\
const fs = require('fs');
const {{a, b}} = JSON.parse(fs.readFileSync(0, 'utf8'));
setTimeout(() => console.log(JSON.stringify({{result: a + b}})), {SLOW_S * 1000:.0f});
"""
_SLOW = f"""\
import json
import sys
import time

request = json.load(sys.stdin)
time.sleep({SLOW_S})
print(json.dumps({{"result": request["a"] + request["b"]}}))
"""
_NUMPY = """\
import json
import sys

import numpy

request = json.load(sys.stdin)
print(json.dumps({"result": int(numpy.array([request["a"], request["b"]]).sum())}))
"""


@dataclass(frozen=True, slots=True)
class Twins:
    """Two skills with the same answer to the same request."""

    python: Path
    javascript: Path
    """For runtimes that know JavaScript only."""


@dataclass(frozen=True, slots=True)
class Workload:
    """The skills of one measurement."""

    calculator: Twins
    """Our starter skill: one JSON object in, one out, integer arithmetic."""
    slow: Twins
    numpy: Path


def write_workload(root: Path) -> Workload:
    """Write the skills below `root`."""
    root.mkdir()
    root.chmod(_EVERYBODY_ENTERS)
    calculator = root / "calculator"
    shutil.copytree(CALCULATOR, calculator, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (calculator, *calculator.rglob("*")):
        path.chmod(_EVERYBODY_ENTERS if path.is_dir() else _EVERYBODY_READS)
    return Workload(
        calculator=Twins(calculator, _skill(root / "adder", {"scripts/main.js": _IN_JAVASCRIPT})),
        slow=Twins(
            _skill(root / "slow", {"scripts/main.py": _SLOW}),
            _skill(root / "slow-adder", {"scripts/main.js": _SLOW_IN_JAVASCRIPT}),
        ),
        numpy=_skill(
            root / "numpy-sum", {"scripts/main.py": _NUMPY, "requirements.txt": "numpy\n"}
        ),
    )


def is_right(printed: str) -> bool:
    """Return whether this is the answer to `REQUEST`."""
    try:
        answer = json.loads(printed)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("result") == RESULT


def _skill(directory: Path, files: dict[str, str]) -> Path:
    head = f"---\nname: {directory.name}\ndescription: A skill of the benchmark.\n---\n"
    for name, text in {"SKILL.md": head, **files}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(_EVERYBODY_READS)
        path.parent.chmod(_EVERYBODY_ENTERS)
    directory.chmod(_EVERYBODY_ENTERS)
    return directory
