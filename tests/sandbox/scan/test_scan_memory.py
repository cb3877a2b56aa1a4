"""Skills made to exhaust the scanner: each gets a verdict, in time, within a bound of memory."""

from __future__ import annotations

import bz2
import json
import os
import subprocess
import sys

import pytest

MEMORY_MIB_MAX = 256  # above what the scanner itself takes
SECONDS_MAX = 4.0  # of processor time: twice what is promised, for a machine that is busy

_LISTS = "a=['x']*9\n" + "a=[a,a,a,a,a,a,a,a,a]\n" * 40 + "print(a)\n''.join(str(a))\n"
_BOMB = f"import codecs\ncodecs.decode({bz2.compress(bytes(200_000_000))!r}, 'bz2')\n"
ATTACKS: dict[str, dict[str, str]] = {
    "text that doubles": {"a.py": "x='a'*9\n" + "x=x+x\n" * 60},
    "unknown text that doubles": {"a.py": "x=input()+'a'\n" + "x='%s%s'%(x,x)\n" * 60},
    "many large texts": {"a.py": "".join(f"x{i}='a'*{262_000 - i}\n" for i in range(3000))},
    "a list that doubles": {"a.py": "x=[input()]\n" + "x=x+x\n" * 60},
    "lists in lists": {"a.py": _LISTS},
    "translated": {"a.py": "x=('a'*200000).translate({97:'b'*200000})\n"},
    "joined": {"a.py": "x='b'*200000\ny=x.join('a'*200000)\n"},
    "a wide template": {"a.py": "x='%*d'%(999999999,1)\ny='{:>999999999}'.format(1)\n"},
    "many bytes": {"a.py": "x=(1).to_bytes(10**9,'big')\n"},
    "packed": {"a.py": "import struct\nx=struct.pack('999999999x')\n"},
    "a bomb in a decoder": {"a.py": _BOMB},
    "ranges in lists": {"a.py": "x=[range(8000)]*1000\ny=[x]*1000\nbytes(y)\n"},
    "many statements": {"a.py": "a;" * 450_000},
    "many files of statements": {f"f{i}.py": "f(1)\n" * 150_000 for i in range(8)},
    "sums of origins": {
        "a.py": "".join(f"a{i}=open('/etc/x{i}').read()\n" for i in range(1000))
        + "x="
        + "+".join(f"a{i}" for i in range(140))
        + "\n"
        + "x=x+x\n" * 100
    },
    "an array that doubles": {"a.sh": "x=(a b c)\n" + 'x=("${x[@]}" "${x[@]}")\n' * 60},
    "sed that multiplies": {"a.sh": "x=aaaaaaaaaa\n" + "x=$(echo $x|sed 's/a/aaaaaaaaa/g')\n" * 60},
    "sed that goes back": {"a.sh": "x=$(echo " + "a" * 60 + "! | sed -E 's/(a|aa)+$/x/')\n"},
    "globs that go back": {
        "a.sh": "x=" + "a" * 50_000 + "\ny=${x//*a*a*a*a*b/c}\nz=${x##*a*a*b}\n"
    },
    "xargs that fills in": {
        "a.sh": "x=" + "@" * 60_000 + "\necho " + "b" * 60_000 + " | xargs -I @ echo $x\n"
    },
    "here documents": {f"s{i}.sh": "<<E\n" * 3000 for i in range(60)},
    "many texts": {"a.js": "".join(f"let y{i}='a'.repeat({60_000 + i});" for i in range(5000))},
    "replaced by itself": {
        "a.js": "let x='a'.repeat(200000); x.replaceAll('a', x);x.split('').join(x)"
    },
    "patterns that go back": {"a.js": "'" + "a" * 60 + "!'.replace(/(a|aa)+$/,'x')"},
    "whole numbers that square": {"a.js": "let x=10n;" + "x=x*x;" * 60},
    "brackets that nothing closes": {"a.ts": "a=(" * 100_000},
    "conditions in conditions": {"a.js": "a?" * 200_000},
    "scripts of brackets": {f"s{i}.js": "${a:-" * 3000 for i in range(60)},
    "heaps of text": {f"r{i}.md": "- the agent should run it\n" * 70_000 for i in range(8)},
    "heaps of letters": {f"r{i}.txt": "\u4e2d" * 690_000 for i in range(8)},
}

SCANS = """
import json, sys, time
from skilllite_sandbox.scan.scanner import scan_sources
from skilllite_sandbox.scan.source import make_source

def peak():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

warm = {"a.py": "import os\\n", "a.sh": "ls\\n", "a.js": "f(1)", "a.ts": "f(1)", "a.md": "# a\\n"}
scan_sources([make_source(path, text.encode()) for path, text in warm.items()], None, digest="")
sources = [make_source(path, text.encode()) for path, text in json.load(sys.stdin).items()]
before, began = peak(), time.thread_time()
verdict = scan_sources(sources, None, digest="").verdict
print(json.dumps([verdict.value, peak() - before, time.thread_time() - began]))
"""


@pytest.mark.parametrize("attack", ATTACKS)
def test_scan_of_a_hostile_skill_stays_within_its_bounds(attack: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCANS],
        input=json.dumps(ATTACKS[attack]),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
        timeout=120,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    verdict, mebibytes, seconds = json.loads(done.stdout)
    assert verdict in ("PASS", "REVIEW", "BLOCK")
    assert mebibytes < MEMORY_MIB_MAX
    assert seconds < SECONDS_MAX
