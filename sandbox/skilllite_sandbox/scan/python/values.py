"""What an expression stands for: a constant, a dotted name, a function of the skill, or unknown.

Texts may be known in part, with `UNKNOWN` for each piece that isn't. Every value carries where it
came from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skilllite_sandbox.scan.acts import Datum
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.taint import NO_TAINTS, Taint, Text

MISSING: Any = object()
"""The constant of a value that has none."""
ITEMS_MAX = 20_000  # of one list that is followed: a payload as numbers is some thousands


class Value:
    """One value. Lists and dicts are shared, as they are in the language."""

    __slots__ = ("attrs", "const", "function", "items", "kind", "owner", "ref", "taints")

    def __init__(
        self,
        const: Any = MISSING,
        *,
        ref: str = "",
        kind: str = "",
        items: list[Value] | None = None,
        attrs: dict[Any, Value] | None = None,
        function: Any = None,
        taints: frozenset[Taint] = NO_TAINTS,
    ) -> None:
        self.const = const
        """A number, text, bytes, None …; texts may hold `UNKNOWN`."""
        self.ref = ref
        """A dotted name: `os.system`, or `socket.socket()` for what a call of it returned."""
        self.kind = kind
        """What else matters about it: `path`, `clock`, `hidden` …"""
        self.items = items
        self.attrs = attrs
        """Of an object its attributes, of a dict its entries."""
        self.function = function
        self.taints = taints
        self.owner: Value | None = None
        """Of a method its object."""

    @property
    def is_const(self) -> bool:
        """Whether all of it is known."""
        if self.const is MISSING:
            return False
        return not (isinstance(self.const, str) and UNKNOWN in self.const)

    def with_taints(self, taints: Iterable[Taint]) -> Value:
        """Return the same value that came from elsewhere as well."""
        more = frozenset(taints)
        if more <= self.taints:
            return self
        value = Value(
            self.const,
            ref=self.ref,
            kind=self.kind,
            items=self.items,
            attrs=self.attrs,
            function=self.function,
            taints=self.taints | more,
        )
        return value

    def has(self, *data: Datum) -> bool:
        """Tell whether any of it came from one of these."""
        return any(taint.datum in data for taint in all_taints(self))

    def text(self) -> str:
        """Return it as text, known in part."""
        if isinstance(self.const, str):
            return self.const
        if isinstance(self.const, bytes):
            return self.const.decode("utf-8", "replace")
        if self.const is not MISSING and isinstance(self.const, (int, float)):
            return str(self.const)
        return UNKNOWN


def all_taints(value: Value, depth: int = 4) -> frozenset[Taint]:
    """Return where a value and what is in it came from."""
    taints = value.taints
    if depth and value.items:
        for item in value.items[:256]:
            taints |= all_taints(item, depth - 1)
    if depth and value.attrs:
        for item in list(value.attrs.values())[:256]:
            taints |= all_taints(item, depth - 1)
    return taints


def unknown(*origins: Value) -> Value:
    """Return something that was made of these."""
    taints = NO_TAINTS
    for each in origins:
        taints |= all_taints(each)
    return Value(taints=taints)


def joined(one: Value | None, other: Value) -> Value:
    """Return what either may be: the newer, with the origins of both."""
    if one is None or one is other:
        return other
    return other.with_taints(one.taints)


def plain(value: Value, depth: int = 6) -> Any:
    """Return a Python constant, lists and dicts included.

    Raises:
        ValueError: not all of it is known.
    """
    if value.is_const:
        return value.const
    if depth and value.items is not None:
        made = [plain(each, depth - 1) for each in value.items]
        return tuple(made) if value.kind == "tuple" else made
    if depth and value.attrs is not None and value.kind == "dict":
        return {key: plain(each, depth - 1) for key, each in value.attrs.items()}
    raise ValueError("not known")


def lift(const: Any, taints: frozenset[Taint] = NO_TAINTS, depth: int = 6) -> Value:
    """Return the value of a Python constant."""
    if isinstance(const, (list, tuple, set, frozenset)) and depth:
        items = [lift(each, taints, depth - 1) for each in list(const)[:ITEMS_MAX]]
        kind = "tuple" if isinstance(const, tuple) else "list"
        return Value(items=items, kind=kind, taints=taints)
    if isinstance(const, dict) and depth:
        attrs = {key: lift(each, taints, depth - 1) for key, each in const.items()}
        return Value(attrs=attrs, kind="dict", taints=taints)
    if isinstance(const, bytearray):
        const = bytes(const)
    if const is None or isinstance(const, (str, bytes, int, float, complex, type(...))):
        return Value(const, taints=taints)
    return Value(taints=taints)


def as_text(value: Value) -> Text:
    """Return a value as the other engines know text."""
    return Text(value.text(), all_taints(value))
