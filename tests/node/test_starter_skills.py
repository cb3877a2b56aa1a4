"""The starter skills as skills: well-formed, true to their examples, and never lost for an answer.

What each of them answers in particular is in test_starter_skill_answers.py.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

SKILLS = Path(__file__).parents[2] / "node" / "skilllite" / "starter_skills"
NAMES = (
    *("calculator", "csv-summary", "date-arithmetic", "diff", "hashing", "json-query"),
    *("line-tools", "markdown-to-html", "regex-extraction", "text-statistics", "text-transform"),
    "unit-conversion",
)
FIELDS = {"name", "description", "license", "compatibility", "metadata"}
DESCRIPTION_CHARACTERS_MAX = 1024  # the bound of the Agent Skills format
TIMEOUT_S = 60
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def command_of(name: str) -> list[str]:
    """Return how the skill's entry is started, or skip when its interpreter is missing."""
    scripts = SKILLS / name / "scripts"
    if (scripts / "main.js").exists():
        node = shutil.which("node")
        if node is None:
            pytest.skip("node is not installed")
        return [node, str(scripts / "main.js")]
    if (scripts / "main.sh").exists():
        missing = [tool for tool in ("bash", "jq", "gawk") if shutil.which(tool) is None]
        if missing:
            pytest.skip(f"not installed: {', '.join(missing)}")
        return ["bash", str(scripts / "main.sh")]
    # As in the sandbox but for -I, which would take the script's own directory off the path.
    return [sys.executable, "-B", "-E", "-s", "-S", str(scripts / "main.py")]


def run(name: str, raw: bytes) -> tuple[int, Any]:
    """Return exit status and value of a run with this standard input and no environment."""
    done = subprocess.run(
        command_of(name),
        input=raw,
        capture_output=True,
        timeout=TIMEOUT_S,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        check=False,
    )

    assert done.stderr == b""
    return done.returncode, json.loads(done.stdout.decode("utf-8"), parse_constant=no_constant)


def no_constant(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


def error_of(name: str, raw: bytes) -> str:
    """Return the message of a run that has to be refused."""
    status, value = run(name, raw)

    assert status == 1
    assert list(value) == ["error"]
    message = value["error"]
    assert isinstance(message, str)
    assert "the skill failed" not in message
    return message


def read_json(name: str, file: str) -> Any:
    return json.loads((SKILLS / name / file).read_text(encoding="utf-8"))


def front_matter(name: str) -> tuple[dict[str, Any], str]:
    text = (SKILLS / name / "SKILL.md").read_text(encoding="utf-8")
    opening, header, body = text.split("---\n", 2)
    assert opening == ""
    return yaml.safe_load(header), body


def problems_of(schema: dict[str, Any], arguments: dict[str, Any]) -> list[str]:
    """Return how the arguments break the schema, in the keywords that our schemas use."""
    problems = [
        f"{name} is required" for name in schema.get("required", ()) if name not in arguments
    ]
    for name, value in arguments.items():
        known = schema["properties"].get(name)
        if known is None:
            problems.append(f"{name} is not described")
            continue
        if "type" in known:
            wrong_boolean = isinstance(value, bool) and known["type"] != "boolean"
            if wrong_boolean or not isinstance(value, JSON_TYPES[known["type"]]):
                problems.append(f"{name} is no {known['type']}")
                continue
        if "enum" in known and value not in known["enum"]:
            problems.append(f"{name} is not in the enum")
        if isinstance(value, int | float) and not isinstance(value, bool):
            low, high = known.get("minimum", value), known.get("maximum", value)
            if not low <= value <= high:
                problems.append(f"{name} is out of range")
        if isinstance(value, str) and len(value) > known.get("maxLength", len(value)):
            problems.append(f"{name} is too long")
    return problems


def test_these_twelve_skills_ship_with_the_package() -> None:
    found = sorted(path.parent.name for path in SKILLS.glob("*/SKILL.md"))

    assert found == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_front_matter_holds_only_what_the_format_knows(name: str) -> None:
    fields, body = front_matter(name)

    assert set(fields) == FIELDS
    assert fields["name"] == name
    assert 0 < len(fields["description"]) <= DESCRIPTION_CHARACTERS_MAX
    assert "Use it" in fields["description"]
    assert fields["license"] == "MIT"
    assert fields["compatibility"].startswith("Requires ")
    assert "network" not in fields["compatibility"]
    assert fields["metadata"] == {
        "skilllite.parameters": "parameters.json",
        "skilllite.examples": "examples.json",
    }
    assert "```json" in body


@pytest.mark.parametrize("name", NAMES)
def test_parameters_describe_every_field_and_close_the_object(name: str) -> None:
    schema = read_json(name, "parameters.json")

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert set(schema.get("required", ())) <= set(schema["properties"])
    for field in schema["properties"].values():
        assert field["description"].endswith(".")
        if "default" in field:
            assert problems_of({"properties": {"x": field}}, {"x": field["default"]}) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_field_of_the_schema_is_mentioned_to_the_agent(name: str) -> None:
    _, body = front_matter(name)

    for field in read_json(name, "parameters.json")["properties"]:
        assert f"`{field}`" in body or f'"{field}"' in body


@pytest.mark.parametrize("name", NAMES)
def test_examples_fit_the_schema_and_give_exactly_their_result(name: str) -> None:
    schema = read_json(name, "parameters.json")
    examples = read_json(name, "examples.json")

    assert 1 <= len(examples) <= 3
    for example in examples:
        assert set(example) == {"request", "arguments", "result"}
        assert example["request"]
        assert problems_of(schema, example["arguments"]) == []
        raw = json.dumps(example["arguments"]).encode()
        assert run(name, raw) == (0, example["result"])


@pytest.mark.parametrize("name", NAMES)
def test_the_request_in_the_instructions_is_served(name: str) -> None:
    _, body = front_matter(name)
    request = body.split("```json\n", 1)[1].split("```", 1)[0]

    status, _ = run(name, request.encode())

    assert status == 0


@pytest.mark.parametrize(
    "raw",
    [b"", b"not JSON", b'{"text": ', b"[]", b'[{"operation": "list"}]', b"3", b"null", b'"text"'],
)
@pytest.mark.parametrize("name", NAMES)
def test_input_that_is_no_json_object_is_refused(name: str, raw: bytes) -> None:
    message = error_of(name, raw)

    assert message.startswith("the input ")


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_object_is_refused_by_a_name_of_a_field(name: str) -> None:
    message = error_of(name, b"{}")

    assert any(field in message for field in read_json(name, "parameters.json")["properties"])


@pytest.mark.parametrize("operation", ["no such", "__proto__", "constructor", "", 7, None, [], {}])
@pytest.mark.parametrize(
    "name", [n for n in NAMES if "operation" in read_json(n, "parameters.json")["properties"]]
)
def test_an_unknown_operation_is_answered_with_the_known_ones(name: str, operation: object) -> None:
    example = read_json(name, "examples.json")[0]["arguments"]
    known = read_json(name, "parameters.json")["properties"]["operation"]["enum"]

    message = error_of(name, json.dumps(example | {"operation": operation}).encode())

    assert all(choice in message for choice in known)


@pytest.mark.parametrize("name", NAMES)
def test_a_field_nobody_reads_is_refused(name: str) -> None:
    example = read_json(name, "examples.json")[0]["arguments"]

    message = error_of(name, json.dumps(example | {"colour": "red"}).encode())

    assert '"colour"' in message or "'colour'" in message


@pytest.mark.parametrize("name", NAMES)
def test_every_field_refuses_another_type(name: str) -> None:
    fields = read_json(name, "parameters.json")["properties"]
    arguments = read_json(name, "examples.json")[0]["arguments"]
    wrong_values: tuple[object, ...] = (None, {}, True)

    for field in arguments:
        for wrong in wrong_values:
            expected = fields[field].get("type")
            if expected is None or (expected == "boolean" and wrong is True):
                continue
            raw = json.dumps(arguments | {field: wrong}).encode()
            assert field in error_of(name, raw)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("line-tools", "calculator")])
def test_half_of_a_surrogate_pair_is_refused(name: str) -> None:
    message = error_of(name, b'{"operation": "slugify", "text": "\\ud800", "data": "\\udfff"}')

    assert "surrogate" in message or "data" in message


@pytest.mark.parametrize("name", [n for n in NAMES if n != "line-tools"])
def test_input_in_another_encoding_is_refused(name: str) -> None:
    message = error_of(name, '{"text": "naïve"}'.encode("latin-1"))

    assert "UTF-8" in message


@pytest.mark.parametrize("name", NAMES)
def test_deeply_nested_input_is_refused(name: str) -> None:
    raw = b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    error_of(name, raw)


@pytest.mark.parametrize("file", ["contract.py", "deadline.py"])
def test_files_that_skills_share_are_copies_of_each_other(file: str) -> None:
    copies = sorted(SKILLS.glob(f"*/scripts/{file}"))

    assert len(copies) > 1
    assert len({hashlib.sha256(copy.read_bytes()).digest() for copy in copies}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_skill_holds_nothing_but_its_own_small_files(name: str) -> None:
    files = [path for path in (SKILLS / name).rglob("*") if path.is_file()]

    for path in files:
        if "__pycache__" in path.parts:
            continue
        assert path.suffix in {".md", ".json", ".py", ".js", ".sh", ".jq"}
        assert path.stat().st_size < 20_000
