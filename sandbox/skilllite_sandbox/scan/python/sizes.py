"""How large a result would be, asked before it is computed: a short expression makes gigabytes."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from typing import Any

SIZE_MAX = 262_144  # characters, bytes or items of one value, with what is in it
INTEGER_BITS_MAX = 4096
ITEM_SIZE = 8  # of an item, beside what it is
LIST_ITEMS_MAX = 20_000  # of a list that is made from another value
LITERAL_CHARS_MAX = 32_768  # of a text that is read as an expression: its tree is much larger
TEMPLATE_CHARS_MAX = 4096
NAMES_CHARS_MAX = 4096  # for codecs of host names, which take quadratic time
_WIDE = {  # a width in a template that is large, or a value itself
    "%": re.compile(r"%[^a-zA-Z%]*?(?:\d{5}|\*)"),
    "{": re.compile(r"\{[^{}]*(?:\d{5}|\{)"),
}
_DIGITS = re.compile(r"\d{5}")
_LISTING = frozenset(("list", "tuple", "set", "sorted", "reversed", "zip", "enumerate", "iter"))
_ALLOCATING = frozenset(("bytes", "bytearray", "int.to_bytes"))
_PACKING = frozenset(("struct.pack", "struct.unpack"))
_SLOW_CODECS = frozenset(("idna", "punycode"))


class NotKnown(Exception):
    """It can't be computed."""


def bounded(value: Any) -> Any:
    """Return a value again that isn't too large.

    Raises:
        NotKnown: it is.
    """
    if isinstance(value, int):
        if value.bit_length() > INTEGER_BITS_MAX:
            raise NotKnown
    elif isinstance(value, (str, bytes)):
        _check(len(value))
    elif value is not None:
        _check(weight(value))
    return value


def weight(value: Any) -> int:
    """Return the size of a value with all that is in it, as often as it is in it.

    Raises:
        NotKnown: it is too large.
    """
    total = 0
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, (str, bytes, bytearray)):
            total += len(each)
        elif isinstance(each, dict):
            total += 2 * ITEM_SIZE * len(each)
            if total <= SIZE_MAX:
                todo += each.keys()
                todo += each.values()
        elif isinstance(each, (list, tuple, set, frozenset)):
            total += ITEM_SIZE * len(each)
            if total <= SIZE_MAX:
                todo += each
        elif isinstance(each, int):
            total += 1
            if each.bit_length() > INTEGER_BITS_MAX:
                raise NotKnown
        if total > SIZE_MAX:
            raise NotKnown
    return total


def check_call(ref: str, args: list[Any], keywords: dict[str, Any]) -> None:
    """Raise NotKnown when a function would make something too large of these arguments."""
    given = [*args, *keywords.values()]
    if ref in _ALLOCATING and any(isinstance(each, int) and each > SIZE_MAX for each in given):
        raise NotKnown
    if ref == "pow" and len(args) == 2 and isinstance(args[1], int) and args[1] > INTEGER_BITS_MAX:
        raise NotKnown
    if ref == "format" and len(given) > 1 and _DIGITS.search(str(given[1])):
        raise NotKnown
    if ref in _PACKING and args:
        _check(struct.calcsize(args[0]))
    if ref == "ast.literal_eval" and args and len(args[0]) > LITERAL_CHARS_MAX:
        raise NotKnown
    if ref in _LISTING and any(len(each) > LIST_ITEMS_MAX for each in given if _is_many(each)):
        raise NotKnown
    if ref == "sum" and args and any(_is_many(each) for each in args[0]):
        raise NotKnown
    if ref == "str.join" and len(args) == 2:
        check_method(args[0], "join", args[1:])
    if ref.startswith("codecs."):
        _check_codec(given)


def check_method(value: Any, name: str, args: list[Any]) -> None:
    """Raise NotKnown when a method would make something too large of these arguments."""
    if any(isinstance(each, int) and abs(each) > SIZE_MAX for each in args):
        raise NotKnown
    if not isinstance(value, (str, bytes)):
        return
    if name == "join" and args:
        _check(len(value) * len(args[0]) + weight(args[0]))
    elif name == "replace" and len(args) > 1:
        _check(len(value) + value.count(args[0]) * len(args[1]))
    elif name == "translate" and args and isinstance(args[0], dict):
        longest = max((len(each) for each in args[0].values() if isinstance(each, str)), default=1)
        _check(len(value) * longest)
    elif name == "expandtabs" and isinstance(value, str):
        _check(len(value) + value.count("\t") * int(args[0] if args else 8))
    elif name in ("split", "rsplit", "splitlines") and len(value) > LIST_ITEMS_MAX:
        between = args[0] if args and args[0] else None
        if between is None or value.count(between) > LIST_ITEMS_MAX:
            _check(4 * len(value))  # pieces of white space are not worth being counted
    elif name in ("format", "format_map"):
        check_template(str(value), args, "{")
    elif name in ("encode", "decode"):
        _check_codec([value, *args])


def check_template(template: str, args: Iterable[Any], mark: str) -> None:
    """Raise NotKnown when a template would become too large with these values."""
    if len(template) > TEMPLATE_CHARS_MAX or _WIDE[mark].search(template.replace(2 * mark, "")):
        raise NotKnown
    _check(len(template) + template.count(mark) * max(map(weight, args), default=0))


def _check_codec(given: list[Any]) -> None:
    slow = any(isinstance(each, str) and each.lower() in _SLOW_CODECS for each in given[1:])
    if slow and len(given[0]) > NAMES_CHARS_MAX:
        raise NotKnown


def _is_many(value: Any) -> bool:
    return isinstance(value, (str, bytes, list, tuple, dict, set, frozenset))


def _check(size: int) -> None:
    if size > SIZE_MAX:
        raise NotKnown
