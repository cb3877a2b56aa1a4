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


def choices_stamp(
    rules: Sequence[str] = (), suppressions: str | None = None, *, now_s: float | None = None
) -> str:
    """Return another text whenever a scan with these files may say something else.

    Empty when there are none. With suppressions it changes every day: they end.

    Args:
        rules: Folders of rules.
        suppressions: The file of suppressions.
        now_s: The wall clock.
    """
    parts: list[bytes] = []
    for directory in rules:
        for name in _toml_names(directory):
            parts += [name.encode("utf-8", "surrogateescape"), _read(f"{directory}/{name}") or b""]
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
