"""`skilllite add` over real HTTP: git's own protocol, and certificates that nobody vouches for."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from skill_files import make_skill
from skilllite.cli.main import main
from skilllite_sandbox.digest import compute_digest
from web_server import make_certificate, web_server

WAIT_S = 20.0
BACKEND = Path("/usr/lib/git-core/git-http-backend")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def make_repository(root: Path) -> Path:
    place = root / "owner/repo.git"
    skill = make_skill(place, "report")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(root)}
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (
        ("init", "--quiet"),
        ("add", "--all"),
        (*identity, "commit", "--quiet", "--message", "first"),
        (*identity, "commit", "--quiet", "--allow-empty", "--message", "second"),
    ):
        subprocess.run(["git", *words], cwd=place, env=environment, check=True)
    return skill


@contextmanager
def git_server(root: Path, certificate: Path | None = None) -> Iterator[int]:
    """Serve the repositories of a folder as a host of repositories does."""

    class Backend(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._run(b"")

        def do_POST(self) -> None:
            self._run(self.rfile.read(int(self.headers["Content-Length"])))

        def _run(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            environment = {
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "PATH": "/usr/bin:/bin",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "CONTENT_LENGTH": str(len(body)),
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
            }
            done = subprocess.run(
                [BACKEND], input=body, env=environment, capture_output=True, check=False
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Backend) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(WAIT_S)


needs_backend = pytest.mark.skipif(
    not BACKEND.exists() or shutil.which("git") is None, reason="this host has no git-http-backend"
)


@needs_backend
def test_a_repository_comes_over_http(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skill = make_repository(tmp_path / "host")
    with git_server(tmp_path / "host") as port:
        monkeypatch.setenv("SKILLLITE_ADD_HOST", f"http://127.0.0.1:{port}")
        assert main(["add", "owner/repo@report"]) == 0
        assert main(["add", "owner/absent"]) == 5

    assert compute_digest(home / "skills/report") == compute_digest(skill)


@needs_backend
def test_a_certificate_that_nobody_vouches_for_is_refused(
    tmp_path: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    make_repository(tmp_path / "host")
    chain = make_certificate(tmp_path)
    monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")  # an old habit that must not reach so far
    with git_server(tmp_path / "host", chain) as port:
        assert main(["add", f"https://localhost:{port}/owner/repo.git"]) == 3
    with web_server(chain) as port:
        assert main(["add", f"https://localhost:{port}/x.zip"]) == 3

    said = capfd.readouterr().err
    assert said.lower().count("certificate") >= 2
    assert list((home / "skills").iterdir()) == []
