"""The guard and the store of a home: what it knows of its installed skills, and of the bundled."""

# Strings, not pathlib: every run opens a guard.
# ruff: noqa: PTH113, PTH118, PTH119, PTH120

from __future__ import annotations

import json
import os
import sys

from skilllite.home import Home
from skilllite_sandbox.integrity.guard import Guard

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from skilllite_sandbox.integrity.store import IntegrityStore

_HERE = os.path.dirname(__file__)
STARTER_SKILLS = os.path.join(_HERE, "starter_skills")
STARTER_DIGESTS = os.path.join(_HERE, "starter_digests.json")


def open_guard(home: Home) -> Guard:
    """Return the guard of a home, for its stage."""
    return Guard(
        place=home.integrity_name,
        keys=f"{home.data_name}/keys",
        skills=f"{home.data_name}/skills",
        denylist=home.denylist_name,
        bundled_root=STARTER_SKILLS,
        bundled=starter_digests,
    )


def open_store(home: Home) -> IntegrityStore:
    """Return what writes down installations in a home."""
    from skilllite_sandbox.integrity.store import IntegrityStore

    return IntegrityStore(place=home.integrity, keys=home.keys, skills=home.skills)


def starter_digests() -> dict[str, str]:
    """Return the digests of the skills that ship with the package, by their folders."""
    with open(STARTER_DIGESTS, encoding="utf-8") as file:
        digests: dict[str, str] = json.load(file)
    return digests


def compute_starter_digests() -> dict[str, str]:
    """Return what the file has to hold."""
    from skilllite_sandbox.digest import compute_digest

    with os.scandir(STARTER_SKILLS) as found:
        folders = sorted(item.path for item in found if os.path.isfile(f"{item.path}/SKILL.md"))
    return {os.path.basename(folder): compute_digest(folder) for folder in folders}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(compute_starter_digests(), indent=1) + "\n")
