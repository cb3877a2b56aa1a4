"""The front matter of SKILL.md: bytes in, strings, lists and maps out.

YAML is read at the level of events, never constructed: `1.0`, `yes` and `2026-01-02` stay the
text that the author wrote, no tag can make an object, no date can be out of range, and an alias
(with which a few hundred bytes expand to gigabytes) is refused instead of followed. What the
fields mean is manifest.py's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from skilllite_sandbox.errors import InvalidSkill
from skilllite_sandbox.manifest import SKILL_FILE_BYTES_MAX
from skilllite_sandbox.policy import KIB

if TYPE_CHECKING:
    from collections.abc import Iterator

Value: TypeAlias = "str | list[Value] | dict[str, Value]"

FRONT_MATTER_BYTES_MAX = 64 * KIB  # all fields at their limits need 4 KiB; YAML is slow
DEPTH_MAX = 16  # metadata is one level deep in the format
NODES_MAX = 4096  # scalars, lists and maps

_HINT = "SKILL.md starts with a line ---, then `name:` and `description:`, then a line ---"
_PLAIN_NULLS = ("", "~", "null", "Null", "NULL")
_KEY_LINE = re.compile(r"(?P<key>[ ]*[\w.-]+[ ]*:[ ]+)(?P<value>\S.*)")
_INDICATORS = "[{*&!%@`"
_TAG_PREFIX = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The fields of a SKILL.md and what was odd about them."""

    fields: dict[str, Value]
    body: str
    """The instructions, with `\\n` line ends."""
    oddities: tuple[str, ...]
    """What a strict reader refuses and we read all the same; one clause each."""


def parse_front_matter(data: bytes) -> FrontMatter:
    """Read a SKILL.md.

    Raises:
        InvalidSkill: it can't be read even leniently; nothing else is raised, whatever the bytes.
    """
    yaml_text, body = _split(_decode(data))
    oddities: list[str] = []
    try:
        fields = _parse_yaml(yaml_text, oddities)
    except _NotYaml as first:
        oddities = ["a value with a colon or a leading special character needs quotes"]
        try:
            fields = _parse_yaml(_quote_values(yaml_text), oddities)
        except _NotYaml:
            raise InvalidSkill(
                "front matter of SKILL.md is not valid YAML", cause=str(first), hint=_HINT
            ) from None
    return FrontMatter(fields, body, tuple(oddities))


class _NotYaml(Exception):
    """The text isn't YAML; quoting may help."""


def _decode(data: bytes) -> str:
    if len(data) > SKILL_FILE_BYTES_MAX:
        raise InvalidSkill(
            f"SKILL.md is larger than {SKILL_FILE_BYTES_MAX // KIB} KiB",
            hint="move details to files below references/",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidSkill(
            "SKILL.md is not UTF-8",
            cause=f"byte {data[error.start]:#04x} at offset {error.start}",
            hint="save the file as UTF-8",
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _split(text: str) -> tuple[str, str]:
    lines = text.lstrip("\n").split("\n")
    if lines[0].rstrip() != "---":
        raise InvalidSkill("SKILL.md has no front matter", hint=_HINT)
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            yaml_text = "\n".join(lines[1:number]) + "\n"
            if len(yaml_text) > FRONT_MATTER_BYTES_MAX:
                raise InvalidSkill(
                    f"front matter of SKILL.md is larger than {FRONT_MATTER_BYTES_MAX // KIB} KiB",
                    hint="keep only the fields of the format; the text goes below the second ---",
                )
            return yaml_text, "\n".join(lines[number + 1 :])
    raise InvalidSkill(
        "front matter of SKILL.md never ends", cause="no second line ---", hint=_HINT
    )


def _parse_yaml(text: str, oddities: list[str]) -> dict[str, Value]:
    import yaml  # 20 ms: a second run of a staged skill never comes here

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        value = _Composer(yaml.parse(text, Loader=loader), oddities).document()
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # Without libyaml, an escape like "\UFFFFFFFF" fails in chr() instead of the parser.
        raise _NotYaml(" ".join(str(error).split())) from None
    if not isinstance(value, dict):
        raise _NotYaml("the front matter is not a list of `key: value` lines")
    return value


class _Composer:
    """Builds plain values from YAML events, within bounds."""

    def __init__(self, events: Iterator[Any], oddities: list[str]) -> None:
        self._events = events
        self._oddities = oddities
        self._nodes = 0

    def document(self) -> Value:
        """Return the one document of the stream; an empty one is an empty map."""
        value: Value = {}
        documents = 0
        for event in self._events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise InvalidSkill("front matter holds more than one YAML document", hint=_HINT)
                value = self._value(next(self._events), 0)
        return {} if value == "" else value

    def _value(self, event: Any, depth: int) -> Value:
        self._nodes += 1
        if depth > DEPTH_MAX or self._nodes > NODES_MAX:
            raise InvalidSkill(
                f"front matter is deeper than {DEPTH_MAX} or has more than {NODES_MAX} values"
            )
        kind = type(event).__name__
        if kind == "AliasEvent":
            raise InvalidSkill(
                "front matter uses a YAML alias", hint="write the value out where it is used"
            )
        tag = event.tag or ""
        if tag and not tag.startswith(_TAG_PREFIX):
            self._oddities.append(f"the YAML tag {tag[:60]!r} is ignored")
        if kind == "ScalarEvent":
            plain_null = event.implicit[0] and event.value in _PLAIN_NULLS
            return "" if plain_null else _encodable(str(event.value))
        return self._sequence(depth) if kind == "SequenceStartEvent" else self._mapping(depth)

    def _sequence(self, depth: int) -> list[Value]:
        items: list[Value] = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            items.append(self._value(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, Value]:
        fields: dict[str, Value] = {}
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key = self._value(event, depth + 1)
            if not isinstance(key, str):
                raise InvalidSkill("front matter has a key that is not text", hint=_HINT)
            if key in fields:
                self._oddities.append(f"the key {key[:60]!r} appears twice; the last one counts")
            fields[key] = self._value(next(self._events), depth + 1)
        return fields


def _encodable(text: str) -> str:
    # "\ud800" in double quotes: half a character, which no file, socket or terminal takes later.
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidSkill("front matter holds an escape that is not a character") from None
    return text


def _quote_values(text: str) -> str:
    """Put quotes around plain values that YAML trips over, like `description: Use it: always`."""
    quoted: list[str] = []
    lines = text.split("\n")
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        match = _KEY_LINE.fullmatch(line)
        if match is None or not _needs_quotes(match["value"].rstrip()):
            quoted.append(line)
            continue
        # A plain value may go on in deeper indented lines: they are part of what gets quoted.
        value = [match["value"].strip()]
        indent = len(line) - len(line.lstrip(" "))
        while index < len(lines) and lines[index].startswith(" " * (indent + 1)):
            value.append(lines[index].strip())
            index += 1
        quoted.append(match["key"] + "'" + " ".join(value).replace("'", "''") + "'")
    return "\n".join(quoted)


def _needs_quotes(value: str) -> bool:
    if value[0] in "\"'|>":
        return False
    if value[0] in "[{":
        return value[-1] not in "]}"
    return value[0] in _INDICATORS or ": " in value or value.endswith(":")
