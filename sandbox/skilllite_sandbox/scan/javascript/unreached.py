"""What nothing has reached when the scripts have come to their end: followed all the same."""

from __future__ import annotations

from skilllite_sandbox.scan.javascript.calls import call_function, construct_class
from skilllite_sandbox.scan.javascript.modules_seen import Module
from skilllite_sandbox.scan.javascript.values import UNDEFINED, Function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

UNREACHED_MAX = 2_000  # pieces that are followed at the end


def finish(run: Interpreter) -> None:
    """Follow what nothing has reached: functions nobody called, branches not taken."""
    rounds = 0
    while rounds < UNREACHED_MAX and (
        run.deferred or run.classes or run.functions or run.unreached
    ):
        rounds += 1
        if run.deferred:
            run.module, function, node, args, this = run.deferred.pop(0)
            run.call_back(function, node, *args, this=this)
            continue
        if run.classes:
            made = run.classes.pop()
            if made.node not in run.constructed:
                _use_class(run, made)
            continue
        if run.functions:
            found = run.functions.pop()
            body = found.node.field.get("body")
            if body is None or body in run.reached:
                continue
            assert isinstance(found.owner, Module)
            run.module = found.owner
            call_function(run, found, [], UNDEFINED, found.node)
        else:
            node, scope, module = run.unreached.pop()
            if node not in run.reached:
                run.module = module
                run.run_unknown(node, scope)


def _use_class(run: Interpreter, made: Function) -> None:
    """Follow a class that only others use: its constructor, then each of its methods."""
    assert isinstance(made.owner, Module)
    run.module = made.owner
    instance = construct_class(run, made, [], made.node)
    methods = list(instance.data.values()) if isinstance(instance.data, dict) else []
    for method in methods:
        if method.kind == "function" and isinstance(method.data, Function):
            call_function(run, method.data, [], instance, method.data.node)
