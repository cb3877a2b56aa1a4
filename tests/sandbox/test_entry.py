"""Which script of a skill runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill_files import make_skill
from skilllite_sandbox.entry import (
    TOOLS_MAX,
    Detection,
    EntryPoint,
    Language,
    detect_entry,
)


def detect(tmp_path: Path, *files: str, explicit: str = "", content: str = "") -> Detection:
    directory = make_skill(tmp_path, files=dict.fromkeys(files, content))
    metadata = {"skilllite.entry-point": explicit} if explicit else {}
    return detect_entry(directory, name="demo", metadata=metadata)


def entry_path(detection: Detection) -> str | None:
    return detection.entry.path if detection.entry else None


ORDER = [
    "scripts/main.py",
    "scripts/main.js",
    "scripts/main.ts",
    "scripts/main.sh",
    "scripts/index.py",
    "scripts/index.js",
    "scripts/index.ts",
    "scripts/index.sh",
    "index.py",
    "index.js",
    "index.ts",
    "index.sh",
]


@pytest.mark.parametrize("rank", range(len(ORDER)))
def test_the_first_of_the_known_names_wins(tmp_path: Path, rank: int) -> None:
    detection = detect(tmp_path, *ORDER[rank:], "scripts/other.py")

    assert entry_path(detection) == ORDER[rank]
    assert detection.tools == (detection.entry,)


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("scripts/go.py", Language.PYTHON),
        ("scripts/go.mjs", Language.NODE),
        ("scripts/go.cjs", Language.NODE),
        ("scripts/go.bash", Language.BASH),
        ("scripts/go.ts", Language.TYPESCRIPT),
        ("go.py", Language.PYTHON),
    ],
)
def test_the_only_script_is_the_entry(tmp_path: Path, path: str, language: Language) -> None:
    detection = detect(tmp_path, path, "references/notes.md", "data.json")

    assert detection.entry == EntryPoint(path, language, "demo")


def test_several_scripts_are_one_tool_each(tmp_path: Path) -> None:
    detection = detect(
        tmp_path, "scripts/extract.py", "scripts/merge pages.sh", "scripts/_shared.py"
    )

    assert detection.entry is None
    assert detection.tools == (
        EntryPoint("scripts/extract.py", Language.PYTHON, "extract"),
        EntryPoint("scripts/merge pages.sh", Language.BASH, "merge-pages"),
    )


def test_tools_of_one_stem_get_names_of_their_own(tmp_path: Path) -> None:
    detection = detect(tmp_path, "scripts/a-sh.py", "scripts/a.py", "scripts/a.sh")

    assert len({tool.tool for tool in detection.tools}) == 3


def test_more_scripts_than_anybody_lists_are_cut_and_reported(tmp_path: Path) -> None:
    detection = detect(tmp_path, *(f"scripts/t{n:03}.py" for n in range(TOOLS_MAX + 1)))

    assert len(detection.tools) == TOOLS_MAX
    assert detection.problems[0].severity == "warning"


def test_no_script_is_a_skill_of_instructions(tmp_path: Path) -> None:
    assert detect(tmp_path, "references/a.md") == Detection(None, ())


def test_several_files_of_code_at_the_top_are_no_tools(tmp_path: Path) -> None:
    assert detect(tmp_path, "setup.py", "eslint.config.js").tools == ()


def test_scripts_below_other_folders_are_not_entries(tmp_path: Path) -> None:
    assert detect(tmp_path, "scripts/deep/main.py", "assets/main.js").tools == ()


def test_an_explicit_entry_wins(tmp_path: Path) -> None:
    detection = detect(tmp_path, "scripts/main.py", "lib/start.js", explicit="./lib/start.js")

    assert detection.entry == EntryPoint("lib/start.js", Language.NODE, "demo")
    assert detection.problems == ()


@pytest.mark.parametrize(
    ("first_line", "language"),
    [
        ("#!/usr/bin/env python3", Language.PYTHON),
        ("#!/bin/sh -e", Language.BASH),
        ("#!/usr/bin/env -S bash", Language.BASH),
        ("#!/usr/local/bin/node", Language.NODE),
    ],
)
def test_an_explicit_entry_without_suffix_is_known_by_its_first_line(
    tmp_path: Path, first_line: str, language: Language
) -> None:
    detection = detect(tmp_path, "bin/go", explicit="bin/go", content=first_line + "\n")

    assert detection.entry == EntryPoint("bin/go", language, "demo")


@pytest.mark.parametrize(
    "explicit",
    ["../demo/scripts/main.py", "/etc/passwd", "scripts", "absent.py", "SKILL.md", "a//b"],
)
def test_an_explicit_entry_that_is_none_falls_back_with_a_problem(
    tmp_path: Path, explicit: str
) -> None:
    detection = detect(tmp_path, "scripts/main.py", explicit=explicit)

    assert entry_path(detection) == "scripts/main.py"
    assert [problem.field for problem in detection.problems] == ["metadata.skilllite.entry-point"]


def test_an_explicit_entry_through_a_link_does_not_count(tmp_path: Path) -> None:
    directory = make_skill(tmp_path)
    (directory / "lib").symlink_to(tmp_path)
    (tmp_path / "outside.py").write_text("", encoding="utf-8")

    detection = detect_entry(
        directory, name="demo", metadata={"skilllite.entry-point": "lib/outside.py"}
    )

    assert entry_path(detection) == "scripts/main.py"
    assert detection.problems


def test_links_are_no_scripts(tmp_path: Path) -> None:
    directory = make_skill(tmp_path, files={})
    (tmp_path / "main.py").write_text("", encoding="utf-8")
    (directory / "scripts").mkdir()
    (directory / "scripts" / "main.py").symlink_to(tmp_path / "main.py")

    assert detect_entry(directory, name="demo", metadata={}).tools == ()
