"""Files that only their owner may read: created once or replaced whole, never half.

Decides what "private" means (0600 in a directory nobody else can write) and refuses anything laxer
with the command that repairs it. What the bytes mean is left to the caller. Standard library only.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from skilllite_sandbox.errors import KeyUnusable

PRIVATE_FILE_BYTES_MAX = 4 * 1024 * 1024
"""Far above any key or team file; a larger one is not ours and isn't read into memory."""

_NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.EACCES, errno.EMLINK})
"""How file systems without hard links (some network and phone storage) answer `link`."""


def ensure_private_directory(directory: Path) -> None:
    """Create the directory as 0700, or tighten an existing one.

    A directory others can *write* is refused, not repaired: its files may have been swapped.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(directory.stat().st_mode)
        if mode & 0o022:
            raise KeyUnusable(
                f"{directory} can be written by other users (mode {mode:04o})",
                hint=f"check that its files are yours, then: chmod 700 {directory}",
            )
        if mode & 0o077:
            directory.chmod(0o700)
    except OSError as error:
        raise KeyUnusable(
            f"can't use the directory {directory}",
            cause=_reason(error),
            hint=f"make {directory} a directory of your own: chown it and chmod 700",
        ) from error


def read_private_file(path: Path) -> bytes | None:
    """Return the content, or None when there is no such file.

    Links are not followed: a key that points elsewhere has permissions we did not check.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyUnusable(
            f"can't read {path}",
            cause=_reason(error),
            hint=f"it must be a regular file of your own: chown it and chmod 600 {path}",
        ) from error
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise KeyUnusable(f"{path} is not a regular file", hint=f"move {path} away")
        mode = stat.S_IMODE(facts.st_mode)
        if mode & 0o077:
            raise KeyUnusable(
                f"{path} is open to other users (mode {mode:04o})",
                hint=f"if nobody else can have copied it: chmod 600 {path}",
            )
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(PRIVATE_FILE_BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    if len(content) > PRIVATE_FILE_BYTES_MAX:
        raise KeyUnusable(
            f"{path} is larger than {PRIVATE_FILE_BYTES_MAX} bytes",
            hint=f"restore {path} from a backup, or move it away",
        )
    return content


def create_private_file(path: Path, content: bytes) -> bool:
    """Write a new file; return False, and change nothing, when one is there already.

    The name appears with all of its content or not at all, whoever else creates it meanwhile.
    """
    temporary = _write_temporary(path, content)
    try:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            if path.exists():
                return False
            temporary.rename(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return True


def replace_private_file(path: Path, content: bytes) -> None:
    """Write the file in one step: a reader, or a restart, sees the old content or the new."""
    temporary = _write_temporary(path, content)
    try:
        temporary.rename(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def move_private_file(path: Path, destination: Path) -> None:
    """Rename within one directory tree, durable when this returns."""
    try:
        path.rename(destination)
        _sync_directory(destination.parent)
        if path.parent != destination.parent:
            _sync_directory(path.parent)
    except OSError as error:
        raise _cannot_write(destination, error) from error


def remove_private_file(path: Path) -> None:
    """Unlink if present, durable when this returns."""
    try:
        path.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            _sync_directory(path.parent)
    except OSError as error:
        raise KeyUnusable(
            f"can't remove {path}", cause=_reason(error), hint=f"chown {path.parent} to yourself"
        ) from error


def _write_temporary(path: Path, content: bytes) -> Path:
    # Beside the target, since rename and link work within one file system only.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    try:
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _cannot_write(path, error) from error
    return temporary


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cannot_write(path: Path, error: OSError) -> KeyUnusable:
    return KeyUnusable(
        f"can't write {path}",
        cause=_reason(error),
        hint=f"{path.parent} must be yours, writable, and on a disk with free space",
    )


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
