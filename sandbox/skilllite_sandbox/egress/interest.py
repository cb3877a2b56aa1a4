"""What a connection waits for on its sockets, kept in step with the selector."""

from __future__ import annotations

import selectors
import socket


class Interests:
    """The selector's events that one owner waits for; the owner is the data of its keys."""

    def __init__(self, selector: selectors.BaseSelector, owner: object) -> None:
        self._selector = selector
        self._owner = owner
        self._events: dict[socket.socket, int] = {}

    def set(self, of: socket.socket, events: int) -> None:
        """Wait for these events on a socket, for none to leave it alone. Before it is closed."""
        before = self._events.pop(of, 0)
        if events:
            self._events[of] = events
        if events == before:
            return
        if not events:
            self._selector.unregister(of)
        elif before:
            self._selector.modify(of, events, self._owner)
        else:
            self._selector.register(of, events, self._owner)
