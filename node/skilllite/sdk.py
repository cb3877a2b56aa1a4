"""SkillLite inside another Python program, without a node."""

# Strings, not pathlib, which takes 4 ms to import.
# ruff: noqa: PTH100, PTH109, PTH112, PTH113, PTH118

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext

from skilllite import errors
from skilllite.home import Home, prepare_directory
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.stage import Stage

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from skilllite.catalog import CatalogEntry
    from skilllite_sandbox.gate.request import ConsentRequest
    from skilllite_sandbox.outcome import Outcome

SKILL_FILE = "SKILL.md"


def run_skill(
    path_or_name: str | Path,
    input_json: str | dict[str, Any],
    *,
    sandbox_level: int = 3,
    confirmation_callback: Callable[[ConsentRequest], bool] | None = None,
) -> dict[str, Any]:
    """Run a skill in the sandbox and return what it did.

    Args:
        path_or_name: A skill's directory, or the name of an installed one.
        input_json: The JSON object for the skill, as text or as a dict.
        sandbox_level: 1 for none, 2 for isolation, 3 for isolation, scan and consent.
        confirmation_callback: Asked before a run that a person would be asked about, with what
            they would read (`str` of it); each True is for one run. Without one, what nobody
            agreed to in this home before is not run.

    Returns:
        `success`, `text` (stdout as it came), `output` (the JSON value in it, or None), `stderr`,
        and `exit_code`, which is None when a signal or a bound ended the skill.

    Raises:
        skilllite_sandbox.errors.SandboxError: it could not start: `NotFound`, `InvalidSkill`,
            `InvalidInput`, `PolicyDenied` when the scanner blocks it, `ConsentRequired`, or
            `SandboxUnavailable` when this host can't give the level; at level 3
            `AuditUnavailable` when it can't be written down.
    """
    from skilllite.auditing import open_run_record
    from skilllite.config import load_config
    from skilllite.gating import open_gate
    from skilllite_sandbox.environment.store import open_environments
    from skilllite_sandbox.gate.callback import CALLBACK, ask_callback
    from skilllite_sandbox.policy import Level, Tier
    from skilllite_sandbox.sandbox import Sandbox  # 40 ms that finding a skill doesn't need

    home = Home.locate()
    config = load_config(home)
    level, stage = Level(sandbox_level), open_stage(home)
    skill = str(path_or_name)
    record = open_run_record(home, by="program", level=level, warn=warn, config=config, skill=skill)
    environments = open_environments(home.env)
    with Sandbox(
        level,
        stage=stage,
        pool=False,
        preload=False,
        environments=environments,
        accept_tier=Tier(config.text("sandbox.accept_tier")),
        gate=open_gate(
            home,
            ask=ask_callback(confirmation_callback) if confirmation_callback else None,
            asked_by=CALLBACK,
        ),
    ) as sandbox:
        try:
            with record.refusals() if record is not None else nullcontext():
                directory = locate_skill(skill, home)[0]
                outcome = sandbox.run(directory, input_json, record=record)
        finally:
            if record is not None:
                record.close()
    return result_of(outcome)


def result_of(outcome: Outcome) -> dict[str, Any]:
    """Return what the library tells of a run."""
    return {
        "success": outcome.ok,
        "text": outcome.text,
        "output": outcome.output,
        "stderr": outcome.stderr,
        "exit_code": outcome.exit_code,
    }


def warn(text: str) -> None:
    """Tell the program's author what went wrong beside a run."""
    import warnings

    warnings.warn(text, RuntimeWarning, stacklevel=3)


def find_skill(path_or_name: str, home: Home) -> Path:
    """Return the directory of a skill: a folder that is one, else an installed skill of that name.

    Raises:
        NotFound: there is neither.
        InvalidSkill: a folder was named that is none.
    """
    from pathlib import Path

    return Path(locate_skill(path_or_name, home)[0])


def locate_skill(
    path_or_name: str, home: Home, *, working_directory: str | None = None
) -> tuple[str, CatalogEntry | None]:
    """Return the directory as `find_skill` does, and the catalog's entry when it went by a name.

    Without pathlib for what was named by a path: `run` waits for it.

    Args:
        path_or_name: As it was typed.
        home: Where skills are installed.
        working_directory: Where it was typed; that of this process if it is left out.
    """
    directory = path_or_name
    if working_directory is not None:
        directory = os.path.join(working_directory, path_or_name)
    if os.path.isfile(f"{directory}/{SKILL_FILE}"):
        return directory, None
    if "/" in path_or_name or path_or_name in (".", ".."):
        # The stage would say it of its own copy, at a path nobody typed.
        if os.path.isdir(directory) and not _was_installed(directory, home):
            raise InvalidSkill(
                f"no SKILL.md in {os.path.abspath(directory)}",
                hint="a skill is a folder with a SKILL.md that has a name and a description",
            )
        return directory, None
    from skilllite.catalog import SkillCatalog

    try:
        from pathlib import Path

        catalog = SkillCatalog.for_project(Path(working_directory or os.getcwd()), home)
        entry = catalog.find_named(path_or_name)
    except (errors.NotFound, InvalidSkill) as error:
        # What was installed under that name may be changed so that nobody finds it by it any more.
        # The stage will say so.
        from skilllite.trust import open_guard

        roots = [os.fspath(root.path) for root in catalog.roots]
        installed = open_guard(home).directory_of_name(path_or_name, roots)
        if installed is not None and os.path.lexists(installed):
            return installed, None
        if isinstance(error, InvalidSkill):
            raise
        # One class for callers, whether a name or a path led nowhere.
        raise NotFound(error.message, hint=error.hint, cause=error.cause) from None
    return str(entry.directory), entry


def _was_installed(directory: str, home: Home) -> bool:
    from skilllite.trust import open_guard

    return open_guard(home).record_of(directory) is not None


def open_stage(home: Home) -> Stage:
    """Return the stage of this home."""
    from skilllite.trust import open_guard

    home.check()
    prepare_directory(home.cache_name)
    return Stage(home.stage_name, open_guard(home))
