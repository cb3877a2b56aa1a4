"""The filter where no namespaces stand behind it: what these hold elsewhere, it has to refuse.

Without a pid namespace a signal could go to any process of the same user, so a skill that can't
fork may signal itself alone; its number is known only to the worker, which puts it in the place of
`OWN_PID`. Without a mount and a network namespace a datagram of a socket pair could be addressed to
any socket of the host. And where skill and person are one user, Landlock lets modes and times of
files be changed, since it only speaks of their content.
"""

from __future__ import annotations

from errno import EAFNOSUPPORT, EPERM
from functools import lru_cache

from skilllite_sandbox.seccomp.bpf import (
    ALLOW,
    ArgumentTest,
    Checked,
    Clause,
    Rule,
    assemble,
    errno_action,
)
from skilllite_sandbox.seccomp.filters import (
    UNKNOWN_CALL,
    Executes,
    Profile,
    numbered,
    worker_rules,
)
from skilllite_sandbox.seccomp.syscalls import AUDIT_ARCH

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import Final

OWN_PID: Final = 0x5E1F_51D0
"""Stands for the number of the process that loads the filter; above every number there can be."""

_DENY: Final = errno_action(EPERM)
_INT: Final = 0xFFFF_FFFF
_AF_UNIX, _SOCK_STREAM, _SOCK_SEQPACKET = 1, 1, 5
_SOCK_TYPE_MASK: Final = 0xF
_CHANGES_OF_FILES: Final = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2"),
    *("utime", "utimes", "utimensat", "futimesat"),
)


def bare_rules(
    profile: Profile, machine: str, *, executes: Executes, shared_user: bool
) -> dict[str, Rule]:
    """Return the complete verdicts by call name.

    Args:
        profile: Whose calls.
        machine: An architecture, by `uname -m`.
        executes: What may be executed.
        shared_user: Whether other processes and files belong to the user that the skill runs as.
    """
    rules = worker_rules(profile, machine, executes=executes, network=False)
    # Of the kinds of a pair, datagrams alone can be sent elsewhere.
    rules["socketpair"] = Checked(
        tuple(
            Clause((ArgumentTest(0, _INT, _AF_UNIX), ArgumentTest(1, _SOCK_TYPE_MASK, kind)), ALLOW)
            for kind in (_SOCK_STREAM, _SOCK_SEQPACKET)
        ),
        errno_action(EAFNOSUPPORT),
    )
    if profile is not Profile.BASH:
        itself = Clause((ArgumentTest(0, _INT, OWN_PID),), ALLOW)
        # After setsid its group is itself.
        rules["kill"] = Checked((itself, Clause((ArgumentTest(0, _INT, 0),), ALLOW)), _DENY)
        rules["tgkill"] = Checked((itself,), _DENY)
        rules["tkill"] = _DENY
    else:
        assert not shared_user, "its programs could signal whatever is this user's"
    if shared_user:
        rules |= dict.fromkeys(_CHANGES_OF_FILES, _DENY)
    return rules


@lru_cache(maxsize=8)
def bare_filter(profile: Profile, machine: str, executes: Executes, *, shared_user: bool) -> bytes:
    """Return the program, in which the worker replaces `OWN_PID` by its own number."""
    rules = bare_rules(profile, machine, executes=executes, shared_user=shared_user)
    return assemble(
        numbered(rules, machine),
        audit_arch=AUDIT_ARCH[machine],
        default=_DENY,
        unknown=UNKNOWN_CALL,
    )
