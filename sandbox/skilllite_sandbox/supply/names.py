"""How package names and requirements are written. Pure; never raises for what a skill wrote."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from skilllite_sandbox.supply.dependency import (
    Dependency,
    Ecosystem,
    IndexSetting,
    Leaves,
    Origin,
    Use,
)
from skilllite_sandbox.values import dataclass

REQUIREMENT_CHARS_MAX = 2000  # an address with its hash; what is longer is not a requirement
NAME_CHARS_MAX = 214  # npm's own bound; Python's index has none and no longer names

_PYPI_NAME = r"[^\W_](?:[\w.-]*[^\W_])?"  # letters of any alphabet: those that mislead too
_REQUIREMENT = re.compile(
    rf"(?P<name>{_PYPI_NAME})\s*(?:\[[^\]]*\])?\s*(?:@\s*(?P<address>\S+)|(?P<rest>[^;]*))"
    r"\s*(?:;.*)?",
    re.DOTALL,
)
_EXACT = re.compile(r"\(?\s*={2,3}\s*(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)\s*\)?")
# Possessive: `!` begins a clause and stands inside a version, so a row of them could be read in
# exponentially many ways.
_CLAUSES = re.compile(r"\(?\s*(?:[<>=!~]=?=?\s*[A-Za-z0-9.*+!_-]++\s*+,?\s*+)*+\)?")
_GIT = re.compile(r"(?:git|hg|svn|bzr)\+|git://|git@|(?:\w+@)?[\w.-]+:[\w./-]+\.git\b")
_URL = re.compile(r"(?:https?|ftp|file):", re.IGNORECASE)
_GIT_HOST_URL = re.compile(r"https?://[^\s#]+?\.git(?:[#@]|$)", re.IGNORECASE)
_SHORT_REPOSITORY = re.compile(r"(?:(?:github|gitlab|bitbucket|gist):)?[\w.-]+/[\w.-]+(?:#.*)?")
_NPM_NAME = re.compile(r"(?:@[^@/\s]+/)?[^@/\s]+")
_NPM_EXACT = re.compile(r"[v=]?\s*(?P<version>\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)")

# The hosts of the public indexes and of their files, as installers have them unless told otherwise.
# By digest: manifests and locks of honest projects name them, and this program contacts none that
# its user didn't set up.
_PUBLIC_HOSTS = frozenset(
    {
        "a4aa2ac280bb8d1a0ce7a1be5a7bfb10",
        "c899567ee906851741bf7f3bde17a337",
        "0dc11026ac75c015aaa1deafff4a7a54",
        "70bb4000cd2fab03af01fed086c6bf3c",
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is declared."""

    file: str
    line: int
    use: Use = Use.RUN


def normal_name(ecosystem: Ecosystem, name: str) -> str:
    """Return the one spelling that all spellings of a name share."""
    if ecosystem is Ecosystem.PYPI:
        return re.sub(r"[-_.]+", "-", name).lower()
    return name.strip()


def is_plain(name: str) -> bool:
    """Whether a name has only the letters that an index accepts."""
    return name.isascii()


def origin_of(address: str) -> Origin:
    """Return what kind of place an address names."""
    if _GIT.match(address) or _GIT_HOST_URL.match(address):
        return Origin.GIT
    if _URL.match(address) and not address.lower().startswith("file:"):
        return Origin.URL
    return path_origin(re.sub(r"^file:(?://)?", "", address, flags=re.IGNORECASE))


def path_origin(path: str, folder: str = "") -> Origin:
    """Return whether a path stays inside the skill; `folder` is where it is written."""
    if path.startswith(("/", "~", "\\", "$")) or re.match(r"[A-Za-z]:", path):
        return Origin.PATH
    depth = folder.count("/") + 1 if folder else 0
    for part in re.split(r"[/\\]", path.partition("[")[0]):
        if part == "..":
            depth -= 1
        elif part not in ("", "."):
            depth += 1
        if depth < 0:
            return Origin.PATH
    return Origin.INSIDE


def is_public_index(address: str) -> bool:
    """Whether an address belongs to an index that installers use anyway."""
    import hashlib

    try:
        parts = urlsplit(address)
        plain = parts.port in (None, 443) and "@" not in parts.netloc
    except ValueError:
        return False
    if parts.scheme != "https" or not plain or not parts.hostname:
        return False
    return hashlib.sha256(parts.hostname.encode("utf-8")).hexdigest()[:32] in _PUBLIC_HOSTS


def leads_away(leaves: Leaves, address: str, file: str, line: int) -> list[IndexSetting]:
    """Return what is to be said of an index that a skill names; nothing of the public ones."""
    if is_public_index(address):
        return []
    found = [IndexSetting(leaves, address, file, line)]
    if address.lower().startswith("http:") and leaves is not Leaves.UNPROTECTED:
        found.append(IndexSetting(Leaves.UNPROTECTED, address, file, line))
    return found


def python_requirement(text: str, place: Place) -> Dependency | None:
    """Return what a requirement of Python asks for; None when it is none."""
    text = text.strip()
    if not text or len(text) > REQUIREMENT_CHARS_MAX:
        return None
    match = _REQUIREMENT.fullmatch(text)
    if match is None or len(match["name"]) > NAME_CHARS_MAX:
        return None
    address = match["address"] or ""
    wanted = " ".join((match["rest"] or "").split())
    if not address and not _CLAUSES.fullmatch(wanted):
        return None
    exact = _EXACT.fullmatch(wanted)
    return Dependency(
        ecosystem=Ecosystem.PYPI,
        name=normal_name(Ecosystem.PYPI, unicodedata.normalize("NFC", match["name"])),
        wanted=wanted.strip("() "),
        version=exact["version"] if exact else "",
        file=place.file,
        line=place.line,
        origin=origin_of(address) if address else Origin.INDEX,
        address=address,
        use=place.use,
        written=match["name"],
    )


def python_address(address: str, place: Place) -> Dependency:
    """Return the dependency on an address that stands for itself, as after `pip install -e`."""
    origin = origin_of(address)
    if origin in (Origin.PATH, Origin.INSIDE):
        origin = path_origin(re.sub(r"^file:(?://)?", "", address), place.file.rpartition("/")[0])
    egg = re.search(r"[#&]egg=([A-Za-z0-9._-]+)", address)
    name = normal_name(Ecosystem.PYPI, egg[1]) if egg else ""
    return Dependency(
        Ecosystem.PYPI, name, "", "", place.file, place.line, origin, address, place.use
    )


def npm_requirement(name: str, wanted: str, place: Place) -> Dependency:
    """Return what a row of package.json asks for."""
    wanted = wanted.strip()
    alias = ""
    if wanted.startswith("npm:"):
        alias = name
        name, wanted = split_npm(wanted[4:])
    origin, address, version = Origin.INDEX, "", ""
    if wanted.startswith(("workspace:", "portal:", "link:", "file:", ".", "/", "~/")):
        path = wanted.partition(":")[2] if re.match(r"[a-z]+:", wanted) else wanted
        is_path = not wanted.startswith("workspace:")
        folder = place.file.rpartition("/")[0]
        origin = path_origin(path, folder) if is_path else Origin.INSIDE
        address, wanted = wanted, ""
    elif _GIT.match(wanted) or _GIT_HOST_URL.match(wanted) or _SHORT_REPOSITORY.fullmatch(wanted):
        origin, address, wanted = Origin.GIT, wanted, ""
    elif _URL.match(wanted):
        origin, address, wanted = Origin.URL, wanted, ""
    elif (exact := _NPM_EXACT.fullmatch(wanted)) is not None:
        version = exact["version"]
    if wanted in ("*", "latest", "x"):
        wanted = ""
    return Dependency(
        ecosystem=Ecosystem.NPM,
        name=normal_name(Ecosystem.NPM, name)[:NAME_CHARS_MAX],
        wanted=wanted,
        version=version,
        file=place.file,
        line=place.line,
        origin=origin,
        address=address,
        use=place.use,
        alias=alias,
        written=name,
    )


def split_npm(text: str) -> tuple[str, str]:
    """Return name and range of `name@range`."""
    name, at, wanted = text[1:].partition("@")
    return text[:1] + name, wanted if at else ""


def is_npm_name(text: str) -> bool:
    """Whether this can be the name of a package of npm."""
    return _NPM_NAME.fullmatch(text) is not None and len(text) <= NAME_CHARS_MAX
