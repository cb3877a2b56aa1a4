"""Methods of arrays, worked out where their elements are known."""

from __future__ import annotations

from collections.abc import Callable

from skilllite_sandbox.scan.acts import Datum
from skilllite_sandbox.scan.javascript.operators import as_number, joined
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    ITEMS_MAX,
    UNDEFINED,
    Value,
    all_taints,
    as_text,
    boolean,
    items,
    number,
    truth,
    unknown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter


def place_of(args: list[Value], position: int, default: int) -> int:
    """Return an argument as a place in a sequence."""
    if position >= len(args) or args[position].kind == "undefined":
        return default
    found = as_number(args[position])
    return default if found is None or found != found else int(max(min(found, 2**31), -(2**31)))


def _values(receiver: Value) -> list[Value]:
    assert isinstance(receiver.data, list)
    return receiver.data


def _join(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    between = as_text(args[0]).text if args else ","
    made = joined(_values(receiver), between)
    taints = made.taints | receiver.taints
    if receiver.members and "#reversed" in receiver.members and made.known and not between:
        taints |= run.taint(Datum.DECODED, node, "written backwards")
    return Value("text", made.data, taints, pieced=made.pieced)


def _reverse(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    values = _values(receiver)
    values.reverse()
    if len(values) > 2 and all(each.kind == "text" and len(str(each.data)) == 1 for each in values):
        receiver.members = {**(receiver.members or {}), "#reversed": boolean(True)}
    return receiver


def _push(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    values = _values(receiver)
    if len(values) < ITEMS_MAX:
        values += args
    else:
        receiver.taints |= all_taints(*args)
    return number(len(values))


def _unshift(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    _values(receiver)[:0] = args[:ITEMS_MAX]
    return number(len(_values(receiver)))


def _pop(position: int) -> Callable[[Interpreter, Value, list[Value], Node], Value]:
    def give(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
        values = _values(receiver)
        return values.pop(position) if values else unknown(receiver.taints)

    return give


def _slice(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    values = _values(receiver)
    return items(values[place_of(args, 0, 0) : place_of(args, 1, len(values))], receiver.taints)


def _splice(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    values = _values(receiver)
    start = place_of(args, 0, 0)
    count = place_of(args, 1, len(values))
    removed = values[start : start + max(count, 0)]
    values[start : start + max(count, 0)] = args[2:]
    return items(removed, receiver.taints)


def _each(
    run: Interpreter, receiver: Value, args: list[Value], node: Node
) -> list[tuple[Value, Value]]:
    """Return the elements with what a function makes of each."""
    made = []
    function = args[0] if args else UNDEFINED
    values = _values(receiver)
    before = run.changes
    for position, value in enumerate(list(values)):
        made.append((value, run.call(function, [value, number(position), receiver], node)))
        if run.changes != before and position >= 31:
            break
    if not values and function.kind == "function":
        run.call_back(function, node, unknown(receiver.taints), unknown())
    return made


def _map(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    made = items([result for _, result in _each(run, receiver, args, node)], receiver.taints)
    if receiver.members and "#buffer" in receiver.members:
        made.members = {"#buffer": boolean(True)}
    return made


def _flat_map(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    return _flat(run, _map(run, receiver, args, node), [], node)


def _for_each(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    _each(run, receiver, args, node)
    return UNDEFINED


def _filter(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    kept = [
        value for value, result in _each(run, receiver, args, node) if truth(result) is not False
    ]
    return items(kept, receiver.taints)


def _find(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    kept = [
        value for value, result in _each(run, receiver, args, node) if truth(result) is not False
    ]
    return kept[0] if kept else UNDEFINED


def _reduce(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    values = list(_values(receiver))
    if not args:
        return unknown(all_taints(receiver))
    made = args[1] if len(args) > 1 else (values.pop(0) if values else UNDEFINED)
    for position, value in enumerate(values):
        made = run.call(args[0], [made, value, number(position), receiver], node)
    return made


def _concat(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    values = list(_values(receiver))
    for arg in args:
        values += arg.data if arg.kind == "list" and isinstance(arg.data, list) else [arg]
    return items(values, receiver.taints)


def _flat(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    return _concat(run, items([]), _values(receiver), node)


def _index(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    wanted = args[0] if args else UNDEFINED
    if not wanted.known:
        return unknown()
    for position, value in enumerate(_values(receiver)):
        if value.kind == wanted.kind and value.data == wanted.data:
            return number(position)
    return number(-1)


def _includes(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    found = _index(run, receiver, args, node)
    sure = found.kind == "number" and all(value.known for value in _values(receiver))
    return boolean(found.data != -1) if sure else unknown(all_taints(*args))


def _sort(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    values = _values(receiver)
    if args:
        return items([unknown(all_taints(receiver))], receiver.taints)
    if all(value.known for value in values):
        values.sort(key=lambda value: as_text(value).text)
    return receiver


def _element(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    values = _values(receiver)
    at = place_of(args, 0, 0)
    return values[at] if -len(values) <= at < len(values) else UNDEFINED


def _test(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    _each(run, receiver, args, node)
    return unknown(all_taints(receiver))


def _same(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    return receiver


def _to_text(run: Interpreter, receiver: Value, args: list[Value], node: Node) -> Value:
    return _join(run, receiver, [], node)


LISTS: dict[str, Callable[[Interpreter, Value, list[Value], Node], Value]] = {
    "join": _join,
    **dict.fromkeys(("reverse", "toReversed"), _reverse),
    "push": _push,
    "unshift": _unshift,
    "pop": _pop(-1),
    "shift": _pop(0),
    **dict.fromkeys(("slice", "subarray"), _slice),
    "splice": _splice,
    "map": _map,
    "flatMap": _flat_map,
    "forEach": _for_each,
    "filter": _filter,
    "find": _find,
    **dict.fromkeys(("reduce",), _reduce),
    "concat": _concat,
    "flat": _flat,
    "indexOf": _index,
    "includes": _includes,
    "sort": _sort,
    "at": _element,
    **dict.fromkeys(("some", "every", "findIndex"), _test),
    **dict.fromkeys(("values", "valueOf", "fill"), _same),
    "toString": _to_text,
}
"""By the name of the method."""
