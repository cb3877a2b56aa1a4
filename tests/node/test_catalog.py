"""The catalog: who wins a name, what is hidden, and an index that is never believed too much."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from skill_files import make_skill, skill_md
from skilllite import catalog as catalog_module
from skilllite import catalog_index
from skilllite.catalog import INDEX_NAME, NEEDS_NODE, NOT_HERE, SkillCatalog
from skilllite.catalog_index import INDEX_VERSION, CatalogIndex, Facts, stamp_of
from skilllite.errors import NotFound
from skilllite.home import Home
from skilllite.trust import open_guard, tier_of
from skilllite_sandbox.errors import InvalidSkill


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.at(tmp_path / "home")


@pytest.fixture
def catalog(project: Path, home: Home, tmp_path: Path) -> SkillCatalog:
    return SkillCatalog(
        user_skills=home.skills,
        project=project,
        index_file=home.cache_dir / INDEX_NAME,
        bundled=tmp_path / "bundled",
        trust=TrustsAll(),
    )


class TrustsAll:
    """A person who has said yes to everything."""

    def trusts(self, folder: str) -> bool:
        return True

    def may_hide(self, directory: str, name: str, others: Sequence[str]) -> bool:
        return True


def names(catalog: SkillCatalog) -> list[str]:
    return [entry.name for entry in catalog.list().entries]


def test_roots_come_in_the_documented_order(home: Home, project: Path) -> None:
    roots = SkillCatalog.for_project(project, home).roots

    assert [(root.path, root.origin) for root in roots[:5]] == [
        (project / ".skills", "project"),
        (project / "skills", "project"),
        (project / ".agents/skills", "project"),
        (project / ".claude/skills", "project"),
        (home.skills, "user"),
    ]
    assert roots[5].origin == "bundled"


def test_without_a_project_only_the_user_and_the_package_count(home: Home) -> None:
    catalog = SkillCatalog.for_project(None, home)

    assert [root.origin for root in catalog.roots] == ["user", "bundled"]
    assert catalog.project_root is None


def test_every_root_is_looked_into_and_none_has_to_exist(
    catalog: SkillCatalog, project: Path, home: Home, tmp_path: Path
) -> None:
    assert names(catalog) == []
    places = [project / each for each in (".skills", "skills", ".agents/skills", ".claude/skills")]
    for number, place in enumerate([*places, home.skills, tmp_path / "bundled"]):
        make_skill(place, f"skill-{number}")

    listing = catalog.list()

    assert [entry.name for entry in listing.entries] == [f"skill-{n}" for n in range(6)]
    assert [entry.origin for entry in listing.entries] == ["project"] * 4 + ["user", "bundled"]
    tiers = [tier_of(entry, open_guard(home)) for entry in listing.entries]
    assert tiers == ["local"] * 4 + ["unknown", "bundled"]


def test_the_project_wins_and_what_it_hides_is_said(
    catalog: SkillCatalog, project: Path, home: Home, tmp_path: Path
) -> None:
    for place in (tmp_path / "bundled", home.skills, project / "skills", project / ".skills"):
        make_skill(place, "same")

    (entry,) = catalog.list().entries

    assert entry.directory == project / ".skills" / "same"
    assert [each.origin for each in entry.shadows] == ["project", "user", "bundled"]
    for hidden in entry.shadows:
        assert str(hidden.directory) in entry.shadow_note()


def test_the_name_in_the_file_counts_not_the_folders(catalog: SkillCatalog, home: Home) -> None:
    make_skill(home.skills, "folder", text=skill_md("named"))

    assert names(catalog) == ["named"]
    assert catalog.find("named").directory == home.skills / "folder"
    with pytest.raises(NotFound):
        catalog.find("folder")


def test_a_skill_that_cannot_be_used_is_skipped_with_the_reason(
    catalog: SkillCatalog, home: Home
) -> None:
    make_skill(home.skills, "broken", text="no front matter")
    make_skill(home.skills, "good")
    (home.skills / "no-skill-at-all").mkdir()
    (home.skills / "a-file").touch()

    listing = catalog.list()

    assert [entry.name for entry in listing.entries] == ["good"]
    assert [(each.directory.name, "front matter" in each.message) for each in listing.skipped] == [
        ("broken", True)
    ]


def test_unfinished_installations_are_not_skills(catalog: SkillCatalog, home: Home) -> None:
    make_skill(home.skills, ".incoming-1-ab", text=skill_md("half"))

    assert names(catalog) == []


def test_a_linked_skill_folder_is_the_persons_word(
    catalog: SkillCatalog, home: Home, tmp_path: Path
) -> None:
    target = make_skill(tmp_path / "work", "linked")
    home.skills.mkdir(parents=True)
    (home.skills / "linked").symlink_to(target)
    (home.skills / "dangling").symlink_to(tmp_path / "absent")

    assert names(catalog) == ["linked"]


def test_finding_by_name_and_by_path(
    catalog: SkillCatalog, home: Home, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_skill(home.skills, "mine")
    local = make_skill(project, "local")
    monkeypatch.chdir(project)

    assert catalog.find("mine").origin == "user"
    assert catalog.find(str(home.skills / "mine")).origin == "user"
    assert catalog.find("local").directory == local
    assert catalog.find("./local").origin == "path"
    monkeypatch.chdir(local)
    assert catalog.find(".").directory == local


def test_a_folder_without_a_skill_does_not_hide_an_installed_name(
    catalog: SkillCatalog, home: Home, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_skill(home.skills, "report")
    (project / "report").mkdir()
    monkeypatch.chdir(project)

    assert catalog.find("report").origin == "user"


def test_a_name_from_elsewhere_is_never_taken_for_a_path(
    catalog: SkillCatalog, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = make_skill(project, "local")
    monkeypatch.chdir(project)

    for text in ("local", "./local", str(local), "../project/local"):
        with pytest.raises(NotFound):
            catalog.find_named(text)


def test_what_is_not_there_comes_with_a_guess(catalog: SkillCatalog, home: Home) -> None:
    make_skill(home.skills, "calculator")

    with pytest.raises(NotFound) as misspelt:
        catalog.find("calculater")
    with pytest.raises(NotFound) as unknown:
        catalog.find("zzz")

    assert misspelt.value.hint == "did you mean calculator?"
    assert "skilllite list" in (unknown.value.hint or "")


@pytest.mark.parametrize("text", ["./absent", "/absent/dir", "x" * 5000, "a\0b", ""])
def test_names_that_are_nothing_are_not_found(catalog: SkillCatalog, text: str) -> None:
    with pytest.raises(NotFound):
        catalog.find(text)


def test_an_unusable_skill_is_invalid_by_name_and_by_path(
    catalog: SkillCatalog, home: Home, tmp_path: Path
) -> None:
    make_skill(home.skills, "broken", text="no front matter")
    (tmp_path / "empty").mkdir()

    for text in ("broken", str(home.skills / "broken"), str(tmp_path / "empty")):
        with pytest.raises(InvalidSkill) as caught:
            catalog.find(text)
        assert caught.value.hint
        assert caught.value.cause


def test_javascript_needs_node_only_where_there_is_none(
    catalog: SkillCatalog, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_skill(home.skills, "script", files={"scripts/main.js": ""})
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    without = catalog.find("script").lacks
    (programs / "node").write_bytes(b"#!/bin/sh\n")
    (programs / "node").chmod(0o755)
    wrapper = catalog.find("script").lacks
    (programs / "node").write_bytes(b"\x7fELF")

    assert without == wrapper == (NEEDS_NODE,)
    assert catalog.find("script").lacks == ()


def test_a_bash_skill_says_which_program_it_names_is_not_here(
    catalog: SkillCatalog, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "---\nname: lines\ndescription: d\ncompatibility: Requires bash, sed, gawk and jq\n---\n"
    make_skill(home.skills, "lines", text=text, files={"scripts/main.sh": ""})
    monkeypatch.setattr(catalog_module, "_PROGRAM_FOLDERS", (str(tmp_path),))
    (tmp_path / "jq").touch(mode=0o755)

    assert catalog.find("lines").lacks == (f"needs gawk ({NOT_HERE}",)
    (tmp_path / "gawk").touch(mode=0o755)
    assert catalog.find("lines").lacks == ()


# The index.


def count_readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    read: list[str] = []
    original = catalog_module._read_facts

    def counted(directory: Path) -> Facts:
        read.append(directory.name)
        return original(directory)

    monkeypatch.setattr(catalog_module, "_read_facts", counted)
    return read


def test_an_unchanged_skill_is_read_once(
    catalog: SkillCatalog, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_skill(home.skills, "one")
    make_skill(home.skills, "broken", text="")
    read = count_readings(monkeypatch)

    first = catalog.list()
    second = catalog.list()

    assert sorted(read) == ["broken", "one"]
    assert [each.message for each in first.skipped] == [each.message for each in second.skipped]
    assert [each.description for each in first.entries] == [
        each.description for each in second.entries
    ]


def rewrite(directory: Path) -> None:
    (directory / "SKILL.md").write_text(skill_md("one", "Changed it."), encoding="utf-8")


def rewrite_with_old_time(directory: Path) -> None:
    before = (directory / "SKILL.md").stat()
    text = (directory / "SKILL.md").read_text(encoding="utf-8")
    (directory / "SKILL.md").write_text(text.replace("Echoes", "echoeS"), encoding="utf-8")
    os.utime(directory / "SKILL.md", ns=(before.st_atime_ns, before.st_mtime_ns))


def add_requirements(directory: Path) -> None:
    (directory / "requirements.txt").write_text("pandas\n", encoding="utf-8")


def add_script(directory: Path) -> None:
    (directory / "scripts" / "more.py").touch()


def replace_folder(directory: Path) -> None:
    directory.rename(directory.with_name(".old"))
    make_skill(directory.parent, directory.name, files={})


@pytest.mark.parametrize(
    "change", [rewrite, rewrite_with_old_time, add_requirements, add_script, replace_folder]
)
def test_a_changed_skill_is_read_again(
    catalog: SkillCatalog, home: Home, monkeypatch: pytest.MonkeyPatch, change: object
) -> None:
    directory = make_skill(home.skills, "one")
    catalog.list()
    read = count_readings(monkeypatch)
    assert callable(change)
    change(directory)

    catalog.list()

    assert read == ["one"]


def test_a_removed_skill_is_gone_at_once(catalog: SkillCatalog, home: Home) -> None:
    directory = make_skill(home.skills, "one")
    assert names(catalog) == ["one"]

    directory.rename(directory.with_name(".gone"))

    assert names(catalog) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00",
        b"[]",
        b"{}",
        b"[" * 100_000,
        json.dumps({"version": INDEX_VERSION + 1, "skills": {}}).encode(),
        json.dumps({"version": INDEX_VERSION, "skills": []}).encode(),
    ],
)
def test_a_corrupt_index_is_rebuilt(catalog: SkillCatalog, home: Home, content: bytes) -> None:
    make_skill(home.skills, "one")
    catalog.list()
    index_file = home.cache_dir / INDEX_NAME
    good = index_file.read_bytes()
    index_file.write_bytes(content)

    assert names(catalog) == ["one"]
    assert index_file.read_bytes() == good


@pytest.mark.parametrize(
    "damage",
    [
        {"name": 5},
        {"name": ""},
        {"lacks": [1]},
        {"tools": "1"},
        {"unknown": 1},
        {"languages": None},
    ],
)
def test_a_corrupt_record_is_read_again(
    catalog: SkillCatalog,
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    damage: dict[str, object],
) -> None:
    directory = make_skill(home.skills, "one")
    catalog.list()
    index_file = home.cache_dir / INDEX_NAME
    document = json.loads(index_file.read_bytes())
    document["skills"][str(directory)]["facts"].update(damage)
    index_file.write_text(json.dumps(document), encoding="utf-8")
    read = count_readings(monkeypatch)

    assert names(catalog) == ["one"]
    assert read == ["one"]


@pytest.mark.parametrize("mode", [0o666, 0o620])
def test_an_index_that_others_can_write_is_not_believed(
    catalog: SkillCatalog, home: Home, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    make_skill(home.skills, "one")
    catalog.list()
    (home.cache_dir / INDEX_NAME).chmod(mode)
    read = count_readings(monkeypatch)

    catalog.list()

    assert read == ["one"]


def test_an_index_that_cannot_be_written_is_no_error(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    make_skill(home.skills, "one")
    catalog = SkillCatalog(
        user_skills=home.skills, index_file=tmp_path / "file" / "x", bundled=tmp_path / "none"
    )

    assert names(catalog) == ["one"]


def test_reindexing_reads_everything_again(
    catalog: SkillCatalog, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_skill(home.skills, "one")
    catalog.list()
    read = count_readings(monkeypatch)

    catalog.reindex()

    assert read == ["one"]


def test_the_index_keeps_other_projects_until_it_is_full(
    tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_file = tmp_path / "index"
    first, second = make_skill(tmp_path, "first"), make_skill(tmp_path, "second")
    for directory in (first, second):
        index = CatalogIndex(index_file)
        stamp = stamp_of(directory)
        assert stamp is not None
        index.remember(directory, stamp, Facts(name=directory.name))
        index.save()
    both = json.loads(index_file.read_bytes())["skills"]
    monkeypatch.setattr(catalog_index, "ENTRIES_MAX", 2)

    third = CatalogIndex(index_file)
    third.remember(tmp_path / "third", [1], Facts(name="third"))
    third.save()

    assert sorted(both) == sorted([str(first), str(second)])
    assert list(json.loads(index_file.read_bytes())["skills"]) == [str(tmp_path / "third")]
    assert [path.name for path in tmp_path.glob(".index*")] == []


def test_listing_with_an_index_imports_nothing_expensive(home: Home, project: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom skilllite.catalog import SkillCatalog\n"
        "from skilllite.home import Home\nimport skilllite.cli.skills\n"
        "catalog = SkillCatalog.for_project(None, Home.locate())\n"
        "assert len(catalog.list().entries) >= 12\n"
        "heavy = {'yaml', 'typing', 'dataclasses', 'asyncio', 'socket', 'subprocess', 'logging',"
        " 'contextlib', 'skilllite_sandbox'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    environment = {**os.environ, "SKILLLITE_HOME": str(home.root), "PYTHONPATH": ""}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-S", "-c", code]
    subprocess.run(command, env=environment, timeout=60, check=True, capture_output=True)

    second = subprocess.run(
        command, env=environment, timeout=60, check=True, capture_output=True, text=True
    )

    assert second.stdout.strip() == "[]"
