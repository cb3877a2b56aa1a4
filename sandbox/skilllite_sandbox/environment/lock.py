"""What a dependency set was resolved to: every package with one version and its hashes.

Reads what uv and npm wrote, or what a skill ships, and brings it into one normal form, so that the
same packages have the same digest whoever locked them. Addresses are left out: a hash says what a
package is, the index settings of this host say where it comes from.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skilllite_sandbox.environment.requirements import (
    DependencySet,
    Ecosystem,
    Target,
    canonical_name,
)
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.policy import MIB
from skilllite_sandbox.tree import read_inside

BUILDER_VERSION = 1
"""Part of every digest: another way of installing is another environment."""

LOCK_BYTES_MAX = 4 * MIB  # a lock of a thousand packages with some hundred hashes each
PACKAGES_MAX = 1024  # in one environment; large applications have some hundred

_PYTHON_LOCKS = ("requirements.txt", "scripts/requirements.txt")
_NODE_LOCKS = ("package-lock.json", "scripts/package-lock.json")
_NODE_ROOT = "environment"  # npm wants a name


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One package of an environment."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Lock:
    """A resolved dependency set."""

    text: str
    """The normal form: requirements with hashes, or a package-lock in JSON."""
    packages: tuple[LockedPackage, ...]


class BadLock(ValueError):
    """A lock is malformed, incomplete, or leads somewhere else than the index."""


def environment_digest(target: Target, lock: Lock) -> str:
    """Return the content address of the environment that a lock leads to, in hexadecimal."""
    parts = (BUILDER_VERSION, target.ecosystem.value, target.interpreter, target.machine, lock.text)
    return hashlib.sha256(json.dumps(parts).encode("utf-8")).hexdigest()


def read_lock(text: str, dependencies: DependencySet) -> Lock:
    """Return a lock from its text; of node, with these dependencies at its root.

    Raises:
        BadLock: it can't be used.
    """
    if len(text) > LOCK_BYTES_MAX:
        raise BadLock(f"it is larger than {LOCK_BYTES_MAX // MIB} MiB")
    if dependencies.target.ecosystem is Ecosystem.PYTHON:
        return _python_lock(text)
    return _node_lock(text, dependencies.requirements)


def read_shipped_lock(directory: Path, target: Target, requirements: tuple[str, ...]) -> str:
    """Return the lock that a skill ships, in normal form; empty when it has none.

    Raises:
        InvalidSkill: there is one and it can't be used; leaving it aside would install other code
            than the author tested.
    """
    is_python = target.ecosystem is Ecosystem.PYTHON
    for path in _PYTHON_LOCKS if is_python else _NODE_LOCKS:
        try:
            text = read_inside(directory, path, limit_bytes=LOCK_BYTES_MAX).decode("utf-8-sig")
            if is_python and "--hash" not in text:
                continue  # a list of wishes
            lock = read_lock(text, DependencySet(target, requirements))
            _require_all(lock, requirements, target.ecosystem)
        except NotFound:
            continue
        except (UnicodeDecodeError, BadLock) as error:
            raise InvalidSkill(
                f"{path} can't be used as a lock",
                cause=str(error),
                hint="write it again with `uv pip compile --generate-hashes`"
                if is_python
                else "write it again with `npm install --package-lock-only`",
            ) from None
        return lock.text
    return ""


def package_json(requirements: Iterable[str]) -> str:
    """Return the manifest from which npm resolves and installs."""
    return json.dumps({"name": _NODE_ROOT, "private": True, "dependencies": _ranges(requirements)})


def _require_all(lock: Lock, requirements: tuple[str, ...], ecosystem: Ecosystem) -> None:
    locked = {package.name for package in lock.packages}
    for requirement in requirements:
        if " ; " in requirement:
            continue  # not needed everywhere
        name = _node_name(requirement)
        if ecosystem is Ecosystem.PYTHON:
            found = re.match(r"[a-z0-9-]+", requirement)
            name = found[0] if found else requirement
        if name not in locked:
            raise BadLock(f"it doesn't lock {name}, which the skill asks for")


# Python

_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[(?P<extras>[A-Za-z0-9._,\s-]*)\])?"
    r"\s*==\s*(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)\s*(?:;(?P<marker>[^#]*?))?\s*"
)
_HASH = re.compile(r"--hash[=\s]\s*(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})")
_COMMENT = re.compile(r"(?:^|\s)#.*")


def _python_lock(text: str) -> Lock:
    entries: dict[str, str] = {}
    packages: list[LockedPackage] = []
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        bare = _COMMENT.sub("", line).strip()
        if not bare:
            continue
        wanted, *_ = bare.partition(" --hash")
        match = _PINNED.fullmatch(wanted)
        hashes = sorted(set(_HASH.findall(bare)))
        rest = _HASH.sub("", bare[len(wanted) :]).strip()
        if match is None or rest:
            raise BadLock(f"{_shown(bare)} is not a package with one version and hashes")
        if not hashes:
            raise BadLock(f"{_shown(wanted)} has no hash")
        name = canonical_name(match["name"])
        if name in entries:
            raise BadLock(f"{name} is there twice")
        extras = ",".join(sorted(re.findall(r"[A-Za-z0-9._-]+", match["extras"] or "")))
        marker = " ".join((match["marker"] or "").split())
        head = f"{name}[{extras}]" if extras else name
        head += f"=={match['version']}" + (f" ; {marker}" if marker else "")
        entries[name] = " \\\n".join([head, *(f"    --hash={each}" for each in hashes)])
        packages.append(LockedPackage(name, match["version"]))
    return _complete("".join(f"{entries[name]}\n" for name in sorted(entries)), packages)


# Node

_NODE_KEPT = (
    *("version", "integrity", "dependencies", "optionalDependencies", "peerDependencies"),
    *("peerDependenciesMeta", "optional", "devOptional", "peer", "os", "cpu", "libc", "bin"),
    *("engines", "hasInstallScript", "inBundle", "bundleDependencies"),
)
"""What of an entry decides what is installed. Not `resolved`: addresses come from this host."""

_NODE_PATH = re.compile(r"(?:(?:^|/)node_modules/(?:@[\w.~-]+/)?[\w.~-]+)+")
_INTEGRITY = re.compile(r"(?:sha(?:256|384|512)-[A-Za-z0-9+/]+={0,2}\s*)+")
_VERSION = re.compile(r"\d[\w.+-]*")


def _node_lock(text: str, requirements: tuple[str, ...]) -> Lock:
    try:
        document = json.loads(text)
        listed = document["packages"]
        entries = {path: _node_entry(path, entry) for path, entry in listed.items() if path}
    except (ValueError, RecursionError) as error:
        raise BadLock(str(error)) from None
    except (KeyError, TypeError, AttributeError):
        raise BadLock("it is no package-lock of version 2 or 3") from None
    kept = {path: entry for path, entry in entries.items() if entry is not None}
    root = {"name": _NODE_ROOT, "dependencies": _ranges(requirements)}
    lock = {"lockfileVersion": 3, "requires": True, "packages": {"": root, **kept}}
    packages = [
        LockedPackage(path.rpartition("node_modules/")[2], entry["version"])
        for path, entry in kept.items()
    ]
    return _complete(json.dumps(lock, sort_keys=True, indent=1) + "\n", packages)


def _node_entry(path: str, entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what is kept of one entry, None for one that is needed for development only."""
    if entry.get("dev"):
        return None
    if not _NODE_PATH.fullmatch(path) or "/." in path:
        raise BadLock(f"{_shown(path)} is not a place below node_modules")
    if entry.get("link"):
        raise BadLock(f"{_shown(path)} is a link to another folder")
    if "name" in entry:
        raise BadLock(f"{_shown(path)} stands for a package of another name")
    resolved = entry.get("resolved", "")
    if not isinstance(resolved, str) or not re.match(r"https?://|$", resolved):
        raise BadLock(f"{_shown(path)} comes from a repository or a file")
    version, integrity = entry.get("version"), entry.get("integrity")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise BadLock(f"{_shown(path)} has no version")
    # What is bundled comes inside its parent's archive, whose hash covers it.
    bundled = entry.get("inBundle") is True
    if not bundled and not (isinstance(integrity, str) and _INTEGRITY.fullmatch(integrity)):
        raise BadLock(f"{_shown(path)} has no hash of sha256 or better")
    return {key: entry[key] for key in _NODE_KEPT if key in entry}


def _ranges(requirements: Iterable[str]) -> dict[str, str]:
    return {_node_name(each): each[len(_node_name(each)) + 1 :] for each in requirements}


def _node_name(requirement: str) -> str:
    return requirement[: requirement.index("@", 1)] if "@" in requirement[1:] else requirement


def _complete(text: str, packages: list[LockedPackage]) -> Lock:
    if not packages:
        raise BadLock("it locks nothing")
    if len(packages) > PACKAGES_MAX:
        raise BadLock(f"it locks {len(packages)} packages; {PACKAGES_MAX} are the limit")
    return Lock(text, tuple(sorted(set(packages), key=lambda each: (each.name, each.version))))


def _shown(text: str) -> str:
    return ascii(text[:80])[1:-1]
