"""Becomes another interpreter, and watches over it: the first process of a run that executes.

The kernel kills everything in a process namespace with its first process, ignores the signals that
one has no handler for, and leaves orphans to it. So a program that is executed gets a parent that
does nothing but reap and report.
"""

import os
import sys
from _signal import SIG_DFL, SIGPIPE, SIGXFSZ, signal

from skilllite_sandbox.guest import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def become(command: "list[str]", tell: "Callable[[bytes], object]") -> None:
    """Execute a program in place of this one."""
    for number in (SIGPIPE, SIGXFSZ):  # ignored by Python, and what is ignored stays so
        signal(number, SIG_DFL)
    try:
        os.execv(command[0], command)
    except OSError as error:
        tell(report.EXEC_FAILED)
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(report.SETUP_FAILED)


def watch(child: int) -> int:
    """Reap until the child is gone; return its wait status."""
    while True:
        found, status = os.wait()
        if found == child:
            return status
