"""Methods of strings, arrays and numbers, worked out where everything is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice

from skilllite_sandbox.scan.acts import Act
from skilllite_sandbox.scan.foreign_patterns import PATTERN_CHARS_MAX, is_cheap, substituted
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.javascript.arrays import LISTS, place_of
from skilllite_sandbox.scan.javascript.operators import as_number, joined
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    ITEMS_MAX,
    UNDEFINED,
    Value,
    add_origins,
    all_taints,
    as_text,
    boolean,
    items,
    number,
    text,
    unknown,
)
from skilllite_sandbox.scan.taint import VALUE_CHARS_MAX, Taint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

PADDED_CHARS_MAX = 4_096  # of a text that is padded; numbers in tables need some ten
REPEATED_CHARS_HUGE = 2**28  # of a text made at once: it is to fill the memory


def item(value: Value, name: Value) -> Value:
    """Return `value[name]` of an array or a string."""
    key = as_text(name).text
    data = value.data
    known = value.known or value.kind == "list"
    if key == "href" and value.kind == "text":
        return text(str(data), all_taints(value))
    if key == "length":
        if not known:
            return unknown(value.taints)
        return number(len(data if isinstance(data, list) else str(data)), value.taints)
    position = as_number(name) if name.kind in ("number", "text") else None
    if position is not None and position == position and known:
        at = int(position)
        if isinstance(data, list):
            return data[at] if 0 <= at < len(data) else UNDEFINED
        characters = str(data)
        return text(characters[at], value.taints) if 0 <= at < len(characters) else UNDEFINED
    return unknown(all_taints(value, name))


def call_method(
    run: Interpreter, receiver: Value, name: str, args: list[Value], node: Node
) -> Value | None:
    """Return what a built-in method gives; None for one that isn't known here."""
    kind = receiver.kind
    if kind == "list":
        if name == "toString" and receiver.members and "#buffer" in receiver.members:
            return _buffer_text(receiver, args)
        handler = LISTS.get(name)
        return handler(run, receiver, args, node) if handler is not None else None
    if kind == "text":
        if name in ("toString", "toJSON", "valueOf") and receiver.members:
            return text(str(receiver.data), all_taints(receiver))
        if name in _TEXTS:
            return _text_method(run, receiver, name, args, node)
        return None
    if kind == "number" and name == "toString":
        return _number_text(receiver, args)
    if kind in ("unknown", "object") and name in ("toString", "valueOf") and not args:
        return unknown(all_taints(receiver))
    if kind == "unknown" and name in ("push", "unshift", "append", "set", "add"):
        add_origins(receiver, all_taints(*args))
        if receiver.taints or all_taints(*args):
            return unknown(all_taints(receiver, *args))
        return None
    return None


def _buffer_text(receiver: Value, args: list[Value]) -> Value:
    made = as_text(receiver)
    encoding = as_text(args[0]).text if args else "utf8"
    if encoding in ("base64", "hex", "base64url"):
        return text(UNKNOWN, made.taints)
    return text(made.text, made.taints)


def _number_text(receiver: Value, args: list[Value]) -> Value:
    base = as_number(args[0]) if args else 10
    value = as_number(receiver)
    if base is None or value is None or value != int(value or 0) or not 2 <= base <= 36:
        return unknown(receiver.taints)
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    left, made = abs(int(value)), ""
    while left:
        left, rest = divmod(left, int(base))
        made = digits[rest] + made
    return text(("-" if value < 0 else "") + (made or "0"), receiver.taints)


def _text_method(
    run: Interpreter, receiver: Value, name: str, args: list[Value], node: Node
) -> Value:
    if name == "repeat":
        return _repeat(run, receiver, args, node)
    if name in ("replace", "replaceAll"):
        return _replace(run, receiver, args, node, every=name == "replaceAll")
    if name == "concat":
        return joined([receiver, *args])
    if name == "split":
        return _split(receiver, args)
    if name in ("match", "matchAll"):
        return _match(receiver, args)
    if name in ("map", "forEach", "filter", "reduce"):
        return LISTS[name](run, _chars(receiver), args, node)
    taints = all_taints(receiver, *args)
    if not receiver.known or not all(arg.known for arg in args):
        return unknown(taints) if name in _TELLS else text(UNKNOWN, taints)
    try:
        return _TEXTS[name](receiver, args, taints)
    except (ValueError, IndexError, TypeError, OverflowError):
        return unknown(taints)


def _chars(receiver: Value) -> Value:
    if not receiver.known:
        return items([unknown(receiver.taints)], receiver.taints)
    return items([text(char, receiver.taints) for char in str(receiver.data)[:ITEMS_MAX]])


def _cut(kind: str) -> Callable[[Value, list[Value], frozenset[Taint]], Value]:
    def give(receiver: Value, args: list[Value], taints: frozenset[Taint]) -> Value:
        source = str(receiver.data)
        size = len(source)
        start, end = place_of(args, 0, 0), place_of(args, 1, size)
        if kind == "substring":
            start, end = sorted((max(start, 0), max(end, 0)))
        elif kind == "substr":
            start = max(size + start, 0) if start < 0 else start
            end = start + max(place_of(args, 1, size), 0)
        else:
            start = max(size + start, 0) if start < 0 else start
            end = size + end if end < 0 else end
        return text(source[start:end], taints)

    return give


def _code(receiver: Value, args: list[Value], taints: frozenset[Taint]) -> Value:
    at = place_of(args, 0, 0)
    source = str(receiver.data)
    return number(ord(source[at]) if 0 <= at < len(source) else float("nan"), receiver.taints)


def _char(receiver: Value, args: list[Value], taints: frozenset[Taint]) -> Value:
    at, source = place_of(args, 0, 0), str(receiver.data)
    at = len(source) + at if at < 0 else at
    return text(source[at] if 0 <= at < len(source) else "", receiver.taints)


def _changed(
    change: Callable[[str], str],
) -> Callable[[Value, list[Value], frozenset[Taint]], Value]:
    return lambda receiver, args, taints: text(
        change(str(receiver.data)), receiver.taints, pieced=receiver.pieced
    )


def _told(
    tell: Callable[[str, str], bool | int],
) -> Callable[[Value, list[Value], frozenset[Taint]], Value]:
    def give(receiver: Value, args: list[Value], taints: frozenset[Taint]) -> Value:
        found = tell(str(receiver.data), as_text(args[0]).text if args else "undefined")
        return boolean(found) if isinstance(found, bool) else number(found)

    return give


def _padded(receiver: Value, args: list[Value], taints: frozenset[Taint]) -> Value:
    size, fill = place_of(args, 0, 0), as_text(args[1]).text if len(args) > 1 else " "
    source = str(receiver.data)
    missing = max(min(size, PADDED_CHARS_MAX) - len(source), 0)
    return text((fill * missing)[:missing] + source, receiver.taints)


_TEXTS: dict[str, Callable[[Value, list[Value], frozenset[Taint]], Value]] = {
    "slice": _cut("slice"),
    "substring": _cut("substring"),
    "substr": _cut("substr"),
    **dict.fromkeys(("charCodeAt", "codePointAt"), _code),
    **dict.fromkeys(("charAt", "at"), _char),
    **dict.fromkeys(("toLowerCase", "toLocaleLowerCase"), _changed(str.lower)),
    **dict.fromkeys(("toUpperCase", "toLocaleUpperCase"), _changed(str.upper)),
    **dict.fromkeys(("trim", "trimStart", "trimEnd"), _changed(str.strip)),
    **dict.fromkeys(("toString", "valueOf", "normalize"), _changed(str)),
    "indexOf": _told(lambda source, part: source.find(part)),
    "lastIndexOf": _told(lambda source, part: source.rfind(part)),
    "includes": _told(lambda source, part: part in source),
    "startsWith": _told(lambda source, part: source.startswith(part)),
    "endsWith": _told(lambda source, part: source.endswith(part)),
    "padStart": _padded,
    **dict.fromkeys(
        (
            *("match", "matchAll", "repeat", "replace", "replaceAll", "concat"),
            *("split", "map", "forEach", "filter", "reduce"),
        ),
        _changed(str),
    ),
}
_TELLS = (
    "charCodeAt",
    "codePointAt",
    "indexOf",
    "lastIndexOf",
    "includes",
    "startsWith",
    "endsWith",
)


def _repeat(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    times = as_number(args[0]) if args else 0
    size = len(str(receiver.data)) * (times or 0)
    if size >= REPEATED_CHARS_HUGE:
        run.do(Act.EXHAUST, node, "a text of hundreds of megabytes")
    if times is None or size > VALUE_CHARS_MAX or times != times:
        return text(UNKNOWN, all_taints(receiver))
    return text(str(receiver.data) * int(max(times, 0)), receiver.taints)


def _pattern(value: Value) -> tuple[re.Pattern[str], bool] | None:
    """Return a regular expression as Python writes it, and whether it is for every match."""
    if value.kind == "text" and value.known:
        plain = str(value.data)
        return (re.compile(re.escape(plain)), False) if len(plain) < PATTERN_CHARS_MAX else None
    if value.members is None or "source" not in value.members:
        return None
    source, flags = as_text(value.members["source"]), as_text(value.members["flags"]).text
    if len(source.text) > 200 or re.search(r"[+*}]\)?[+*{]|\[\[|--|&&|\|\||~~", source.text):
        return None  # nested repetition may take for ever; Python means to read some signs as sets
    try:
        made = re.compile(source.text.replace("\\/", "/"), re.IGNORECASE if "i" in flags else 0)
    except (re.error, RecursionError, OverflowError):
        return None
    return made, "g" in flags


def _replace(
    run: Interpreter, receiver: Value, args: list[Value], node: Node, *, every: bool
) -> Value:
    pattern = _pattern(args[0]) if args else None
    new = args[1] if len(args) > 1 else UNDEFINED
    taints = all_taints(receiver, new)
    is_function = new.kind in ("function", "native")
    if pattern is None or not receiver.known or not (is_function or new.known):
        if is_function:
            run.call_back(new, node, unknown(receiver.taints))
        return text(UNKNOWN, taints)
    found: set[Taint] = set(taints)

    def put(match: re.Match[str]) -> str:
        if not is_function:
            return re.sub(
                r"\$(\d|&)", lambda m: match[0 if m[1] == "&" else int(m[1])] or "", str(new.data)
            )
        groups = [text(each or "", receiver.taints) for each in match.groups()]
        made = run.call(new, [text(match[0], receiver.taints), *groups], node)
        found.update(all_taints(made))
        return as_text(made).text

    count = 0 if every or pattern[1] else 1
    try:
        made = substituted(pattern[0], put, str(receiver.data), count)
    except IndexError:
        return text(UNKNOWN, taints)
    return text(UNKNOWN if made is None else made, frozenset(found))


def _match(receiver: Value, args: list[Value]) -> Value:
    pattern = _pattern(args[0]) if args else None
    if pattern is None or not receiver.known:
        return items([unknown(receiver.taints)], receiver.taints)
    source = str(receiver.data)
    if not is_cheap(pattern[0].pattern, len(source), times=0):
        return items([unknown(receiver.taints)], receiver.taints)
    matches = list(islice(pattern[0].finditer(source), ITEMS_MAX + 1))
    if not pattern[1]:
        matches = matches[:1]
        groups = [matches[0][0], *matches[0].groups()] if matches else []
        return items([text(group or "", receiver.taints) for group in groups])
    return items([text(match[0], receiver.taints) for match in matches])


def _split(receiver: Value, args: list[Value]) -> Value:
    if not receiver.known:
        return items([text(UNKNOWN, receiver.taints)], receiver.taints)
    source = str(receiver.data)
    if not args:
        return items([receiver])
    pattern = _pattern(args[0])
    if pattern is None:
        return unknown(receiver.taints)
    if not is_cheap(pattern[0].pattern, len(source), times=0):
        return unknown(receiver.taints)
    every = pattern[0].pattern == ""
    parts = list(source[: ITEMS_MAX + 1]) if every else pattern[0].split(source, ITEMS_MAX + 1)
    return items([text(part or "", receiver.taints) for part in parts[: ITEMS_MAX + 1]])
