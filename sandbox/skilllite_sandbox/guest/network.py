"""The one socket of a skill with network: made inside its namespace, listened to by the host.

A program in the sandbox connects to it as to an HTTP proxy. The namespace has no other interface,
no route and no name service.
"""

import fcntl
import os
from _socket import AF_INET, SCM_RIGHTS, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET, socket

from skilllite_sandbox.guest import report

LOOPBACK = "127.0.0.1"
_BACKLOG = 64  # connections waiting for the host, far above what one skill opens at once
_SIOCSIFFLAGS = 0x8914
_IFF_UP_LOOPBACK_RUNNING = 0x1 | 0x8 | 0x40
_IFREQ_BYTES = 40


def offer_listener(port: int, channel: int) -> None:
    """Listen on the loopback interface and hand the listening socket to the host."""
    listener = socket(AF_INET, SOCK_STREAM)
    listener.bind((LOOPBACK, port))
    listener.listen(_BACKLOG)
    descriptor = listener.detach()
    content = descriptor.to_bytes(4, "little")
    messages = socket(fileno=channel)
    messages.sendmsg([report.LISTENER], [(SOL_SOCKET, SCM_RIGHTS, content)])
    messages.detach()
    os.close(descriptor)


def bring_loopback_up() -> None:
    """Turn on the one interface that a new network namespace has."""
    control = socket(AF_INET, SOCK_DGRAM)
    flags = _IFF_UP_LOOPBACK_RUNNING.to_bytes(2, "little")
    request = (b"lo".ljust(16, b"\0") + flags).ljust(_IFREQ_BYTES, b"\0")
    fcntl.ioctl(control.detach(), _SIOCSIFFLAGS, request)
