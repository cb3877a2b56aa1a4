"""A root directory for one run, made of copies: for root where nothing can be mounted.

What is the same for all runs of a language is copied once into a template below the stage. A run
gets a directory of hard links to it, its skill, a scratch directory and its few files; the links
are to files of root that nobody else may write. Where links can't be made, copies are.
"""

# Strings, not pathlib: thousands of paths for each run.
# ruff: noqa: PTH101, PTH102, PTH103, PTH104, PTH108, PTH110, PTH112, PTH113, PTH114, PTH115
# ruff: noqa: PTH116, PTH117, PTH118, PTH120, PTH211

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time

from skilllite_sandbox.backend.scratch import remove_tree
from skilllite_sandbox.entry import Language
from skilllite_sandbox.errors import SandboxUnavailable
from skilllite_sandbox.host import Host
from skilllite_sandbox.plan import SCRATCH, Plan, passwd_for

FORMAT = "2"  # of a template; another one is built anew
FILES_MAX = 20_000  # of a template; Python's library has 1,200
BYTES_MAX = 1024 * 1024 * 1024  # of a template; node has 120 MB with its libraries
KEPT_S = 7 * 24 * 3600.0  # without use; no run takes longer than a day
_LOADER_S = 10.0  # it takes milliseconds
# Of the standard library, what no skill can use here or needs; beside what was installed into it.
_LEFT_OUT = frozenset(
    {"test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip"}
    | {"site-packages", "dist-packages", "posix", "right"}
)
# What wheels may expect of a system (PEP 600), or bring along only in part.
_OFTEN_NEEDED = (
    *("libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1"),
    *("libresolv.so.2", "libz.so.1", "libexpat.so.1"),
    *("libstdc++.so.6", "libgcc_s.so.1", "libgomp.so.1", "libatomic.so.1"),
)
_LIBRARY = re.compile(r"^\s*(\S+) => (/\S+) \(0x")


class PrivateRoots:
    """Makes root directories below one directory of root's own."""

    def __init__(self, place: str, host: Host) -> None:
        self._place = place
        self._host = host
        self._templates: dict[Language, str] = {}

    def make(self, plan: Plan, user: int, input_bytes: bytes) -> str:
        """Return a new root directory for a run of this user.

        Raises:
            SandboxUnavailable: it can't be made.
        """
        try:
            template = self._template(plan)
            root = tempfile.mkdtemp(prefix="run-", dir=self._place)
            try:
                os.chmod(root, 0o755)
                _link_tree(template, root)
                self._add_own(plan, root, user, input_bytes)
            except BaseException:
                remove_tree(root)
                raise
        except (OSError, subprocess.SubprocessError) as error:
            raise SandboxUnavailable(
                "the root directory for a skill can't be made", cause=str(error)
            ) from error
        return root

    def _add_own(self, plan: Plan, root: str, user: int, input_bytes: bytes) -> None:
        for mount in plan.mounts:
            place = root + mount.target
            if mount.kind == "copy-run":
                os.makedirs(place, exist_ok=True)
                _link_tree(mount.source, place)
            elif mount.kind == "file":
                os.makedirs(os.path.dirname(place), exist_ok=True)
                own = {"input": input_bytes, "passwd": passwd_for(user)}
                _write(place, own[mount.source])
        scratch = root + SCRATCH
        os.mkdir(scratch)
        os.chown(scratch, user, user)
        os.chmod(scratch, 0o700)

    def _template(self, plan: Plan) -> str:
        """Return the directory that all runs of a language begin with."""
        known = self._templates.get(plan.language)
        if known is not None and os.path.isdir(known):
            return known
        os.makedirs(self._place, mode=0o700, exist_ok=True)
        self._remove_leftovers()
        place = os.path.join(self._place, f"template-{self._name(plan)}")
        if not os.path.isdir(place):
            unfinished = tempfile.mkdtemp(prefix="unfinished-", dir=self._place)
            try:
                os.chmod(unfinished, 0o755)
                self._build(plan, unfinished)
                os.rename(unfinished, place)
            except BaseException:
                remove_tree(unfinished)
                if not os.path.isdir(place):  # else another process was faster
                    raise
        os.utime(place)  # it is in use
        self._templates[plan.language] = place
        return place

    def _remove_leftovers(self) -> None:
        """Remove what a crash left, and templates that nobody has begun with for long."""
        oldest_s = time.time() - KEPT_S
        with os.scandir(self._place) as entries:
            old = [entry.path for entry in entries if entry.stat().st_mtime < oldest_s]
        for path in old:
            remove_tree(path)

    def _name(self, plan: Plan) -> str:
        """Return a name that changes with what would be copied: a package replaces its files."""
        facts = [FORMAT, plan.language.value]
        for path in (*(mount.source for mount in plan.mounts), *self._host.libraries):
            if os.path.isabs(path) and not any(
                mount.kind == "copy-run" and mount.source == path for mount in plan.mounts
            ):
                status = os.stat(path) if os.path.exists(path) else None
                facts.append(f"{path} {status.st_mtime_ns if status else None}")
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]

    def _build(self, plan: Plan, place: str) -> None:
        copy = _Copies(place)
        programs = []
        for mount in plan.mounts:
            if mount.kind == "symlink":
                copy.link(mount.source, mount.target)
            elif mount.kind == "copy":
                copy.tree(mount.source)
            elif mount.kind.startswith("copy-program"):
                if mount.kind.endswith("-try") and not os.path.exists(mount.source):
                    continue
                copy.file(mount.source, mount.target)
                programs.append(mount.source)
            elif mount.kind == "device":
                copy.device(mount.source)
        for name, source in self._libraries([*programs, *copy.libraries]).items():
            copy.library(name, source)

    def _libraries(self, files: list[str]) -> dict[str, str]:
        """Return where the loader finds what these files need, by name."""
        found: dict[str, str] = {}
        for directory in self._host.libraries:
            for name in _OFTEN_NEEDED:
                if os.path.exists(f"{directory}/{name}"):
                    found.setdefault(name, f"{directory}/{name}")
        assert self._host.loader is not None
        for file in files:
            done = subprocess.run(
                [self._host.loader, "--list", file],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env={},
                timeout=_LOADER_S,
                check=False,
            )
            for line in done.stdout.decode("utf-8", "replace").splitlines():
                if match := _LIBRARY.match(line):
                    found.setdefault(match[1], match[2])
        return found


class _Copies:
    """Copies into a template, within its bounds."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._files = 0
        self._bytes = 0
        self.libraries: list[str] = []
        """Compiled modules that were copied."""

    def link(self, target: str, name: str) -> None:
        """Make a link, unless something has its name already."""
        place = self._place + name
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if not os.path.lexists(place):
            os.symlink(target, place)

    def file(self, source: str, target: str) -> None:
        """Copy one file, readable for all and writable for none but root."""
        place = self._place + target
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if os.path.lexists(place):
            return
        status = os.stat(source)
        self._files += 1
        self._bytes += status.st_size
        if self._files > FILES_MAX or self._bytes > BYTES_MAX:
            raise OSError(f"{source} and what is beside it are too much to copy")
        shutil.copyfile(source, place)
        os.chmod(place, 0o755 if status.st_mode & stat.S_IXUSR else 0o644)
        # Python takes compiled modules only if they are of a source of this date.
        os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))

    def tree(self, source: str) -> None:
        """Copy a file, or a directory without what is left out."""
        if not os.path.isdir(source):
            self.file(source, source)
            return
        for folder, folders, names in os.walk(source):
            folders[:] = [
                name for name in folders if name not in _LEFT_OUT and not name.startswith("config-")
            ]
            os.makedirs(self._place + folder, exist_ok=True)
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    self.file(path, path)
                    if ".so" in name:
                        self.libraries.append(path)

    def library(self, name: str, source: str) -> None:
        """Copy a shared library to where the loader looks for it by this name."""
        self.file(source, os.path.join(os.path.realpath(os.path.dirname(source)), name))

    def device(self, source: str) -> None:
        """Make a device, if this root may make one that can be opened; Python does without."""
        place = self._place + source
        os.makedirs(os.path.dirname(place), exist_ok=True)
        try:
            os.mknod(place, 0o666 | stat.S_IFCHR, os.stat(source).st_rdev)
            os.chmod(place, 0o666)
            os.close(os.open(place, os.O_RDONLY))
        except OSError:
            if os.path.lexists(place):
                os.unlink(place)


def _link_tree(source: str, target: str) -> None:
    """Fill a directory with links to the files of another one, or copies; directories are new."""
    for folder, folders, names in os.walk(source):
        inside = target + folder[len(source) :]
        for name in folders:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                os.symlink(os.readlink(path), f"{inside}/{name}")
            else:
                os.makedirs(f"{inside}/{name}", mode=0o755, exist_ok=True)
        for name in names:
            path = os.path.join(folder, name)
            try:
                os.link(path, f"{inside}/{name}", follow_symlinks=False)
            except OSError:
                shutil.copy2(path, f"{inside}/{name}", follow_symlinks=False)


def _write(place: str, content: bytes) -> None:
    with open(place, "wb") as file:
        file.write(content)
    os.chmod(place, 0o644)
