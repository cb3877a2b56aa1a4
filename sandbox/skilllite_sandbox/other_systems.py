"""What there is for systems other than Linux, for the doctor and for whoever wants to read it.

macOS and Windows have back ends as data only: a Seatbelt profile and a command for WSL2, written
and compared with golden texts on Linux, never tried on a machine. So the doctor says that they are
there and that runs are refused, and nothing here starts anything. Pure, and importable on a system
that has none of Linux's calls.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from skilllite_sandbox.backend.seatbelt import SEATBELT_LABEL, MacPaths, seatbelt_run
from skilllite_sandbox.backend.wsl import WSL_LABEL, wsl_run
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import InvalidInput
from skilllite_sandbox.policy import Policy

DARWIN = "darwin"
WINDOWS = "windows"
SYSTEMS = (DARWIN, WINDOWS)
"""What `describe_for` knows."""

UNTESTED = SEATBELT_LABEL
"""What is said wherever one of these is shown."""
assert WSL_LABEL == UNTESTED

_PLATFORMS = {"darwin": DARWIN, "win32": WINDOWS, "cygwin": WINDOWS}
_RUNS_REFUSED = "runs at levels 2 and 3 are refused on this system"

# Where the installers of python.org and nodejs.org put them: without a patch version in the path.
_PYTHON = "/Library/Frameworks/Python.framework/Versions/3.13"
_MAC_SCRATCH = "/private/var/folders/zz/scratch/T/skilllite-run"
# What macOS ships of what a bash skill may execute elsewhere; a name too many does no harm.
_BIN = "[ cat chmod cp date dd echo expr ln ls mkdir mv pwd rm rmdir sleep test"
_USR_BIN = """
awk base64 basename cksum comm cut dirname du env expand false find fold grep head id join jq mkfifo
mktemp nl od paste pr printf readlink realpath sed seq sort split stat tail tee touch tr true tsort
uname unexpand uniq wc whoami yes
"""
_DISTRIBUTION = "Debian"


@dataclass(frozen=True, slots=True)
class SystemCheck:
    """One line of the doctor; the fields of `probe.Check`, which can't be imported everywhere."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    required: bool = True


def other_system_checks(sys_platform: str) -> tuple[SystemCheck, ...]:
    """Return what the doctor says on a system that isn't Linux; nothing on Linux.

    Args:
        sys_platform: The value of `sys.platform`.
    """
    if sys_platform.startswith("linux"):
        return ()
    system = _PLATFORMS.get(sys_platform)
    back_end = {
        DARWIN: ("seatbelt", f"a Seatbelt profile can be shown, {SEATBELT_LABEL}"),
        WINDOWS: ("wsl2", f"a command for WSL2 can be shown, {WSL_LABEL}"),
    }
    refused = SystemCheck("system", False, f"{sys_platform}: {_RUNS_REFUSED}", _remedy(system))
    if system is None:
        return (refused,)
    name, detail = back_end[system]
    shown = f"`skilllite-sandbox run DIR JSON --explain --system {system}` shows it"
    return (refused, SystemCheck(name, False, detail, shown, required=False))


def _remedy(system: str | None) -> str:
    if system == WINDOWS:
        return "install skilllite inside a WSL 2 distribution (`wsl --install`) and run it there"
    return "run it on Linux: a virtual machine or another machine of the team"


def describe_for(
    system: str,
    policy: Policy,
    entry: EntryPoint,
    skill_directory: str,
    *,
    paths: MacPaths | None = None,
    proxy_port: int | None = None,
    distribution: str = _DISTRIBUTION,
    allowed_hosts: tuple[str, ...] = (),
) -> str:
    """Return as lines to read what would stand around a run on another system.

    Args:
        system: One of `SYSTEMS`.
        policy: Level, limits and origin.
        entry: What to run.
        skill_directory: Where the skill lies over there: a path of that system, see
            `usual_skill_directory`.
        paths: macOS: where everything is; None for usual places.
        proxy_port: macOS: where the proxy listens when hosts are granted.
        distribution: Windows: which one of WSL.
        allowed_hosts: Windows: granted hosts.

    Raises:
        InvalidInput: there is nothing for this system, or a path can't be written there.
        PolicyDenied: nobody may have this combination.
    """
    if system == DARWIN:
        places = paths or usual_mac_paths(entry.language, skill_directory)
        return _describe_mac(policy, entry, places, proxy_port)
    if system == WINDOWS:
        run = wsl_run(
            policy,
            entry,
            skill_directory,
            distribution=distribution,
            allowed_hosts=allowed_hosts,
        )
        lines = [
            f"system windows, WSL2, {WSL_LABEL}: nothing starts this",
            *(f"env {name}={value}" for name, value in run.environment),
            "stdin the JSON input",
            f"run {run.command_line}",
        ]
        return "\n".join(lines)
    raise InvalidInput(
        f"there is no back end for {system!a}", hint=f"choose one of {', '.join(SYSTEMS)}"
    )


def usual_skill_directory(system: str, name: str) -> str:
    """Return where a skill could lie on another system, to describe a run there from here."""
    return rf"C:\Users\you\skills\{name}" if system == WINDOWS else f"/Users/you/skills/{name}"


def usual_mac_paths(language: Language, skill_directory: str) -> MacPaths:
    """Return where the usual installers put things on a Mac, to describe a run on one."""
    if language is Language.NODE:
        return MacPaths("/usr/local/bin/node", (), skill_directory, _MAC_SCRATCH)
    if language is Language.BASH:
        programs = (
            *(f"/bin/{name}" for name in _BIN.split()),
            *(f"/usr/bin/{name}" for name in _USR_BIN.split()),
        )
        return MacPaths("/bin/bash", (), skill_directory, _MAC_SCRATCH, programs=programs)
    return MacPaths(
        f"{_PYTHON}/bin/python3.13",
        (f"{_PYTHON}/Python", f"{_PYTHON}/lib"),
        skill_directory,
        _MAC_SCRATCH,
        stubs=(f"{_PYTHON}/Resources/Python.app/Contents/MacOS/Python",),
    )


def _describe_mac(
    policy: Policy, entry: EntryPoint, paths: MacPaths, proxy_port: int | None
) -> str:
    run = seatbelt_run(policy, entry, paths, proxy_port=proxy_port)
    words = ["PROFILE" if word == run.profile else word for word in run.arguments]
    lines = [
        f"system darwin, Seatbelt, {SEATBELT_LABEL}: nothing starts this",
        *(f"env {name}={value}" for name, value in run.environment),
        f"directory {run.directory}",
        "stdin the JSON input",
        f"run {shlex.join(words)}",
        f"enforced {', '.join(run.enforced)}",
        f"not enforced {', '.join(run.not_enforced)}",
        "PROFILE",
        run.profile.rstrip("\n"),
    ]
    return "\n".join(lines)
