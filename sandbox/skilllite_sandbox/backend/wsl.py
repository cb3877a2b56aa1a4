"""Windows as data: the command by which a Windows host would use this sandbox inside WSL2. Pure.

UNTESTED ON HARDWARE. No machine with Windows took part in writing this: it says what we would give
to `wsl.exe`, it is compared with golden texts, and nothing starts it. Runs on Windows are refused.

The isolation is Linux's, in the kernel of WSL2: this is a bridge, not a back end of its own. The
input goes over stdin, never over the command line. Decides how paths and arguments cross; that
`skilllite-sandbox` is installed over there, and that the distribution is WSL 2 and not 1, is left
to a doctor on such a machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from skilllite_sandbox.entry import EntryPoint
from skilllite_sandbox.errors import InvalidInput, PolicyDenied
from skilllite_sandbox.policy import MIB, Level, Origin, Policy

WSL_LABEL = "untested on hardware"
WSL_PROGRAM = r"C:\Windows\System32\wsl.exe"  # absolute: a search path starts in the current folder
SANDBOX_PROGRAM = "/usr/local/bin/skilllite-sandbox"
"""Absolute as well: inside, the search path goes on with Windows' own folders."""
DRIVES_ROOT = "/mnt"
"""Where WSL shows the drives, unless its wsl.conf says otherwise."""

_PATH_BYTES_MAX = 4095  # PATH_MAX of Linux is 4096 with the final null
_COMMAND_CHARS_MAX = 32_766  # CreateProcess takes 32,767 with the final null
_DISTRIBUTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_DRIVE = re.compile(r"([A-Za-z]):[\\/]")
_NAME_REFUSED = frozenset('<>:"|?*')  # no file of Windows has them; a colon opens another stream
# Between here and there two parsers of command lines stand, whose rules differ in quotes,
# backslashes and, where a shell gets in, these. An argument without them means the same to all.
_ARGUMENT_REFUSED = frozenset("\"'\\`$")
_NEEDS_NO_QUOTES = re.compile(r"[A-Za-z0-9_./:@%+=,-]+")
_DEVICE_NAMES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)


@dataclass(frozen=True, slots=True)
class WslRun:
    """One run as `wsl.exe` would be told it; the JSON goes to its stdin."""

    arguments: tuple[str, ...]
    command_line: str
    """The same for CreateProcess, which takes one string."""
    environment: tuple[tuple[str, str], ...]
    """To be set for wsl.exe beside what it has."""


def wsl_run(
    policy: Policy,
    entry: EntryPoint,
    skill_directory: str,
    *,
    distribution: str,
    user: str | None = None,
    allowed_hosts: tuple[str, ...] = (),
    drives_root: str = DRIVES_ROOT,
) -> WslRun:
    r"""Return the command of one run.

    Args:
        policy: Level, limits and origin. Deadline and memory cross; the other limits are the
            defaults over there.
        entry: What to run.
        skill_directory: A path of Windows, like `C:\Users\ana\skills\csv`.
        distribution: The name of the distribution, as `wsl --list` has it.
        user: A user of it; None for its default one.
        allowed_hosts: Granted hosts, each with an optional port.
        drives_root: Where the distribution shows the drives.

    Raises:
        InvalidInput: something can't cross unchanged.
        PolicyDenied: nobody may have this combination.
    """
    if policy.origin is Origin.REMOTE and policy.level is not Level.FULL:
        raise PolicyDenied("a task from a peer runs at level 3 or not at all")
    _check("distribution", distribution, _DISTRIBUTION)
    if user is not None:
        _check("user", user, _USER)
    for host in allowed_hosts:
        _check("host", host, _HOST)
    inside = (
        *(SANDBOX_PROGRAM, "exec", "--json"),
        *("--sandbox-level", str(int(policy.level))),
        *("--timeout", f"{policy.limits.wall_s:g}"),
        *("--max-memory", str(max(1, policy.limits.memory_bytes // MIB))),
        *(f"--allow-network={host}" for host in allowed_hosts),
        *(to_wsl_path(skill_directory, drives_root=drives_root), _script(entry.path), "-"),
    )
    arguments = (
        *(WSL_PROGRAM, "--distribution", distribution),
        *(("--user", user) if user is not None else ()),
        # --exec: no shell in between. Not the current directory, which may have no path over there.
        *("--cd", "/", "--exec"),
        *inside,
    )
    return WslRun(
        arguments,
        to_command_line(arguments),
        # The first makes wsl.exe's own messages readable; the second keeps variables from crossing.
        (("WSL_UTF8", "1"), ("WSLENV", "")),
    )


def to_wsl_path(path: str, *, drives_root: str = DRIVES_ROOT) -> str:
    r"""Return what a path of Windows is called inside: `C:\a b\c` is `/mnt/c/a b/c`.

    Raises:
        InvalidInput: it is on another machine, relative, or not the same name on both sides.
    """
    if path[:2] in ("\\\\", "//", "\\/", "/\\"):
        raise InvalidInput(
            f"{path!a} is a network or device path",
            cause="a distribution sees the drives of this machine only",
            hint=r"copy the skill to a drive, like C:\skills",
        )
    drive = _DRIVE.match(path)
    if drive is None:
        raise InvalidInput(
            f"{path!a} is no absolute path of Windows",
            hint=r"start with a drive, like C:\skills",
        )
    rest = re.split(r"[\\/]", path[drive.end() :].rstrip("\\/"))
    parts = rest if rest != [""] else []
    for part in parts:
        _check_name(part, path)
    translated = _crossing("/".join([drives_root.rstrip("/"), drive[1].lower(), *parts]))
    if len(translated.encode("utf-8")) > _PATH_BYTES_MAX:
        raise InvalidInput(f"a path of {len(path)} characters is too long for Linux")
    return translated


def to_command_line(arguments: tuple[str, ...]) -> str:
    """Return one string that every parser of command lines cuts into these arguments again.

    Raises:
        InvalidInput: an argument would be read differently by one of them, or all are too long.
    """
    program, *rest = arguments
    words = [_quoted(program, program=True), *(_quoted(_crossing(each)) for each in rest)]
    line = " ".join(words)
    if len(line.encode("utf-16-le")) // 2 > _COMMAND_CHARS_MAX:
        raise InvalidInput("the command line is too long for Windows")
    return line


def _quoted(argument: str, *, program: bool = False) -> str:
    # The program's own name is cut off by another rule, in which a backslash is only itself.
    plain = argument.replace("\\", "/") if program else argument
    return argument if _NEEDS_NO_QUOTES.fullmatch(plain) else f'"{argument}"'


def _crossing(argument: str) -> str:
    if not argument.isprintable() or _ARGUMENT_REFUSED & set(argument):
        raise InvalidInput(
            f"{argument!a} can't be passed to WSL",
            cause="quotes, backslashes, backticks, $ and control characters are refused",
            hint="rename it",
        )
    return argument


def _script(path: str) -> str:
    if path.startswith(("-", "/")) or {"", ".", ".."} & set(path.split("/")):
        raise InvalidInput(f"{path!a} is no script of a skill")
    return _crossing(path)


def _check_name(part: str, path: str) -> None:
    """Refuse a name that Windows takes for another one."""
    changed = part.rstrip(". ") != part  # Windows drops them, Linux doesn't; covers . and ..
    device = part.split(".")[0].rstrip().lower() in _DEVICE_NAMES
    if not part or changed or device or _NAME_REFUSED & set(part):
        raise InvalidInput(
            f"{path!a} can't be translated",
            cause=f"{part!a} is not one file name on both systems",
            hint="give the full path without . or .., or rename it",
        )


def _check(what: str, value: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(value):
        raise InvalidInput(f"{value!a} is no {what} that can be passed to WSL")
