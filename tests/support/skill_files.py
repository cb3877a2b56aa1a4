"""Skills written to disk for a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

DESCRIPTION = "Echoes what it is given. Use it in tests."


def skill_md(name: str | None = "demo", description: str = DESCRIPTION, extra: str = "") -> str:
    """Return the text of a SKILL.md; `extra` goes into the front matter as it is."""
    named = f"name: {name}\n" if name is not None else ""
    return f"---\n{named}description: {description}\n{extra}---\n\n# How to use it\n"


def make_skill(
    parent: Path,
    name: str = "demo",
    *,
    text: str | bytes | None = None,
    extra: str = "",
    files: Mapping[str, str | bytes] | None = None,
) -> Path:
    """Write a skill into `parent` and return its directory; `scripts/main.py` when no files."""
    directory = parent / name
    directory.mkdir(parents=True)
    content = skill_md(name, extra=extra) if text is None else text
    everything = {"SKILL.md": content, **({"scripts/main.py": ECHO} if files is None else files)}
    for path, data in everything.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    return directory


ECHO = "import json, sys\n\njson.dump(json.load(sys.stdin), sys.stdout)\n"
