"""Three hosts on a LAN become one mesh; a fourth that isn't in the team gets nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lan import Host, missing_feature, open_lan
from node_process import NodeProcess, eventually, skilllite

MISSING = missing_feature()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))

ALL_LISTED_WITHIN_S = 3.0
LINK_DOWN_SEEN_WITHIN_S = 5.0
LINK_UP_WORKS_WITHIN_S = 15.0

ONLY_ON_C = """\
import json, sys
json.dump({"double": json.load(sys.stdin)["n"] * 2}, sys.stdout)
"""


@dataclass
class Team:
    """Three members and a stranger, each on a host of its own."""

    nodes: dict[str, NodeProcess]
    hosts: dict[str, Host]

    def __getitem__(self, name: str) -> NodeProcess:
        return self.nodes[name]


def node_on(host: Host, directory: Path) -> NodeProcess:
    return NodeProcess(directory / "home", name=host.name, command=host.command)


def add_skill(node: NodeProcess, name: str, code: str) -> None:
    directory = node.home / "skills" / name
    (directory / "scripts").mkdir(parents=True)
    (directory / "SKILL.md").write_text(
        f"---\nname: {name}\ndescription: Doubles a number n.\n---\nTakes n.\n", encoding="utf-8"
    )
    (directory / "scripts/main.py").write_text(code, encoding="utf-8")


def peer_states(node: NodeProcess) -> dict[str, str]:
    listed = node.json("peers", "--json")
    return {peer["name"]: peer["state"] for peer in listed["peers"]}


def join(node: NodeProcess, host: Host, code: str) -> subprocess.CompletedProcess[str]:
    # The node isn't running, so the join happens in this very process: it must be on the host.
    return subprocess.run(
        host.command([sys.executable, "-m", "skilllite", "node", "join", code]),
        capture_output=True,
        text=True,
        timeout=60,
        cwd=node.home.parent,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SKILLLITE_HOME": str(node.home)},
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A invites B and C, by the code alone; the stranger starts a team of its own."""
    with open_lan("alpha", "bravo", "charlie", "mallory") as hosts:
        by_name = {host.name: host for host in hosts}
        nodes = {host.name: node_on(host, tmp_path_factory.mktemp(host.name)) for host in hosts}
        add_skill(nodes["charlie"], "only-on-c", ONLY_ON_C)
        try:
            nodes["alpha"].start()
            for name in ("bravo", "charlie"):
                code = nodes["alpha"].cli("node", "invite").stdout.strip()
                joined = join(nodes[name], by_name[name], code)
                assert joined.returncode == 0, joined.stderr
            nodes["mallory"].start()
            nodes["bravo"].start()
            nodes["charlie"].start()
            yield Team(nodes, by_name)
        finally:
            for node in nodes.values():
                node.stop()


def test_all_members_are_listed_everywhere_soon_after_the_last_is_ready(team: Team) -> None:
    members = ("alpha", "bravo", "charlie")

    def everyone_sees_everyone() -> bool:
        return all(
            peer_states(team[me]) == {other: "alive" for other in members if other != me}
            for me in members
        )

    eventually(everyone_sees_everyone, within_s=ALL_LISTED_WITHIN_S, every_s=0.05)

    took_s = time.monotonic() - max(team[name].ready_at for name in members)
    assert took_s <= ALL_LISTED_WITHIN_S


def test_a_task_runs_on_the_only_host_that_has_its_skill(team: Team) -> None:
    done = eventually(lambda: _succeeded(team["alpha"], "only-on-c", {"n": 21}), within_s=5.0)

    assert done["output"] == {"double": 42}
    assert done["node_name"] == "charlie"


def test_a_bundled_skill_runs_on_a_named_peer(team: Team) -> None:
    request = json.dumps({"operation": "add", "a": 15, "b": 27})

    done = team["bravo"].json("submit", "--skill", "calculator", request, "--on", "alpha", "--json")

    assert done["state"] == "succeeded"
    assert done["output"]["result"] == 42
    assert done["node_name"] == "alpha"


def test_a_pulled_cable_is_reported_and_a_plugged_one_heals(team: Team) -> None:
    eventually(lambda: _succeeded(team["alpha"], "only-on-c", {"n": 1}), within_s=5.0)

    team.hosts["charlie"].link_down()
    down_at = time.monotonic()
    try:
        eventually(
            lambda: peer_states(team["alpha"])["charlie"] != "alive",
            within_s=LINK_DOWN_SEEN_WITHIN_S,
        )
        refused = team["alpha"].cli("submit", "--skill", "only-on-c", '{"n": 2}')
        failed_after_s = time.monotonic() - down_at
    finally:
        team.hosts["charlie"].link_up()
        up_at = time.monotonic()

    assert refused.returncode != 0
    assert "only-on-c" in refused.stderr
    assert "hint:" in refused.stderr
    assert failed_after_s <= LINK_DOWN_SEEN_WITHIN_S
    eventually(
        lambda: _succeeded(team["alpha"], "only-on-c", {"n": 3}), within_s=LINK_UP_WORKS_WITHIN_S
    )
    assert time.monotonic() - up_at <= LINK_UP_WORKS_WITHIN_S


def test_a_stranger_on_the_same_lan_can_do_nothing(team: Team) -> None:
    mallory = team["mallory"]

    listed = mallory.json("peers", "--json")
    asked = mallory.cli("submit", "--skill", "only-on-c", '{"n": 1}')
    named = mallory.cli("submit", "--skill", "calculator", "{}", "--on", "alpha")

    assert [peer for peer in listed["peers"] if peer["state"] == "alive"] == []
    shown = json.dumps(listed)
    assert not any(word in shown for word in ("only-on-c", "alpha", "bravo", "charlie"))
    assert asked.returncode != 0
    assert named.returncode != 0
    for name in ("alpha", "bravo", "charlie"):
        assert "mallory" not in peer_states(team[name])


def test_a_stranger_who_names_an_address_is_told_which_step_failed(
    team: Team, tmp_path: Path
) -> None:
    host = team.hosts["mallory"]
    address = f"{team.hosts['alpha'].address}:{_port(team['alpha'])}"
    stranger = NodeProcess(
        tmp_path / "home",
        name="trudy",
        command=host.command,
        args=("--peer", address, "--port", "0", "--join-port", "0", "--no-mdns"),
    )

    with stranger:
        listed = eventually(
            lambda: [
                peer
                for peer in stranger.json("peers", "--json")["peers"]
                if peer["state"] == "unreachable" and peer.get("why")
            ],
            within_s=10.0,
        )

    assert address in json.dumps(listed[0])
    assert "team" in listed[0]["why"]


def _port(node: NodeProcess) -> int:
    return int(node.json("node", "status", "--json")["port"])


def _succeeded(node: NodeProcess, skill: str, arguments: object) -> Any:
    done = node.cli("submit", "--skill", skill, json.dumps(arguments), "--json")
    return json.loads(done.stdout) if done.returncode == 0 else None


def test_the_cli_explains_itself_when_no_node_runs(tmp_path: Path) -> None:
    done = skilllite("peers", "--json", home=tmp_path / "home")

    assert done.returncode == 1
    assert "skilllite node start" in done.stderr
