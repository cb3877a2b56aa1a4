"""Bounds of runs without namespaces: what the kernel holds, what is watched, and what is left over.

A watched bound is looked at twenty times a second, so these tests write for longer than that.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from bare_lab import BareLab
from skilllite_sandbox.backend.run_user import RUN_IDS
from skilllite_sandbox.guest.bare_watch import processes_of

SMALL = {"scratch_bytes": 8 * 1024 * 1024, "scratch_inodes": 100, "wall_s": 15.0}
GONE_S = 5.0  # after an end; it takes milliseconds, this is for a machine under water

MANY_FILES = """
import os, time
for number in range(100_000):
    open(os.environ["TMPDIR"] + f"/{number}", "w").close()
    time.sleep(0.001)
print(1)
"""
LARGE_FILES = """
import os, time
for number in range(64):
    with open(os.environ["TMPDIR"] + f"/{number}", "wb") as file:
        file.write(bytes(1 << 20))
    time.sleep(0.02)
print(1)
"""
NAMELESS = """
import os, tempfile, time
kept = []
for number in range(40):
    kept.append(tempfile.TemporaryFile())
    kept[-1].write(bytes(1 << 20))
    kept[-1].flush()
    time.sleep(0.02)
time.sleep(1)
print(1)
"""
MAPPED = """
import mmap, os, time
kept = []
for number in range(40):
    path = os.environ["TMPDIR"] + "/file"
    with open(path, "w+b") as file:
        file.write(bytes(1 << 20))
        file.flush()
        kept.append(mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ))
        os.close(os.dup(file.fileno()))
    os.unlink(path)
    time.sleep(0.02)
time.sleep(1)
print(1)
"""
UNSEEN = """
import os, time
os.chdir(os.environ["TMPDIR"])
for number in range(90):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
with open("deep", "wb") as file:
    file.write(bytes(1 << 20))
time.sleep(2)
print(1)
"""
LOCKED = """
import os, time
place = os.environ["TMPDIR"] + "/locked"
os.mkdir(place, 0o300)
open(place + "/x", "w").close()
time.sleep(2)
print(1)
"""


@pytest.mark.parametrize(
    "script",
    [MANY_FILES, LARGE_FILES, NAMELESS, MAPPED, UNSEEN],
    ids=["many files", "large files", "files without a name", "files only mapped", "too deep"],
)
def test_who_keeps_too_much_in_the_scratch_is_ended(bare: BareLab, script: str) -> None:
    limits = SMALL | ({"file_bytes": 1 << 20} if script is MAPPED else {})

    outcome = bare.run(script, limits=limits).outcome

    assert outcome["reason"] == "disk", outcome
    assert "disk limit exceeded" in outcome["message"]
    assert bare.leftovers() == []


def test_orphans_that_end_all_the_time_keep_nobody_from_looking(rooted: BareLab) -> None:
    script = """
while :; do (true &); done &
for number in {1..2000}; do echo x > "$TMPDIR/$number"; done
sleep 5
echo 1
"""
    outcome = rooted.run(script, language="bash", limits=SMALL).outcome

    assert outcome["reason"] == "disk", outcome


def test_a_directory_that_only_the_skill_can_enter_is_no_hiding_place(bare: BareLab) -> None:
    outcome = bare.run(LOCKED, limits=SMALL).outcome

    # Root looks into it; where both are one user, not being able to is too much.
    assert outcome["reason"] in ("disk", "ok"), outcome
    assert (outcome["reason"] == "ok") is (bare.tier.value == "root-chroot")
    assert bare.leftovers() == []


def test_what_stays_within_the_bounds_is_left_alone(bare: BareLab) -> None:
    script = """
import os, tempfile, time
with tempfile.TemporaryDirectory() as place, tempfile.TemporaryFile() as nameless:
    nameless.write(bytes(1 << 20))
    for number in range(50):
        with open(f"{place}/{number}", "w") as file:
            file.write("x" * 1000)
    time.sleep(0.3)
print(len(os.listdir(os.environ["TMPDIR"])))
"""
    outcome = bare.run(script, limits=SMALL).outcome

    assert (outcome["reason"], outcome["output"]) == ("ok", 0), outcome


def test_locks_of_multiprocessing_are_no_large_files(rooted: BareLab) -> None:
    script = """
import multiprocessing, time
locks = [multiprocessing.Lock() for _ in range(20)]
time.sleep(0.3)
print(len(locks))
"""
    outcome = rooted.run(script).outcome

    assert (outcome["reason"], outcome["output"]) == ("ok", 20), outcome


@pytest.mark.parametrize(
    ("script", "limits", "reason"),
    [
        ("while True: pass", {"cpu_s": 1}, "cpu"),
        ("import time\ntime.sleep(60)", {"wall_s": 0.5}, "timeout"),
        ("x = []\nwhile True: x.append(bytes(1 << 20))", {"memory_bytes": 64 << 20}, "memory"),
        ("while True: print('x' * 1000)", {"stdout_bytes": 10_000}, "output"),
        ("open('big', 'wb').write(bytes(2 << 20))", {"file_bytes": 1 << 20}, "disk"),
    ],
    ids=["processor", "time", "memory", "output", "one file"],
)
def test_other_bounds_hold_as_elsewhere(
    bare: BareLab, script: str, limits: dict[str, Any], reason: str
) -> None:
    assert bare.run(script, limits=limits).outcome["reason"] == reason


def test_threads_are_bounded(bare: BareLab) -> None:
    script = """
import threading, time
for number in range(200):
    threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
    time.sleep(0.005)
print(1)
"""
    outcome = bare.run(script, limits={"processes": 8, "wall_s": 15.0}).outcome

    assert outcome["reason"] == "processes", outcome


def test_a_skill_that_stops_itself_ends_at_the_deadline(bare: BareLab) -> None:
    script = "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"

    outcome = bare.run(script, limits={"wall_s": 0.5}).outcome

    assert outcome["reason"] == "timeout"
    assert outcome["duration_ms"] < GONE_S * 1000


def test_nothing_of_a_run_is_there_for_the_next_one(bare: BareLab) -> None:
    script = """
import os
mark = os.environ["TMPDIR"] + "/mark"
was_there = os.path.exists(mark)
open(mark, "w").close()
print(was_there * 1)
"""
    assert [bare.run(script).outcome["output"] for _ in range(2)] == [0, 0]
    assert bare.leftovers() == []


def test_when_the_host_is_killed_the_run_dies(bare: BareLab, tmp_path: Path) -> None:
    beacon = "import sys, time\nprint('started', file=sys.stderr, flush=True)\ntime.sleep(60)"
    skill = bare.lab.skill("python", beacon)
    command, environment = bare.command(str(bare.lab.root / "bare_runner.py"))
    request: dict[str, Any] = {"skill": str(skill), "tier": bare.tier.value, "input": {}}
    request |= {"stage": bare.stage, "limits": {}}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, env=environment, cwd=bare.lab.root
    ) as host:
        assert host.stdin is not None
        host.stdin.write(json.dumps(request).encode())
        host.stdin.close()
        try:
            runs = _await(lambda: _guests_below(host.pid), bool)
        finally:
            host.send_signal(signal.SIGKILL)

    assert runs
    _await(lambda: [pid for pid in runs if _is_running(pid)], lambda left: not left)
    for path in bare.lab.drop.glob("skilllite-*"):  # of the host that was killed
        subprocess.run(["rm", "-rf", str(path)], check=True)


TREE = """
for number in 1 2 3 4 5 6 7 8; do
  (trap '' TERM HUP INT; while :; do :; done) &
done
while :; do :; done
"""


def test_a_tree_of_busy_processes_is_gone_after_the_deadline(rooted: BareLab) -> None:
    outcome = rooted.run(TREE, language="bash", limits={"wall_s": 1.0, "processes": 12}).outcome

    assert outcome["reason"] == "timeout"
    assert outcome["duration_ms"] < 1000 + GONE_S * 1000
    assert [pid for user in RUN_IDS for pid in processes_of(user)] == []


def test_what_a_skill_leaves_running_ends_with_it(rooted: BareLab) -> None:
    outcome = rooted.run("sleep 100 & disown; sleep 100 & echo 1", language="bash").outcome

    assert (outcome["reason"], outcome["output"]) == ("ok", 1), outcome
    assert [pid for user in RUN_IDS for pid in processes_of(user)] == []


def test_who_kills_all_of_its_user_is_killed_too(rooted: BareLab) -> None:
    killers = "for n in 1 2 3; do (while :; do kill -9 -1; done) & done; sleep 1; echo 1"

    outcome = rooted.run(killers, language="bash", limits={"wall_s": 5.0}).outcome

    assert outcome["duration_ms"] < 5000 + GONE_S * 1000
    assert [pid for user in RUN_IDS for pid in processes_of(user)] == []


def test_a_fork_bomb_meets_its_own_bound(rooted: BareLab) -> None:
    bomb = "bomb() { bomb | bomb & }; bomb; sleep 1; echo 1"

    outcome = rooted.run(bomb, language="bash", limits={"wall_s": 10.0}).outcome

    assert outcome["reason"] in ("ok", "exit", "processes", "not_json"), outcome
    assert [pid for user in RUN_IDS for pid in processes_of(user)] == []


@pytest.mark.parametrize("language", ["python", "node", "bash"])
def test_every_language_finds_its_world_in_a_root_of_its_own(
    rooted: BareLab, language: str
) -> None:
    scripts = {
        "python": "import ssl, sqlite3, zoneinfo, decimal, asyncio, csv, json, sys\n"
        "zoneinfo.ZoneInfo('Europe/Berlin')\nasyncio.run(asyncio.sleep(0))\n"
        "print(json.dumps(sorted(json.load(sys.stdin))[:1]))",
        "node": "const given = JSON.parse(require('fs').readFileSync('/dev/stdin', 'utf8'))\n"
        "require('crypto'); require('zlib')\n"
        "console.log(JSON.stringify(Object.keys(given).sort().slice(0, 1)))",
        "bash": "jq -c '[keys[0]]' < /dev/stdin; echo x | awk '{print $1}' > /dev/null",
    }

    outcome = rooted.run(scripts[language], language=language).outcome

    assert outcome["output"] == ["drop"], outcome
    assert outcome["tier"] == "root-chroot"


NODE_ATTACKS = """
const fs = require('fs'), child = require('child_process'), net = require('net')
const facts = JSON.parse(fs.readFileSync(0, 'utf8'))
const can = f => { try { f(); return true } catch { return false } }
const found = {
  read: can(() => fs.readFileSync(facts.secret)), see: fs.existsSync(facts.secret),
  list: can(() => fs.readdirSync('/')), mark: can(() => fs.writeFileSync(facts.drop + '/n', 'x')),
  execute: child.spawnSync(process.execPath, ['-e', '']).error === undefined,
  kill: can(() => process.kill(facts.victim, 9)) || can(() => process.kill(process.ppid, 9)),
  proc: fs.existsSync('/proc/self'),
}
console.log(JSON.stringify(found))
"""
BASH_ATTACKS = r"""
facts=$(cat)
field() { jq -r ".$1" <<< "$facts"; }
can() { if (eval "$1") > "$TMPDIR/out" 2>&1; then echo true; else echo false; fi; }
printf '{"read": %s, "see": %s, "list": %s, "mark": %s, "kill": %s, "all": %s, "net": %s, ' \
  "$(can 'cat "$(field secret)"')" "$(can '[ -e "$(field secret)" ]')" "$(can 'ls /')" \
  "$(can 'echo x > "$(field drop)/bash"')" "$(can 'kill -9 "$(field victim)"')" \
  "$(can 'kill -9 $PPID')" "$(can 'exec 3<>/dev/tcp/127.0.0.1/9')"
printf '#!/bin/bash\n' > "$TMPDIR/own"; chmod +x "$TMPDIR/own"
printf '"own": %s, "proc": %s}' "$(can 'exec "$TMPDIR/own"')" "$(can '[ -e /proc/self ]')"
"""


@pytest.mark.parametrize(
    ("language", "script"), [("node", NODE_ATTACKS), ("bash", BASH_ATTACKS)], ids=["node", "bash"]
)
def test_other_languages_reach_nothing_either(rooted: BareLab, language: str, script: str) -> None:
    result = rooted.run(script, language=language)

    assert [name for name, could in result.said.items() if could] == []
    assert result.victim_alive


def _await(look: Any, is_enough: Any) -> Any:
    deadline = time.monotonic() + GONE_S
    while not is_enough(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def _guests_below(host: int) -> list[int]:
    """Return the processes of a started skill: the first one of a run has one child."""
    below = [
        pid
        for first in _children(host)
        if b"/proc/self/fd/" in Path(f"/proc/{first}/cmdline").read_bytes()
        for pid in (first, *_children(first))
    ]
    return below if len(below) > 1 else []


def _children(parent: int) -> list[int]:
    try:
        text = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in text.split()]


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX" and os.path.exists(f"/proc/{pid}")  # noqa: PTH110
