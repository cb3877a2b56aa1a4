"""Packages whose files a skill brings along: what they are, not what they in turn ask for."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.supply.dependency import Declared, Dependency, Ecosystem
from skilllite_sandbox.supply.names import Place, normal_name, npm_requirement
from skilllite_sandbox.supply.reading.lines import read_json, text_of
from skilllite_sandbox.values import replace

_NODE = re.compile(r"(?:^|/)node_modules/(?:@[^/]+/)?[^/]+/package\.json")
_INSIDE_NODE = re.compile(r"(?:^|/)node_modules/.+/")
_PYTHON = re.compile(r"(?:^|/)[^/]+\.(?:dist-info/METADATA|egg-info/PKG-INFO)")
_FIELD = re.compile(r"^(Name|Version):[ \t]*(\S+)", re.MULTILINE)
_HEAD_CHARS = 4000  # the fields stand first


def is_vendored(path: str) -> bool:
    """Whether a file belongs to a package that is brought along, and says or asks for packages."""
    is_manifest = path.endswith(("/package.json", "/package-lock.json", "/yarn.lock"))
    inside = is_manifest and _INSIDE_NODE.search(path) is not None
    return inside or _NODE.search(path) is not None or _PYTHON.search(path) is not None


def read_vendored(source: SourceFile) -> Declared:
    """Read what such a package is; what it asks for itself is its author's matter."""
    if _NODE.search(source.path):
        return _read_node(source)
    return _read_python(source) if _PYTHON.search(source.path) else Declared()


def _read_node(source: SourceFile) -> Declared:
    document = read_json(source.text)
    name, version = text_of(document, "name"), text_of(document, "version")
    if not name:
        return Declared()
    one = npm_requirement(name, version, Place(source.path, 1))
    return Declared((replace(one, version=version, wanted=version, locked=True),))


def _read_python(source: SourceFile) -> Declared:
    fields = dict(_FIELD.findall(source.text[:_HEAD_CHARS]))
    name, version = fields.get("Name", ""), fields.get("Version", "")
    if not name:
        return Declared()
    normal = normal_name(Ecosystem.PYPI, name)
    return Declared(
        (
            Dependency(
                ecosystem=Ecosystem.PYPI,
                name=normal,
                wanted=f"=={version}",
                version=version,
                file=source.path,
                line=1,
                locked=True,
                written=name,
            ),
        )
    )
