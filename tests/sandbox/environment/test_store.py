"""The store, with a builder that only writes files."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from skilllite_sandbox.environment import store
from skilllite_sandbox.environment.lock import Lock, LockedPackage
from skilllite_sandbox.environment.requirements import DependencySet, Ecosystem, Target
from skilllite_sandbox.environment.store import Environment, Environments, Tell
from skilllite_sandbox.errors import EnvironmentMissing, EnvironmentUnavailable, NotFound

HASH = "sha256:" + "a" * 64
WAIT_S = 30.0
NO_ACCOUNT = 3_999_999_999  # a user id above any that systems give


class Scribe:
    """Writes an environment of a few files; counts how often."""

    def __init__(self) -> None:
        self.resolved = 0
        self.installed = 0
        self.fails_with: BaseException | None = None
        self.link_to: str | None = None
        self.entered = threading.Event()
        self.may_finish = threading.Event()
        self.may_finish.set()

    def resolve(
        self, dependencies: DependencySet, room: Path, *, allow_build: bool, tell: Tell
    ) -> Lock:
        self.resolved += 1
        lines = [f"{name}==1.0 \\\n    --hash={HASH}\n" for name in dependencies.requirements]
        packages = tuple(LockedPackage(name, "1.0") for name in dependencies.requirements)
        return Lock("".join(lines), packages)

    def install(
        self,
        dependencies: DependencySet,
        lock: Lock,
        room: Path,
        *,
        allow_build: bool,
        tell: Tell,
    ) -> Path:
        self.installed += 1
        modules = room / "modules"
        (modules / "inner").mkdir(parents=True)
        (modules / "inner" / "a.py").write_text("a = 1\n", encoding="utf-8")
        (modules / "b.py").write_text("b = 2\n", encoding="utf-8")
        if self.link_to is not None:
            (modules / "link").symlink_to(self.link_to)
        self.entered.set()
        assert self.may_finish.wait(WAIT_S)
        if self.fails_with is not None:
            raise self.fails_with
        return modules


@pytest.fixture
def scribe() -> Scribe:
    return Scribe()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "env"


@pytest.fixture
def environments(root: Path, scribe: Scribe) -> Environments:
    return Environments(root, lambda: scribe)


def wanting(*names: str) -> DependencySet:
    return DependencySet(Target(Ecosystem.PYTHON, "3.11", "x86_64"), tuple(sorted(names)))


def afresh(root: Path, scribe: Scribe) -> Environments:
    """Return the store as another process would see it."""
    return Environments(root, lambda: scribe)


def test_lookup_builds_nothing_and_finds_what_was_built(
    environments: Environments, root: Path, scribe: Scribe
) -> None:
    assert environments.lookup(wanting("a")) is None
    assert not root.exists()

    built = environments.ensure(wanting("a"))

    assert environments.lookup(wanting("a")) == built
    assert afresh(root, scribe).ensure(wanting("a")) == built
    assert scribe.installed == 1


def test_who_may_not_install_is_told_what_to_do(environments: Environments) -> None:
    with pytest.raises(EnvironmentMissing) as refused:
        environments.require(wanting("a"))

    assert "skilllite run" in (refused.value.hint or "")
    assert environments.require(_built(environments)).files == 2


def _built(environments: Environments) -> DependencySet:
    environments.ensure(wanting("a"))
    return wanting("a")


def test_waiting_for_another_build_is_said_and_ends_with_its_result(
    root: Path, scribe: Scribe
) -> None:
    scribe.may_finish.clear()
    said: list[str] = []
    found: list[Environment] = []
    waits = threading.Event()

    def tell(line: str) -> None:
        said.append(line)
        waits.set()

    def second() -> None:
        found.append(afresh(root, scribe).ensure(wanting("a"), on_progress=tell))

    first = threading.Thread(target=lambda: afresh(root, scribe).ensure(wanting("a")))
    first.start()
    assert scribe.entered.wait(WAIT_S)
    other = threading.Thread(target=second)
    other.start()
    assert waits.wait(WAIT_S)
    scribe.may_finish.set()
    first.join(WAIT_S)
    other.join(WAIT_S)

    assert said == ["waiting for another process that installs the same packages"]
    assert len(found) == 1 and scribe.installed == 1


def test_a_failed_build_leaves_nothing_and_can_be_tried_again(
    environments: Environments, root: Path, scribe: Scribe
) -> None:
    scribe.fails_with = EnvironmentUnavailable("no room")
    with pytest.raises(EnvironmentUnavailable):
        environments.ensure(wanting("a"))
    assert list((root / "by-digest").iterdir()) == []
    assert not list(root.glob("unfinished-*"))

    scribe.fails_with = None
    assert environments.ensure(wanting("a")).files == 2


@pytest.mark.parametrize("target", ["/etc/passwd", "b.py", "../../../secret"])
def test_links_have_no_place_in_an_environment(
    environments: Environments, scribe: Scribe, target: str
) -> None:
    scribe.link_to = target

    with pytest.raises(EnvironmentUnavailable) as refused:
        environments.ensure(wanting("a"))

    assert "link" in refused.value.message
    assert environments.list() == []


def _remove_file(modules: Path) -> None:
    (modules / "b.py").unlink()


def _empty_file(modules: Path) -> None:
    (modules / "b.py").chmod(0o644)
    (modules / "b.py").write_bytes(b"")


def _add_file(modules: Path) -> None:
    (modules / "more.py").write_text("", encoding="utf-8")


def _remove_record(modules: Path) -> None:
    modules.parent.chmod(0o755)
    (modules.parent / "environment.json").unlink()


def _spoil_record(modules: Path) -> None:
    path = modules.parent / "environment.json"
    path.chmod(0o644)
    path.write_text("{", encoding="utf-8")


@pytest.mark.parametrize(
    "damage", [_remove_file, _empty_file, _add_file, _remove_record, _spoil_record]
)
def test_a_damaged_environment_is_not_used_and_built_again(
    environments: Environments, root: Path, scribe: Scribe, damage: object
) -> None:
    built = environments.ensure(wanting("a"))
    built.modules.chmod(0o755)
    assert callable(damage)
    damage(built.modules)
    later = afresh(root, scribe)

    assert later.lookup(wanting("a")) is None
    again = later.ensure(wanting("a"))

    assert again.digest == built.digest and again.files == 2
    assert scribe.installed == 2 and scribe.resolved == 1, "from the same lock"


def test_what_a_crash_left_is_removed_but_not_what_is_being_built(
    root: Path, scribe: Scribe
) -> None:
    afresh(root, scribe).ensure(wanting("a"))
    crashed = root / "unfinished-1-aa"
    (crashed / "deep").mkdir(parents=True)
    (crashed / "deep").chmod(0)
    scribe.may_finish.clear()
    scribe.entered.clear()
    building = threading.Thread(target=lambda: afresh(root, scribe).ensure(wanting("b")))
    building.start()
    assert scribe.entered.wait(WAIT_S)
    (in_work,) = root.glob("unfinished-*")
    scribe.may_finish.set()

    afresh(root, scribe).ensure(wanting("c"))
    building.join(WAIT_S)

    assert in_work != crashed and not crashed.exists()
    assert {each.environment.packages[0].name for each in afresh(root, scribe).list()} == {
        *("a", "b", "c")
    }


def test_the_list_says_what_is_there_and_when_it_was_used(environments: Environments) -> None:
    old = environments.ensure(wanting("a"))
    new = environments.ensure(wanting("b"))
    os.utime(old.path, (1_000_000, 1_000_000))

    listed = environments.list()

    assert [each.environment for each in listed] == [new, old]
    assert listed[1].used_at == 1_000_000
    environments.lookup(wanting("a"))
    assert environments.list()[0].environment == old


def test_removing_takes_the_lock_along(environments: Environments, scribe: Scribe) -> None:
    built = environments.ensure(wanting("a"))

    environments.remove(built.digest)

    assert environments.list() == [] and environments.lookup(wanting("a")) is None
    environments.ensure(wanting("a"))
    assert scribe.resolved == 2


@pytest.mark.parametrize("digest", ["", "..", "0" * 64, "../locks"])
def test_only_an_environment_can_be_removed(environments: Environments, digest: str) -> None:
    environments.ensure(wanting("a"))

    with pytest.raises(NotFound):
        environments.remove(digest)

    assert len(environments.list()) == 1


def test_the_longest_unused_go_when_there_are_too_many(
    environments: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "KEPT", 2)
    ages = {"a": 9.0, "b": 3.0, "c": 2.0}
    for name, days in ages.items():
        built = environments.ensure(wanting(name))
        then = time.time() - days * 86_400
        os.utime(built.path, (then, then))

    environments.ensure(wanting("d"))

    names = {each.environment.packages[0].name for each in environments.list()}
    assert names == {"c", "d"}


def test_what_was_used_today_stays_however_many_there_are(
    environments: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "KEPT", 1)

    for name in ("a", "b", "c"):
        environments.ensure(wanting(name))

    assert len(environments.list()) == 3


def test_a_directory_of_another_user_is_refused(root: Path, environments: Environments) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory away")
    root.mkdir()
    os.chown(root, 12_345, 12_345)

    with pytest.raises(EnvironmentUnavailable):
        environments.ensure(wanting("a"))


def test_a_user_without_any_home_is_told_where_packages_would_be_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("os.getuid", lambda: NO_ACCOUNT)

    with pytest.raises(EnvironmentUnavailable) as refused:
        store.default_root()

    assert "XDG_CACHE_HOME" in (refused.value.hint or "")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert store.default_root() == Path("/somewhere/skilllite/env")
