"""The first code inside the sandbox: closes what the carrier left open, then runs the skill.

Runs as a script in the interpreter of the sandbox (`-I -S -B`), which may be another Python than
the host's: standard library of 3.11 only, nothing of this package. Its whole input is its argument
list, written by the host; it reads no byte of the skill before every protection stands. Each import
costs every run.

    bootstrap STATUS_FD LIMITS FILTER EXECUTABLES SCRIPT [COMMAND ...]

    STATUS_FD    pipe to the host; one byte for each fact, see the constants below
    LIMITS       "NAME=SOFT:HARD,...", see RESOURCES
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
import sys
from _ctypes import (
    FUNCFLAG_CDECL,
    FUNCFLAG_USE_ERRNO,
    Array,
    CFuncPtr,
    _SimpleCData,
    addressof,
    dlopen,
    dlsym,
    get_errno,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

# What is written to STATUS_FD; `report.py` beside this file has the same for the host.
READY = b"R"  # every protection stands; the skill is next
LANDLOCK = b"L"  # only the listed programs can be executed
EXEC_FAILED = b"X"  # the command could not be started
OUT_OF_MEMORY = b"M"
OUT_OF_DISK = b"D"
OUT_OF_PROCESSES = b"P"

SETUP_FAILED = 125  # exit status when the skill was never started

# The same on x86_64 and aarch64, like the Landlock numbers below.
RESOURCES = {
    **{"CPU": 0, "FSIZE": 1, "DATA": 2, "CORE": 4, "NPROC": 6, "NOFILE": 7, "MEMLOCK": 8},
    "SIGPENDING": 11,
}
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2
LANDLOCK_CREATE_RULESET = 444
LANDLOCK_ADD_RULE = 445
LANDLOCK_RESTRICT_SELF = 446
LANDLOCK_RULE_PATH_BENEATH = 1
LANDLOCK_ACCESS_FS_EXECUTE = 1
ENOSPC, EFBIG, EDQUOT = 28, 27, 122


class Word(_SimpleCData):  # type: ignore[type-arg] # it takes none at run time
    """A C long. An int would be passed as 32 bits, and the kernel reads 64."""

    _type_ = "l"


class Byte(_SimpleCData):  # type: ignore[type-arg]
    """A C char."""

    _type_ = "c"


class Int(_SimpleCData):  # type: ignore[type-arg]
    """A C int."""

    _type_ = "i"


class Function(CFuncPtr):
    """A function of the C library that sets errno."""

    _flags_ = FUNCFLAG_CDECL | FUNCFLAG_USE_ERRNO
    # Not a long: of prctl's -1 the upper half would be missing, and a failure look like success.
    _restype_ = Int


class Libc:
    """The calls that the standard library has no name for.

    By `_ctypes`, the compiled half of ctypes: the other half would cost every run 2 ms.
    """

    def __init__(self) -> None:
        handle = dlopen(None, 0)  # type: ignore[arg-type] # None is this process
        self._functions = {
            name: Function(dlsym(handle, name))
            for name in ("syscall", "prctl", "getrlimit", "setrlimit")
        }

    def call(self, name: str, *arguments: "int | bytes | Array[Byte]") -> int:
        """Return what a function returns; integers are passed as C longs."""
        passed = [Word(each) if isinstance(each, int) else each for each in arguments]
        result: int = self._functions[name](*passed)
        return result

    def must(self, name: str, *arguments: "int | bytes | Array[Byte]") -> int:
        """Return what a function returns, or raise: half a sandbox is none."""
        result = self.call(name, *arguments)
        if result < 0:
            number = get_errno()
            raise OSError(number, f"{name}: {os.strerror(number)}")
        return result


def buffer_of(content: bytes) -> "Array[Byte]":
    """Return memory with an address, for what the C library reads or writes."""

    class Buffer(Array):  # type: ignore[type-arg]
        _type_ = Byte
        _length_ = len(content)

    return Buffer.from_buffer_copy(content)


def main() -> None:
    """Set everything up in an order that leaves nothing to the skill, then become it."""
    status_text, limits, program, executables, script, *command = sys.argv[1:]
    status = int(status_text)
    os.set_inheritable(status, False)
    libc = Libc()
    if program:
        # Out of the carrier's process group: kill(0, ...) must not reach it.
        os.setsid()
        libc.must("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if executables:
            restrict_execution(libc, executables, status)
    for kind, soft, hard in parse_limits(limits):
        set_limit(libc, kind, soft, hard)
    if program:
        load_filter(libc, bytes.fromhex(program))
    # Fails when the host has given up meanwhile: then nobody would stop this skill any more.
    os.write(status, READY)
    if command:
        run_command(command, status)
    else:
        run_python(script, status)


def parse_limits(text: str) -> "Iterator[tuple[int, int, int]]":
    """Yield (kind, soft, hard)."""
    for item in text.split(","):
        name, _, values = item.partition("=")
        soft, _, hard = values.partition(":")
        yield RESOURCES[name], int(soft), int(hard)


def set_limit(libc: Libc, kind: int, soft: int, hard: int) -> None:
    """Set a limit, at most as high as the one that is there."""
    present = buffer_of(bytes(16))
    libc.must("getrlimit", kind, present)
    ceiling = int.from_bytes(bytes(present)[8:], sys.byteorder)
    pair = (min(soft, ceiling), min(hard, ceiling))
    libc.must("setrlimit", kind, b"".join(value.to_bytes(8, sys.byteorder) for value in pair))


def restrict_execution(libc: Libc, executables: str, status: int) -> None:
    """Leave only these files executable, for this process and all it starts."""
    handled = LANDLOCK_ACCESS_FS_EXECUTE.to_bytes(8, sys.byteorder)
    optional = executables.startswith("?")
    create = libc.call if optional else libc.must
    ruleset = create("syscall", LANDLOCK_CREATE_RULESET, handled, len(handled), 0)
    if ruleset < 0:
        return
    for path in executables.lstrip("?").split(":"):
        try:
            file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # a program of the list that this host doesn't have
        rule = handled + file.to_bytes(4, sys.byteorder)
        libc.must("syscall", LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, rule, 0)
        os.close(file)
    libc.must("syscall", LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    os.write(status, LANDLOCK)


def load_filter(libc: Libc, program: bytes) -> None:
    """Install the second system call filter."""
    instructions = buffer_of(program)
    length = (len(program) // 8).to_bytes(8, sys.byteorder)  # a short and its padding
    filled = length + addressof(instructions).to_bytes(8, sys.byteorder)
    libc.must("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filled, 0, 0)


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
