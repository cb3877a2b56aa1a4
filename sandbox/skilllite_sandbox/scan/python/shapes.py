"""How values and code look, for those who compare them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.python.scope import Scope
from skilllite_sandbox.scan.python.values import (
    MISSING,
    Value,
)

if TYPE_CHECKING:
    pass


def key_of(value: Value) -> Any:
    if value.is_const and isinstance(value.const, (str, int, bytes, float, bool, type(None))):
        return value.const
    return UNKNOWN


def is_text(value: Value) -> bool:
    return isinstance(value.const, str) or (value.const is MISSING and value.items is None)


def call_key(given: list[Value], keywords: Mapping[str, Value]) -> Any:
    return tuple(map(shape_of, given)), tuple(
        (name, shape_of(value)) for name, value in sorted(keywords.items())
    )


def is_plain(value: Value) -> bool:
    if value.items is not None:
        return all(each.is_const for each in value.items)
    return value.is_const


def shape_of(value: Value) -> Any:
    const = value.const if isinstance(value.const, (str, bytes, int, float, bool)) else None
    inside = id(value.items) if value.items is not None else id(value.attrs)
    shared = inside if value.items is not None or value.attrs is not None else 0
    return (
        const,
        value.ref,
        value.kind,
        id(value.function) if value.function else 0,
        shared,
        (value.taints),
    )


_WAITS = frozenset({"accept", "recv", "recvfrom", "select", "readline", "input"})


def has_end(body: list[ast.stmt]) -> bool:
    """Tell whether a loop over this ends by itself, or waits for others at each turn."""
    for each in inside(body):
        if isinstance(each, (ast.Break, ast.Return, ast.Raise)):
            return True
        if isinstance(each, ast.Call):
            name = getattr(each.func, "attr", "") or getattr(each.func, "id", "")
            if name in _WAITS:
                return True
    return False


def leaves(body: list[ast.stmt]) -> bool:
    """Tell whether what comes after these statements isn't reached."""
    last = body[-1]
    if isinstance(last, (ast.Return, ast.Raise)):
        return True
    call = last.value if isinstance(last, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return False
    name = ast.unparse(call.func)
    return name in ("exit", "quit", "sys.exit", "os._exit", "os.abort")


def built_size(body: list[ast.stmt], scope: Scope) -> int:
    """Return the size of the texts and lists that a loop puts together."""
    size = 0
    for node in inside(body):
        name = node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else ""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = node.value.id if node.attr in ("append", "extend", "insert", "write") else ""
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            return -1  # in place
        if name and (value := scope.names.get(name)) is not None:
            if isinstance(value.const, (str, bytes)):
                size += len(value.const)
            elif value.items is not None:
                size += len(value.items)
    return size


def is_built(value: Value) -> bool:
    return value.is_const or value.items is not None


def inside(body: list[ast.stmt]) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)


def loaded(target: ast.expr) -> ast.expr:
    """Return the expression that reads what a target writes."""
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    if isinstance(target, ast.Attribute):
        return ast.copy_location(ast.Attribute(target.value, target.attr, ast.Load()), target)
    if isinstance(target, ast.Subscript):
        return ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
    return target
