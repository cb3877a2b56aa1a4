"""Where a node lives, and that nobody else can write there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from skilllite.errors import HomeUnsafe
from skilllite.home import Home, prepare_directory

LONG_PATH_CHARACTERS = 200


def test_one_variable_moves_everything(tmp_path: Path) -> None:
    home = Home.locate({"SKILLLITE_HOME": str(tmp_path / "h"), "HOME": "/nowhere"})

    home.prepare()

    for directory in home.directories():
        assert directory.is_relative_to(tmp_path / "h")
        assert directory.is_dir()
    assert home.control_socket == tmp_path / "h/run/control.sock"
    assert home.root == tmp_path / "h"


def test_caches_can_live_elsewhere(tmp_path: Path) -> None:
    home = Home.locate(
        {"SKILLLITE_HOME": str(tmp_path / "h"), "SKILLLITE_CACHE_DIR": str(tmp_path / "c")}
    )

    assert home.stage == tmp_path / "c/stage"
    assert home.ledger == tmp_path / "h/ledger.sqlite3"


def test_xdg_folders_are_the_default(tmp_path: Path) -> None:
    home = Home.locate({"HOME": "/home/ada", "XDG_CONFIG_HOME": str(tmp_path)})

    assert home.root is None
    assert home.config_file == tmp_path / "skilllite/config.toml"
    assert home.keys == Path("/home/ada/.local/share/skilllite/keys")
    assert home.run == Path("/home/ada/.local/state/skilllite/run")
    assert home.stage == Path("/home/ada/.cache/skilllite/stage")


def test_relative_xdg_folder_is_ignored_as_the_specification_says() -> None:
    home = Home.locate({"HOME": "/home/ada", "XDG_DATA_HOME": "here"})

    assert home.keys == Path("/home/ada/.local/share/skilllite/keys")


def test_relative_home_does_not_follow_a_change_of_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    home = Home.locate({"SKILLLITE_HOME": "here"})

    assert home.data_dir == tmp_path / "here"


def test_empty_variable_counts_as_unset() -> None:
    assert Home.locate({"SKILLLITE_HOME": "", "HOME": "/home/ada"}).root is None


def test_directories_are_private_whatever_the_umask(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "h")

    before = os.umask(0)
    try:
        home.prepare()
    finally:
        os.umask(before)

    assert {stat.S_IMODE(d.stat().st_mode) for d in home.directories()} == {0o700}


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_home_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    home = Home.at(tmp_path / "h")
    home.prepare()
    home.keys.chmod(mode)

    with pytest.raises(HomeUnsafe, match="can be written by others") as caught:
        home.prepare()

    assert caught.value.hint == f"chmod go-w {home.keys}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_home_of_another_user_is_refused(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "h")
    home.prepare()
    os.chown(home.run, 12345, 12345)

    with pytest.raises(HomeUnsafe, match="belongs to user 12345"):
        home.prepare()


def test_file_in_the_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("not a directory", encoding="utf-8")

    with pytest.raises(HomeUnsafe, match="can't be used"):
        prepare_directory(tmp_path / "h")


def test_home_of_two_hundred_characters_can_be_prepared(tmp_path: Path) -> None:
    base = tmp_path
    while len(str(base)) < LONG_PATH_CHARACTERS:
        base /= "d" * min(50, LONG_PATH_CHARACTERS - len(str(base)))
    home = Home.at(base)

    home.prepare()

    assert len(str(home.control_socket)) > LONG_PATH_CHARACTERS
    assert home.run.is_dir()


def test_home_is_a_value() -> None:
    home = Home.at(Path("/a"))

    assert home == Home.at(Path("/a"))
    assert hash(home) == hash(Home.at(Path("/a")))
    assert home != Home.at(Path("/b"))
    with pytest.raises(AttributeError):
        home.root = Path("/c")  # type: ignore[misc]
