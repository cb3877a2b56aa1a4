"""The standard streams of a Python skill, and the end of its interpreter.

A worker is forked, so nothing of this happens by itself: the streams are made as the interpreter
makes them at its start (Python/pylifecycle.c), and its end does in the same order what a skill can
notice: wait for threads, run the exit handlers, flush.
"""

import gc
import io
import os
import sys
from _signal import SIG_DFL, SIGINT, signal

_FLUSH_FAILED = 120  # what the interpreter exits with when the last flush fails


def attach_streams(stdin: int, stdout: int, stderr: int) -> None:
    """Make sys.stdin, sys.stdout and sys.stderr of these descriptors, in UTF-8 mode."""
    sys.stdin = sys.__stdin__ = _text("<stdin>", stdin, "r", "surrogateescape")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _text("<stdout>", stdout, "w", "surrogateescape")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _text("<stderr>", stderr, "w", "backslashreplace")  # type: ignore[misc]


def _text(name: str, descriptor: int, mode: str, errors: str) -> io.TextIOWrapper:
    raw = io.FileIO(descriptor, mode, closefd=False)
    raw.name = name
    buffered = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    stream = io.TextIOWrapper(
        buffered,
        encoding="utf-8",
        errors=errors,
        newline="\n",
        line_buffering=name == "<stderr>",
    )
    stream.mode = mode  # type: ignore[misc]
    return stream


def finish_interpreter(code: int) -> int:
    """Do what the interpreter does at its end; return the exit status."""
    threading = sys.modules.get("threading")
    try:
        if threading is not None:
            threading._shutdown()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    atexit = sys.modules.get("atexit")
    if atexit is not None:
        atexit._run_exitfuncs()
    code = _flush(code)
    _clear_main()
    return _flush(code)


def die_of_interrupt() -> None:
    """End as an interpreter does after KeyboardInterrupt, so that shells know why."""
    signal(SIGINT, SIG_DFL)
    os.kill(os.getpid(), SIGINT)


def close_streams() -> None:
    """Close the descriptors, so that the host sees the end of the output at once."""
    os.closerange(0, 3)


def _flush(code: int) -> int:
    """Flush what the skill wrote; say it and return another status when that fails."""
    stdout, stderr = sys.stdout, sys.stderr
    try:
        if stdout is not None and not stdout.closed:
            stdout.flush()
    except BaseException as error:
        code = _FLUSH_FAILED
        sys.stdout = None  # it isn't flushed a second time
        try:
            # As the interpreter says it; there is nobody left to handle it.
            stderr.write(f"Exception ignored in: {stdout!r}\n{type(error).__name__}: {error}\n")
        except BaseException:
            pass
    try:
        if stderr is not None and not stderr.closed:
            stderr.flush()
    except BaseException:
        code = _FLUSH_FAILED
    return code


def _clear_main() -> None:
    """Let go of the script's names and of what it put in place of the streams.

    In the order of the interpreter: names with an underscore first. What has a destructor runs it
    now; an open file writes what it still holds.
    """
    names = vars(sys.modules["__main__"])
    for private in (True, False):
        for name in [name for name in names if name.startswith("_") is private]:
            if name != "__builtins__":
                names[name] = None
    for stream in ("stdin", "stdout", "stderr"):
        if getattr(sys, stream, None) is not None:
            setattr(sys, stream, getattr(sys, f"__{stream}__"))
    gc.collect()
