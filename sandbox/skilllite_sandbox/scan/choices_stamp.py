"""What the files of a user say to the scanner, as one short text: for whoever keeps verdicts.

Imports nothing of the scanner and parses nothing: a run whose verdict is kept comes through here.
"""

from __future__ import annotations

import os
import time

from skilllite_sandbox.digest import sha256

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Sequence

_BYTES_MAX = 64 * 1024 + 1  # what `user_files` reads of one, and refuses above
_FILES_MAX = 65  # likewise
_YARA = (".yar", ".yara")


def choices_stamp(
    rules: Sequence[str] = (),
    suppressions: str | None = None,
    *,
    advisories: str = "",
    now_s: float | None = None,
) -> str:
    """Return another text whenever a scan with these files may say something else.

    Empty when there are none. With suppressions it changes every day: they end.

    Args:
        rules: Folders of rules.
        suppressions: The file of suppressions.
        advisories: The folder of advisories.
        now_s: The wall clock.
    """
    parts: list[bytes] = []
    for directory in rules:
        for name in _toml_names(directory):
            parts += [name.encode("utf-8", "surrogateescape"), _read(f"{directory}/{name}") or b""]
        parts += [_state(path) for path in yara_files(directory)]
    if advisories:
        parts += [_state(path) for path in _files_in(advisories, (".sqlite3",))]
    told = None if suppressions is None else _read(suppressions)
    if told is not None:
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() if now_s is None else now_s))
        parts += [b"suppressions", day.encode(), told]
    if not parts:
        return ""
    total = sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


def yara_files(directory: str) -> list[str]:
    """Return the paths of the YARA rules directly in a folder and in folders of it."""
    found = _files_in(directory, _YARA)
    try:
        with os.scandir(directory) as entries:
            below = sorted(entry.path for entry in entries if entry.is_dir())
    except OSError:
        return found
    for path in below[:_FILES_MAX]:
        found += _files_in(path, _YARA)
    return found


def _files_in(directory: str, suffixes: tuple[str, ...]) -> list[str]:
    try:
        names = os.listdir(directory)  # noqa: PTH208 - without pathlib
    except OSError:
        return []
    return [f"{directory}/{name}" for name in sorted(names) if name.endswith(suffixes)]


def _state(path: str) -> bytes:
    """Return what changes when a large file does; its content is not read."""
    try:
        status = os.stat(path)  # noqa: PTH116 - without pathlib
    except OSError as error:
        return f"{path} {error.errno}".encode("utf-8", "surrogateescape")
    facts = f"{path} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
    return facts.encode("utf-8", "surrogateescape")


def _toml_names(directory: str) -> list[str]:
    try:
        names = os.listdir(directory)  # noqa: PTH208 - without pathlib
    except OSError:
        return []  # reading the rules says what is wrong with it
    return sorted(name for name in names if name.endswith(".toml"))[:_FILES_MAX]


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(_BYTES_MAX)
    except FileNotFoundError:
        return None
    except OSError as error:
        return str(error.errno).encode()
