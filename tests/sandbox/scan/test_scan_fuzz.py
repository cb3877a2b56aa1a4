"""Damaged skills: every one gets a verdict, in time, and nothing is written anywhere.

`SKILLLITE_FUZZ_SKILLS=10000` tries more; `SKILLLITE_CORPUS` adds hostile ones to begin with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import skill_mutations

COUNT = int(os.environ.get("SKILLLITE_FUZZ_SKILLS", "200"))
CORPUS = os.environ.get("SKILLLITE_CORPUS", "")
SECONDS_MOST = 2.0  # of processor time, for one skill
STARTER_SKILLS = Path(__file__).parents[3] / "node" / "skilllite" / "starter_skills"
SUPPORT = Path(skill_mutations.__file__).parent

# The scanner runs in a process of its own, where an audit hook ends the test at the first event
# that changes a file or starts a program while a skill is being scanned.
SCANS = """
import json, pathlib, shutil, sys, tempfile, time
sys.path.insert(0, sys.argv[1])
import skill_mutations
from skilllite_sandbox.scan.scanner import scan_skill

first, count = int(sys.argv[2]), int(sys.argv[3])
skills = []
for folder in json.loads(sys.argv[4]):
    root = pathlib.Path(folder)
    files = {p.relative_to(root).as_posix(): p.read_bytes()
             for p in sorted(root.rglob("*")) if p.is_file() and p.stat().st_size < 500_000}
    skills.append(files)

CHANGES = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod",
           "os.chown", "os.truncate", "os.utime", "os.system", "os.exec", "os.posix_spawn",
           "os.fork",
           "subprocess.Popen", "shutil.rmtree", "socket.connect", "socket.getaddrinfo",
           "tempfile.mkstemp", "tempfile.mkdtemp", "pty.spawn"}
watching = False
wrong = []
def watch(event, arguments):
    if not watching:
        return
    if event in CHANGES:
        wrong.append((event, repr(arguments)[:200]))
    elif event == "open":
        path, mode, flags = arguments
        if isinstance(flags, int) and flags & 0o1103 and str(path) != "/dev/null":
            wrong.append((event, repr(arguments)[:200]))
scan_skill(json.loads(sys.argv[4])[0])  # has everything imported
sys.addaudithook(watch)

slow, verdicts, broken = [], {}, []
with tempfile.TemporaryDirectory(prefix="skilllite-scan-fuzz-") as directory:
    for seed in range(first, first + count):
        place = pathlib.Path(directory) / "skill"
        place.mkdir()
        skill_mutations.write(skill_mutations.mutate(skills, seed), place)
        watching, began = True, time.process_time()
        try:
            report = scan_skill(place)
            verdicts[report.verdict.value] = verdicts.get(report.verdict.value, 0) + 1
            json.dumps(report.to_json())
        except BaseException as error:
            broken.append((seed, f"{type(error).__name__}: {error}"[:300]))
        watching, took = False, time.process_time() - began
        if took > float(sys.argv[5]):
            slow.append((seed, round(took, 2)))
        shutil.rmtree(place)
print(json.dumps({"verdicts": verdicts, "broken": broken, "slow": slow, "wrong": wrong[:20]}))
"""


def _folders() -> list[str]:
    folders = [str(path) for path in sorted(STARTER_SKILLS.iterdir()) if path.is_dir()]
    if CORPUS:
        labels = json.loads((Path(CORPUS) / "labels.json").read_text(encoding="utf-8"))
        folders += [str(Path(CORPUS) / label["path"]) for label in labels]
    return folders


def _scan_damaged(first: int, count: int) -> dict[str, object]:
    arguments = [str(SUPPORT), str(first), str(count), json.dumps(_folders()), str(SECONDS_MOST)]
    done = subprocess.run(
        [sys.executable, "-B", "-c", SCANS, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    return _scan_damaged(0, COUNT)


def test_every_damaged_skill_gets_a_verdict(found: dict[str, object]) -> None:
    assert found["broken"] == []
    verdicts = found["verdicts"]
    assert isinstance(verdicts, dict)
    assert sum(verdicts.values()) == COUNT


def test_no_damaged_skill_takes_long(found: dict[str, object]) -> None:
    assert found["slow"] == []


def test_scanning_writes_starts_and_connects_nothing(found: dict[str, object]) -> None:
    assert found["wrong"] == []
