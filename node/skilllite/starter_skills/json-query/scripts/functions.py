"""What can be asked of a single JSON value: its type, equality, and the functions of a path."""

from __future__ import annotations

import math
from collections.abc import Callable

from contract import Refusal


def equal(left: object, right: object) -> bool:
    """Return whether two JSON values are the same; unlike in Python, true is not 1."""
    return _identity(left) == _identity(right)


def _identity(value: object) -> object:
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, list):
        return ("list", tuple(_identity(item) for item in value))
    if isinstance(value, dict):
        return ("object", frozenset((key, _identity(item)) for key, item in value.items()))
    return value


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def type_name(value: object) -> str:
    names = {str: "string", bool: "boolean", list: "list", dict: "object", type(None): "null"}
    return names.get(type(value), "number")


def _sized(value: object) -> int:
    if not isinstance(value, str | list | dict):
        raise Refusal(f"path: length() needs a list, an object or a string, not {type_name(value)}")
    return len(value)


def _object(name: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Refusal(f"path: {name}() needs an object, not {type_name(value)}")
    return value


def _list(name: str, value: object) -> list[object]:
    if not isinstance(value, list):
        hint = "; write '| ' before it to gather selected values"
        raise Refusal(f"path: {name}() needs a list, not {type_name(value)}{hint}")
    return value


def _numbers(name: str, value: object) -> list[int | float]:
    items = _list(name, value)
    if not all(is_number(item) for item in items):
        raise Refusal(f"path: {name}() needs a list of numbers")
    return items


def _ordered(name: str, value: object, *, empty: bool) -> list[object]:
    items = _list(name, value)
    if not (all(map(is_number, items)) or all(isinstance(item, str) for item in items)):
        raise Refusal(f"path: {name}() needs a list of numbers only or of strings only")
    if not items and not empty:
        raise Refusal(f"path: {name}() needs a list that is not empty")
    return sorted(items)


def _sum(name: str, value: object) -> int | float:
    items = _numbers(name, value)
    try:
        total = sum(items) if all(isinstance(item, int) for item in items) else math.fsum(items)
    except OverflowError:
        raise Refusal(f"path: {name}() is too large: at most about 1.8e308") from None
    return total


def _mean(value: object) -> float:
    items = _numbers("mean", value)
    if not items:
        raise Refusal("path: mean() needs a list that is not empty")
    try:
        return _sum("mean", items) / len(items)
    except OverflowError:
        raise Refusal("path: mean() is too large: at most about 1.8e308") from None


def _end(name: str, value: object, index: int) -> object:
    items = _list(name, value)
    if not items:
        raise Refusal(f"path: {name}() needs a list that is not empty")
    return items[index]


def _unique(value: object) -> list[object]:
    kept: dict[object, object] = {}
    for item in _list("unique", value):
        kept.setdefault(_identity(item), item)
    return list(kept.values())


def _flatten(value: object) -> list[object]:
    parts = _list("flatten", value)
    return [inner for part in parts for inner in (part if isinstance(part, list) else [part])]


FUNCTIONS: dict[str, Callable[[object], object]] = {
    "length": _sized,
    "keys": lambda value: list(_object("keys", value)),
    "values": lambda value: list(_object("values", value).values()),
    "type": type_name,
    "first": lambda value: _end("first", value, 0),
    "last": lambda value: _end("last", value, -1),
    "reverse": lambda value: _list("reverse", value)[::-1],
    "sort": lambda value: _ordered("sort", value, empty=True),
    "unique": _unique,
    "flatten": _flatten,
    "sum": lambda value: _sum("sum", value),
    "min": lambda value: _ordered("min", value, empty=False)[0],
    "max": lambda value: _ordered("max", value, empty=False)[-1],
    "mean": _mean,
}
