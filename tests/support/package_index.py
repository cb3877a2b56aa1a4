"""A package index and an npm registry on loopback, with packages written on the spot."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from skilllite_sandbox.capabilities import Package
from skilllite_sandbox.environment.builder import SandboxBuilder
from skilllite_sandbox.environment.index import fetch_page, read_python_settings
from skilllite_sandbox.environment.installers import find_uv
from skilllite_sandbox.environment.needs import target_of
from skilllite_sandbox.environment.requirements import (
    DependencySet,
    Ecosystem,
    normal_requirements,
)
from skilllite_sandbox.environment.store import Environments, open_environments
from skilllite_sandbox.errors import EnvironmentUnavailable
from skilllite_sandbox.host import read_host

_WHEEL = "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class PackageIndex:
    """Serves what was added; remembers what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.packages: dict[str, list[str]] = {}
        self.documents: dict[str, dict[str, Any]] = {}
        self.requested: list[str] = []
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index._answer(self)

            def do_HEAD(self) -> None:
                index._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environ(self) -> dict[str, str]:
        """The settings of a user of this index."""
        registry = f"{self.url}/npm/"
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "UV_DEFAULT_INDEX": f"{self.url}/simple/",
            "npm_config_registry": registry,
        }

    def environments(self, root: Path) -> Environments:
        """Return a store that installs from here alone."""
        return Environments(root, lambda: SandboxBuilder(read_host(), environ=self.environ))

    def add_wheel(
        self, name: str, version: str, files: Mapping[str, str], *, requires: tuple[str, ...] = ()
    ) -> None:
        """Offer a wheel of pure Python."""
        file_name, content = wheel(name, version, files, requires=requires)
        self._add(name, file_name, content)
        self.files[f"/files/{file_name}.metadata"] = metadata_of(name, version, requires).encode()

    def add_sdist(self, name: str, version: str, files: Mapping[str, str]) -> None:
        """Offer a package as source only."""
        folder = f"{name}-{version}"
        metadata = metadata_of(name, version)
        content = tarball(
            {f"{folder}/{path}": text for path, text in files.items()}
            | {f"{folder}/PKG-INFO": metadata}
        )
        self._add(name, f"{folder}.tar.gz", content)

    def add_npm(self, name: str, version: str, files: Mapping[str, str], **manifest: Any) -> None:
        """Offer a package to npm."""
        package = {"name": name, "version": version, **manifest}
        content = tarball(
            {f"package/{path}": text for path, text in files.items()}
            | {"package/package.json": json.dumps(package)}
        )
        path = f"/npm/{name}/-/{name}-{version}.tgz"
        self.files[path] = content
        digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
        dist = {"tarball": self.url + path, "integrity": f"sha512-{digest}"}
        document = self.documents.setdefault(
            f"/npm/{name}", {"name": name, "dist-tags": {}, "versions": {}}
        )
        document["dist-tags"]["latest"] = version
        has_script = "postinstall" in manifest.get("scripts", {})
        document["versions"][version] = package | {"dist": dist, "hasInstallScript": has_script}

    def downloads(self, suffix: str) -> int:
        """Return how often a file with this ending was fetched."""
        return sum(path.endswith(suffix) for path in self.requested)

    def _add(self, name: str, file_name: str, content: bytes) -> None:
        self.files[f"/files/{file_name}"] = content
        self.packages.setdefault(name, []).append(file_name)

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        if request.command == "GET":
            self.requested.append(path)
        kind, content = "application/octet-stream", self.files.get(path)
        if path.startswith("/simple/"):
            kind, content = "text/html", self._page(path.removeprefix("/simple/").strip("/"))
        elif path in self.documents:
            kind, content = "application/json", json.dumps(self.documents[path]).encode()
        request.send_response(200 if content is not None else 404)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content or b"")))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(content or b"")

    def _page(self, name: str) -> bytes | None:
        if name not in self.packages:
            return None
        links = (self._link(file) for file in self.packages[name])
        return f"<!DOCTYPE html><html><body>{' '.join(links)}</body></html>".encode()

    def _link(self, file: str) -> str:
        digest = hashlib.sha256(self.files[f"/files/{file}"]).hexdigest()
        # With it nobody fetches a wheel to see what it needs.
        metadata = self.files.get(f"/files/{file}.metadata")
        known = f"sha256={hashlib.sha256(metadata).hexdigest()}" if metadata else "false"
        return f'<a href="/files/{file}#sha256={digest}" data-core-metadata="{known}">{file}</a>'


def open_real_environments(root: Path) -> Environments:
    """Return a store that installs from the index this host is set to; skip where none answers."""
    try:
        settings = read_python_settings(find_uv().command[0])
        fetch_page(settings.default, "requests", settings.certificates)
    except EnvironmentUnavailable as error:
        pytest.skip(f"no package index answers here: {error.cause or error.message}")
    return open_environments(root)


@contextlib.contextmanager
def open_index() -> Iterator[PackageIndex]:
    """Open an empty index."""
    index = PackageIndex()
    try:
        yield index
    finally:
        index.close()


def wheel(
    name: str, version: str, files: Mapping[str, str], *, requires: tuple[str, ...] = ()
) -> tuple[str, bytes]:
    """Return the name and the content of a wheel."""
    info = f"{name}-{version}.dist-info"
    content = dict(files) | {
        f"{info}/METADATA": metadata_of(name, version, requires),
        f"{info}/WHEEL": _WHEEL,
    }
    record = "".join(f"{path},,\n" for path in (*content, f"{info}/RECORD"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in (content | {f"{info}/RECORD": record}).items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), text)
    return f"{name}-{version}-py3-none-any.whl", buffer.getvalue()


def metadata_of(name: str, version: str, requires: tuple[str, ...] = ()) -> str:
    """Return what a package says of itself."""
    lines = ("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}")
    return "".join(
        f"{line}\n" for line in (*lines, *(f"Requires-Dist: {each}" for each in requires))
    )


def tarball(files: Mapping[str, str]) -> bytes:
    """Return a gzipped archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            data = text.encode()
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def wanting(*requirements: str, ecosystem: Ecosystem = Ecosystem.PYTHON) -> DependencySet:
    """Return the set of a skill that asks for these."""
    packages = [Package(ecosystem.value, each, "requirements.txt") for each in requirements]
    target = target_of(ecosystem, read_host())
    return DependencySet(target, normal_requirements(packages, ecosystem))
