"""Fetches advisories and puts them in place of the old ones; never half of them.

A source is laid out as the public one is: `ECOSYSTEM/all.zip` below an address, a record of OSV in
each file of the zip. A folder of the same layout works as well, for machines without a network.
"""

from __future__ import annotations

import contextlib
import json
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from skilllite_sandbox.policy import KIB, MIB
from skilllite_sandbox.supply.database import AdvisoryDatabase, Snapshot, write_database
from skilllite_sandbox.supply.dependency import Ecosystem
from skilllite_sandbox.supply.fetch import (
    Answer,
    Progress,
    SourceUnreachable,
    read_bounded,
    requested,
)
from skilllite_sandbox.values import dataclass

DEFAULT_SOURCE = "https://osv-vulnerabilities.storage.googleapis.com"
ARCHIVE_BYTES_MAX = 1024 * MIB  # npm's, with all its malicious packages, has some 200
RECORDS_MAX = 2_000_000  # files in one archive
RECORD_BYTES_MAX = 4 * MIB  # one file; the largest has half of one
UNPACKED_BYTES_MAX = 16 * 1024 * MIB  # all of them; compressed to a tenth
DOWNLOAD_S = 1800.0  # 200 MiB on a slow line
_COPY_BYTES = 256 * KIB

# What zipfile has been seen to raise for damaged bytes.
_NO_ZIP = (
    *(zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, RuntimeError),
    *(NotImplementedError, UnicodeError, OverflowError, MemoryError),
)

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update of one ecosystem did."""

    snapshot: Snapshot
    changed: bool
    """False when the source has nothing newer."""
    refused: int = 0
    """Files in the archive that are no records."""


def update_advisories(
    directory: Path,
    ecosystem: Ecosystem,
    source: str = DEFAULT_SOURCE,
    *,
    progress: Progress | None = None,
    now: Now = lambda: datetime.now(UTC),
) -> Updated:
    """Bring the advisories of one ecosystem up to date.

    Args:
        directory: Where they are kept.
        ecosystem: Whose packages.
        source: An address or a folder.
        progress: Told about bytes that come.
        now: The clock.

    Raises:
        SourceUnreachable: they can't be had or are none; what was there stays.
        OSError: they can't be written; what was there stays.
    """
    with AdvisoryDatabase(directory) as database:
        old = database.snapshot(ecosystem)
        path = database.path(ecosystem)
    place = f"{source.rstrip('/')}/{ecosystem.value}/all.zip"
    with tempfile.TemporaryFile() as archive:
        answer = _bring(place, archive, old, progress)
        if answer is None:
            assert old is not None
            return Updated(old, changed=False)
        meta = {
            "source": place,
            "fetched_at": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "etag": answer.etag,
            "modified": answer.modified,
        }
        archive.seek(0)
        try:
            _, refused = write_database(path, records_of(archive), meta)
        except ValueError as error:
            raise SourceUnreachable(f"{place} holds no advisories", cause=str(error)) from None
    with AdvisoryDatabase(directory) as database:
        snapshot = database.snapshot(ecosystem)
    if snapshot is None:
        raise SourceUnreachable(f"{place} holds no advisories")
    return Updated(snapshot, changed=True, refused=refused)


def records_of(archive: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Yield every record of an archive; one that is no JSON object as an empty one.

    Raises:
        ValueError: it is no archive, or a bound is exceeded.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            if len(members) > RECORDS_MAX:
                raise ValueError(f"it has more than {RECORDS_MAX} files")
            if sum(member.file_size for member in members) > UNPACKED_BYTES_MAX:
                raise ValueError("it is larger than a collection of advisories can be")
            for member in members:
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ValueError("it is packed in an unusual way")
                if member.filename.endswith(".json") and not member.is_dir():
                    yield _record(opened, member)
    except _NO_ZIP as error:
        raise ValueError(f"it is no zip that can be read: {error}") from None


def _record(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> dict[str, Any]:
    # What the directory of a zip says about sizes is its author's word: count what comes.
    with opened.open(member) as stream:
        data = stream.read(RECORD_BYTES_MAX + 1)
    if len(data) > RECORD_BYTES_MAX:
        return {}
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _bring(
    place: str, into: IO[bytes], old: Snapshot | None, progress: Progress | None
) -> Answer | None:
    """Copy the archive of a source; None when the one that is there is still the newest."""
    if "://" not in place:
        return _copy(Path(place), into)
    headers = {}
    if old is not None and old.source == place:
        if old.etag:
            headers["If-None-Match"] = old.etag
        elif old.modified:
            headers["If-Modified-Since"] = old.modified
    with requested(place, headers=headers) as (answer, body):
        if answer.status == 304 and headers:
            return None
        if body is None:
            raise SourceUnreachable(f"{place} is not there", cause=f"it answered {answer.status}")
        for chunk in read_bounded(body, ARCHIVE_BYTES_MAX, DOWNLOAD_S, progress=progress):
            into.write(chunk)
        return answer


def _copy(path: Path, into: IO[bytes]) -> Answer:
    try:
        with path.open("rb") as file:
            left = ARCHIVE_BYTES_MAX
            while chunk := file.read(_COPY_BYTES):
                left -= len(chunk)
                if left < 0:
                    raise SourceUnreachable(f"{path} has more than {ARCHIVE_BYTES_MAX} bytes")
                into.write(chunk)
    except OSError as error:
        cause = error.strerror or str(error)
        raise SourceUnreachable(f"{path} can't be read", cause=cause) from None
    modified = ""
    with contextlib.suppress(OSError):
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()
    return Answer(200, "", modified)
