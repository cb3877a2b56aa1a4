"""SKILL.md as a `Manifest`: lenient to load, strict to validate.

Loading accepts what other clients of the Agent Skills format accept: only a missing description
or a name that could be mistaken for a path stops it, everything else becomes a `Problem` that
rides along. `severity` says how `validate` takes it: an error breaks the format, a warning is
advice.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.policy import MIB
from skilllite_sandbox.tree import open_directory, read_inside
from skilllite_sandbox.values import dataclass, field

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    from skilllite_sandbox.frontmatter import FrontMatter, Value

SKILL_FILE = "SKILL.md"

# Bounds of the Agent Skills format, in characters.
NAME_CHARS_MAX = 64
DESCRIPTION_CHARS_MAX = 1024
COMPATIBILITY_CHARS_MAX = 500
# Bounds of our own, for what the format leaves open.
SKILL_FILE_BYTES_MAX = 1 * MIB  # the format advises 5,000 tokens; fifty times that is a mistake
LOADED_NAME_CHARS_MAX = (
    200  # lenient, but a name becomes a folder name (255 bytes) and a wire field
)
LOADED_DESCRIPTION_CHARS_MAX = 8192  # goes into catalogues and prompts
BODY_LINES_ADVISED = 500  # the format's advice for instructions

FORMAT_FIELDS = frozenset(
    {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
)
OWN_KEY_PREFIX = "skilllite."
OWN_KEYS = frozenset(
    OWN_KEY_PREFIX + key
    for key in (
        *("network", "exec", "env", "parameters", "examples", "idempotent", "entry-point"),
        "writable-code",
    )
)

_TOOL = re.compile(r"[^\s,(]+(?:\([^)]*\))?")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a skill, and how to put it right."""

    severity: Literal["error", "warning"]
    field: str
    """The field, key or file that it is about."""
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The fields of a SKILL.md, as text."""

    name: str
    """From the file, else the name of the folder."""
    description: str
    license: str = ""
    compatibility: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    allowed_tools: tuple[str, ...] = ()
    named: bool = True
    """False when the file gives no name and the folder's stands in."""


def load_manifest(directory: str | Path, *, folder: str) -> tuple[Manifest, tuple[Problem, ...]]:
    """Read SKILL.md leniently.

    Args:
        directory: Where the skill is.
        folder: The name to fall back on; not `directory.name`, which means nothing in a stage.

    Raises:
        NotFound: there is no such directory.
        InvalidSkill: no SKILL.md, or one that can't be used.
    """
    from skilllite_sandbox.frontmatter import parse_front_matter

    front = parse_front_matter(read_skill_file(directory))
    problems = [
        *(
            Problem("error", SKILL_FILE, oddity, "see `skilllite validate`")
            for oddity in front.oddities
        ),
        *_field_problems(front),
    ]
    given = _text(front.fields, "name").strip()
    manifest = Manifest(
        name=_loadable_name(given or folder),
        description=_loadable_description(front.fields),
        license=_text(front.fields, "license"),
        compatibility=_text(front.fields, "compatibility"),
        metadata=_metadata(front.fields.get("metadata", {})),
        allowed_tools=_tools(front.fields.get("allowed-tools", "")),
        named=bool(given),
    )
    problems.extend(_limit_problems(manifest, front.body))
    return manifest, tuple(problems)


def read_skill_file(directory: str | Path) -> bytes:
    """Return the bytes of SKILL.md.

    Raises:
        NotFound: there is no such directory.
        InvalidSkill: no SKILL.md in it, or it is a link, unreadable or too large.
    """
    os.close(open_directory(directory))
    try:
        return read_inside(directory, SKILL_FILE, limit_bytes=SKILL_FILE_BYTES_MAX)
    except NotFound:
        raise InvalidSkill(
            f"no {SKILL_FILE} in {directory}",
            hint="a skill is a folder with a SKILL.md that has a name and a description",
        ) from None


def folder_name(directory: str | Path) -> str:
    """Return the real name of a folder that may have been given as `.` or through a link."""
    # Path.resolve() raises on a loop of links; that error belongs to opening the folder.
    return os.path.basename(os.path.realpath(directory))  # noqa: PTH119


def folder_problems(manifest: Manifest, folder: str) -> tuple[Problem, ...]:
    """Return what is wrong between name and folder; not part of the content, so never cached."""
    if manifest.named and manifest.name != folder:
        return (
            Problem(
                "error",
                "name",
                f"name {manifest.name!r} differs from the folder's name {folder!r}",
                f"rename the folder to {manifest.name}",
            ),
        )
    return ()


def name_problem(name: str) -> str:
    """Return what the Agent Skills format has against this name, empty when nothing."""
    if len(name) > NAME_CHARS_MAX:
        return f"longer than {NAME_CHARS_MAX} characters"
    import unicodedata  # 1 ms, and a staged skill was read already

    if unicodedata.normalize("NFKC", name) != name or name != name.lower():
        return "must be lowercase, in composed form"
    if not name or not all(char.isalnum() or char == "-" for char in name):
        return "only lowercase letters, digits and `-`"
    if name.startswith("-") or name.endswith("-") or "--" in name:
        return "`-` only between letters or digits, one at a time"
    return ""


def _loadable_name(name: str) -> str:
    # A name becomes a folder name, a routing key and a line on terminals.
    bad = not name or not name.isprintable() or "/" in name or "\\" in name
    if bad or len(name) > LOADED_NAME_CHARS_MAX:
        raise InvalidSkill(
            f"name {name[:80]!r} is not usable",
            cause=f"a name is a line of at most {LOADED_NAME_CHARS_MAX} characters without slashes",
            hint="use lowercase letters, digits and `-`, like the folder's name",
        )
    if name.startswith((".", "-")):
        raise InvalidSkill(
            f"name {name[:80]!r} starts with {name[0]!r}", hint="start it with a letter or a digit"
        )
    return name


def _loadable_description(fields: dict[str, Value]) -> str:
    description = _text(fields, "description").strip()
    if not description:
        raise InvalidSkill(
            "SKILL.md has no description",
            cause="without it nobody can tell when to use the skill",
            hint="add `description: what it does and when to use it`",
        )
    if len(description) > LOADED_DESCRIPTION_CHARS_MAX:
        raise InvalidSkill(f"description is longer than {LOADED_DESCRIPTION_CHARS_MAX} characters")
    return description


def _text(fields: dict[str, Value], key: str) -> str:
    value = fields.get(key, "")
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(str(item) for item in value)
    return value if isinstance(value, str) else ""


def _metadata(value: Value) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    flat: dict[str, str] = {}
    for key, item in value.items():
        if isinstance(item, list) and all(isinstance(part, str) for part in item):
            item = " ".join(str(part) for part in item)
        if isinstance(item, str):
            flat[key] = item
    return flat


def _tools(value: Value) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(item.strip() for item in value if isinstance(item, str) and item.strip())
    return tuple(_TOOL.findall(value)) if isinstance(value, str) else ()


def _field_problems(front: FrontMatter) -> Iterator[Problem]:
    for key in front.fields.keys() - FORMAT_FIELDS:
        yield Problem(
            "error",
            key[:80],
            "not a field of the Agent Skills format",
            "put keys of your own below metadata",
        )
    for key in FORMAT_FIELDS - {"metadata"}:
        if not isinstance(front.fields.get(key, ""), str):
            yield Problem("error", key, "must be text", f"write `{key}: …` on one line")
    metadata = front.fields.get("metadata", {})
    if metadata != "" and not isinstance(metadata, dict):
        yield Problem("error", "metadata", "must map names to text", "write `  key: value` lines")
    if isinstance(metadata, dict):
        yield from _metadata_problems(metadata)


def _metadata_problems(metadata: dict[str, Value]) -> Iterator[Problem]:
    for key, value in metadata.items():
        if not isinstance(value, str):
            yield Problem("error", f"metadata.{key[:80]}", "must be text", "put it in quotes")
        if key.startswith(OWN_KEY_PREFIX) and key not in OWN_KEYS:
            known = ", ".join(sorted(OWN_KEYS))
            yield Problem("warning", f"metadata.{key[:80]}", "is not known", f"known: {known}")


def _limit_problems(manifest: Manifest, body: str) -> Iterator[Problem]:
    if not manifest.named:
        yield Problem("error", "name", "is missing", "add `name:` with the name of the folder")
    elif reason := name_problem(manifest.name):
        yield Problem("error", "name", f"{manifest.name!r}: {reason}", "for example: csv-summary")
    if len(manifest.description) > DESCRIPTION_CHARS_MAX:
        yield _too_long("description", len(manifest.description), DESCRIPTION_CHARS_MAX)
    if len(manifest.compatibility) > COMPATIBILITY_CHARS_MAX:
        yield _too_long("compatibility", len(manifest.compatibility), COMPATIBILITY_CHARS_MAX)
    if not body.strip():
        yield Problem("warning", SKILL_FILE, "has no instructions below the front matter")
    if body.count("\n") > BODY_LINES_ADVISED:
        yield Problem(
            "warning",
            SKILL_FILE,
            f"instructions are longer than {BODY_LINES_ADVISED} lines",
            "move details to files below references/",
        )


def _too_long(name: str, length: int, limit: int) -> Problem:
    return Problem("error", name, f"has {length} characters, the limit is {limit}")
