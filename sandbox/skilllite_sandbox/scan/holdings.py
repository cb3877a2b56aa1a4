"""How much memory following one skill takes: what is held is counted, and there is an end to it.

What is freed and made again in the same place is counted once.
"""

from __future__ import annotations

from skilllite_sandbox.policy import MIB

HELD_BYTES_MAX = 96 * MIB  # of one engine for one skill: a payload is some KiB
SMALL_BYTES = 256  # texts that aren't counted: as many as there are steps take 40 MiB
SMALL_ITEMS = 16  # of a list that isn't counted
ENTRY_BYTES = 300  # of a value in a list or table


class OutOfBounds(Exception):
    """The work that one file or skill may cause is used up."""


class Holdings:
    """What is held for one skill."""

    def __init__(self, most: int = HELD_BYTES_MAX) -> None:
        self._left = most
        self._sizes: dict[int, int] = {}

    def take(self, size: int) -> None:
        """Count what is held to the end.

        Raises:
            OutOfBounds: there is no room for it.
        """
        self._left -= size
        if self._left < 0:
            raise OutOfBounds

    def hold(self, thing: object, size: int) -> None:
        """Count something by its place: what dies leaves that to others, counted in its stead.

        Raises:
            OutOfBounds: there is no room for it.
        """
        known = self._sizes.get(id(thing), 0)
        if size > known:
            self._sizes[id(thing)] = size
            self.take(size - known)
