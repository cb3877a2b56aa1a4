"""What expressions stand for, as far as it can be worked out."""

from __future__ import annotations

from collections.abc import Callable

from skilllite_sandbox.scan.javascript import hosts, operators
from skilllite_sandbox.scan.javascript.evaluation import evaluate, evaluate_all
from skilllite_sandbox.scan.javascript.literals import LITERALS
from skilllite_sandbox.scan.javascript.members import assign_to, member, note_hidden_name
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    NULL,
    UNDEFINED,
    Scope,
    Value,
    boolean,
    either,
    host,
    items,
    number,
    text,
    truth,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter


def _inner(run: Interpreter, node: Node, scope: Scope) -> Value:
    return evaluate(run, node.kids[0], scope) if node.kids else UNDEFINED


def _sequence(run: Interpreter, node: Node, scope: Scope) -> Value:
    value = UNDEFINED
    for kid in node.kids:
        value = evaluate(run, kid, scope)
    return value


def _identifier(run: Interpreter, node: Node, scope: Scope) -> Value:
    name = node.text
    found = scope.find(name)
    if found is not None:
        return found
    if name in ("undefined", "NaN", "Infinity"):
        return UNDEFINED if name == "undefined" else number(float(name.lower()[:3]))
    if name in run.host_members:
        return run.host_members[name]
    return hosts.global_value(run, name, node)


def _this(run: Interpreter, node: Node, scope: Scope) -> Value:
    if run.frames and run.frames[-1].this.kind != "undefined":
        return run.frames[-1].this
    return host("globalThis")


def _member(run: Interpreter, node: Node, scope: Scope) -> Value:
    target, name = node.field.get("object"), node.field.get("property")
    if target is None or name is None:
        return NOTHING_KNOWN
    return member(run, evaluate(run, target, scope), text(name.text), node)


def _subscript(run: Interpreter, node: Node, scope: Scope) -> Value:
    target, index = node.field.get("object"), node.field.get("index")
    if target is None or index is None:
        return NOTHING_KNOWN
    value = evaluate(run, target, scope)
    return member(run, value, evaluate(run, index, scope), node)


def _assignment(run: Interpreter, node: Node, scope: Scope) -> Value:
    left, right = node.field.get("left"), node.field.get("right")
    if left is None or right is None:
        return NOTHING_KNOWN
    value = evaluate(run, right, scope)
    assign_to(run, left, value, scope)
    return value


def _augmented(run: Interpreter, node: Node, scope: Scope) -> Value:
    left, right = node.field.get("left"), node.field.get("right")
    operator = node.field.get("operator")
    if left is None or right is None or operator is None:
        return NOTHING_KNOWN
    before, more = evaluate(run, left, scope), evaluate(run, right, scope)
    sign = operator.text[:-1]
    if sign in ("||", "&&", "??"):
        value = either(before, more)
    else:
        value = operators.binary(sign, before, more)
    if left.kind == "identifier" and sign not in ("||", "&&", "??"):
        scope.assign(left.text, value)
    else:
        assign_to(run, left, value, scope)
    return value


def _update(run: Interpreter, node: Node, scope: Scope) -> Value:
    target = node.field.get("argument")
    if target is None:
        return NOTHING_KNOWN
    operator = node.field.get("operator")
    before = evaluate(run, target, scope)
    step = 1 if operator is None or operator.text == "++" else -1
    after = operators.binary("+" if step > 0 else "-", operators.numeric(before), number(1))
    if target.kind == "identifier":
        scope.assign(target.text, after)
    else:
        assign_to(run, target, after, scope)
    is_prefix = operator is not None and operator.start < target.start
    return after if is_prefix else before


def _binary(run: Interpreter, node: Node, scope: Scope) -> Value:
    chain = [node]
    while True:  # long sums of strings lean to the left: walked, not nested
        left = chain[-1].field.get("left")
        if left is None or left.kind != "binary_expression":
            break
        chain.append(left)
    first = chain[-1].field.get("left")
    value = evaluate(run, first, scope) if first is not None else NOTHING_KNOWN
    for each in reversed(chain):
        operator, right = each.field.get("operator"), each.field.get("right")
        if operator is None or right is None:
            return NOTHING_KNOWN
        value = _one_binary(run, operator.text, value, right, scope)
    return value


def _one_binary(run: Interpreter, operator: str, left: Value, right: Node, scope: Scope) -> Value:
    if operator in ("&&", "||", "??"):
        known = truth(left)
        if operator == "??":
            known = {"null": False, "undefined": False}.get(
                left.kind, None if known is None else True
            )
        if known is not None and known == (operator != "&&"):
            run.unreached.append((right, scope, run.module))
            return left
        if known is not None:
            return evaluate(run, right, scope)
        run.guards += 1
        try:
            other = evaluate(run, right, scope)
        finally:
            run.guards -= 1
        return either(left, other)
    return operators.binary(operator, left, evaluate(run, right, scope))


def _unary(run: Interpreter, node: Node, scope: Scope) -> Value:
    operator, argument = node.field.get("operator"), node.field.get("argument")
    if operator is None or argument is None:
        return NOTHING_KNOWN
    if operator.text == "delete":
        run.changes += 1
        return boolean(True)
    value = evaluate(run, argument, scope)
    return operators.unary(operator.text, value)


def _ternary(run: Interpreter, node: Node, scope: Scope) -> Value:
    condition = node.field.get("condition")
    yes, no = node.field.get("consequence"), node.field.get("alternative")
    if condition is None or yes is None or no is None:
        return NOTHING_KNOWN
    known = truth(evaluate(run, condition, scope))
    if known is not None:
        run.unreached.append((no if known else yes, scope, run.module))
        return evaluate(run, yes if known else no, scope)
    run.guards += 1
    try:
        return either(evaluate(run, yes, scope), evaluate(run, no, scope))
    finally:
        run.guards -= 1


def _yield(run: Interpreter, node: Node, scope: Scope) -> Value:
    value = evaluate(run, node.kids[0], scope) if node.kids else UNDEFINED
    if run.frames:
        run.frames[-1].yielded.append(value)
    return NOTHING_KNOWN


def _call(run: Interpreter, node: Node, scope: Scope) -> Value:
    from skilllite_sandbox.scan.javascript.calls import call_method

    called, given = node.field.get("function"), node.field.get("arguments")
    if called is None or given is None:
        return NOTHING_KNOWN
    while called.kind in ("parenthesized_expression", "non_null_expression") and called.kids:
        called = called.kids[-1]
        if called.kind == "sequence_expression":  # (0, eval)(…)
            for kid in called.kids[:-1]:
                evaluate(run, kid, scope)
            called = called.kids[-1]
    if called.kind in ("member_expression", "subscript_expression"):
        owner_node = called.field.get("object")
        name_node = called.field.get("property") or called.field.get("index")
        if owner_node is None or name_node is None:
            return NOTHING_KNOWN
        owner = evaluate(run, owner_node, scope)
        plain = called.kind == "member_expression"
        name = text(name_node.text) if plain else evaluate(run, name_node, scope)
        if not plain:
            note_hidden_name(run, name, called)
        return call_method(run, owner, name, _arguments(run, given, scope), node)
    if called.kind == "import":
        function = host("require")
    elif called.kind == "super":
        function = scope.find("super") or NOTHING_KNOWN
    else:
        function = evaluate(run, called, scope)
    args = _arguments(run, given, scope)
    if called.kind == "identifier" and called.text == "await" and args:
        return args[0]  # how the grammar takes `await (…)` outside of functions
    if function.kind == "host" and function.data in ("eval", "Function"):
        return run.call_code(str(function.data), args, node, scope)
    return run.call(function, args, node)


def _arguments(run: Interpreter, node: Node, scope: Scope) -> list[Value]:
    if node.kind == "template_string":
        made = evaluate(run, node, scope)
        made.members = {"raw": items([text(str(made.data), made.taints)])}
        return [made]
    return evaluate_all(run, node.kids, scope)


def _new(run: Interpreter, node: Node, scope: Scope) -> Value:
    from skilllite_sandbox.scan.javascript.calls import construct

    made, given = node.field.get("constructor"), node.field.get("arguments")
    if made is None:
        return NOTHING_KNOWN
    function = evaluate(run, made, scope)
    args = _arguments(run, given, scope) if given is not None else []
    if function.kind == "host" and function.data == "Function":
        return run.call_code("Function", args, node, scope)
    return construct(run, function, args, node)


def _meta(run: Interpreter, node: Node, scope: Scope) -> Value:
    return host("import.meta")


def _opaque_await(run: Interpreter, node: Node, scope: Scope) -> Value:
    return _inner(run, node, scope)


EXPRESSIONS: dict[str, Callable[[Interpreter, Node, Scope], Value]] = {
    **LITERALS,
    **dict.fromkeys(("identifier", "shorthand_property_identifier"), _identifier),
    "undefined": lambda run, node, scope: UNDEFINED,
    "null": lambda run, node, scope: NULL,
    "true": lambda run, node, scope: boolean(True),
    "false": lambda run, node, scope: boolean(False),
    "this": _this,
    "super": lambda run, node, scope: NOTHING_KNOWN,
    "import": lambda run, node, scope: host("require"),
    "member_expression": _member,
    "subscript_expression": _subscript,
    "assignment_expression": _assignment,
    "augmented_assignment_expression": _augmented,
    "update_expression": _update,
    "binary_expression": _binary,
    "unary_expression": _unary,
    "ternary_expression": _ternary,
    "sequence_expression": _sequence,
    "await_expression": _opaque_await,
    "yield_expression": _yield,
    "call_expression": _call,
    "new_expression": _new,
    "meta_property": _meta,
    **dict.fromkeys(
        (
            *("parenthesized_expression", "as_expression", "satisfies_expression"),
            *("non_null_expression", "jsx_expression", "spread_element"),
        ),
        _inner,
    ),
    "type_assertion": lambda run, node, scope: (
        evaluate(run, node.kids[-1], scope) if node.kids else NOTHING_KNOWN
    ),
}
