"""Connecting to the first of some addresses that answers, without blocking.

Only numbers are connected to: what was checked is what is dialled, nothing is resolved again.
"""

from __future__ import annotations

import errno
import os
import socket
from collections import deque

from skilllite_sandbox.egress.addresses import Address
from skilllite_sandbox.egress.resolution import family_of

ADDRESSES_TRIED_MAX = 8  # of one name, best first; within the time for connecting no more answer
SHARE_LEAST_S = 1.5  # for one of several addresses: a lost SYN is repeated after 1 s


class Dial:
    """Attempts to connect, one address after the other until `until` on the loop's clock."""

    def __init__(self, addresses: tuple[Address, ...], port: int, until: float) -> None:
        self.address: Address | None = None
        """The one that is tried now."""
        self.socket: socket.socket | None = None
        self.deadline = until
        """When the present address has had its share."""
        self.problem = "no answer"
        """Why the last address didn't work."""
        self._left = deque(addresses[:ADDRESSES_TRIED_MAX])
        self._port = port
        self._until = until

    def try_next(self, now: float) -> bool:
        """Begin with the next address; return whether one is under way."""
        self.close()
        while self._left and now < self._until:
            share_s = max((self._until - now) / len(self._left), SHARE_LEAST_S)
            self.address = self._left.popleft()
            self.deadline = min(now + share_s, self._until) if self._left else self._until
            if self._begin(self.address):
                return True
            self.close()
        return False

    def is_late(self, now: float) -> bool:
        """Whether the time for all addresses is over."""
        return now >= self._until

    def is_connected(self) -> bool:
        """Ask whether an attempt that became ready succeeded."""
        assert self.socket is not None
        status = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if status:
            self.problem = os.strerror(status)
        return not status

    def take(self) -> socket.socket:
        """Hand the connected socket over."""
        taken, self.socket = self.socket, None
        assert taken is not None
        return taken

    def close(self) -> None:
        """Give the present attempt up."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def _begin(self, address: Address) -> bool:
        try:
            self.socket = socket.socket(family_of(address), socket.SOCK_STREAM)
            self.socket.setblocking(False)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            status = self.socket.connect_ex((str(address), self._port))
        except OSError as error:
            self.problem = error.strerror or str(error)
            return False
        if status in (0, errno.EINPROGRESS):
            return True
        self.problem = os.strerror(status)
        return False
