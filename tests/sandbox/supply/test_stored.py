"""A scan may ask the advisories on disk, and says nothing more where there are none."""

from __future__ import annotations

from pathlib import Path

from advisory_server import advisory_record
from skilllite_sandbox.scan.finding import Severity
from skilllite_sandbox.scan.source import make_source
from skilllite_sandbox.supply.database import write_database
from skilllite_sandbox.supply.stored import stored_findings

META = {"source": "here", "fetched_at": "2026-11-26T00:00:00Z", "etag": "", "modified": ""}
FILES = [make_source("requirements.txt", b"thing==1.0\nbad==1.0\nunpinned\n")]


def test_advisories_on_disk_add_their_findings(tmp_path: Path) -> None:
    records = [
        advisory_record("GHSA-1111-1111-1111", "thing", fixed="2.0"),
        advisory_record("MAL-2026-1", "bad"),
    ]
    write_database(tmp_path / "pypi.sqlite3", records, META)

    found = stored_findings(FILES, tmp_path)

    assert [(each.code, each.severity, each.line) for each in found] == [
        ("SL601", Severity.CRITICAL, 2),
        ("SL609", Severity.HIGH, 1),
    ]


def test_without_advisories_there_is_nothing_to_add(tmp_path: Path) -> None:
    assert stored_findings(FILES, tmp_path / "none") == ()
    assert stored_findings([make_source("a.py", b"")], tmp_path) == ()
