"""A directory is only taken for unchanged when nothing in it changed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from skilllite_sandbox import stamps
from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.stamps import KnownDigests, is_quiet, stamp_of


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory of some files that has been left alone for long enough."""
    found = tmp_path / "skill"
    (found / "scripts").mkdir(parents=True)
    (found / "scripts" / "main.py").write_text("print(1)", encoding="utf-8")
    (found / "notes.txt").write_text("notes", encoding="utf-8")
    return found


@pytest.fixture
def known(directory: Path, monkeypatch: pytest.MonkeyPatch) -> KnownDigests:
    """The digest of the directory, remembered."""
    later = time.time_ns() + 10 * stamps.QUIET_NS
    monkeypatch.setattr("skilllite_sandbox.stamps.time.time_ns", lambda: later)
    found = KnownDigests()
    before = found.before_reading(directory)
    found.remember(directory, before, compute_digest(directory))
    assert found.digest_of(directory) == compute_digest(directory)
    return found


def _same_size(directory: Path) -> None:
    (directory / "scripts" / "main.py").write_text("print(2)", encoding="utf-8")


def _with_its_time_set_back(directory: Path) -> None:
    path = directory / "scripts" / "main.py"
    status = path.stat()
    path.write_text("print(2)", encoding="utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _replaced(directory: Path) -> None:
    other = directory.parent / "other"
    other.write_text("print(2)", encoding="utf-8")
    other.replace(directory / "scripts" / "main.py")


def _directory_replaced(directory: Path) -> None:
    directory.rename(directory.parent / "old")
    (directory / "scripts").mkdir(parents=True)


CHANGES: dict[str, Callable[[Path], object]] = {
    "content of the same size": _same_size,
    "content with its time set back": _with_its_time_set_back,
    "another file in its place": _replaced,
    "another directory in its place": _directory_replaced,
    "a mode": lambda directory: (directory / "notes.txt").chmod(0o755),
    "a name": lambda directory: (directory / "notes.txt").rename(directory / "other.txt"),
    "a file more": lambda directory: (directory / "new").touch(),
    "an empty folder more": lambda directory: (directory / "scripts" / "new").mkdir(),
    "a link more": lambda directory: (directory / "link").symlink_to("notes.txt"),
    "a file less": lambda directory: (directory / "notes.txt").unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_noticed(directory: Path, known: KnownDigests, change: str) -> None:
    CHANGES[change](directory)

    assert known.digest_of(directory) is None


def test_what_changed_right_before_it_was_read_is_not_remembered(directory: Path) -> None:
    known = KnownDigests()

    known.remember(directory, known.before_reading(directory), "sha256:anything")

    assert known.digest_of(directory) is None


def test_quiet_means_that_no_entry_is_young(directory: Path) -> None:
    stamp = stamp_of(directory)
    youngest = max(int(str(facts[-1])) for facts in stamp)

    assert is_quiet(stamp, youngest + stamps.QUIET_NS + 1)
    assert not is_quiet(stamp, youngest + stamps.QUIET_NS)


def test_a_directory_that_is_gone_or_was_never_seen_has_no_known_digest(
    directory: Path, known: KnownDigests
) -> None:
    assert known.digest_of(directory.parent / "never") is None
    directory.rename(directory.parent / "gone")

    assert known.digest_of(directory) is None


def test_no_more_directories_are_remembered_than_the_bound(
    directory: Path, known: KnownDigests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "KNOWN_MAX", 1)
    other = directory.parent

    known.remember(other, known.before_reading(other), "sha256:other")

    assert known.digest_of(directory) is None
    assert known.digest_of(other) == "sha256:other"
