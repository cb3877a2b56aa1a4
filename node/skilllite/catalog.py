"""Which skills there are here, and which one a name means.

Roots in order of precedence: four folders of the project, then the user's, then the ones that
ship with the package. The first skill of a name wins, and what it hides is said. Nothing is run
or staged, and most calls read no skill at all (catalog_index.py).
"""

from __future__ import annotations

import os
from pathlib import Path

from skilllite.catalog_index import CatalogIndex, Facts, stamp_of
from skilllite.errors import FolderUntrusted, NotFound
from skilllite.home import Home

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol, TypeAlias

    # Inside the catalog `list` is a method.
    Entries: TypeAlias = "list[CatalogEntry]"
    ByName: TypeAlias = "dict[str, list[CatalogEntry]]"
    Skips: TypeAlias = "list[Skipped]"
    Withhelds: TypeAlias = "list[Withheld]"
else:
    Protocol = object

PROJECT_FOLDERS = (".skills", "skills", ".agents/skills", ".claude/skills")
BUNDLED_ROOT = Path(__file__).parent / "starter_skills"
INDEX_NAME = "catalog.json"
FOLDERS_MAX = 2000  # skills below one root; a folder with more is not a folder of skills

PROJECT, USER, BUNDLED, ELSEWHERE = "project", "user", "bundled", "path"
"""Where a skill comes from; `path` is a directory that was named and lies in no root."""

OPTIONAL_PROGRAMS = ("gawk", "jq")  # of a bash skill's base list; any Linux has the others
_PROGRAM_FOLDERS = ("/usr/bin", "/bin")  # where the sandbox takes them from

_PROTECTED = {PROJECT: (USER, BUNDLED), USER: (BUNDLED,), BUNDLED: ()}
"""Which skills one from there hides only with a person's consent."""

NOT_HERE = "not installed here)"
"""How every clause ends that another machine may not have to make."""
NEEDS_NODE = f"needs node (Node.js is {NOT_HERE}"
_ELF = b"\x7fELF"
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


class Root:
    """A directory that holds skills."""

    __slots__ = ("origin", "path")

    def __init__(self, path: Path, origin: str) -> None:
        self.path = path
        self.origin = origin


class CatalogEntry:
    """One skill that can be used."""

    __slots__ = ("_facts", "directory", "origin", "passed_over", "shadows")

    def __init__(self, directory: Path, origin: str, facts: Facts) -> None:
        self._facts = facts
        self.directory = directory
        self.origin = origin
        self.shadows: tuple[CatalogEntry, ...] = ()
        """The skills of the same name that this one hides."""
        self.passed_over = ""
        """Why one of the same name that would come first is not used; empty without one."""

    @property
    def name(self) -> str:
        """The name it is found by."""
        return self._facts.name

    @property
    def description(self) -> str:
        """What it does and when to use it."""
        return self._facts.description

    @property
    def languages(self) -> tuple[str, ...]:
        """What its scripts are written in; empty for a skill of instructions only."""
        return self._facts.languages

    @property
    def tools(self) -> int:
        """How many scripts of it can be called."""
        return self._facts.tools

    @property
    def problems(self) -> int:
        """How many complaints `validate` has."""
        return self._facts.problems

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it asks for and doesn't get here, one clause each."""
        return (*self._facts.lacks, *self.missing_here)

    @property
    def missing_here(self) -> tuple[str, ...]:
        """The part of `lacks` that is this machine's: without it the skill can't run here."""
        clauses = [
            f"needs {program} ({NOT_HERE}"
            for program in self._facts.programs
            if not any(os.access(f"{folder}/{program}", os.X_OK) for folder in _PROGRAM_FOLDERS)
        ]
        if "node" in self.languages and not node_is_installed():
            clauses.append(NEEDS_NODE)
        return tuple(clauses)

    def shadow_note(self) -> str:
        """Return the sentence about what this skill hides; empty when it hides nothing."""
        if not self.shadows:
            return ""
        hidden = " nor ".join(f"the {each.origin} one in {each.directory}" for each in self.shadows)
        return f"{self.name} is the {self.origin} one in {self.directory}, not {hidden}"


class Skipped:
    """A directory with a SKILL.md that can't be used."""

    __slots__ = ("directory", "message")

    def __init__(self, directory: Path, message: str) -> None:
        self.directory = directory
        self.message = message


class Withheld:
    """A skill that could be used, and isn't until a person says so."""

    __slots__ = ("entry", "why")

    def __init__(self, entry: CatalogEntry, why: str) -> None:
        self.entry = entry
        self.why = why


class ProjectTrust(Protocol):
    """What a person has said about project folders and their skills."""

    def trusts(self, folder: str) -> bool:
        """Return whether the skills of this folder are used."""
        ...

    def may_hide(self, directory: str, name: str, others: Sequence[str]) -> bool:
        """Return whether this skill may take the place of these bundled or installed ones."""
        ...


class Listing:
    """Everything in the roots at one moment."""

    __slots__ = ("entries", "skipped", "withheld")

    def __init__(
        self,
        entries: tuple[CatalogEntry, ...],
        skipped: tuple[Skipped, ...],
        withheld: tuple[Withheld, ...] = (),
    ) -> None:
        self.entries = entries
        """One for each name, sorted by name."""
        self.skipped = skipped
        self.withheld = withheld


class SkillCatalog:
    """The skills of one project, one user and the package; every call looks anew."""

    def __init__(
        self,
        *,
        user_skills: Path,
        project: Path | None = None,
        index_file: Path | None = None,
        bundled: Path = BUNDLED_ROOT,
        trust: ProjectTrust | None = None,
    ) -> None:
        """Name the roots; none of them has to exist. Without `trust` no project is trusted."""
        self.index_file = index_file
        self.project = project
        self._trust = trust
        folders = (
            [] if project is None else [Root(project / each, PROJECT) for each in PROJECT_FOLDERS]
        )
        self.roots = (*folders, Root(user_skills, USER), Root(bundled, BUNDLED))

    @classmethod
    def for_project(cls, project: Path | None, home: Home) -> SkillCatalog:
        """Return the catalog of a home; the skills of the folder `project` come first."""
        from skilllite.folder_trust import FolderTrust

        return cls(
            user_skills=home.skills,
            project=project,
            index_file=home.cache_dir / INDEX_NAME,
            trust=FolderTrust(home),
        )

    def list(self) -> Listing:
        """Return every skill that can be used, and what was skipped."""
        return self._listing(CatalogIndex(self.index_file))

    def reindex(self) -> Listing:
        """Read every skill again, whatever the index says."""
        index = CatalogIndex(self.index_file)
        index.forget_all()
        return self._listing(index)

    @property
    def project_root(self) -> Path | None:
        """Where `add --project` and `init` put skills; None without a project."""
        first = self.roots[0]
        return first.path if first.origin == PROJECT else None

    def find(self, name_or_path: str) -> CatalogEntry:
        """Return the skill that a person means.

        A directory with a SKILL.md is taken as it is; anything else is a name.

        Raises:
            NotFound: neither a directory nor a known name.
            InvalidSkill: the skill of that directory or that name can't be used.
        """
        directory = Path(name_or_path)
        if os.sep in name_or_path or name_or_path in (".", "..") or _holds_skill(directory):
            return self._at_path(directory)
        return self.find_named(name_or_path)

    def find_named(self, name: str) -> CatalogEntry:
        """Return the skill of this name, whatever lies in the working directory; raises as `find`.

        For tasks that come from elsewhere: a peer's name must never be taken for a path.
        """
        listing = self._listing(CatalogIndex(self.index_file), only=name)
        for entry in listing.entries:
            if entry.name == name:
                return entry
        for withheld in listing.withheld:
            if withheld.entry.name == name:
                raise _untrusted(name, withheld)
        for skipped in listing.skipped:
            if skipped.directory.name == name:
                raise _invalid(skipped)
        raise _not_found(name, [entry.name for entry in self.list().entries])

    def installed(self, name: str, root: Path) -> CatalogEntry | None:
        """Return the skill of this name in one root, hidden by another or not."""
        for each in self._found(CatalogIndex(self.index_file), [])[0].get(name, ()):
            if each.directory.parent == root:
                return each
        return None

    def protected(self, name: str, root: Path) -> Entries:
        """Return the skills of this name that one in `root` hides only with consent."""
        origin = next(each.origin for each in self.roots if each.path == root)
        found = self._found(CatalogIndex(self.index_file), [])[0].get(name, [])
        return [each for each in found if each.origin in _PROTECTED[origin]]

    def lookalikes(self, name: str) -> Entries:
        """Return the bundled and installed skills whose names pass for this one, and are others."""
        from skilllite.shadowing import look_of

        found = self._found(CatalogIndex(self.index_file), [])[0]
        alike = [other for other in found if other != name and look_of(other) == look_of(name)]
        return [each for other in alike for each in found[other] if each.origin != PROJECT]

    def project_skills(self) -> tuple[str, ...]:
        """Return the names of the skills of the project, trusted or not."""
        found, _ = self._found(CatalogIndex(self.index_file), [])
        mine = (name for name, each in found.items() if any(one.origin == PROJECT for one in each))
        return tuple(sorted(mine))

    def _at_path(self, directory: Path) -> CatalogEntry:
        directory = directory.absolute()
        if not directory.is_dir():
            raise NotFound(
                f"no skill directory at {directory}", hint="give the folder that holds SKILL.md"
            )
        real = directory.resolve().parent
        origin = next((root.origin for root in self.roots if _same(root.path, real)), ELSEWHERE)
        index = CatalogIndex(self.index_file)
        facts = _facts_of(directory, index)
        index.save()
        if facts is None:
            raise _invalid(Skipped(directory, "there is no SKILL.md in it"))
        if facts.error:
            raise _invalid(Skipped(directory, facts.error))
        return CatalogEntry(directory, origin, facts)

    def _listing(self, index: CatalogIndex, *, only: str | None = None) -> Listing:
        """Return what there is.

        Args:
            index: What is known of the folders.
            only: A name; the rest is left out.
        """
        skipped: Skips = []
        withheld: Withhelds = []
        entries: Entries = []
        found, has_project = self._found(index, skipped)
        trusted = has_project and self._is_trusted()
        for name in sorted(found) if only is None else [only] * (only in found):
            candidates, first = found[name], ""
            while candidates and (why := self._objection(candidates, trusted=trusted)):
                withheld.append(Withheld(candidates[0], why))
                first = first or f"not the project one in {candidates[0].directory}: {why}"
                candidates = candidates[1:]
            if candidates:
                winner, *hidden = candidates
                # What is not used hides nothing and isn't hidden.
                winner.shadows = tuple(each for each in hidden if trusted or each.origin != PROJECT)
                winner.passed_over = first
                entries.append(winner)
        return Listing(tuple(entries), tuple(skipped), tuple(withheld))

    def _found(self, index: CatalogIndex, skipped: Skips) -> tuple[ByName, bool]:
        """Return the skills by name, the first root's first, and whether the project has any."""
        found: ByName = {}
        has_project = False
        for root in self.roots:
            for directory in _skill_directories(root.path):
                facts = _facts_of(directory, index)
                if facts is None:
                    continue
                if facts.error:
                    skipped.append(Skipped(directory, facts.error))
                    continue
                has_project = has_project or root.origin == PROJECT
                entry = CatalogEntry(directory, root.origin, facts)
                found.setdefault(facts.name, []).append(entry)
        index.save()
        return found, has_project

    def _is_trusted(self) -> bool:
        return (
            self.project is not None
            and self._trust is not None
            and self._trust.trusts(os.fspath(self.project))
        )

    def _objection(self, candidates: Entries, *, trusted: bool) -> str:
        """Return why the first one isn't used; empty if it is."""
        first, *others = candidates
        if first.origin == PROJECT and not trusted:
            return "nobody has trusted this folder: --trust-project does, or the terminal asks"
        protected = [each for each in others if each.origin in _PROTECTED[first.origin]]
        if not protected:
            return ""
        places = [os.fspath(each.directory) for each in protected]
        mine, trust = os.fspath(first.directory), self._trust
        if trust is not None and trust.may_hide(mine, first.name, places):
            return ""
        return (
            f"it would hide the {protected[0].origin} skill of that name: "
            f"`skilllite confirm {first.directory}` allows it"
        )


def node_is_installed() -> bool:
    """Return whether the search path has a real node, as the sandbox will look for it."""
    # A script that stands in for node (nvm's shim) can't be shown to a sandbox.
    for folder in (os.environ.get("PATH") or _DEFAULT_PATH).split(os.pathsep):
        candidate = os.path.join(folder, "node")  # noqa: PTH118 - strings in, strings out
        if folder.startswith("/") and os.access(candidate, os.X_OK) and _is_elf(candidate):
            return True
    return False


def _is_elf(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(_ELF)) == _ELF
    except OSError:
        return False


def _skill_directories(root: Path) -> list[Path]:
    """Return the folders below a root; an unfinished installation starts with a dot."""
    found: list[Path] = []
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_dir():
                    found.append(Path(entry.path))
                if len(found) >= FOLDERS_MAX:
                    break
    except OSError:
        return []  # absent, or not ours to read: then there is nothing of ours in it
    return sorted(found)


def _facts_of(directory: Path, index: CatalogIndex) -> Facts | None:
    """Return the facts, from the index when nothing changed; None when this is no skill."""
    stamp = stamp_of(directory)
    if stamp is None:
        return None
    facts = index.find(directory, stamp)
    if facts is None:
        facts = _read_facts(directory)
        index.remember(directory, stamp, facts)
    return facts


def _read_facts(directory: Path) -> Facts:
    from skilllite_sandbox.errors import SandboxError  # with YAML behind it, 40 ms
    from skilllite_sandbox.skill import load_skill

    try:
        skill = load_skill(directory)
    except SandboxError as error:
        return Facts(error=f"{error.message}: {error.cause}" if error.cause else error.message)
    languages = tuple(dict.fromkeys(tool.language.value for tool in skill.tools))
    words = set(skill.manifest.compatibility.replace(",", " ").split())
    return Facts(
        name=skill.name,
        description=skill.description,
        lacks=skill.lacks,
        languages=languages,
        programs=tuple(p for p in OPTIONAL_PROGRAMS if "bash" in languages and p in words),
        tools=len(skill.tools),
        problems=len(skill.problems),
    )


def _holds_skill(directory: Path) -> bool:
    try:
        return (directory / "SKILL.md").is_file()
    except (OSError, ValueError):  # a name of 5,000 characters, or with a NUL
        return False


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _invalid(skipped: Skipped) -> Exception:
    from skilllite_sandbox.errors import InvalidSkill

    return InvalidSkill(
        f"the skill in {skipped.directory} can't be used",
        cause=skipped.message,
        hint=f"`skilllite validate {skipped.directory}` says what to change",
    )


def _untrusted(name: str, withheld: Withheld) -> FolderUntrusted:
    return FolderUntrusted(
        f"{name} is a skill of {withheld.entry.directory.parent}, which nobody has trusted yet",
        cause="whoever wrote that folder decides what its skills do",
        hint="run it at a terminal, which asks, or add --trust-project if you know the folder",
    )


def _not_found(name: str, known: list[str]) -> NotFound:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "`skilllite list` shows what there is"
    return NotFound(f"there is no skill {name[:80]!r}", hint=hint)
