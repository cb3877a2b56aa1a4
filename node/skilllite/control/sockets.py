"""Addresses of Unix sockets in directories of any depth, and who is on the other end.

An AF_UNIX address holds 107 bytes. Below a long home the directory is opened first and the socket
is reached as `/proc/self/fd/N/control.sock`, which is short wherever the home lies.
"""

from __future__ import annotations

import os
import sys
from _socket import AF_UNIX, SO_PEERCRED, SOCK_STREAM, SOL_SOCKET
from _socket import socket as Socket

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


class ShortAddress:
    """Gives a name of `path` that fits a socket address, valid inside the block."""

    def __init__(self, path: str | Path) -> None:
        self._name = os.fspath(path)
        self._directory = -1

    def __enter__(self) -> str:
        if len(os.fsencode(self._name)) <= ADDRESS_BYTES_MAX:
            return self._name
        folder, base = os.path.split(self._name)
        self._directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._directory}/{base}"

    def __exit__(self, *_: object) -> None:
        if self._directory >= 0:
            os.close(self._directory)


def connect(path: str | Path, *, timeout_s: float) -> Socket:
    """Connect to the socket at `path`; raises OSError as the kernel has it."""
    # Not socket.socket: its module costs every command that talks to a node 4 ms.
    connection = Socket(AF_UNIX, SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        with ShortAddress(path) as address:
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
        with ShortAddress(path) as address:
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
