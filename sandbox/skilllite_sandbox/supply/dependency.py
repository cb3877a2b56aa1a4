"""What a skill's files declare about packages. Values only."""

from __future__ import annotations

from enum import StrEnum

from skilllite_sandbox.values import dataclass

DEPENDENCIES_MAX = 4096  # of one skill, transitive ones too; large applications lock 1,500


class Ecosystem(StrEnum):
    """Whose packages, as advisories spell it."""

    PYPI = "PyPI"
    NPM = "npm"


class Origin(StrEnum):
    """Where the code of a package comes from."""

    INDEX = "index"
    """The package index that the user of the skill chose."""
    GIT = "git"
    URL = "url"
    PATH = "path"
    """A place on the machine outside the skill."""
    INSIDE = "inside"
    """A folder of the skill itself, which is scanned like the rest."""


class Use(StrEnum):
    """What a package is declared for."""

    RUN = "run"
    OPTIONAL = "optional"
    PEER = "peer"
    BUILD = "build"
    DEVELOPMENT = "development"


@dataclass(frozen=True, slots=True)
class Dependency:
    """One package at one place that names it."""

    ecosystem: Ecosystem
    name: str
    """In the one spelling of its ecosystem; empty when an address stands alone."""
    wanted: str
    """The versions that are wanted, as written; empty for any."""
    version: str
    """The one version when it is pinned or locked, else empty."""
    file: str
    line: int
    origin: Origin = Origin.INDEX
    address: str = ""
    """Where it comes from when that is not the index."""
    use: Use = Use.RUN
    locked: bool = False
    """It stands in a lock: what was resolved, direct and transitive alike."""
    alias: str = ""
    """The name under which it is installed, when that is another."""
    written: str = ""
    """The name as written, when it has letters that the one spelling can't show."""

    @property
    def pinning(self) -> str:
        """`pinned`, `ranged` or `unpinned`."""
        if self.version:
            return "pinned"
        return "ranged" if self.wanted else "unpinned"


class Leaves(StrEnum):
    """In which way a setting of a skill leads away from the index that its user chose."""

    OTHER_INDEX = "takes packages from an index of its own"
    EXTRA_INDEX = "adds an index, whose packages can replace those of the same name"
    FILES = "takes packages from a folder or a page"
    UNPROTECTED = "switches off the check of who answers"


@dataclass(frozen=True, slots=True)
class IndexSetting:
    """An option or setting that says where packages come from."""

    leaves: Leaves
    detail: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Hook:
    """A command that runs when the packages are installed."""

    name: str
    command: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that declares dependencies and can't be read."""

    file: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Declared:
    """Everything that some files declare."""

    dependencies: tuple[Dependency, ...] = ()
    settings: tuple[IndexSetting, ...] = ()
    hooks: tuple[Hook, ...] = ()
    unread: tuple[Unread, ...] = ()

    def __add__(self, other: Declared) -> Declared:
        """Return what both declare."""
        return Declared(
            self.dependencies + other.dependencies,
            self.settings + other.settings,
            self.hooks + other.hooks,
            self.unread + other.unread,
        )
