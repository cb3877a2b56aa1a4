"""Works out one expression: whichever handler the interpreter has for its kind."""

from __future__ import annotations

from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    ITEMS_MAX,
    NOTHING_KNOWN,
    UNDEFINED,
    Scope,
    Value,
    all_taints,
    text,
    unknown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter


def evaluate(run: Interpreter, node: Node, scope: Scope) -> Value:
    """Return what an expression stands for, and follow what it does."""
    run.budget.spend()
    if run.depth >= run.depth_max:
        run.note_depth(node)
        return NOTHING_KNOWN
    handler = run.expressions.get(node.kind)
    if handler is None:
        return _others(run, node, scope)
    run.depth += 1
    try:
        value = handler(run, node, scope)
        run.budget.hold(value.data)
        return value
    finally:
        run.depth -= 1


def _others(run: Interpreter, node: Node, scope: Scope) -> Value:
    parts = [evaluate(run, kid, scope) for kid in node.kids]
    return unknown(all_taints(*parts)) if parts else NOTHING_KNOWN


def evaluate_all(run: Interpreter, nodes: list[Node], scope: Scope) -> list[Value]:
    """Return what expressions stand for, with `...` spread."""
    values: list[Value] = []
    for kid in nodes:
        if kid.kind == "spread_element":
            value = evaluate(run, kid.kids[0], scope) if kid.kids else UNDEFINED
            if value.kind == "list" and isinstance(value.data, list):
                values += value.data[:ITEMS_MAX]
            elif value.kind == "text" and value.known:
                values += [text(char, value.taints) for char in str(value.data)[:ITEMS_MAX]]
            else:
                values.append(unknown(all_taints(value)))
        else:
            values.append(evaluate(run, kid, scope))
    return values
