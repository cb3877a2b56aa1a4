"""How much memory following one skill takes: what is held is counted, and there is an end to it.

Counted where it is made, by what it is: large constants, lists, origins, and the trees of code.
What is freed and made again in the same place is counted once.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from skilllite_sandbox.policy import KIB, MIB
from skilllite_sandbox.scan.python.sizes import ITEM_SIZE, weight
from skilllite_sandbox.scan.python.values import Value, lift
from skilllite_sandbox.scan.record import OutOfBounds
from skilllite_sandbox.scan.taint import Taint

HELD_BYTES_MAX = 96 * MIB  # of one skill: a payload is some KiB, the trees of 400 KiB of code 64
NODE_BYTES = KIB  # of one node of a tree in Python's own objects, with its places
_SMALL_BYTES = 256  # constants that aren't counted: as many as there are steps take 40 MiB
_SMALL_ITEMS = 16
_ITEM_BYTES = 200  # of a value in a list
_ENTRY_BYTES = 300
_TAINT_BYTES = 64
_WORD = re.compile(r"\w+")
_NODE_SIGNS = "\n;([{+-*/%<>!&|^~@:"  # where there is a node that no word stands for


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

    def lifted(self, const: Any, taints: frozenset[Taint]) -> Value:
        """Return the value of a constant that was computed.

        Raises:
            OutOfBounds: there is no room for what is in it.
        """
        if isinstance(const, (list, tuple, dict, set, frozenset)):
            self.take(weight(const) // ITEM_SIZE * _ITEM_BYTES)
        return lift(const, taints)

    def note(self, value: Value) -> None:
        """Count a value that was made, or has grown.

        Raises:
            OutOfBounds: there is no room for it.
        """
        const = value.const
        if const.__class__ in (str, bytes) and len(const) > _SMALL_BYTES:
            self._hold(const, sys.getsizeof(const))
        if value.items is not None and len(value.items) > _SMALL_ITEMS:
            self._hold(value.items, len(value.items) * _ITEM_BYTES)
        if value.attrs is not None and len(value.attrs) > _SMALL_ITEMS:
            self._hold(value.attrs, len(value.attrs) * _ENTRY_BYTES)
        if len(value.taints) > _SMALL_ITEMS:
            self._hold(value.taints, len(value.taints) * _TAINT_BYTES)

    def _hold(self, thing: object, size: int) -> None:
        # By its place: what dies leaves it to others, whose size then counts in its stead.
        known = self._sizes.get(id(thing), 0)
        if size > known:
            self._sizes[id(thing)] = size
            self.take(size - known)


def nodes_most(text: str) -> int:
    """Return how many nodes the tree of a text may have at most, without making it."""
    words = sum(1 for _ in _WORD.finditer(text))
    quotes = (text.count("'") + text.count('"')) // 2
    return words + quotes + text.count("...") + sum(map(text.count, _NODE_SIGNS))
