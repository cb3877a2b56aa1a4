"""Which file of a skill is run, and in which language.

Decides by names alone, reading directory listings and never a script (but the first line of an
explicit entry point without a suffix). Links don't count as files: the digest refuses the skill
for them later.
"""

# Strings, not pathlib, which takes 4 ms to import: every run waits for this.
# ruff: noqa: PTH119, PTH122

from __future__ import annotations

import os
import re
from enum import StrEnum

from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.manifest import Problem
from skilllite_sandbox.tree import read_start_inside, split_relative
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from pathlib import Path

ENTRY_KEY = "skilllite.entry-point"
SCRIPTS = "scripts"
TOOLS_MAX = 64  # scripts of one skill that become tools; more would flood any list of tools
_LISTED_MAX = 10_000  # names looked at in one folder, as many as a whole skill may have
_SHEBANG_BYTES = 128  # as much of a first line as the kernel looked at for decades


class Language(StrEnum):
    """What runs a script. A closed set; the values are part of `show --json`."""

    PYTHON = "python"
    NODE = "node"
    BASH = "bash"
    TYPESCRIPT = "typescript"
    """Recognised, so that a skill can be listed with what it lacks; nothing runs it yet."""


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A script that can be run."""

    path: str
    """Relative to the skill, with `/`."""
    language: Language
    tool: str
    """The name it is offered under."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What can be run in a skill."""

    entry: EntryPoint | None
    tools: tuple[EntryPoint, ...]
    """The entry alone, or one for each script, or none for a skill of instructions only."""
    problems: tuple[Problem, ...] = ()


_SUFFIXES = {
    ".py": Language.PYTHON,
    ".js": Language.NODE,
    ".mjs": Language.NODE,
    ".cjs": Language.NODE,
    ".ts": Language.TYPESCRIPT,
    ".mts": Language.TYPESCRIPT,
    ".sh": Language.BASH,
    ".bash": Language.BASH,
}
_ENTRY_SUFFIXES = (".py", ".js", ".ts", ".sh")
_ENTRY_PATHS = (
    *(f"{SCRIPTS}/main{suffix}" for suffix in _ENTRY_SUFFIXES),
    *(f"{SCRIPTS}/index{suffix}" for suffix in _ENTRY_SUFFIXES),
    *(f"index{suffix}" for suffix in _ENTRY_SUFFIXES),
)
_SHEBANG = re.compile(rb"#!.*?\b(python|node|bash|sh)[\d.]*(?:\s|$)")
_SHEBANG_LANGUAGES = {
    b"python": Language.PYTHON,
    b"node": Language.NODE,
    b"bash": Language.BASH,
    b"sh": Language.BASH,
}


def detect_entry(directory: Path, *, name: str, metadata: dict[str, str]) -> Detection:
    """Find what a skill runs: the explicit entry, main, index, the only script, or every script."""
    explicit = metadata.get(ENTRY_KEY, "").strip()
    problems: tuple[Problem, ...] = ()
    if explicit:
        try:
            return _one(_explicit_entry(directory, explicit, name))
        except (InvalidSkill, NotFound) as error:
            hint = error.hint or "name a script inside the skill, like scripts/main.py"
            problems = (Problem("error", f"metadata.{ENTRY_KEY}", error.message, hint),)
    scripts = _list_files(directory, SCRIPTS)
    top = _list_files(directory, "")
    for path in _ENTRY_PATHS:
        if path in scripts or path in top:
            return _one(_entry(path, name), problems)
    runnable = [path for path in scripts if _is_script(path)]
    if not runnable:
        # At the top there may be a setup.py or a configuration in JavaScript: several are no tools.
        candidates = [path for path in top if _is_script(path)]
        runnable = candidates if len(candidates) == 1 else []
    if len(runnable) == 1:
        return _one(_entry(runnable[0], name), problems)
    if len(runnable) > TOOLS_MAX:
        text = f"holds {len(runnable)} scripts, only the first {TOOLS_MAX} are tools"
        problems += (Problem("warning", SCRIPTS, text, "name one entry point"),)
    return Detection(None, _tools(runnable[:TOOLS_MAX]), problems)


def _one(entry: EntryPoint, problems: tuple[Problem, ...] = ()) -> Detection:
    return Detection(entry, (entry,), problems)


def _entry(path: str, tool: str) -> EntryPoint:
    return EntryPoint(path, _SUFFIXES[_suffix(path)], tool)


def _tools(paths: list[str]) -> tuple[EntryPoint, ...]:
    tools: list[EntryPoint] = []
    taken: set[str] = set()
    for path in paths:
        stem, suffix = os.path.splitext(os.path.basename(path))
        tool = _tool_name(stem)
        while tool in taken:
            tool = f"{tool}-{suffix[1:]}"
        taken.add(tool)
        tools.append(_entry(path, tool))
    return tuple(tools)


def _tool_name(stem: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", stem)


def _is_script(path: str) -> bool:
    # `_shared.py` and `__init__.py` are modules for the others, by everybody's habit.
    return _suffix(path) in _SUFFIXES and not os.path.basename(path).startswith(("_", "."))


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1]


def _explicit_entry(directory: Path, relative: str, name: str) -> EntryPoint:
    parts = split_relative(relative)
    path = "/".join(parts)
    start = read_start_inside(directory, path, size_bytes=_SHEBANG_BYTES)
    suffix = _suffix(path)
    if suffix in _SUFFIXES:
        return _entry(path, name)
    shebang = _SHEBANG.match(start.split(b"\n", 1)[0])
    if shebang is None:
        raise InvalidSkill(
            f"{path} is no script that can be run",
            hint="use .py, .js, .ts or .sh, or a first line like #!/usr/bin/env bash",
        )
    return EntryPoint(path, _SHEBANG_LANGUAGES[shebang[1]], name)


def _list_files(directory: Path, folder: str) -> list[str]:
    """Return the regular files of one folder as relative paths, sorted."""
    prefix = f"{folder}/" if folder else ""
    found: list[str] = []
    try:
        if folder and (directory / folder).is_symlink():
            return []
        with os.scandir(directory / folder) as entries:
            for number, entry in enumerate(entries):
                if number >= _LISTED_MAX:
                    break
                if entry.is_file(follow_symlinks=False):
                    found.append(prefix + entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InvalidSkill(f"{folder or directory} can't be read", cause=error.strerror) from None
    return sorted(found)
