"""Advisories on disk: one SQLite file an ecosystem, built aside and put in place as a whole.

What is kept of a record is what `advisory` reads, compressed; `meta` says where it came from and
when. A file that can't be read is no data base: what it might have said is unknown.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from skilllite_sandbox.supply.advisory import Advisory, parse_record
from skilllite_sandbox.supply.dependency import Ecosystem
from skilllite_sandbox.values import dataclass

FORMAT = 1  # of the file; another one is not read
RECORD_BYTES_MAX = 8 * 1024 * 1024  # one record as text; twice the largest that an update takes
FOUND_MAX = 2_000  # advisories for one name; the most that any package has is some hundred
_BATCH = 1_000  # rows a transaction step, so that the log stays small
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE advisory (name TEXT NOT NULL, record BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where the advisories of one ecosystem came from, and when."""

    ecosystem: Ecosystem
    source: str
    fetched_at: str
    """In UTC, ISO 8601."""
    etag: str
    modified: str
    """As the server said it."""
    count: int
    """Of advisories."""
    newest: str
    """The newest change of any record in it."""


class AdvisoryDatabase:
    """The advisories below one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[Ecosystem, sqlite3.Connection | None] = {}

    def path(self, ecosystem: Ecosystem) -> Path:
        """Return the file of an ecosystem."""
        return self._directory / f"{ecosystem.value.lower()}.sqlite3"

    def snapshot(self, ecosystem: Ecosystem) -> Snapshot | None:
        """Return what there is of an ecosystem; None when there is nothing that can be read."""
        connection = self._connection(ecosystem)
        if connection is None:
            return None
        try:
            meta = dict(connection.execute("SELECT key, value FROM meta"))
            return Snapshot(
                ecosystem=ecosystem,
                source=meta["source"],
                fetched_at=meta["fetched_at"],
                etag=meta["etag"],
                modified=meta["modified"],
                count=int(meta["count"]),
                newest=meta["newest"],
            )
        except (sqlite3.Error, KeyError, ValueError):
            return None

    def about(self, ecosystem: Ecosystem, name: str) -> tuple[Advisory, ...] | None:
        """Return the advisories about a name; None when there are no data to say so.

        Args:
            ecosystem: Whose package.
            name: In the one spelling of the ecosystem.
        """
        if self.snapshot(ecosystem) is None:
            return None
        connection = self._connection(ecosystem)
        assert connection is not None
        query = "SELECT record FROM advisory WHERE name = ? LIMIT ?"
        try:
            rows = connection.execute(query, (name, FOUND_MAX)).fetchall()
            found = [each for row in rows for each in parse_record(_unpacked(row[0]))]
        except (sqlite3.Error, ValueError, TypeError, zlib.error):
            return None  # what a damaged row would have said is unknown
        return tuple(each for each in found if (each.ecosystem, each.name) == (ecosystem, name))

    def close(self) -> None:
        """Close the files."""
        for connection in self._open.values():
            if connection is not None:
                connection.close()
        self._open.clear()

    def __enter__(self) -> AdvisoryDatabase:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _connection(self, ecosystem: Ecosystem) -> sqlite3.Connection | None:
        if ecosystem not in self._open:
            self._open[ecosystem] = _connect(self.path(ecosystem))
        return self._open[ecosystem]


def _connect(path: Path) -> sqlite3.Connection | None:
    try:
        # Not followed through a link, and never made: reading must not leave an empty data base.
        os.close(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    except (OSError, sqlite3.Error):
        return None
    try:
        if connection.execute("PRAGMA user_version").fetchone() == (FORMAT,):
            return connection
    except sqlite3.Error:
        pass
    connection.close()
    return None


def write_database(
    path: Path, records: Iterable[dict[str, Any]], meta: dict[str, str]
) -> tuple[int, int]:
    """Build the file of one ecosystem beside `path` and put it in its place.

    Args:
        path: Where it belongs.
        records: Records of OSV; those that are none are left out and counted.
        meta: `source`, `fetched_at`, `etag`, `modified`.

    Returns:
        How many records were kept, and how many were none.

    Raises:
        OSError: it can't be written; then what was there stays.
        ValueError: there is no record in it that can be read; then what was there stays.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    with contextlib.suppress(FileNotFoundError):
        aside.unlink()
    try:
        kept, refused = _fill(aside, records, meta)
        if not kept:
            raise ValueError("there is no advisory in it")
        _sync(aside)
        aside.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            aside.unlink()
    _sync(path.parent)
    return kept, refused


def _fill(path: Path, records: Iterable[dict[str, Any]], meta: dict[str, str]) -> tuple[int, int]:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    kept = refused = 0
    newest = ""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Nobody reads it before it is complete, so no journal is needed.
        connection.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_SCHEMA}")
        connection.execute("BEGIN")
        try:
            for record in records:
                rows = list(_rows(record))
                refused += not rows and not record.get("withdrawn")
                kept += bool(rows)
                modified = record.get("modified")
                newest = max(newest, modified if isinstance(modified, str) else "")
                connection.executemany("INSERT INTO advisory VALUES (?, ?)", rows)
                if kept % _BATCH == 0:
                    connection.execute("COMMIT")
                    connection.execute("BEGIN")
            connection.execute("CREATE INDEX by_name ON advisory (name)")
            facts = {**meta, "count": str(kept), "newest": newest[:40]}
            connection.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())
            connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise OSError(str(error)) from error
    return kept, refused


def _rows(record: object) -> Iterator[tuple[str, bytes]]:
    """Yield a row for each package that a record is about."""
    try:
        advisories = parse_record(record)
    except ValueError:
        return
    assert isinstance(record, dict)
    for name in dict.fromkeys(each.name for each in advisories):
        yield name, _packed(record)


def _packed(record: dict[str, Any]) -> bytes:
    kept = {
        key: record[key]
        for key in ("id", "aliases", "summary", "severity", "affected", "database_specific")
        if key in record
    }
    if "summary" not in kept and isinstance(record.get("details"), str):
        kept["summary"] = record["details"][:400]
    return zlib.compress(json.dumps(kept, separators=(",", ":")).encode("utf-8"), 6)


def _unpacked(packed: bytes) -> object:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(packed, RECORD_BYTES_MAX)
    if unpacker.unconsumed_tail:
        raise ValueError("a record is larger than it can be")
    return json.loads(text)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
