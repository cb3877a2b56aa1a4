"""Skills that were granted one host, each with the client that its language comes with."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from egress_lab import HOST, Names
from sandbox_lab import require
from skill_files import make_skill
from skilllite_sandbox.egress import proxy
from skilllite_sandbox.outcome import Outcome
from skilllite_sandbox.policy import Level, Tier
from skilllite_sandbox.sandbox import Sandbox
from web_server import web_server

TIERS = [Tier.FULL, Tier.BWRAP]
ADDRESS = "127.0.0.1"

PYTHON = """
import json, sys, urllib.error, urllib.request
urls = json.load(sys.stdin)["urls"]
found = []
for url in urls:
    try:
        with urllib.request.urlopen(url, timeout=20) as page:
            found.append([page.status, page.read().decode()])
    except urllib.error.HTTPError as error:
        found.append([error.code, ""])
print(json.dumps(found))
"""

# Node's own `http` names the host it connects to, which is the proxy, as Host.
NODE_GET = """
const http = require('http');
const proxy = new URL(process.env.http_proxy);
const {urls} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const get = url => new Promise((done, failed) => {
  http.get({host: proxy.hostname, port: proxy.port, path: url}, answer => {
    let text = '';
    answer.on('data', data => text += data);
    const read = () => answer.statusCode === 200 ? text : '';
    answer.on('end', () => done([answer.statusCode, read()]));
  }).on('error', failed);
});
(async () => {
  const found = [];
  for (const url of urls) found.push(await get(url));
  console.log(JSON.stringify(found));
})();
"""

NODE_TUNNEL = """
const http = require('http');
const proxy = new URL(process.env.http_proxy);
const {urls} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const get = url => new Promise((done, failed) => {
  const {host, pathname} = new URL(url);
  const asked = http.request(
    {host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: host});
  asked.on('connect', (answer, socket) => {
    if (answer.statusCode !== 200) { socket.destroy(); done([answer.statusCode, '']); return; }
    http.get({createConnection: () => socket, path: pathname, headers: {host}}, page => {
      let text = '';
      page.on('data', data => text += data);
      page.on('end', () => done([page.statusCode, text]));
    }).on('error', failed);
  });
  asked.on('error', failed);
  asked.end();
});
(async () => {
  const found = [];
  for (const url of urls) found.push(await get(url));
  console.log(JSON.stringify(found));
})();
"""
CLIENTS = {
    "urllib": ("python", PYTHON),
    "http of node": ("node", NODE_GET),
    "a tunnel of node": ("node", NODE_TUNNEL),
}
FILES = {"python": "scripts/main.py", "node": "scripts/main.js"}


@pytest.fixture
def port() -> Iterator[int]:
    with web_server() as opened:
        yield opened


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """The only names that this machine resolves."""
    made = Names({HOST: [ADDRESS], "evil.example": [ADDRESS]})
    monkeypatch.setattr(proxy, "EgressProxy", partial(proxy.EgressProxy, resolve=made))
    return made


def run(skill: Path, tier: Tier, grants: list[str], urls: list[str]) -> Outcome:
    with Sandbox(Level.ISOLATED, tier=tier, pool=False) as sandbox:
        if tier is Tier.FULL and sandbox.probe.tier is not Tier.FULL:
            pytest.skip("this host has no tier full")
        return sandbox.run(skill, {"urls": urls}, network=grants)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_skill_reads_from_the_host_it_was_granted_and_from_no_other(
    client: str, tier: Tier, port: int, names: Names, tmp_path: Path
) -> None:
    language, script = CLIENTS[client]
    require(language)
    grants = [f"{HOST}:{port}", f"{ADDRESS}:{port}"]
    skill = make_skill(
        tmp_path,
        extra=f'metadata:\n  skilllite.network: "{" ".join(grants)}"\n',
        files={FILES[language]: script},
    )

    outcome = run(skill, tier, grants, [f"http://{HOST}:{port}/a", f"http://evil.example:{port}/b"])

    assert outcome.output == [[200, f"{HOST}:{port} /a"], [403, ""]], outcome
    assert names.asked == [HOST]
    assert [attempt.host for attempt in outcome.network] == [HOST, "evil.example"]
