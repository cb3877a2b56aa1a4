"""Looking at installed skills one by one: what `verify` finds.

A run compares digests with the sealed register and stops at the first difference. This reads every
manifest, checks its signature and its key, and says all that differs.
"""

# ruff: noqa: PTH100, PTH118

from __future__ import annotations

import os
from enum import StrEnum

from skilllite_sandbox.errors import InvalidSkill, NotFound, SandboxError, SkillChanged
from skilllite_sandbox.integrity.entries import Change, Entry, differences, digest_of, read_entries
from skilllite_sandbox.integrity.guard import Guard
from skilllite_sandbox.integrity.manifest import Facts, InvalidManifest, open_manifest
from skilllite_sandbox.integrity.manifest_files import read_manifest_file
from skilllite_sandbox.integrity.register import Registered
from skilllite_sandbox.integrity.trust import TrustTier
from skilllite_sandbox.values import asdict, dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from skilllite_sandbox.signing import Verifier

FOLDERS_MAX = 2000  # below one root, as in the catalogue


class Status(StrEnum):
    """How an installed skill is found. Its values are part of the JSON contract."""

    OK = "ok"
    CHANGED = "changed"
    MISSING = "missing"
    """It was installed, and its directory is gone."""
    UNSIGNED = "unsigned"
    """It was never installed: nobody knows what it should be."""
    WRONG_KEY = "wrong_key"
    """Its manifest was signed, and not by this node."""
    CORRUPT = "corrupt"
    """Its manifest was changed or is gone."""
    DENIED = "denied"
    """It is on the denylist."""

    def is_good(self, *, strict: bool) -> bool:
        """Whether nothing has to be done about it."""
        return self is Status.OK or (self is Status.UNSIGNED and not strict)


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found about one directory."""

    name: str
    directory: str
    status: Status
    tier: TrustTier
    digest: str = ""
    """As it is now; empty when it can't be read."""
    changes: tuple[Change, ...] = ()
    cause: str = ""
    facts: Facts | None = None
    """What its manifest says, if that one is as it was signed."""

    def to_json(self) -> dict[str, Any]:
        """Return it as it is printed for programs; fields are only ever added."""
        return {
            "name": self.name,
            "path": self.directory,
            "status": self.status.value,
            "tier": self.tier.value,
            "digest": self.digest or None,
            "changes": [asdict(each) for each in self.changes],
            "cause": self.cause,
            "installed": asdict(self.facts) if self.facts is not None else None,
        }


class Checker:
    """Checks directories against one home."""

    def __init__(self, guard: Guard, verifier: Verifier, *, bundled_root: str = "") -> None:
        """Take what knows the home, what checks signatures, and where bundled skills are."""
        self._guard = guard
        self._verifier = verifier
        self._bundled_root = bundled_root
        self._register = guard.register.read()

    def directories(self) -> tuple[str, ...]:
        """Return all that was installed, all that lies among it, and what is bundled."""
        places = self._guard.places
        found = [places.directory_of(key) for key in self._register.skills]
        found += _folders(places.directory_of("home/"))
        found += _folders(self._bundled_root) if self._bundled_root else []
        return tuple(dict.fromkeys(os.path.normpath(each) for each in found))

    def check(self, directory: str) -> Checked:
        """Return what is to be said about a directory.

        Raises:
            NotFound: there is none, and none was installed there.
        """
        key, registered = self._record(directory)
        if registered is None:
            return self._check_unregistered(directory)
        name, tier = registered.name, TrustTier(registered.tier)
        facts, entries, status, cause = self._manifest(key, registered)
        if not os.path.lexists(directory):
            return Checked(name, directory, Status.MISSING, tier, facts=facts)
        now, changes, unreadable = _compare(directory, entries)
        digest = digest_of(now) if now else ""
        if status is Status.OK and (changes or unreadable):
            status, cause = Status.CHANGED, unreadable
        denied = self._denied(digest, name, registered.source)
        if denied:
            status, cause = Status.DENIED, denied
        return Checked(name, directory, status, tier, digest, changes, cause, facts)

    def _record(self, directory: str) -> tuple[str, Registered | None]:
        for key in self._guard.places.keys_of(directory):
            if key in self._register.skills:
                return key, self._register.skills[key]
        return "", None

    def _manifest(
        self, key: str, registered: Registered
    ) -> tuple[Facts | None, tuple[Entry, ...], Status, str]:
        try:
            data = read_manifest_file(self._guard.place, key, registered)
            manifest = open_manifest(data, self._verifier)
        except InvalidManifest as error:
            return None, (), Status.CORRUPT, str(error)
        if manifest.public_key.hex() != self._register.public_key:
            return None, (), Status.WRONG_KEY, f"it was signed by {manifest.public_key.hex()}"
        facts = manifest.facts
        same = (facts.place, facts.digest, facts.version) == (
            key,
            registered.digest,
            registered.version,
        )
        if not same or manifest.modes != registered.modes:
            return None, (), Status.CORRUPT, "it is not the manifest of this skill"
        return facts, manifest.entries, Status.OK, ""

    def _check_unregistered(self, directory: str) -> Checked:
        name = os.path.basename(os.path.abspath(directory))  # noqa: PTH119
        tier = self._guard.trust_of(directory).tier
        status, cause, digest = Status.UNSIGNED, "", ""
        try:
            digest = digest_of(read_entries(directory))
            if tier is TrustTier.BUNDLED:
                self._guard.admit(directory, digest, None)
                status = Status.OK
        except SkillChanged as error:
            status, cause = Status.CHANGED, error.message
        except InvalidSkill as error:
            cause = error.message
        if denied := self._denied(digest, name, ""):
            status, cause = Status.DENIED, denied
        return Checked(name, directory, status, tier, digest, cause=cause)

    def _denied(self, digest: str, name: str, source: str) -> str:
        found = self._guard.denylist.current().find(digest=digest, name=name, source=source)
        return "" if found is None else found.reason or "the denylist gives no reason"


def _compare(
    directory: str, entries: tuple[Entry, ...]
) -> tuple[tuple[Entry, ...], tuple[Change, ...], str]:
    """Return what is there, how it differs, and why it can't be read."""
    if os.path.islink(directory):  # noqa: PTH114
        return (), (), "a link is in its place"
    try:
        now = read_entries(directory)
    except NotFound:
        return (), (), "something else than a folder is in its place"
    except SandboxError as error:
        return (), (), error.message
    return now, differences(entries, now) if entries else (), ""


def _folders(root: str) -> list[str]:
    try:
        with os.scandir(root) as found:
            names = sorted(
                item.name for item in found if not item.name.startswith(".") and item.is_dir()
            )
    except OSError:
        return []
    return [os.path.join(root, name) for name in names[:FOLDERS_MAX]]
