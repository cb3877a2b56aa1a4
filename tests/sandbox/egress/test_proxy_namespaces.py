"""The proxy between two network namespaces, which is how a run uses it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import skilllite_sandbox
from egress_lab import HOST, WAIT_S, Attempts, Names, read_head, serve
from skilllite_sandbox.egress.attempt import Result
from skilllite_sandbox.egress.proxy import EgressProxy
from skilllite_sandbox.egress.rules import parse_rules

SOURCE_ROOT = Path(skilllite_sandbox.__file__ or "").parent.parent
UNSHARE = ("unshare", "--user", "--map-root-user", "--net")
ENVIRONMENT = {"PYTHONPATH": str(SOURCE_ROOT), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

GUEST = """
import os, socket, subprocess, sys, urllib.request
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
listener = socket.create_server(("127.0.0.1", 3128))
with socket.socket(fileno=int(sys.argv[1])) as host:
    socket.send_fds(host, [b"l"], [listener.fileno()])
listener.close()
port = sys.argv[2]
try:
    socket.create_connection(("127.0.0.1", int(port)), timeout=5)
except OSError as error:
    print("direct", type(error).__name__)
os.environ["http_proxy"] = "http://127.0.0.1:3128"
print(urllib.request.urlopen(f"http://api.example.com:{port}/", timeout=20).read().decode())
try:
    urllib.request.urlopen(f"http://evil.example:{port}/", timeout=20)
except OSError as error:
    print(error)
"""

WITH_A_PUBLIC_ADDRESS = """
import socket, subprocess
from skilllite_sandbox.egress.proxy import EgressProxy
from skilllite_sandbox.egress.rules import parse_rules
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
for address in ("203.0.113.7/24", "203.0.113.8/24"):
    subprocess.run(["ip", "address", "add", address, "dev", "lo"], check=True)
server = socket.create_server(("0.0.0.0", 80))
for grants in (["a.example"], ["a.example", "203.0.113.8:80"]):
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    rules = parse_rules(grants)
    with EgressProxy(listener, rules, on_attempt=id, resolve=lambda name: ["203.0.113.8"]):
        with socket.create_connection(address, timeout=20) as client:
            client.sendall(b"CONNECT a.example:80 HTTP/1.1\\r\\n\\r\\n")
            print(client.recv(500).decode().splitlines()[0])
"""


@pytest.fixture(autouse=True)
def namespaces_are_there() -> None:
    if not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("needs unshare (util-linux) and ip (iproute2)")
    if subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode:
        pytest.skip("needs user and network namespaces")


def test_a_guest_without_a_network_reaches_what_was_granted_and_nothing_else() -> None:
    def answer(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    attempts = Attempts()
    ours, theirs = socket.socketpair()
    with serve(answer) as port, ours:
        with theirs:
            guest = subprocess.Popen(
                [*UNSHARE, sys.executable, "-c", GUEST, str(theirs.fileno()), str(port)],
                env=ENVIRONMENT,
                pass_fds=[theirs.fileno()],
                stdout=subprocess.PIPE,
                text=True,
            )
        with guest:
            ours.settimeout(WAIT_S)
            _, (descriptor,), _, _ = socket.recv_fds(ours, 1, 1)
            rules = parse_rules([f"{HOST}:{port}", f"127.0.0.1:{port}"])
            names = Names({HOST: ["127.0.0.1"]})
            with EgressProxy(
                socket.socket(fileno=descriptor), rules, on_attempt=attempts, resolve=names
            ):
                output, _ = guest.communicate(timeout=WAIT_S)

    assert guest.returncode == 0
    direct, page, refusal = output.splitlines()
    assert direct == "direct ConnectionRefusedError"
    assert page == "hello"
    assert refusal.startswith(f"HTTP Error 403: evil.example:{port} is not granted")
    results = {attempt.number: attempt.result for attempt in attempts.seen}
    assert results == {1: Result.ALLOWED, 2: Result.REFUSED}


def test_a_name_does_not_lead_to_a_public_address_of_this_machine() -> None:
    done = subprocess.run(
        [*UNSHARE, sys.executable, "-c", WITH_A_PUBLIC_ADDRESS],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    by_name, by_address = done.stdout.splitlines()
    assert by_name.startswith("HTTP/1.1 403 a.example:80 leads to an address of this machine")
    assert by_address == "HTTP/1.1 200 Connection established"
