"""Real clients through the proxy: urllib and http.client, plain and encrypted."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from egress_lab import HOST, WAIT_S, Lab, Names, open_proxy, read_all, serve
from skilllite_sandbox.egress.attempt import Cause, Result


class Page(BaseHTTPRequestHandler):
    """Answers in HTTP/1.1 and never says that it closes, like a careless server."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.reply(f"{self.headers['Host']} {self.path}".encode())

    def do_POST(self) -> None:
        self.reply(self.rfile.read(int(self.headers["Content-Length"])).upper())

    def reply(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def web_server(context: ssl.SSLContext | None = None) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        server.daemon_threads = False
        if context is not None:
            # Not on accept: a client that is cut in its greeting would hold up the next one.
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


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for the host, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path_factory.mktemp("tls") / "chain.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secure_port(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with web_server(context) as port:
        yield port


def opener(lab: Lab, *handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    proxies = urllib.request.ProxyHandler({"http": lab.url, "https": lab.url})
    return urllib.request.build_opener(proxies, *handlers)


@contextmanager
def open_granted(port: int) -> Iterator[Lab]:
    names = Names({HOST: ["127.0.0.1"]})
    with open_proxy(f"{HOST}:{port}", f"127.0.0.1:{port}", resolve=names) as lab:
        yield lab


def test_urllib_reads_and_writes_through_the_proxy() -> None:
    with web_server() as port, open_granted(port) as lab:
        with opener(lab).open(f"http://{HOST}:{port}/a?b=c", timeout=WAIT_S) as page:
            assert page.read() == f"{HOST}:{port} /a?b=c".encode()
        with opener(lab).open(f"http://{HOST}:{port}/", b"x" * 200_000, timeout=WAIT_S) as page:
            assert page.read() == b"X" * 200_000
        attempts = lab.attempts.wait(2)

    assert [attempt.method for attempt in attempts] == ["GET", "POST"]
    assert attempts[1].bytes_up > 200_000


def test_urllib_says_why_a_host_was_refused() -> None:
    with open_proxy(HOST) as lab:
        with pytest.raises(urllib.error.HTTPError) as plain:
            opener(lab).open("http://evil.example/", timeout=WAIT_S)
        with pytest.raises(urllib.error.URLError) as encrypted:
            opener(lab).open("https://evil.example/", timeout=WAIT_S)
        plain.value.close()

    assert plain.value.code == 403
    assert "evil.example:80 is not granted to this skill" in str(plain.value)
    assert "evil.example:443 is not granted to this skill" in str(encrypted.value)


def test_one_client_asks_again_and_again_of_a_server_that_does_not_say_it_closes() -> None:
    with web_server() as port, open_granted(port) as lab:
        client = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=WAIT_S)
        for number in range(20):
            client.request("GET", f"http://{HOST}:{port}/{number}")
            assert client.getresponse().read() == f"{HOST}:{port} /{number}".encode()
        attempts = lab.attempts.wait(20)

    assert {attempt.cause for attempt in attempts} == {Cause.DONE}


def test_urllib_speaks_https_through_a_tunnel(secure_port: int, certificate: Path) -> None:
    trusting = urllib.request.HTTPSHandler(
        context=ssl.create_default_context(cafile=str(certificate))
    )
    with open_granted(secure_port) as lab:
        url = f"https://{HOST}:{secure_port}/secret"
        with opener(lab, trusting).open(url, timeout=WAIT_S) as page:
            assert page.read() == f"{HOST}:{secure_port} /secret".encode()
        attempt = lab.attempts.only()

    assert (attempt.result, attempt.method) == (Result.ALLOWED, "CONNECT")
    assert attempt.bytes_down > 500


@pytest.mark.parametrize("name", ["other.example", None])
def test_a_tunnel_whose_greeting_names_somebody_else_is_ended(name: str | None) -> None:
    received: list[bytes] = []
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        serve(lambda connection: received.append(read_all(connection))) as port,
        open_granted(port) as lab,
    ):
        with lab.tunnel(f"{HOST}:{port}") as tunnel, pytest.raises(ssl.SSLError) as caught:
            context.wrap_socket(tunnel, server_hostname=name).close()
        attempt = lab.attempts.only()

    assert b"".join(received) == b""
    assert "UNRECOGNIZED_NAME" in str(caught.value)
    assert (attempt.result, attempt.cause) == (Result.REFUSED, Cause.SERVER_NAME)
    assert (attempt.bytes_up, attempt.bytes_down) == (0, 0)


def test_a_tunnel_to_a_granted_address_needs_no_name(secure_port: int) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with open_granted(secure_port) as lab:
        with (
            lab.tunnel(f"127.0.0.1:{secure_port}") as tunnel,
            context.wrap_socket(tunnel) as encrypted,
        ):
            encrypted.sendall(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert b"200 OK" in read_all(encrypted)
        assert lab.attempts.only().result is Result.ALLOWED


def test_a_tunnel_may_carry_something_other_than_tls_at_another_port() -> None:
    with web_server() as port, open_granted(port) as lab, lab.tunnel(f"{HOST}:{port}") as client:
        client.sendall(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        assert b"200 OK" in read_all(client)
