"""A skill as a whole: loaded, validated, and kept as a record."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import skilllite_sandbox.skill
from skill_files import make_skill, skill_md
from skilllite_sandbox.entry import Language
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.skill import load_skill, validate_skill
from skilllite_sandbox.skill_record import InvalidRecord, decode_skill, encode_skill, with_name

DIGEST = "sha256:" + "0" * 64

RICH = {
    "extra": "compatibility: Requires Python 3.x with requests library, network access\n"
    "allowed-tools: Bash(git:*)\n"
    "metadata:\n"
    "  skilllite.network: api.example.com\n"
    "  skilllite.exec: git\n"
    "  skilllite.parameters: parameters.json\n"
    "  skilllite.examples: examples.json\n",
    "files": {
        "scripts/main.py": "print(1)\n",
        "parameters.json": '{"type": "object", "properties": {"ü": {"type": "string"}}}',
        "examples.json": '[{"request": "say ü", "arguments": {"ü": "x"}}]',
    },
}


def make_rich(parent: Path) -> Path:
    return make_skill(parent, **RICH)  # type: ignore[arg-type]


def test_a_skill_is_read_whole(tmp_path: Path) -> None:
    skill = load_skill(make_rich(tmp_path))

    assert skill.name == "demo"
    assert skill.description.startswith("Echoes")
    assert skill.entry is not None
    assert skill.entry.language is Language.PYTHON
    assert skill.parameters["properties"] == {"ü": {"type": "string"}}
    assert skill.examples == ({"request": "say ü", "arguments": {"ü": "x"}},)
    assert len(skill.lacks) == 2
    assert skill.idempotent
    assert skill.problems == ()


def test_a_skill_of_instructions_has_nothing_to_call(tmp_path: Path) -> None:
    skill = load_skill(make_skill(tmp_path, files={}))

    assert (skill.entry, skill.tools, skill.parameters) == (None, (), {"type": "object"})


def test_typescript_is_listed_with_what_it_lacks(tmp_path: Path) -> None:
    skill = load_skill(make_skill(tmp_path, files={"scripts/main.ts": ""}))

    assert skill.entry is not None
    assert skill.entry.language is Language.TYPESCRIPT
    assert skill.lacks == ("TypeScript is not supported yet",)


def test_a_folder_of_another_name_is_a_problem_and_loads(tmp_path: Path) -> None:
    skill = load_skill(make_skill(tmp_path, "elsewhere", text=skill_md("demo")))

    assert skill.name == "demo"
    assert [problem.field for problem in skill.problems] == ["name"]


def test_a_folder_given_with_dots_has_its_real_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_skill(tmp_path))

    assert load_skill(Path()).problems == ()


def test_a_loop_of_links_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")

    with pytest.raises((InvalidSkill, NotFound)):
        load_skill(tmp_path / "loop")


def test_a_flawless_skill_validates(tmp_path: Path) -> None:
    assert validate_skill(make_rich(tmp_path)) == ()


def test_validating_collects_everything_errors_first(tmp_path: Path) -> None:
    directory = make_skill(
        tmp_path,
        "folder",
        text="---\nname: Bad_Name\ndescription: d\ncolour: red\n"
        "metadata:\n  skilllite.unknown: x\n  skilllite.network: '*'\n---\n",
        files={"scripts/main.py": "def broken(:\n"},
    )
    (directory / "link").symlink_to("SKILL.md")

    problems = validate_skill(directory)

    assert [problem.severity for problem in problems] == sorted(p.severity for p in problems)
    assert {problem.field for problem in problems if problem.severity == "error"} == {
        *("name", "colour", "metadata.skilllite.network", "scripts/main.py", "files"),
    }


def test_validating_what_does_not_even_load_is_a_problem_too(tmp_path: Path) -> None:
    (problem,) = validate_skill(make_skill(tmp_path, text="---\nname: demo\n---\nText\n"))

    assert "description" in problem.message
    assert problem.hint


def test_validating_nothing_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        validate_skill(tmp_path / "absent")


def test_a_record_gives_the_same_skill_back(tmp_path: Path) -> None:
    skill = load_skill(make_rich(tmp_path))
    elsewhere = tmp_path / "elsewhere"

    back = decode_skill(encode_skill(skill, DIGEST), digest=DIGEST, directory=elsewhere)

    assert back == dataclasses.replace(skill, place=str(elsewhere))
    assert back.lacks == skill.lacks


def test_a_record_of_something_else_is_refused(tmp_path: Path) -> None:
    record = json.loads(encode_skill(load_skill(make_rich(tmp_path)), DIGEST))
    changes: list[object] = [
        {**record, "version": 0},
        {**record, "digest": "sha256:" + "1" * 64},
        {**record, "parameters": []},
        {**record, "tools": [{"path": "x", "language": "cobol", "tool": "x"}]},
        {**record, "tools": None},
        {**record, "manifest": {"name": "x"}},
        {**record, "problems": [{}]},
        [],
    ]
    damaged = [json.dumps(change).encode() for change in changes] + [b"", b"\xff", b"[" * 100_000]

    for data in damaged:
        with pytest.raises(InvalidRecord):
            decode_skill(data, digest=DIGEST, directory=tmp_path)


def test_a_nameless_skill_takes_the_name_of_each_folder(tmp_path: Path) -> None:
    skill = load_skill(make_skill(tmp_path, "one", text=skill_md(None)))

    renamed = with_name(skill, "two")

    assert renamed.name == "two"
    assert renamed.entry is not None
    assert renamed.entry.tool == "two"
    assert renamed.tools == (renamed.entry,)


def test_loading_never_changes_the_directory(tmp_path: Path) -> None:
    directory = make_rich(tmp_path)
    before = sorted(directory.rglob("*"))

    load_skill(directory)
    validate_skill(directory)

    assert sorted(directory.rglob("*")) == before


def test_a_skill_without_a_readable_file_is_invalid(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(InvalidSkill):
        load_skill(tmp_path / "empty")


def test_the_modules_a_run_touches_import_without_site_packages() -> None:
    source_root = Path(skilllite_sandbox.skill.__file__).parent.parent
    code = (
        "import sys, skilllite_sandbox.stage, skilllite_sandbox.skill\n"
        "heavy = {'yaml', 'ast', 'zipfile', 'tempfile', 'asyncio', 'subprocess', 'logging'}\n"
        # `dataclasses` itself brings ast; what we add on top is what counts here.
        "import dataclasses\n"
        "print(sorted((heavy - {'ast'}) & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": os.fspath(source_root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.strip() == "[]"
