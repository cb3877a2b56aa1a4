"""Sees whoever opens or changes a file below some directories, by inotify."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

_NONBLOCKING = os.O_NONBLOCK | os.O_CLOEXEC
_OPEN, _ACCESS, _MODIFY, _ATTRIBUTES = 0x20, 0x1, 0x2, 0x4
_MOVED, _CREATE, _DELETE = 0xC0, 0x100, 0x200
_EVENTS = _OPEN | _ACCESS | _MODIFY | _ATTRIBUTES | _MOVED | _CREATE | _DELETE
_HEADER = struct.Struct("iIII")


class FileWatch:
    """Events of every directory below `root`, as it is when this is made."""

    def __init__(self, root: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(_NONBLOCKING)
        self._names: dict[int, Path] = {}
        for directory in (root, *(path for path in root.rglob("*") if path.is_dir())):
            number = libc.inotify_add_watch(self._descriptor, os.fsencode(directory), _EVENTS)
            assert number >= 0, os.strerror(ctypes.get_errno())
            self._names[number] = directory
        self.seen()  # looking for directories opened them

    def seen(self) -> list[str]:
        """Return what was touched since the last call."""
        found: list[str] = []
        while True:
            try:
                data = os.read(self._descriptor, 65_536)
            except BlockingIOError:
                return found
            position = 0
            while position < len(data):
                number, mask, _, length = _HEADER.unpack_from(data, position)
                start = position + _HEADER.size
                name = data[start : start + length].rstrip(b"\0").decode()
                found.append(f"{self._names.get(number, '?')}/{name}: {mask:#x}")
                position = start + length

    def close(self) -> None:
        """Stop watching."""
        os.close(self._descriptor)
