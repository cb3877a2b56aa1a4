"""Trust of the folder that a command was typed in: by its flag, or asked for at the terminal."""

from __future__ import annotations

import os

from skilllite.errors import FolderUntrusted, Refused
from skilllite.folder_trust import FolderTrust, ask_to_trust
from skilllite.home import Home

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    from skilllite.catalog import CatalogEntry


def trust_by_flag(home: Home) -> None:
    """Trust the working directory, as `--trust-project` says.

    Raises:
        Refused: everybody can write there.
    """
    here = os.getcwd()  # noqa: PTH109 - without pathlib
    if not FolderTrust(home).trust(here, by="flag"):
        raise Refused(
            f"{here} can't be trusted",
            cause="every user of this machine can put skills there",
            hint=f"`chmod o-w` {here} and the skill folders in it, or give the skill by its path",
        )


def locate_or_ask(skill: str, home: Home) -> tuple[str, CatalogEntry | None]:
    """Return where a skill is; ask the person at the terminal when its folder isn't trusted.

    Raises:
        FolderUntrusted: and nobody is there to be asked, or said no.
        NotFound, InvalidSkill: as `locate_skill`.
    """
    from skilllite.sdk import locate_skill

    try:
        return locate_skill(skill, home)
    except FolderUntrusted:
        from pathlib import Path

        from skilllite.catalog import SkillCatalog

        names = SkillCatalog.for_project(Path.cwd(), home).project_skills()
        if not ask_to_trust(os.getcwd(), names, FolderTrust(home)):  # noqa: PTH109
            raise
        return locate_skill(skill, home)
