"""What may not be run or added here, whoever agrees: by content, by name, by source.

A file of the user, written by hand: `denylist.json` beside `config.toml`. A list that can't be read
refuses everything, because what it forbids isn't known.

    {"schema": 1, "entries": [
      {"digest": "sha256:…", "reason": "steals tokens"},
      {"name": "free-*", "source": "https://example.com/someone/*"}]}

`name` and `source` are patterns with `*`, `?` and `[…]`, upper and lower case alike; an entry with
both needs both to match.
"""

# ruff: noqa: PTH116

from __future__ import annotations

import os

from skilllite_sandbox.digest import is_digest
from skilllite_sandbox.errors import PolicyDenied
from skilllite_sandbox.policy import MIB
from skilllite_sandbox.values import dataclass

DENYLIST_NAME = "denylist.json"
DENYLIST_BYTES_MAX = 4 * MIB  # 30,000 entries
_FIELDS = frozenset({"digest", "name", "source", "reason"})


@dataclass(frozen=True, slots=True)
class Denied:
    """One entry; empty fields say nothing."""

    digest: str = ""
    name: str = ""
    source: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Denylist:
    """A list as it was read."""

    by_digest: dict[str, Denied]
    patterns: tuple[Denied, ...]

    def find(self, *, digest: str = "", name: str = "", source: str = "") -> Denied | None:
        """Return the entry that forbids this, if there is one."""
        found = self.by_digest.get(digest)
        if found is None and self.patterns and (name or source):
            found = next((each for each in self.patterns if _matches(each, name, source)), None)
        return found

    def refuse(self, *, digest: str = "", name: str = "", source: str = "") -> None:
        """Refuse what is on the list.

        Raises:
            PolicyDenied: it is.
        """
        found = self.find(digest=digest, name=name, source=source)
        if found is not None:
            raise PolicyDenied(
                f"{name or source or 'this skill'} is on the denylist",
                cause=found.reason or "the entry gives no reason",
                hint="`skilllite info` says where denylist.json is; nothing else allows it again",
            )


EMPTY = Denylist({}, ())


def decode_denylist(data: bytes) -> Denylist:
    """Return the list in a file.

    Raises:
        ValueError: it has another form; the message says where.
    """
    import json

    record = json.loads(data)
    if not isinstance(record, dict) or record.get("schema") != 1:
        raise ValueError('it must be {"schema": 1, "entries": […]}')
    entries = record.get("entries")
    if record.keys() != {"schema", "entries"} or not isinstance(entries, list):
        raise ValueError('it must be {"schema": 1, "entries": […]}')
    by_digest: dict[str, Denied] = {}
    patterns: list[Denied] = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or not entry.keys() <= _FIELDS:
            raise ValueError(f"entry {number} has other fields than digest, name, source, reason")
        if not all(isinstance(value, str) for value in entry.values()):
            raise ValueError(f"entry {number} holds something else than texts")
        denied = Denied(**entry)
        if denied.digest and (denied.name or denied.source or not is_digest(denied.digest)):
            raise ValueError(f"entry {number}: a digest is sha256:<64 hex> and stands alone")
        if denied.digest:
            by_digest[denied.digest] = denied
        elif denied.name or denied.source:
            patterns.append(denied)
        else:
            raise ValueError(f"entry {number} forbids nothing")
    return Denylist(by_digest, tuple(patterns))


class DenylistFile:
    """The list of one home, read anew when the file is another."""

    def __init__(self, name: str) -> None:
        """Take the path of the file, which need not exist."""
        self.name = name
        self._known: tuple[tuple[int, ...], Denylist] | None = None

    def current(self) -> Denylist:
        """Return the list.

        Raises:
            PolicyDenied: it can't be read.
        """
        try:
            facts = os.stat(self.name)
        except FileNotFoundError:
            return EMPTY
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from None
        stamp = (facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
        if self._known is not None and self._known[0] == stamp:
            return self._known[1]
        try:
            with open(self.name, "rb") as file:
                data = file.read(DENYLIST_BYTES_MAX + 1)
            if len(data) > DENYLIST_BYTES_MAX:
                raise ValueError(f"it is larger than {DENYLIST_BYTES_MAX // MIB} MiB")
            denylist = decode_denylist(data)
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from None
        except (ValueError, RecursionError) as error:
            raise self._unreadable(str(error)) from None
        self._known = (stamp, denylist)
        return denylist

    def _unreadable(self, cause: str) -> PolicyDenied:
        return PolicyDenied(
            "the denylist can't be read, so what it forbids isn't known",
            cause=f"{self.name}: {cause}",
            hint=f"correct {self.name}, or move it away",
        )


def _matches(entry: Denied, name: str, source: str) -> bool:
    from fnmatch import fnmatchcase

    wanted = ((entry.name, name), (entry.source, source))
    return all(
        fnmatchcase(text.casefold(), pattern.casefold()) for pattern, text in wanted if pattern
    )
