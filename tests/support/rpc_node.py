"""A process that serves one member over gRPC until its stdin closes: `rpc_node.py KEYS PORT`.

KEYS holds key.pem, leaf.pem and ca.pem. Prints the port when it is ready.
"""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from skilllite_swarm.bridge import open_bridge
from skilllite_swarm.identity import certificate_facts, load_or_create_identity
from skilllite_swarm.rpc import serve_mesh
from skilllite_swarm.task import Accepted, RunEvent, RunRequest
from skilllite_swarm.transport import Caller, TlsMaterial
from swarm_world import EchoNode, Member, ScriptedTasks


async def never_end(_caller: Caller, _request: RunRequest, send: object) -> None:
    assert callable(send)
    event: RunEvent = Accepted()
    await send(event)
    await trio.sleep_forever()


async def main(keys: Path, port: int) -> None:
    leaf = (keys / "leaf.pem").read_bytes()
    facts = certificate_facts(leaf)
    tls = TlsMaterial(
        node_id=facts.node_id,
        team_id=facts.team_id,
        private_key_pem=(keys / "key.pem").read_bytes(),
        leaf_pem=leaf,
        ca_pem=(keys / "ca.pem").read_bytes(),
    )
    member = Member("served", load_or_create_identity(keys / "signing"), tls)
    async with (
        open_bridge() as bridge,
        serve_mesh(
            bridge,
            lambda: tls,
            host="127.0.0.1",
            port=port,
            nodes=EchoNode(member),
            tasks=ScriptedTasks(never_end),
        ) as bound,
    ):
        print(bound, flush=True)
        await trio.lowlevel.wait_readable(sys.stdin)


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]), int(sys.argv[2]))
