"""Environments on disk: each built once, whoever asks, checked at use, listed and removed.

    ROOT/                          0700
        by-digest/HEX/             read-only, readable to all: shown to sandboxes by a mount
            site-packages/ or node_modules/
            environment.json       written last; counts what belongs to it
        locks/KEY.json             what a dependency set was resolved to, so that it stays that
        locks/KEY.lock             held by whoever builds for this set
        unfinished-…/              being built, or left by a crash

An entry is complete when it has its final name. `environment.json` says how many files and bytes
it holds; at the first use in a process they are counted again, and an entry that lost or gained
something is built anew from its lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from skilllite_sandbox.environment.installed import (
    FOLDERS,
    RECORD_NAME,
    BadRecord,
    count_files,
    make_read_only,
    read_record,
    remove_tree,
)
from skilllite_sandbox.environment.installed import Environment as Environment
from skilllite_sandbox.environment.lock import (
    BUILDER_VERSION,
    LOCK_BYTES_MAX,
    BadLock,
    Lock,
    environment_digest,
    read_lock,
)
from skilllite_sandbox.environment.requirements import DependencySet, Target
from skilllite_sandbox.errors import EnvironmentMissing, EnvironmentUnavailable, NotFound
from skilllite_sandbox.host import Host, read_host

KEPT = 64  # environments that nobody removes; beyond it the longest unused go
KEPT_AT_LEAST_S = 24 * 3600.0  # one that was used within a day may be in use, and stays
LOCK_WAIT_S = 2 * 900.0  # the longest build, and another one that was waiting before
_LOCK_POLL_S = 0.05
_UNFINISHED = "unfinished-"
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Stored:
    """An environment as `list` shows it."""

    environment: Environment
    used_at: float
    """Seconds since the epoch."""


class Builder(Protocol):
    """How packages come into a directory."""

    def resolve(
        self, dependencies: DependencySet, room: Path, *, allow_build: bool, tell: Tell
    ) -> Lock:
        """Return the versions for a set, working in a directory of this build."""

    def install(
        self,
        dependencies: DependencySet,
        lock: Lock,
        room: Path,
        *,
        allow_build: bool,
        tell: Tell,
    ) -> Path:
        """Install a lock; return the directory below `room` that then holds the packages."""


Tell = Callable[[str], None]


def quiet(_: str) -> None:
    """Tell nobody."""


def default_root() -> Path:
    """Return where the environments of a user without a node are kept.

    Raises:
        EnvironmentUnavailable: the user has no home directory.
    """
    cache = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(cache) if cache.startswith("/") else Path.home() / ".cache"
    except RuntimeError:
        raise EnvironmentUnavailable(
            "this user has no home directory to keep packages in",
            hint="set HOME or XDG_CACHE_HOME to a directory",
        ) from None
    return base / "skilllite" / "env"


def open_environments(root: Path, host: Host | None = None) -> Environments:
    """Return the environments kept below a directory; nothing is written before the first build."""

    def make_builder() -> Builder:
        # With what it imports it would cost every run that finds its environment 40 ms.
        from skilllite_sandbox.environment.builder import SandboxBuilder

        return SandboxBuilder(host or read_host())

    return Environments(root, make_builder)


class Environments:
    """The environments of one user, shared by threads and processes."""

    def __init__(self, root: Path, make_builder: Callable[[], Builder]) -> None:
        self._root = Path(root).absolute()
        self._make_builder = make_builder
        self._counted: dict[str, tuple[int, int]] = {}
        """Identity of each entry whose content was counted in this process."""
        self._counted_lock = threading.Lock()

    @property
    def by_digest(self) -> Path:
        """The directory of all complete environments, to be shown to sandboxes."""
        return self._root / "by-digest"

    def lookup(self, dependencies: DependencySet) -> Environment | None:
        """Return the environment of a set if it is there and whole; builds nothing."""
        document = self._kept(dependencies)
        if document is None or document.get("builder") != BUILDER_VERSION:
            return None
        return self.get(str(document.get("digest")))

    def require(self, dependencies: DependencySet) -> Environment:
        """Return the environment of a set, for those who may not have it built.

        Raises:
            EnvironmentMissing: it isn't there.
        """
        found = self.lookup(dependencies)
        if found is None:
            raise EnvironmentMissing(
                f"the packages of this skill are not installed: {_listed(dependencies)}",
                cause="a task from elsewhere doesn't install anything",
                hint="run the skill once on this host with `skilllite run`",
            )
        return found

    def get(self, digest: str) -> Environment | None:
        """Return an environment by its digest; None when it isn't there or is damaged."""
        if len(digest) != 64 or not _HEX.issuperset(digest):
            return None
        entry = self.by_digest / digest
        try:
            found = read_record(entry)
            identity = (entry.lstat().st_ino, found.built_at)
            with self._counted_lock:
                is_counted = self._counted.get(digest) == identity
            if not is_counted and count_files(entry) != (found.files, found.size_bytes):
                return None
            with contextlib.suppress(OSError):
                os.utime(entry)  # when it was last used
        except (OSError, BadRecord):
            return None
        with self._counted_lock:
            self._counted[digest] = identity
        return found

    def ensure(
        self,
        dependencies: DependencySet,
        *,
        allow_build: bool = False,
        on_progress: Tell = quiet,
    ) -> Environment:
        """Return the environment of a set, built now unless it is there.

        However many ask at once, in threads or processes, one builds and the others wait for it.

        Args:
            dependencies: What is needed.
            allow_build: Whether code of packages may run to build them, in the sandbox.
            on_progress: Called with lines for a person.

        Raises:
            BuildingNotAllowed: a package exists as source only.
            PackagesUnresolvable: the index doesn't have what is asked for.
            IndexUnreachable: it doesn't answer.
            EnvironmentUnavailable: this host can't install.
        """
        found = self.lookup(dependencies)
        if found is not None:
            return found
        try:
            self._prepare()
            with self._exclusive(dependencies.key, on_progress):
                found = self.lookup(dependencies)
                if found is None:
                    self._clean_up()
                    found = self._build(dependencies, allow_build=allow_build, tell=on_progress)
                    self._prune(keep=found.digest)
                return found
        except OSError as error:
            raise EnvironmentUnavailable(
                f"{self._root} can't be written",
                cause=error.strerror or str(error),
                hint="check its owner and the free space",
            ) from error

    def list(self) -> list[Stored]:
        """Return every whole environment, the last used first."""
        found: list[Stored] = []
        with contextlib.suppress(FileNotFoundError):
            for entry in self.by_digest.iterdir():
                with contextlib.suppress(OSError, BadRecord):
                    found.append(Stored(read_record(entry), entry.stat().st_mtime))
        return sorted(found, key=lambda each: -each.used_at)

    def remove(self, digest: str) -> None:
        """Remove an environment, and the locks that lead to it: next time versions are new.

        A run that uses it may fail.

        Raises:
            NotFound: there is none of this digest.
        """
        entry = self.by_digest / digest
        if not digest or not _HEX.issuperset(digest) or not entry.is_dir():
            raise NotFound(
                f"there is no environment {digest}", hint="`skilllite clean-env` lists them"
            )
        for path in (self._root / "locks").glob("*.json"):
            with contextlib.suppress(OSError, ValueError):
                if json.loads(path.read_text(encoding="utf-8")).get("digest") == digest:
                    path.unlink()
        self._discard(entry)

    # Building

    @cached_property
    def _builder(self) -> Builder:
        return self._make_builder()

    def _build(self, dependencies: DependencySet, *, allow_build: bool, tell: Tell) -> Environment:
        with self._unfinished() as unfinished:
            lock = self._known_lock(dependencies)
            if lock is None:
                lock = self._resolve(dependencies, unfinished, allow_build=allow_build, tell=tell)
            digest = environment_digest(dependencies.target, lock)
            # Other wishes may lead to the same lock.
            with self._exclusive(digest, tell):
                found = self.get(digest)
                if found is None:
                    tell(f"installing {_counted(len(lock.packages))}")
                    modules = self._builder.install(
                        dependencies, lock, unfinished, allow_build=allow_build, tell=tell
                    )
                    self._complete(
                        unfinished,
                        modules,
                        digest,
                        dependencies.target,
                        lock,
                        allow_build=allow_build,
                    )
                    found = self.get(digest)
            if found is None:
                raise EnvironmentUnavailable(
                    f"an environment below {self._root} does not keep its content",
                    hint="check the disk that holds it",
                )
            self._keep_lock(dependencies, lock, digest)
            return found

    def _resolve(
        self, dependencies: DependencySet, unfinished: Path, *, allow_build: bool, tell: Tell
    ) -> Lock:
        if dependencies.shipped_lock:
            return read_lock(dependencies.shipped_lock, dependencies)
        tell(f"resolving {_listed(dependencies)}")
        return self._builder.resolve(dependencies, unfinished, allow_build=allow_build, tell=tell)

    def _complete(
        self,
        unfinished: Path,
        modules: Path,
        digest: str,
        target: Target,
        lock: Lock,
        *,
        allow_build: bool,
    ) -> None:
        """Give a finished installation its final form and name."""
        entry = unfinished / "entry"
        entry.mkdir(mode=0o755)
        placed = entry / FOLDERS[target.ecosystem]
        modules.rename(placed)
        make_read_only(placed)
        files, size_bytes = count_files(entry)
        record = {
            "schema": 1,
            "builder": BUILDER_VERSION,
            "digest": digest,
            "ecosystem": target.ecosystem.value,
            "interpreter": target.interpreter,
            "machine": target.machine,
            "packages": [[each.name, each.version] for each in lock.packages],
            "files": files,
            "size_bytes": size_bytes,
            "built_at": int(time.time()),
            "building_allowed": allow_build,
        }
        path = entry / RECORD_NAME
        path.write_text(json.dumps(record, indent=1), encoding="utf-8")
        path.chmod(0o444)
        os.sync()  # thousands of files: one by one it would take seconds
        destination = self.by_digest / digest
        if os.path.lexists(destination):
            self._discard(destination)  # damaged, or `get` had found it
        entry.rename(destination)
        destination.chmod(0o555)

    # What is kept

    def _lock_file(self, dependencies: DependencySet) -> Path:
        return self._root / "locks" / f"{dependencies.key}.json"

    def _kept(self, dependencies: DependencySet) -> dict[str, Any] | None:
        try:
            with self._lock_file(dependencies).open("rb") as file:
                document = json.loads(file.read(2 * LOCK_BYTES_MAX))
        except (OSError, ValueError):
            return None
        return document if isinstance(document, dict) else None

    def _known_lock(self, dependencies: DependencySet) -> Lock | None:
        """Return what the set was resolved to before; another way to build keeps the versions."""
        document = self._kept(dependencies)
        try:
            return read_lock(str(document["locked"]), dependencies) if document else None
        except (KeyError, BadLock):
            return None

    def _keep_lock(self, dependencies: DependencySet, lock: Lock, digest: str) -> None:
        document = {
            "schema": 1,
            "builder": BUILDER_VERSION,
            "requirements": dependencies.requirements,
            "digest": digest,
            "locked": lock.text,
        }
        path = self._lock_file(dependencies)
        temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.new")
        temporary.write_text(json.dumps(document), encoding="utf-8")
        temporary.replace(path)

    # Directories and locks

    def _prepare(self) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = self._root.lstat()
        if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode):
            raise EnvironmentUnavailable(
                f"{self._root} belongs to another user",
                hint="remove it, or point the cache elsewhere",
            )
        self._root.chmod(0o700)
        self.by_digest.mkdir(mode=0o711, exist_ok=True)
        self.by_digest.chmod(0o711)
        (self._root / "locks").mkdir(mode=0o700, exist_ok=True)

    @contextlib.contextmanager
    def _unfinished(self) -> Iterator[Path]:
        """Give a directory that is removed at the end, or by the next build after a crash.

        Its lock, not its age, tells that somebody is at work in it.
        """
        path = self._root / f"{_UNFINISHED}{os.getpid()}-{os.urandom(6).hex()}"
        with self._exclusive("unfinished", quiet):
            path.mkdir(mode=0o700)
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield path
        finally:
            remove_tree(path)
            os.close(descriptor)

    def _clean_up(self) -> None:
        """Remove what crashes left."""
        with self._exclusive("unfinished", quiet):
            for path in self._root.glob(f"{_UNFINISHED}*"):
                try:
                    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                except FileNotFoundError:
                    continue  # finished meanwhile
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    remove_tree(path)
                except BlockingIOError:
                    pass  # being built
                finally:
                    os.close(descriptor)

    def _prune(self, *, keep: str) -> None:
        now = time.time()
        for stored in self.list()[KEPT:]:
            digest = stored.environment.digest
            if digest != keep and now - stored.used_at > KEPT_AT_LEAST_S:
                self._discard(self.by_digest / digest)

    def _discard(self, entry: Path) -> None:
        """Remove an entry: first its name, so that nobody finds half of it."""
        with self._counted_lock:
            self._counted.pop(entry.name, None)
        with self._unfinished() as grave:
            entry.chmod(0o700)  # moving a directory writes its `..`
            entry.rename(grave / "entry")

    @contextlib.contextmanager
    def _exclusive(self, name: str, tell: Tell) -> Iterator[None]:
        path = self._root / "locks" / f"{name}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            deadline = time.monotonic() + LOCK_WAIT_S
            told = False
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise EnvironmentUnavailable(
                            f"another process has been installing for {LOCK_WAIT_S:.0f} s",
                            hint="a stopped skilllite process may hold the lock",
                        ) from None
                if not told:
                    tell("waiting for another process that installs the same packages")
                    told = True
                time.sleep(_LOCK_POLL_S)
            yield
        finally:
            os.close(descriptor)


def _listed(dependencies: DependencySet) -> str:
    names = dependencies.requirements
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _counted(number: int) -> str:
    return f"{number} package{'' if number == 1 else 's'}"
