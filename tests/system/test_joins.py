"""Joining with real nodes: whose team, through whom, and who is kept out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lan import Host, missing_feature, open_lan
from node_process import NodeProcess, skilllite
from team import loopback_node, wait_until_alive
from tls_relay import open_relay

MISSING = missing_feature()
REFUSED = 3


def join_port(node: NodeProcess) -> int:
    return int(node.json("node", "status", "--json")["join_port"])


def team_of(home: Path) -> str:
    return str(json.loads((home / "team" / "team.json").read_text(encoding="utf-8"))["team_id"])


def test_a_relay_with_its_own_certificate_is_refused_and_the_honest_way_still_works(
    tmp_path: Path,
) -> None:
    newcomer = tmp_path / "newcomer"
    with loopback_node(tmp_path / "inviter", "inviter") as inviter:
        code = inviter.cli("node", "invite").stdout.strip()
        port = join_port(inviter)
        with open_relay(port, tmp_path / "relay") as relay_port:
            relayed = skilllite(
                "node", "join", code, "--peer", f"127.0.0.1:{relay_port}", home=newcomer
            )
        honest = skilllite("node", "join", code, "--peer", f"127.0.0.1:{port}", home=newcomer)
        team = team_of(inviter.home)

    assert relayed.returncode == REFUSED, relayed.stderr
    assert "the code is wrong" in relayed.stderr, "the proof itself has to fail, not the relay"
    assert "error:" in relayed.stderr
    assert "hint:" in relayed.stderr
    assert honest.returncode == 0, honest.stderr
    assert team_of(newcomer) == team


def test_the_inviter_is_told_about_a_failed_proof(tmp_path: Path) -> None:
    with loopback_node(tmp_path / "inviter", "inviter") as inviter:
        code = inviter.cli("node", "invite").stdout.strip()
        number, first, second, third = code.split("-")
        wrong = f"{number}-{second}-{first}-{third}"
        peer = f"127.0.0.1:{join_port(inviter)}"
        assert skilllite("node", "join", wrong, "--peer", peer, home=tmp_path / "n").returncode == 3
        log = inviter.log

    assert "fail" in log.lower() or "wrong" in log.lower(), log


def test_a_running_node_joins_without_a_restart(tmp_path: Path) -> None:
    inviter = loopback_node(tmp_path / "inviter", "inviter")
    newcomer = loopback_node(tmp_path / "newcomer", "newcomer")
    with inviter, newcomer:
        pid = newcomer.pid
        code = inviter.cli("node", "invite").stdout.strip()
        joined = newcomer.cli("node", "join", code, "--peer", f"127.0.0.1:{join_port(inviter)}")
        assert joined.returncode == 0, joined.stderr
        wait_until_alive(newcomer, "inviter")
        wait_until_alive(inviter, "newcomer")

        request = '{"operation": "add", "a": 2, "b": 3}'
        done = newcomer.json(
            "submit", "--skill", "calculator", request, "--on", "inviter", "--json"
        )

        assert done["output"]["result"] == 5
        assert newcomer.pid == pid
        others = newcomer.cli("node", "invite")
        assert others.returncode != 0
        assert "inviter" in others.stderr


def test_a_node_that_leaves_is_shown_as_left_and_kept_out(tmp_path: Path) -> None:
    inviter = loopback_node(tmp_path / "inviter", "inviter")
    newcomer = loopback_node(tmp_path / "newcomer", "newcomer")
    with inviter, newcomer:
        code = inviter.cli("node", "invite").stdout.strip()
        peer = f"127.0.0.1:{join_port(inviter)}"
        assert newcomer.cli("node", "join", code, "--peer", peer).returncode == 0
        wait_until_alive(inviter, "newcomer")

        left = newcomer.cli("node", "leave")

        assert left.returncode == 0, left.stderr
        assert team_of(newcomer.home) != team_of(inviter.home)
        states = {p["name"]: p["state"] for p in inviter.json("peers", "--json")["peers"]}
        assert states["newcomer"] == "left"
        refused = newcomer.cli("submit", "--skill", "calculator", "{}", "--on", "inviter")
        assert refused.returncode != 0


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
def test_two_teams_that_invite_at_the_same_time_don_t_mix(tmp_path: Path) -> None:
    def node(host: Host) -> NodeProcess:
        return NodeProcess(tmp_path / host.name / "home", name=host.name, command=host.command)

    def join(host: Host, home: Path, code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            host.command([sys.executable, "-m", "skilllite", "node", "join", code]),
            capture_output=True,
            text=True,
            timeout=60,
            cwd=home.parent,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SKILLLITE_HOME": str(home)},
            stdin=subprocess.DEVNULL,
        )

    with open_lan("red", "blue", "red-two", "blue-two") as (red, blue, red_two, blue_two):
        red_node, blue_node = node(red), node(blue)
        with red_node, blue_node:
            red_code = red_node.cli("node", "invite").stdout.strip()
            blue_code = blue_node.cli("node", "invite").stdout.strip()
            homes = {host.name: tmp_path / host.name / "home" for host in (red_two, blue_two)}
            for home in homes.values():
                home.parent.mkdir()
            second = join(blue_two, homes["blue-two"], blue_code)
            first = join(red_two, homes["red-two"], red_code)
            teams = {name: team_of(home) for name, home in homes.items()}

            assert first.returncode == 0, first.stderr
            assert second.returncode == 0, second.stderr
            assert teams["red-two"] == team_of(red_node.home)
            assert teams["blue-two"] == team_of(blue_node.home)
            assert teams["red-two"] != teams["blue-two"]
