"""Parameters and examples: read, never run."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skill_files import make_skill
from skilllite_sandbox.argument_parser import ARGUMENTS_MAX, schema_of_source
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.parameters import ANYTHING, read_examples, read_parameters

ENTRY = EntryPoint("scripts/main.py", Language.PYTHON, "demo")


def schema_of(body: str, before: str = "") -> dict[str, Any]:
    source = f"import argparse\n{before}\nparser = argparse.ArgumentParser()\n{body}\n"
    return schema_of_source(source.encode("utf-8")) or {}


def property_of(arguments: str, before: str = "") -> dict[str, Any]:
    (found,) = schema_of(f"parser.add_argument({arguments})", before)["properties"].values()
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("'text'", {"type": "string"}),
        ("'--count', type=int", {"type": "integer"}),
        ("'--ratio', type=float, default=0.5", {"type": "number", "default": 0.5}),
        ("'--path', type=pathlib.Path", {"type": "string"}),
        ("'--odd', type=lambda text: text", {"type": "string"}),
        ("'--yes', action='store_true'", {"type": "boolean"}),
        ("'--no', action='store_false'", {"type": "boolean"}),
        ("'--on', action=argparse.BooleanOptionalAction", {"type": "boolean"}),
        ("'-v', action='count', default=0", {"type": "integer", "default": 0}),
        ("'--mode', choices=['a', 'b']", {"type": "string", "enum": ["a", "b"]}),
        ("'--mode', choices=('b', 'a')", {"type": "string", "enum": ["b", "a"]}),
        ("'--mode', choices={'b', 'a'}", {"type": "string", "enum": ["a", "b"]}),
        ("'--n', type=int, choices=[1, 2]", {"type": "integer", "enum": [1, 2]}),
        ("'--n', type=int, choices=range(9)", {"type": "integer"}),
        ("'--files', nargs='+'", {"type": "array", "items": {"type": "string"}, "minItems": 1}),
        ("'--files', nargs='*'", {"type": "array", "items": {"type": "string"}}),
        ("'rest', nargs=argparse.REMAINDER", {"type": "array", "items": {"type": "string"}}),
        (
            "'--xy', nargs=2, type=int",
            {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        ),
        ("'--tag', action='append'", {"type": "array", "items": {"type": "string"}}),
        (
            "'--tag', action='extend', nargs='*'",
            {"type": "array", "items": {"type": "string"}},
        ),
        ("'--flag', action='store_const', const=3", {}),
        ("'--name', help='Who\\n  to greet'", {"type": "string", "description": "Who to greet"}),
        ("'--name', help=argparse.SUPPRESS, default=argparse.SUPPRESS", {"type": "string"}),
        ("'--name', help='a ' 'b'", {"type": "string", "description": "a b"}),
        ("'--name', help=f'{x}', default=os.environ['X']", {"type": "string"}),
        ("'--big', type=int, default=-5", {"type": "integer", "default": -5}),
    ],
)
def test_one_argument(arguments: str, expected: dict[str, Any]) -> None:
    assert property_of(arguments) == expected


def test_choices_and_defaults_may_be_constants_of_the_module() -> None:
    before = "MODES = ('x', 'y')\nLIMIT = 7\nTWICE = 1\nTWICE = 2"

    assert property_of("'--mode', choices=MODES", before)["enum"] == ["x", "y"]
    assert property_of("'--limit', type=int, default=LIMIT", before)["default"] == 7
    assert "default" not in property_of("'--twice', default=TWICE", before)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ("'input'", "input"),
        ("'--dry-run'", "dry_run"),
        ("'-o', '--output-file'", "output_file"),
        ("'-x'", "x"),
        ("'--in', dest='source'", "source"),
    ],
)
def test_names_are_those_argparse_gives(arguments: str, name: str) -> None:
    assert list(schema_of(f"parser.add_argument({arguments})")["properties"]) == [name]


@pytest.mark.parametrize(
    ("arguments", "required"),
    [
        ("'a'", True),
        ("'a', nargs='+'", True),
        ("'a', nargs='?'", False),
        ("'a', nargs='*'", False),
        ("'a', default='x'", False),
        ("'--a'", False),
        ("'--a', required=True", True),
        ("'--a', required=maybe()", False),
    ],
)
def test_what_must_be_given(arguments: str, required: bool) -> None:
    schema = schema_of(f"parser.add_argument({arguments})")

    assert schema.get("required", []) == (["a"] if required else [])


def test_groups_count_and_subcommands_do_not() -> None:
    schema = schema_of(
        "group = parser.add_argument_group('g')\n"
        "either = parser.add_mutually_exclusive_group()\n"
        "group.add_argument('--in-group')\n"
        "either.add_argument('--either')\n"
        "subs = parser.add_subparsers()\n"
        "sub = subs.add_parser('run')\n"
        "nested = sub.add_argument_group('n')\n"
        "sub.add_argument('only-there')\n"
        "nested.add_argument('--nor-this')\n"
        "def more(p):\n    p.add_argument('--from-function')\n"
    )

    assert list(schema["properties"]) == ["in_group", "either", "from_function"]


def test_help_version_and_computed_names_are_left_out() -> None:
    schema = schema_of(
        "parser.add_argument('--version', action='version', version='1')\n"
        "parser.add_argument('--assist', action='help')\n"
        "for name in NAMES:\n    parser.add_argument(name)\n"
        "parser.add_argument(*args)\n"
        "parser.add_argument('--kept', **options)\n"
    )

    assert list(schema["properties"]) == ["kept"]


def test_generated_code_is_cut_at_the_bound() -> None:
    schema = schema_of("\n".join(f"parser.add_argument('--a{n}')" for n in range(1000)))

    assert len(schema["properties"]) == ARGUMENTS_MAX


@pytest.mark.parametrize(
    "source",
    [
        b"def broken(:\n add_argument",
        b"\x00 add_argument",
        b"\xff\xfe add_argument",
        b"parser.add_argument",
        b"x.add_argument(" + b"(" * 5000 + b")" * 5000 + b")",
        b"x" + b".y" * 20_000 + b".add_argument('a')",
        b"x.add_argument('a', default=" + b"-" * 20_000 + b"1)",
        b"# coding: nonsense\nx.add_argument('a')",
    ],
)
def test_source_that_cannot_be_read_has_no_schema(source: bytes) -> None:
    schema = schema_of_source(source)

    assert schema is None or schema["type"] == "object"


def test_a_number_no_json_carries_is_left_out() -> None:
    assert "default" not in property_of("'--n', type=int, default=" + "9" * 400)
    assert "default" not in property_of("'--n', type=float, default=1e999")


def test_warnings_of_a_script_are_its_own_even_from_many_threads() -> None:
    source = b"import re\nx = '\\d'\nparser.add_argument('a')\n"
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(schema_of_source(source))) for _ in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(found) == 8
    assert all(found)


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60) | st.binary(max_size=60))
def test_no_arguments_whatever_crash_the_reading(text: str | bytes) -> None:
    inner = text.encode("utf-8", "replace") if isinstance(text, str) else text

    schema = schema_of_source(b"p.add_argument(" + inner + b")\np.add_argument('a')\n")

    assert schema is None or "properties" in schema


def read(
    tmp_path: Path, content: str | bytes, path: str = "parameters.json"
) -> tuple[dict[str, Any], list[str]]:
    directory = make_skill(tmp_path, files={"parameters.json": content, "scripts/main.py": ""})
    schema, problems = read_parameters(directory, {"skilllite.parameters": path}, ENTRY)
    return schema, [problem.field for problem in problems]


def test_a_schema_file_wins(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]}

    assert read(tmp_path, json.dumps(schema)) == (schema, [])


def test_a_schema_without_a_type_is_one_of_an_object(tmp_path: Path) -> None:
    assert read(tmp_path, "{}") == (ANYTHING, [])


@pytest.mark.parametrize(
    "content",
    [
        "not json",
        "[1]",
        '{"type": "array"}',
        '{"properties": []}',
        '{"properties": {"a": 1}}',
        '{"required": "a"}',
        '{"default": NaN}',
        "[" * 100_000,
        '{"default": ' + "[" * 500 + "]" * 500 + "}",
        b"\xff\xfe",
        " " * 70_000,
    ],
)
def test_a_bad_schema_is_a_problem_and_anything_goes(tmp_path: Path, content: str | bytes) -> None:
    assert read(tmp_path, content) == (ANYTHING, ["metadata.skilllite.parameters"])


@pytest.mark.parametrize("path", ["../demo/parameters.json", "/etc/passwd", "absent.json", "."])
def test_a_schema_outside_the_skill_is_not_read(tmp_path: Path, path: str) -> None:
    assert read(tmp_path, "{}", path) == (ANYTHING, ["metadata.skilllite.parameters"])


def test_without_a_schema_the_entry_is_asked(tmp_path: Path) -> None:
    source = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--n', type=int)\n"
    directory = make_skill(tmp_path, files={"scripts/main.py": source})

    schema, problems = read_parameters(directory, {}, ENTRY)

    assert schema == {"type": "object", "properties": {"n": {"type": "integer"}}}
    assert problems == ()


def test_a_script_is_read_and_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    source = f"open({str(marker)!r}, 'w')\nimport argparse\np.add_argument('a')\n"
    directory = make_skill(tmp_path, files={"scripts/main.py": source})

    read_parameters(directory, {}, ENTRY)

    assert not marker.exists()


def test_no_entry_takes_anything(tmp_path: Path) -> None:
    assert read_parameters(make_skill(tmp_path), {}, None) == (ANYTHING, ())


def examples(tmp_path: Path, content: object) -> tuple[int, list[str]]:
    directory = make_skill(tmp_path, files={"examples.json": json.dumps(content)})
    found, problems = read_examples(directory, {"skilllite.examples": "examples.json"})
    return len(found), [problem.severity for problem in problems]


def test_examples_have_a_request_and_arguments(tmp_path: Path) -> None:
    good = {"request": "Add 1 and 2", "arguments": {"a": 1, "b": 2}}

    assert examples(tmp_path / "1", [good]) == (1, [])
    assert examples(tmp_path / "2", [good] * 4) == (3, ["warning"])


@pytest.mark.parametrize(
    "content", [{}, [1], [{"request": "x"}], [{"request": 1, "arguments": {}}], [{"arguments": {}}]]
)
def test_bad_examples_are_a_problem(tmp_path: Path, content: object) -> None:
    assert examples(tmp_path, content) == (0, ["error"])
