"""Installs by uv and npm in boxes of this host: the builder behind `open_environments`.

Imported when something is to be built, not by a run that finds its environment.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from skilllite_sandbox.egress.resolution import Resolver, default_resolver
from skilllite_sandbox.egress.rules import Rules, parse_rules
from skilllite_sandbox.environment import installers
from skilllite_sandbox.environment.box_run import BoxResult, run_box
from skilllite_sandbox.environment.index import (
    IndexSettings,
    fetch_page,
    reachable_targets,
    read_node_settings,
    read_python_settings,
    resolve_addresses,
)
from skilllite_sandbox.environment.installers import Installer, Step
from skilllite_sandbox.environment.lock import (
    LOCK_BYTES_MAX,
    BadLock,
    Lock,
    read_lock,
)
from skilllite_sandbox.environment.needs import required_interpreter
from skilllite_sandbox.environment.requirements import DependencySet, Ecosystem
from skilllite_sandbox.environment.store import Tell
from skilllite_sandbox.errors import EnvironmentUnavailable, PackagesUnresolvable
from skilllite_sandbox.host import Host

_RESOLVING = "resolve"
_CACHE = "cache"


class SandboxBuilder:
    """Resolves and installs, each in a box of its own, from the indexes this host is set to."""

    def __init__(
        self,
        host: Host,
        *,
        environ: Mapping[str, str] | None = None,
        resolve: Resolver = default_resolver,
    ) -> None:
        self._host = host
        self._environ = environ
        self._resolve = resolve

    def resolve(
        self, dependencies: DependencySet, room: Path, *, allow_build: bool, tell: Tell
    ) -> Lock:
        """Return the versions for a set; see `Builder`."""
        work = room / _RESOLVING
        work.mkdir(mode=0o700)
        for clause in self._settings(dependencies.target.ecosystem).ignored:
            tell(f"note: {clause}")
        if dependencies.target.ecosystem is Ecosystem.PYTHON:
            step = installers.python_lock_step(
                self._uv,
                required_interpreter(self._host.python, "python3").path,
                dependencies,
                self._python_settings,
                str(work),
                allow_build=allow_build,
            )
            text = self._run(step, dependencies, tell).stdout.decode("utf-8", "replace")
        else:
            step = installers.node_lock_step(
                self._npm, dependencies, self._node_settings, str(work)
            )
            self._run(step, dependencies, tell)
            text = _read_result(work / installers.NODE_LOCK)
        try:
            return read_lock(text, dependencies)
        except BadLock as error:
            raise PackagesUnresolvable(
                f"{dependencies.requirements[0]} and what it needs can't be locked",
                cause=str(error),
                hint="ask for packages that come from the index with all they need",
            ) from None

    def install(
        self,
        dependencies: DependencySet,
        lock: Lock,
        room: Path,
        *,
        allow_build: bool,
        tell: Tell,
    ) -> Path:
        """Install a lock; see `Builder`."""
        work = room / "install"
        work.mkdir(mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            # What resolving fetched. Whatever code of packages made of it stays in a box.
            (room / _RESOLVING / _CACHE).rename(work / _CACHE)
        if dependencies.target.ecosystem is Ecosystem.PYTHON:
            step = installers.python_install_step(
                self._uv,
                required_interpreter(self._host.python, "python3").path,
                lock,
                self._python_settings,
                str(work),
                allow_build=allow_build,
                shipped=bool(dependencies.shipped_lock),
            )
            self._run(step, dependencies, tell)
            return work / installers.SITE_PACKAGES
        step = installers.node_install_step(
            self._npm,
            dependencies,
            lock,
            self._node_settings,
            str(work),
            allow_build=allow_build,
        )
        self._run(step, dependencies, tell)
        return work / installers.INPUT / installers.NODE_MODULES

    def _run(self, step: Step, dependencies: DependencySet, tell: Tell) -> BoxResult:
        settings = self._settings(dependencies.target.ecosystem)
        self._fill(Path(step.box.work), step)
        result = run_box(
            step.box,
            self._host,
            self._rules(dependencies, settings),
            on_line=_only_progress(tell),
            resolve=self._resolve,
        )
        if not result.ok:
            raise installers.failure(result, settings, dependencies.requirements)
        return result

    def _fill(self, work: Path, step: Step) -> None:
        """Write what the installer reads; what it may change belongs to whom it runs as."""
        folders = [work / name for name in (installers.INPUT, "home", _CACHE)]
        folders = [folder for folder in folders if not os.path.lexists(folder)]
        for folder in folders:
            folder.mkdir(mode=0o700)
        files = [work / name for name, _ in step.files]
        for path, (_, content) in zip(files, step.files, strict=True):
            path.write_text(content, encoding="utf-8")
        if self._host.is_root:
            for path in (*files, *folders, work):
                os.lchown(path, self._host.service_id, self._host.service_id)

    def _rules(self, dependencies: DependencySet, settings: IndexSettings) -> Rules:
        ecosystem = dependencies.target.ecosystem
        project = dependencies.requirements[0]
        if ecosystem is Ecosystem.PYTHON:
            end = next((i for i, c in enumerate(project) if not (c.isalnum() or c == "-")), None)
            project = project[:end]
        return parse_rules(
            reachable_targets(
                settings,
                ecosystem,
                project,
                addresses_of=resolve_addresses,
                page_of=fetch_page,
            )
        )

    def _settings(self, ecosystem: Ecosystem) -> IndexSettings:
        return self._python_settings if ecosystem is Ecosystem.PYTHON else self._node_settings

    @cached_property
    def _uv(self) -> Installer:
        return installers.find_uv()

    @cached_property
    def _npm(self) -> Installer:
        return installers.find_npm(self._host)

    @cached_property
    def _python_settings(self) -> IndexSettings:
        return read_python_settings(self._uv.command[0], self._environ)

    @cached_property
    def _node_settings(self) -> IndexSettings:
        return read_node_settings(self._npm.command, self._environ)


def _only_progress(tell: Tell) -> Callable[[str], None]:
    """Return what passes on the lines of uv that say how far it is; errors come as errors."""

    def on_line(line: str) -> None:
        if line.startswith(("Downloading", "Building", "Resolved", "Installed")):
            tell(line)

    return on_line


def _read_result(path: Path) -> str:
    """Return what an installer wrote, which may be anything."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(f"{path.name} is not a file")
            return file.read(LOCK_BYTES_MAX + 1).decode("utf-8", "replace")
    except OSError as error:
        raise EnvironmentUnavailable(
            "the installer left no lock", cause=error.strerror or str(error)
        ) from None
