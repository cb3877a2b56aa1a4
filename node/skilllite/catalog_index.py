"""What was read out of each skill the last time, so that listing skills needs no YAML.

A cache: facts are taken from it only for a directory whose stamp (inode, size, mtime, ctime of
the files that the facts come from) is unchanged. Missing, damaged, or writable by somebody else,
it counts as empty. Only cheap modules here: `skilllite list` is measured against a bare
interpreter.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    from typing import Any

INDEX_VERSION = 2  # bump whenever reading a skill gives other facts than before
INDEX_BYTES_MAX = 8 * 1024 * 1024  # some 10,000 skills; a larger file is not ours
ENTRIES_MAX = 5000  # skills of all projects ever listed; above it only this listing's are kept

# What the facts are made of. The content of other scripts isn't: it changes no line of a listing.
_STAMPED = ("", "SKILL.md", "scripts", "requirements.txt", "pyproject.toml", "package.json")


class Facts:
    """What a listing says about one skill, or why it can't be used."""

    __slots__ = (
        *("description", "error", "lacks", "languages", "name", "problems", "programs", "tools"),
    )

    def __init__(
        self,
        *,
        name: str = "",
        description: str = "",
        lacks: tuple[str, ...] = (),
        languages: tuple[str, ...] = (),
        programs: tuple[str, ...] = (),
        tools: int = 0,
        problems: int = 0,
        error: str = "",
    ) -> None:
        self.name = name
        self.description = description
        self.lacks = lacks
        self.languages = languages
        self.programs = programs
        """What a bash skill says it needs and not every machine has."""
        self.tools = tools
        self.problems = problems
        self.error = error
        """Why the skill is skipped; empty when it isn't."""

    def to_json(self) -> dict[str, Any]:
        """Return the form that the index file holds."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Facts:
        """Return the facts of a record; ValueError when it isn't one."""
        facts = cls(**record)
        lists = ("lacks", "languages", "programs")
        for name in lists:
            setattr(facts, name, tuple(getattr(facts, name)))
        texts = [facts.name, facts.description, facts.error]
        for name in lists:
            texts += getattr(facts, name)
        if not all(type(text) is str for text in texts) or not (facts.name or facts.error):
            raise ValueError("facts of the wrong kind")
        if type(facts.tools) is not int or type(facts.problems) is not int:
            raise ValueError("counts of the wrong kind")
        return facts


def stamp_of(directory: Path) -> list[int] | None:
    """Return what the file system says about a skill; None when it has no SKILL.md."""
    stamp: list[int] = []
    for name in _STAMPED:
        try:
            found = os.stat(os.path.join(directory, name))  # noqa: PTH116, PTH118 - 60 times a listing
        except OSError:
            if name == "SKILL.md":
                return None
            stamp += (0, 0, 0, 0)
        else:
            stamp += (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return stamp


class CatalogIndex:
    """The index file, read once and written when something in it is new."""

    def __init__(self, file: Path | None) -> None:
        """Read the file; without one nothing is remembered."""
        self._file = file
        self._records = _read(file) if file is not None else {}
        self._seen: set[str] = set()
        self._changed = False

    def find(self, directory: Path, stamp: list[int]) -> Facts | None:
        """Return the facts of an unchanged skill."""
        key = str(directory)
        self._seen.add(key)
        record = self._records.get(key)
        if not isinstance(record, dict) or record.get("stamp") != stamp:
            return None
        try:
            return Facts.from_json(record["facts"])
        except (KeyError, TypeError, ValueError):
            return None

    def remember(self, directory: Path, stamp: list[int], facts: Facts) -> None:
        """Keep the facts of a skill that was just read."""
        self._seen.add(str(directory))
        self._records[str(directory)] = {"stamp": stamp, "facts": facts.to_json()}
        self._changed = True

    def forget_all(self) -> None:
        """Start over, as `reindex` does."""
        self._records = {}
        self._changed = True

    def save(self) -> None:
        """Write what is new; a cache that can't be written is no error."""
        if self._file is None or not self._changed:
            return
        if len(self._records) > ENTRIES_MAX:
            self._records = {key: self._records[key] for key in self._seen & self._records.keys()}
        document = {"version": INDEX_VERSION, "skills": self._records}
        temporary = self._file.with_name(f".{self._file.name}.{os.getpid()}-{os.urandom(4).hex()}")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            data = json.dumps(document, separators=(",", ":")).encode("utf-8")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            temporary.replace(self._file)
        except OSError:
            _forget(temporary)
        self._changed = False


def _forget(file: Path) -> None:
    try:  # noqa: SIM105 - contextlib costs a listing 2 ms
        file.unlink()
    except OSError:
        pass


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            status = os.fstat(opened.fileno())
            if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return {}  # somebody else's word on which name means which folder
            data = opened.read(INDEX_BYTES_MAX + 1)
        document = json.loads(data) if len(data) <= INDEX_BYTES_MAX else None
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(document, dict) or document.get("version") != INDEX_VERSION:
        return {}
    records = document.get("skills")
    return records if isinstance(records, dict) else {}
