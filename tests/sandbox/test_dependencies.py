"""Packages, out of prose and out of dependency files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_files import make_skill
from skilllite_sandbox.capabilities import Package
from skilllite_sandbox.dependencies import PACKAGES_MAX, packages_in_prose, read_packages


def names(prose: str, ecosystem: str = "python") -> list[str]:
    return [each.name for each in packages_in_prose(prose) if each.ecosystem == ecosystem]


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("Requires Python 3.x with requests library, network access", ["requests"]),
        (
            "Requires Python 3.x with requests library, pandas and numpy",
            ["requests", "pandas", "numpy"],
        ),
        ("Python 3.x with pandas>=2.0, numpy", ["pandas", "numpy"]),
        ("Requires Python 3.10+ with the pandas and openpyxl libraries", ["pandas", "openpyxl"]),
        ("requires the requests library", ["requests"]),
        ("pandas and numpy packages", ["pandas", "numpy"]),
        ("Requires Python 3.x, requests library", ["requests"]),
        ("Python 3 with scikit-learn & ruamel.yaml", ["scikit-learn", "ruamel.yaml"]),
        ("Python 3.11 with uvicorn[standard]", ["uvicorn"]),
        ("Requires Python 3.x with pandas. Works offline.", ["pandas"]),
        ("Python 3.10 or newer, requests library", ["requests"]),
        ("Requires Python 3.x", []),
        ("Requires Python 3.x, network access", []),
        ("Requires Python 3.x with network access", []),
        ("Requires Python 3.x with standard library only", []),
        ("Python 3.11 or later, standard library only; no network", []),
        ("Python 3 with no external packages", []),
        ("Python 3 without any packages", []),
        ("Requires git, docker, jq, and access to the internet", []),
        ("Designed for Claude Code (or similar products)", []),
        ("", []),
    ],
)
def test_python_packages_in_prose(prose: str, expected: list[str]) -> None:
    assert names(prose) == expected


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("Node.js with lodash package", ["lodash"]),
        ("Requires Node.js 20 with lodash and @scope/thing", ["lodash", "@scope/thing"]),
        ("Requires node with left-pad", ["left-pad"]),
        ("Requires Node.js 20", []),
    ],
)
def test_node_packages_in_prose(prose: str, expected: list[str]) -> None:
    assert names(prose, "node") == expected
    assert names(prose) == []


def test_two_languages_keep_their_own_packages() -> None:
    prose = "Python 3.x with pandas, Node.js with lodash"

    assert (names(prose), names(prose, "node")) == (["pandas"], ["lodash"])


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=120)
    | st.lists(
        st.sampled_from(
            ["Python", "3.x", "with", "and", ",", "library", "requests", ".", ";", "no", "Node.js"]
        ),
        max_size=20,
    ).map(" ".join)
)
def test_any_prose_is_read_without_a_crash(prose: str) -> None:
    assert all(package.name for package in packages_in_prose(prose))


def from_files(tmp_path: Path, files: dict[str, str | bytes]) -> tuple[list[str], list[str]]:
    packages, problems = read_packages(make_skill(tmp_path, files=files), "")
    return [f"{each.ecosystem}:{each.requirement}" for each in packages], [
        problem.field for problem in problems
    ]


def test_requirements_txt(tmp_path: Path) -> None:
    text = (
        "# what we need\nrequests>=2,<3  # http\n\n-r more.txt\n--index-url https://x.example\n"
        "pandas==2.0 \\\n    --hash=sha256:00\nthing @ https://x.example/thing.whl\n"
    )

    assert from_files(tmp_path, {"requirements.txt": text}) == (
        [
            "python:requests>=2,<3",
            "python:-r more.txt",
            "python:--index-url https://x.example",
            "python:pandas==2.0",
            "python:thing @ https://x.example/thing.whl",
        ],
        [],
    )


def test_pyproject_toml(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\ndependencies = ["httpx", "rich >= 13"]\n'

    assert from_files(tmp_path, {"pyproject.toml": text})[0] == [
        "python:httpx",
        "python:rich >= 13",
    ]


def test_package_json(tmp_path: Path) -> None:
    text = json.dumps({"dependencies": {"lodash": "^4", "@a/b": ""}, "devDependencies": {"x": "1"}})

    assert from_files(tmp_path, {"package.json": text})[0] == ["node:lodash@^4", "node:@a/b"]


def test_files_beside_the_scripts_count_too(tmp_path: Path) -> None:
    assert from_files(tmp_path, {"scripts/requirements.txt": "numpy"})[0] == ["python:numpy"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("pyproject.toml", "not toml ["),
        ("pyproject.toml", "project = 3"),
        ("pyproject.toml", "[project]\ndependencies = 'x'"),
        ("package.json", "{"),
        ("package.json", "[]"),
        ("package.json", '{"dependencies": {"a": 1}}'),
        ("package.json", "[" * 100_000),
        ("requirements.txt", b"\xff\xfe\x00"),
        ("requirements.txt", "x" * 300_000),
    ],
)
def test_a_bad_file_is_a_problem(tmp_path: Path, file: str, content: str | bytes) -> None:
    assert from_files(tmp_path, {file: content}) == ([], [file])


def test_prose_does_not_repeat_what_a_file_says(tmp_path: Path) -> None:
    directory = make_skill(tmp_path, files={"requirements.txt": "Py_Yaml>=6"})

    packages, _ = read_packages(directory, "Python 3 with py-yaml, numpy")

    assert [package.requirement for package in packages] == ["Py_Yaml>=6", "numpy"]


def test_a_flood_of_packages_is_cut(tmp_path: Path) -> None:
    text = "\n".join(f"p{n}" for n in range(1000))

    packages, problems = from_files(tmp_path, {"requirements.txt": text})

    assert (len(packages), len(problems)) == (PACKAGES_MAX, 1)


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("requests>=2", "requests"),
        ("a [x]; python_version > '3'", "a"),
        ("@scope/thing@^1", "@scope/thing"),
        ("thing @ https://x.example/a.whl", "thing"),
        ("git+https://x.example/a.git", "git+https://x.example/a.git"),
    ],
)
def test_the_name_in_a_requirement(requirement: str, name: str) -> None:
    assert Package("python", requirement, "requirements.txt").name == name
