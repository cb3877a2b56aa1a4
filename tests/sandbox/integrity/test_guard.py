"""The guard: what differs from what was installed is found, whatever it is and whoever put it."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from skill_files import make_skill, skill_md
from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.errors import PolicyDenied, RegisterUntrusted, SkillChanged
from skilllite_sandbox.integrity.entries import digest_of, read_entries
from skilllite_sandbox.integrity.guard import Guard
from skilllite_sandbox.integrity.manifest import Facts
from skilllite_sandbox.integrity.store import IntegrityStore
from skilllite_sandbox.integrity.trust import TrustTier
from skilllite_sandbox.stage import Stage

FILES: dict[str, str | bytes] = {"scripts/main.py": "print(1)\n", "data/a.txt": b"\x00\xff"}


class Lab:
    """A home with one installed skill."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.home = base / "home"
        self.skills = self.home / "skills"
        self.store = IntegrityStore(
            place=self.home / "integrity", keys=self.home / "keys", skills=self.skills
        )
        self.skill = make_skill(self.skills, "small", files=FILES)
        self.install(self.skill)
        self.guard = self.open_guard()
        self.stage = Stage(base / "stage", self.guard)

    def open_guard(self, **more: object) -> Guard:
        return Guard(
            place=str(self.home / "integrity"),
            keys=str(self.home / "keys"),
            skills=str(self.skills),
            denylist=str(self.home / "denylist.json"),
            **more,  # type: ignore[arg-type]
        )

    def install(self, directory: Path, **facts: str) -> None:
        entries = read_entries(directory)
        given = {"tier": "community", "source": "https://example.com/small.git", **facts}
        made = Facts("", "small", digest_of(entries), 0, 1_800_000_000, **given)  # type: ignore[arg-type]
        with self.store.installing(directory, made, entries):
            pass

    def deny(self, *entries: dict[str, str]) -> None:
        text = json.dumps({"schema": 1, "entries": entries})
        (self.home / "denylist.json").write_text(text, encoding="utf-8")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_what_was_installed_runs_and_is_known(lab: Lab) -> None:
    staged = lab.stage.put(lab.skill)
    trust = lab.guard.admit(str(lab.skill), staged.digest, None)

    assert trust.tier is TrustTier.COMMUNITY
    assert trust.source == "https://example.com/small.git"
    assert trust.place == "home/small"
    assert not trust.peers_need_pass


def test_every_byte_of_an_installed_skill_stops_it(lab: Lab) -> None:
    flipped = 0
    for path in [each for each in lab.skill.rglob("*") if each.is_file()]:
        content = path.read_bytes()
        for place in range(len(content)):
            path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
            with pytest.raises(SkillChanged) as caught:
                lab.stage.put(lab.skill)

            assert [each.path for each in caught.value.changes] == [
                str(path.relative_to(lab.skill))
            ]
            flipped += 1
        path.write_bytes(content)

    assert flipped > 90
    lab.stage.put(lab.skill)


CHANGES: dict[str, Callable[[Path], object]] = {
    "an added file": lambda skill: (skill / "more.txt").touch(),
    "a hidden file": lambda skill: (skill / ".hidden").touch(),
    "a file below .git": lambda skill: _touch(skill / ".git/config"),
    "byte code": lambda skill: _touch(skill / "scripts/__pycache__/main.cpython-311.pyc"),
    "skill.json": lambda skill: (skill / "skill.json").write_text("{}"),
    "an empty folder": lambda skill: (skill / "empty").mkdir(),
    "a removed file": lambda skill: (skill / "data/a.txt").unlink(),
    "a removed folder": lambda skill: shutil.rmtree(skill / "data"),
    "a renamed file": lambda skill: (skill / "data/a.txt").rename(skill / "data/b.txt"),
    "a renamed folder": lambda skill: (skill / "data").rename(skill / "other"),
    "a file by another name": lambda skill: os.link(skill / "data/a.txt", skill / "b.txt"),
    "an executable file": lambda skill: (skill / "data/a.txt").chmod(0o755),
    "a file for all": lambda skill: (skill / "data/a.txt").chmod(0o666),
    "a private file": lambda skill: (skill / "data/a.txt").chmod(0o600),
    "a setuid file": lambda skill: (skill / "scripts/main.py").chmod(0o4644),
    "an open folder": lambda skill: (skill / "data").chmod(0o777),
    "the open skill": lambda skill: skill.chmod(0o777),
    "a link": lambda skill: (skill / "link").symlink_to("SKILL.md"),
    "a link for a file": lambda skill: _replace_by_link(skill / "data/a.txt"),
    "a pipe": lambda skill: os.mkfifo(skill / "pipe"),
    "a link for the skill": lambda skill: _replace_by_link(skill),
    "no SKILL.md": lambda skill: (skill / "SKILL.md").unlink(),
    "no front matter": lambda skill: (skill / "SKILL.md").write_text("Hello"),
}


def _touch(path: Path) -> None:
    path.parent.mkdir()
    path.touch()


def _replace_by_link(path: Path) -> None:
    aside = path.parent.parent / "aside"
    path.rename(aside)
    path.symlink_to(aside)


@pytest.mark.parametrize("change", CHANGES)
def test_every_other_change_stops_it(lab: Lab, change: str) -> None:
    lab.stage.put(lab.skill)
    CHANGES[change](lab.skill)

    with pytest.raises(SkillChanged) as caught:
        lab.stage.put(lab.skill)

    assert caught.value.code == "skill_changed"
    assert caught.value.cause
    assert caught.value.hint
    assert "skilllite verify" in caught.value.hint


def test_a_linked_folder_above_does_not_hide_a_change(lab: Lab) -> None:
    evil = make_skill(lab.base / "evil", "small", files={"scripts/main.py": "print('evil')"})
    lab.skills.rename(lab.base / "aside")
    lab.skills.symlink_to(evil.parent)

    with pytest.raises(SkillChanged):
        lab.stage.put(lab.skill)


def test_a_link_to_a_bundled_skill_is_a_change_too(lab: Lab) -> None:
    bundled = make_skill(lab.base / "package", "calculator")
    guard = lab.open_guard(
        bundled_root=str(bundled.parent), bundled=lambda: {"calculator": compute_digest(bundled)}
    )
    lab.skill.rename(lab.base / "aside")
    lab.skill.symlink_to(bundled)

    with pytest.raises(SkillChanged, match="not what was installed"):
        Stage(lab.base / "stage", guard).put(lab.skill)


def test_a_skill_of_a_project_is_known_by_its_path(lab: Lab) -> None:
    skill = make_skill(lab.base / "project/.skills", "small")
    lab.install(skill)
    (lab.base / "alias").symlink_to(lab.base / "project")
    lab.stage.put(lab.base / "alias/.skills/small")
    (skill / "more").touch()

    for path in (skill, lab.base / "alias/.skills/small"):
        with pytest.raises(SkillChanged):
            lab.stage.put(path)


@pytest.mark.parametrize("change", ["as it was", "changed"])
def test_an_installed_skill_does_not_run_under_another_folder(lab: Lab, change: str) -> None:
    elsewhere = lab.skill.rename(lab.skills / "aaa")
    if change == "changed":
        (elsewhere / "scripts/main.py").write_text("print(2)\n", encoding="utf-8")

    with pytest.raises(SkillChanged, match="is not the small that was installed"):
        lab.stage.put(elsewhere)

    lab.stage.put(elsewhere.rename(lab.base / "mine"))  # no root of installed skills: the person's


def test_a_folder_beside_an_installed_skill_can_not_take_its_name(lab: Lab) -> None:
    planted = make_skill(lab.skills, "aaa", text=skill_md("small"))
    project = make_skill(lab.base / "project/.skills", "small", files=FILES)
    lab.install(project)
    beside = make_skill(lab.base / "project/.skills", "aaa", text=skill_md("small"))

    for each in (planted, beside):
        with pytest.raises(SkillChanged, match="is not the small that was installed"):
            lab.stage.put(each)
    lab.stage.put(lab.skill)
    lab.stage.put(project)


def test_a_home_can_be_moved(lab: Lab) -> None:
    lab.home.rename(lab.base / "moved")
    lab.home, lab.skills = lab.base / "moved", lab.base / "moved/skills"
    guard = lab.open_guard()
    stage = Stage(lab.base / "stage", guard)
    stage.put(lab.skills / "small")
    (lab.skills / "small/more").touch()

    with pytest.raises(SkillChanged):
        stage.put(lab.skills / "small")


def test_what_was_never_installed_is_local_or_unknown(lab: Lab) -> None:
    mine = make_skill(lab.base / "work", "mine")
    dropped = make_skill(lab.skills, "dropped")

    trusts = {
        path.name: lab.guard.admit(str(path), compute_digest(path), None)
        for path in (mine, dropped)
    }

    assert trusts["mine"].tier is TrustTier.LOCAL
    assert trusts["dropped"].tier is TrustTier.UNKNOWN
    assert all(trust.peers_need_pass for trust in trusts.values())


def test_a_member_who_left_vouches_for_nothing(lab: Lab) -> None:
    lab.install(lab.skill, tier="team", author="ab" * 32)
    certified = {"ab" * 32}
    guard = lab.open_guard(team_keys=lambda: frozenset(certified))
    stage = Stage(lab.base / "stage", guard)
    time.sleep(0.06)  # until the stage remembers what it read
    stage.put(lab.skill)
    before = guard.trust_of(str(lab.skill)).tier
    certified.clear()
    stage.put(lab.skill)

    assert before is TrustTier.TEAM
    assert guard.trust_of(str(lab.skill)).tier is TrustTier.COMMUNITY


def test_bundled_skills_are_what_the_package_says(lab: Lab) -> None:
    bundled = make_skill(lab.base / "package", "calculator")
    pinned = {"calculator": compute_digest(bundled)}
    guard = lab.open_guard(bundled_root=str(bundled.parent), bundled=lambda: pinned)
    stage = Stage(lab.base / "stage", guard)

    staged = stage.put(bundled)
    trust = guard.admit(str(bundled), staged.digest, None)
    _touch(bundled / "scripts/__pycache__/main.cpython-311.pyc")  # what installers compile
    stage.put(bundled)
    _touch(bundled / "other/__pycache__")

    assert trust.tier is TrustTier.BUNDLED
    with pytest.raises(SkillChanged, match="ships with the package"):
        stage.put(bundled)
    with pytest.raises(SkillChanged, match="isn't one of them"):
        stage.put(make_skill(lab.base / "package", "stranger"))


def _tamper(lab: Lab, what: str) -> None:
    register, mark = lab.home / "integrity/register", lab.home / "keys/register.mark"
    if what == "gone":
        register.unlink()
    elif what == "no mark":
        mark.unlink()
    elif what == "no key":
        (lab.home / "keys/sign.pem").unlink()
    elif what == "another key":
        (lab.home / "keys/sign.pem").unlink()
        lab.store._signer()
    elif what == "a link":
        register.rename(lab.base / "aside")
        register.symlink_to(lab.base / "aside")
    elif what == "an older one":
        older = register.read_bytes()
        lab.install(lab.skill)
        register.write_bytes(older)
    elif what == "an edited one":
        edited = register.read_bytes().replace(b'"tier":"community"', b'"tier":"team"')
        register.write_bytes(edited)
    elif what == "nothing in it":
        register.write_bytes(b"")


@pytest.mark.parametrize(
    "what",
    [
        *("gone", "no mark", "no key", "another key", "a link"),
        *("an older one", "an edited one", "nothing in it"),
    ],
)
def test_a_register_that_was_tampered_with_stops_everything(lab: Lab, what: str) -> None:
    mine = make_skill(lab.base / "work", "mine")
    lab.stage.put(lab.skill)
    _tamper(lab, what)
    if what in ("no key", "another key"):
        lab.stage = Stage(lab.base / "stage", lab.open_guard())

    for path in (lab.skill, mine):
        with pytest.raises(RegisterUntrusted) as caught:
            lab.stage.put(path)

    assert caught.value.cause


def test_no_byte_of_the_register_can_be_changed(lab: Lab) -> None:
    register = lab.home / "integrity/register"
    stored = register.read_bytes()
    for place in range(len(stored)):
        register.write_bytes(stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :])
        with pytest.raises(RegisterUntrusted):
            lab.guard.register.read()

    register.write_bytes(stored)
    lab.guard.register.read()


def test_the_cached_register_is_read_again_when_it_is_written(lab: Lab) -> None:
    time.sleep(0.06)
    lab.stage.put(lab.skill)
    assert lab.guard.register.current() is lab.guard.register.current()
    lab.store.forget(lab.skill)

    assert lab.guard.register.current().skills == {}


def test_a_failed_installation_leaves_the_register_as_it_was(lab: Lab) -> None:
    before = lab.guard.register.read().skills
    manifests = sorted(each.name for each in (lab.home / "integrity/manifests").iterdir())
    other = make_skill(lab.base / "work", "other")
    entries = read_entries(other)
    facts = Facts("", "other", digest_of(entries), 0, 1, "local", "here")
    for directory in (lab.skill, lab.skills / "other"):
        with (
            pytest.raises(KeyboardInterrupt),
            lab.store.installing(directory, facts, entries),
        ):
            raise KeyboardInterrupt

    assert lab.guard.register.read().skills == before
    assert sorted(e.name for e in (lab.home / "integrity/manifests").iterdir()) == manifests
    lab.stage.put(lab.skill)


def test_a_crash_while_installing_lets_nothing_run(lab: Lab) -> None:
    other = make_skill(lab.base / "work", "other")
    entries = read_entries(other)
    facts = Facts("", "small", digest_of(entries), 0, 1, "local", "here")
    block = lab.store.installing(lab.skill, facts, entries)
    block.__enter__()  # and never left, as when the machine stops

    with pytest.raises(SkillChanged):
        lab.stage.put(lab.skill)


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "sm*"},
        {"name": "SMALL"},
        {"source": "https://EXAMPLE.com/*"},
        {"source": "https://example.com/*"},
        {"name": "small", "source": "*"},
    ],
)
def test_the_denylist_stops_what_it_names(lab: Lab, entry: dict[str, str]) -> None:
    lab.stage.put(lab.skill)
    lab.deny({**entry, "reason": "steals"})

    with pytest.raises(PolicyDenied, match="denylist") as caught:
        lab.stage.put(lab.skill)

    assert caught.value.cause == "steals"


def test_the_denylist_stops_a_content_wherever_it_is(lab: Lab) -> None:
    mine = make_skill(lab.base / "work", "mine")
    lab.deny({"digest": compute_digest(mine)})

    with pytest.raises(PolicyDenied, match="denylist"):
        lab.stage.put(mine)
    lab.stage.put(lab.skill)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"schema": 2, "entries": []}',
        '{"schema": 1, "entries": [{}]}',
        '{"schema": 1, "entries": [{"digest": "abc"}]}',
        '{"schema": 1, "entries": [{"nmae": "x"}]}',
        '{"schema": 1, "entries": [{"name": 1}]}',
    ],
)
def test_a_denylist_that_can_not_be_read_stops_everything(lab: Lab, text: str) -> None:
    (lab.home / "denylist.json").write_text(text, encoding="utf-8")

    with pytest.raises(PolicyDenied, match="denylist can't be read"):
        lab.stage.put(lab.skill)


def test_a_home_without_installed_skills_reads_no_key(tmp_path: Path) -> None:
    guard = Guard(
        place=str(tmp_path / "integrity"),
        keys=str(tmp_path / "keys"),
        skills=str(tmp_path / "skills"),
        denylist=str(tmp_path / "denylist.json"),
    )
    mine = make_skill(tmp_path / "work", "mine")
    Stage(tmp_path / "stage", guard).put(mine)

    assert not (tmp_path / "keys").exists()
    assert not (tmp_path / "integrity").exists()
