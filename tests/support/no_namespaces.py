"""Runs a command as in a container that forbids namespaces and mounts: by the same refusals.

    no_namespaces COMMAND ...

Root keeps what such containers leave it by default. The filter is of the kind that Docker loads:
unshare, setns, mount and the like fail with EPERM, clone3 doesn't exist, clone makes no namespace.
"""

from __future__ import annotations

import os
import sys

from skilllite_sandbox.guest.system import PR_SET_NO_NEW_PRIVS, FilterProgram, Libc
from skilllite_sandbox.seccomp.bpf import (
    ALLOW,
    ArgumentTest,
    Checked,
    Clause,
    assemble,
    errno_action,
)
from skilllite_sandbox.seccomp.syscalls import AUDIT_ARCH, TABLES

_EPERM, _ENOSYS = 1, 38
_NAMESPACES = 0x7E02_0000
_REFUSED = (
    "unshare",
    "setns",
    "mount",
    "umount2",
    "pivot_root",
    "open_tree",
    "move_mount",
    "fsopen",
)
_KEPT = (
    *("chown", "dac_override", "fowner", "fsetid", "kill", "mknod", "setgid", "setuid", "setpcap"),
    *("sys_chroot", "net_bind_service", "setfcap", "net_raw", "audit_write"),
)


def main() -> None:
    """Load the filter and become the command."""
    machine = os.uname().machine
    table = TABLES[machine]
    plain = Clause((ArgumentTest(0, _NAMESPACES, 0),), ALLOW)
    program = assemble(
        {table[name]: errno_action(_EPERM) for name in _REFUSED}
        | {table["clone3"]: errno_action(_ENOSYS)}
        | {table["clone"]: Checked((plain,), errno_action(_EPERM))},
        audit_arch=AUDIT_ARCH[machine],
        default=ALLOW,
        unknown=ALLOW,
    )
    libc = Libc()
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1)
    libc.load_filter(FilterProgram(program))
    command = sys.argv[1:]
    if os.geteuid() == 0:
        kept = ",".join(("-all", *(f"+{name}" for name in _KEPT)))
        command[:0] = ["setpriv", "--bounding-set", kept, "--inh-caps", "-all", "--"]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
