"""Texts that are run as code: `eval`, `Function`, `vm`, and what else makes code of a text."""

from __future__ import annotations

from skilllite_sandbox.scan.acts import Act, Sink
from skilllite_sandbox.scan.javascript.hosts import global_value
from skilllite_sandbox.scan.javascript.modules_seen import Frame
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import UNDEFINED, Scope, Value, all_taints, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

CODE_DEPTH_MAX = 6  # of code in code
CODE_CHARS_MAX = 262_144  # of a text that is read as code


def run_code(run: Interpreter, code: Value, node: Node, scope: Scope, sink: Sink) -> Value:
    """Follow a text that is run as code, with everything that follows from its origin."""
    taints = all_taints(code)
    run.flow(taints, sink, node, "code")
    if code.kind != "text" or not code.known:
        run.do(Act.RUN_CODE, node, "a computed text")
        return unknown(taints)
    source = str(code.data)
    if run.code_depth >= CODE_DEPTH_MAX or len(source) > CODE_CHARS_MAX:
        run.hide(node, "code in code, too deep or too long")
        return unknown(taints)
    run.do(Act.RUN_CODE, node, source[:60])
    fixed, run.line_fixed = run.line_fixed, run.line_of(node)
    run.code_depth += 1
    try:
        return run.run_source(source, "javascript", scope)
    finally:
        run.code_depth -= 1
        run.line_fixed = fixed


def call_code(run: Interpreter, how: str, args: list[Value], node: Node, scope: Scope) -> Value:
    """Follow `eval(text)` and `Function(…, text)`."""
    if not args:
        return UNDEFINED
    if how == "eval":
        return run.run_code(args[0], node, scope) if args[0].kind != "object" else args[0]
    names = [part.strip() for each in args[:-1] for part in str(each.data).split(",")]
    code = args[-1]
    result = _run_made(run, code, names, [global_value(run, n, node) for n in names], node)

    def call_made(_: Interpreter, given: list[Value], where: Node) -> Value:
        if not given or not code.known:
            return result
        return _run_made(run, code, names, given, where)

    return Value("native", call_made, all_taints(code))


def _run_made(
    run: Interpreter, code: Value, names: list[str], given: list[Value], node: Node
) -> Value:
    """Follow the text of `new Function(…)` with its parameters."""
    inner = Scope(run.module.scope, is_function=True)
    for name, value in zip(names, given, strict=False):
        inner.declare(name, value)
    frame = Frame(node, UNDEFINED)
    run.frames.append(frame)
    try:
        run.run_code(code, node, inner)
    finally:
        run.frames.pop()
    return run.returned(frame)
