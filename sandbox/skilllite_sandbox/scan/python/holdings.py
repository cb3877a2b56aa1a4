"""What following Python keeps: large constants, lists, origins, and the trees of the code."""

from __future__ import annotations

import re
import sys
from typing import Any

from skilllite_sandbox.policy import KIB
from skilllite_sandbox.scan.holdings import ENTRY_BYTES, SMALL_BYTES, SMALL_ITEMS, Holdings
from skilllite_sandbox.scan.python.sizes import ITEM_SIZE, weight
from skilllite_sandbox.scan.python.values import Value, lift
from skilllite_sandbox.scan.taint import Taint

NODE_BYTES = KIB  # of one node of a tree in Python's own objects, with its places
_ITEM_BYTES = 200  # of a value in a list
_TAINT_BYTES = 64
_WORD = re.compile(r"\w+")
_NODE_SIGNS = "\n;([{+-*/%<>!&|^~@:"  # where there is a node that no word stands for


class PythonHoldings(Holdings):
    """What is held for the Python files of one skill."""

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
        if const.__class__ in (str, bytes) and len(const) > SMALL_BYTES:
            self.hold(const, sys.getsizeof(const))
        if value.items is not None and len(value.items) > SMALL_ITEMS:
            self.hold(value.items, len(value.items) * _ITEM_BYTES)
        if value.attrs is not None and len(value.attrs) > SMALL_ITEMS:
            self.hold(value.attrs, len(value.attrs) * ENTRY_BYTES)
        if len(value.taints) > SMALL_ITEMS:
            self.hold(value.taints, len(value.taints) * _TAINT_BYTES)


def nodes_most(text: str) -> int:
    """Return how many nodes the tree of a text may have at most, without making it."""
    words = sum(1 for _ in _WORD.finditer(text))
    quotes = (text.count("'") + text.count('"')) // 2
    return words + quotes + text.count("...") + sum(map(text.count, _NODE_SIGNS))
