"""What isolation takes away is taken by an ordinary exception: no kill, no hang, and life goes on.

Each attempt runs as a skill of its own; it may catch the exception like any other. The control is
that outside the same attempt works, or at least fails otherwise.
"""

from __future__ import annotations

import pytest

from side_by_side import SideBySide
from skilllite_sandbox import Reason

ATTEMPTS = {
    "subprocess.run": "import subprocess\nsubprocess.run(['/bin/true'], check=True)",
    "subprocess.run of a shell": (
        "import subprocess\nsubprocess.run('true', shell=True, check=True)"
    ),
    "subprocess.check_output": "import subprocess\nsubprocess.check_output(['uname'])",
    "subprocess.Popen with pipes": (
        "import subprocess\nsubprocess.Popen(['cat'], stdin=-1, stdout=-1).communicate(b'x', 5)"
    ),
    "another Python": (
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''], check=True)"
    ),
    "os.fork": "import os\nif (child := os.fork()) == 0:\n    os._exit(0)\nos.waitpid(child, 0)",
    "os.forkpty": (
        "import os\nchild, fd = os.forkpty()\nif child == 0:\n    os._exit(0)\nos.waitpid(child, 0)"
    ),
    "os.posix_spawn": ("import os\nos.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)"),
    "os.execv": "import os\nos.execv('/bin/true', ['true'])",
    "os.popen": "import os\nassert os.popen('echo x').read() == 'x\\n'",
    "os.system": "import os\nassert os.system('true') == 0",
    "multiprocessing.Process": (
        "import multiprocessing\np = multiprocessing.Process(target=print)\np.start()\np.join(5)\n"
        "assert p.exitcode == 0"
    ),
    "multiprocessing.Pool": (
        "import multiprocessing\nwith multiprocessing.Pool(2) as pool:\n"
        "    pool.apply_async(abs, (1,)).get(5)"
    ),
    "a spawned process": (
        "import multiprocessing\nc = multiprocessing.get_context('spawn')\n"
        "if __name__ == '__main__':\n"
        "    p = c.Process(target=print)\n    p.start()\n    p.join(5)"
    ),
    "a pool of processes": (
        "from concurrent.futures import ProcessPoolExecutor\n"
        "with ProcessPoolExecutor(2) as pool:\n    pool.submit(abs, 1).result(5)"
    ),
    "asyncio's processes": (
        "import asyncio\nasync def f():\n"
        "    p = await asyncio.create_subprocess_exec('/bin/true')\n    await p.wait()\n"
        "asyncio.run(f())"
    ),
    "a socket for TCP": "import socket\nsocket.socket().close()",
    "a socket for TCP over IPv6": "import socket\nsocket.socket(socket.AF_INET6).close()",
    "a socket for UDP": "import socket\nsocket.socket(type=socket.SOCK_DGRAM).close()",
    "a server": "import socket\nsocket.create_server(('127.0.0.1', 0)).close()",
    "asyncio's server": (
        "import asyncio\nasync def f():\n"
        "    assert (await asyncio.start_server(print, '127.0.0.1', 0)).sockets\nasyncio.run(f())"
    ),
    "http.server": (
        "import http.server\nhttp.server.HTTPServer(('127.0.0.1', 0), None).server_close()"
    ),
    "a write beside scratch": "open('/var/tmp/skilllite-compatibility', 'x').close()",
    "a write to the skill": "open(__file__, 'a').close()",
    "a file beside the script": "import os\nopen(os.path.dirname(__file__) + '/new', 'x').close()",
    "a directory in the root": "import os\nos.mkdir('/skilllite-compatibility')",
    "the accounts' secrets": "open('/etc/shadow').close()",
    "the list of processes": "import os\nos.listdir('/proc')",
    "its own memory as a file": "open('/proc/self/mem', 'rb').close()",
    "a pseudo-terminal": "import os\nos.openpty()",
    "a higher limit": (
        "import resource as r\nr.setrlimit(r.RLIMIT_NOFILE, (10_000_000, 10_000_000))"
    ),
    "another user": "import os\nos.setuid(12345)",
    "a higher priority": "import os\nos.nice(-5)",
    "an owner": "import os\nopen('x', 'w').close()\nos.chown('x', 12345, 12345)",
}
# Outside it would happen to this machine, or replace the skill.
_NOT_OUTSIDE = frozenset(
    {
        *("a write beside scratch", "a directory in the root", "os.execv"),
        *("a write to the skill", "a file beside the script", "another user"),
        # Refused to many users outside as well.
        *("the accounts' secrets", "a higher limit", "a higher priority", "an owner"),
        # Depends on what the machine's own container allows.
        *("a socket for TCP over IPv6", "os.forkpty", "a pseudo-terminal"),
        "its own memory as a file",
    }
)
_TRY = """
import sys
try:
{attempt}
except Exception as error:
    print("refused", type(error).__name__)
else:
    print("done")
print("goes on", 6 * 7)
"""


def _attempt(name: str) -> str:
    lines = ATTEMPTS[name].splitlines()
    return _TRY.format(attempt="\n".join(f"    {line}" for line in lines))


@pytest.mark.parametrize("name", list(ATTEMPTS))
def test_what_is_refused_raises_and_the_skill_goes_on(both: SideBySide, name: str) -> None:
    skill = both.skill("python", _attempt(name), {})

    if name not in _NOT_OUTSIDE:
        assert "done\ngoes on 42\n" in both.outside(skill).stdout, "the control failed"
    outcome = both.inside(skill)

    assert outcome.reason is Reason.NOT_JSON, (outcome.message, outcome.stderr)
    first, *_, last = outcome.text.splitlines()
    assert first.startswith("refused "), outcome.text
    assert last == "goes on 42"
    assert outcome.violations == ()
    assert outcome.duration_ms < 10_000


_NEVER_NEEDED = {
    "another root": "import os\nos.chroot('/tmp')",
    "a device": "import os, stat\nos.mknod('null', stat.S_IFCHR | 0o666, os.makedev(1, 3))",
    "the host's name": "import socket\nsocket.sethostname('other')",
    "the clock": "import time\ntime.clock_settime(time.CLOCK_REALTIME, 0)",
}


@pytest.mark.parametrize("name", list(_NEVER_NEEDED))
def test_what_no_skill_needs_may_end_it_but_says_why(both: SideBySide, name: str) -> None:
    outcome = both.inside(both.skill("python", _NEVER_NEEDED[name] + "\nprint('done')", {}))

    assert outcome.text == ""
    if outcome.reason is Reason.VIOLATION:
        assert outcome.violations == ("killed for a forbidden system call",)
    else:
        assert outcome.reason is Reason.EXIT
        assert "Error" in outcome.stderr.splitlines()[-1]


UNREACHABLE = {
    "a connection": "import socket\nsocket.create_connection(('127.0.0.1', 9), 2)",
    "a name": "import socket\nsocket.getaddrinfo('example.com', 80)",
    "a page": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/', timeout=2)",
    "a page over TLS": "import urllib.request\nurllib.request.urlopen('https://127.0.0.1:9/')",
    "asyncio's connection": (
        "import asyncio\nasync def f():\n    await asyncio.open_connection('127.0.0.1', 9)\n"
        "asyncio.run(f())"
    ),
    "mail": "import smtplib\nsmtplib.SMTP('127.0.0.1', 9)",
    "a Unix socket": "import socket\nsocket.socket(socket.AF_UNIX).connect('/run/x')",
}


@pytest.mark.parametrize("name", list(UNREACHABLE))
def test_without_network_the_usual_exception_says_so(both: SideBySide, name: str) -> None:
    lines = "\n".join(f"    {line}" for line in UNREACHABLE[name].splitlines())
    script = (
        f"try:\n{lines}\nexcept OSError as error:\n    print('refused', error)\nprint('goes on')"
    )

    outcome = both.inside(both.skill("python", script, {}))

    # Every library of network expects an OSError, and nothing else.
    assert outcome.reason is Reason.NOT_JSON, (outcome.message, outcome.stderr)
    assert outcome.text.startswith("refused ")
    assert outcome.text.endswith("goes on\n")
    assert outcome.duration_ms < 10_000


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import subprocess\nsubprocess.run(['true'])", "PermissionError"),
        ("import os\nos.fork()", "PermissionError"),
        ("import socket\nsocket.socket()", "OSError"),
        pytest.param(
            *("open('/usr/x', 'w')", "OSError: [Errno 30] Read-only file system"),
            id="writing beside the programs",
        ),
        ("open('/home/ana/notes')", "FileNotFoundError"),
    ],
)
def test_what_is_not_caught_is_a_plain_traceback(both: SideBySide, script: str, said: str) -> None:
    outcome = both.inside(both.skill("python", script, {}))

    assert outcome.reason is Reason.EXIT
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Traceback (most recent call last):\n")
    assert said in outcome.stderr.splitlines()[-1]
