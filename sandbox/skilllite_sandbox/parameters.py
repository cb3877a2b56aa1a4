"""The parameters of a skill as JSON Schema, and its examples, without running or importing it.

A schema file named in the metadata wins; else a Python script's `argparse` calls are read from
its syntax tree; else anything goes. A script that builds its options by a loop or from data is
beyond this reading: what isn't written out as constants is left out of the schema, never guessed.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from pathlib import Path

from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.manifest import Problem
from skilllite_sandbox.policy import KIB
from skilllite_sandbox.strict_json import parse_json
from skilllite_sandbox.tree import read_inside

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import Any

PARAMETERS_KEY = "skilllite.parameters"
EXAMPLES_KEY = "skilllite.examples"
SCHEMA_BYTES_MAX = 64 * KIB  # it goes into catalogues and prompts
EXAMPLES_MAX = 3  # as many as the format of ours has; more teach nothing
SCRIPT_BYTES_MAX = 512 * KIB  # a syntax tree needs some fifty times the source

ANYTHING: dict[str, Any] = {"type": "object"}


def read_parameters(
    directory: Path, metadata: dict[str, str], entry: EntryPoint | None
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Return the schema of what the entry takes, and what was wrong with finding it."""
    path = metadata.get(PARAMETERS_KEY, "").strip()
    if not path:
        return (script_parameters(directory, entry) if entry else dict(ANYTHING)), ()
    try:
        schema = _checked_schema(_read_json(directory, path), path)
    except (InvalidSkill, NotFound) as error:
        fallback = script_parameters(directory, entry) if entry else dict(ANYTHING)
        return fallback, (_problem(PARAMETERS_KEY, error),)
    return schema, ()


def script_parameters(directory: Path, script: EntryPoint) -> dict[str, Any]:
    """Return the schema that a script's own `argparse` calls describe."""
    if script.language is not Language.PYTHON:
        return dict(ANYTHING)
    try:
        source = read_inside(directory, script.path, limit_bytes=SCRIPT_BYTES_MAX)
    except (InvalidSkill, NotFound):
        return dict(ANYTHING)  # a link or an unreadable file: the digest refuses it with the reason
    if b"add_argument" not in source:
        return dict(ANYTHING)  # most skills read JSON; they shouldn't pay for importing ast
    from skilllite_sandbox.argument_parser import schema_of_source

    return schema_of_source(source) or dict(ANYTHING)


def read_examples(
    directory: Path, metadata: dict[str, str]
) -> tuple[tuple[dict[str, Any], ...], tuple[Problem, ...]]:
    """Return the examples, each with `request` (text) and `arguments` (an object)."""
    path = metadata.get(EXAMPLES_KEY, "").strip()
    if not path:
        return (), ()
    try:
        found = _read_json(directory, path)
        if not isinstance(found, list):
            raise InvalidSkill(f"{path} is not a JSON array of examples")
        examples = tuple(_checked_example(item, path) for item in found)
    except (InvalidSkill, NotFound) as error:
        return (), (_problem(EXAMPLES_KEY, error),)
    if len(examples) > EXAMPLES_MAX:
        text = f"{len(examples)} examples, only the first {EXAMPLES_MAX} are used"
        return examples[:EXAMPLES_MAX], (Problem("warning", f"metadata.{EXAMPLES_KEY}", text),)
    return examples, ()


def _checked_schema(schema: Any, path: str) -> dict[str, Any]:
    if not isinstance(schema, dict):
        raise InvalidSkill(f"{path} is not a JSON object")
    if schema.setdefault("type", "object") != "object":
        raise InvalidSkill(
            f"{path} describes {json.dumps(schema['type'])}, not an object",
            hint='the input of a skill is one JSON object: use "type": "object"',
        )
    properties = schema.get("properties", {})
    if not isinstance(properties, dict) or not all(
        isinstance(each, (dict, bool)) for each in properties.values()
    ):
        raise InvalidSkill(f"{path}: properties must map names to schemas")
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(each, str) for each in required):
        raise InvalidSkill(f"{path}: required must be a list of names")
    return schema


def _checked_example(item: Any, path: str) -> dict[str, Any]:
    good = (
        isinstance(item, dict)
        and isinstance(item.get("request"), str)
        and isinstance(item.get("arguments"), dict)
    )
    if not good:
        raise InvalidSkill(
            f"{path}: an example is not usable",
            hint='each one is {"request": "what a person asks", "arguments": {…}}',
        )
    return {"request": item["request"], "arguments": item["arguments"]}


def _read_json(directory: Path, path: str) -> Any:
    data = read_inside(directory, path, limit_bytes=SCHEMA_BYTES_MAX)
    try:
        return parse_json(data.removeprefix(BOM_UTF8))
    except ValueError as error:
        raise InvalidSkill(f"{path} is not valid JSON", cause=str(error)) from None


def _problem(key: str, error: InvalidSkill | NotFound) -> Problem:
    message = f"{error.message}: {error.cause}" if error.cause else error.message
    return Problem("error", f"metadata.{key}", message, error.hint or "name a file in the skill")
