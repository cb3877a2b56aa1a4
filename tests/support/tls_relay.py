"""A man in the middle: ends TLS with a certificate of its own and passes everything on."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from skilllite_swarm.identity import load_or_create_identity
from skilllite_swarm.team import open_team

CHUNK_BYTES = 16 * 1024
QUIET_TIMEOUT_S = 30.0


@contextmanager
def open_relay(target: tuple[str, int], directory: Path) -> Iterator[int]:
    """Listen on loopback, relay every connection to `target` in the clear, yield the port.

    The certificate is a real leaf, as a member of a rogue team would have: everything about it is
    in order but whose it is.
    """
    server_side, client_side = _contexts(directory)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(
            target=_accept, args=(listener, target, server_side, client_side), daemon=True
        )
        accepting.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    accepting.join(QUIET_TIMEOUT_S)


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


def _accept(
    listener: socket.socket,
    target: tuple[str, int],
    server_side: ssl.SSLContext,
    client_side: ssl.SSLContext,
) -> None:
    with suppress(OSError):
        while True:
            victim, _ = listener.accept()
            threading.Thread(
                target=_relay, args=(victim, target, server_side, client_side), daemon=True
            ).start()


def _relay(
    victim: socket.socket,
    target: tuple[str, int],
    server_side: ssl.SSLContext,
    client_side: ssl.SSLContext,
) -> None:
    with suppress(OSError), victim, socket.create_connection(target, QUIET_TIMEOUT_S) as inviter:
        victim.settimeout(QUIET_TIMEOUT_S)
        with (
            server_side.wrap_socket(victim, server_side=True) as towards_victim,
            client_side.wrap_socket(inviter) as towards_inviter,
        ):
            back = threading.Thread(
                target=_copy, args=(towards_inviter, towards_victim), daemon=True
            )
            back.start()
            _copy(towards_victim, towards_inviter)
            back.join(QUIET_TIMEOUT_S)


def _copy(source: ssl.SSLSocket, target: ssl.SSLSocket) -> None:
    with suppress(OSError, ValueError):
        while chunk := source.recv(CHUNK_BYTES):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
