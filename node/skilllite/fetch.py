"""Getting a skill from where it is into a folder that only this user sees, where nothing trusts it.

The folder is removed when the block is left, however that happens. Nothing of what was fetched is
ever executed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from skilllite.errors import NotFound
from skilllite.found_skills import choose_skill, files_below
from skilllite.home import prepare_directory
from skilllite.install import Fetched, Origin
from skilllite.sources import GitSource, LocalSource, Source, WebSource
from skilllite_sandbox.archive import ARCHIVE_BYTES_MAX, remove_tree, unpack_zip_tree
from skilllite_sandbox.errors import InvalidSkill, SandboxError
from skilllite_sandbox.errors import NotFound as NoSuchFile
from skilllite_sandbox.manifest import folder_name, load_manifest
from skilllite_sandbox.policy import MIB

LEFTOVERS_KEPT_S = 3600.0  # far above the longest fetch: an older folder was left by a crash
_COPY_BYTES = 1 * MIB
_SUFFIXES = (".zip", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar")


@contextmanager
def fetch(
    source: Source, typed: str, incoming: Path, *, say: Callable[[str], None]
) -> Iterator[Fetched]:
    """Give a skill in a folder of its own, for as long as the block lasts.

    Args:
        source: What to fetch.
        typed: How the person wrote it, for what is recorded.
        incoming: Where folders for this are made.
        say: Called with lines for a person while it takes long.

    Raises:
        NotFound: there is no such folder, archive, repository or skill.
        UsageError: there are several skills.
        InvalidSkill: it can't be unpacked safely, or holds something else.
        Refused: it can't be had.
    """
    if isinstance(source, LocalSource) and Path(source.path).expanduser().is_dir():
        yield _local_folder(source)
        return
    with _quarantine(incoming) as folder:
        if isinstance(source, LocalSource):
            path = Path(source.path).expanduser()
            if not source.path or not path.exists():
                hint = "give a folder with a SKILL.md, or a zip or tar of one, or owner/repo"
                raise NotFound(f"there is no {source.path}", hint=hint)
            copy, sha256 = _copy_of(path, folder, named=typed)
            origin = Origin(os.fspath(path.absolute()), "archive", archive_sha256=sha256)
            yield _from_archive(copy, folder, "", source.skill, origin, named=typed)
        elif isinstance(source, WebSource):
            from skilllite.sources_web import download

            path = folder / "download"
            sha256 = download(source.url, path, say=say)
            origin = Origin(
                source.url, "download", subfolder=source.subfolder, archive_sha256=sha256
            )
            yield _from_archive(
                path, folder, source.subfolder, source.skill, origin, named=source.url
            )
        else:
            yield _from_git(source, folder, say)


def _local_folder(source: LocalSource) -> Fetched:
    path = Path(source.path).expanduser()
    origin = Origin(os.fspath(path.resolve()), "folder")
    if not source.skill and not (path / "SKILL.md").exists():
        inside = choose_skill(files_below(path), subfolder="", skill="", where=source.path)
        path = path / inside
    elif source.skill:
        inside = choose_skill(
            files_below(path),
            subfolder="",
            skill=source.skill,
            where=source.path,
            name_of=lambda folder: _name_in(path / folder),
        )
        path = path / inside
    return Fetched(path, folder_name(path), origin)


def _from_archive(
    path: Path, folder: Path, subfolder: str, skill: str, origin: Origin, *, named: str
) -> Fetched:
    root = folder / "unpacked"
    root.mkdir(mode=0o700)
    try:
        _unpack(path, root)
    except InvalidSkill as error:
        message = f"{named}: {error.message}"
        raise InvalidSkill(message, cause=error.cause, hint=error.hint) from None
    paths = files_below(root)
    inside = choose_skill(
        paths,
        subfolder=_below_wrapper(paths, subfolder),
        skill=skill,
        where=named,
        name_of=lambda each: _name_in(root / each),
    )
    # A nameless skill is named after its folder; at the top that is the archive.
    name = inside.rpartition("/")[2] or _stem(named)
    return Fetched(root / inside, name, origin)


def _unpack(path: Path, root: Path) -> None:
    from skilllite_sandbox.tar_archive import kind_of_archive, unpack_tar_tree

    try:
        if kind_of_archive(path) == "zip":
            unpack_zip_tree(path, root)
        else:
            unpack_tar_tree(path, root)
    except NoSuchFile as error:
        raise NotFound(error.message) from None


def _below_wrapper(paths: list[str], subfolder: str) -> str:
    """Return a subfolder below the one folder that archives of repositories wrap all in."""
    tops = {path.partition("/")[0] for path in paths}
    if subfolder and len(tops) == 1 and not any(p.startswith(f"{subfolder}/") for p in paths):
        return f"{tops.pop()}/{subfolder}"
    return subfolder


def _from_git(source: GitSource, folder: Path, say: Callable[[str], None]) -> Fetched:
    from skilllite.sources_git import GitRepository

    root = folder / "skill"
    with GitRepository(source.url, folder, say=say) as repository:
        commit = repository.fetch(source.ref)
        inside = choose_skill(
            repository.files(),
            subfolder=source.subfolder,
            skill=source.skill,
            where=source.url,
            name_of=lambda each: repository.skill_name(each),
        )
        root.mkdir(mode=0o700)
        repository.extract(inside, root)
    name = inside.rpartition("/")[2] or _stem(source.url)
    origin = Origin(source.url, "git", ref=source.ref, commit=commit, subfolder=inside)
    return Fetched(root, name, origin)


def _name_in(folder: Path) -> str:
    try:
        return load_manifest(folder, folder=folder.name)[0].name
    except SandboxError:
        return ""


def _stem(named: str) -> str:
    name = named.rstrip("/").rpartition("/")[2].rpartition(":")[2]
    name = name.partition("?")[0].partition("#")[0]
    for suffix in (*_SUFFIXES, ".git"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def _copy_of(path: Path, folder: Path, *, named: str) -> tuple[Path, str]:
    """Copy an archive and return the copy and its SHA-256: what is recorded is what is unpacked."""
    import hashlib
    import stat

    copy, content, size = folder / "archive" / path.name, hashlib.sha256(), 0
    copy.parent.mkdir(mode=0o700)
    try:
        # Without waiting: a pipe would be opened when somebody writes to it, perhaps never.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as source, copy.open("xb") as target:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                hint = "give a zip or tar archive"
                raise InvalidSkill(f"{named} is not a regular file", hint=hint)
            while chunk := source.read(_COPY_BYTES):
                size += len(chunk)
                if size > ARCHIVE_BYTES_MAX:
                    raise InvalidSkill(f"{named} is larger than {ARCHIVE_BYTES_MAX // MIB} MiB")
                content.update(chunk)
                target.write(chunk)
    except OSError as error:
        raise InvalidSkill(f"{named} can't be copied", cause=error.strerror) from None
    return copy, content.hexdigest()


@contextmanager
def _quarantine(incoming: Path) -> Iterator[Path]:
    prepare_directory(incoming)
    _remove_leftovers(incoming)
    folder = incoming / f"{os.getpid()}-{os.urandom(6).hex()}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        remove_tree(folder)


def _remove_leftovers(incoming: Path) -> None:
    now = time.time()
    for path in incoming.iterdir():
        with suppress(OSError):
            if now - path.lstat().st_mtime > LEFTOVERS_KEPT_S:
                remove_tree(path)
