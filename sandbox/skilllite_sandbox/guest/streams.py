"""The standard streams of a Python skill, and the end of its interpreter.

A worker is forked, so nothing of this happens by itself: the streams are made as the interpreter
makes them at its start (Python/pylifecycle.c), and its end does in the same order what a skill can
notice: wait for threads, run the exit handlers, flush.
"""

import io
import os
import sys

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
    try:
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
    except BaseException as error:
        # As the interpreter says it; there is nobody left to handle it.
        _complain(f"Exception ignored in: {sys.stdout!r}\n{type(error).__name__}: {error}\n")
        code = _FLUSH_FAILED
    try:
        if sys.stderr is not None and not sys.stderr.closed:
            sys.stderr.flush()
    except BaseException:
        code = _FLUSH_FAILED
    return code


def close_streams() -> None:
    """Close the descriptors, so that the host sees the end of the output at once."""
    os.closerange(0, 3)


def _complain(text: str) -> None:
    try:
        os.write(2, text.encode("utf-8", "backslashreplace"))
    except OSError:
        pass
