"""The packages a skill says it needs: from the prose of `compatibility` and from dependency files.

Prose is read narrowly. A name counts as a package only where the text says so ("… with requests
library", "Python 3.x with pandas and numpy"), because in "requires git, docker and jq" the same
words are programs.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from skilllite_sandbox.capabilities import Package
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.manifest import Problem
from skilllite_sandbox.policy import KIB
from skilllite_sandbox.tree import read_inside

PACKAGES_MAX = 128  # direct dependencies of one skill
FILE_BYTES_MAX = 256 * KIB  # a requirements file with hashes of a hundred packages

_FOLDERS = ("", "scripts/")
_REQUIREMENT = re.compile(
    r"(?P<name>(?:@[\w.-]+/)?[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)"
    r"(?:\[[\w, .-]*\])?"
    r"(?:\s*(?:[<>=!~]=?|===|@)\s*[\w.*+!^~-]+(?:\s*,\s*[<>=!~]=?\s*[\w.*+!-]+)*)?"
)
_LANGUAGE = re.compile(
    r"\b(?P<python>python)|\b(?P<node>node(?:\.?js)?|javascript|npm)\b", re.IGNORECASE
)
_NOUN = re.compile(r"\b(?:librar(?:y|ies)|packages?|modules?)\b", re.IGNORECASE)
_SENTENCE = re.compile(r";|\n|\.(?=\s|$)")
_ITEMS = re.compile(r",|;|&|\+(?=\s)|\band\b|\bor\b|\bplus\b", re.IGNORECASE)
_FILLER = re.compile(
    r"\b(?:the|an?|its|both|following|third-party|external|extra|additional|optional(?:ly)?|some"
    r"|installed|available|pip|npm|pypi|python|node(?:\.?js)?|javascript|requires?|needs?|using"
    r"|uses|via|from|only|is|are|needed|required)\b",
    re.IGNORECASE,
)
_NO_PACKAGE = re.compile(
    r"(?<!\[)\b(?:no|not|none|without|standard|stdlib|built-?in|network|internet|access"
    r"|dependenc(?:y|ies)|later|newer|higher|above)\b",
    re.IGNORECASE,
)
_VERSION_WORD = re.compile(r"v?\d[\w.]*\+?|[<>=~!]=?\s*\d[\w.]*")


def read_packages(
    directory: Path, compatibility: str
) -> tuple[tuple[Package, ...], tuple[Problem, ...]]:
    """Return what the skill needs installed, each name once, and what was wrong with its files."""
    problems: list[Problem] = []
    found = [
        package
        for folder in _FOLDERS
        for file_name, read in _READERS
        for package in _from_file(directory, folder + file_name, read, problems)
    ]
    # Files first: they carry versions, and prose only repeats their names.
    found.extend(packages_in_prose(compatibility))
    unique: dict[tuple[str, str], Package] = {}
    for package in found:
        unique.setdefault((package.ecosystem, _normal(package.name)), package)
    packages = tuple(unique.values())
    if len(packages) > PACKAGES_MAX:
        text = f"asks for {len(packages)} packages, only the first {PACKAGES_MAX} count"
        problems.append(Problem("error", "compatibility", text))
    return packages[:PACKAGES_MAX], tuple(problems)


def packages_in_prose(prose: str) -> tuple[Package, ...]:
    """Return the packages that a compatibility text names."""
    packages: list[Package] = []
    ecosystem = "python"
    for sentence in _SENTENCE.split(prose):
        marks = list(_LANGUAGE.finditer(sentence))
        # Each language owns the text up to the next one: "Python with a, b; or Node.js with c".
        bounds = [0, *(mark.start() for mark in marks[1:]), len(sentence)]
        for index in range(max(1, len(marks))):
            if marks:
                ecosystem = "python" if marks[index]["python"] else "node"
            names = _names_in_segment(sentence[bounds[index] : bounds[index + 1]])
            packages.extend(Package(ecosystem, name, "compatibility") for name in names)
    return tuple(packages)


def _names_in_segment(segment: str) -> list[str]:
    after_with = re.split(r"\bwith\b", segment, maxsplit=1, flags=re.IGNORECASE)
    says_with = len(after_with) == 2 and _LANGUAGE.search(after_with[0]) is not None
    items = _ITEMS.split(after_with[1] if says_with else segment)
    # "pandas and numpy libraries": the noun speaks for the items before it, back to the language.
    nouns = [
        index
        for index, item in enumerate(items)
        if _NOUN.search(item) and not _NO_PACKAGE.search(item)
    ]
    names: list[str] = []
    for index, item in enumerate(items):
        if says_with or (nouns and index <= nouns[-1] and not _LANGUAGE.search(item)):
            names.extend(_name_of_item(item))
        elif nouns and index <= nouns[-1]:
            names.extend(_name_of_item(_LANGUAGE.split(item)[-1]))
    return names


def _name_of_item(item: str) -> list[str]:
    if _NO_PACKAGE.search(item):
        return []
    text = _FILLER.sub(" ", _NOUN.sub(" ", item)).strip(" \t()\"'`:.")
    match = _REQUIREMENT.fullmatch(text)
    if match is None or _VERSION_WORD.fullmatch(text):
        return []
    return [re.sub(r"\s+", "", text)]


def _from_file(directory: Path, path: str, read: Any, problems: list[Problem]) -> list[Package]:
    try:
        text = read_inside(directory, path, limit_bytes=FILE_BYTES_MAX).decode("utf-8-sig")
        ecosystem, requirements = read(text)
    except NotFound:
        return []
    except (InvalidSkill, ValueError, RecursionError) as error:
        problems.append(Problem("error", path, f"can't be read: {error}"))
        return []
    return [Package(ecosystem, requirement, path) for requirement in requirements]


def _requirements_txt(text: str) -> tuple[str, list[str]]:
    lines = text.replace("\\\n", " ").splitlines()
    bare = (re.split(r"(?:^|\s)#|\s--hash", line, maxsplit=1)[0].strip() for line in lines)
    # Options of the installer stay in: who installs refuses them, instead of doing something else.
    return "python", [line for line in bare if line]


def _pyproject_toml(text: str) -> tuple[str, list[str]]:
    import tomllib

    project = tomllib.loads(text).get("project", {})
    listed = project.get("dependencies", []) if isinstance(project, dict) else None
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise ValueError("[project] dependencies must be a list of text")
    return "python", [each.strip() for each in listed if each.strip()]


def _package_json(text: str) -> tuple[str, list[str]]:
    document = json.loads(text)
    listed = document.get("dependencies", {}) if isinstance(document, dict) else None
    if not isinstance(listed, dict) or not all(isinstance(each, str) for each in listed.values()):
        raise ValueError("dependencies must map names to versions")
    return "node", [f"{name}@{version}" if version else name for name, version in listed.items()]


_READERS = (
    ("requirements.txt", _requirements_txt),
    ("pyproject.toml", _pyproject_toml),
    ("package.json", _package_json),
)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
