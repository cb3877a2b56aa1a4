"""What is asked over the network, when a person allows it: advisories, existence, withdrawal.

Whatever doesn't answer leaves its question open. Names of packages leave this machine by asking;
that is why nothing here runs unless it was asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from skilllite_sandbox.environment.index import Index
from skilllite_sandbox.policy import MIB
from skilllite_sandbox.supply.advisory import Advisory, parse_record
from skilllite_sandbox.supply.dependency import Ecosystem
from skilllite_sandbox.supply.fetch import SourceUnreachable, get_bytes
from skilllite_sandbox.supply.names import normal_name
from skilllite_sandbox.supply.versions import UnreadableVersion, is_same, python_version, semver
from skilllite_sandbox.values import dataclass

DEFAULT_API = "https://api.osv.dev"
QUERIES_MAX = 1_000  # in one request, as the service has it
PAGES_MAX = 20  # of one answer
RECORDS_MAX = 1_000  # advisories that are fetched in one audit; each is a request
ANSWER_BYTES_MAX = 32 * MIB  # the page of the package with the most files has some ten
ANSWER_S = 60.0

Package = tuple[Ecosystem, str, str]
"""Ecosystem, name, version."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What an index says about a package."""

    exists: bool
    versions: tuple[str, ...] = ()
    """Those that can be installed."""
    withdrawn: tuple[str, ...] = ()
    """Those that their authors took back, or warn of."""
    newest: str = ""
    """The one that is installed when nobody says which."""

    def has(self, ecosystem: Ecosystem, version: str) -> bool:
        """Whether a version can still be had."""
        return any(is_same(ecosystem, version, each) for each in self.versions)

    def is_withdrawn(self, ecosystem: Ecosystem, version: str) -> bool:
        """Whether a version was taken back."""
        return any(is_same(ecosystem, version, each) for each in self.withdrawn)


def ask_advisories(
    packages: Sequence[Package], api: str = DEFAULT_API
) -> dict[Package, tuple[Advisory, ...]]:
    """Return what a service in the manner of OSV knows about packages.

    Raises:
        SourceUnreachable: it didn't answer all of it.
    """
    ids: dict[Package, list[str]] = {}
    for start in range(0, len(packages), QUERIES_MAX):
        for package, found in _asked(packages[start : start + QUERIES_MAX], api):
            ids.setdefault(package, []).extend(found)
    wanted = list(dict.fromkeys(id for found in ids.values() for id in found))
    if len(wanted) > RECORDS_MAX:
        raise SourceUnreachable(f"there are more than {RECORDS_MAX} advisories to fetch")
    records = {id: _record(api, id) for id in wanted}
    return {
        package: tuple(
            each
            for id in found
            for each in records[id]
            if (each.ecosystem, each.name) == package[:2]
        )
        for package, found in ids.items()
    }


def _asked(packages: Sequence[Package], api: str) -> Iterable[tuple[Package, list[str]]]:
    waiting: list[tuple[Package, str]] = [(package, "") for package in packages]
    for _ in range(PAGES_MAX):
        queries = []
        for (ecosystem, name, version), page in waiting:
            query: dict[str, Any] = {"package": {"name": name, "ecosystem": ecosystem.value}}
            query |= {"version": version} if version else {}
            queries.append(query | ({"page_token": page} if page else {}))
        answer = _json(f"{api.rstrip('/')}/v1/querybatch", {"queries": queries})
        results = answer.get("results")
        if not isinstance(results, list) or len(results) != len(waiting):
            raise SourceUnreachable(f"{api} answered something else than was asked")
        again = []
        for (package, _), result in zip(waiting, results, strict=True):
            said = result if isinstance(result, dict) else {}
            vulns = said.get("vulns")
            listed = vulns if isinstance(vulns, list) else []
            yield package, [each["id"] for each in listed if _has_id(each)]
            further = said.get("next_page_token")
            if isinstance(further, str) and further:
                again.append((package, further))
        if not again:
            return
        waiting = again
    raise SourceUnreachable(f"{api} has more pages than {PAGES_MAX}")


def _has_id(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("id"), str)


def _record(api: str, id: str) -> tuple[Advisory, ...]:
    record = _json(f"{api.rstrip('/')}/v1/vulns/{quote(id, safe='')}")
    try:
        return parse_record(record)
    except ValueError as error:
        raise SourceUnreachable(f"{api} answered no advisory", cause=str(error)) from None


def _json(
    url: str, body: object = None, *, accept: str = "application/json", certificates: bytes = b""
) -> dict[str, Any]:
    data = get_bytes(
        url,
        ANSWER_BYTES_MAX,
        ANSWER_S,
        headers={"Accept": accept},
        body=None if body is None else json.dumps(body).encode("utf-8"),
        certificates=certificates,
    )
    if data is None:
        raise SourceUnreachable(f"{url} is not there")
    return _object(url, data)


def _object(url: str, data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise SourceUnreachable(f"{url} answered no JSON") from None
    if not isinstance(value, dict):
        raise SourceUnreachable(f"{url} answered no JSON object")
    return value


def ask_index(
    ecosystem: Ecosystem, name: str, index: Index, *, certificates: bytes = b""
) -> Listed:
    """Return what the index of this machine says about a package.

    Raises:
        SourceUnreachable: it didn't answer, or in another language.
    """
    is_python = ecosystem is Ecosystem.PYPI
    tail = f"{name}/" if is_python else quote(name, safe="@")
    url = f"{index.url.rstrip('/')}/{tail}"
    if index.has_credentials:
        # Those are the installer's: the address of an error could show them.
        raise SourceUnreachable(f"{index.shown} asks for a password; it is not asked here")
    accept = _PYTHON_ACCEPT if is_python else _NPM_ACCEPT
    data = get_bytes(
        url, ANSWER_BYTES_MAX, ANSWER_S, headers={"Accept": accept}, certificates=certificates
    )
    if data is None:
        return Listed(exists=False)
    if is_python and data.lstrip()[:1] != b"{":
        return _python_page(name, data.decode("utf-8", "replace"))
    document = _object(url, data)
    return _python_listing(name, document) if is_python else _npm_listing(document)


_PYTHON_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
_NPM_ACCEPT = "application/vnd.npm.install-v1+json, application/json;q=0.5"
_LINK = re.compile(r"<a\s(?P<attributes>[^>]*)>\s*(?P<file>[^<]+?)\s*</a>", re.IGNORECASE)


def _python_listing(name: str, document: dict[str, Any]) -> Listed:
    files = document.get("files")
    rows = [each for each in files if isinstance(each, dict)] if isinstance(files, list) else []
    return _of_files(
        name,
        [(str(each.get("filename", "")), each.get("yanked", False) is not False) for each in rows],
    )


def _python_page(name: str, page: str) -> Listed:
    links = [(m["file"], "data-yanked" in m["attributes"]) for m in _LINK.finditer(page)]
    return _of_files(name, links)


def _of_files(name: str, files: Sequence[tuple[str, bool]]) -> Listed:
    """Return what files say; a version is withdrawn when each of its files is."""
    withdrawn: dict[str, bool] = {}
    for file, yanked in files:
        if version := _version_of(name, file):
            withdrawn[version] = withdrawn.get(version, True) and yanked
    good = [version for version, yanked in withdrawn.items() if not yanked]
    return Listed(
        exists=True,
        versions=tuple(withdrawn),
        withdrawn=tuple(version for version, yanked in withdrawn.items() if yanked),
        newest=_newest_python(good),
    )


def _version_of(name: str, file: str) -> str:
    """Return the version in the name of a file; empty when it is of something else."""
    stem = re.sub(r"\.(?:whl|zip|tar\.(?:gz|bz2|xz)|tgz|egg|exe)$", "", file)
    if stem == file:
        return ""
    if file.endswith((".whl", ".egg", ".exe")):
        parts = stem.split("-")
        return parts[1] if len(parts) > 1 else ""
    for at in (match.start() for match in re.finditer("-", stem)):
        if normal_name(Ecosystem.PYPI, stem[:at]) == name:
            return stem[at + 1 :]
    return ""


def _newest_python(versions: Iterable[str]) -> str:
    readable = []
    for each in versions:
        try:
            readable.append((python_version(each), each))
        except UnreadableVersion:
            continue
    final = [pair for pair in readable if not getattr(pair[0], "is_prerelease", False)]
    return max(final or readable, key=lambda pair: pair[0], default=(None, ""))[1]  # type: ignore[arg-type, return-value]


def _npm_listing(document: dict[str, Any]) -> Listed:
    versions = document.get("versions")
    rows = versions if isinstance(versions, dict) else {}
    tags = document.get("dist-tags")
    latest = tags.get("latest") if isinstance(tags, dict) else None
    warned = [
        version
        for version, said in rows.items()
        if isinstance(said, dict) and said.get("deprecated")
    ]
    readable = [version for version in rows if _is_semver(version)]
    if not isinstance(latest, str) or latest not in rows:
        latest = max(readable, key=semver, default="")
    # A name that is held so that nobody can take it again has one version that says so.
    held = bool(rows) and all("-security" in version for version in rows)
    return Listed(not held, tuple(rows), tuple(warned), latest)


def _is_semver(version: str) -> bool:
    try:
        semver(version)
    except UnreadableVersion:
        return False
    return True
