"""The first code inside the sandbox: closes what the carrier left open, then runs the skill.

Runs as a script in the interpreter of the sandbox (`-I -S -B`), which may be another Python than
the host's: standard library of 3.11 only, nothing of this package. Its whole input is its argument
list, written by the host; it reads no byte of the skill before every protection stands. Each import
costs every run.

    bootstrap STATUS_FD LIMITS FILTER EXECUTABLES SCRIPT [COMMAND ...]

    STATUS_FD    pipe to the host; one byte for each fact, see the constants below
    LIMITS       "NAME=SOFT:HARD,..." with the names of `resource`, without RLIMIT_
    FILTER       the guest filter in hexadecimal; empty at level 1
    EXECUTABLES  paths joined by ":" that Landlock leaves executable; empty for none of it; a
    leading
                 "?" says that the run may go on when the kernel has no Landlock
    SCRIPT       what to run as Python when there is no COMMAND
    COMMAND      what to execute instead

The host believes nothing but "ready" about the sandbox; the rest only tells a skill's own failures
apart, so a skill that writes to the pipe lies about nobody but itself.
"""

import os
import resource
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
    from collections.abc import Iterator
    from types import TracebackType

READY = b"R"  # every protection stands; the skill is next
LANDLOCK = b"L"  # only the listed programs can be executed
EXEC_FAILED = b"X"  # the command could not be started
OUT_OF_MEMORY = b"M"
OUT_OF_DISK = b"D"
OUT_OF_PROCESSES = b"P"

SETUP_FAILED = 125  # exit status when the skill was never started

PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2
LANDLOCK_CREATE_RULESET = 444  # the same numbers on every architecture
LANDLOCK_ADD_RULE = 445
LANDLOCK_RESTRICT_SELF = 446
LANDLOCK_RULE_PATH_BENEATH = 1
LANDLOCK_ACCESS_FS_EXECUTE = 1
ENOSPC, EFBIG, EDQUOT, EAGAIN = 28, 27, 122, 11


def main() -> None:
    """Set everything up in an order that leaves nothing to the skill, then become it."""
    status_text, limits, program, executables, script, *command = sys.argv[1:]
    status = int(status_text)
    os.set_inheritable(status, False)
    if program:
        # Out of the carrier's process group: kill(0, ...) must not reach it.
        os.setsid()
        libc = open_libc()
        if executables:
            restrict_execution(libc, executables, status)
    for name, soft, hard in parse_limits(limits):
        set_limit(getattr(resource, "RLIMIT_" + name), soft, hard)
    if program:
        load_filter(libc, bytes.fromhex(program))
    # Fails when the host has given up meanwhile: then nobody would stop this skill any more.
    os.write(status, READY)
    if command:
        run_command(command, status)
    else:
        run_python(script, status)


def open_libc() -> "ctypes.CDLL":
    """Return the C library; ctypes is the only door to these calls in the standard library."""
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> int:
    """Return a call's result, or leave: half a sandbox is none."""
    if result < 0:
        import ctypes

        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def parse_limits(text: str) -> "Iterator[tuple[str, int, int]]":
    """Yield (name, soft, hard)."""
    for item in text.split(","):
        name, _, values = item.partition("=")
        soft, _, hard = values.partition(":")
        yield name, int(soft), int(hard)


def set_limit(kind: int, soft: int, hard: int) -> None:
    """Set a limit, at most as high as the one that is there."""
    ceiling = resource.getrlimit(kind)[1]
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(kind, (soft, hard))


def restrict_execution(libc: "ctypes.CDLL", executables: str, status: int) -> None:
    """Leave only these files executable, for this process and all it starts."""
    import ctypes

    optional = executables.startswith("?")
    attributes = ctypes.c_uint64(LANDLOCK_ACCESS_FS_EXECUTE)
    ruleset = libc.syscall(LANDLOCK_CREATE_RULESET, ctypes.byref(attributes), 8, 0)
    if ruleset < 0 and optional:
        return
    checked(ruleset, "landlock")
    for path in executables.lstrip("?").split(":"):
        try:
            file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # a program of the list that this host doesn't have
        rule = LANDLOCK_ACCESS_FS_EXECUTE.to_bytes(8, sys.byteorder) + file.to_bytes(
            4, sys.byteorder
        )
        checked(
            libc.syscall(LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, rule, 0),
            "landlock rule",
        )
        os.close(file)
    set_no_new_privileges(libc)
    checked(libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0), "landlock")
    os.close(ruleset)
    os.write(status, LANDLOCK)


def set_no_new_privileges(libc: "ctypes.CDLL") -> None:
    """Make sure that no exec gives more than there is; both filters need it."""
    import ctypes

    zero = ctypes.c_ulong(0)
    checked(libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero), "no_new_privs")


def load_filter(libc: "ctypes.CDLL", program: bytes) -> None:
    """Install the second system call filter."""
    import ctypes

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]

    set_no_new_privileges(libc)
    filled = Program(len(program) // 8, program)
    mode = ctypes.c_ulong(SECCOMP_MODE_FILTER)
    zero = ctypes.c_ulong(0)
    checked(libc.prctl(PR_SET_SECCOMP, mode, ctypes.byref(filled), zero, zero), "seccomp")


def run_command(command: list[str], status: int) -> None:
    """Become another interpreter."""
    try:
        os.execv(command[0], command)
    except OSError as error:
        os.write(status, EXEC_FAILED)
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(SETUP_FAILED)


def run_python(script: str, status: int) -> None:
    """Run a script as `python3 script` would, in a `__main__` without a trace of this one."""
    import builtins

    module = type(sys)("__main__")
    module.__file__ = script
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    sys.argv = [script]
    sys.path.insert(0, os.path.dirname(script))  # noqa: PTH120
    vars(builtins).update(exit=leave, quit=leave)  # `site` would have made them
    try:
        with open(script, "rb") as file:
            source = file.read()
        exec(compile(source, script, "exec", dont_inherit=True), module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        tell_exhaustion(error, status)
        error.__traceback__ = own_frames_removed(error.__traceback__)
        sys.excepthook(type(error), error, error.__traceback__)
        raise SystemExit(1) from None


def leave(code: object = None) -> None:
    """End the program, as the `exit` of an interactive session does."""
    raise SystemExit(code)


def tell_exhaustion(error: BaseException, status: int) -> None:
    """Tell the host when a bound ended the skill; by exit status alone they all look alike."""
    if isinstance(error, MemoryError):
        os.write(status, OUT_OF_MEMORY)
    elif isinstance(error, OSError) and error.errno in (ENOSPC, EFBIG, EDQUOT):
        os.write(status, OUT_OF_DISK)
    elif isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        os.write(status, OUT_OF_PROCESSES)


def own_frames_removed(traceback: "TracebackType | None") -> "TracebackType | None":
    """Return the traceback from the skill's first frame on."""
    while traceback is not None and traceback.tb_frame.f_globals is globals():
        traceback = traceback.tb_next
    return traceback


if __name__ == "__main__":
    main()
