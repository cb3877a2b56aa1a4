"""Which programs a run may execute: from granted names to files of this host, and what they need.

Pure; `host.py` looks for the files. A grant names a program, never a path, and stands for the one
native program that the system's own directories have under that name. A script is none: what would
be executed is its interpreter, which runs anything.

What a granted program does in its turn is the program's business: the sandbox holds it as it holds
the skill, and it may execute what the skill may and nothing else.
"""

from __future__ import annotations

from skilllite_sandbox.errors import PolicyDenied, SandboxUnavailable
from skilllite_sandbox.host import Host
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PROGRAM_DIRECTORIES = "/usr/local/bin:/usr/bin:/bin"
"""Where grants are looked up: not the PATH of a user, which changes with who runs what."""
BIN = "/usr/bin"  # where a granted program is found by its name in the sandbox


@dataclass(frozen=True, slots=True)
class Program:
    """One program that may be executed."""

    name: str
    path: str
    """The file itself, no link."""
    trees: tuple[str, ...] = ()
    """What it reads: its own data, the library of an interpreter."""
    parts: tuple[str, ...] = ()
    """Further files that may be executed because they are this program, cut into several."""


_GIT = "/usr/lib/git-core"
_AUTHORITIES = ("/etc/ssl/certs/ca-certificates.crt",)  # for those that verify servers by them
_COMPANIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "git": (
        (_GIT, "/usr/share/git-core", *_AUTHORITIES),
        (f"{_GIT}/git", f"{_GIT}/git-remote-http"),
    ),
    "curl": (_AUTHORITIES, ()),
    "wget": (_AUTHORITIES, ()),
}
"""(trees, parts) of programs that don't work as a single file, where the host has them."""


def resolve_programs(
    names: Iterable[str], host: Host, find: Callable[[str, str], str | None]
) -> tuple[Program, ...]:
    """Return what granted names stand for on a host.

    Args:
        names: As granted.
        host: Whose interpreters bring their libraries along.
        find: Returns the native program of a name in a list of directories, no link.

    Raises:
        SandboxUnavailable: this host doesn't have one of them.
    """
    return tuple(_resolve(name, host, find) for name in dict.fromkeys(names))


def _resolve(name: str, host: Host, find: Callable[[str, str], str | None]) -> Program:
    if not name or "/" in name or name.startswith((".", "-")):
        raise PolicyDenied(
            f"{name[:80]!r} is not the name of a program",
            hint="grants name programs without a path, like --allow-exec git",
        )
    path = find(name, PROGRAM_DIRECTORIES)
    if path is None:
        raise SandboxUnavailable(
            f"{name} is granted, but this host has no such program",
            cause=f"no native program of that name in {PROGRAM_DIRECTORIES}; scripts don't count",
            hint=f"install {name}, or grant the interpreter of the script instead",
        )
    trees, parts = _COMPANIONS.get(name, ((), ()))
    for interpreter in (host.python, host.node):
        if interpreter is not None and interpreter.path == path:
            trees += tuple(tree for tree in interpreter.trees if tree != path)
    return Program(name, path, trees, parts)


def executables_of(programs: Iterable[Program]) -> tuple[str, ...]:
    """Return the files that may be executed."""
    return tuple(path for program in programs for path in (program.path, *program.parts))


def shown_for(
    programs: Iterable[Program], *, trees: Iterable[str], targets: Iterable[str]
) -> list[tuple[str, str, str]]:
    """Return the (kind, source, target) of mounts that show the programs where they are found.

    Args:
        programs: What may be executed.
        trees: Host paths that are shown already, with all below them.
        targets: Where something is mounted already.
    """
    shown, taken = list(trees), set(targets)
    mounts: list[tuple[str, str, str]] = []
    for program in programs:
        for path in (program.path, *program.trees):
            if path in taken or any(path.startswith(f"{tree}/") for tree in shown):
                continue
            # The file has to be there; what it reads need not.
            mounts.append(("ro-bind" if path == program.path else "ro-bind-try", path, path))
            shown.append(path)
            taken.add(path)
        by_name = f"{BIN}/{program.name}"
        if by_name not in taken and by_name != program.path:
            mounts.append(("symlink", program.path, by_name))
            taken.add(by_name)
    return mounts
