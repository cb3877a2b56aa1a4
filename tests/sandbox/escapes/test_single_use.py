"""What one run leaves in its worker is gone in the next: no worker is used twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox_lab import ENTRIES, require
from skill_files import make_skill
from skilllite_sandbox.policy import Level, Tier
from skilllite_sandbox.sandbox import Sandbox

ROUNDS = 4  # more than a pool keeps warm for a caller

# Looks for what an earlier run left, then leaves it.
PYTHON = """
import builtins, json, os, random, signal, sys, threading, time

scratch = os.environ.get("TMPDIR", "/tmp")
found = {
    "a global": hasattr(builtins, "left"),
    "a module": "left" in sys.modules,
    "a changed module": hasattr(json, "left"),
    "a patched builtin": "lambda" in repr(builtins.sorted),
    "a thread": threading.active_count() > 1,
    "a file": os.path.exists(f"{scratch}/left"),
    "a variable": "LEFT" in os.environ,
    "a path": "/left" in sys.path,
    "a hook": sys.excepthook is not sys.__excepthook__,
    "a signal handler": signal.getsignal(signal.SIGUSR1) != signal.SIG_DFL,
    "a file mode": os.umask(0o077) == 0o077,
    "a limit": sys.getrecursionlimit() == 4321,
}
builtins.left = json.left = True
sys.modules["left"] = json
builtins.sorted = lambda *arguments, **named: []
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
with open(f"{scratch}/left", "w") as file:
    file.write("left")
os.environ["LEFT"] = "left"
sys.path.append("/left")
sys.excepthook = print
signal.signal(signal.SIGUSR1, lambda number, frame: None)
sys.setrecursionlimit(4321)
print(json.dumps(found))
"""
OTHERS = {
    "node": """
const fs = require('fs');
const left = process.env.TMPDIR + '/left';
console.log(JSON.stringify({
  'a file': fs.existsSync(left), 'a variable': 'LEFT' in process.env,
  'a global': 'left' in globalThis,
}));
fs.writeFileSync(left, ''); process.env.LEFT = 'left'; globalThis.left = true;
""",
    "bash": """
file=false variable=false function=false
[ -e "$TMPDIR/left" ] && file=true
[ -n "$LEFT" ] && variable=true
declare -F left >"$TMPDIR/out" && function=true
printf '{"a file": %s, "a variable": %s, "a function": %s}' $file $variable $function
touch "$TMPDIR/left"; export LEFT=left; left() { :; }; export -f left
""",
}


@pytest.fixture(scope="module", params=[Tier.FULL, Tier.BWRAP], ids=["full", "bwrap"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """One sandbox of each tier, with its pool."""
    with Sandbox(Level.ISOLATED, tier=request.param) as opened:
        yield opened


def test_nothing_of_a_python_run_is_in_the_next(sandbox: Sandbox, tmp_path: Path) -> None:
    skill = make_skill(tmp_path, files={"scripts/main.py": PYTHON})
    looked_at = _twice_in_one_interpreter(skill / "scripts/main.py", tmp_path)

    found = [sandbox.run(skill, {}).output for _ in range(ROUNDS)]

    assert all(looked_at.values()), f"the control failed: {looked_at}"
    assert found == [dict.fromkeys(looked_at, False)] * ROUNDS


def _twice_in_one_interpreter(script: Path, scratch: Path) -> dict[str, Any]:
    """Return what the second of two runs finds that share an interpreter."""
    code = f"import runpy\nfor _ in range(2): runpy.run_path({str(script)!r})"
    environment = {**os.environ, "TMPDIR": str(scratch)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True, timeout=60
    )
    second: dict[str, Any] = json.loads(done.stdout.splitlines()[1])
    return second


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_of_a_run_is_in_the_next(sandbox: Sandbox, tmp_path: Path, language: str) -> None:
    require(language)
    skill = make_skill(tmp_path, files={ENTRIES[language]: OTHERS[language]})

    found = [sandbox.run(skill, {}).output for _ in range(ROUNDS)]

    assert found == [dict.fromkeys(found[0], False)] * ROUNDS
    assert len(found[0]) == 3


def test_another_skill_finds_nothing_either(sandbox: Sandbox, tmp_path: Path) -> None:
    first = make_skill(tmp_path, "first", files={"scripts/main.py": PYTHON})
    second = make_skill(tmp_path, "second", files={"scripts/main.py": PYTHON + "# another\n"})

    found = [sandbox.run(each, {}).output for each in (first, second) * 2]

    assert not any(value for each in found for value in each.values())


def test_runs_draw_different_random_numbers(sandbox: Sandbox, tmp_path: Path) -> None:
    # All workers are copies of one process.
    script = """
import json, os, random, tempfile, uuid
print(json.dumps([random.random(), os.urandom(8).hex(), str(uuid.uuid4()), tempfile.mktemp()]))
"""
    skill = make_skill(tmp_path, files={"scripts/main.py": script})

    drawn = [sandbox.run(skill, {}).output for _ in range(ROUNDS)]

    for values in zip(*drawn, strict=True):
        assert len(set(values)) == ROUNDS
