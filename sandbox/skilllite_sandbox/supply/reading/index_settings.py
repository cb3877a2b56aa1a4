"""Settings of installers that a skill brings along: .npmrc, .yarnrc, pip.conf, uv.toml."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.supply.dependency import (
    DEPENDENCIES_MAX,
    Declared,
    Hook,
    IndexSetting,
    Leaves,
)
from skilllite_sandbox.supply.names import leads_away
from skilllite_sandbox.supply.reading.lines import Lines, read_toml, tables, text_of, texts

_LINE = re.compile(
    r"""\s*["']?(?P<key>[@\w./:-]+?)["']?(?:\s*=\s*|\s*:\s+|\s+)["']?(?P<value>[^"'\s]*).*"""
)
_OFF = ("false", "0", "no", "off", "null")
_NPM_REGISTRY = re.compile(r"(?:@[\w.-]+:)?registry|npmRegistryServer", re.IGNORECASE)
_NPM_TLS = re.compile(r"strict-ssl|enableStrictSsl", re.IGNORECASE)
# What installers then execute in place of their own or beside it.
_NPM_CODE = re.compile(r"yarn-?path|script-shell|node-options|git|(?:global-?)?pnpmfile", re.I)
_PIP = {
    "index-url": Leaves.OTHER_INDEX,
    "extra-index-url": Leaves.EXTRA_INDEX,
    "find-links": Leaves.FILES,
    "trusted-host": Leaves.UNPROTECTED,
}


def read_npmrc(source: SourceFile) -> Declared:
    """Read .npmrc, .yarnrc or .yarnrc.yml."""
    found: list[IndexSetting] = []
    hooks: list[Hook] = []
    for number, line in enumerate(source.text.split("\n"), 1):
        match = _LINE.fullmatch(line.partition("#")[0])
        if match is None:
            continue
        value = match["value"]
        if _NPM_REGISTRY.fullmatch(match["key"]) and value:
            scoped = match["key"].startswith("@")
            leaves = Leaves.EXTRA_INDEX if scoped else Leaves.OTHER_INDEX
            found += leads_away(leaves, value, source.path, number)
        elif _NPM_TLS.fullmatch(match["key"]) and value.lower() in _OFF:
            found.append(IndexSetting(Leaves.UNPROTECTED, line.strip(), source.path, number))
        elif _NPM_CODE.fullmatch(match["key"]) and value:
            hooks.append(Hook(match["key"], value, source.path, number))
    return Declared(settings=tuple(found), hooks=tuple(hooks[:DEPENDENCIES_MAX]))


def read_pip_conf(source: SourceFile) -> Declared:
    """Read pip.conf or pip.ini."""
    found: list[IndexSetting] = []
    key = ""
    for number, line in enumerate(source.text.split("\n"), 1):
        bare = line.partition("#")[0]
        if (match := re.match(r"(?P<key>[\w-]+)\s*[=:]\s*(?P<value>.*)", bare)) is not None:
            key, value = match["key"].replace("_", "-"), match["value"]
        elif bare.startswith((" ", "\t")):
            value = bare  # goes on with the key above
        else:
            key, value = "", ""
        if key in _PIP:
            for word in value.split()[: DEPENDENCIES_MAX - len(found)]:
                found += leads_away(_PIP[key], word, source.path, number)
    return Declared(settings=tuple(found))


def read_uv_toml(source: SourceFile) -> Declared:
    """Read uv.toml."""
    document = read_toml(source.text)
    lines = Lines(source.text)
    found: list[IndexSetting] = []
    for each in tables(document.get("index")):
        leaves = Leaves.OTHER_INDEX if each.get("default") is True else Leaves.EXTRA_INDEX
        url = text_of(each, "url")
        found += leads_away(leaves, url, source.path, lines.of(url))
    rows = (*_PIP.items(), ("allow-insecure-host", Leaves.UNPROTECTED))
    for key, leaves in rows:
        said = document.get(key)
        for value in [said] if isinstance(said, str) else texts(said):
            found += leads_away(leaves, value, source.path, lines.of(value))
    return Declared(settings=tuple(found))
