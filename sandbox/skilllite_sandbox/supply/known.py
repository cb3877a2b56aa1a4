"""What ships about names: those that were malicious, each with its source, and the popular ones."""

from __future__ import annotations

import os
from functools import cache

from skilllite_sandbox.supply.dependency import Ecosystem
from skilllite_sandbox.supply.popular import PopularNames
from skilllite_sandbox.supply.versions import is_same
from skilllite_sandbox.values import dataclass

_POPULAR = {Ecosystem.PYPI: "popular-pypi.txt", Ecosystem.NPM: "popular-npm.txt"}
_LINE = "---"


@dataclass(frozen=True, slots=True)
class Malicious:
    """A package, or some versions of one, that did harm."""

    ecosystem: Ecosystem
    name: str
    versions: tuple[str, ...]
    """Empty: whatever version."""
    source: str
    """A public page that says so."""

    def hits(self, version: str) -> bool:
        """Whether this version did harm."""
        if not self.versions:
            return True
        return any(is_same(self.ecosystem, version, each) for each in self.versions)


@cache
def popular_names(ecosystem: Ecosystem) -> PopularNames:
    """Return the popular names of an ecosystem; 2 ms the first time."""
    popular, _, known = _data(_POPULAR[ecosystem]).partition(f"\n{_LINE}\n")
    names = [line for line in popular.split("\n") if line and not line.startswith("#")]
    return PopularNames(names, known.split())


@cache
def malicious_packages() -> dict[tuple[Ecosystem, str], Malicious]:
    """Return what is known to be malicious, by ecosystem and name."""
    found: dict[tuple[Ecosystem, str], Malicious] = {}
    source, ecosystem = "", Ecosystem.PYPI
    for line in _data("malicious.txt").split("\n"):
        if line.startswith("https://"):
            source = line.strip()
        elif line.startswith("["):
            ecosystem = Ecosystem(line.strip("[] "))
        elif line.strip() and not line.startswith("#"):
            name, *versions = line.split()
            found[ecosystem, name] = Malicious(ecosystem, name, tuple(versions), source)
    return found


def known_malicious(ecosystem: Ecosystem, name: str) -> Malicious | None:
    """Return what is known against a name, in the spelling of its ecosystem."""
    return malicious_packages().get((ecosystem, name))


def _data(name: str) -> str:
    path = os.path.join(os.path.dirname(__file__), "data", name)  # noqa: PTH118, PTH120 - 12 ms
    with open(path, encoding="utf-8") as file:
        return file.read()
