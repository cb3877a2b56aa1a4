"""A skill: what its directory says it is, can be called with, and asks for.

`load_skill` never imports or runs anything of the skill. What it returns is a value: nothing
notices when the directory changes afterwards, which is why runs use the stage's copy.
"""

from __future__ import annotations

import os

from skilllite_sandbox.capabilities import (
    NOTHING_GRANTED,
    Requests,
    is_idempotent,
    missing_clauses,
)
from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.entry import EntryPoint, Language, detect_entry
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.manifest import (
    SKILL_FILE,
    Manifest,
    Problem,
    folder_name,
    folder_problems,
    load_manifest,
)
from skilllite_sandbox.tree import read_inside
from skilllite_sandbox.values import dataclass, replace

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

__all__ = ["Problem", "Skill", "load_skill", "read_skill", "validate_skill"]


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill, as it was when it was read."""

    place: str
    """The path of its directory."""
    manifest: Manifest
    entry: EntryPoint | None
    """What `run` starts; None for several scripts, or for instructions only."""
    tools: tuple[EntryPoint, ...]
    """Everything that can be called."""
    parameters: dict[str, Any]
    """JSON Schema of what the entry takes."""
    examples: tuple[dict[str, Any], ...]
    requests: Requests
    problems: tuple[Problem, ...]

    @property
    def directory(self) -> Path:
        """Where it was read."""
        from pathlib import Path  # 4 ms that a run doesn't need

        return Path(self.place)

    @property
    def name(self) -> str:
        """The name it is found by."""
        return self.manifest.name

    @property
    def description(self) -> str:
        """What it does and when to use it."""
        return self.manifest.description

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it asks for and doesn't get in this version, one clause each."""
        return missing_clauses(self.requests, frozenset(tool.language for tool in self.tools))

    @property
    def idempotent(self) -> bool:
        """Whether a lost run may be repeated; nothing can be granted in this version."""
        return is_idempotent(self.requests, NOTHING_GRANTED)


def load_skill(directory: str | Path) -> Skill:
    """Read a skill leniently.

    Raises:
        NotFound: there is no such directory.
        InvalidSkill: it can't be used at all: no readable SKILL.md, or one without a description.
    """
    folder = folder_name(directory)
    skill = read_skill(directory, folder=folder)
    mismatch = folder_problems(skill.manifest, folder)
    return replace(skill, problems=mismatch + skill.problems) if mismatch else skill


def read_skill(directory: str | Path, *, folder: str) -> Skill:
    """Read a skill from a place whose name means nothing, like a stage; `folder` is its name."""
    # Only here: their patterns take 3 ms to compile, and a staged skill was read already.
    from pathlib import Path

    from skilllite_sandbox.declarations import read_requests
    from skilllite_sandbox.dependencies import read_packages
    from skilllite_sandbox.parameters import read_examples, read_parameters

    directory = Path(directory)
    manifest, problems = load_manifest(directory, folder=folder)
    detection = detect_entry(directory, name=manifest.name, metadata=manifest.metadata)
    parameters, parameter_problems = read_parameters(directory, manifest.metadata, detection.entry)
    examples, example_problems = read_examples(directory, manifest.metadata)
    packages, package_problems = read_packages(directory, manifest.compatibility)
    requests, request_problems = read_requests(manifest, packages)
    return Skill(
        place=os.fspath(directory),
        manifest=manifest,
        entry=detection.entry,
        tools=detection.tools,
        parameters=parameters,
        examples=examples,
        requests=requests,
        problems=(
            *problems,
            *detection.problems,
            *parameter_problems,
            *example_problems,
            *package_problems,
            *request_problems,
        ),
    )


def validate_skill(directory: str | Path) -> tuple[Problem, ...]:
    """Return everything that is wrong with a skill, errors first; empty when it is flawless.

    Raises:
        NotFound: there is no such directory.
    """
    problems: list[Problem] = []
    try:
        skill = load_skill(directory)
    except InvalidSkill as error:
        problems.append(_as_problem(SKILL_FILE, error))
    else:
        problems.extend(skill.problems)
        problems.extend(_script_problems(skill))
    try:
        compute_digest(directory)
    except InvalidSkill as error:
        problems.append(_as_problem("files", error))
    return tuple(sorted(problems, key=lambda problem: problem.severity))


def _script_problems(skill: Skill) -> list[Problem]:
    """Look for Python that doesn't even parse; other languages have no parser here."""
    import ast  # 6 ms that a run doesn't need

    from skilllite_sandbox.parameters import SCRIPT_BYTES_MAX

    problems: list[Problem] = []
    for tool in skill.tools:
        if tool.language is not Language.PYTHON:
            continue
        try:
            source = read_inside(skill.directory, tool.path, limit_bytes=SCRIPT_BYTES_MAX)
            ast.parse(source, tool.path)
        except SyntaxError as error:
            text = f"line {error.lineno}: {error.msg}"
            problems.append(Problem("error", tool.path, text, "fix the syntax"))
        except (ValueError, RecursionError, MemoryError) as error:
            problems.append(Problem("error", tool.path, f"is not Python: {error}"))
        except (InvalidSkill, NotFound) as error:
            problems.append(_as_problem(tool.path, error))
    return problems


def _as_problem(field: str, error: InvalidSkill | NotFound) -> Problem:
    message = f"{error.message}: {error.cause}" if error.cause else error.message
    return Problem("error", field, message, error.hint or "")
