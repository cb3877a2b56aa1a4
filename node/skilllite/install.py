"""Putting skills into a root and taking them out again, whole or not at all.

What is scanned is the copy that will be used, in its final file system and under a temporary name:
nothing can change between the look and the installation. Manifest and register are written before
the copy gets its name (integrity/store.py says why).
"""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from skilllite.catalog import BUNDLED_ROOT, SkillCatalog
from skilllite.errors import Refused
from skilllite_sandbox.archive import (
    LEFT_BEHIND,
    copy_skill,
    copy_tree,
    move_into_place,
    remove_tree,
    remove_unfinished,
    unfinished_beside,
)
from skilllite_sandbox.errors import InvalidInput, InvalidSkill, RegisterUntrusted
from skilllite_sandbox.integrity.denylist import Denylist
from skilllite_sandbox.integrity.entries import Entry, digest_of, read_entries
from skilllite_sandbox.integrity.manifest import Facts
from skilllite_sandbox.integrity.store import IntegrityStore
from skilllite_sandbox.integrity.trust import TrustTier
from skilllite_sandbox.scan.report import SCANNER_VERSION, ScanReport
from skilllite_sandbox.skill import Skill, read_skill
from skilllite_sandbox.values import dataclass

LEFTOVERS_KEPT_S = 3600.0  # far above the longest installation: an older one was left by a crash
_NAME_SIGNS = "-_.:+@ "  # beyond the format, and nothing that a shell takes for a command
FOLDER_BYTES_MAX = 200  # a folder name has 255 bytes, and ours need room for a temporary one

Vouch = Callable[[tuple[Entry, ...]], str]
"""Checks a signature over the files and returns who made it, or raises."""

Review = Callable[[Skill, ScanReport], None]
"""Looks at what the scanner said, asks if it has to, and raises unless the skill may come in."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a skill came from. What is known of it is signed when the skill is installed."""

    source: str
    """As a person would write it."""
    kind: str
    """`folder`, `archive`, `download` or `git`."""
    ref: str = ""
    commit: str = ""
    subfolder: str = ""
    archive_sha256: str = ""
    author: str = ""
    """The key of the team member whose signature over it was checked, in hex."""

    @property
    def tier(self) -> TrustTier:
        """What a skill from there is, before anybody has looked at it."""
        if self.author:
            return TrustTier.TEAM
        # A folder is where people make skills; whatever was packed came from somebody.
        return TrustTier.LOCAL if self.kind == "folder" else TrustTier.COMMUNITY


@dataclass(frozen=True, slots=True)
class Fetched:
    """A skill that is here, where nobody trusts it yet."""

    folder: Path
    folder_name: str
    """The name it has when it gives none itself."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class Installed:
    """A skill that was just put into a root."""

    skill: Skill
    directory: Path
    digest: str
    origin: Origin
    report: ScanReport
    version: int
    replaced: bool


class Installer:
    """Puts fetched skills into one root."""

    def __init__(
        self,
        *,
        root: Path,
        catalog: SkillCatalog,
        store: IntegrityStore,
        denylist: Denylist,
        scan: Callable[[Path], ScanReport],
        reviews: Sequence[Review],
        vouch: Vouch = lambda entries: "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take everything that decides about an installation."""
        self._root = root
        self._catalog = catalog
        self._store = store
        self._denylist = denylist
        self._scan = scan
        self._reviews = reviews
        self._vouch = vouch
        self._clock = clock

    def install(self, fetched: Fetched, *, replace: bool) -> Installed:
        """Scan a skill, have it reviewed, and install it under its own name.

        Raises:
            InvalidSkill: it can't be used; nothing was installed.
            Refused: the root has a skill of that name and `replace` is false.
            InvalidInput: the root lies inside the skill.
            PolicyDenied: it is on the denylist, or the register can't be continued.
            Exception: what the review raises.
        """
        first = _usable(read_skill(fetched.folder, folder=fetched.folder_name))
        source = fetched.origin.source
        self._denylist.refuse(name=first.name, source=source)
        destination, occupied = self._destination(first, fetched, replace=replace)
        self._root.mkdir(parents=True, exist_ok=True)
        remove_unfinished(self._root, older_than_s=LEFTOVERS_KEPT_S)
        with unfinished_beside(destination) as incoming:
            digest = copy_tree(
                fetched.folder, incoming, read_only=False, leave_behind=LEFT_BEHIND, durable=True
            )
            # Read again, from the copy: the source may belong to somebody who changes it meanwhile.
            skill = read_skill(incoming, folder=fetched.folder_name)
            if skill.name != first.name:
                raise InvalidSkill(f"{fetched.folder} changes while it is read", hint="try again")
            self._denylist.refuse(digest=digest, name=skill.name, source=source)
            entries = read_entries(incoming)
            evidence = self._vouch(entries)
            report = self._scan(incoming)
            if not digest == digest_of(entries) == report.digest:
                # Whoever may write in the root can put another folder in place of the copy.
                raise InvalidSkill(f"{incoming} changes while it is read", hint="try again")
            for review in self._reviews:
                review(skill, report)
            facts = self._facts(skill, digest, fetched.origin, report, evidence)
            with self._store.installing(destination, facts, entries) as manifest:
                move_into_place(incoming, destination, replace=replace)
        return Installed(
            skill,
            destination,
            digest,
            fetched.origin,
            report,
            manifest.facts.version,
            replaced=occupied,
        )

    def _destination(self, skill: Skill, fetched: Fetched, *, replace: bool) -> tuple[Path, bool]:
        present = self._catalog.installed(skill.name, self._root)
        # Not under the skill's name when the one to be replaced lies in a folder of another name:
        # two folders with one name would be left.
        destination = present.directory if present is not None else self._root / skill.name
        occupied = os.path.lexists(destination)
        if occupied and not replace:
            raise Refused(
                f"{skill.name} is installed already, in {destination}",
                cause=self._what_is_new(destination, fetched),
                hint="--force replaces it",
            )
        if occupied and destination.resolve() == fetched.folder.resolve():
            raise Refused(
                f"{fetched.folder} is the installed skill itself",
                hint=f"`skilllite verify --accept {skill.name}` keeps what was changed in it",
            )
        if destination.absolute().is_relative_to(fetched.folder.resolve()):
            raise InvalidInput(f"{destination} lies inside the skill that is to be added")
        return destination, occupied

    def _what_is_new(self, destination: Path, fetched: Fetched) -> str | None:
        """Return how what was fetched differs from what is there, by what was recorded."""
        try:
            key = self._store.places.key_of(os.fspath(destination))
            registered = self._store.register_file.read().skills.get(key)
        except RegisterUntrusted:
            return None
        if registered is None:
            return None
        kept = [
            each
            for each in read_entries(fetched.folder)
            if LEFT_BEHIND.isdisjoint(each.path.split("/"))
        ]
        if digest_of(kept) == registered.digest:
            return "the source has the same content as when it was installed"
        commit = f", commit {fetched.origin.commit[:12]}" if fetched.origin.commit else ""
        return f"the source has other content now{commit}; installed from {registered.source}"

    def _facts(
        self, skill: Skill, digest: str, origin: Origin, report: ScanReport, evidence: str
    ) -> Facts:
        return Facts(
            place="",
            name=skill.name,
            digest=digest,
            version=0,
            installed_at=int(self._clock()),
            tier=origin.tier.value,
            source=origin.source,
            source_kind=origin.kind,
            ref=origin.ref,
            commit=origin.commit,
            subfolder=origin.subfolder,
            archive_sha256=origin.archive_sha256,
            author=origin.author,
            evidence=evidence,
            verdict=report.verdict.value,
            scanner_version=SCANNER_VERSION,
        )


def remove_installed(directory: Path, store: IntegrityStore) -> None:
    """Remove a skill from its root at one stroke, and its record; of a link only the link."""
    if directory.is_symlink():
        directory.unlink()
    elif directory.exists():
        with unfinished_beside(directory) as doomed:
            directory.rename(doomed)
            remove_tree(doomed)
    store.forget(directory)


def install_starter_skills(
    root: Path, *, source: Path = BUNDLED_ROOT
) -> tuple[list[str], list[str]]:
    """Copy the bundled skills into a root; return the names that were copied and those kept.

    They are the person's from then on, to be changed: no manifest says what they have to be.
    """
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


def _usable(skill: Skill) -> Skill:
    if len(os.fsencode(skill.name)) > FOLDER_BYTES_MAX:
        raise InvalidSkill(
            f"the name of the skill has more than {FOLDER_BYTES_MAX} bytes",
            hint="shorten `name:` in SKILL.md; 64 characters are what the format allows",
        )
    # A name stands in commands that a person is told to type.
    if odd := [char for char in skill.name if not _is_of_a_name(char)]:
        raise InvalidSkill(
            f"the name of the skill holds {odd[0]!r}",
            hint="change `name:` in SKILL.md; the format wants lowercase letters, digits and `-`",
        )
    return skill


def _is_of_a_name(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN" or char in _NAME_SIGNS
