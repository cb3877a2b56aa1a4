"""`list`, `show`, `info`, `add`, `remove`, `validate`, `reindex` and `init`, as typed."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from person import lets_hide, trusts
from skill_files import make_skill, skill_md
from skilllite.cli import skill_changes
from skilllite.cli.main import COMMANDS, main
from skilllite.errors import ControlFailed, NodeNotRunning
from skilllite.home import Home
from skilllite_sandbox.digest import compute_digest

STARTERS = 12


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKILLLITE_CACHE_DIR", raising=False)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


class Typed:
    """What one command printed and how it ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        assert self.out.count("\n") == 1
        return json.loads(self.out)


class Typist:
    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def __call__(self, *words: str) -> Typed:
        status = main(words)
        out, err = self._capfd.readouterr()
        return Typed(status, out, err)


@pytest.fixture
def skilllite(capfd: pytest.CaptureFixture[str]) -> Iterator[Typist]:
    yield Typist(capfd)


def home_of(here: Path) -> Home:
    return Home.at(here.parent / "home")


def user_skills(here: Path) -> Path:
    return here.parent / "home" / "skills"


def test_list_prints_a_table_and_nothing_else_on_stdout(skilllite: Typist, here: Path) -> None:
    make_skill(here / ".skills", "greeter", extra="compatibility: Requires network access\n")
    make_skill(here / ".skills", "broken", text="")
    trusts(home_of(here), here)

    listed = skilllite("list")

    assert listed.status == 0
    assert len(listed.out.splitlines()) == 1 + STARTERS + 1
    assert "greeter: network is not granted, --allow-network HOST does that" in listed.err
    assert "skipped" in listed.err
    assert "broken" in listed.err


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("absent/", "a folder with a SKILL.md, or a zip"),
        ("nothing-here", "a folder with a SKILL.md, or a zip"),
        ("", "a folder with a SKILL.md, or a zip"),
    ],
)
def test_what_can_not_be_added_is_said_by_name(skilllite: Typist, source: str, says: str) -> None:
    typed = skilllite("add", source)

    assert typed.status == 5
    assert f"there is no {source}" in typed.err
    assert says in typed.err


def test_a_broken_archive_is_named(skilllite: Typist, here: Path) -> None:
    (here / "x.zip").write_text("hello", encoding="utf-8")

    typed = skilllite("add", "x.zip")

    assert typed.status == 1
    assert "x.zip: " in typed.err
    assert "hint:" in typed.err


def test_list_as_json(skilllite: Typist, here: Path) -> None:
    lets_hide(home_of(here), make_skill(here / ".skills", "calculator"))
    trusts(home_of(here), here)

    record = skilllite("list", "--json").json

    assert record["schema"] == 1
    assert len(record["skills"]) == STARTERS
    calculator = record["skills"][0]
    assert (calculator["name"], calculator["origin"], calculator["tier"]) == (
        *("calculator", "project", "local"),
    )
    assert len(calculator["shadows"]) == 1


def test_shadowing_a_bundled_skill_is_always_said(skilllite: Typist, here: Path) -> None:
    trusts(home_of(here), here)
    lets_hide(home_of(here), make_skill(here / ".skills", "calculator"))

    for words in (("list",), ("list", "--json"), ("show", "calculator", "--json")):
        assert "bundled one in" in skilllite(*words).err
    lets_hide(home_of(here), make_skill(here / ".skills", "diff"))
    assert "2 skills hide others of the same name: calculator, diff" in skilllite("list").err


def test_a_copy_of_the_same_content_hides_nothing_worth_saying(
    skilllite: Typist, here: Path
) -> None:
    assert skilllite("init").status == 0

    assert skilllite("list").err == ""
    assert skilllite("show", "calculator").err == ""
    with (here / ".skills" / "calculator" / "SKILL.md").open("a", encoding="utf-8") as file:
        file.write("Changed.\n")
    assert "it would hide the bundled skill" in skilllite("list").err
    lets_hide(home_of(here), here / ".skills" / "calculator")
    assert "calculator is the project one" in skilllite("list").err
    assert len(skilllite("list", "--json").json["skills"][0]["shadows"]) == 1


def test_no_escape_sequence_of_a_skill_reaches_the_terminal(skilllite: Typist, here: Path) -> None:
    make_skill(
        here / ".skills",
        "evil",
        text='---\nname: evil\ndescription: "x\\e[2J\\x9b\\a"\nlicense: "\\e]0;owned\\a"\n---\nT\n',
    )

    for words in (("list",), ("show", "evil"), ("validate", "evil"), ("add", ".skills/evil")):
        typed = skilllite(*words)
        assert "\x1b" not in typed.out + typed.err
        assert "\x9b" not in typed.out + typed.err


def test_show_as_json_has_the_contract(skilllite: Typist, here: Path) -> None:
    directory = make_skill(
        here,
        "demo",
        extra="compatibility: Requires Python 3.x with requests library\n",
        files={"scripts/one.py": "p.add_argument('--n', type=int)\n", "scripts/two.sh": ""},
    )

    record = skilllite("show", "demo", "--json").json

    assert record["path"] == str(directory)
    assert record["digest"] == compute_digest(directory)
    assert record["parameters"] == {"type": "object"}
    assert record["entry"] is None
    assert [tool["tool"] for tool in record["tools"]] == ["one", "two"]
    assert record["tools"][0]["parameters"]["properties"] == {"n": {"type": "integer"}}
    assert record["requests"]["packages"][0]["requirement"] == "requests"
    assert record["lacks"] == []  # a run installs it
    assert (record["tier"], record["origin"], record["problems"]) == ("local", "path", [])


def test_show_is_a_page_for_a_person(skilllite: Typist) -> None:
    page = skilllite("show", "calculator")

    assert page.status == 0
    for words in ("scripts/main.py", "operation: add|subtract|multiply|divide", "sha256:"):
        assert words in page.out
    assert "skilllite run calculator '{" in page.out


def test_info_without_a_name_is_every_path_in_use(skilllite: Typist, here: Path) -> None:
    page = skilllite("info")
    record = skilllite("info", "--json").json

    assert record["paths"]["home"] == str(here.parent / "home")
    assert record["version"]
    assert [root["origin"] for root in record["roots"]] == ["project"] * 4 + ["user", "bundled"]
    assert record["roots"][-1]["skills"] == STARTERS
    for path in record["paths"].values():
        assert path in page.out


def test_info_of_a_skill_is_its_page(skilllite: Typist) -> None:
    assert skilllite("info", "diff").out == skilllite("show", "diff").out


@pytest.mark.parametrize("command", ["show", "info", "validate", "remove"])
def test_an_unknown_skill_is_not_found_with_a_guess(skilllite: Typist, command: str) -> None:
    typed = skilllite(command, "calculater")

    assert typed.status == 5
    assert typed.out == ""
    assert "did you mean calculator?" in typed.err


def test_validate_good_and_bad(skilllite: Typist, here: Path) -> None:
    make_skill(here, "good")
    make_skill(here, "bad", text=skill_md("Bad Name"))

    good = skilllite("validate", "good")
    both = skilllite("validate", "good", "./bad")
    record = skilllite("validate", "good", "bad", "--json").json

    assert (good.status, good.out) == (0, "good: ok\n")
    assert both.status == 1
    assert "error: name: " in both.out
    assert (record["ok"], [each["ok"] for each in record["skills"]]) == (False, [True, False])


def test_validate_takes_what_does_not_even_load(skilllite: Typist, here: Path) -> None:
    make_skill(here / ".skills", "broken", text="")
    (here / "empty").mkdir()

    for given in ("broken", ".skills/broken", "empty"):
        typed = skilllite("validate", given)
        assert typed.status == 1
        assert "not valid" in typed.out
    assert skilllite("validate", "./absent").status == 5


def test_every_bundled_skill_is_flawless(skilllite: Typist) -> None:
    names = [skill["name"] for skill in skilllite("list", "--json").json["skills"]]

    assert skilllite("validate", *names).status == 0


def test_add_a_folder(skilllite: Typist, here: Path) -> None:
    source = make_skill(here, "report", extra="compatibility: Requires network access\n")

    added = skilllite("add", "report")

    assert (added.status, added.out) == (0, "")
    assert "added report in" in added.err
    assert "lacks: network" in added.err
    assert compute_digest(user_skills(here) / "report") == compute_digest(source)
    assert skilllite("show", "report", "--json").json["digest"] == compute_digest(source)


def test_add_a_zip_to_the_project(skilllite: Typist, here: Path) -> None:
    source = make_skill(here.parent, "packed")
    with zipfile.ZipFile(here / "download.zip", "w") as archive:
        for path in source.rglob("*"):
            archive.write(path, Path("packed-main") / path.relative_to(source))

    record = skilllite("add", "download.zip", "--project", "--json").json

    assert record["name"] == "packed"
    assert record["path"] == str(here / ".skills" / "packed")
    assert record["digest"] == compute_digest(source)
    assert [path.name for path in (here / ".skills").iterdir()] == ["packed"]


def test_a_nameless_skill_in_a_zip_is_named_after_the_zip(skilllite: Typist, here: Path) -> None:
    with zipfile.ZipFile(here / "tidy.zip", "w") as archive:
        archive.writestr("SKILL.md", skill_md(None))

    assert skilllite("add", "tidy.zip", "--json").json["name"] == "tidy"


def test_adding_twice_is_refused_without_force(skilllite: Typist, here: Path) -> None:
    make_skill(here, "report", files={"old": ""})
    skilllite("add", "report")
    shutil.rmtree(here / "report")
    make_skill(here, "report", files={"new": ""})

    refused = skilllite("add", "report")
    kept = (user_skills(here) / "report" / "old").exists()
    forced = skilllite("add", "report", "--force")

    assert refused.status == 3
    assert "--force" in refused.err
    assert kept
    assert forced.status == 0
    assert "replaced report" in forced.err
    assert (user_skills(here) / "report" / "new").exists()


def test_force_replaces_a_skill_that_lies_under_another_folder_name(
    skilllite: Typist, here: Path
) -> None:
    make_skill(user_skills(here), "old-folder", text=skill_md("report"))
    make_skill(here, "report")

    skilllite("add", "report", "--force")

    assert [path.name for path in user_skills(here).iterdir()] == ["old-folder"]
    assert skilllite("show", "report").status == 0


def test_adding_the_installed_skill_itself_is_refused(skilllite: Typist, here: Path) -> None:
    make_skill(user_skills(here), "report")

    typed = skilllite("add", str(user_skills(here) / "report"), "--force")

    assert typed.status == 3
    assert (user_skills(here) / "report" / "SKILL.md").exists()


@pytest.mark.parametrize(
    ("source", "status"), [("absent", 5), ("empty", 1), ("linked", 1), ("not.zip", 1), ("climb", 1)]
)
def test_what_cannot_be_added_leaves_nothing(
    skilllite: Typist, here: Path, source: str, status: int
) -> None:
    (here / "empty").mkdir()
    (make_skill(here, "linked") / "link").symlink_to("/etc/passwd")
    (here / "not.zip").write_bytes(b"nothing of that kind")
    make_skill(here, "climb", text=skill_md("../../climb"))

    typed = skilllite("add", source)

    assert typed.status == status
    assert typed.err.startswith("error: ")
    assert "hint: " in typed.err or "cause: " in typed.err
    assert list(user_skills(here).iterdir()) == []


def test_remove_takes_only_what_was_installed(skilllite: Typist, here: Path) -> None:
    lets_hide(home_of(here), make_skill(here, "calculator"))
    skilllite("add", "calculator")

    removed = skilllite("remove", "calculator")
    again = skilllite("remove", "calculator")

    assert removed.status == 0
    assert str(user_skills(here) / "calculator") in removed.err
    assert "calculator is now the bundled one" in removed.err
    assert again.status == 3
    assert "ships with the package" in again.err
    assert list(user_skills(here).iterdir()) == []


def test_a_skill_of_the_project_goes_only_when_that_was_said(skilllite: Typist, here: Path) -> None:
    directory = make_skill(here / "skills", "draft")
    trusts(home_of(here), here)

    refused = skilllite("remove", "draft")
    kept = directory.exists()
    removed = skilllite("remove", "draft", "--project", "--json")

    assert refused.status == 3
    assert "--project" in refused.err
    assert kept
    assert removed.json["path"] == str(directory)
    assert not directory.exists()


def test_removing_a_linked_skill_leaves_its_files(skilllite: Typist, here: Path) -> None:
    target = make_skill(here, "linked")
    user_skills(here).mkdir(parents=True)
    (user_skills(here) / "linked").symlink_to(target)

    assert skilllite("remove", "linked").status == 0

    assert (target / "SKILL.md").exists()
    assert list(user_skills(here).iterdir()) == []


def test_init_copies_the_starter_skills_and_never_overwrites(skilllite: Typist, here: Path) -> None:
    mine = make_skill(here / ".skills", "calculator")
    before = compute_digest(mine)

    first = skilllite("init", "--json")
    second = skilllite("init")

    assert len(first.json["created"]) == STARTERS - 1
    assert first.json["kept"] == ["calculator"]
    assert compute_digest(mine) == before
    assert second.status == 0
    assert f"kept {STARTERS}" in second.err
    assert "nobody has trusted it" in second.err, "one was there before"
    trusts(home_of(here), here)
    assert skilllite("show", "diff", "--json").json["path"] == str(here / ".skills" / "diff")


def test_reindex_says_how_many(skilllite: Typist) -> None:
    typed = skilllite("reindex", "--json")

    assert typed.json == {"schema": 1, "skills": STARTERS, "skipped": 0}
    assert f"read {STARTERS} skills again" in typed.err


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (None, "the running node knows"),
        (ControlFailed("it broke"), "warning: the node did not read its skills again"),
        (NodeNotRunning("nobody"), ""),
    ],
)
def test_a_running_node_is_told(
    skilllite: Typist,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception | None,
    words: str,
) -> None:
    asked: list[str] = []

    class Client:
        def __init__(self, home: object, *, silence_s: float) -> None:
            assert silence_s <= skill_changes.NODE_SILENCE_S

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *facts: object) -> None:
            return None

        def call(self, op: str) -> object:
            asked.append(op)
            if failure is not None:
                raise failure
            return {}

    monkeypatch.setattr("skilllite.control.client.ControlClient", Client)
    make_skill(here, "report")
    skilllite("add", "report")
    assert asked == []  # there is no socket, so nobody is asked
    (here.parent / "home" / "run").mkdir()
    (here.parent / "home" / "run" / "control.sock").touch()

    removed = skilllite("remove", "report")

    assert removed.status == 0
    assert asked == ["reload"]
    assert words in removed.err


@pytest.mark.parametrize(
    "command",
    sorted(word for word, each in COMMANDS.items() if each.module == "skilllite.cli.skills"),
)
def test_every_command_has_help_with_an_example(skilllite: Typist, command: str) -> None:
    typed = skilllite(command, "--help")

    assert typed.status == 0
    assert f"example:\n  skilllite {command}" in typed.out
