"""What this machine has, as far as a plan needs to know: paths and a few facts, nothing tried out.

Looked up once per process by `stat` and `readlink` alone, so that a run costs no extra process.
Whether the things found also *work* is `probe.py`.
"""

# Strings, not pathlib: these paths end on a command line, and every run waits for them.
# ruff: noqa: PTH110, PTH112, PTH113, PTH114, PTH115, PTH116, PTH118, PTH120

from __future__ import annotations

import os
import re
import stat
import sys
from functools import lru_cache

from skilllite_sandbox.values import dataclass

PYTHON_OLDEST = (3, 11)

SERVICE_ID = 60_917
"""The uid and gid that run skills for root.

Not `nobody`, which other programs share. From the range that neither Debian (60000 and up:
'globally allocated', of which it uses 64000 and up) nor systemd (60578-61183: unused) hands out,
and below 65536, so that it exists in containers with a mapped range of ids.
"""

_SYSTEM_PYTHON = "/usr/bin/python3"
_PYTHON_NAME = re.compile(r"python(\d+)\.(\d+)$")
_TOP_LINKS = ("bin", "sbin", "lib", "lib64")
_LOADERS = {
    "x86_64": "/lib64/ld-linux-x86-64.so.2",
    "aarch64": "/lib/ld-linux-aarch64.so.1",
}
_RELAY_POINTS = ("/mnt", "/media", "/srv", "/opt")
_NODE_SHARED = "/usr/share/nodejs"  # Debian's node keeps parts of itself there
_ELF = b"\x7fELF"
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_ADMIN_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A program that runs scripts, and everything of the file system it needs."""

    path: str
    """The executable itself, no link."""
    trees: tuple[str, ...]
    """Files and directories to show to it, the executable included."""
    root: str
    """The directory to show when only root could read them: a prefix, or where the program lies."""
    version: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class RootTools:
    """The programs by which root gives itself up before it starts a sandbox."""

    unshare: str
    shell: str
    mount: str
    setpriv: str


@dataclass(frozen=True, slots=True)
class Host:
    """Facts about one machine and one user."""

    machine: str
    is_root: bool
    bwrap: str | None
    python: Interpreter | None
    node: Interpreter | None
    bash: Interpreter | None
    libraries: tuple[str, ...]
    """Directories of shared libraries."""
    links: tuple[tuple[str, str], ...]
    """(target, name) of links at the top of the file system, and of the loader."""
    loader: str | None
    """The dynamic loader, no link."""
    shared: tuple[str, ...]
    """Read-only data that programs look for, such as time zones."""
    root_tools: RootTools | None
    relay_points: tuple[str, ...]
    """Directories of no importance, for root to mount over in a namespace of its own."""
    unreachable: frozenset[str] = frozenset()
    """Roots of interpreters that only root can read, below a private home for instance."""
    awk: str | None = None
    """What `awk` stands for here."""
    service_id: int = SERVICE_ID


# The locale is the one that LANG of the sandbox names.
_SHARED_DATA = ("/usr/share/zoneinfo", "/usr/lib/locale/C.utf8", "/etc/ld.so.cache")


@lru_cache(maxsize=1)
def read_host() -> Host:
    """Return the facts about this machine, looked up at the first call."""
    machine = os.uname().machine
    is_root = os.geteuid() == 0
    libraries = _library_directories(machine)
    loader = _real_file(_LOADERS.get(machine, ""))
    python, node = _find_python(is_root=is_root), _find_node(is_root=is_root)
    return Host(
        machine=machine,
        is_root=is_root,
        bwrap=find_program("bwrap"),
        python=python,
        node=node,
        bash=_single_file(_real_file("/usr/bin/bash") or _real_file("/bin/bash")),
        libraries=libraries,
        links=_links(machine, loader, libraries),
        loader=loader,
        shared=tuple(filter(os.path.exists, _SHARED_DATA)),
        root_tools=_find_root_tools() if is_root else None,
        relay_points=tuple(path for path in _RELAY_POINTS if _is_plain_directory(path)),
        unreachable=_unreachable(python, node) if is_root else frozenset(),
        awk=_real_file("/usr/bin/awk"),
    )


@lru_cache(maxsize=1)
def has_landlock() -> bool:
    """Return whether the kernel offers Landlock; a kernel of 5.13 or later may still lack it."""
    import ctypes  # 3 ms, and only bash has to know beforehand

    version: int = ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint(1))
    return version > 0


def find_program(name: str, path: str | None = None) -> str | None:
    """Return where the search path finds a native program; wrapper scripts don't count."""
    for directory in (path or os.environ.get("PATH") or _DEFAULT_PATH).split(os.pathsep):
        candidate = os.path.join(directory, name)
        if directory.startswith("/") and os.access(candidate, os.X_OK) and _is_elf(candidate):
            return os.path.realpath(candidate)
    return None


def _find_python(*, is_root: bool) -> Interpreter | None:
    """Return the system's Python, else the one below any virtual environment."""
    system = _real_file(_SYSTEM_PYTHON)
    found = _python_at(system, "/usr") if system else None
    if found is None:
        base = getattr(sys, "_base_executable", None) or sys.executable
        found = _python_at(os.path.realpath(base), os.path.realpath(sys.base_prefix))
    return found if not is_root else _showable(found)


def _python_at(path: str, prefix: str) -> Interpreter | None:
    named = _PYTHON_NAME.search(path)
    if named is None or (version := (int(named[1]), int(named[2]))) < PYTHON_OLDEST:
        return None
    folder = f"python{version[0]}.{version[1]}"
    libraries = [f"{prefix}/lib/{folder}", f"{prefix}/lib64/{folder}"]
    # python3-minimal has no ctypes, and without it no second filter could be loaded.
    if not any(os.path.exists(f"{library}/ctypes/__init__.py") for library in libraries):
        return None
    if prefix != "/usr":
        libraries = [f"{prefix}/lib", f"{prefix}/lib64"]  # with a libpython beside them
    trees = tuple(library for library in libraries if _is_plain_directory(library))
    return Interpreter(path, (path, *trees), prefix, version)


def _find_node(*, is_root: bool) -> Interpreter | None:
    path = find_program("node")
    if path is None:
        return None
    shared = (_NODE_SHARED,) if _is_plain_directory(_NODE_SHARED) else ()
    found = Interpreter(path, (path, *shared), os.path.dirname(path))
    return found if not is_root else _showable(found)


def _showable(interpreter: Interpreter | None) -> Interpreter | None:
    """Return an interpreter unless only root can read it, wherever it is shown."""
    if interpreter is None:
        return None
    own = [tree for tree in interpreter.trees if tree.startswith(interpreter.root)]
    readable = all(_reachable_by_others(tree, interpreter.root) for tree in own)
    return interpreter if readable else None


def _find_root_tools() -> RootTools | None:
    unshare, mount, setpriv = (
        find_program(name, _ADMIN_PATH) for name in ("unshare", "mount", "setpriv")
    )
    if not (unshare and mount and setpriv):
        return None
    return RootTools(unshare=unshare, shell="/bin/sh", mount=mount, setpriv=setpriv)


def _reachable_by_others(path: str, top: str = "/") -> bool:
    """Return whether an unrelated user who stands in `top` could read this path."""
    wanted = stat.S_IROTH
    while True:
        try:
            if not os.stat(path).st_mode & wanted:
                return False
        except OSError:
            return False
        if path in (top, "/"):
            return True
        path = os.path.dirname(path)
        wanted = stat.S_IXOTH


def _library_directories(machine: str) -> tuple[str, ...]:
    triple = f"{machine}-linux-gnu"
    multiarch = (f"/usr/lib/{triple}", f"/lib/{triple}")
    found = {os.path.realpath(path): path for path in multiarch if os.path.isdir(path)}
    if not found:
        for path in ("/usr/lib64", "/usr/lib"):
            if os.path.exists(f"{path}/libc.so.6"):
                found = {os.path.realpath(path): path}
                break
    return tuple(found)


def _links(
    machine: str, loader: str | None, libraries: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    links = [
        (os.readlink(f"/{name}"), f"/{name}") for name in _TOP_LINKS if os.path.islink(f"/{name}")
    ]
    named = _LOADERS.get(machine)
    if named and loader:
        directory, _, name = named.rpartition("/")
        place = f"{os.path.realpath(directory)}/{name}"
        if not any(place.startswith(f"{library}/") for library in libraries):
            links.append((loader, place))
    return tuple(links)


def _single_file(path: str | None) -> Interpreter | None:
    return Interpreter(path, (path,), os.path.dirname(path)) if path else None


def _unreachable(*interpreters: Interpreter | None) -> frozenset[str]:
    return frozenset(
        interpreter.root
        for interpreter in interpreters
        if interpreter and not all(map(_reachable_by_others, interpreter.trees))
    )


def _real_file(path: str) -> str | None:
    real = os.path.realpath(path) if path else ""
    return real if real and os.path.isfile(real) else None


def _is_plain_directory(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _is_elf(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(4) == _ELF
    except OSError:
        return False
