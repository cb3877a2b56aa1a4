"""What a Python skill is promised: its surroundings, its streams at their bounds, a fresh start."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from side_by_side import ENVIRONMENT, SCRATCH, SKILL, SideBySide
from skill_files import make_skill
from skilllite_sandbox import Outcome, Reason
from skilllite_sandbox.policy import MIB

_LARGE = 3 * MIB  # near the bounds of input and output, far above what a pipe holds


def run(both: SideBySide, script: str, text: str = "{}") -> Outcome:
    return both.inside(both.skill("python", script, {}), text)


def facts_of(both: SideBySide, script: str) -> dict[str, Any]:
    outcome = run(both, f"import json\nfacts = {{}}\n{script}\nprint(json.dumps(facts))")
    assert outcome.reason is Reason.OK, (outcome.message, outcome.stderr)
    assert outcome.stderr == ""
    found: dict[str, Any] = outcome.output
    return found


def test_the_environment_is_what_is_promised(both: SideBySide) -> None:
    facts = facts_of(both, "import os\nfacts = dict(os.environ)")

    assert facts == ENVIRONMENT


def test_the_environment_can_be_changed_for_the_libraries(both: SideBySide) -> None:
    facts = facts_of(
        both,
        "import os, tempfile\nos.environ['A'] = 'ä'\nos.putenv('B', 'b')\ndel os.environ['HOME']\n"
        "os.mkdir('t')\nos.environ['TMPDIR'] = os.path.abspath('t')\n"
        "facts = {'a': os.getenv('A'), 'bytes': os.environb[b'A'].hex(),\n"
        "         'home': os.path.expanduser('~'), 'temporary': tempfile.gettempdir()}",
    )

    assert facts == {"a": "ä", "bytes": "c3a4", "home": SCRATCH, "temporary": f"{SCRATCH}/t"}


def test_the_user_has_a_name_and_a_home(both: SideBySide) -> None:
    facts = facts_of(
        both,
        "import getpass, os, pathlib, pwd\nme = pwd.getpwuid(os.getuid())\n"
        "facts = {'user': getpass.getuser(), 'name': me.pw_name, 'home': me.pw_dir,\n"
        "         'path': str(pathlib.Path.home()), 'ids': [os.getuid(), os.getgid()],\n"
        "         'by name': pwd.getpwnam('skill').pw_uid, 'groups': len(os.getgroups()) < 3}",
    )

    assert facts == {
        "user": "skill",
        "name": "skill",
        "home": SCRATCH,
        "path": SCRATCH,
        "ids": [1000, 1000],
        "by name": 1000,
        "groups": True,
    }


def test_the_places_are_what_is_promised(both: SideBySide) -> None:
    facts = facts_of(
        both,
        "import os, sys\n"
        "facts = {'file': __file__, 'argv': sys.argv, 'cwd': os.getcwd(), 'first': sys.path[0],\n"
        "         'own': os.access(os.path.dirname(__file__), os.W_OK), 'name': __name__,\n"
        "         'scratch': os.listdir(), 'skill': sorted(os.listdir(os.path.dirname(__file__)))}",
    )

    assert facts == {
        "file": f"{SKILL}/scripts/main.py",
        "argv": [f"{SKILL}/scripts/main.py"],
        "cwd": SCRATCH,
        "first": f"{SKILL}/scripts",
        "own": False,
        "name": "__main__",
        "scratch": [],
        "skill": ["main.py"],
    }


def test_platform_answers_without_asking_another_program(both: SideBySide) -> None:
    facts = facts_of(
        both,
        "import platform, sysconfig\n"
        "facts = {'system': platform.system(), 'node': platform.node(),\n"
        "         'machine': platform.machine(), 'python': platform.python_version_tuple()[0],\n"
        "         'processor': platform.processor(), 'platform': platform.platform()[:5],\n"
        "         'libc': platform.libc_ver()[0], 'build': platform.python_build()[0],\n"
        "         'compiler': platform.python_compiler()[:3], 'uname': len(platform.uname()),\n"
        "         'architecture': platform.architecture()[0], 'tag': sysconfig.get_platform()}",
    )

    assert facts["system"] == facts["platform"] == "Linux"
    assert facts["node"] == "sandbox"
    assert facts["libc"] == "glibc"
    assert facts["uname"] == 6
    assert facts["architecture"] == "64bit"
    assert facts["tag"] == f"linux-{facts['machine']}"


def test_what_asks_for_the_host_fails_as_if_it_were_missing(both: SideBySide) -> None:
    facts = facts_of(
        both,
        "import os, platform\n"
        "def attempt(f):\n    try:\n        f()\n    except OSError as e:\n"
        "        return type(e).__name__\n    return 'done'\n\n"
        "facts = {'os': attempt(platform.freedesktop_os_release),\n"
        "         'login': attempt(os.getlogin),\n"
        "         'time': attempt(lambda: os.stat('/etc/localtime'))}",
    )

    assert "done" not in facts.values()


def test_a_large_input_arrives(both: SideBySide) -> None:
    data = "ä" * (_LARGE // 2)

    outcome = run(
        both,
        "import json, sys\nd = json.load(sys.stdin)['data']\nprint(len(d), set(d))",
        json.dumps({"data": data}, ensure_ascii=False),
    )

    assert outcome.text == f"{_LARGE // 2} {{'ä'}}\n"


def test_a_large_output_arrives_whole(both: SideBySide) -> None:
    outcome = run(both, f"import json\nprint(json.dumps({{'data': 'x' * {_LARGE}}}))")

    assert outcome.reason is Reason.OK
    assert outcome.output == {"data": "x" * _LARGE}


def test_a_large_output_in_many_pieces_arrives_in_order(both: SideBySide) -> None:
    outcome = run(both, "for n in range(300_000):\n    print(n)")

    lines = outcome.text.split()
    assert lines == [str(number) for number in range(300_000)]


def test_large_input_comes_back_while_it_is_read(both: SideBySide) -> None:
    text = json.dumps({"data": "y" * _LARGE})

    outcome = run(
        both,
        "import shutil, sys\nshutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)",
        text,
    )

    assert outcome.text == text


def test_output_before_a_large_failure_is_kept(both: SideBySide) -> None:
    outcome = run(
        both, "import os\nprint('x' * 1_000_000)\nos.write(2, b'e' * 100_000)\nraise SystemExit(3)"
    )

    assert outcome.exit_code == 3
    assert len(outcome.text) == 1_000_001
    assert len(outcome.stderr) == 100_000


def test_two_runs_share_no_randomness(both: SideBySide) -> None:
    script = (
        "import os, random, secrets, ssl, tempfile, uuid\n"
        "facts = {'random': random.random(), 'bits': random.getrandbits(64),\n"
        "         'again': random.Random().random(), 'urandom': os.urandom(8).hex(),\n"
        "         'secret': secrets.token_hex(8), 'uuid4': str(uuid.uuid4()),\n"
        "         'uuid1': str(uuid.uuid1()), 'openssl': ssl.RAND_bytes(8).hex(),\n"
        "         'node': uuid.getnode(), 'name': tempfile.mktemp(),\n"
        "         'shuffled': random.sample(range(10**6), 5)}"
    )

    first, second = facts_of(both, script), facts_of(both, script)

    same = {name for name in first if first[name] == second[name]}
    assert same == set()


_SPOIL = """
import atexit, builtins, gc, json, os, random, signal, sys, threading, warnings
builtins.print_before, builtins.print = print, None
sys.modules["json"].dumps = None
json.leftover = True
sys.path.insert(0, "/tmp")
sys.setrecursionlimit(100_000)
os.environ["LEFT"] = "1"
open("left", "w").close()
os.mkdir("left-directory")
os.umask(0o777)
os.chdir("/")
random.seed(1)
gc.disable()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
warnings.simplefilter("error")
threading.Thread(target=threading.Event().wait, daemon=True).start()
sys.stdout.write('"spoiled"')
"""

_LOOK = """
import builtins, gc, json, os, signal, sys, threading, warnings
print(json.dumps({
    "builtins": hasattr(builtins, "print_before"),
    "modules": hasattr(json, "leftover"),
    "path": "/tmp" in sys.path,
    "recursion": sys.getrecursionlimit() != 1000,
    "environment": "LEFT" in os.environ,
    "files": os.listdir("/tmp"),
    "umask": os.umask(0o022) != 0o022,
    "directory": os.getcwd() != "/tmp",
    "collector": not gc.isenabled(),
    "signal": signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL,
    "mask": len(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "warnings": warnings.filters[0][0] == "error",
    "threads": threading.active_count() - 1,
}))
"""


def test_nothing_of_a_run_is_left_in_the_next(both: SideBySide) -> None:
    spoiler, looker = both.skill("python", _SPOIL, {}), both.skill("python", _LOOK, {})

    for _ in range(3):
        spoiled = both.inside(spoiler)
        assert spoiled.output == "spoiled", spoiled.stderr
        looked = both.inside(looker)

        assert not any(looked.output.values()), looked.output


def test_runs_at_the_same_time_see_nothing_of_each_other(both: SideBySide) -> None:
    script = (
        "import json, os, sys, time\nn = json.load(sys.stdin)['n']\n"
        "open(f'file-{n}', 'w').close()\ntime.sleep(0.1)\n"
        "print(json.dumps({'n': n, 'files': os.listdir()}))"
    )
    skill = both.skill("python", script, {})

    with ThreadPoolExecutor(4) as pool:
        texts = [json.dumps({"n": number}) for number in range(8)]
        outcomes = list(pool.map(lambda text: both.inside(skill, text), texts))

    assert [outcome.output for outcome in outcomes] == [
        {"n": number, "files": [f"file-{number}"]} for number in range(8)
    ]


@pytest.mark.parametrize("name", ["größe.py", "two words.py", "dotted.name.py", "UPPER.py"])
def test_a_script_may_have_any_ordinary_name(both: SideBySide, name: str, tmp_path: Path) -> None:
    script = "import os, sys\nprint(os.path.basename(__file__), os.path.basename(sys.argv[0]))"
    skill = make_skill(tmp_path, "named", files={f"scripts/{name}": script})

    assert both.inside(skill).text == f"{name} {name}\n"


def test_the_interpreter_is_recent_enough_for_what_skills_are_told(both: SideBySide) -> None:
    facts = facts_of(both, "import sys\nfacts = {'version': sys.version_info[:2]}")

    assert tuple(facts["version"]) >= (3, 11)
