"""The head of a plain response, told to the client as the last one of its connection.

Our request says `Connection: close`, and a server closes after its answer; but not every server
says so. A client that hears nothing keeps the connection and may send its next request into it
just before the end arrives. So the head gets the words that are true here.

A courtesy to the client, no protection: whatever can't be read passes as it came.
"""

from __future__ import annotations

import re

HEAD_BYTES_MAX = 64 * 1024  # what clients accept; a longer one passes unread

_END = b"\r\n\r\n"
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (?P<status>[1-9][0-9]{2})(?: [^\r\n]*)?\r\n")
_PERSISTENCE = re.compile(rb"(?mi)^(?:connection|keep-alive|proxy-connection):[^\r\n]*\r\n")
_SWITCHED = 101  # from here on it isn't HTTP


class ResponseHead:
    """Passes a response on and changes only what its head says about the connection."""

    def __init__(self) -> None:
        self.is_passed = False
        """The head is through: the rest needs no looking at."""
        self._held = bytearray()

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the server, return what the client gets now."""
        if self.is_passed:
            return data
        self._held += data
        passed = b""
        while not self.is_passed:
            end = self._held.find(_END) + len(_END)
            if end < len(_END) and len(self._held) <= HEAD_BYTES_MAX:
                break
            head = bytes(self._held[:end])
            line = _STATUS_LINE.match(head)
            if line is None or int(line["status"]) == _SWITCHED:
                passed += self.finish()
            elif int(line["status"]) < 200:  # an interim answer, the real one follows
                passed += head
                del self._held[:end]
            else:
                fields = _PERSISTENCE.sub(b"", head[line.end() : -len(b"\r\n")])
                del self._held[:end]
                passed += line[0] + fields + b"Connection: close\r\n\r\n" + self.finish()
        return passed

    def finish(self) -> bytes:
        """Return what is still held, because nothing more comes or the head can't be read."""
        self.is_passed = True
        held = bytes(self._held)
        self._held.clear()
        return held
