"""The built-in attackers: what a new sandbox is tried with before it gets a skill.

Three small skills, one for each language, that attempt what no skill may do and print a JSON object
of what succeeded. They take the way that every skill takes. A sandbox that lets one of them do
anything but what the language needs is not used.
"""

from __future__ import annotations

import json

from skilllite_sandbox.entry import Language
from skilllite_sandbox.outcome import Outcome
from skilllite_sandbox.seccomp.filters import Executes

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from skilllite_sandbox.plan import Plan

CANARY_NAME = "SKILLLITE_PROBE_CANARY"
_MUST_WORK = frozenset({"start a thread", "write its scratch"})

_PYTHON = """
import json, os, socket, subprocess, sys, threading

def attempt(action):
    try:
        action()
    except (OSError, RuntimeError):
        return False
    return True

def fork():
    if child := os.fork():
        os.waitpid(child, 0)
    else:
        os._exit(0)

def thread():
    worker = threading.Thread(target=lambda: None)
    worker.start()
    worker.join()

facts = json.load(sys.stdin)
print(json.dumps({
    "make a socket": attempt(socket.socket),
    "send a datagram": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
    "open a local socket": attempt(lambda: socket.socket(socket.AF_UNIX)),
    "make a process": attempt(fork),
    "execute a program": attempt(lambda: subprocess.run([sys.executable, "-c", ""])),
    "read a file of the host": attempt(lambda: open(facts["canary"]).close()),
    "see processes": os.path.exists("/proc/self"),
    "signal other processes": attempt(lambda: os.kill(-1, 0)),
    "write outside its scratch": attempt(lambda: open("/usr/x", "w").close()),
    "write its own program": attempt(lambda: open("/etc/passwd", "a").close()),
    "see the environment": facts["name"] in os.environ,
    "start a thread": attempt(thread),
    "write its scratch": attempt(lambda: open(os.environ["TMPDIR"] + "/x", "w").close()),
}))
"""

_NODE = """
const fs = require('fs'), child = require('child_process')
const facts = JSON.parse(fs.readFileSync(0, 'utf8'))
const attempt = (action) => { try { action(); return true } catch { return false } }
const ran = child.spawnSync(process.execPath, ['-e', ''])
console.log(JSON.stringify({
  'execute a program': ran.error === undefined,
  'read a file of the host': attempt(() => fs.readFileSync(facts.canary)),
  'see processes': fs.existsSync('/proc/self'),
  'write outside its scratch': attempt(() => fs.writeFileSync('/usr/x', '')),
  'see the environment': facts.name in process.env,
  'write its scratch': attempt(() => fs.writeFileSync('/tmp/x', '')),
}))
"""

_BASH = r"""
read -r facts
canary=${facts#*\"canary\": \"}; canary=${canary%%\"*}
can() {
  local did=false
  if (eval "$2") >/tmp/out 2>&1; then did=true; fi
  printf '"%s": %s, ' "$1" "$did"
}
printf '{'
can 'make a socket' 'exec 3<>/dev/tcp/127.0.0.1/9'
printf '#!/bin/bash\n' >/tmp/own; chmod +x /tmp/own
can 'execute a program that it brings' 'exec /tmp/own'
can 'execute an interpreter of the sandbox' 'exec /usr/bin/python3 -c 1'
can 'read a file of the host' "exec 3<'$canary'"
can 'see processes' '[ -e /proc/self ]'
can 'write outside its scratch' ': >/usr/x'
can 'see the environment' "[ -n \"\$SKILLLITE_PROBE_CANARY\" ]"
printf '"write its scratch": %s}' "$([ -e /tmp/out ] && echo true || echo false)"
"""

SELF_TESTS = {Language.PYTHON: _PYTHON, Language.NODE: _NODE, Language.BASH: _BASH}

_WARM_UP = '''
"""A script as skills are, with what nearly all of them do."""

from __future__ import annotations

import json
import math
import os
import sys
from _socket import socket

NAMES = ("first", "second", "third")
BYTES_MAX = 64 * 1024


class Problem(Exception):
    """Something that a script would complain of."""


class Thing:
    """Something that it would build."""

    kind = "thing"

    def __init__(self, name: str, value: float = 1.5) -> None:
        self.name = name
        self.value = value

    @property
    def size(self) -> int:
        return len(self.name)


def read() -> dict[str, object]:
    raw = sys.stdin.buffer.read(BYTES_MAX + 1)
    if len(raw) > BYTES_MAX:
        raise Problem("too much")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise Problem("no JSON") from None
    if not isinstance(value, dict):
        raise Problem("no object")
    return value


def shape(value: dict[str, object], *, depth: int = 1) -> list[str]:
    unknown = sorted(set(value) - {"text", "numbers"})
    parts = [f"{name}={value[name]!r}" for name in sorted(value) if name not in unknown]
    for word in str(value.get("text", "")).lower().split():
        parts.append(word.title().ljust(8, "."))
    return parts[: 10**depth]


def total(numbers: object) -> int | float:
    found = [each for each in numbers if isinstance(each, int | float) and math.isfinite(each)]
    return round(sum(found), 2) if all(each >= 0 for each in found) else max(found)


def complain() -> str:
    try:
        raise Problem(", ".join(NAMES))
    except Problem as problem:
        return str(problem)


def main() -> None:
    value = read()
    things = {name: Thing(name, number) for number, name in enumerate(NAMES)}
    result = {
        "parts": shape(value),
        "total": total(value["numbers"]),
        "sizes": [thing.size for thing in things.values()],
        "problem": complain(),
        "nothing": None,
    }
    print(json.dumps(result, ensure_ascii=False))
    json.dump(result, sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write("\\n")

def refused(action):
    try:
        action()
    except OSError:
        return True
    return False

def fork():
    if os.fork() == 0:
        os._exit(0)

MAY_FORK = False
if __name__ == "__main__":
    main()
if not (
    refused(lambda: socket(2, 2))
    and (MAY_FORK or refused(fork))
    and refused(lambda: os.execv("/etc/passwd", ["x"]))
    and refused(lambda: os.stat("/proc/self"))
    and refused(lambda: os.open("/etc/passwd", os.O_WRONLY))
):
    raise PermissionError("this worker may do what none may")
'''


def warm_up_script(*, may_fork: bool) -> str:
    """Return what a warm worker runs instead of a skill before it has one.

    It touches the memory that a skill will need, and makes sure once more that the worker is held.
    """
    return _WARM_UP.replace("MAY_FORK = False", f"MAY_FORK = {may_fork}")


def may_besides(plan: Plan) -> frozenset[str]:
    """Return what an attacker may do because somebody granted it."""
    # Where the socket leads is another question.
    network = {"make a socket"} if plan.network else set()
    if plan.executes is not Executes.LISTED or plan.language is Language.BASH:
        programs = set()
    else:
        programs = {"make a process"}
    # node is executed and so may be again; Python only if it is granted.
    if plan.language is Language.NODE and programs:
        programs.add("execute a program")
    if plan.executes is Executes.LISTED and plan.interpreter in plan.executables:
        programs |= {"execute a program", "execute an interpreter of the sandbox"}
    return frozenset(network | programs)


def attempts_of(outcome: Outcome, *, may: frozenset[str] = frozenset()) -> list[str]:
    """Return what an attacker could do and should not, or could not and should."""
    if not isinstance(outcome.output, dict):
        return [f"not say what it could ({outcome.message or outcome.reason.value})"]
    return [
        name if could else f"not {name}"
        for name, could in outcome.output.items()
        if name not in may and could is not (name in _MUST_WORK)
    ]


def question(canary: str) -> bytes:
    """Return the input of an attacker: a file that every user of this host can read."""
    return json.dumps({"canary": canary, "name": CANARY_NAME}).encode("utf-8")
