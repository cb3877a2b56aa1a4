"""The guest as bytes that an interpreter can run: compiled for the same Python, else as source.

It goes in as one file that brings its modules along, because the sandbox shows no directory of
ours, and the user it runs as may not reach one.
"""

from __future__ import annotations

import marshal
import os
import sys
from functools import lru_cache
from importlib._bootstrap_external import MAGIC_NUMBER  # importlib.util costs 1 ms

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from types import CodeType
    from typing import Final

_PACKAGE: Final = "skilllite_sandbox.guest"
_DIRECTORY: Final = os.path.dirname(__file__)
_MODULES: Final = {
    "bootstrap": (
        *("report", "system", "exec_program", "python_program", "streams", "network"),
        "bootstrap",
    ),
    "launcher": (
        *("report", "system", "landlock", "exec_program", "execute_once", "python_program"),
        *("streams", "network", "root", "rehearsal", "worker", "zygote", "launcher"),
    ),
}
"""Each program's modules, in the order of their imports."""

_CARGO: Final = b"what the loader carries"
_MARSHAL_VERSION: Final = 4  # what every Python from 3.4 on reads

# A .pyc begins with a magic number, flags (0: by date), and the date and size of the source.
_HEADER_BYTES: Final = 16
_WORD: Final = 0xFFFF_FFFF


@lru_cache(maxsize=8)
def guest_code(program: str, interpreter: str) -> bytes:
    """Return a guest program, `bootstrap` or `launcher`, for an interpreter named `pythonX.Y`.

    Compiling it in the sandbox would cost every run 3 ms. Byte code is the same within a minor
    version; an interpreter of another one gets the source.
    """
    names = _MODULES[program]
    if not interpreter.endswith(f"python{sys.version_info[0]}.{sys.version_info[1]}"):
        cargo = marshal.dumps([(name, _source(name)) for name in names], _MARSHAL_VERSION)
        return _source("loader").replace(repr(_CARGO), repr(cargo)).encode()
    cargo = marshal.dumps([(name, _code(name)) for name in names], _MARSHAL_VERSION)
    loader = _code("loader")
    constants = tuple(cargo if each == _CARGO else each for each in loader.co_consts)
    header = MAGIC_NUMBER + bytes(_HEADER_BYTES - len(MAGIC_NUMBER))  # no flags, no date to check
    return header + marshal.dumps(loader.replace(co_consts=constants))


def _source(name: str) -> str:
    with open(os.path.join(_DIRECTORY, f"{name}.py"), encoding="utf-8") as file:
        # The one literal that is looked for, in the quotes that repr gives it.
        return file.read().replace('b"what the loader carries"', repr(_CARGO))


def _code(name: str) -> CodeType:
    path = os.path.join(_DIRECTORY, f"{name}.py")
    return _renamed(_kept_beside(path, name) or _compiled(path, name), f"<guest {name}>")


def _kept_beside(path: str, name: str) -> CodeType | None:
    """Return what the import system keeps beside the source, if it is of this source.

    As its own loader would, in half the time.
    """
    kept = os.path.join(_DIRECTORY, "__pycache__", f"{name}.{sys.implementation.cache_tag}.pyc")
    try:
        status = os.stat(path)
        with open(kept, "rb", buffering=0) as file:
            data = file.read()
    except OSError:
        return None
    of_this_source = MAGIC_NUMBER + bytes(4)
    of_this_source += (int(status.st_mtime) & _WORD).to_bytes(4, "little")
    of_this_source += (status.st_size & _WORD).to_bytes(4, "little")
    if data[:_HEADER_BYTES] != of_this_source:
        return None
    code: CodeType = marshal.loads(data[_HEADER_BYTES:])
    return code


def _compiled(path: str, name: str) -> CodeType:
    from importlib.machinery import SourceFileLoader

    # It keeps the compiled form for the next time, where that is possible.
    module = f"{_PACKAGE}.{name}"
    code = SourceFileLoader(module, path).get_code(module)
    assert code is not None
    return code


def _renamed(code: CodeType, name: str) -> CodeType:
    """Return code that doesn't know where it lay on the host."""
    kind = type(code)
    constants = tuple(
        _renamed(each, name) if isinstance(each, kind) else each for each in code.co_consts
    )
    return code.replace(co_filename=name, co_consts=constants)
