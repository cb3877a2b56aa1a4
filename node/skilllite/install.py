"""Putting skills into a root and taking them out again, whole or not at all."""

from __future__ import annotations

import os
import re
from pathlib import Path

from skilllite.catalog import BUNDLED_ROOT, SkillCatalog
from skilllite.errors import Refused
from skilllite_sandbox.archive import copy_skill, remove_tree, unfinished_beside, unpack_zip
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.manifest import folder_name
from skilllite_sandbox.skill import Skill, read_skill

FOLDER_BYTES_MAX = 200  # a folder name has 255 bytes, and ours need room for a temporary one


_REMOTE = re.compile(r"[a-z+]+://|git@|[\w-]+/[\w.-]+(@[\w.-]+)?$")
"""URLs, and the `owner/repo` and `owner/repo@skill` of a later version."""


class Installed:
    """A skill that was just put into a root."""

    __slots__ = ("digest", "directory", "replaced", "skill")

    def __init__(self, skill: Skill, directory: Path, digest: str, *, replaced: bool) -> None:
        self.skill = skill
        self.directory = directory
        self.digest = digest
        self.replaced = replaced


def install(given: str, root: Path, catalog: SkillCatalog, *, replace: bool) -> Installed:
    """Copy a skill from a folder or a zip into a root, under its own name.

    Raises:
        NotFound: there is no such source.
        InvalidSkill: it can't be used; nothing was installed.
        Refused: the root has a skill of that name and `replace` is false.
    """
    source = Path(given)
    if given and source.is_dir():
        return _install_folder(source, folder_name(source), root, catalog, replace=replace)
    if not given or not source.exists():
        raise NotFound(f"there is no {given}", hint=_what_can_be_added(given))
    root.mkdir(parents=True, exist_ok=True)
    with unfinished_beside(root / source.stem) as unpacked:
        try:
            folder = unpack_zip(source, unpacked)
        except InvalidSkill as error:
            raise InvalidSkill(
                f"{given}: {error.message}", cause=error.cause, hint=error.hint
            ) from error
        return _install_folder(folder, source.stem, root, catalog, replace=replace)


def _what_can_be_added(given: str) -> str:
    if _REMOTE.match(given):
        return "adding from git or the web is not built yet: fetch it, and give the folder or zip"
    return "give a folder with a SKILL.md, or a zip of one"


def _install_folder(
    folder: Path, folder_name: str, root: Path, catalog: SkillCatalog, *, replace: bool
) -> Installed:
    skill = read_skill(folder, folder=folder_name)
    if len(os.fsencode(skill.name)) > FOLDER_BYTES_MAX:
        raise InvalidSkill(
            f"the name of the skill has more than {FOLDER_BYTES_MAX} bytes",
            hint="shorten `name:` in SKILL.md; 64 characters are what the format allows",
        )
    present = catalog.installed(skill.name, root)
    # Not under the skill's name when the one to be replaced lies in a folder of another name: two
    # folders with one name would be left.
    destination = present.directory if present is not None else root / skill.name
    occupied = os.path.lexists(destination)
    if occupied and not replace:
        raise Refused(
            f"{skill.name} is installed already, in {destination}",
            hint="--force replaces it",
        )
    if occupied and destination.resolve() == folder.resolve():
        raise Refused(f"{folder} is the installed skill itself", hint="there is nothing to do")
    digest = copy_skill(folder, destination, replace=replace)
    return Installed(skill, destination, digest, replaced=occupied)


def remove_installed(directory: Path) -> None:
    """Remove a skill from its root at one stroke; of a link only the link."""
    if directory.is_symlink():
        directory.unlink()
        return
    with unfinished_beside(directory) as doomed:
        directory.rename(doomed)
        remove_tree(doomed)


def install_starter_skills(
    root: Path, *, source: Path = BUNDLED_ROOT
) -> tuple[list[str], list[str]]:
    """Copy the bundled skills into a root; return the names that were copied and those kept."""
    created: list[str] = []
    kept: list[str] = []
    for directory in sorted(source.iterdir()):
        if not (directory / "SKILL.md").is_file():
            continue
        if os.path.lexists(root / directory.name):
            kept.append(directory.name)
            continue
        copy_skill(directory, root / directory.name)
        created.append(directory.name)
    return created, kept
