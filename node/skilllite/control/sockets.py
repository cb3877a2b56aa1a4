"""Addresses of Unix sockets in directories of any depth, and who is on the other end.

An AF_UNIX address holds 107 bytes. Below a long home the directory is opened first and the socket
is reached as `/proc/self/fd/N/control.sock`, which is short wherever the home lies.
"""

from __future__ import annotations

import os
import sys
from _socket import AF_UNIX, SO_PEERCRED, SOCK_STREAM, SOL_SOCKET
from _socket import socket as Socket
from collections.abc import Iterator
from contextlib import contextmanager

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    import socket
    from pathlib import Path

    import trio

ADDRESS_BYTES_MAX = 107
SOCKET_MODE = 0o600
BACKLOG = 64
ROOT = 0

_INT_BYTES = 4
_PEER_CREDENTIALS_BYTES = 3 * _INT_BYTES  # process, user, group


@contextmanager
def short_address(path: str | Path) -> Iterator[str]:
    """Give a name of `path` that fits a socket address, valid inside the block."""
    name = os.fspath(path)
    if len(os.fsencode(name)) <= ADDRESS_BYTES_MAX:
        yield name
        return
    folder, base = os.path.split(name)
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{base}"
    finally:
        os.close(directory)


def connect(path: str | Path, *, timeout_s: float) -> Socket:
    """Connect to the socket at `path`; raises OSError as the kernel has it."""
    # Not socket.socket: its module costs every command that talks to a node 4 ms.
    connection = Socket(AF_UNIX, SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        with short_address(path) as address:
            connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def listen(path: Path) -> socket.socket:
    """Listen at `path`, for this user alone; replaces a socket that a dead node left.

    The caller holds the node's lock, so whatever lies there belongs to nobody alive.
    """
    import socket
    import stat

    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(17, "something that is not a socket is in its place", str(path))
        path.unlink()
    except FileNotFoundError:
        pass
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_address(path) as address:
            listener.bind(address)
            # Nobody else could reach it in between: the directory is 0700.
            os.chmod(address, SOCKET_MODE)  # noqa: PTH101 - the address, not the path, is short
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def peer_is_trusted(connection: Socket | trio.socket.SocketType) -> bool:
    """Return whether this user or root is on the other end, as the kernel says."""
    return user_of_peer(connection) in (os.geteuid(), ROOT)


def user_of_peer(connection: Socket | trio.socket.SocketType) -> int:
    """Return the user on the other end, as the kernel says."""
    data = connection.getsockopt(SOL_SOCKET, SO_PEERCRED, _PEER_CREDENTIALS_BYTES)
    return int.from_bytes(data[_INT_BYTES : 2 * _INT_BYTES], sys.byteorder)
