"""The variants that every item is written in, and what the raw ones need to make system calls."""

from __future__ import annotations

import os

from benchmark.security.item import Attack
from benchmark.security.prelude import Language
from skilllite_sandbox.seccomp.syscalls import TABLES

NUMBERS = TABLES.get(os.uname().machine, {})

# By `_ctypes`, the compiled half of ctypes: the other half makes a callback when it is imported,
# which a sandbox may forbid without having anything against what follows.
_RAW = f"""
import os
from _ctypes import FUNCFLAG_CDECL, FUNCFLAG_USE_ERRNO, Array, CFuncPtr, _SimpleCData
from _ctypes import addressof, dlopen, dlsym, get_errno

NUMBERS = {NUMBERS!r}


class Word(_SimpleCData):
    _type_ = "l"


class Byte(_SimpleCData):
    _type_ = "c"


class Function(CFuncPtr):
    _flags_ = FUNCFLAG_CDECL | FUNCFLAG_USE_ERRNO
    _restype_ = Word


def buffer_of(content):
    class Buffer(Array):
        _type_ = Byte
        _length_ = len(content)

    return Buffer.from_buffer_copy(content)


def libc(name, *arguments):
    function = Function(dlsym(dlopen(None, 0), name))
    result = function(*[Word(each) if isinstance(each, int) else each for each in arguments])
    if result == -1:
        raise OSError(get_errno(), name)
    return result


def call(name, *arguments):
    return libc("syscall", NUMBERS[name], *arguments)


def read_file(path):
    file = call("openat", -100, path.encode(), os.O_RDONLY, 0)
    space = buffer_of(bytes(65536))
    count = call("read", file, space, 65536)
    return bytes(space)[:count].decode("utf-8", "replace")


def internet(port):
    host = bytes(map(int, facts["address"].split(".")))
    return (2).to_bytes(2, "little") + port.to_bytes(2, "big") + host + bytes(8)


"""


def plain(body: str) -> Attack:
    """Return the attack as anybody would write it."""
    return Attack("plain", Language.PYTHON, body)


def obfuscated(body: str) -> Attack:
    """Return the attack without a word of it in the source, or by a way around."""
    return Attack("obfuscated", Language.PYTHON, body)


def raw(body: str) -> tuple[Attack, ...]:
    """Return the attack by system calls, where their numbers are known."""
    return (Attack("raw calls", Language.PYTHON, _RAW + body),) if NUMBERS else ()


def node(body: str) -> Attack:
    """Return the attack in JavaScript."""
    return Attack("node", Language.NODE, body)


def bash(body: str, variant: str = "bash") -> Attack:
    """Return the attack as a shell script."""
    return Attack(variant, Language.BASH, body)
