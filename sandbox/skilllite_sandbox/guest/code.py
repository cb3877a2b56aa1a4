"""The guest as bytes that an interpreter can run: compiled for the same Python, else as source."""

from __future__ import annotations

import importlib.util
import marshal
import sys
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from os import path
from pathlib import Path
from typing import Final

_MODULE: Final = "skilllite_sandbox.guest.bootstrap"
GUEST_SOURCE: Final = path.join(path.dirname(__file__), "bootstrap.py")  # noqa: PTH118, PTH120


@lru_cache(maxsize=4)
def guest_code(interpreter: str) -> bytes:
    """Return the guest for an interpreter, named `pythonX.Y`.

    Compiling it in the sandbox would cost every run 3 ms. Byte code is the same within a minor
    version; an interpreter of another one gets the source.
    """
    if not interpreter.endswith(f"python{sys.version_info[0]}.{sys.version_info[1]}"):
        return Path(GUEST_SOURCE).read_bytes()
    # The loader keeps the compiled form beside the source, like for any import.
    code = SourceFileLoader(_MODULE, GUEST_SOURCE).get_code(_MODULE)
    header = importlib.util.MAGIC_NUMBER + bytes(12)  # no flags, no date to check
    return header + marshal.dumps(code)
