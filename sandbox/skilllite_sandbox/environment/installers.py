"""The commands by which uv and npm resolve and install in a box, and what their failures mean.

Pure, but for finding the programs. Both tools get everything by their environment or by files in
the box; no setting of the host reaches them that is not listed here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skilllite_sandbox.egress.attempt import Attempt, Cause, Result
from skilllite_sandbox.environment.box import CERTIFICATES, WORK, Box, base_environment
from skilllite_sandbox.environment.box_run import BoxResult
from skilllite_sandbox.environment.index import IndexSettings, unreachable
from skilllite_sandbox.environment.lock import Lock, package_json
from skilllite_sandbox.environment.requirements import DependencySet
from skilllite_sandbox.errors import (
    BuildingNotAllowed,
    EnvironmentUnavailable,
    PackagesUnresolvable,
    SandboxError,
)
from skilllite_sandbox.host import Host, find_program

SITE_PACKAGES = "site-packages"
NODE_MODULES = "node_modules"
INPUT = "in"
"""The folder of the box's directory that holds what the installer reads, and npm's project."""
HTTP_TIMEOUT_S = 60  # without a byte from the index
_CAUSE_LINES = 6  # of what the installer said, for an error
_CAUSE_CHARS = 700

_WISHES = f"{INPUT}/requirements.txt"
_LOCKED = f"{INPUT}/locked.txt"
_PACKAGE_JSON = f"{INPUT}/package.json"
NODE_LOCK = f"{INPUT}/package-lock.json"


@dataclass(frozen=True, slots=True)
class Installer:
    """A program that installs, and what has to be shown for it to run."""

    command: tuple[str, ...]
    """What starts it, the same on the host and in the box."""
    tools: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    """Folders of the tools that only this user may enter."""


@dataclass(frozen=True, slots=True)
class Step:
    """One run of an installer: what it finds in its directory, and the box around it."""

    files: tuple[tuple[str, str], ...]
    """(path below the directory, content)."""
    box: Box


def find_uv() -> Installer:
    """Return uv, which comes with this package.

    Raises:
        EnvironmentUnavailable: it isn't there.
    """
    try:
        from uv import find_uv_bin

        path = os.path.realpath(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = find_program("uv")
        if found is None:
            raise EnvironmentUnavailable(
                "uv, which installs Python packages, is missing",
                hint="pip install uv, into the environment of skilllite",
            ) from None
        path = found
    return Installer((path,), (path,), _hidden(path))


def find_npm(host: Host) -> Installer:
    """Return npm, started by the host's node.

    Raises:
        EnvironmentUnavailable: node or npm isn't there.
    """
    if host.node is None:
        raise EnvironmentUnavailable(
            "this skill needs node, which this host doesn't have", hint="apt install nodejs npm"
        )
    for directory in (os.environ.get("PATH") or "/usr/bin:/bin").split(os.pathsep):
        script = os.path.realpath(f"{directory}/npm")
        root = _package_root(Path(script)) if directory.startswith("/") else None
        if root is not None:
            return Installer(
                (host.node.path, script), (*host.node.trees, str(root)), _hidden(str(root))
            )
    raise EnvironmentUnavailable(
        "npm, which installs packages for node, is missing", hint="apt install npm"
    )


def _package_root(script: Path) -> Path | None:
    """Return the folder of npm's package, if this is a script of it."""
    for folder in script.parents[:3]:
        try:
            found = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict) and found.get("name") == "npm" and script.is_file():
            return folder
    return None


def _hidden(path: str) -> tuple[str, ...]:
    """Return the folder to show by a mount of root, if others can't come to it by themselves."""
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    closed = any(not parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))
    return (str(folder),) if closed else ()


# Python


def python_lock_step(
    uv: Installer,
    python: str,
    dependencies: DependencySet,
    settings: IndexSettings,
    work: str,
    *,
    allow_build: bool,
) -> Step:
    """Return how a set is resolved; the lock is what it prints."""
    command = (
        *(*uv.command, "pip", "compile", f"{WORK}/{_WISHES}", "--generate-hashes"),
        *(() if allow_build else ("--only-binary", ":all:")),
        *("--no-header", "--no-annotate", "--no-sources", "--python", python),
    )
    wishes = "".join(f"{each}\n" for each in dependencies.requirements)
    box = _python_box(uv, command, settings, work, allow_build=allow_build)
    return Step(((_WISHES, wishes),), box)


def python_install_step(
    uv: Installer,
    python: str,
    lock: Lock,
    settings: IndexSettings,
    work: str,
    *,
    allow_build: bool,
    shipped: bool,
) -> Step:
    """Return how a lock is installed."""
    command = (
        *(*uv.command, "pip", "install", "--require-hashes", "-r", f"{WORK}/{_LOCKED}"),
        *(() if allow_build else ("--no-build",)),
        # uv refuses a lock of a skill that leaves out what its packages need; ours has all of it.
        *(() if shipped else ("--no-deps",)),
        *("--no-sources", "--python", python, "--target", f"{WORK}/{SITE_PACKAGES}"),
        # An environment is read-only where it is used: compiling there would cost every run.
        "--compile-bytecode",
    )
    box = _python_box(uv, command, settings, work, allow_build=allow_build)
    return Step(((_LOCKED, lock.text),), box)


def _python_box(
    uv: Installer,
    command: tuple[str, ...],
    settings: IndexSettings,
    work: str,
    *,
    allow_build: bool,
) -> Box:
    if allow_build:
        _refuse_credentials(settings)
    environment = base_environment(certificates=bool(settings.certificates)) | {
        "UV_CACHE_DIR": f"{WORK}/cache",
        "UV_DEFAULT_INDEX": settings.default.url,
        "UV_HTTP_TIMEOUT": str(HTTP_TIMEOUT_S),
        "UV_NO_CONFIG": "1",
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
    }
    if settings.extra:
        environment["UV_INDEX"] = " ".join(index.url for index in settings.extra)
    return Box(
        command=command,
        environment=environment,
        work=work,
        tools=uv.tools,
        hidden=uv.hidden,
        certificates=settings.certificates,
        building=allow_build,
    )


# Node


def node_lock_step(
    npm: Installer, dependencies: DependencySet, settings: IndexSettings, work: str
) -> Step:
    """Return how a set is resolved; the lock is the file NODE_LOCK. Never runs a script."""
    command = ("install", "--package-lock-only", "--ignore-scripts")
    files = ((_PACKAGE_JSON, package_json(dependencies.requirements)),)
    return Step(files, _node_box(npm, command, settings, work, allow_build=False))


def node_install_step(
    npm: Installer,
    dependencies: DependencySet,
    lock: Lock,
    settings: IndexSettings,
    work: str,
    *,
    allow_build: bool,
) -> Step:
    """Return how a lock is installed."""
    scripts = ("--foreground-scripts",) if allow_build else ("--ignore-scripts",)
    files = ((_PACKAGE_JSON, package_json(dependencies.requirements)), (NODE_LOCK, lock.text))
    box = _node_box(npm, ("ci", *scripts), settings, work, allow_build=allow_build)
    return Step(files, box)


def _node_box(
    npm: Installer,
    words: tuple[str, ...],
    settings: IndexSettings,
    work: str,
    *,
    allow_build: bool,
) -> Box:
    _refuse_credentials(settings)
    options = {
        "audit": "false",
        "bin_links": "false",
        "cache": f"{WORK}/cache",
        "fetch_retries": "2",
        "fetch_timeout": str(HTTP_TIMEOUT_S * 1000),
        "fund": "false",
        "git": "/nonexistent",
        "globalconfig": f"{WORK}/home/globalconfig",
        "https_proxy": base_environment(certificates=False)["https_proxy"],
        "logs_max": "0",
        "omit": "dev",
        "omit_lockfile_registry_resolved": "true",
        "proxy": base_environment(certificates=False)["http_proxy"],
        "registry": settings.default.url,
        "update_notifier": "false",
        "userconfig": f"{WORK}/home/userconfig",
    }
    if settings.certificates:
        options["cafile"] = CERTIFICATES
    environment = base_environment(certificates=bool(settings.certificates))
    environment |= {f"npm_config_{name}": value for name, value in options.items()}
    return Box(
        command=(*npm.command, "--prefix", f"{WORK}/{INPUT}", *words),
        environment=environment,
        work=work,
        tools=npm.tools,
        hidden=npm.hidden,
        certificates=settings.certificates,
        building=allow_build,
    )


def _refuse_credentials(settings: IndexSettings) -> None:
    """Keep the password of an index away from code of strangers, and from npm, which has no use.

    With wheels only, uv is all that runs in the box and may know it.
    """
    for index in settings.all:
        if index.has_credentials:
            raise EnvironmentUnavailable(
                f"the settings hold a password for {index.shown}",
                cause="code of packages would run beside it",
                hint="use an index that needs none for what is built from source, and for npm",
            )


# Failures

_NEEDS_BUILDING = re.compile(
    r"no usable wheels|no wheels with a matching|building (?:from source|source distributions)? ?"
    r"is disabled|--no-build|only-binary",
    re.IGNORECASE,
)
_NOT_THERE = re.compile(
    r"no solution found|not found in the (?:package registry|provided)"
    r"|there (?:is|are) no versions?|unsatisfiable|no matching version"
    r"|\bE404\b|\bETARGET\b|\bERESOLVE\b|\bEUSAGE\b"
    r"|\bEBADENGINE\b|\bEBADPLATFORM\b|hash mismatch|\bEINTEGRITY\b|require-hashes",
    re.IGNORECASE,
)
# What comes before the words: a drawn tree, and who speaks.
_SAID = re.compile(
    r"^(?:[^\w<>@/.\"'`(]*(?:npm (?:error|ERR!)(?: code \w+)?|(?:error|cause|hint):)?)+\s*",
    re.IGNORECASE,
)
_UNIMPORTANT = ("Resolved", "Downloaded", "Log files were not", "A complete log")
_UNANSWERED = frozenset({Cause.NOT_RESOLVED, Cause.NOT_CONNECTED, Cause.TIMEOUT})


def failure(result: BoxResult, settings: IndexSettings, wanted: Sequence[str]) -> SandboxError:
    """Return the error for an installer that failed, by what the person does next."""
    names = ", ".join(wanted[:5]) + (f" and {len(wanted) - 5} more" if len(wanted) > 5 else "")
    said = _complaint(result.stderr)
    if result.exceeded:
        return EnvironmentUnavailable(
            f"installing {names} was stopped: {result.exceeded}",
            cause=said,
            hint="ask for fewer or smaller packages, or try again when the index answers faster",
        )
    # Before what the installer makes of it: without a wheel's page it thinks there is no wheel.
    for attempt in result.attempts:
        if attempt.result is Result.FAILED and attempt.cause in _UNANSWERED:
            return unreachable(settings.default, _of(attempt))
    if _NEEDS_BUILDING.search(result.stderr):
        return BuildingNotAllowed(
            f"a package of {names} exists as source only",
            cause=said,
            hint="building runs its author's code, in the sandbox: a person can allow it",
        )
    refused = [each for each in result.attempts if each.result is Result.REFUSED]
    if refused:
        return PackagesUnresolvable(
            f"{names} can't be installed from the index alone",
            cause=f"{_of(refused[0])}; only the package index may be reached",
            hint="ask for packages that the index has with all they need",
        )
    if _NOT_THERE.search(result.stderr):
        return PackagesUnresolvable(
            f"{names} can't be resolved",
            cause=said,
            hint="check the names and versions that the skill asks for",
        )
    return EnvironmentUnavailable(
        f"installing {names} failed with status {result.status}",
        cause=said,
        hint="`skilllite doctor` tries out what this host can do",
    )


def _of(attempt: Attempt) -> str:
    where = f"{attempt.host}:{attempt.port}" if attempt.host else "a connection"
    return f"{where}: {attempt.detail}"


def _complaint(stderr: str) -> str | None:
    """Return what matters of an installer's words, on one line."""
    lines = [_SAID.sub("", line).strip() for line in stderr.splitlines()]
    kept = [line for line in lines if line and not line.startswith(_UNIMPORTANT)]
    return " / ".join(kept[-_CAUSE_LINES:])[:_CAUSE_CHARS] or None
