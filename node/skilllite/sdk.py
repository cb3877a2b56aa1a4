"""SkillLite inside another Python program, without a node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skilllite import errors
from skilllite.home import Home, prepare_directory
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.policy import Level
from skilllite_sandbox.sandbox import Sandbox
from skilllite_sandbox.stage import Stage

if TYPE_CHECKING:
    from skilllite.catalog import CatalogEntry

SKILL_FILE = "SKILL.md"


def run_skill(
    path_or_name: str | Path,
    input_json: str | dict[str, Any],
    *,
    sandbox_level: int = 3,
    confirmation_callback: Callable[..., bool] | None = None,
) -> dict[str, Any]:
    """Run a skill in the sandbox and return what it did.

    Args:
        path_or_name: A skill's directory, or the name of an installed one.
        input_json: The JSON object for the skill, as text or as a dict.
        sandbox_level: 1 for none, 2 for isolation, 3 for isolation, scan and consent.
        confirmation_callback: Asked when a skill needs consent. There is no scan in this
            version that could ask for it, so it is never called.

    Returns:
        `success`, `text` (stdout as it came), `output` (the JSON value in it, or None), `stderr`,
        and `exit_code`, which is None when a signal or a bound ended the skill.

    Raises:
        skilllite_sandbox.errors.SandboxError: it could not start: `NotFound`, `InvalidSkill`,
            `InvalidInput`, or `SandboxUnavailable` when this host can't give the level.
    """
    from skilllite_sandbox.environment.store import open_environments

    home = Home.locate()
    level, stage = Level(sandbox_level), open_stage(home)
    environments = open_environments(home.env)
    with Sandbox(
        level, stage=stage, pool=False, preload=False, environments=environments
    ) as sandbox:
        outcome = sandbox.run(find_skill(str(path_or_name), home), input_json)
    return {
        "success": outcome.ok,
        "text": outcome.text,
        "output": outcome.output,
        "stderr": outcome.stderr,
        "exit_code": outcome.exit_code,
    }


def find_skill(path_or_name: str, home: Home) -> Path:
    """Return the directory of a skill: a folder that is one, else an installed skill of that name.

    Raises:
        NotFound: there is neither.
        InvalidSkill: a folder was named that is none.
    """
    return locate_skill(path_or_name, home)[0]


def locate_skill(path_or_name: str, home: Home) -> tuple[Path, CatalogEntry | None]:
    """Return the directory as `find_skill` does, and the catalog's entry when it went by a name."""
    directory = Path(path_or_name)
    if _holds_skill(directory):
        return directory, None
    if "/" in path_or_name or path_or_name in (".", ".."):
        # The stage would say it of its own copy, at a path nobody typed.
        if directory.is_dir():
            raise InvalidSkill(
                f"no SKILL.md in {directory.absolute()}",
                hint="a skill is a folder with a SKILL.md that has a name and a description",
            )
        return directory, None
    from skilllite.catalog import SkillCatalog

    try:
        entry = SkillCatalog.for_project(Path.cwd(), home).find_named(path_or_name)
    except errors.NotFound as error:
        # One class for callers, whether a name or a path led nowhere.
        raise NotFound(error.message, hint=error.hint, cause=error.cause) from None
    return entry.directory, entry


def _holds_skill(directory: Path) -> bool:
    try:
        return (directory / SKILL_FILE).is_file()
    except (OSError, ValueError):  # a name of 5,000 characters, or with a NUL
        return False


def open_stage(home: Home) -> Stage:
    """Return the stage of this home."""
    prepare_directory(home.cache_dir)
    return Stage(home.stage)
