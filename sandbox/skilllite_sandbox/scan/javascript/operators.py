"""What operators make of values that are known. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable

from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.javascript.values import (
    UNDEFINED,
    Value,
    all_taints,
    as_text,
    boolean,
    number,
    text,
    truth,
    unknown,
)
from skilllite_sandbox.scan.taint import VALUE_CHARS_MAX, Taint

_TEXTUAL = ("text", "list", "object", "function", "host", "native")


def joined(parts: list[Value], between: str = "") -> Value:
    """Return values put together as text."""
    if all(part.kind == "unknown" for part in parts) and len(parts) == 1:
        return text(UNKNOWN, parts[0].taints)
    texts = [as_text(part) for part in parts]
    taints = frozenset[Taint]().union(*(each.taints for each in texts)) if texts else frozenset()
    size = sum(len(each.text) for each in texts) + len(between) * len(texts)
    made = between.join(each.text for each in texts) if size <= VALUE_CHARS_MAX else UNKNOWN
    constants = sum(bool(each.text) for each in texts) > 1
    return Value(
        "text",
        made,
        taints,
        pieced=constants,
    )


def as_number(value: Value) -> float | None:
    """Return a value as a number; None when it isn't known."""
    data = value.data
    if value.kind == "number":
        assert isinstance(data, (int, float))
        return data
    if value.kind == "bool":
        return int(bool(data))
    if value.kind == "null":
        return 0
    if value.kind == "undefined":
        return math.nan
    if value.kind == "list" and isinstance(data, list):
        return 0 if not data else math.nan
    if value.kind == "text" and value.known:
        stripped = str(data).strip()
        try:
            return (
                int(stripped, 0)
                if stripped[:2].lower() in ("0x", "0b", "0o")
                else _decimal(stripped)
            )
        except ValueError:
            return math.nan
    return None


def _decimal(stripped: str) -> float:
    made = float(stripped or "0")
    return int(made) if made == made and abs(made) < 2**53 and made == int(made) else made


def numeric(value: Value) -> Value:
    """Return a value as a number."""
    made = as_number(value)
    return unknown(all_taints(value)) if made is None else number(made, value.taints)


def _int32(value: float) -> int:
    if value != value or value in (math.inf, -math.inf):
        return 0
    made = int(value) & 0xFFFFFFFF
    return made - 0x100000000 if made >= 0x80000000 else made


def _divided(one: float, other: float) -> float:
    if other == 0:
        return math.nan if one == 0 or one != one else math.copysign(math.inf, one)
    made = one / other
    return int(made) if made == made and abs(made) < 2**53 and made == int(made) else made


def _power(one: float, other: float) -> float:
    if abs(other) > 1024 or abs(one) > 1e6:
        return math.nan
    made = one**other
    return made if isinstance(made, (int, float)) else math.nan


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divided,
    "%": lambda a, b: math.nan if b == 0 or a != a or b != b else math.fmod(a, b),
    "**": _power,
    "&": lambda a, b: _int32(a) & _int32(b),
    "|": lambda a, b: _int32(a) | _int32(b),
    "^": lambda a, b: _int32(a) ^ _int32(b),
    "<<": lambda a, b: _int32(_int32(a) << (_int32(b) & 31)),
    ">>": lambda a, b: _int32(a) >> (_int32(b) & 31),
    ">>>": lambda a, b: (_int32(a) & 0xFFFFFFFF) >> (_int32(b) & 31),
}
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def binary(operator: str, left: Value, right: Value) -> Value:
    """Return what a binary operator makes of two values."""
    if operator == "+":
        return _sum(left, right)
    taints = all_taints(left, right)
    if operator in ("==", "===", "!=", "!=="):
        return _compared(operator, left, right)
    if operator in _ARITHMETIC or operator in _ORDER:
        one, other = as_number(left), as_number(right)
        if one is None or other is None:
            return unknown(taints)
        if operator in _ORDER:
            if left.kind == right.kind == "text":
                order = (str(left.data) > str(right.data)) - (str(left.data) < str(right.data))
                return boolean(_ORDER[operator](order, 0))
            return boolean(_ORDER[operator](one, other))
        try:
            made = _ARITHMETIC[operator](one, other)
        except (OverflowError, ValueError):
            return unknown(taints)
        whole = isinstance(made, float) and made == made and abs(made) < 2**53 and made == int(made)
        return number(int(made) if whole else made, taints)
    return unknown(taints)


def _sum(left: Value, right: Value) -> Value:
    if left.kind in _TEXTUAL or right.kind in _TEXTUAL:
        return joined([left, right])
    one, other = as_number(left), as_number(right)
    if one is None or other is None:
        return unknown(all_taints(left, right))
    return number(one + other, all_taints(left, right))


def _compared(operator: str, left: Value, right: Value) -> Value:
    plain = ("text", "number", "bool", "null", "undefined")
    if left.kind not in plain or right.kind not in plain or not (left.known and right.known):
        return unknown(all_taints(left, right))
    if left.kind == right.kind:
        same = left.data == right.data
    elif len(operator) == 3:
        same = False
    else:
        empty = ("null", "undefined")
        same = (left.kind in empty) and (right.kind in empty)
        if not same and left.kind not in empty and right.kind not in empty:
            same = as_number(left) == as_number(right)
    return boolean(same == (operator[0] == "="))


def unary(operator: str, value: Value) -> Value:
    """Return what a unary operator makes of a value."""
    if operator == "!":
        known = truth(value)
        return unknown(all_taints(value)) if known is None else boolean(not known)
    if operator == "void":
        return UNDEFINED
    if operator == "typeof":
        names = {"text": "string", "bool": "boolean", "list": "object", "null": "object"}
        if value.kind in ("unknown", "either", "host"):
            return unknown(all_taints(value))
        return text(names.get(value.kind, "function" if value.kind == "native" else value.kind))
    made = as_number(value)
    if made is None:
        return unknown(all_taints(value))
    if operator == "-":
        return number(-made, value.taints)
    if operator == "~":
        return number(~_int32(made), value.taints)
    return number(made, value.taints)
