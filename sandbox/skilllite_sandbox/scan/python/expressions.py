"""What each kind of expression stands for."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.python.bounds import BUILTINS, LOOP_TURNS_DULL, LOOP_TURNS_MAX
from skilllite_sandbox.scan.python.scope import Function, Scope
from skilllite_sandbox.scan.python.shapes import is_built, key_of
from skilllite_sandbox.scan.python.values import (
    MISSING,
    Value,
    all_taints,
    joined,
    lift,
    plain,
    text_of,
    unknown,
)
from skilllite_sandbox.scan.taint import Taint

if TYPE_CHECKING:
    from skilllite_sandbox.scan.python.interpreter import Interpreter

from skilllite_sandbox.scan.python.statements import _if


def _constant(run: Interpreter, node: ast.Constant, scope: Scope) -> Value:
    return Value(node.value)


def _name(run: Interpreter, node: ast.Name, scope: Scope) -> Value:
    found = scope.find(node.id)
    if found is not None:
        return found
    if node.id in ("__file__", "__name__", "__builtins__", "__loader__", "__spec__"):
        given: Value = run.hosts.special(run, node.id)
        return given
    return Value(ref=node.id) if node.id in BUILTINS else Value()


def _attribute(run: Interpreter, node: ast.Attribute, scope: Scope) -> Value:
    return run.attribute(run.evaluate(node.value, scope), node.attr, node)


def _subscript(run: Interpreter, node: ast.Subscript, scope: Scope) -> Value:
    owner = run.evaluate(node.value, scope)
    if isinstance(node.slice, ast.Slice):
        bounds = [
            None if each is None else run.evaluate(each, scope)
            for each in (node.slice.lower, node.slice.upper, node.slice.step)
        ]
        return _sliced(run, owner, bounds)
    return run.item(owner, run.evaluate(node.slice, scope), node)


def _sliced(run: Interpreter, owner: Value, bounds: list[Value | None]) -> Value:
    try:
        cut = slice(*(None if each is None else plain(each) for each in bounds))
        if owner.items is not None:
            return Value(items=owner.items[cut], kind=owner.kind, taints=owner.taints)
        whole = plain(owner)
        if not isinstance(whole, (str, bytes)):
            return unknown(owner)
        taints = owner.taints
        return Value(whole[cut], kind="rebuilt", taints=taints)
    except (ValueError, TypeError):
        return unknown(owner)


def _list(run: Interpreter, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Value:
    items: list[Value] = []
    for each in node.elts:
        if isinstance(each, ast.Starred):
            inner = run.evaluate(each.value, scope)
            items += run.items_of(inner) or [run.element(inner)]
        else:
            items.append(run.evaluate(each, scope))
    return Value(items=items, kind="tuple" if isinstance(node, ast.Tuple) else "list")


def _dict(run: Interpreter, node: ast.Dict, scope: Scope) -> Value:
    attrs: dict[Any, Value] = {}
    taints: frozenset[Taint] = frozenset()
    for key, each in zip(node.keys, node.values, strict=True):
        value = run.evaluate(each, scope)
        if key is None:
            attrs.update(value.attrs or {})
            taints |= all_taints(run.hosts.whole(run, value, node))
        else:
            name = run.evaluate(key, scope)
            attrs[key_of(name)] = value
            taints |= all_taints(name)
    return Value(attrs=attrs, kind="dict", taints=taints)


def _binary(run: Interpreter, node: ast.BinOp, scope: Scope) -> Value:
    return run.operate(
        node.op, run.evaluate(node.left, scope), run.evaluate(node.right, scope), node
    )


def _boolean(run: Interpreter, node: ast.BoolOp, scope: Scope) -> Value:
    values = []
    before = run.hosts.marks(run)
    for number, each in enumerate(node.values):
        values.append(run.evaluate(each, scope))
        if number:
            run.hosts.behind(run, node, values[0], before)
    last = values[-1]
    for value in values[:-1]:
        last = joined(value, last)
    kinds = {each.kind for each in values} & {"watched", "dated"}
    if {"day test", "month test"} <= {each.kind for each in values}:
        kinds.add("dated")
    if kinds:
        return Value(kind=kinds.pop(), taints=last.taints)
    if all(value.is_const for value in values):
        stops = isinstance(node.op, ast.Or)
        return next((value for value in values if bool(value.const) is stops), values[-1])
    # `given or "default"` is the default as far as it is known; a condition isn't known.
    texts = (each for each in values if isinstance(each.const, (str, bytes)))
    return next(texts, Value()).with_taints(last.taints)


def _unary(run: Interpreter, node: ast.UnaryOp, scope: Scope) -> Value:
    value = run.evaluate(node.operand, scope)
    if value.is_const:
        try:
            if isinstance(node.op, ast.USub):
                return lift(-value.const, value.taints)
            if isinstance(node.op, ast.Invert):
                return lift(~value.const, value.taints)
            if isinstance(node.op, ast.Not):
                return Value(not value.const)
        except TypeError:
            return unknown(value)
    return Value(kind=value.kind if value.kind in ("watched", "dated") else "")


def _compare(run: Interpreter, node: ast.Compare, scope: Scope) -> Value:
    values = [run.evaluate(node.left, scope)]
    values += [run.evaluate(each, scope) for each in node.comparators]
    made: Value = run.hosts.compare(run, node, values)
    return made


def _f_string(run: Interpreter, node: ast.JoinedStr, scope: Scope) -> Value:
    text, taints = list[str](), frozenset[Taint]()
    for each in node.values:
        if isinstance(each, ast.FormattedValue):
            value = run.evaluate(each.value, scope)
            value = run.hosts.whole(run, value, node)
            formatted = each.format_spec is None and each.conversion < 0
            text.append(value.text() if formatted or value.is_const else UNKNOWN)
            taints |= all_taints(value)
        else:
            text.append(str(getattr(each, "value", "")))
    return Value(text_of(text), kind="rebuilt", taints=taints)


def _lambda(run: Interpreter, node: ast.Lambda, scope: Scope) -> Value:
    function = Function(node, scope, run.file, run.base)
    run.functions.append(function)
    return Value(function=function)


def _comprehension(run: Interpreter, node: Any, scope: Scope) -> Value:
    inside = Scope(scope)
    made: list[tuple[Value, Value | None]] = []
    known = _turns(run, node, node.generators, inside, made)
    origins = [each for pair in made for each in pair if each is not None]
    if isinstance(node, ast.DictComp):
        pairs = {key_of(key): value for key, value in made if value is not None}
        return Value(attrs=pairs, kind="dict", taints=unknown(*[k for k, _ in made]).taints)
    if known:
        return Value(items=[key for key, _ in made], kind="list")
    value = unknown(*origins)
    for each in origins:
        if each.kind in ("watched", "dated"):
            value.kind = each.kind
    if made and made[0][0].const is not MISSING:
        return Value(items=[key for key, _ in made[:1]], kind="list", taints=value.taints)
    return value


def _turns(
    run: Interpreter, node: Any, generators: list[ast.comprehension], scope: Scope, made: list[Any]
) -> bool:
    if not generators:
        if isinstance(node, ast.DictComp):
            key = run.evaluate(node.key, scope)
            made.append((key, run.evaluate(node.value, scope)))
        else:
            made.append((run.evaluate(node.elt, scope), None))
        return True
    first, rest = generators[0], generators[1:]
    iterated = run.evaluate(first.iter, scope)
    items = run.items_of(iterated)
    known = items is not None
    turns = items if items is not None else [run.element(iterated)]
    for number, item in enumerate(turns[:LOOP_TURNS_MAX]):
        if number >= LOOP_TURNS_DULL and (not made or not is_built(made[-1][0])):
            return False
        run.assign(first.target, item, scope)
        tests = [run.evaluate(test, scope) for test in first.ifs]
        if any(test.is_const and not test.const for test in tests):
            continue
        known &= all(test.is_const for test in tests)
        known &= _turns(run, node, rest, scope, made)
    return known


def _walrus(run: Interpreter, node: ast.NamedExpr, scope: Scope) -> Value:
    value = run.evaluate(node.value, scope)
    run.assign(node.target, value, scope)
    return value


def _await(run: Interpreter, node: Any, scope: Scope) -> Value:
    return run.evaluate(node.value, scope) if node.value is not None else Value()


def _yield(run: Interpreter, node: Any, scope: Scope) -> Value:
    if node.value is not None and len(scope.yielded) < LOOP_TURNS_MAX:
        value = run.evaluate(node.value, scope)
        inner = run.items_of(value) if isinstance(node, ast.YieldFrom) else None
        scope.yielded += [value] if inner is None else inner
    return Value()


def _call(run: Interpreter, node: ast.Call, scope: Scope) -> Value:
    callee = run.evaluate(node.func, scope)
    args: list[Value] = []
    for each in node.args:
        if isinstance(each, ast.Starred):
            inner = run.evaluate(each.value, scope)
            args += run.items_of(inner) or [run.element(inner)]
        else:
            args.append(run.evaluate(each, scope))
    keywords: dict[str, Value] = {}
    for keyword in node.keywords:
        value = run.evaluate(keyword.value, scope)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
        else:
            keywords.update({str(k): v for k, v in (value.attrs or {}).items()})
    return run.call(callee, args, keywords, node)


EXPRESSIONS: dict[type, Callable[[Interpreter, Any, Scope], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.List: _list,
    ast.Tuple: _list,
    ast.Set: _list,
    ast.Dict: _dict,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.JoinedStr: _f_string,
    ast.Lambda: _lambda,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.NamedExpr: _walrus,
    ast.IfExp: _if,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
    ast.Call: _call,
}
