"""Runs a Python script as `python3 script` would, in a `__main__` without a trace of the guest."""

import builtins
import os
import sys

from skilllite_sandbox.guest import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

ENOSPC, EFBIG, EDQUOT = 28, 27, 122


def run_script(script: str, paths: "list[str]", tell: "Callable[[bytes], object]") -> None:
    """Execute a script; every way it can end leaves as SystemExit."""
    module = type(sys)("__main__")
    module.__file__ = script
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    sys.argv = [script]
    sys.path[0:0] = [os.path.dirname(script)]
    sys.path += paths
    vars(builtins).update(exit=leave, quit=leave)  # `site` would have made them
    try:
        with open(script, "rb") as file:
            source = file.read()
        exec(compile(source, script, "exec", dont_inherit=True), module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        fact = exhaustion_of(error)
        if fact:
            tell(fact)
        error.__traceback__ = own_frames_removed(error.__traceback__)
        sys.excepthook(type(error), error, error.__traceback__)
        raise SystemExit(1) from None


def leave(code: object = None) -> None:
    """End the program, as the `exit` of an interactive session does."""
    raise SystemExit(code)


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
