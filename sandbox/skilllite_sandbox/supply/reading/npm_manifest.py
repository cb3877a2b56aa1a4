"""What package.json declares: packages for every use, replacements, and what runs at install."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.supply.dependency import (
    DEPENDENCIES_MAX,
    Declared,
    Dependency,
    Hook,
    Unread,
    Use,
)
from skilllite_sandbox.supply.names import Place, npm_requirement, split_npm
from skilllite_sandbox.supply.reading.lines import DEPTH_MAX, Lines, read_json, table, text_of

INSTALL_HOOKS = (
    *("preinstall", "install", "postinstall", "preprepare", "prepare", "postprepare"),
    *("prepublish", "dependencies", "pnpm:devPreinstall"),
)
"""The scripts that `npm install` or `pnpm install` runs by itself in the folder of the manifest."""

_TABLES = {
    "dependencies": Use.RUN,
    "optionalDependencies": Use.OPTIONAL,
    "peerDependencies": Use.PEER,
    "devDependencies": Use.DEVELOPMENT,
}


def read_package_json(source: SourceFile) -> Declared:
    """Read package.json."""
    document = read_json(source.text)
    lines = Lines(source.text)
    found: list[Dependency] = []
    unread: list[Unread] = []
    for key, use in _TABLES.items():
        listed = document.get(key)
        if listed is not None and not isinstance(listed, dict):
            unread.append(Unread(source.path, lines.of(key), f"`{key}` is no table"))
        for name, wanted in islice(table(document, key).items(), DEPENDENCIES_MAX + 1):
            place = Place(source.path, lines.of(name), use)
            found.append(npm_requirement(name, wanted if isinstance(wanted, str) else "", place))
    replacements = (
        table(document, "overrides"),
        table(document, "resolutions"),
        table(document, "pnpm", "overrides"),
    )
    for replaced in replacements:
        for name, wanted in islice(_replacements(replaced), DEPENDENCIES_MAX + 1):
            found.append(npm_requirement(name, wanted, Place(source.path, lines.of(name, wanted))))
    hooks = tuple(
        Hook(name, command, source.path, lines.of(name))
        for name in INSTALL_HOOKS
        if (command := text_of(table(document, "scripts"), name).strip())
    )
    return Declared(tuple(found), hooks=hooks, unread=tuple(unread))


def read_binding(source: SourceFile) -> Declared:
    """Read binding.gyp: npm builds what has one, without any script that says so."""
    hook = Hook("binding.gyp", "node-gyp rebuild", source.path, 1)
    return Declared(hooks=(hook,))


def read_install_code(source: SourceFile) -> Declared:
    """Read a file that an installer executes before it installs."""
    return Declared(hooks=(Hook("pnpmfile", source.path, source.path, 1),))


def _replacements(
    value: dict[str, object], depth: int = 0, parent: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield the packages that stand in for others, however deep the rule is nested."""
    for name, wanted in value.items():
        # `foo@^1`, `foo/bar`, `**/bar`: the package that is replaced comes last.
        # `.` is the package whose table it stands in.
        plain, _ = split_npm(name if name != "." else parent)
        parts = plain.split("/")
        plain = "/".join(parts[-2:] if parts[-2:-1] and parts[-2].startswith("@") else parts[-1:])
        if isinstance(wanted, str) and not wanted.startswith("$"):
            yield plain, wanted
        elif isinstance(wanted, dict) and depth < DEPTH_MAX:
            yield from _replacements(wanted, depth + 1, plain)
