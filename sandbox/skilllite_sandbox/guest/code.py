"""The guest as bytes that an interpreter can run: compiled for the same Python, else as source.

It goes in as one file that brings its modules along, because the sandbox shows no directory of
ours, and the user it runs as may not reach one.
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from os import path
from pathlib import Path
from types import CodeType
from typing import Final

_PACKAGE: Final = "skilllite_sandbox.guest"
_DIRECTORY: Final = path.dirname(__file__)
_MODULES: Final = {
    "bootstrap": (
        *("report", "system", "exec_program", "python_program", "streams", "network"),
        "bootstrap",
    ),
    "launcher": (
        *("report", "system", "landlock", "exec_program", "execute_once", "python_program"),
        *("streams", "network", "root", "worker", "zygote", "launcher"),
    ),
}
"""Each program's modules, in the order of their imports."""

_CARGO: Final = "what the loader below carries"
# Makes modules of what it carries and calls the last one's `main`. The parents are empty.
_LOADER: Final = f"""
import sys
def load(cargo):
    for name in ("skilllite_sandbox", "{_PACKAGE}"):
        sys.modules[name] = type(sys)(name)
    for name, code in cargo:
        module = sys.modules["{_PACKAGE}." + name] = type(sys)("{_PACKAGE}." + name)
        if isinstance(code, str):
            code = compile(code, f"<guest {{name}}>", "exec", dont_inherit=True)
        exec(code, module.__dict__)
    main = module.main
    for name in [name for name in sys.modules if name.startswith("skilllite_sandbox")]:
        del sys.modules[name]
    return main
"""
_START: Final = f"""
import marshal
load(marshal.loads("{_CARGO}"))()
"""


@lru_cache(maxsize=8)
def guest_code(program: str, interpreter: str) -> bytes:
    """Return a guest program, `bootstrap` or `launcher`, for an interpreter named `pythonX.Y`.

    Compiling it in the sandbox would cost every run 3 ms. Byte code is the same within a minor
    version; an interpreter of another one gets the source.
    """
    names = _MODULES[program]
    if not interpreter.endswith(f"python{sys.version_info[0]}.{sys.version_info[1]}"):
        sources = [
            (name, Path(_DIRECTORY, f"{name}.py").read_text(encoding="utf-8")) for name in names
        ]
        return f"{_LOADER}\nload({sources!r})()\n".encode()
    cargo = marshal.dumps([(name, _compiled(name)) for name in names])
    start = compile(_LOADER + _START, "<guest>", "exec", dont_inherit=True)
    constants = tuple(cargo if constant == _CARGO else constant for constant in start.co_consts)
    header = importlib.util.MAGIC_NUMBER + bytes(12)  # no flags, no date to check
    return header + marshal.dumps(start.replace(co_consts=constants))


def _compiled(name: str) -> CodeType:
    # The loader keeps the compiled form beside the source, like for any import.
    module = f"{_PACKAGE}.{name}"
    code = SourceFileLoader(module, path.join(_DIRECTORY, f"{name}.py")).get_code(module)
    assert code is not None
    return _renamed(code, f"<guest {name}>")


def _renamed(code: CodeType, name: str) -> CodeType:
    """Return code that doesn't know where it lay on the host."""
    constants = tuple(
        _renamed(each, name) if isinstance(each, CodeType) else each for each in code.co_consts
    )
    return code.replace(co_filename=name, co_consts=constants)
