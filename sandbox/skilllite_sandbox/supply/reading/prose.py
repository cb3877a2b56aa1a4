"""Packages that are named in words: `compatibility` in SKILL.md."""

from __future__ import annotations

import sys

from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.supply.dependency import Declared
from skilllite_sandbox.supply.names import Place, npm_requirement, split_npm
from skilllite_sandbox.supply.reading.pip_options import requirement_or_address

_BUILTIN = frozenset(name.lower() for name in sys.stdlib_module_names)


def read_compatibility(source: SourceFile) -> Declared:
    """Read the prose of `compatibility` in SKILL.md."""
    from skilllite_sandbox.dependencies import packages_in_prose
    from skilllite_sandbox.errors import InvalidSkill
    from skilllite_sandbox.frontmatter import parse_front_matter

    try:
        compatibility = parse_front_matter(source.data).fields.get("compatibility", "")
    except InvalidSkill:
        return Declared()  # said where the skill is read
    if not isinstance(compatibility, str):
        return Declared()
    lines = source.text.split("\n")
    line = next((n for n, text in enumerate(lines, 1) if text.startswith("compatibility")), 0)
    found = []
    for package in packages_in_prose(compatibility):
        if package.name.lower() in _BUILTIN:
            continue  # "with the json module" means the one that is there
        place = Place(source.path, line)
        if package.ecosystem == "python":
            one = requirement_or_address(package.requirement, place)
        else:
            one = npm_requirement(*split_npm(package.requirement), place)
        if one is not None:
            found.append(one)
    return Declared(tuple(found))
