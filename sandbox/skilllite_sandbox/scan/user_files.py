"""Files by which a user tells the scanner more, and errors in them. They are never a skill's."""

from __future__ import annotations

import os

from skilllite_sandbox.errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FILE_BYTES_MAX = 64 * 1024  # hundreds of entries; what is larger is something else
FILES_MAX = 64  # of rules in one folder


def read_toml(path: str) -> dict[str, Any]:
    """Return what a file says; nothing when there is none.

    Raises:
        InvalidInput: it can't be read: to go on without it would undo what it made stricter.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise unusable(path, error.strerror or str(error)) from error
    if len(data) > FILE_BYTES_MAX:
        raise unusable(path, f"larger than {FILE_BYTES_MAX // 1024} KiB")
    import tomllib  # 10 ms, and most users have no such file

    try:
        return tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise unusable(path, f"not valid TOML: {error}") from error


def toml_files(directory: str) -> list[str]:
    """Return the paths of the `.toml` files of a folder, in the order of their names.

    Raises:
        InvalidInput: it can't be read, or has too many.
    """
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(".toml"))  # noqa: PTH208
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unusable(directory, error.strerror or str(error)) from error
    if len(names) > FILES_MAX:
        raise unusable(directory, f"more than {FILES_MAX} files of rules")
    return [f"{directory}/{name}" for name in names]


def entries_of(document: Mapping[str, Any], key: str, path: str) -> list[dict[str, Any]]:
    """Return the tables `[[key]]` of a document, in which there is nothing else.

    Raises:
        InvalidInput: there is.
    """
    unknown = sorted(set(document) - {key})
    if unknown:
        raise unusable(path, f"`{unknown[0]}` means nothing here, only [[{key}]]")
    entries = document.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise unusable(path, f"[[{key}]] must be tables")
    return entries


def text_of(
    entry: Mapping[str, Any], key: str, where: str, *, most: int, otherwise: str | None = None
) -> str:
    """Return a text of an entry, which has to be there unless there is a default.

    Raises:
        InvalidInput: it is missing, no text, empty or too long.
    """
    value = entry.get(key, otherwise)
    if value is None:
        raise unusable(where, f"`{key}` is missing")
    if not isinstance(value, str) or (not value and otherwise is None):
        raise unusable(where, f"`{key}` must be a text")
    if len(value) > most:
        raise unusable(where, f"`{key}` has more than {most} characters")
    return value


def only_keys(entry: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    """Raise for a key that means nothing: a slip of the pen must not be a silent nothing.

    Raises:
        InvalidInput: there is one.
    """
    unknown = sorted(set(entry) - known)
    if unknown:
        raise unusable(where, f"`{unknown[0]}` means nothing here; known are {sorted(known)}")


def unusable(where: str, cause: str) -> InvalidInput:
    """Return the error for a file of the user."""
    return InvalidInput(
        f"{where} can't be used", cause=cause, hint="correct the file, or move it away"
    )
