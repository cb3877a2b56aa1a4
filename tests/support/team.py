"""Two nodes of one team on loopback, without multicast: the smallest mesh."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from node_process import SKILLLITE, NodeProcess, eventually, skilllite

LOOPBACK = ("--host", "127.0.0.1", "--no-mdns", "--join-port", "0")


def free_port() -> int:
    """Return a port that nobody uses now: for nodes that must come back where they were."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def loopback_node(
    home: Path,
    name: str,
    *,
    port: int = 0,
    args: Sequence[str] = (),
    program: Sequence[str] = (SKILLLITE, "node", "start"),
    env: Mapping[str, str] | None = None,
) -> NodeProcess:
    """Return a node, not yet started, that listens on loopback and uses no multicast."""
    return NodeProcess(
        home, name=name, args=[*LOOPBACK, "--port", str(port), *args], program=program, env=env
    )


def join_by_address(newcomer: Path, inviter: NodeProcess) -> None:
    """Make the stopped node of home `newcomer` a member of the inviter's team."""
    code = inviter.cli("node", "invite").stdout.strip()
    port = inviter.json("node", "status", "--json")["join_port"]
    joined = skilllite("node", "join", code, "--peer", f"127.0.0.1:{port}", home=newcomer)
    assert joined.returncode == 0, joined.stderr


def wait_until_alive(node: NodeProcess, *names: str, within_s: float = 15.0) -> None:
    """Wait until `node` lists every one of `names` as alive."""

    def alive() -> bool:
        states = {p["name"]: p["state"] for p in node.json("peers", "--json")["peers"]}
        return all(states.get(name) == "alive" for name in names)

    eventually(alive, within_s=within_s)


@contextmanager
def open_team_of_two(directory: Path) -> Iterator[tuple[NodeProcess, NodeProcess]]:
    """Start nodes `one` (which invited) and `two` (which joined)."""
    one = loopback_node(directory / "one", "one")
    two = loopback_node(directory / "two", "two")
    try:
        one.start()
        join_by_address(two.home, one)
        two.start()
        wait_until_alive(one, "two")
        wait_until_alive(two, "one")
        yield one, two
    finally:
        two.stop()
        one.stop()


def write_skill(
    directory: Path, name: str, code: str, *, entry: str = "main.py", declares: str = ""
) -> Path:
    """Write a minimal skill and return its directory; `declares` is its compatibility."""
    skill = directory / name
    (skill / "scripts").mkdir(parents=True)
    (skill / "SKILL.md").write_text(
        f"---\nname: {name}\ndescription: Made for a test.\n"
        f"{f'compatibility: {declares}' if declares else ''}\n---\nTakes a JSON object.\n",
        encoding="utf-8",
    )
    (skill / "scripts" / entry).write_text(code, encoding="utf-8")
    return skill
