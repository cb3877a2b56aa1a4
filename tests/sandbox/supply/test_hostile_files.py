"""Whatever a file says, reading it ends soon and raises nothing."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skilllite_sandbox.scan.source import make_source
from skilllite_sandbox.supply.dependency import Ecosystem, Origin
from skilllite_sandbox.supply.inspector import inspect_dependencies
from skilllite_sandbox.supply.names import (
    Place,
    npm_requirement,
    path_origin,
    python_requirement,
)
from skilllite_sandbox.supply.reading import UNFORESEEN, read_declared

PATHS = [
    *("requirements.txt", "pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "Pipfile.lock"),
    *("poetry.lock", "uv.lock", "pylock.toml", "package.json", "package-lock.json", "yarn.lock"),
    *("pnpm-lock.yaml", ".npmrc", ".yarnrc.yml", "pip.conf", "uv.toml", "SKILL.md", "main.py"),
    *("install.sh", "environment.yml", "node_modules/a/package.json", "a.dist-info/METADATA"),
]
PIECES = st.sampled_from(
    [
        *("\n", " ", "=", "==", "[", "]", "{", "}", '"', "'", ":", ",", "#", "\\", "@", "-", "/"),
        *("dependencies", "packages", "[[package]]\n", "[project]\n", "name", "version", "1.0"),
        *("install_requires", "# /// script\n", "# ///\n", "```\n", "pip install ", "npm i "),
        *("-r ", "-e ", "-i ", "--index-url ", "git+https://x.invalid/a", "resolved ", "  "),
        *("lockfileVersion: 9\n", "---\n", "compatibility: ", "requests", "\u0435", "\x00"),
    ]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=200)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("dependencies", "packages", "scripts", "overrides", "resolutions", "pnpm"),
                    *("version", "resolved", "node_modules/a", "default", "develop", "_meta"),
                    *("sources", "name", "postinstall", "", "link", "dev", "bundledDependencies"),
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=300, deadline=2000)
@given(st.lists(st.tuples(st.sampled_from(PATHS), TEXTS), max_size=4))
def test_no_text_stumbles_the_readers(files: list[tuple[str, str]]) -> None:
    sources = [make_source(path, text.encode("utf-8", "replace")) for path, text in files]

    declared = read_declared(sources)

    for each in declared.dependencies:
        assert each.file in {source.path for source in sources}
    assert not any(each.why.startswith(UNFORESEEN) for each in declared.unread)
    inspect_dependencies(sources)


@settings(max_examples=200, deadline=2000)
@given(st.sampled_from(["package.json", "package-lock.json", "Pipfile.lock"]), VALUES)
def test_no_json_stumbles_them(path: str, value: object) -> None:
    source = make_source(path, json.dumps(value).encode())

    assert not any(each.why.startswith(UNFORESEEN) for each in read_declared([source]).unread)
    inspect_dependencies([source])


@given(st.binary(max_size=300), st.sampled_from(PATHS))
def test_no_bytes_stumble_them(data: bytes, path: str) -> None:
    declared = read_declared([make_source(path, data)])

    assert not any(each.why.startswith(UNFORESEEN) for each in declared.unread)


def test_a_mistake_in_a_reader_leaves_its_file_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(source: object) -> None:
        raise LookupError

    monkeypatch.setattr("skilllite_sandbox.supply.reading.pip_options.read_requirements", stumble)

    (found,) = inspect_dependencies([make_source("requirements.txt", b"a\n")])

    assert found.code == "SL613"


def test_an_empty_word_is_no_package() -> None:
    found = read_declared([make_source("SKILL.md", b'```\npip install "" a\n```\n')])

    assert [each.name for each in found.dependencies] == ["a"]


MANIFEST = 500_000  # just below what is read of one manifest
LOCK = 1_900_000


def filled(start: str, piece: str, size: int, end: str = "") -> str:
    return start + piece * ((size - len(start) - len(end)) // len(piece)) + end


LARGE = [
    ("requirements.txt", filled("", "a[", 19_000)),
    ("requirements.txt", filled("", "\\\n", MANIFEST)),
    ("requirements.txt", filled("", "-r requirements.txt\n", MANIFEST)),
    ("requirements.txt", filled("", "-i a\n", MANIFEST)),
    ("requirements.txt", "\n".join(f"unusual-name-{n:06}" for n in range(25_000))),
    ("requirements.txt", filled("", "!\n", MANIFEST)),
    ("package.json", '{"dependencies": {' + ",".join(f'"n{n}":"1"' for n in range(35_000)) + "}}"),
    ("package.json", '{"overrides":' * 200 + "{}" + "}" * 200),
    ("package.json", filled("", '"', MANIFEST)),
    (
        "package-lock.json",
        '{"packages": {' + ",".join(f'"n{n}":{{}}' for n in range(150_000)) + "}}",
    ),
    ("pyproject.toml", filled("", "a.", MANIFEST, "b = 1")),
    ("pyproject.toml", filled("", '"a" . ', MANIFEST, "b = 1")),
    ("pyproject.toml", filled("[", "a.", MANIFEST, "b]")),
    ("pyproject.toml", filled('a = "', '"\n', MANIFEST)),
    ("pyproject.toml", filled("a = [", "[],", 200_000, "]")),
    ("uv.lock", filled("", "[[package]]\n", 290_000)),
    ("uv.lock", filled("", "[[package]]\n", 1_000_000)),
    ("poetry.lock", "\n".join(f"[a{n}]" for n in range(60_000))),
    ("yarn.lock", filled("", "a@1:\n  version 1.0.0\n", LOCK)),
    ("pnpm-lock.yaml", filled("lockfileVersion: 9\npackages:\n  /a@1.0.0(", "(", LOCK)),
    ("SKILL.md", filled("", "pip install ", LOCK)),
    ("SKILL.md", filled("```\n", "pip install a\n", LOCK)),
    ("README.md", filled("", "`", LOCK)),
    ("main.py", filled("# /// script\n", "# a\n", LOCK)),
    ("environment.yml", filled("- pip:\n", "  - a\n", MANIFEST)),
    ("environment.yml", filled("- pip:\n", "  - !\n", MANIFEST)),
    ("environment.yml", filled("- a", " ", MANIFEST)),
    (".npmrc", filled("", " ", MANIFEST)),
    (".npmrc", filled("", "registry=a\n", MANIFEST)),
    ("pip.conf", filled("index-url =", " x", MANIFEST)),
    ("setup.py", filled("setup(install_requires=[", "'a',", MANIFEST, "])")),
    ("setup.cfg", filled("[options]\ninstall_requires =\n", "  a\n", MANIFEST)),
]


@pytest.mark.parametrize(("path", "text"), LARGE, ids=[path for path, _ in LARGE])
def test_no_large_file_takes_long(path: str, text: str) -> None:
    source = make_source(path, text.encode())
    began = time.process_time()

    inspect_dependencies([source])

    assert time.process_time() - began < 2.0


def test_many_large_files_take_no_longer() -> None:
    text = filled("", "[[package]]\n", 290_000).encode()
    sources = [make_source(f"{number}/uv.lock", text) for number in range(60)]
    began = time.process_time()

    found = inspect_dependencies(sources)

    assert time.process_time() - began < 6.0
    assert any(each.code == "SL613" for each in found)


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_requirement_stumbles(name: str, wanted: str) -> None:
    place = Place("a", 1)
    found = python_requirement(f"{name}{wanted}", place)
    assert found is None or found.ecosystem is Ecosystem.PYPI
    assert npm_requirement(name, wanted, place).ecosystem is Ecosystem.NPM


PARTS = st.lists(st.sampled_from(["..", ".", "a", "b"]), max_size=6)


@given(PARTS, PARTS)
def test_a_path_is_inside_exactly_when_it_never_leaves(folder: list[str], path: list[str]) -> None:
    inside = [part for part in folder if part not in ("..", ".")]
    depth, left = len(inside), False
    for part in path:
        depth += {"..": -1, ".": 0}.get(part, 1)
        left = left or depth < 0

    found = path_origin("/".join([".", *path]), "/".join(inside))

    assert found is (Origin.PATH if left else Origin.INSIDE)


def test_a_row_of_signs_is_no_requirement_and_read_at_once() -> None:
    began = time.process_time()

    assert python_requirement("a==" + "!" * 1900 + "(", Place("f", 1)) is None
    assert time.process_time() - began < 0.5
