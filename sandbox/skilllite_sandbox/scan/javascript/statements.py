"""Statements: a condition that is known chooses its branch, any other has both followed."""

from __future__ import annotations

from skilllite_sandbox.scan.javascript import loops, patterns, triggers
from skilllite_sandbox.scan.javascript.evaluation import evaluate
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    UNDEFINED,
    Scope,
    Value,
    truth,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter


def follow_statement(run: Interpreter, node: Node, scope: Scope) -> str:
    """Follow one statement of any kind, and return how it ended."""
    kind = node.kind
    if kind == "expression_statement":
        for kid in node.kids:
            evaluate(run, kid, scope)
        return ""
    if kind in ("lexical_declaration", "variable_declaration"):
        _declare(run, node, scope)
        return ""
    if kind == "statement_block":
        return run.run_block(node.kids, Scope(scope))
    if kind == "if_statement":
        return _if(run, node, scope)
    if kind == "return_statement":
        value = evaluate(run, node.kids[0], scope) if node.kids else UNDEFINED
        if run.frames:
            run.frames[-1].returned.append(value)
        return "return"
    if kind in ("break_statement", "continue_statement"):
        return kind.partition("_")[0]
    if kind == "throw_statement":
        for kid in node.kids:
            evaluate(run, kid, scope)
        return "throw"
    if kind == "try_statement":
        return _try(run, node, scope)
    if kind in ("for_statement", "for_in_statement", "while_statement", "do_statement"):
        return loops.follow_loop(run, node, scope)
    if kind == "switch_statement":
        return _switch(run, node, scope)
    if kind == "labeled_statement":
        body = node.field.get("body")
        end = run.run(body, scope) if body is not None else ""
        return "" if end in ("break", "continue") else end
    if kind in ("import_statement", "export_statement"):
        patterns.follow_module_statement(run, node, scope)
        return ""
    if kind in ("class_declaration", "abstract_class_declaration", "enum_declaration"):
        name = node.field.get("name")
        value = evaluate(run, node, scope)
        if name is not None:
            scope.declare(name.text, value)
        return ""
    if kind == "debugger_statement":
        return ""
    if kind in ("function_declaration", "generator_function_declaration"):
        return ""
    if kind.endswith("_statement") or kind in ("else_clause", "finally_clause", "ERROR"):
        return run.run_block(node.kids, scope)
    evaluate(run, node, scope)
    return ""


def _declare(run: Interpreter, node: Node, scope: Scope) -> None:
    is_var = node.kind == "variable_declaration"
    for declarator in node.kids:
        name, value_node = declarator.field.get("name"), declarator.field.get("value")
        if name is None:
            continue
        if value_node is None:
            if is_var and scope.find(name.text) is not None:
                continue
            value = UNDEFINED
        else:
            value = evaluate(run, value_node, scope)
        patterns.bind(run, name, value, scope, var=is_var)


def _if(run: Interpreter, node: Node, scope: Scope) -> str:
    condition = node.field.get("condition")
    value = evaluate(run, condition, scope) if condition is not None else NOTHING_KNOWN
    yes, no = node.field.get("consequence"), node.field.get("alternative")
    known = truth(value)
    if known is not None:
        taken, other = (yes, no) if known else (no, yes)
        if other is not None:
            run.unreached.append((other, scope, run.module))
        return run.run(taken, scope) if taken is not None else ""
    before = triggers.weight(run)
    lacking = _lacking(run, condition, scope)
    run.lacking.append(lacking)
    try:
        ends = [run.run_unknown(each, scope) if each is not None else "" for each in (yes, no)]
    finally:
        run.lacking.pop()
    if condition is not None:
        triggers.judge(run, condition, value, before, node)
    return ends[0] if ends[0] == ends[1] else ""


def _lacking(run: Interpreter, condition: Node | None, scope: Scope) -> str:
    """Return what a script found to be missing before it makes one of its own."""
    while condition is not None and condition.kind == "parenthesized_expression" and condition.kids:
        condition = condition.kids[0]
    if condition is not None and condition.kind == "binary_expression":
        condition = condition.field.get("left")  # typeof x === "undefined"
    if condition is None or condition.kind != "unary_expression":
        return ""
    argument = condition.field.get("argument")
    value = evaluate(run, argument, scope) if argument is not None else NOTHING_KNOWN
    return str(value.data) if value.kind == "host" else ""


def _try(run: Interpreter, node: Node, scope: Scope) -> str:
    body, handler = node.field.get("body"), node.field.get("handler")
    end = run.run(body, scope) if body is not None else ""
    if handler is not None:
        inner = Scope(scope)
        caught = handler.field.get("parameter")
        if caught is not None:
            patterns.bind(run, caught, NOTHING_KNOWN, inner)
        handled = handler.field.get("body")
        if handled is not None and end == "throw":
            end = run.run(handled, inner)
        elif handled is not None:
            run.unreached.append((handled, inner, run.module))
    last = node.field.get("finalizer")
    if last is not None:
        end = run.run_block(last.kids, scope) or end
    return end


def _switch(run: Interpreter, node: Node, scope: Scope) -> str:
    value_node, body = node.field.get("value"), node.field.get("body")
    value = evaluate(run, value_node, scope) if value_node is not None else NOTHING_KNOWN
    inner = Scope(scope)
    cases = body.kids if body is not None else []
    if value.known:
        start = _matching_case(run, cases, value, inner)
        if start is not None:
            return _fall_through(run, cases, start, inner)
    before = triggers.weight(run)
    for case in cases:
        own = case.field.get("value")
        for kid in case.kids:
            if kid is not own:
                run.run_unknown(kid, inner)
    if value_node is not None:
        triggers.judge(run, value_node, value, before, node)
    return ""


def _matching_case(run: Interpreter, cases: list[Node], value: Value, scope: Scope) -> int | None:
    for position, case in enumerate(cases):
        own = case.field.get("value")
        if own is None:
            continue
        wanted = evaluate(run, own, scope)
        if not wanted.known:
            return None
        if wanted.kind == value.kind and wanted.data == value.data:
            return position
    return next((i for i, case in enumerate(cases) if case.kind == "switch_default"), None)


def _fall_through(run: Interpreter, cases: list[Node], start: int, scope: Scope) -> str:
    skipped = [*cases[:start]]
    for position, case in enumerate(cases[start:], start):
        own = case.field.get("value")
        for kid in case.kids:
            if kid is own:
                continue
            end = run.run(kid, scope)
            if end:
                skipped += cases[position + 1 :]
                _leave_cases(run, skipped, scope)
                return "" if end == "break" else end
    _leave_cases(run, skipped, scope)
    return ""


def _leave_cases(run: Interpreter, cases: list[Node], scope: Scope) -> None:
    for case in cases:
        own = case.field.get("value")
        run.unreached += [(kid, scope, run.module) for kid in case.kids if kid is not own]
