"""A server on loopback that plays a source of advisories, the service that knows them, an index."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, Mapping[str, str], bytes]
Route = Reply | Callable[["Request"], Reply]

WAIT_S = 10.0


class Request:
    """What a client asked."""

    def __init__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body


class Server:
    """Its address, its routes, and what was asked so far."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.requests: list[Request] = []
        self.url = ""

    def serve_json(self, path: str, value: Any) -> None:
        """Answer with JSON."""
        self.routes[path] = (200, {}, json.dumps(value).encode())

    def asked(self, path: str) -> list[Request]:
        """Return the requests for a path."""
        return [each for each in self.requests if each.path == path]


@contextmanager
def advisory_server() -> Iterator[Server]:
    """Serve on any free port of this machine."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer("GET", b"")

        def do_POST(self) -> None:
            self.answer("POST", self.rfile.read(int(self.headers["Content-Length"])))

        def answer(self, method: str, body: bytes) -> None:
            request = Request(method, self.path, dict(self.headers), body)
            server.requests.append(request)
            route = server.routes.get(self.path, (404, {}, b""))
            status, headers, content = route(request) if callable(route) else route
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join(WAIT_S)


def advisory_record(
    id: str, name: str, *, ecosystem: str = "PyPI", fixed: str = "", **changes: Any
) -> dict[str, Any]:
    """Return a record of OSV about all versions, or those before one."""
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    return {
        "id": id,
        "modified": "2026-11-01T00:00:00Z",
        "summary": f"something about {name}",
        "affected": [
            {
                "package": {"ecosystem": ecosystem, "name": name},
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
            }
        ],
        "database_specific": {"severity": "HIGH"},
        **changes,
    }


def archive_of(*records: Any) -> bytes:
    """Return the zip that a source offers for one ecosystem."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, record in enumerate(records):
            text = record if isinstance(record, str) else json.dumps(record)
            archive.writestr(f"{number}.json", text)
    return packed.getvalue()
