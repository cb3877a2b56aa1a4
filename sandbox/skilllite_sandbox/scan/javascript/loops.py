"""Loops: rounds that are known are followed one by one, others once; endless ones are judged."""

from __future__ import annotations

from skilllite_sandbox.scan.acts import Act
from skilllite_sandbox.scan.javascript import patterns
from skilllite_sandbox.scan.javascript.evaluation import evaluate
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    Scope,
    Value,
    all_taints,
    text,
    truth,
    unknown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

ROUNDS_MAX = 4_096  # of a loop that only computes: hidden text is turned into code so
ROUNDS_ENDLESS_MAX = 600  # of one whose end isn't in its condition: a table that is turned about
LOOP_STEPS_MAX = 40_000  # of all loops of a skill, one by one; then each is followed twice
ROUNDS_WITH_CHOICE_MAX = 64  # of a loop that picks its statements by number
ROUNDS_WITH_ACTS_MAX = 2
_LEAVES = frozenset(
    (
        "break_statement",
        "return_statement",
        "throw_statement",
        "await_expression",
        "yield_expression",
    )
)
_STARTERS = frozenset(
    (
        *("push", "unshift", "concat", "alloc", "allocUnsafe", "spawn", "fork", "exec", "execSync"),
        *("spawnSync", "Worker", "writeFileSync", "appendFileSync", "writeSync", "mkdirSync"),
        *("repeat", "set", "add", "execFile", "Array", "Uint8Array", "ArrayBuffer", "write"),
    )
)


def follow_loop(run: Interpreter, node: Node, scope: Scope) -> str:
    """Follow a loop and return how it ended."""
    inner = Scope(scope)
    if node.kind == "for_in_statement":
        return _over(run, node, inner)
    start = node.field.get("initializer")
    if start is not None:
        run.run(start, inner)
    condition, body = node.field.get("condition"), node.field.get("body")
    step = node.field.get("increment")
    if body is None:
        return ""
    rounds_max = ROUNDS_MAX
    if _is_endless(run, condition, inner):
        _note_endless(run, node, body)
        rounds_max = ROUNDS_ENDLESS_MAX
    before, unsure = run.changes, run.unsure
    if run.loop_steps > LOOP_STEPS_MAX:
        rounds_max = ROUNDS_WITH_ACTS_MAX
    rounds = 0
    first = node.kind == "do_statement"
    while rounds < rounds_max:
        known = True if first else _holds(run, condition, inner)
        first = False
        if known is False:
            if rounds == 0:
                run.unreached.append((body, inner, run.module))
            return ""
        rounds += 1
        left = run.budget.steps
        end = run.run(body, inner) if known else run.run_unknown(body, inner)
        if end in ("return", "throw"):
            return end if known else ""
        if end == "break" or known is None:
            return ""
        if step is not None:
            evaluate(run, step, inner)
        run.loop_steps += max(left - run.budget.steps, 0)
        if run.loop_steps > LOOP_STEPS_MAX:
            return ""
        if run.changes != before or run.unsure != unsure:
            rounds_max = min(rounds_max, _rounds_with_acts(body))
    return ""


def _rounds_with_acts(body: Node) -> int:
    kinds = {kid.kind for kid in body.kids} | {body.kind}
    return ROUNDS_WITH_CHOICE_MAX if "switch_statement" in kinds else ROUNDS_WITH_ACTS_MAX


def _holds(run: Interpreter, condition: Node | None, scope: Scope) -> bool | None:
    if condition is None or condition.kind == "empty_statement":
        return True
    if condition.kind == "expression_statement":
        condition = condition.kids[0] if condition.kids else condition
    return truth(evaluate(run, condition, scope))


def _over(run: Interpreter, node: Node, scope: Scope) -> str:
    left, right = node.field.get("left"), node.field.get("right")
    body = node.field.get("body")
    if left is None or right is None or body is None:
        return ""
    value = evaluate(run, right, scope)
    operator = node.field.get("operator")
    rounds = _rounds(value, keys=operator is not None and operator.text == "in")
    before = run.changes
    for position, each in enumerate(rounds):
        inner = Scope(scope)
        patterns.bind(run, left, each, inner)
        end = run.run(body, inner)
        if end in ("return", "throw"):
            return end if len(rounds) == 1 and each.known else ""
        if end == "break":
            return ""
        if run.changes != before and position >= 31:
            break
    return ""


def _rounds(value: Value, *, keys: bool) -> list[Value]:
    """Return what a loop goes over: each element when they are known, else one that may be any."""
    data = value.data
    if value.kind == "list" and isinstance(data, list) and data:
        return [text(str(i)) for i in range(len(data))] if keys else list(data)
    if value.kind == "object" and isinstance(data, dict) and data and keys:
        return [text(key) for key in data]
    if value.kind == "text" and value.known and not keys:
        return [text(char, value.taints) for char in str(data)[:4096]]
    return [unknown(all_taints(value))]


def _is_endless(run: Interpreter, condition: Node | None, scope: Scope) -> bool:
    """Tell whether a condition is true whatever happens."""
    todo = [condition] if condition is not None else []
    while todo:
        each = todo.pop()
        if each.kind in ("identifier", "call_expression", "member_expression"):
            return False
        todo.extend(each.kids)
    return _holds(run, condition, scope) is True


def _note_endless(run: Interpreter, node: Node, body: Node) -> None:
    """Write down an endless loop that starts or stores more each time."""
    starts = False
    empty = not body.kids
    todo = [body]
    while todo:
        each = todo.pop()
        if each.kind in _LEAVES:
            return
        if each.kind in ("call_expression", "new_expression"):
            called = each.field.get("function") or each.field.get("constructor")
            name = called.field.get("property", called) if called is not None else None
            starts = starts or (name is not None and name.text in _STARTERS)
        if each.kind == "augmented_assignment_expression":
            operator = each.field.get("operator")
            starts = starts or (operator is not None and operator.text == "+=")
        if each.kind == "assignment_expression":
            starts = starts or _doubles(each)
        todo.extend(each.kids)
    if starts or empty:
        run.do(Act.EXHAUST, node, "a loop without an end that starts or stores more each time")


def _doubles(node: Node) -> bool:
    left, right = node.field.get("left"), node.field.get("right")
    if left is None or right is None or right.kind not in ("binary_expression", "template_string"):
        return False
    return sum(kid.text == left.text for kid in right.kids) >= 2
