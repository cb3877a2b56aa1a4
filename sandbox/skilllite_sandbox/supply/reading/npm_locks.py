"""What the locks of npm, yarn and pnpm resolved.

Those of yarn and pnpm are read line by line: they are machine-written in one form each, and a
parser for all of YAML would offer an attacker more than they need.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Any
from urllib.parse import unquote, urlsplit

from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.supply.dependency import (
    DEPENDENCIES_MAX,
    Declared,
    Dependency,
    Ecosystem,
    Origin,
    Unread,
    Use,
)
from skilllite_sandbox.supply.names import Place, npm_requirement, path_origin, split_npm
from skilllite_sandbox.supply.reading.hosts import settings_of_hosts
from skilllite_sandbox.supply.reading.lines import DEPTH_MAX, Lines, read_json, table, text_of

_YARN_KEY = re.compile(r"\S.*:\s*")
_YARN_FIELD = re.compile(r'\s+"?(?P<key>version|resolved|resolution)"?:?\s+"?(?P<value>[^"]*)"?\s*')
_PNPM_KEY = re.compile(
    r"""  ['"]?/?(?P<name>(?:@[^@/\s'"]+/)?[^@/\s'"]+)(?:@|/)(?P<version>\d[^\s'"():]*)"""
    r"""(?:\([^\n]*)?['"]?:\s*"""
)
_PNPM_ADDRESS = re.compile(r"""['"]?(?:tarball|repo):\s*['"]?(?P<address>[^\s,'"}]+)""")
_GIT = re.compile(r"git\+|git@|git:|ssh:|github:|[^#]*\.git(?:#|$)")


def read_package_lock(source: SourceFile) -> Declared:
    """Read package-lock.json of every version, and npm-shrinkwrap.json."""
    document = read_json(source.text)
    lines = Lines(source.text)
    found: list[Dependency] = []
    for path, said in islice(table(document, "packages").items(), DEPENDENCIES_MAX + 2):
        if path and isinstance(said, dict) and said.get("link") is not True:
            name = text_of(said, "name") or path.rpartition("node_modules/")[2]
            found.append(_of_entry(source, lines.of(path), name, said))
    if not found:
        _old_entries(source, lines, table(document, "dependencies"), found, 0)
    return _with_hosts(source, found)


def _old_entries(
    source: SourceFile,
    lines: Lines,
    listed: dict[str, Any],
    found: list[Dependency],
    depth: int,
) -> None:
    if depth > DEPTH_MAX:
        raise ValueError(f"packages are nested more than {DEPTH_MAX} deep")
    for name, said in listed.items():
        if len(found) > DEPENDENCIES_MAX:
            return
        if isinstance(said, dict):
            found.append(_of_entry(source, lines.of(name), name, said))
            _old_entries(source, lines, table(said, "dependencies"), found, depth + 1)


def _of_entry(source: SourceFile, line: int, name: str, said: dict[str, Any]) -> Dependency:
    use = Use.DEVELOPMENT if said.get("dev") is True else Use.RUN
    version, resolved = text_of(said, "version"), text_of(said, "resolved")
    return _locked(source, line, name, version, resolved or version, use)


def read_yarn_lock(source: SourceFile) -> Declared:
    """Read yarn.lock, of the first yarn and of the later ones."""
    found: list[Dependency] = []
    name, line, version, resolved = "", 0, "", ""
    for number, text in enumerate([*source.text.split("\n"), "end:"], 1):
        if len(found) > DEPENDENCIES_MAX:
            break
        if _YARN_KEY.fullmatch(text) and not text.startswith(("#", "__metadata")):
            if name and version:
                found.append(_locked(source, line, name, version, resolved, Use.RUN))
            key = text.strip().strip(":").split(",")[0].strip().strip('"')
            name, wanted = split_npm(key)
            if wanted.startswith("npm:@") or re.match(r"npm:[a-z]", wanted):
                name = split_npm(wanted[4:])[0]
            line, version, resolved = number, "", ""
        elif (match := _YARN_FIELD.fullmatch(text)) is not None:
            if match["key"] == "version":
                version = match["value"].strip()
            else:
                resolved = match["value"].strip()
    return _with_hosts(source, found)


def read_pnpm_lock(source: SourceFile) -> Declared:
    """Read pnpm-lock.yaml: the keys below `packages`, and addresses that stand there."""
    found: list[Dependency] = []
    section = ""
    for number, text in enumerate(source.text.split("\n"), 1):
        if (head := re.fullmatch(r"([\w'\"]+):\s*", text)) is not None:
            section = head[1].strip("'\"")
        if len(found) > DEPENDENCIES_MAX:
            break
        if section != "packages":
            continue
        if (match := _PNPM_KEY.fullmatch(text)) is not None:
            version = match["version"].split("_")[0]
            found.append(_locked(source, number, match["name"], version, "", Use.RUN))
        elif (address := _PNPM_ADDRESS.search(text)) is not None:
            last = found[-1].name if found else ""
            origin = Origin.GIT if _GIT.match(address["address"]) else Origin.URL
            found.append(_elsewhere(source, number, last, "", origin, address["address"]))
        elif re.match(r"  \S", text) and re.search(r"git|://|codeload|file:", text):
            address_text = text.strip().strip("'\":")
            found.append(_elsewhere(source, number, "", "", Origin.GIT, address_text))
    if not re.search(r"^lockfileVersion", source.text, re.MULTILINE):
        return Declared(unread=(Unread(source.path, 0, "it is no lock of pnpm"),))
    return Declared(tuple(found))


def _locked(
    source: SourceFile, line: int, name: str, version: str, resolved: str, use: Use
) -> Dependency:
    if "@patch:" in resolved or "@workspace:" in resolved:
        origin = path_origin(resolved.partition(":")[2], source.path.rpartition("/")[0])
        return _elsewhere(source, line, name, version, origin, resolved)
    place = Place(source.path, line, use)
    address = (resolved.rpartition("@npm:")[0] and "") or resolved
    if address.startswith(("file:", "link:")):
        return _elsewhere(source, line, name, version, _path(source, address), address)
    if _GIT.match(address) or "@git" in address or "@https://github" in address:
        return _elsewhere(source, line, name, version, Origin.GIT, address)
    if address.startswith(("https:", "http:")) and not _is_of_an_index(address, name):
        return _elsewhere(source, line, name, version, Origin.URL, address)
    one = npm_requirement(name, version, place)
    return Dependency(
        *(one.ecosystem, one.name, version, version, source.path, line, Origin.INDEX),
        *(address, use, True, "", name),
    )


def _elsewhere(
    source: SourceFile, line: int, name: str, version: str, origin: Origin, address: str
) -> Dependency:
    return Dependency(
        *(Ecosystem.NPM, name, version, version, source.path, line, origin, address),
        *(Use.RUN, True, "", name),
    )


def _path(source: SourceFile, address: str) -> Origin:
    return path_origin(address.partition(":")[2], source.path.rpartition("/")[0])


def _is_of_an_index(address: str, name: str) -> bool:
    """Whether an address has the form of an index: `…/NAME/-/FILE.tgz` or `…/NAME/NAME-….tgz`."""
    path = unquote(urlsplit(address).path)
    short = name.rpartition("/")[2]
    return f"/{name}/" in path and path.rpartition("/")[2].startswith(f"{short}-")


def _with_hosts(source: SourceFile, found: list[Dependency]) -> Declared:
    """Return a lock with what its hosts say."""
    addresses = [(e.address, e.name, e.line) for e in found if e.origin is Origin.INDEX]
    settings = settings_of_hosts(source.path, addresses)
    plain = [
        each
        if each.origin is not Origin.INDEX
        else Dependency(
            *(each.ecosystem, each.name, each.wanted, each.version, each.file, each.line),
            *(each.origin, "", each.use, each.locked, each.alias, each.written),
        )
        for each in found
    ]
    return Declared(tuple(plain), settings)
