"""Bringing a skill's files to a new place: copied from a folder, or unpacked from a zip.

What arrives is regular files and folders below the destination and nothing else, within the
bounds of tree.py, and it arrives whole or not at all: everything is written under a temporary
name in the same folder and renamed at the end.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from skilllite_sandbox.digest import TreeEntry, digest_of_entries, directory_entry, file_entry
from skilllite_sandbox.errors import InvalidInput, InvalidSkill, NotFound
from skilllite_sandbox.manifest import SKILL_FILE
from skilllite_sandbox.policy import MIB
from skilllite_sandbox.tree import (
    READ_CHUNK_BYTES,
    TREE_ENTRIES_MAX,
    ByteBudget,
    TreeDirectory,
    walk_tree,
)
from skilllite_sandbox.unpacking import Unpacker

if TYPE_CHECKING:
    import zipfile

ARCHIVE_BYTES_MAX = 128 * MIB  # packed; half of what may come out of it
ZIP_DIRECTORY_BYTES_MAX = 8 * MIB  # 10,000 entries with names of some 700 bytes
UNFINISHED_PREFIX = ".incoming-"
LEFT_BEHIND = frozenset({"__pycache__", ".git"})
"""Folders that an installed copy goes without: by-products of working on a skill, not parts."""

_EOCD = struct.Struct("<4s4H2LH")
_EOCD_SIGNATURE = b"PK\x05\x06"
_ZIP64_LOCATOR_BYTES = 20
_ZIP64_SIGNATURE = b"PK\x06\x07"
_COMMENT_BYTES_MAX = 65_535
_STORED, _DEFLATED = 0, 8  # bzip2 and LZMA may ask for gigabytes to unpack a kilobyte
_ENCRYPTED = 0x1
_ENTRY_ERRORS = frozenset(
    {errno.EINVAL, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG}
)


def copy_tree(
    source: Path,
    destination: Path,
    *,
    read_only: bool,
    leave_behind: frozenset[str] = frozenset(),
    durable: bool = False,
) -> str:
    """Copy into a new directory and return the digest of the copy.

    The digest is of the bytes that were written, so a source that changes meanwhile can't get
    content in under a digest it doesn't have. A failure leaves a partial destination for the
    caller to remove.

    Raises:
        NotFound: there is no such source.
        InvalidSkill: it holds a link or a special file, or exceeds a bound.
    """
    budget = ByteBudget()
    entries: list[TreeEntry] = []
    folders = [destination]
    destination.mkdir(mode=0o700)
    for found in walk_tree(source):
        if leave_behind and not leave_behind.isdisjoint(found.path.split("/")):
            continue
        target = destination / found.path
        if isinstance(found, TreeDirectory):
            target.mkdir(mode=0o700)
            folders.append(target)
            entries.append(directory_entry(found.path))
            continue
        mode = (0o555 if read_only else 0o755) if found.executable else 0o444
        mode |= 0 if read_only else 0o200
        size, content = _write_file(target, found.chunks(budget), mode, durable=durable)
        entries.append(file_entry(found.path, found.executable, size, content))
    for folder in reversed(folders):
        folder.chmod(0o555 if read_only else 0o755)
        if durable:
            _sync_directory(folder)
    return digest_of_entries(entries)


def copy_skill(source: Path, destination: Path, *, replace: bool = False) -> str:
    """Install a skill's files at `destination`, whole or not at all, and return their digest.

    Raises:
        NotFound: there is no such source.
        InvalidSkill: it holds a link or a special file, or exceeds a bound.
        InvalidInput: the destination exists and `replace` is false, or lies inside the source.
    """
    if destination.absolute().is_relative_to(source.resolve()):
        raise InvalidInput(f"{destination} lies inside the skill that is to be copied")
    if not replace and os.path.lexists(destination):
        raise _occupied(destination)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with unfinished_beside(destination) as incoming:
        digest = copy_tree(
            source, incoming, read_only=False, leave_behind=LEFT_BEHIND, durable=True
        )
        move_into_place(incoming, destination, replace=replace)
    return digest


def unpack_zip(zip_path: Path, destination_dir: Path) -> Path:
    """Unpack a skill into a new or empty directory and return the folder that holds its SKILL.md.

    That is the destination, or the only folder in it when the archive wraps everything in one.

    Raises:
        NotFound: there is no such archive.
        InvalidSkill: it isn't a zip, holds anything but plain files and folders below its root, or
            exceeds a bound. Then the destination is as it was.
        InvalidInput: the destination is there and not empty.
    """
    if destination_dir.exists() and any(destination_dir.iterdir()):
        raise InvalidInput(f"{destination_dir} is not empty")
    destination_dir.parent.mkdir(parents=True, exist_ok=True)
    with unfinished_beside(destination_dir) as incoming:
        incoming.mkdir(mode=0o700)
        unpack_zip_tree(zip_path, incoming)
        inner = _skill_folder(incoming).relative_to(incoming)
        incoming.chmod(0o755)
        incoming.rename(destination_dir)
    return destination_dir / inner


def unpack_zip_tree(zip_path: Path, root: Path) -> None:
    """Unpack all of a zip into an empty folder; raises as `unpack_zip` and leaves what it wrote."""
    with _open_archive(zip_path) as archive:
        _unpack(archive, root, zip_path.stat().st_size)


def remove_tree(path: Path) -> None:
    """Remove a tree even where its folders are read-only; one that is gone already is fine."""
    import shutil

    if path.is_symlink():
        path.unlink()  # what it leads to is somebody else's
        return
    for folder, _, _ in os.walk(path):
        Path(folder).chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)


def remove_unfinished(folder: Path, *, older_than_s: float) -> None:
    """Remove what crashes have left in a folder under temporary names."""
    now = time.time()
    for path in folder.glob(f"{UNFINISHED_PREFIX}*"):
        with suppress(OSError):
            if now - path.lstat().st_mtime > older_than_s:
                remove_tree(path)


@contextmanager
def unfinished_beside(destination: Path) -> Iterator[Path]:
    """Give a temporary name beside the destination; what still has it at the end is removed."""
    name = f"{UNFINISHED_PREFIX}{os.getpid()}-{os.urandom(6).hex()}"
    incoming = destination.parent / name
    try:
        yield incoming
    finally:
        if os.path.lexists(incoming):
            remove_tree(incoming)


def move_into_place(incoming: Path, destination: Path, *, replace: bool) -> None:
    """Give a finished copy its name; what had it comes back when that fails.

    Raises:
        InvalidInput: the name is taken and `replace` is false.
    """
    if not replace:
        try:
            incoming.rename(destination)
        except OSError:
            raise _occupied(destination) from None
        _sync_directory(destination.parent)
        return
    from skilllite_sandbox.linux.exchange import exchange  # a stage copies too, and needs it not

    if os.path.lexists(destination) and exchange(incoming, destination):
        _sync_directory(destination.parent)
        remove_tree(incoming)  # which has become the old one
        return
    with unfinished_beside(destination) as old:
        if os.path.lexists(destination):
            destination.rename(old)
        try:
            incoming.rename(destination)
        except OSError:
            if os.path.lexists(old):
                old.rename(destination)
            raise
        _sync_directory(destination.parent)


def _occupied(destination: Path) -> InvalidInput:
    return InvalidInput(
        f"{destination} exists already", hint="replace it on purpose, or choose another name"
    )


def _write_file(
    target: Path, chunks: Iterator[bytes], mode: int, *, durable: bool = False
) -> tuple[int, bytes]:
    content = hashlib.sha256()
    size = 0
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in chunks:
            content.update(chunk)
            size += len(chunk)
            file.write(chunk)
        file.flush()
        os.fchmod(file.fileno(), mode)
        if durable:
            os.fsync(file.fileno())
    return size, content.digest()


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _open_archive(zip_path: Path) -> Iterator[zipfile.ZipFile]:
    import zipfile  # 8 ms, and only `add` needs it
    import zlib

    try:
        # Without waiting: a pipe would be opened when somebody writes to it, that is perhaps never.
        with open(zip_path, "rb", opener=_open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidSkill(f"{zip_path} is not a regular file", hint="give a zip archive")
            _check_archive_size(file)
            with zipfile.ZipFile(file) as archive:
                yield archive
    except FileNotFoundError:
        raise NotFound(f"no archive at {zip_path}") from None
    except IsADirectoryError:
        raise InvalidSkill(f"{zip_path} is a folder, not a zip archive") from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        OverflowError,
        RuntimeError,
        ValueError,
        struct.error,
    ) as error:
        raise _unusable(zip_path, error) from None
    except OSError as error:
        # Two entries of one name, a file where a folder should be, an offset before the start.
        if error.errno not in _ENTRY_ERRORS:
            raise
        raise _unusable(zip_path, error) from None


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _unusable(zip_path: Path, error: Exception) -> InvalidSkill:
    cause = getattr(error, "strerror", None) or str(error)
    return InvalidSkill(f"{zip_path.name} is not a usable zip archive", cause=cause)


def _check_archive_size(file: IO[bytes]) -> None:
    """Refuse before `zipfile` builds an object for each of a million listed files."""
    size = file.seek(0, os.SEEK_END)
    if size > ARCHIVE_BYTES_MAX:
        raise InvalidSkill(f"archive is larger than {ARCHIVE_BYTES_MAX // MIB} MiB")
    start = max(0, size - _EOCD.size - _COMMENT_BYTES_MAX - _ZIP64_LOCATOR_BYTES)
    file.seek(start)
    tail = file.read()
    # Where zipfile looks: a record without a comment at the very end, else the last one found.
    position = len(tail) - _EOCD.size
    if position < 0 or tail[position : position + 4] != _EOCD_SIGNATURE:
        position = tail.rfind(_EOCD_SIGNATURE)
    if position < 0 or len(tail) - position < _EOCD.size:
        raise InvalidSkill("archive has no table of contents", hint="is the download complete?")
    locator = tail[max(0, position - _ZIP64_LOCATOR_BYTES) : position]
    if locator.startswith(_ZIP64_SIGNATURE):
        raise InvalidSkill("archive is in the zip64 format, which no skill needs")
    directory_bytes = _EOCD.unpack_from(tail, position)[5]
    if directory_bytes > ZIP_DIRECTORY_BYTES_MAX:
        raise InvalidSkill(f"archive lists more than {TREE_ENTRIES_MAX} files")
    file.seek(0)


def _unpack(archive: zipfile.ZipFile, root: Path, packed_bytes: int) -> None:
    members = archive.infolist()
    if len(members) > TREE_ENTRIES_MAX:
        raise InvalidSkill(f"archive lists more than {TREE_ENTRIES_MAX} files")
    unpacker = Unpacker(root, packed_bytes=packed_bytes)
    for member in members:
        _check_member(member)
        if member.is_dir():
            unpacker.add_folder(member.filename)
            continue
        executable = bool(member.external_attr >> 16 & stat.S_IXUSR)
        with archive.open(member) as content:
            unpacker.add_file(member.filename, _chunks(content), executable=executable)


def _check_member(member: zipfile.ZipInfo) -> None:
    """Check what one listed file is; nothing is written before this agrees."""
    name = member.filename
    kind = stat.S_IFMT(member.external_attr >> 16)
    if not name:  # what follows a NUL is cut off; `is_dir` of older Pythons fails on nothing
        raise InvalidSkill("archive holds a file without a name")
    expected = stat.S_IFDIR if member.is_dir() else stat.S_IFREG
    if kind not in (0, expected):
        raise InvalidSkill(
            f"archive holds {name[:80]!r}, which is a link or a special file",
            hint="pack a skill of regular files and folders",
        )
    if member.flag_bits & _ENCRYPTED:
        raise InvalidSkill("archive is encrypted", hint="unpack it and add the folder")
    if member.compress_type not in (_STORED, _DEFLATED):
        raise InvalidSkill(
            f"archive packs {name[:80]!r} with method {member.compress_type}",
            hint="use plain deflate, what `zip -r` does",
        )


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    while chunk := content.read(READ_CHUNK_BYTES):
        yield chunk


def _skill_folder(root: Path) -> Path:
    if (root / SKILL_FILE).is_file():
        return root
    # Archives of a repository wrap everything in one folder; macOS adds one of its own.
    folders = [path for path in root.iterdir() if path.is_dir() and path.name != "__MACOSX"]
    if len(folders) == 1 and (folders[0] / SKILL_FILE).is_file():
        return folders[0]
    raise InvalidSkill(
        f"archive has no {SKILL_FILE} at its top or in its only folder",
        hint="pack one skill: the folder that holds SKILL.md",
    )
