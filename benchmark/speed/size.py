"""What has to be on disk: our packages with what they require, and the programs of the others."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import skilllite
import skilllite_sandbox
from benchmark.security.subjects.commands import pyodide_module
from skilllite_sandbox.host import Host

_DISTRIBUTION = "skilllite"
_OPTIONAL = re.compile(r";.*\bextra\s*==")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PROGRAMS = {"bubblewrap": "bwrap", "sandbox-runtime": "srt"}
_NPM = "node_modules"


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of files on disk, as `ls` counts them."""

    name: str
    what: str
    bytes: int


def installed_sizes(host: Host, others: Iterable[str]) -> list[Size]:
    """Return the sizes of what is ours, of the interpreter, and of these other sandboxes."""
    sizes = [
        Size("SkillLite sandbox", "the package skilllite_sandbox", _package(skilllite_sandbox)),
        Size("SkillLite node", "its packages, without what they require", _wings()),
    ]
    if required := sorted(required_distributions(_DISTRIBUTION)):
        total = sum(map(_distribution_bytes, required))
        sizes.append(Size("SkillLite requires", ", ".join(required), total))
    if host.python is not None:
        what = "interpreter and standard library"
        sizes.append(Size("python3", what, sum(map(_tree, map(Path, host.python.trees)))))
    for name in others:
        found = pyodide_module() if name == "pyodide" else shutil.which(_PROGRAMS.get(name, name))
        if found:
            sizes.append(_program(name, Path(found).resolve()))
    return sizes


def _program(name: str, path: Path) -> Size:
    """Return a program of one file, or the whole npm package that it belongs to."""
    below = (part for part in (path, *path.parents) if part.parent.name == _NPM)
    scoped = (part for part in path.parents if part.parent.parent.name == _NPM)
    package = next(below, None)
    if package is None:
        return Size(name, f"{path}, the program alone", _file(path))
    if package.name.startswith("@"):
        package = next(scoped, package)
    return Size(name, f"{package}, without node and what it requires", _tree(package))


def required_distributions(name: str) -> set[str]:
    """Return the distributions that one requires, and these in turn, as far as installed."""
    found: set[str] = set()
    waiting = list(_requirements(name))
    while waiting:
        each = waiting.pop()
        if each not in found and _installed(each) is not None:
            found.add(each)
            waiting += _requirements(each)
    return found


def _requirements(name: str) -> Iterator[str]:
    found = _installed(name)
    for line in (found.requires if found else None) or ():
        # A requirement of other systems is not installed here, and so is not counted.
        if not _OPTIONAL.search(line) and (named := _NAME.match(line)):
            yield re.sub(r"[-_.]+", "-", named[0]).lower()


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _distribution_bytes(name: str) -> int:
    files = distribution(name).files or []
    return sum(_file(Path(str(file.locate()))) for file in files)


def _wings() -> int:
    root = Path(skilllite.__file__).parent
    wings = ("skilllite_swarm", "skilllite_evolution", "skilllite_sandbox")
    found = [_module_directory(wing) for wing in wings]
    return sum(map(_tree, [root, *filter(None, found)]))


def _module_directory(name: str) -> Path | None:
    import importlib.util

    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _package(module: object) -> int:
    return _tree(Path(str(getattr(module, "__file__", ""))).parent)


def _tree(path: Path) -> int:
    return _file(path) if path.is_file() else sum(map(_file, _files(path)))


def _files(path: Path) -> Iterable[Path]:
    """Yield the files below, without what Python compiled."""
    for directory, names, files in os.walk(path):
        names[:] = [name for name in names if name != "__pycache__"]
        yield from (Path(directory, name) for name in files)


def _file(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
