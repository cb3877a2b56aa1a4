"""The stage: one read-only copy of each skill, named by its content.

Digest, scan, consent and execution all refer to this copy, so nothing can change between the
check and the use, and a skill in a private home or below /tmp can be shown to a sandbox that sees
neither.

Layout: `ROOT/by-digest/<hex of the digest>/skill/…` is the copy, `skill.json` beside it what
reading it gave. The root is 0700: who may not enter it sees no skill at all. `by-digest` is what
sandboxes get by a mount: who is in there under another uid can pass to what it knows by its digest,
and list nothing (0711). The copies are readable to everybody (0444, 0555).

An entry is complete when it has its final name: it is built under a temporary one and renamed. At
its first use in every process its content is hashed again, which costs no more than the digest of
the source that `put` needs anyway and finds what a crash, a disk or a process of root did to it.
Later uses compare the inode, size, mtime and ctime of every path with what they were before that
hash; ctime can't be set back by anybody but root. A damaged entry is never used: `put` builds it
again.
"""

# Strings, not pathlib, on the way to a copy that is there: every run waits for it.
# ruff: noqa: PTH100, PTH116, PTH119

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from _thread import allocate_lock
from collections.abc import Iterator

from skilllite_sandbox.digest import compute_digest, is_digest
from skilllite_sandbox.errors import InvalidSkill, NotFound, SandboxUnavailable
from skilllite_sandbox.manifest import folder_name
from skilllite_sandbox.skill import Skill, read_skill
from skilllite_sandbox.skill_record import InvalidRecord, decode_skill, encode_skill, with_name
from skilllite_sandbox.stamps import KnownDigests, Stamp, stamp_of
from skilllite_sandbox.values import dataclass, replace

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from pathlib import Path

    from skilllite_sandbox.integrity.guard import Guard

COPY_NAME = "skill"
RECORD_NAME = "skill.json"
STORE_NAME = "by-digest"
STORE_MODE = 0o711
RECORD_BYTES_MAX = 1024 * 1024  # a manifest, a schema and examples at their bounds: 300 KiB
ENTRIES_KEPT = 256  # edits of a skill leave entries behind; this many, then the oldest go
USE_NOTED_EVERY_S = 60.0
KEPT_AT_LEAST_S = 24 * 3600.0  # an entry used within a day may have a job on it, and stays
UNFINISHED_KEPT_S = 3600.0  # far above the longest copy: an older one was left by a crash
LOCK_WAIT_S = 10.0  # the lock is held for a rename and a hash; longer means a stopped process
_LOCK_POLL_S = 0.01
_LOCK_NAME = ".lock"


@dataclass(frozen=True, slots=True)
class StagedSkill:
    """A skill whose files can't change any more."""

    digest: str
    place: str
    """The path of the read-only copy."""
    skill: Skill
    """Read from the copy."""

    @property
    def directory(self) -> Path:
        """The read-only copy."""
        return _path(self.place)


@dataclass(frozen=True, slots=True)
class _Verified:
    staged: StagedSkill
    stamp: Stamp


class Stage:
    """A content-addressed store of skills, shared by threads and processes."""

    def __init__(self, root: str | Path, guard: Guard | None = None) -> None:
        """Open a store.

        Args:
            root: Its directory.
            guard: Asked about each skill before `put` gives its copy.
        """
        self.guard = guard
        self._place = os.path.abspath(root)
        self._sources = KnownDigests()
        self._verified: dict[str, _Verified] = {}
        self._verified_lock = allocate_lock()

    @property
    def root(self) -> Path:
        """The directory of the store."""
        return self._root

    @property
    def _root(self) -> Path:
        return _path(self._place)

    @property
    def _store(self) -> Path:
        return self._root / STORE_NAME

    def put(self, directory: str | Path) -> StagedSkill:
        """Return the staged copy of a skill, made now unless the same content is there already.

        Raises:
            NotFound: there is no such directory.
            InvalidSkill: it can't be used, or holds a link or a special file, or exceeds a bound.
            SkillChanged: it was installed, and isn't what was installed.
            PolicyDenied: it is on the denylist.
            SandboxUnavailable: the stage can't be written.
        """
        folder = folder_name(directory)
        stamp, digest = self._read_source(directory)
        trust = None
        if self.guard is not None:
            trust = self.guard.admit(os.fspath(directory), digest, stamp)
        staged = self.get(digest, folder=folder)
        if staged is None:
            try:
                staged = self._copy_in(directory, folder)
            except OSError as error:
                raise _unwritable(self._place, error) from None
            if self.guard is not None and staged.digest != digest:
                # It changed since it was compared: then what was copied is another skill.
                trust = self.guard.admit(os.fspath(directory), staged.digest, None)
        if self.guard is not None and trust is not None:
            self.guard.admit_name(os.fspath(directory), staged.skill.name, trust)
        if staged.skill.manifest.named or staged.skill.name == folder:
            return staged
        # Two folders of one content without a name in it: each keeps its own.
        return replace(staged, skill=with_name(staged.skill, folder))

    def _read_source(self, directory: str | Path) -> tuple[Stamp | None, str]:
        """Return the digest of a skill and the stamp that was taken before it was read."""
        seen = self._sources.seen(directory)
        if seen is not None:
            return seen
        before = self._sources.before_reading(directory)
        try:
            digest = compute_digest(directory)
        except InvalidSkill as error:
            if self.guard is not None:
                raise self.guard.explain(os.fspath(directory), error) from None
            raise
        self._sources.remember(directory, before, digest)
        return before[0] if before is not None else None, digest

    def get(self, digest: str, *, folder: str | None = None) -> StagedSkill | None:
        """Return the skill of this digest; None when it isn't here, or is damaged.

        Args:
            digest: What `put` or `compute_digest` gave.
            folder: The name for a skill that has none and was never read before.
        """
        if not is_digest(digest):
            return None
        entry = self._entry(digest)
        with contextlib.suppress(OSError):
            # When it was last used, for `_prune`, which counts in days.
            if time.time() - os.stat(entry).st_mtime > USE_NOTED_EVERY_S:
                os.utime(entry)
        copy = f"{entry}/{COPY_NAME}"
        with self._verified_lock:
            known = self._verified.get(digest)
        try:
            stamp = stamp_of(copy)
            if known is not None and known.stamp == stamp:
                return known.staged
            # The stamp was taken before the hash: what changes in between differs from it next
            # time.
            if compute_digest(copy) != digest:
                return None
        except (OSError, NotFound, InvalidSkill):
            return None
        staged = StagedSkill(digest, copy, self._read(digest, folder))
        with self._verified_lock:
            if len(self._verified) > 2 * ENTRIES_KEPT:
                self._verified.clear()
            self._verified[digest] = _Verified(staged, stamp)
        return staged

    def _entry(self, digest: str) -> str:
        return f"{self._place}/{STORE_NAME}/{digest.removeprefix('sha256:')}"

    def _read(self, digest: str, folder: str | None) -> Skill:
        entry = self._entry(digest)
        copy = f"{entry}/{COPY_NAME}"
        try:
            with open(f"{entry}/{RECORD_NAME}", "rb") as file:
                data = file.read(RECORD_BYTES_MAX)
            return decode_skill(data, digest=digest, directory=copy)
        except (OSError, InvalidRecord):
            skill = read_skill(copy, folder=folder or f"skill-{os.path.basename(entry)[:12]}")
        with contextlib.suppress(OSError):  # a cache: without it the next run is slower, no more
            _write_record(_path(entry), skill, digest)
        return skill

    def _copy_in(self, directory: str | Path, folder: str) -> StagedSkill:
        from skilllite_sandbox.archive import copy_tree, unfinished_beside

        self._prepare_root()
        self._prune()
        with unfinished_beside(self._root / COPY_NAME) as incoming:
            incoming.mkdir()
            incoming.chmod(0o755)  # whatever the umask: other users pass through it
            digest = copy_tree(_path(directory), incoming / COPY_NAME, read_only=True)
            skill = read_skill(incoming / COPY_NAME, folder=folder)
            _write_record(incoming, skill, digest)
            with self._exclusive():
                staged = self.get(digest, folder=folder)
                if staged is None:
                    self._install(incoming, digest)
                    staged = self.get(digest, folder=folder)
        if staged is None:
            raise SandboxUnavailable(
                f"the copy of {directory} in the stage does not keep its content",
                hint=f"check the disk that holds {self._root}",
            )
        return staged

    def _install(self, incoming: Path, digest: str) -> None:
        from skilllite_sandbox.archive import unfinished_beside

        entry = _path(self._entry(digest))
        with unfinished_beside(entry) as damaged:
            if os.path.lexists(entry):
                entry.rename(damaged)
            incoming.rename(entry)

    def _prepare_root(self) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = self._root.lstat()
        if status.st_uid != os.geteuid():
            raise SandboxUnavailable(
                f"the stage {self._root} belongs to another user",
                hint="remove it, or point the cache elsewhere",
            )
        if status.st_mode & 0o077:
            self._root.chmod(0o700)
        self._store.mkdir(mode=STORE_MODE, exist_ok=True)
        if stat.S_IMODE(self._store.stat().st_mode) != STORE_MODE:
            self._store.chmod(STORE_MODE)

    def _prune(self) -> None:
        """Remove what crashes left and, above `ENTRIES_KEPT`, what nobody used for a day."""
        from skilllite_sandbox.archive import UNFINISHED_PREFIX, remove_tree

        now = time.time()
        entries: list[tuple[float, Path]] = []
        for place in (self._root, self._store):
            with os.scandir(place) as found:
                for item in found:
                    with contextlib.suppress(OSError):
                        age_s = now - item.stat(follow_symlinks=False).st_mtime
                        unfinished = item.name.startswith(UNFINISHED_PREFIX)
                        if unfinished and age_s > UNFINISHED_KEPT_S:
                            remove_tree(_path(item.path))
                        elif item.name != STORE_NAME and not item.name.startswith("."):
                            # In the root itself: an entry of the layout before this one.
                            entries.append((age_s, _path(item.path)))
        entries.sort()
        for age_s, path in entries[ENTRIES_KEPT:]:
            if age_s > KEPT_AT_LEAST_S:
                remove_tree(path)

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        descriptor = os.open(self._root / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            deadline = time.monotonic() + LOCK_WAIT_S
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise _locked(self._root) from None
                    time.sleep(_LOCK_POLL_S)
            yield
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def open_temporary_stage(guard: Guard | None = None) -> Iterator[Stage]:
    """Open a stage that is removed at the end, with every copy in it."""
    import tempfile  # 7 ms with what it imports, and a run has a stage of its own

    from skilllite_sandbox.archive import remove_tree

    root = _path(tempfile.mkdtemp(prefix="skilllite-stage-"))
    try:
        yield Stage(root, guard)
    finally:
        remove_tree(root)


def _path(name: str | Path) -> Path:
    from pathlib import Path  # 4 ms, and using a copy that is there needs none

    return Path(name)


def _write_record(entry: Path, skill: Skill, digest: str) -> None:
    from skilllite_sandbox.archive import unfinished_beside

    with unfinished_beside(entry / RECORD_NAME) as temporary:
        temporary.write_bytes(encode_skill(skill, digest))
        temporary.replace(entry / RECORD_NAME)


def _unwritable(root: str, error: OSError) -> SandboxUnavailable:
    return SandboxUnavailable(
        f"the stage {root} can't be written",
        cause=error.strerror or str(error),
        hint="check its owner and the free space; `skilllite doctor` looks at both",
    )


def _locked(root: Path) -> SandboxUnavailable:
    return SandboxUnavailable(
        f"the stage {root} has been locked for {LOCK_WAIT_S:.0f} s",
        hint="a stopped skilllite process may hold it",
    )
