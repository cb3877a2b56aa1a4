"""`skilllite clean-env`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from skilllite.cli.main import main
from skilllite_sandbox.environment.lock import Lock, LockedPackage
from skilllite_sandbox.environment.requirements import DependencySet, Ecosystem, Target
from skilllite_sandbox.environment.store import Environment, Environments, Tell

HASH = "sha256:" + "a" * 64


class Scribe:
    """Builds an environment of one file."""

    def resolve(
        self, dependencies: DependencySet, room: Path, *, allow_build: bool, tell: Tell
    ) -> Lock:
        (name,) = dependencies.requirements
        return Lock(f"{name}==1.0 \\\n    --hash={HASH}\n", (LockedPackage(name, "1.0"),))

    def install(
        self, dependencies: DependencySet, lock: Lock, room: Path, *, allow_build: bool, tell: Tell
    ) -> Path:
        (room / "modules").mkdir()
        (room / "modules" / "a.py").write_text("a = 1\n", encoding="utf-8")
        return room / "modules"


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Environment]:
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path))
    monkeypatch.delenv("SKILLLITE_CACHE_DIR", raising=False)
    store = Environments(tmp_path / "env", Scribe)
    target = Target(Ecosystem.PYTHON, "3.11", "x86_64")
    found = [store.ensure(DependencySet(target, (name,))) for name in ("first", "second")]
    os.utime(found[0].path, (1_000_000, 1_000_000))
    return found


def left(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "env" / "by-digest").iterdir()}


def test_it_lists_and_removes_nothing_unasked(
    built: list[Environment], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["clean-env"]) == 0

    shown = capsys.readouterr().out
    assert "second 1.0" in shown and built[0].digest[:12] in shown and "days ago" in shown
    assert left(tmp_path) == {each.digest for each in built}


def test_as_json_it_has_all_there_is_to_know(
    built: list[Environment], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["clean-env", "--json"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    assert [each["digest"] for each in document["environments"]] == [
        built[1].digest,
        built[0].digest,
    ]
    assert document["environments"][1]["packages"] == {"first": "1.0"}
    assert document["environments"][1]["used_at_ms"] == 1_000_000_000


def test_one_is_removed_by_the_beginning_of_its_name(
    built: list[Environment], tmp_path: Path
) -> None:
    assert main(["clean-env", built[1].digest[:10]]) == 0

    assert left(tmp_path) == {built[0].digest}


def test_what_was_not_used_for_long_is_removed(built: list[Environment], tmp_path: Path) -> None:
    assert main(["clean-env", "--unused", "7"]) == 0

    assert left(tmp_path) == {built[1].digest}


def test_all_are_removed(
    built: list[Environment], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["clean-env", "--all", "--json"]) == 0

    assert left(tmp_path) == set()
    assert len(json.loads(capsys.readouterr().out)["removed"]) == 2


@pytest.mark.parametrize("words", [["nothing"], ["0" * 64]])
def test_what_is_not_there_is_said(
    built: list[Environment], tmp_path: Path, words: list[str]
) -> None:
    assert main(["clean-env", *words]) == 5

    assert len(left(tmp_path)) == 2


def test_without_environments_it_says_how_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path))

    assert main(["clean-env"]) == 0
    assert "a run installs" in capsys.readouterr().err
