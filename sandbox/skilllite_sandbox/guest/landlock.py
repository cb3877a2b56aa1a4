"""Landlock rulesets: which files a process and its children may read, write and execute.

Beside the private root, not instead of it: in a root that several runs share it is what keeps one
skill's files from another. Only what the kernel's version of Landlock knows is asked for.
"""

import os
import sys

from skilllite_sandbox.guest.system import Libc

_CREATE_RULESET = 444
_ADD_RULE = 445
_RESTRICT_SELF = 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_RULE_NET_PORT = 2

# linux/landlock.h
EXECUTE = 1 << 0
WRITE_FILE = 1 << 1
READ_FILE = 1 << 2
READ_DIR = 1 << 3
_MAKE_CHAR = 1 << 6
_MAKE_SOCK = 1 << 9
_MAKE_BLOCK = 1 << 11
_TRUNCATE = 1 << 14
_IOCTL_DEV = 1 << 15
CONNECT_TCP = 1 << 1
_NET_ALL = 3  # bind and connect
_SCOPE_ALL = 3  # abstract sockets and signals stay within the run

# Rights by version: 1 has 13, 2 adds refer, 3 truncate, 5 ioctl on devices.
_FS_BITS = ((5, 16), (3, 15), (2, 14), (1, 13))
_NET_SINCE = 4
_SCOPE_SINCE = 6

READ = READ_FILE | READ_DIR
READ_EXECUTE = READ | EXECUTE
SCRATCH = 0xFFFF & ~(EXECUTE | _MAKE_CHAR | _MAKE_SOCK | _MAKE_BLOCK | _IOCTL_DEV)
"""Everything a program does with files of its own, but running them and making devices."""
READ_WRITE_FILE = READ_FILE | WRITE_FILE | _TRUNCATE
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL_DEV


def version(libc: Libc) -> int:
    """Return the kernel's Landlock version, 0 without it."""
    return max(0, libc.call("syscall", _CREATE_RULESET, None, 0, _VERSION_FLAG))


class Ruleset:
    """Rules being collected; nothing holds before `restrict`."""

    def __init__(self, libc: Libc, *, scoped: bool = True) -> None:
        self._libc = libc
        found = version(libc)
        if found == 0:
            raise OSError("the kernel has no Landlock")
        bits = next(bits for since, bits in _FS_BITS if found >= since)
        self._handled = (1 << bits) - 1
        words = [self._handled]
        if found >= _NET_SINCE:
            words.append(_NET_ALL)
        if scoped and found >= _SCOPE_SINCE:
            words.append(_SCOPE_ALL)
        structure = b"".join(word.to_bytes(8, sys.byteorder) for word in words)
        self._net = found >= _NET_SINCE
        self.descriptor = libc.must("syscall", _CREATE_RULESET, structure, len(structure), 0)

    def allow(self, path: str, rights: int) -> None:
        """Allow rights on a file, or on a directory with all below it; what is missing is left."""
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            rights &= self._handled
            if not _is_directory(place):
                rights &= _OF_FILES
            rule = rights.to_bytes(8, sys.byteorder) + place.to_bytes(4, sys.byteorder)
            self._add(_RULE_PATH_BENEATH, rule)
        finally:
            os.close(place)

    def allow_directory(self, path: str, rights: int) -> None:
        """Allow rights on a directory, with all below it, that has to be there."""
        place = os.open(path, os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY)
        rule = (rights & self._handled).to_bytes(8, sys.byteorder) + place.to_bytes(
            4, sys.byteorder
        )
        self._add(_RULE_PATH_BENEATH, rule)
        os.close(place)

    def allow_connect(self, port: int) -> None:
        """Allow TCP connections to a port; older kernels leave that to the namespace."""
        if self._net:
            words = (CONNECT_TCP, port)
            self._add(_RULE_NET_PORT, b"".join(word.to_bytes(8, sys.byteorder) for word in words))

    def restrict(self) -> None:
        """Let the rules hold for this process and all it starts. Needs no_new_privs."""
        self._libc.must("syscall", _RESTRICT_SELF, self.descriptor, 0)
        os.close(self.descriptor)
        self.descriptor = -1

    def _add(self, kind: int, rule: bytes) -> None:
        self._libc.must("syscall", _ADD_RULE, self.descriptor, kind, rule, 0)


def _is_directory(descriptor: int) -> bool:
    return os.fstat(descriptor).st_mode & 0o170000 == 0o040000
