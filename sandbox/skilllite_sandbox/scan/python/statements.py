"""What each kind of statement does to the values of its scope."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from skilllite_sandbox.scan.acts import Act
from skilllite_sandbox.scan.python.bounds import (
    LOOP_TURNS_DULL,
    LOOP_TURNS_LEAST,
    LOOP_TURNS_MAX,
    STEPS_OUT,
    TURNS_MAX,
    TWICE_DEPTH_MAX,
)
from skilllite_sandbox.scan.python.scope import Function, Scope
from skilllite_sandbox.scan.python.shapes import built_size, has_end, inside, loaded, shape_of
from skilllite_sandbox.scan.python.values import (
    ITEMS_MAX,
    MISSING,
    Value,
    joined,
    unknown,
)

if TYPE_CHECKING:
    from skilllite_sandbox.scan.python.interpreter import Interpreter


def _function(run: Interpreter, node: Any, scope: Scope) -> None:
    function = Function(node, scope, run.file, run.base)
    run.functions.append(function)
    value = Value(function=function)
    for decorator in reversed(node.decorator_list):
        made = run.evaluate(decorator, scope)
        if made.function is not None:
            run.call_function(made.function, [value], {}, node)
        elif run.hosts.takes_callback(run, made, node):
            run.call_function(function, [], {}, node)
    scope.names[node.name] = _decorated(run, value, node, scope)


def _decorated(run: Interpreter, value: Value, node: Any, scope: Scope) -> Value:
    """Return what decorators make of a definition that they take for something else: `@exec`."""
    made = value
    for decorator in reversed(node.decorator_list):
        if isinstance(decorator, ast.Lambda) or made is not value:
            made = run.call(run.evaluate(decorator, scope), [made], {}, node)
    return made


def _class(run: Interpreter, node: ast.ClassDef, scope: Scope) -> None:
    inside = Scope(scope)
    run.run_body(node.body, inside)
    bases = [run.evaluate(each, scope) for each in node.bases]
    for each in bases:
        if each.function is not None and each.attrs:
            inside.names = {**each.attrs, **inside.names}
    function = Function(node, scope, run.file, run.base)
    ref = next((each.ref for each in bases if each.ref), "")
    value = Value(function=function, attrs=inside.names, ref=ref, kind="class")
    for each in inside.names.values():
        if isinstance(each.function, Function) and each.function.cls is None:
            static = any(
                isinstance(d, ast.Name) and d.id == "staticmethod"
                for d in getattr(each.function.node, "decorator_list", ())
            )
            each.function.cls = None if static or each.kind == "class" else value
    scope.names[node.name] = _decorated(run, value, node, scope)


def _import(run: Interpreter, node: ast.Import, scope: Scope) -> None:
    for alias in node.names:
        value = run.import_module(alias.name, node)
        top = alias.name.partition(".")[0]
        name = alias.asname or top
        scope.names[name] = value if alias.asname or top == alias.name else Value(ref=top)


def _import_from(run: Interpreter, node: ast.ImportFrom, scope: Scope) -> None:
    name = node.module or ""
    own = run.own_module(name, node.level)
    for alias in node.names:
        if own is None:
            sub = run.own_module(f"{name}.{alias.name}".strip("."), node.level)
            if sub is not None:
                scope.names[alias.asname or alias.name] = Value(attrs=sub.names, kind="module")
                continue
        if alias.name == "*":
            found = own.names if own is not None else {}
            scope.names.update(found)
            if own is None:
                scope.names.update(run.hosts.star_import(name))
        elif own is not None:
            value = own.names.get(alias.name)
            if value is None:
                sub = run.own_module(f"{name}.{alias.name}".strip("."), node.level)
                value = Value(attrs=sub.names, kind="module") if sub else Value()
            scope.names[alias.asname or alias.name] = value
        else:
            run.hosts.imported(run, name, node)
            scope.names[alias.asname or alias.name] = run.hosts.attribute(
                run, Value(ref=name), alias.name, node
            )


def _assign(run: Interpreter, node: ast.Assign, scope: Scope) -> None:
    value = run.evaluate(node.value, scope)
    for target in node.targets:
        run.assign(target, value, scope)


def _annotated(run: Interpreter, node: ast.AnnAssign, scope: Scope) -> None:
    if node.value is not None:
        run.assign(node.target, run.evaluate(node.value, scope), scope)


def _augmented(run: Interpreter, node: ast.AugAssign, scope: Scope) -> None:
    left = run.evaluate(loaded(node.target), scope)
    right = run.evaluate(node.value, scope)
    run.hosts.grows(run, node, left, right)
    if left.items is not None and isinstance(node.op, ast.Add):
        more = right.items or [right]
        left.items.extend(more[: max(0, ITEMS_MAX - len(left.items))])
        return
    run.assign(node.target, run.operate(node.op, left, right), scope)


def _if(run: Interpreter, node: ast.If | ast.IfExp, scope: Scope) -> Value:
    test = run.evaluate(node.test, scope)
    before: int = run.hosts.marks(run)
    if isinstance(node, ast.IfExp):
        first, second = run.evaluate(node.body, scope), run.evaluate(node.orelse, scope)
        run.hosts.behind(run, node, test, before)
        if test.is_const:
            return first if test.const else second
        if first.const is MISSING and not _says_something(first):
            return joined(first, second)
        made = joined(second, first)
        return made if made.const == second.const else unknown(first, second)
    # A known condition is still taken both ways: it may be known only to us.
    kept = dict(scope.names)
    run.run_body(node.body, scope)
    run.hosts.behind(run, node, test, before)
    run.run_body(node.orelse, scope)
    run.last_test = test
    for name, old in kept.items():
        new = scope.names.get(name)
        if new is not None and new is not old:
            scope.names[name] = new.with_taints(old.taints)
    return test


def _for(run: Interpreter, node: ast.For, scope: Scope) -> None:
    iterated = run.evaluate(node.iter, scope)
    items = run.items_of(iterated)
    many = len(items or ()) >= LOOP_TURNS_MAX
    endless = (many or run.hosts.is_endless(iterated)) and not has_end(node.body)
    run.endless += endless
    run.loops += 1
    turns = 2 if run.loops <= TWICE_DEPTH_MAX else 1
    chosen = items if items is not None else [run.element(iterated)] * turns
    size = 0
    for number, item in enumerate(chosen[:LOOP_TURNS_MAX]):
        run.assign(node.target, item, scope)
        run.run_body(node.body, scope)
        if len(chosen) > LOOP_TURNS_DULL:
            if number == LOOP_TURNS_LEAST - 2:
                size = built_size(node.body, scope)
            elif number == LOOP_TURNS_LEAST - 1 and 0 <= built_size(node.body, scope) <= size:
                break
    run.loops -= 1
    run.endless -= endless
    run.run_body(node.orelse, scope)


def _while(run: Interpreter, node: ast.While, scope: Scope) -> None:
    test = run.evaluate(node.test, scope)
    named = any(isinstance(each, ast.Name) for each in ast.walk(node.test))
    forever = test.is_const and bool(test.const) and not named and not has_end(node.body)
    before = run.hosts.marks(run)
    run.endless += forever
    run.loops += 1
    least = 2 if run.loops <= TWICE_DEPTH_MAX else 1
    state = _state(run, node.test, scope)
    size = 0
    for turn in range(1, LOOP_TURNS_MAX):
        run.run_body(node.body, scope)
        again = run.evaluate(node.test, scope)
        known = again.is_const and not isinstance(node.test, ast.Constant)
        if (known and not again.const) or (turn >= least and not known):
            break
        before_turn, state = state, _state(run, node.test, scope)
        run.turns += 1
        if turn >= least and (state == before_turn or run.turns > TURNS_MAX):
            break
        if turn == LOOP_TURNS_LEAST - 1:
            size = built_size(node.body, scope)
        elif turn == LOOP_TURNS_LEAST and 0 <= built_size(node.body, scope) <= size:
            break
    if forever and not any(isinstance(each, STEPS_OUT) for each in inside(node.body)):
        run.do(Act.EXHAUST, node, "the processor, in a loop without an end")
    run.loops -= 1
    run.endless -= forever
    run.hosts.behind(run, node, test, before)
    run.run_body(node.orelse, scope)


def _state(run: Interpreter, test: ast.expr, scope: Scope) -> tuple[object, ...]:
    """Return what the names in a condition stand for: one that stays is waited for in vain."""
    names = (each.id for each in ast.walk(test) if isinstance(each, ast.Name))
    return tuple(shape_of(scope.find(name) or Value()) for name in names)


def _with(run: Interpreter, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
    for item in node.items:
        value = run.evaluate(item.context_expr, scope)
        if value.kind == "generated" and value.items:
            value = value.items[0]
        if item.optional_vars is not None:
            run.assign(item.optional_vars, value, scope)
    run.run_body(node.body, scope)


def _try(run: Interpreter, node: Any, scope: Scope) -> None:
    run.run_body(node.body, scope)
    tried = dict(scope.names)
    for handler in node.handlers:
        if handler.name:
            scope.names[handler.name] = Value()
        run.run_body(handler.body, scope)
        for name, value in tried.items():  # what a handler falls back to says less
            if (other := scope.names.get(name)) is not value and other is not None:
                scope.names[name] = joined(other, value) if _says_something(value) else other
    run.run_body(node.orelse, scope)
    run.run_body(node.finalbody, scope)


def _says_something(value: Value) -> bool:
    """Tell whether anything but its origins is known of a value."""
    inside = value.items is not None or value.attrs is not None or value.function is not None
    return inside or bool(value.ref) or value.const not in (MISSING, None)


def _match(run: Interpreter, node: ast.Match, scope: Scope) -> None:
    subject = run.evaluate(node.subject, scope)
    for case in node.cases:
        for each in ast.walk(case.pattern):
            if isinstance(each, (ast.MatchAs, ast.MatchStar)) and each.name:
                scope.names[each.name] = unknown(subject)
            elif isinstance(each, ast.MatchMapping) and each.rest:
                scope.names[each.rest] = unknown(subject)
        run.run_body(case.body, scope)


def _return(run: Interpreter, node: ast.Return, scope: Scope) -> None:
    if node.value is not None:
        value = run.evaluate(node.value, scope)
        scope.returned.append(value)


def _globals(run: Interpreter, node: ast.Global, scope: Scope) -> None:
    scope.global_names.update(node.names)


def _delete(run: Interpreter, node: ast.Delete, scope: Scope) -> None:
    del node, scope


STATEMENTS: dict[type, Callable[[Interpreter, Any, Scope], Any]] = {
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.Match: _match,
    ast.Return: _return,
    ast.Global: _globals,
    ast.Delete: _delete,
}
