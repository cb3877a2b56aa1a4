"""Which system calls installing packages may make: what a shell may, and talk TCP to the proxy.

On top of the profile for bash, because uv and npm start helpers. No datagrams, so no DNS; no
listening once the proxy's socket is made; namespaces, tracing and new kernel interfaces stay
deadly. Like for skills there are two programs: the one that the carrier loads leaves exactly what
the first code in the box needs, and that code closes it behind itself with the second.
"""

from __future__ import annotations

from errno import EACCES, ENOSYS, EPERM
from functools import lru_cache
from typing import Final

from skilllite_sandbox.seccomp.bpf import ALLOW, Rule, assemble, errno_action
from skilllite_sandbox.seccomp.filters import (
    Profile,
    carrier_rules,
    guest_rules,
    network_rules,
)
from skilllite_sandbox.seccomp.syscalls import AUDIT_ARCH, TABLES

_AF_INET: Final = 2
_AF_INET6: Final = 10

_DENY: Final = errno_action(EPERM)


def build_rules(machine: str) -> dict[str, Rule]:
    """Return the complete verdicts by call name, as the carrier loads them."""
    talking = network_rules(_AF_INET, _AF_INET6)
    return (
        carrier_rules(Profile.BASH, machine)
        | talking
        | {
            "bind": ALLOW,
            "listen": ALLOW,
            # libuv asks for it in good faith and falls back to its thread pool.
            "io_uring_setup": errno_action(ENOSYS),
        }
    )


def settled_rules() -> dict[str, Rule]:
    """Return what the first code in the box closes behind itself."""
    return guest_rules(Profile.BASH, network=True) | {
        "bind": errno_action(EACCES),
        "listen": errno_action(EACCES),
    }


@lru_cache(maxsize=2)
def build_filter(machine: str) -> bytes:
    """Return the program for `bwrap --seccomp`."""
    return assemble(
        numbered(build_rules(machine), machine),
        audit_arch=AUDIT_ARCH[machine],
        default=_DENY,
        unknown=errno_action(ENOSYS),
    )


@lru_cache(maxsize=2)
def settled_filter(machine: str) -> bytes:
    """Return the program that the first code in the box loads right before the installer."""
    return assemble(
        numbered(settled_rules(), machine),
        audit_arch=AUDIT_ARCH[machine],
        default=ALLOW,
        unknown=ALLOW,
    )


def numbered(rules: dict[str, Rule], machine: str) -> dict[int, Rule]:
    table = TABLES[machine]
    return {table[name]: rule for name, rule in rules.items() if name in table}
