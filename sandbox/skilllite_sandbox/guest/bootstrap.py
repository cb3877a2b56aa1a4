"""The first code in a carrier's sandbox: closes what the carrier left open, then runs the skill.

Runs in the interpreter of the sandbox (`-I -S -B`), which may be another Python than the host's:
standard library of 3.11 only. Its whole input is its argument list, written by the host; it reads
no byte of the skill before every protection stands. Each import costs every run.

    bootstrap STATUS_FD LIMITS FILTER EXECUTABLES PROXY_PORT PATHS SCRIPT [COMMAND ...]

    STATUS_FD    pipe to the host; what is written there is in `report.py`
    LIMITS       "NAME=SOFT:HARD,...", see RESOURCES
    FILTER       the guest filter in hexadecimal; empty at level 1
    EXECUTABLES  paths joined by ":" that Landlock leaves executable; empty for none of it; a
                 leading "?" says that the run may go on when the kernel has no Landlock
    PROXY_PORT   where to listen for the skill's network requests; empty for no network
    PATHS        directories joined by ":" where Python finds the skill's packages
    SCRIPT       what to run as Python when there is no COMMAND
    COMMAND      what to execute instead
"""

import os
import sys

from skilllite_sandbox.guest import network, report
from skilllite_sandbox.guest.exec_program import become
from skilllite_sandbox.guest.python_program import Interrupted, add_site_builtins, run_script
from skilllite_sandbox.guest.streams import die_of_interrupt, finish_interpreter
from skilllite_sandbox.guest.system import (
    PR_SET_NO_NEW_PRIVS,
    RESOURCES,
    FilterProgram,
    Libc,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# linux/landlock.h; all that is restricted here is execution, the carrier did the rest.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH_BENEATH = 1
_ACCESS_FS_EXECUTE = 1
_ACCESS_FS_REFER = 1 << 13
_REFER_SINCE = 2


def main() -> None:
    """Set everything up in an order that leaves nothing to the skill, then become it."""
    status_text, limits, program, executables, proxy_port, paths, script, *command = sys.argv[1:]
    status = int(status_text)
    os.set_inheritable(status, False)
    libc = Libc()
    if proxy_port:
        network.offer_listener(int(proxy_port), status)
    if program:
        # Out of the carrier's process group: kill(0, ...) must not reach it.
        os.setsid()
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1)
        if executables:
            restrict_execution(libc, executables, status)
    for kind, soft, hard in parse_limits(limits):
        libc.set_limit(kind, soft, hard)
    if program:
        libc.load_filter(FilterProgram(bytes.fromhex(program)))
    # Fails when the host has given up meanwhile: then nobody would stop this skill any more.
    os.write(status, report.READY)

    def tell(fact: bytes) -> None:
        os.write(status, fact)

    if command:
        become(command, tell)
        return
    add_site_builtins()
    try:
        run_script(script, paths.split(":") if paths else [], tell)
    except Interrupted:
        finish_interpreter(1)
        die_of_interrupt()


def parse_limits(text: str) -> "Iterator[tuple[int, int, int]]":
    """Yield (kind, soft, hard)."""
    for item in text.split(","):
        name, _, values = item.partition("=")
        soft, _, hard = values.partition(":")
        yield RESOURCES[name], int(soft), int(hard)


def restrict_execution(libc: Libc, executables: str, status: int) -> None:
    """Leave only these files executable, for this process and all it starts."""
    version = libc.call("syscall", _CREATE_RULESET, None, 0, 1)
    # A ruleset that doesn't speak of it forbids every link and rename across directories.
    refer = _ACCESS_FS_REFER if version >= _REFER_SINCE else 0
    handled = (_ACCESS_FS_EXECUTE | refer).to_bytes(8, sys.byteorder)
    optional = executables.startswith("?")
    create = libc.call if optional else libc.must
    ruleset = create("syscall", _CREATE_RULESET, handled, len(handled), 0)
    if ruleset < 0:
        return
    rules = [(path, _ACCESS_FS_EXECUTE) for path in executables.lstrip("?").split(":")]
    for path, rights in (*rules, *([("/", refer)] if refer else [])):
        try:
            file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # a program of the list that this host doesn't have
        rule = rights.to_bytes(8, sys.byteorder) + file.to_bytes(4, sys.byteorder)
        libc.must("syscall", _ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
        os.close(file)
    libc.must("syscall", _RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    os.write(status, report.LANDLOCK)
