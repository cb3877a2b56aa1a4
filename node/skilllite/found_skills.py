"""Which skill of a repository or an archive is meant, when it holds any number of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from skilllite.errors import NotFound, UsageError
from skilllite_sandbox.errors import InvalidSkill
from skilllite_sandbox.manifest import SKILL_FILE
from skilllite_sandbox.tree import TREE_ENTRIES_MAX

DEPTH_MAX = 6  # folders above a skill: `plugins/x/skills/report` is four
SHOWN_MAX = 20
_NEVER = frozenset({".git", "node_modules", "__MACOSX"})


def skill_folders(paths: Iterable[str]) -> list[str]:
    """Return the folders that hold a SKILL.md, of all file paths; empty text for the top.

    A skill inside of another one belongs to that one.
    """
    folders = sorted(
        path.removesuffix(SKILL_FILE).rstrip("/")
        for path in paths
        if path == SKILL_FILE or path.endswith(f"/{SKILL_FILE}")
    )
    outer: dict[str, None] = {}
    for folder in folders:
        parts = folder.split("/") if folder else []
        if len(parts) > DEPTH_MAX or not _NEVER.isdisjoint(parts):
            continue
        above = ("/".join(parts[:depth]) for depth in range(len(parts)))
        if not any(each in outer for each in above):
            outer[folder] = None
    return list(outer)


def files_below(root: Path) -> list[str]:
    """Return the relative paths of the files of a folder, as far down as skills are looked for."""
    found: list[str] = []
    for folder, names, files in os.walk(root):
        relative = os.path.relpath(folder, root)
        depth = 0 if relative == "." else relative.count("/") + 1
        names[:] = [] if depth >= DEPTH_MAX else [name for name in names if name not in _NEVER]
        prefix = "" if relative == "." else f"{relative}/"
        found.extend(prefix + name for name in files)
        if len(found) > TREE_ENTRIES_MAX:
            raise InvalidSkill(
                f"{root} holds more than {TREE_ENTRIES_MAX} files",
                hint="give the folder of the skill itself",
            )
    return found


def choose_skill(
    paths: Iterable[str],
    *,
    subfolder: str,
    skill: str,
    where: str,
    name_of: Callable[[str], str] = lambda folder: "",
) -> str:
    """Return the folder of the one skill that is meant.

    Args:
        paths: Of all files there.
        subfolder: Where it has to be, or below; empty for anywhere.
        skill: Its folder's name or its own; empty when there is only one.
        where: What it is looked for in, for a person.
        name_of: Gives the name that the skill in a folder gives itself.

    Raises:
        NotFound: there is none like that.
        InvalidSkill: there is none at all.
        UsageError: there are several.
    """
    every = list(paths)
    if subfolder and not any(path.startswith(f"{subfolder}/") for path in every):
        raise NotFound(f"there is no folder {subfolder} in {where}")
    below = [path for path in every if not subfolder or path.startswith(f"{subfolder}/")]
    cut = len(subfolder) + 1 if subfolder else 0
    found = [
        "/".join(filter(None, (subfolder, folder)))
        for folder in skill_folders(path[cut:] for path in below)
    ]
    if not found:
        raise InvalidSkill(
            f"there is no skill in {where}" + (f", folder {subfolder}" if subfolder else ""),
            hint=f"a skill is a folder with a {SKILL_FILE}",
        )
    if skill:
        named = [each for each in found if each.rpartition("/")[2] == skill]
        named = named or [each for each in found if name_of(each) == skill]
        if not named:
            raise NotFound(f"there is no skill {skill} in {where}", hint=f"it has {_list(found)}")
        found = named
    if len(found) > 1:
        raise UsageError(
            f"{where} holds {len(found)} skills, and one is added at a time",
            cause=_list(found),
            hint="name one: SOURCE@SKILL, or its folder",
        )
    return found[0]


def _list(folders: list[str]) -> str:
    more = len(folders) - SHOWN_MAX
    shown = ", ".join(folder or "(top)" for folder in folders[:SHOWN_MAX])
    return shown + (f" and {more} more" if more > 0 else "")
