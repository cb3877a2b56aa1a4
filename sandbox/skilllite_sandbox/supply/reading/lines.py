"""On which line of a file something stands, for formats whose parsers don't say it."""

from __future__ import annotations

import re
from typing import Any

from skilllite_sandbox.policy import MIB
from skilllite_sandbox.strict_json import parse_json

TOML_BYTES_MAX = 1 * MIB  # a lock of five hundred packages; Python's parser takes half a second
TOML_SIGNS_MAX = 100_000  # of [, { and =; a real lock of that size has a quarter of them
DEPTH_MAX = 64  # of tables in each other; manifests have five
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
# Python's parser takes the square of their number for the parts of one key.
_LONG_KEY = re.compile(rf"(?<![\w-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{DEPTH_MAX}}}")

# The inner bound keeps a text of quotation marks without an end linear.
_WORD = re.compile(r"""["']([^"'\n]{1,300})["']|^\s*([A-Za-z0-9_.-]+)\s*[=:]""")


class Lines:
    """The first line of every quoted text and of every key of a text."""

    def __init__(self, text: str) -> None:
        self._first: dict[str, int] = {}
        for number, line in enumerate(text.split("\n"), 1):
            for match in _WORD.finditer(line):
                self._first.setdefault(match[1] or match[2], number)

    def of(self, *words: str) -> int:
        """Return the line of the first of these that is there; 0 when none is."""
        return next((self._first[word] for word in words if word in self._first), 0)


def read_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text.

    Raises:
        ValueError: it is none, or too large to be parsed here.
        RecursionError: it is nested too deeply.
    """
    import tomllib

    if len(text) > TOML_BYTES_MAX:
        raise ValueError(f"it is larger than {TOML_BYTES_MAX // MIB} MiB")
    if sum(map(text.count, "[{=")) > TOML_SIGNS_MAX:
        raise ValueError(f"it has more than {TOML_SIGNS_MAX} tables and values")
    if _LONG_KEY.search(text):
        raise ValueError(f"it has a key of more than {DEPTH_MAX} parts")
    return tomllib.loads(text)


def read_json(text: str) -> dict[str, Any]:
    """Return the object of a JSON text.

    Raises:
        ValueError: it is none.
    """
    document = parse_json(text.encode("utf-8"))
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    return document


def table(document: object, *path: str) -> dict[str, Any]:
    """Return the table at a path; an empty one when there is none."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def texts(value: object) -> list[str]:
    """Return the texts of a list; nothing of what is no list."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def tables(value: object) -> list[dict[str, Any]]:
    """Return the tables of a list; nothing of what is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text_of(document: dict[str, Any], key: str) -> str:
    """Return a text of a table; empty when it is missing or something else."""
    value = document.get(key)
    return value if isinstance(value, str) else ""
