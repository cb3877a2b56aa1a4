"""What a skill asks to have installed, as a set that two skills can share.

Only names with version ranges count: everything is resolved through the index that a person
configured. A URL, a path, a repository or an option of the installer would let a skill say where
code comes from, so each is refused with the way to write it instead.

Decides what is asked for and under which key the answer is kept; resolving is left to the tools.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from skilllite_sandbox.capabilities import Package
from skilllite_sandbox.entry import Language
from skilllite_sandbox.errors import InvalidSkill

KEY_FORMAT = 1  # part of every key: a change of the rules below makes new ones
REQUIREMENT_CHARS_MAX = 300  # the longest that mean something name a dozen versions to exclude


class Ecosystem(StrEnum):
    """Whose packages."""

    PYTHON = "python"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class Target:
    """What the packages have to run on. Another target is another environment."""

    ecosystem: Ecosystem
    interpreter: str
    """`3.11` for Python, whose packages depend on it; for node the identity of its program."""
    machine: str
    """As `uname -m` says it. The system is always Linux with glibc."""


@dataclass(frozen=True, slots=True)
class DependencySet:
    """Direct dependencies in normal form, with the lock that the skill ships, if any."""

    target: Target
    requirements: tuple[str, ...]
    """Sorted, each name once."""
    shipped_lock: str = ""
    """In normal form, see `lock`; empty when the versions are ours to choose."""

    @property
    def key(self) -> str:
        """The name under which what this set was resolved to is kept."""
        parts = (
            KEY_FORMAT,
            *(self.target.ecosystem.value, self.target.interpreter, self.target.machine),
            *(list(self.requirements), self.shipped_lock),
        )
        return hashlib.sha256(json.dumps(parts).encode("utf-8")).hexdigest()


def ecosystem_of(language: Language) -> Ecosystem | None:
    """Return whose packages a script of this language imports."""
    if language is Language.PYTHON:
        return Ecosystem.PYTHON
    if language in (Language.NODE, Language.TYPESCRIPT):
        return Ecosystem.NODE
    return None


def normal_requirements(packages: Iterable[Package], ecosystem: Ecosystem) -> tuple[str, ...]:
    """Return what the skill asks for of one ecosystem, in normal form.

    Raises:
        InvalidSkill: something other than a name with a version range.
    """
    normalise = _python_requirement if ecosystem is Ecosystem.PYTHON else _node_requirement
    builtin = _PYTHON_BUILTIN if ecosystem is Ecosystem.PYTHON else _NODE_BUILTIN
    found = {
        normalise(package)
        for package in packages
        if package.ecosystem == ecosystem.value
        # "with the json module" means the one that is there. The index has a stranger's.
        and not (package.source == "compatibility" and package.name.lower() in builtin)
    }
    return tuple(sorted(found))


def canonical_name(name: str) -> str:
    """Return the one spelling that all spellings of a Python package's name share."""
    return re.sub(r"[-_.]+", "-", name).lower()


_PYTHON_BUILTIN = frozenset(name.lower() for name in sys.stdlib_module_names)
_NODE_MODULES = """
assert async_hooks buffer child_process cluster console constants crypto dgram dns domain events fs
diagnostics_channel http http2 https inspector module net os path perf_hooks process punycode
querystring readline repl stream string_decoder sys timers tls trace_events tty url util v8 vm wasi
worker_threads zlib
"""
_NODE_BUILTIN = frozenset(_NODE_MODULES.split())

_VERSION = r"[A-Za-z0-9](?:[A-Za-z0-9.*+!_-]*[A-Za-z0-9*])?"
_CLAUSE = re.compile(rf"(?P<operator>~=|===?|!=|<=?|>=?)\s*(?P<version>{_VERSION})")
_PYTHON = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"\s*(?:\[(?P<extras>[A-Za-z0-9._,\s-]*)\])?"
    r"\s*(?P<clauses>\(?[^;()@]*\)?)"
    r"\s*(?:;(?P<marker>.*))?"
)
_MARKER = re.compile(r"""[A-Za-z0-9_."'()<>=!~\s,*+-]+""")
_NODE = re.compile(
    r"(?P<name>(?:@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*)(?:@(?P<range>.*))?",
    re.IGNORECASE | re.DOTALL,
)
# Versions, operators and tags. No colon and no slash: they are in every URL, path, repository and
# alias that npm understands.
_NODE_RANGE = re.compile(r"[A-Za-z0-9.*+^~<>=|\s-]*")
_ELSEWHERE = re.compile(r"://|^(?:git|hg|svn|bzr|file|link|workspace|npm|github)\b.*:|^[./~]|\\")


def _python_requirement(package: Package) -> str:
    text = package.requirement.strip()
    _refuse_common(package, text)
    match = _PYTHON.fullmatch(text)
    if match is None:
        raise _unreadable(package)
    clauses = sorted(_clauses(match["clauses"], package))
    extras = sorted(
        canonical_name(each.strip()) for each in (match["extras"] or "").split(",") if each.strip()
    )
    marker = " ".join((match["marker"] or "").split())
    if marker and not _MARKER.fullmatch(marker):
        raise _unreadable(package)
    return (
        canonical_name(match["name"])
        + (f"[{','.join(extras)}]" if extras else "")
        + ",".join(clauses)
        + (f" ; {marker}" if marker else "")
    )


def _clauses(text: str, package: Package) -> Iterable[str]:
    bare = text.strip().removeprefix("(").removesuffix(")").strip()
    for clause in bare.split(",") if bare else ():
        match = _CLAUSE.fullmatch(clause.strip())
        if match is None:
            raise _unreadable(package)
        yield match["operator"] + match["version"]


def _node_requirement(package: Package) -> str:
    text = package.requirement.strip()
    _refuse_common(package, text)
    match = _NODE.fullmatch(text)
    wanted = " ".join(((match["range"] if match else None) or "").split()) or "*"
    if match is None:
        raise _unreadable(package)
    if not _NODE_RANGE.fullmatch(wanted):
        raise _from_elsewhere(package)
    return f"{match['name']}@{wanted}"


def _refuse_common(package: Package, text: str) -> None:
    if text.startswith("-"):
        raise InvalidSkill(
            f"{package.source} gives the installer an option: {_shown(text)}",
            cause="a skill may name packages, not where they come from or how they are installed",
            hint=f"remove the line from {package.source}",
        )
    if _ELSEWHERE.search(text) or " @ " in text:
        raise _from_elsewhere(package)
    if len(text) > REQUIREMENT_CHARS_MAX or not text.isascii() or not text.isprintable():
        raise _unreadable(package)


def _from_elsewhere(package: Package) -> InvalidSkill:
    return InvalidSkill(
        f"{package.source} asks for a package by address: {_shown(package.requirement)}",
        cause="packages come from the package index only, never from a URL, a path or a repository",
        hint="name a release of it with a version, or put the code into the skill",
    )


def _unreadable(package: Package) -> InvalidSkill:
    return InvalidSkill(
        f"{package.source} asks for a package in a way that can't be read: "
        f"{_shown(package.requirement)}",
        hint="write a name and a version range, like requests>=2.31"
        if package.ecosystem == Ecosystem.PYTHON.value
        else "write a name and a version range, like lodash@^4.17.0",
    )


def _shown(text: str) -> str:
    return ascii(text[:80])[1:-1]
