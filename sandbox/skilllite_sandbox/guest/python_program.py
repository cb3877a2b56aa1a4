"""Runs a Python script as `python3 script` would, in a `__main__` like the one it would have."""

import builtins
import marshal
import os
import sys

from skilllite_sandbox.guest import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, ModuleType, TracebackType

ENOSPC, EFBIG, EDQUOT = 28, 27, 122


class Interrupted(SystemExit):
    """The script ended by KeyboardInterrupt, for which an interpreter kills itself by SIGINT."""


def run_script(
    script: str,
    paths: "list[str]",
    tell: "Callable[[bytes], object]",
    *,
    code: bytes = b"",
    asks_for_code: bool = False,
) -> None:
    """Execute a script; every way it can end leaves as SystemExit.

    Args:
        script: Its path.
        paths: Where it finds packages.
        tell: Says something to the host.
        code: What an earlier run compiled the script to, if there is one.
        asks_for_code: Whether to tell what it was compiled to, before it runs.
    """
    module = main_module(script)
    sys.modules["__main__"] = module
    sys.argv = [script]
    sys.path[0:0] = [os.path.dirname(script)]
    sys.path += paths
    try:
        program = marshal.loads(code) if code else _compiled(script)
        if asks_for_code:
            tell(report.CODE + _dumped(program))
        exec(program, module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        fact = exhaustion_of(error)
        if fact:
            tell(fact)
        error.__traceback__ = own_frames_removed(error.__traceback__)
        sys.excepthook(type(error), error, error.__traceback__)
        ending = Interrupted if isinstance(error, KeyboardInterrupt) else SystemExit
        raise ending(1) from None


def _compiled(script: str) -> "CodeType":
    with open(script, "rb") as file:
        source = file.read()
    return compile(source, script, "exec", dont_inherit=True)


def _dumped(program: "CodeType") -> bytes:
    data = marshal.dumps(program)
    return data if len(data) <= report.CODE_BYTES_MAX else b""


def main_module(script: str) -> "ModuleType":
    """Return the module that a script runs in, with all that the interpreter puts there."""
    from _frozen_importlib_external import SourceFileLoader

    module = type(sys)("__main__")
    module.__dict__.update(
        __file__=script,
        __cached__=None,
        __annotations__={},
        __builtins__=builtins,
        __loader__=SourceFileLoader("__main__", script),
    )
    return module


def add_site_builtins() -> None:
    """Add what `site` adds to the builtins, and nothing else of it: `exit`, `help` and the like."""
    import site  # imported after -S it does nothing by itself

    site.setquit()
    site.setcopyright()
    site.sethelper()


def exhaustion_of(error: BaseException) -> bytes:
    """Return which bound ended the skill, if one did; by exit status alone they all look alike."""
    if isinstance(error, MemoryError):
        return report.OUT_OF_MEMORY
    if isinstance(error, OSError) and error.errno in (ENOSPC, EFBIG, EDQUOT):
        return report.OUT_OF_DISK
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return report.OUT_OF_PROCESSES
    return b""


def own_frames_removed(traceback: "TracebackType | None") -> "TracebackType | None":
    """Return the traceback from the skill's first frame on."""
    while traceback is not None and traceback.tb_frame.f_globals is globals():
        traceback = traceback.tb_next
    return traceback
