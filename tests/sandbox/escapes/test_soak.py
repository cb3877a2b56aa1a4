"""Thousands of runs, a third of them hostile: every one has a definite end, and nothing is left.

SKILLLITE_SOAK_RUNS sets how many, first one after the other and then as many again at once. The
default is for a CI machine; 2000 is what a release is tried with.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sandbox_lab import ENTRIES, PROGRAMS, require
from skill_files import make_skill
from skilllite_sandbox.outcome import Reason
from skilllite_sandbox.policy import DEFAULT_LIMITS, KIB, MIB, Level, Policy, Tier
from skilllite_sandbox.sandbox import Job, Sandbox, entry_of

RUNS = int(os.environ.get("SKILLLITE_SOAK_RUNS", "48"))  # once every kind
AT_ONCE = 24  # callers at a time
HOSTILE_EVERY = 3
SETTLE_S = 10.0
OF_OTHERS = ("/run/", "/var/lib/")  # where other programs of a host mount; this one never does
LIMITS = replace(
    DEFAULT_LIMITS,
    wall_s=1.5,
    cpu_s=1,
    memory_bytes=96 * MIB,
    scratch_bytes=2 * MIB,
    scratch_inodes=64,
    stdout_bytes=64 * KIB,
)
BENIGN_WALL_S = 60.0  # for a machine under load: that these end well is what is asked of them


@dataclass(frozen=True, slots=True)
class Kind:
    """A skill, and the ways in which it may end."""

    language: str
    script: str
    endings: frozenset[Reason]
    hostile: bool = True


def _hostile(language: str, script: str, *endings: Reason) -> Kind:
    return Kind(language, script, frozenset({*endings, Reason.TIMEOUT}))


def _benign(language: str, script: str) -> Kind:
    return Kind(language, script, frozenset({Reason.OK}), hostile=False)


_NOTHING_SAID = (Reason.NOT_JSON, Reason.EXIT, Reason.OK)
_KINDS = (
    _hostile("python", "import os; os.kill(os.getpid(), 9)", Reason.SIGNAL),
    _hostile("python", "raise SystemExit(3)", Reason.EXIT),
    _hostile("python", "while True: pass", Reason.CPU),
    _hostile("python", "kept = [bytearray(1 << 20) for _ in range(1 << 20)]", Reason.MEMORY),
    _hostile("python", "import ctypes; ctypes.CDLL(None).ptrace(0)", Reason.VIOLATION),
    _hostile("python", "while True: print('x' * 4096)", Reason.OUTPUT),
    _hostile(
        "python",
        "for number in range(100): open(f'/tmp/{number}', 'w').write('x' * (1 << 17))",
        *(Reason.DISK, Reason.EXIT),
    ),
    _hostile("python", "import os; kept = [os.open('/dev/null', 0) for _ in range(999)]",
             Reason.EXIT),
    _hostile("python", "import os\nfor number in range(64):\n  try: os.close(number)\n"
             "  except OSError: pass", *_NOTHING_SAID),
    _hostile("python", "import os\nfor kind in b'EFRWX':\n"
             "  for number in range(3, 9):\n    try: os.write(number, bytes([kind]) + b'7')\n"
             "    except OSError: pass", *_NOTHING_SAID, Reason.UNAVAILABLE),
    _hostile(
        "python",
        "import threading, time\n"
        "for _ in range(99): threading.Thread(target=time.sleep, args=(9,)).start()",
        *(Reason.PROCESSES, Reason.EXIT, Reason.MEMORY),
    ),
    _hostile("python", "import ctypes; ctypes.string_at(0)", Reason.SIGNAL),
    _hostile("bash", ":(){ :|:& };:; wait", *_NOTHING_SAID, Reason.SIGNAL, Reason.CPU),
    _hostile("bash", "sleep 99 & sleep 99 & disown -a; exec >&- 2>&-", *_NOTHING_SAID),
    _hostile("bash", "while :; do :; done", Reason.CPU),
    _hostile("bash", "kill -STOP $$", *_NOTHING_SAID, Reason.SIGNAL),
)  # fmt: skip
_BENIGN = (
    *[_benign("python", "import json, sys; json.dump(json.load(sys.stdin), sys.stdout)")] * 7,
    *[_benign("bash", "cat")] * 2,
    _benign("node", "process.stdin.pipe(process.stdout)"),
)


class Soak:
    """Runs of all kinds in one sandbox, in a fixed order."""

    def __init__(self, sandbox: Sandbox, directory: Path) -> None:
        self._sandbox = sandbox
        self._jobs: dict[Kind, Job] = {}
        for number, kind in enumerate({*_KINDS, *_BENIGN}):
            skill = make_skill(directory, f"s{number}", files={ENTRIES[kind.language]: kind.script})
            staged = sandbox.stage.put(skill)
            limits = LIMITS if kind.hostile else replace(LIMITS, wall_s=BENIGN_WALL_S)
            if kind.language == "node":
                limits = replace(limits, cpu_s=9, memory_bytes=256 * MIB)
            policy = Policy(Level.ISOLATED, limits)
            self._jobs[kind] = Job(staged, entry_of(staged), b'{"x": 1}', policy)
        self.endings: Counter[str] = Counter()

    def run(self, number: int) -> None:
        """Run the skill whose turn it is, and say when it ended otherwise than it may."""
        turn = number // HOSTILE_EVERY
        hostile = number % HOSTILE_EVERY == 0
        kind = _KINDS[turn % len(_KINDS)] if hostile else _BENIGN[number % len(_BENIGN)]

        outcome = self._sandbox.start(self._jobs[kind]).wait()

        assert outcome.reason in kind.endings, (kind, outcome)
        assert kind.hostile or outcome.output == {"x": 1}, (kind, outcome)
        self.endings[outcome.reason.value] += 1


@dataclass(frozen=True, slots=True)
class Traces:
    """What this process and its children hold of the host."""

    descriptors: int
    children: frozenset[int]
    mounts: frozenset[str]
    temporary: tuple[str, ...]
    groups: tuple[str, ...]


def traces(temporary: Path) -> Traces:
    """Look."""
    groups = [top for top, _, _ in os.walk("/sys/fs/cgroup") if f"skilllite-{os.getpid()}" in top]
    return Traces(
        len(list(Path("/proc/self/fd").iterdir())),
        frozenset(_descendants(os.getpid())),
        frozenset(_mounts()),
        tuple(sorted(path.name for path in temporary.iterdir())),
        tuple(groups),
    )


def _mounts() -> Iterator[str]:
    """Yield every place where something is mounted, without those of other programs."""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        place = line.split()[4]
        if not place.startswith(OF_OTHERS):
            yield place


def _descendants(pid: int) -> set[int]:
    found: set[int] = set()
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        for task in tasks:
            for child in (task / "children").read_text(encoding="ascii").split():
                found |= {int(child), *_descendants(int(child))}
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


@pytest.mark.parametrize("tier", [Tier.FULL, Tier.BWRAP], ids=["full", "bwrap"])
def test_nothing_is_left_of_thousands_of_runs(
    tier: Tier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for language in PROGRAMS:
        require(language)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    tmp_path.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    _warm_up_this_process()
    before = traces(temporary)
    started = time.monotonic()

    with Sandbox(Level.ISOLATED, tier=tier) as sandbox:
        soak = Soak(sandbox, tmp_path / "skills")
        for number in range(RUNS):
            soak.run(number)
        sequential_s = time.monotonic() - started
        with ThreadPoolExecutor(AT_ONCE) as callers:
            for _ in callers.map(soak.run, range(RUNS)):
                pass
    print(
        f"{RUNS} in {sequential_s:.1f} s, {RUNS} by {AT_ONCE} callers in "
        f"{time.monotonic() - started - sequential_s:.1f} s: {dict(soak.endings)}"
    )

    assert soak.endings.total() == 2 * RUNS
    deadline = time.monotonic() + SETTLE_S
    while (after := traces(temporary)) != before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert after == before


def _warm_up_this_process() -> None:
    """Have whatever the first run opens once for all of this process: modules, host facts."""
    with Sandbox(Level.ISOLATED) as sandbox:
        assert sandbox.probe is not None
