"""Attacks over the network and over Unix sockets."""

from __future__ import annotations

import pytest

from sandbox_lab import Lab, Listener, assert_only_unsandboxed

PYTHON = """
import json, socket, sys, urllib.request
facts = json.load(sys.stdin)

def reaches(family, address):
    try:
        with socket.socket(family) as client:
            client.settimeout(5)
            client.connect(address)
            return bool(client.recv(5))
    except OSError:
        return False

def udp():
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            return sender.sendto(b"x", ("127.0.0.1", facts["port"])) == 1
    except OSError:
        return False

print(json.dumps({
    "loopback": reaches(socket.AF_INET, ("127.0.0.1", facts["port"])),
    "unix": reaches(socket.AF_UNIX, facts["path"]),
    "abstract": reaches(socket.AF_UNIX, "\\0" + facts["abstract"]),
    "udp": udp(),
}))
"""

NODE = """
const net = require('net');
const facts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const reaches = target => new Promise(done => {
  try {
    const client = net.connect(target);
    client.on('data', () => { client.destroy(); done(true); });
    client.on('error', () => done(false));
  } catch (error) { done(false); }
});
Promise.all([reaches({host: '127.0.0.1', port: facts.port}), reaches({path: facts.path})])
  .then(([loopback, unix]) => console.log(JSON.stringify({loopback, unix})));
"""

BASH = """
port=$(jq .port)
if (exec 3<>"/dev/tcp/127.0.0.1/$port" && read -r -n 5 -u 3 word) 2>"$TMPDIR/err"
then echo '{"loopback": true}'; else echo '{"loopback": false}'; fi
"""


@pytest.mark.parametrize(
    ("language", "script"), [("python", PYTHON), ("node", NODE), ("bash", BASH)]
)
def test_no_server_of_the_host_can_be_reached(
    lab: Lab, listener: Listener, language: str, script: str
) -> None:
    facts = {"port": listener.port, "path": listener.path, "abstract": listener.abstract}

    achieved = lab.attack(language, script, **facts)

    assert_only_unsandboxed(achieved)
    assert listener.visits == len(achieved[1]) - ("udp" in achieved[1])


def test_no_socket_of_any_family_can_be_made(lab: Lab) -> None:
    script = """
import json, socket
made = []
for family in range(1, 46):
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(family, kind).close()
            made.append([family, kind])
        except OSError:
            pass
left, right = socket.socketpair()
left.sendall(b"x")
try:
    socket.getaddrinfo("localhost", 80)
    resolved = True
except OSError:
    resolved = False
print(json.dumps({"made": made, "pair": right.recv(1) == b"x", "resolved": resolved}))
"""
    for result in lab.run(lab.skill("python", script), (2, 3), {}).values():
        said = result.said
        assert said["made"] == []
        assert said["pair"], "a pair without a name is harmless and asyncio needs it"
