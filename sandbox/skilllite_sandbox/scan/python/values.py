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
TEXT_CHARS_MAX = 262_144  # of one text that is put together
ORIGINS_LOOKED_AT = 4096  # values in a value whose origins are its own
PLAIN_ITEMS_MAX = 65_536  # of one constant with all that is in it


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
    if not value.items and not value.attrs:
        return value.taints
    taints = {*value.taints}
    seen = {id(value)}
    level = [value]
    for _ in range(depth):
        below: list[Value] = []
        for each in level:
            below += (each.items or ())[:256]
            if each.attrs:
                below += list(each.attrs.values())[:256]
        # Each once: lists in lists in lists multiply.
        level = [
            each for each in {id(each): each for each in below}.values() if id(each) not in seen
        ]
        level = level[: max(0, ORIGINS_LOOKED_AT - len(seen))]
        seen.update(map(id, level))
        for each in level:
            taints |= each.taints
    return frozenset(taints)


def text_of(parts: Iterable[str]) -> str:
    """Return texts put together, as far as one text is followed."""
    made: list[str] = []
    left = TEXT_CHARS_MAX
    for part in parts:
        left -= len(part)
        if left < 0:
            made.append(UNKNOWN)
            break
        made.append(part)
    return "".join(made)


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


def plain(value: Value) -> Any:
    """Return a Python constant, lists and dicts included.

    Raises:
        ValueError: not all of it is known, or it is too large.
    """
    return value.const if value.is_const else _plain(value, 6, [PLAIN_ITEMS_MAX])


def _plain(value: Value, depth: int, left: list[int]) -> Any:
    if value.is_const:
        return value.const
    inside = value.items if value.items is not None else value.attrs
    if not depth or inside is None:
        raise ValueError("not known")
    left[0] -= len(inside)
    if left[0] < 0:
        raise ValueError("too large")
    if value.items is not None:
        made = [_plain(each, depth - 1, left) for each in value.items]
        return tuple(made) if value.kind == "tuple" else made
    if value.attrs is not None and value.kind == "dict":
        return {key: _plain(each, depth - 1, left) for key, each in value.attrs.items()}
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
