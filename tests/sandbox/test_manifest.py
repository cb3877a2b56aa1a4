"""SKILL.md: lenient to load, strict to validate."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_files import DESCRIPTION, make_skill, skill_md
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.manifest import Manifest, Problem, load_manifest, name_problem


def load(tmp_path: Path, text: str | bytes) -> tuple[Manifest, tuple[Problem, ...]]:
    return load_manifest(make_skill(tmp_path, text=text, files={}), folder="demo")


def fields_of(problems: tuple[Problem, ...], severity: str = "error") -> list[str]:
    return sorted(problem.field for problem in problems if problem.severity == severity)


def test_a_flawless_manifest_has_no_problems(tmp_path: Path) -> None:
    manifest, problems = load(
        tmp_path,
        "---\nname: demo\ndescription: >\n  Does things.\n  Well.\nlicense: MIT\n"
        "compatibility: Python 3\nallowed-tools: Bash(git add:*) Read\n"
        "metadata:\n  author: me\n  version: '1.0'\n---\nText.\n",
    )

    assert problems == ()
    assert manifest == Manifest(
        name="demo",
        description="Does things. Well.",
        license="MIT",
        compatibility="Python 3",
        metadata={"author": "me", "version": "1.0"},
        allowed_tools=("Bash(git add:*)", "Read"),
    )


def test_a_missing_description_stops_loading(tmp_path: Path) -> None:
    with pytest.raises(InvalidSkill, match="no description") as caught:
        load(tmp_path, "---\nname: demo\n---\nText.\n")

    assert caught.value.hint


def test_a_missing_name_falls_back_on_the_folder(tmp_path: Path) -> None:
    manifest, problems = load(tmp_path, skill_md(None))

    assert (manifest.name, manifest.named) == ("demo", False)
    assert fields_of(problems) == ["name"]


@pytest.mark.parametrize(
    "name", ["../../etc", "a/b", "a\\b", ".hidden", "-flag", "'a\\nb'", '"a\\x1b[2J"', "x" * 201]
)
def test_a_name_that_could_be_a_path_or_an_escape_stops_loading(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidSkill, match="name"):
        load(tmp_path, skill_md(name if name != "'a\\nb'" else '"a\\nb"'))


@pytest.mark.parametrize("name", ["My Skill", "UPPER", "a--b", "x" * 65, "trailing-"])
def test_a_name_against_the_format_loads_with_a_problem(tmp_path: Path, name: str) -> None:
    manifest, problems = load(tmp_path, skill_md(name))

    assert manifest.name == name
    assert fields_of(problems) == ["name"]


def test_unknown_fields_load_with_a_problem(tmp_path: Path) -> None:
    manifest, problems = load(tmp_path, skill_md(extra="model: opus\nversion: 1\n"))

    assert manifest.description == DESCRIPTION
    assert fields_of(problems) == ["model", "version"]


def test_metadata_that_is_not_text_to_text_is_flattened_or_left_out(tmp_path: Path) -> None:
    manifest, problems = load(
        tmp_path, skill_md(extra="metadata:\n  a: [x, y]\n  b: {c: d}\n  e: 1\n")
    )

    assert manifest.metadata == {"a": "x y", "e": "1"}
    assert fields_of(problems) == ["metadata.a", "metadata.b"]


def test_metadata_of_another_kind_is_a_problem(tmp_path: Path) -> None:
    manifest, problems = load(tmp_path, skill_md(extra="metadata: text\n"))

    assert manifest.metadata == {}
    assert fields_of(problems) == ["metadata"]


def test_a_misspelt_key_of_ours_is_a_warning_that_names_the_known_ones(tmp_path: Path) -> None:
    _, problems = load(tmp_path, skill_md(extra="metadata:\n  skilllite.netwrok: a.example\n"))

    assert fields_of(problems, "warning") == ["metadata.skilllite.netwrok"]
    assert "skilllite.network" in problems[0].hint


def test_texts_beyond_the_format_load_with_a_problem(tmp_path: Path) -> None:
    text = f"---\nname: demo\ndescription: {'x' * 1025}\ncompatibility: {'y' * 501}\n---\nText.\n"

    _, problems = load(tmp_path, text)

    assert fields_of(problems) == ["compatibility", "description"]


def test_texts_at_the_bounds_of_the_format_are_fine(tmp_path: Path) -> None:
    text = f"---\nname: demo\ndescription: {'x' * 1024}\ncompatibility: {'y' * 500}\n---\nText.\n"

    assert load(tmp_path, text)[1] == ()


def test_a_description_of_absurd_length_stops_loading(tmp_path: Path) -> None:
    with pytest.raises(InvalidSkill, match="8192"):
        load(tmp_path, skill_md(description="x" * 8193))


@pytest.mark.parametrize(
    ("value", "tools"),
    [
        ("Bash(git:*) Read", ("Bash(git:*)", "Read")),
        ("Bash(git add:*), Read", ("Bash(git add:*)", "Read")),
        ("[Read, 'Bash(npm run:*)']", ("Read", "Bash(npm run:*)")),
        ("", ()),
    ],
)
def test_allowed_tools_are_split_outside_parentheses(
    tmp_path: Path, value: str, tools: tuple[str, ...]
) -> None:
    manifest, _ = load(tmp_path, skill_md(extra=f"allowed-tools: {value}\n"))

    assert manifest.allowed_tools == tools


def test_missing_instructions_and_very_long_ones_are_warnings(tmp_path: Path) -> None:
    empty = load(tmp_path / "a", "---\nname: demo\ndescription: d\n---\n")[1]
    long = load(tmp_path / "b", skill_md() + "line\n" * 501)[1]

    assert fields_of(empty, "warning") == fields_of(long, "warning") == ["SKILL.md"]


def test_no_directory_and_no_file_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(NotFound):
        load_manifest(tmp_path / "absent", folder="absent")
    with pytest.raises(InvalidSkill, match=r"no SKILL\.md"):
        load_manifest(tmp_path / "empty", folder="empty")


def test_a_linked_skill_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(skill_md(), encoding="utf-8")
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "SKILL.md").symlink_to(tmp_path / "secret")

    with pytest.raises(InvalidSkill):
        load_manifest(tmp_path / "demo", folder="demo")


@pytest.mark.parametrize("name", ["a", "csv-summary", "x" * 64, "größe", "数据", "a1-2"])
def test_names_the_format_allows(name: str) -> None:
    assert name_problem(name) == ""


@pytest.mark.parametrize(
    "name", ["", "A", "a_b", "a b", "-a", "a-", "a--b", "x" * 65, "ﬁle", "gro\u0308ße", "a.b"]
)
def test_names_the_format_forbids(name: str) -> None:
    assert name_problem(name)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300)
    | st.dictionaries(
        st.sampled_from(["name", "description", "metadata", "allowed-tools", "x", "license"]),
        st.recursive(st.text(max_size=8), lambda inner: st.lists(inner, max_size=3), max_leaves=5)
        | st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    ).map(lambda fields: f"---\n{fields!r}\n---\n".encode("utf-8", "replace"))
)
def test_any_skill_file_loads_or_is_invalid(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    directory = make_skill(tmp_path_factory.mktemp("any"), text=data, files={})

    try:
        manifest, _ = load_manifest(directory, folder="demo")
    except InvalidSkill:
        return

    assert manifest.description
