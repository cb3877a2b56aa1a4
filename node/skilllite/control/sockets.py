"""Addresses of Unix sockets in directories of any depth, and who is on the other end.

An AF_UNIX address holds 107 bytes. Below a long home the directory is opened first and the socket
is reached as `/proc/self/fd/N/control.sock`, which is short wherever the home lies.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    import trio

ADDRESS_BYTES_MAX = 107
SOCKET_MODE = 0o600
BACKLOG = 64
ROOT = 0

_PEER_CREDENTIALS = struct.Struct("3i")


@contextmanager
def short_address(path: Path) -> Iterator[str]:
    """Give a name of `path` that fits a socket address, valid inside the block."""
    if len(os.fsencode(path)) <= ADDRESS_BYTES_MAX:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


def connect(path: Path, *, timeout_s: float) -> socket.socket:
    """Connect to the socket at `path`; raises OSError as the kernel has it."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
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


def peer_is_trusted(connection: socket.socket | trio.socket.SocketType) -> bool:
    """Return whether this user or root is on the other end, as the kernel says."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
    _pid, user, _group = _PEER_CREDENTIALS.unpack(data)
    return user in (os.geteuid(), ROOT)
