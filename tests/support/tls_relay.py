"""A man in the middle: ends TLS with a certificate of its own and passes everything on.

    python tls_relay.py PORT DIRECTORY     # relays to PORT on loopback, prints its own port

A process of its own, so that it can be ended at any moment.
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from skilllite_swarm.identity import load_or_create_identity
from skilllite_swarm.team import open_team

CHUNK_BYTES = 16 * 1024


@contextmanager
def open_relay(target_port: int, directory: Path) -> Iterator[int]:
    """Listen on loopback, relay every connection to `target_port` in the clear, yield the port.

    The certificate is a real leaf, as a member of a rogue team would have: everything about it is
    in order but whose it is.
    """
    with subprocess.Popen(
        [sys.executable, __file__, str(target_port), str(directory)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def _contexts(directory: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    identity = load_or_create_identity(directory / "keys")
    tls = open_team(directory / "team", directory / "keys", identity, datetime.now(UTC)).tls
    chain = directory / "chain.pem"
    chain.write_bytes(tls.private_key_pem + tls.leaf_pem)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(chain)
    server_side.set_alpn_protocols(["h2"])
    client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_side.check_hostname = False
    client_side.verify_mode = ssl.CERT_NONE
    client_side.set_alpn_protocols(["h2"])
    return server_side, client_side


async def _serve(target_port: int, directory: Path) -> None:
    server_side, client_side = _contexts(directory)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            inviter = await asyncio.open_connection("127.0.0.1", target_port, ssl=client_side)
            await asyncio.gather(_copy(reader, inviter[1]), _copy(inviter[0], writer))

    server = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=server_side)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
