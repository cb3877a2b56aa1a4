"""The kernel as the guest calls it: libc functions and system calls the standard library lacks.

By `_ctypes`, the compiled half of ctypes: the other half would cost every run 2 ms. Decides
nothing; every call that fails raises, because half a sandbox is none.
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
from _signal import SIGCHLD

# clone(2) and unshare(2)
_CLONE_VM = 0x0000_0100
_CLONE_FILES = 0x0000_0400
CLONE_NEWNS = 0x0002_0000
CLONE_NEWCGROUP = 0x0200_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

# mount(2), mount_setattr(2), open_tree(2), move_mount(2), fsopen(2)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_NOATIME, MS_BIND, MS_REC, MS_PRIVATE = 1024, 4096, 16384, 1 << 18
MNT_DETACH = 2
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC = 1, 2, 4, 8
_OPEN_TREE_CLONE = 1
_AT_FDCWD = -100
_AT_EMPTY_PATH = 0x1000
_AT_RECURSIVE = 0x8000
_MOVE_MOUNT_F_EMPTY_PATH = 4
_FSOPEN_CLOEXEC = 1
_FSMOUNT_CLOEXEC = 1
_FSCONFIG_CMD_CREATE = 6

# prctl(2)
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_SET_MDWE = 65
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_PR_MDWE_REFUSE_EXEC_GAIN = 1
_SECCOMP_MODE_FILTER = 2
_SECCOMP_SET_MODE_FILTER = 1
_SECCOMP_FILTER_FLAG_NEW_LISTENER = 8
_CAPABILITY_VERSION_3 = 0x2008_0522
_CAPABILITIES_MAX = 64  # two words of 32: all that the interface can name
_IDLE_STACK_BYTES = 4096  # for one call that does not return
_STACK_ALIGNMENT = 16

# System call numbers; those from 424 on are the same everywhere.
_NUMBERS = {
    "x86_64": {"pivot_root": 155, "capset": 126, "seccomp": 317},
    "aarch64": {"pivot_root": 41, "capset": 91, "seccomp": 277},
}
_OPEN_TREE = 428
_MOVE_MOUNT = 429
_FSOPEN = 430
_FSCONFIG = 431
_FSMOUNT = 432
_MOUNT_SETATTR = 442

# getrlimit(2); the same on x86_64 and aarch64.
RESOURCES = {
    **{"CPU": 0, "FSIZE": 1, "DATA": 2, "STACK": 3, "CORE": 4, "NPROC": 6, "NOFILE": 7},
    **{"MEMLOCK": 8, "AS": 9, "SIGPENDING": 11},
}


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
    """The calls that the standard library has no name for."""

    def __init__(self) -> None:
        handle = dlopen(None, 0)  # type: ignore[arg-type] # None is this process
        self._functions = {
            name: Function(dlsym(handle, name))
            for name in (
                *("syscall", "prctl", "getrlimit", "setrlimit", "mount", "umount2"),
                *("unshare", "setns", "sethostname", "clone"),
            )
        }
        self._pause = dlsym(handle, "pause")
        self._idle_stack = buffer_of(bytes(_IDLE_STACK_BYTES))
        self._numbers = _NUMBERS.get(os.uname().machine, {})

    def call(self, name: str, *arguments: "int | bytes | Array[Byte] | None") -> int:
        """Return what a function returns; integers are passed as C longs."""
        passed = [Word(each) if isinstance(each, int) else each for each in arguments]
        result: int = self._functions[name](*passed)
        return result

    def must(self, name: str, *arguments: "int | bytes | Array[Byte] | None") -> int:
        """Return what a function returns, or raise."""
        result = self.call(name, *arguments)
        if result < 0:
            number = get_errno()
            raise OSError(number, f"{name}{_shown(arguments)}: {os.strerror(number)}")
        return result

    def prctl(self, option: int, value: int = 0, third: int = 0) -> int:
        """Change or ask something of this process."""
        return self.must("prctl", option, value, third, 0, 0)

    def unshare(self, flags: int) -> None:
        """Leave namespaces for new ones."""
        self.must("unshare", flags)

    def setns(self, descriptor: int, kind: int) -> None:
        """Enter a namespace."""
        self.must("setns", descriptor, kind)

    def start_idle(self, flags: int) -> int:
        """Start a process in new namespaces that only exists; return its pid.

        It shares this one's memory and descriptors, which is why it costs next to nothing and keeps
        nothing open, and runs no instruction of ours: its first is the C library's pause(2). With
        no signal handled here, none wakes it there, where it is the first process: whatever comes
        from its namespace is dropped, and SIGKILL from outside ends it.
        """
        end = addressof(self._idle_stack) + _IDLE_STACK_BYTES
        stack = end // _STACK_ALIGNMENT * _STACK_ALIGNMENT
        shared = _CLONE_VM | _CLONE_FILES
        return self.must("clone", self._pause, stack, flags | shared | SIGCHLD, None)

    def mount(
        self,
        source: str | None,
        target: str,
        kind: str | None = None,
        flags: int = 0,
        options: str | None = None,
    ) -> None:
        """Mount by the old interface."""
        texts = [_bytes(source), _bytes(target), _bytes(kind)]
        self.must("mount", *texts, flags, _bytes(options))

    def pivot_root(self, new: str, old: str) -> None:
        """Exchange the root."""
        self.must("syscall", self._numbers["pivot_root"], _bytes(new), _bytes(old))

    def unmount_detached(self, target: str) -> None:
        """Take a mount out of sight; the kernel lets go of it when nobody uses it."""
        self.must("umount2", _bytes(target), MNT_DETACH)

    def clone_tree(self, path: str, attributes: int) -> int:
        """Return a detached copy of the mounts below a path, with these attributes set."""
        flags = _OPEN_TREE_CLONE | os.O_CLOEXEC | _AT_RECURSIVE
        descriptor = self.must("syscall", _OPEN_TREE, _AT_FDCWD, _bytes(path), flags)
        words = (attributes, 0, 0, 0)
        structure = b"".join(word.to_bytes(8, sys.byteorder) for word in words)
        how = _AT_EMPTY_PATH | _AT_RECURSIVE
        self.must("syscall", _MOUNT_SETATTR, descriptor, b"", how, structure, len(structure))
        return descriptor

    def attach_tree(self, descriptor: int, target: str) -> None:
        """Put a detached tree in its place."""
        where = _bytes(target)
        flags = _MOVE_MOUNT_F_EMPTY_PATH
        self.must("syscall", _MOVE_MOUNT, descriptor, b"", _AT_FDCWD, where, flags)

    def detached_proc(self) -> int:
        """Return a directory of this pid namespace's procfs that no path leads to."""
        context = self.must("syscall", _FSOPEN, b"proc", _FSOPEN_CLOEXEC)
        self.must("syscall", _FSCONFIG, context, _FSCONFIG_CMD_CREATE, None, None, 0)
        attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC
        found = self.must("syscall", _FSMOUNT, context, _FSMOUNT_CLOEXEC, attributes)
        os.close(context)
        return found

    def drop_capabilities(self) -> None:
        """Give up every capability, also for programs executed later."""
        for capability in range(_CAPABILITIES_MAX):
            if self.call("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
                break
        self.must("prctl", PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
        header = _CAPABILITY_VERSION_3.to_bytes(4, sys.byteorder) + bytes(4)
        self.must("syscall", self._numbers["capset"], header, bytes(24))

    def refuse_writable_code(self) -> bool:
        """Keep memory from becoming executable after it was writable; needs kernel 6.3."""
        return self.call("prctl", PR_SET_MDWE, _PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0

    def load_filter(self, program: "FilterProgram") -> None:
        """Install a system call filter."""
        self.must("prctl", PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program.structure, 0, 0)

    def load_filter_with_listener(self, program: "FilterProgram") -> int:
        """Install a filter that asks; return the descriptor on which to answer."""
        arguments = (_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_NEW_LISTENER)
        return self.must("syscall", self._numbers["seccomp"], *arguments, program.structure)

    def set_limit(self, kind: int, soft: int, hard: int) -> None:
        """Set a limit, at most as high as the one that is there."""
        present = buffer_of(bytes(16))
        self.must("getrlimit", kind, present)
        ceiling = int.from_bytes(bytes(present)[8:], sys.byteorder)
        pair = (min(soft, ceiling), min(hard, ceiling))
        self.must("setrlimit", kind, b"".join(value.to_bytes(8, sys.byteorder) for value in pair))


class FilterProgram:
    """A system call filter in memory that stays where it is."""

    def __init__(self, program: bytes) -> None:
        self._instructions = buffer_of(program)
        length = (len(program) // 8).to_bytes(8, sys.byteorder)  # a short and its padding
        self.structure = length + addressof(self._instructions).to_bytes(8, sys.byteorder)
        """struct sock_fprog."""


def buffer_of(content: bytes) -> "Array[Byte]":
    """Return memory with an address, for what the C library reads or writes."""

    class Buffer(Array):  # type: ignore[type-arg]
        _type_ = Byte
        _length_ = len(content)

    return Buffer.from_buffer_copy(content)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)


def _shown(arguments: tuple[object, ...]) -> str:
    texts = [os.fsdecode(each) for each in arguments if isinstance(each, bytes) and len(each) < 256]
    printable = [text for text in texts if text.isprintable() and text]
    return f" {' '.join(printable)}" if printable else ""
