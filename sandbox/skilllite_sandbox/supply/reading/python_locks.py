"""What Python's locks resolved: Pipfile.lock, poetry.lock, uv.lock, pdm.lock, pylock.toml."""

from __future__ import annotations

import re
from typing import Any

from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.supply.dependency import (
    Declared,
    Dependency,
    Ecosystem,
    IndexSetting,
    Leaves,
    Origin,
    Use,
)
from skilllite_sandbox.supply.names import normal_name, origin_of, path_origin
from skilllite_sandbox.supply.reading.hosts import settings_of_hosts
from skilllite_sandbox.supply.reading.lines import (
    Lines,
    read_json,
    read_toml,
    table,
    tables,
    text_of,
)


def read_pipfile_lock(source: SourceFile) -> Declared:
    """Read Pipfile.lock."""
    document = read_json(source.text)
    lines = Lines(source.text)
    found = []
    for section, use in (("default", Use.RUN), ("develop", Use.DEVELOPMENT)):
        for name, said in table(document, section).items():
            details = said if isinstance(said, dict) else {}
            found.append(_locked(source, lines.of(name), name, details, use))
    places = []
    unprotected = []
    for each in tables(table(document, "_meta").get("sources")):
        url = text_of(each, "url")
        places.append((url, "", lines.of(url)))
        if each.get("verify_ssl") is False:
            unprotected.append(IndexSetting(Leaves.UNPROTECTED, url, source.path, lines.of(url)))
    settings = (*settings_of_hosts(source.path, places), *unprotected)
    return Declared(tuple(found), settings)


def read_poetry_lock(source: SourceFile) -> Declared:
    """Read poetry.lock."""
    lines = Lines(source.text)
    found = []
    places = []
    for each in tables(read_toml(source.text).get("package")):
        said = table(each, "source")
        kind, url = text_of(said, "type"), text_of(said, "url")
        details = {"version": text_of(each, "version")}
        if kind in ("git", "url", "file", "directory"):
            key = {"git": "git", "url": "url"}.get(kind, "path")
            details[key] = url
        elif kind:
            places.append((url, text_of(each, "name"), _line(lines, each)))
        use = Use.DEVELOPMENT if each.get("category") == "dev" else Use.RUN
        found.append(_locked(source, _line(lines, each), text_of(each, "name"), details, use))
    return Declared(tuple(found), settings_of_hosts(source.path, places))


def read_uv_lock(source: SourceFile) -> Declared:
    """Read uv.lock."""
    lines = Lines(source.text)
    found = []
    places = []
    for each in tables(read_toml(source.text).get("package")):
        said = table(each, "source")
        if any(said.get(key) == "." for key in ("virtual", "editable", "directory")):
            continue  # the project itself
        details: dict[str, Any] = {"version": text_of(each, "version")}
        for key in ("git", "url", "path", "directory", "editable", "virtual"):
            if address := text_of(said, key):
                details[key if key in ("git", "url") else "path"] = address
        places.append((text_of(said, "registry"), text_of(each, "name"), _line(lines, each)))
        places += _files(lines, each)
        found.append(_locked(source, _line(lines, each), text_of(each, "name"), details, Use.RUN))
    return Declared(tuple(found), settings_of_hosts(source.path, places))


def read_pdm_lock(source: SourceFile) -> Declared:
    """Read pdm.lock."""
    lines = Lines(source.text)
    found = []
    places = []
    for each in tables(read_toml(source.text).get("package")):
        places += _files(lines, each)
        found.append(_locked(source, _line(lines, each), text_of(each, "name"), each, Use.RUN))
    return Declared(tuple(found), settings_of_hosts(source.path, places))


def read_pylock(source: SourceFile) -> Declared:
    """Read pylock.toml (PEP 751)."""
    lines = Lines(source.text)
    found = []
    places = []
    for each in tables(read_toml(source.text).get("packages")):
        details: dict[str, Any] = {"version": text_of(each, "version")}
        if vcs := table(each, "vcs"):
            details["git"] = text_of(vcs, "url") or text_of(vcs, "path")
        elif directory := table(each, "directory"):
            details["path"] = text_of(directory, "path")
        elif archive := table(each, "archive"):
            url = text_of(archive, "url")
            details["url" if url else "path"] = url or text_of(archive, "path")
        places.append((text_of(each, "index"), text_of(each, "name"), _line(lines, each)))
        places += _files(lines, each)
        found.append(_locked(source, _line(lines, each), text_of(each, "name"), details, Use.RUN))
    return Declared(tuple(found), settings_of_hosts(source.path, places))


def _files(lines: Lines, package: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Return where the files of a package are fetched, whatever index it is said to be from."""
    files = [table(package, "sdist"), *tables(package.get("wheels")), *tables(package.get("files"))]
    name, line = text_of(package, "name"), _line(lines, package)
    return [(url, name, line) for each in files if "://" in (url := text_of(each, "url"))]


def _line(lines: Lines, package: dict[str, Any]) -> int:
    return lines.of(text_of(package, "name"))


def _locked(
    source: SourceFile, line: int, name: str, details: dict[str, Any], use: Use
) -> Dependency:
    version = re.sub(r"^={2,3}\s*", "", text_of(details, "version"))
    origin, address = Origin.INDEX, ""
    if git := text_of(details, "git"):
        origin, address = Origin.GIT, git
    elif url := text_of(details, "url") or text_of(details, "file"):
        origin, address = (Origin.URL if "://" in url else origin_of(url)), url
    elif path := text_of(details, "path"):
        origin, address = path_origin(path, source.path.rpartition("/")[0]), path
    return Dependency(
        ecosystem=Ecosystem.PYPI,
        name=normal_name(Ecosystem.PYPI, name),
        wanted=f"=={version}" if version else "",
        version=version,
        file=source.path,
        line=line,
        origin=origin,
        address=address,
        use=use,
        locked=True,
        written=name,
    )
