"""A private file is 0600, whole, and never follows a link or replaces what it should not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from skilllite_sandbox import private_file
from skilllite_sandbox.errors import KeyUnusable
from skilllite_sandbox.private_file import (
    create_private_file,
    ensure_private_directory,
    move_private_file,
    read_private_file,
    remove_private_file,
    replace_private_file,
)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_created_file_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert create_private_file(tmp_path / "key", b"secret")
    finally:
        os.umask(before)

    assert mode_of(tmp_path / "key") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_creating_never_replaces(tmp_path: Path) -> None:
    create_private_file(tmp_path / "key", b"first")

    assert not create_private_file(tmp_path / "key", b"second")
    assert read_private_file(tmp_path / "key") == b"first"


def test_creating_works_on_a_file_system_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)

    assert create_private_file(tmp_path / "key", b"first")
    assert not create_private_file(tmp_path / "key", b"second")
    assert read_private_file(tmp_path / "key") == b"first"


def test_a_failed_replacement_leaves_the_old_content_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_private_file(tmp_path / "state", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(KeyUnusable, match="can't write") as caught:
        replace_private_file(tmp_path / "state", b"new")
    assert caught.value.cause == "no space left on device"
    assert read_private_file(tmp_path / "state") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_a_file_that_others_can_read_is_refused_with_the_command_that_repairs_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "key"
    create_private_file(path, b"secret")
    path.chmod(0o640)

    with pytest.raises(KeyUnusable, match="open to other users") as caught:
        read_private_file(path)
    assert f"chmod 600 {path}" in str(caught.value.hint)


def test_links_pipes_and_directories_are_not_private_files(tmp_path: Path) -> None:
    create_private_file(tmp_path / "real", b"secret")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "directory").mkdir(mode=0o700)

    for name in ("link", "pipe", "directory"):
        with pytest.raises(KeyUnusable):
            read_private_file(tmp_path / name)


def test_a_huge_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_file, "PRIVATE_FILE_BYTES_MAX", 8)
    create_private_file(tmp_path / "key", b"nine bytes")

    with pytest.raises(KeyUnusable, match="larger than 8 bytes"):
        read_private_file(tmp_path / "key")


def test_a_missing_file_is_no_error(tmp_path: Path) -> None:
    assert read_private_file(tmp_path / "key") is None
    remove_private_file(tmp_path / "key")
    remove_private_file(tmp_path / "no" / "key")


def test_moving_keeps_the_content(tmp_path: Path) -> None:
    create_private_file(tmp_path / "old", b"secret")

    move_private_file(tmp_path / "old", tmp_path / "new")

    assert read_private_file(tmp_path / "old") is None
    assert read_private_file(tmp_path / "new") == b"secret"


def test_a_readable_directory_is_tightened_and_a_writable_one_refused(tmp_path: Path) -> None:
    (tmp_path / "readable").mkdir(mode=0o755)
    (tmp_path / "writable").mkdir()
    (tmp_path / "writable").chmod(0o777)

    ensure_private_directory(tmp_path / "readable")
    ensure_private_directory(tmp_path / "new" / "inner")

    assert mode_of(tmp_path / "readable") == 0o700
    assert mode_of(tmp_path / "new" / "inner") == 0o700
    with pytest.raises(KeyUnusable, match="can be written by other users") as caught:
        ensure_private_directory(tmp_path / "writable")
    assert "chmod 700" in str(caught.value.hint)


def test_a_file_in_place_of_the_directory_is_reported(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"")

    with pytest.raises(KeyUnusable, match="can't use the directory"):
        ensure_private_directory(tmp_path / "keys")
