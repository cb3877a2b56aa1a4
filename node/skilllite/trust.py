"""The guard and the store of a home: what it knows of its installed skills, and of the bundled."""

# Strings, not pathlib: every run opens a guard.
# ruff: noqa: PTH113, PTH118, PTH119, PTH120

from __future__ import annotations

import json
import os
import sys

from skilllite.home import Home
from skilllite_sandbox.errors import RegisterUntrusted
from skilllite_sandbox.integrity.guard import Guard
from skilllite_sandbox.integrity.trust import TrustTier

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from skilllite.catalog import CatalogEntry
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
    """Return what writes down installations in a home.

    Raises:
        HomeUnsafe: others can replace what is written.
    """
    from skilllite_sandbox.integrity.store import IntegrityStore

    home.check()

    return IntegrityStore(place=home.integrity, keys=home.keys, skills=home.skills)


def tier_of(entry: CatalogEntry, guard: Guard) -> str:
    """Return the tier that a listing shows: by the record, whatever became of the files since."""
    if entry.origin == "bundled":
        return TrustTier.BUNDLED.value
    try:
        return guard.trust_of(os.fspath(entry.directory)).tier.value
    except RegisterUntrusted:
        return TrustTier.UNKNOWN.value


def record_of(directory: str, guard: Guard) -> dict[str, object] | None:
    """Return what is known of an installation; None when there was none."""
    from skilllite_sandbox.integrity.manifest import InvalidManifest, decode_manifest
    from skilllite_sandbox.integrity.manifest_files import read_manifest_file
    from skilllite_sandbox.values import asdict

    try:
        registered = guard.record_of(directory)
        if registered is None:
            return None
        key = guard.key_of(directory)
        data = read_manifest_file(guard.place, key, registered)
        return asdict(decode_manifest(data).facts)
    except (RegisterUntrusted, InvalidManifest):
        return None  # `verify` says what is wrong


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
