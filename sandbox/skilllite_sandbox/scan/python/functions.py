"""Calls of what the skill defines itself: functions, methods, classes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from skilllite_sandbox.scan.python.scope import Function, Scope
from skilllite_sandbox.scan.python.values import (
    Value,
    joined,
    unknown,
)

if TYPE_CHECKING:
    from skilllite_sandbox.scan.python.interpreter import Interpreter


def make_instance(
    run: Interpreter, cls: Value, args: list[Value], keywords: dict[str, Value], node: ast.AST
) -> Value:
    own = {name: value for name, value in (cls.attrs or {}).items() if name != "?run"}
    me = Value(attrs=own, ref=f"{cls.ref}()" if cls.ref else "")
    init = (cls.attrs or {}).get("__init__")
    if init is not None and isinstance(init.function, Function):
        run.call_function(init.function.bound_to(me), args, keywords, node)
    else:
        me.taints = unknown(*args, *keywords.values()).taints
        if cls.ref in _CONTAINERS and args:
            me.items = run.items_of(args[0])
    run.hosts.made(run, cls, me, node)
    return me


_CONTAINERS = frozenset({"list", "tuple", "set", "collections.deque", "collections.UserList"})


def returned_value(run: Interpreter, returned: list[Value]) -> Value:
    if not returned:
        return Value(None)
    result = returned[0]
    for each in returned[1:]:
        keeps = run.hosts.is_dangerous(result.ref) and not run.hosts.is_dangerous(each.ref)
        result = joined(each, result) if keeps else joined(result, each)
    return result


def bind(
    run: Interpreter,
    function: Function,
    given: list[Value],
    keywords: dict[str, Value],
    scope: Scope,
) -> None:
    arguments: ast.arguments = function.node.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    defaults: dict[str, ast.expr] = {}
    if arguments.defaults:
        defaults.update(zip(names[-len(arguments.defaults) :], arguments.defaults, strict=True))
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        names.append(each.arg)
        if default is not None:
            defaults[each.arg] = default
    positional = len(arguments.posonlyargs) + len(arguments.args)
    for number, name in enumerate(names):
        if number < positional and number < len(given):
            scope.names[name] = given[number]
        elif name in keywords:
            scope.names[name] = keywords[name]
        elif name in defaults:
            scope.names[name] = run.evaluate(defaults[name], function.scope)
        else:
            scope.names[name] = Value()
    if arguments.vararg is not None:
        scope.names[arguments.vararg.arg] = Value(items=given[positional:], kind="tuple")
    if arguments.kwarg is not None:
        rest: dict[Any, Value] = {k: v for k, v in keywords.items() if k not in names}
        scope.names[arguments.kwarg.arg] = Value(attrs=rest, kind="dict")
