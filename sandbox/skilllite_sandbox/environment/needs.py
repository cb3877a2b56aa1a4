"""What one script of a skill needs installed on this host; installs nothing."""

from __future__ import annotations

import os
from pathlib import Path

from skilllite_sandbox.capabilities import Package
from skilllite_sandbox.entry import Language
from skilllite_sandbox.environment.lock import read_shipped_lock
from skilllite_sandbox.environment.requirements import (
    DependencySet,
    Ecosystem,
    Target,
    ecosystem_of,
    normal_requirements,
)
from skilllite_sandbox.errors import EnvironmentUnavailable
from skilllite_sandbox.host import Host, Interpreter


def dependencies_of(
    directory: Path, packages: tuple[Package, ...], language: Language, host: Host
) -> DependencySet | None:
    """Return what a script of a skill needs installed; None when that is nothing.

    Args:
        directory: The skill's files, where a lock is looked for.
        packages: What the skill asks for.
        language: Of the script.
        host: What this machine has.

    Raises:
        InvalidSkill: it asks for something else than packages of the index, or its lock is bad.
        EnvironmentUnavailable: there is no interpreter to install for.
    """
    ecosystem = ecosystem_of(language)
    if ecosystem is None:
        return None
    requirements = normal_requirements(packages, ecosystem)
    if not requirements:
        return None
    target = target_of(ecosystem, host)
    return DependencySet(target, requirements, read_shipped_lock(directory, target, requirements))


def target_of(ecosystem: Ecosystem, host: Host) -> Target:
    """Return what packages of an ecosystem have to run on here."""
    if ecosystem is Ecosystem.PYTHON:
        version = required_interpreter(host.python, "python3").version
        return Target(ecosystem, f"{version[0]}.{version[1]}", host.machine)
    # Asking node for its version would cost every run 40 ms.
    status = os.stat(required_interpreter(host.node, "nodejs").path)  # noqa: PTH116 - on the way of every run
    return Target(ecosystem, f"{status.st_size}-{status.st_mtime_ns}", host.machine)


def required_interpreter(interpreter: Interpreter | None, package: str) -> Interpreter:
    """Return an interpreter, or say which package of the system has it."""
    if interpreter is None:
        raise EnvironmentUnavailable(
            "there is no interpreter to install packages for", hint=f"apt install {package}"
        )
    return interpreter
