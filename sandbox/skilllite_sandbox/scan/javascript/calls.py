"""Calls: functions of the script, of the language and of the host."""

from __future__ import annotations

from skilllite_sandbox.scan.acts import Datum
from skilllite_sandbox.scan.host_places import holds_variables
from skilllite_sandbox.scan.javascript import built_in, hosts
from skilllite_sandbox.scan.javascript.evaluation import evaluate
from skilllite_sandbox.scan.javascript.members import member
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    UNDEFINED,
    Function,
    Scope,
    Value,
    add_origins,
    all_taints,
    either,
    items,
    options_of,
    record,
    unknown,
)
from skilllite_sandbox.scan.taint import Taint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

FOLLOWED_STEPS_MAX = 8_000  # for one function, however often it is called: then nothing new comes
FOLLOWED_KNOWN_STEPS_MAX = 60_000  # with known arguments: a decoder is called for every string
MUTATORS = frozenset(("append", "set", "add", "push", "put", "insert", "unshift", "update"))
"""Methods that put their arguments into what they are methods of."""
_REBINDS = ("call", "apply", "bind")
CALLS_DEPTH_MAX = 24  # of functions that call each other
RECURSION_MAX = 2  # of one function on values that aren't known
RECURSION_KNOWN_MAX = 12
RECURSION_CALLS_MAX = 400  # of one function by itself altogether: two in each double every time


def call_value(
    run: Interpreter, function: Value, args: list[Value], node: Node, this: Value
) -> Value:
    """Follow a call of whatever this is."""
    results = [_call_one(run, option, args, node, this) for option in options_of(function)]
    return either(*results) if len(results) > 1 else results[0]


def _call_one(
    run: Interpreter, function: Value, args: list[Value], node: Node, this: Value
) -> Value:
    data = function.data
    if function.kind == "function":
        assert isinstance(data, Function)
        return call_function(run, data, args, this, node)
    if function.kind == "native":
        assert callable(data)
        result: Value = data(run, args, node)
        return result
    if function.kind == "host":
        return hosts.call_host(run, str(data), function, args, node)
    return call_unseen(run, function, args, node)


def call_unseen(run: Interpreter, function: Value, args: list[Value], node: Node) -> Value:
    """Follow a call of something unknown: functions among the arguments may well be called back."""
    origins = all_taints(function)
    for arg in args:
        if arg.kind in ("function", "native"):
            run.call_back(arg, node, unknown(origins), unknown(origins))
    return unknown(origins | all_taints(*args))


def call_function(
    run: Interpreter, function: Function, args: list[Value], this: Value, node: Node
) -> Value:
    """Follow a call of one of the script's own functions."""
    from skilllite_sandbox.scan.javascript.modules_seen import Frame, Module
    from skilllite_sandbox.scan.javascript.patterns import bind_parameters

    made = function.node
    body = made.field.get("body")
    if body is None:
        return NOTHING_KNOWN
    if made.kind in ("class_declaration", "class", "abstract_class_declaration"):
        return construct_class(run, function, args, node)
    nested = sum(frame.node is made for frame in run.frames)
    known = bool(args) and all(arg.known or arg.kind == "list" for arg in args)
    spent, last = run.followed.get(made, (0, NOTHING_KNOWN))
    if spent >= (FOLLOWED_KNOWN_STEPS_MAX if known else FOLLOWED_STEPS_MAX):
        return unknown(all_taints(last, *args))
    left = run.budget.steps
    limit = RECURSION_KNOWN_MAX if known else RECURSION_MAX
    if nested:
        run.calls_nested[made] = run.calls_nested.get(made, 0) + 1
        limit = limit if run.calls_nested[made] < RECURSION_CALLS_MAX else 0
    if nested >= limit or len(run.frames) >= CALLS_DEPTH_MAX:
        return unknown(all_taints(*args))
    scope = Scope(function.scope, is_function=True, guards=run.guards)
    frame = Frame(made, function.this if function.is_arrow and function.this else this)
    if not function.is_arrow:
        scope.declare("arguments", items(args))
    assert isinstance(function.owner, Module)
    outer, run.module = run.module, function.owner
    run.frames.append(frame)
    run.reached.add(body)
    try:
        bind_parameters(run, made, args, scope)
        if body.kind == "statement_block":
            end = run.run_block(body.kids, scope)
            if end != "return":
                frame.returned.append(UNDEFINED)
        else:
            frame.returned.append(evaluate(run, body, scope))
    finally:
        run.frames.pop()
        run.module = outer
    if made.kind.startswith("generator") or frame.yielded:
        return items(frame.yielded)
    result = run.returned(frame)
    spent = run.followed.get(made, (0, result))[0] + max(left - run.budget.steps, 0)
    run.followed[made] = (spent, result)
    return result


def construct(run: Interpreter, function: Value, args: list[Value], node: Node) -> Value:
    """Follow `new`."""
    results = []
    for option in options_of(function):
        data = option.data
        if option.kind == "function" and isinstance(data, Function):
            if "class" in data.node.kind:
                results.append(construct_class(run, data, args, node))
            else:
                made = record()
                shared = (option.members or {}).get("prototype")
                if shared is not None and isinstance(shared.data, dict):
                    assert isinstance(made.data, dict)
                    made.data.update(shared.data)
                result = call_function(run, data, args, made, node)
                results.append(result if result.kind in ("object", "function", "list") else made)
        elif option.kind == "host":
            results.append(hosts.construct_host(run, str(option.data), option, args, node))
        else:
            results.append(call_unseen(run, option, args, node))
    return either(*results) if len(results) > 1 else results[0]


def construct_class(run: Interpreter, function: Function, args: list[Value], node: Node) -> Value:
    """Follow `new` of a class: its fields and its constructor, those of what it extends first."""
    made = record()
    run.constructed.add(function.node)
    fill_instance(run, function, made, args, node)
    return made


def fill_instance(
    run: Interpreter, function: Function, made: Value, args: list[Value], node: Node
) -> None:
    """Put the members of a class into a new object and follow its constructor."""
    from skilllite_sandbox.scan.javascript.literals import key_of, make_function

    assert isinstance(made.data, dict)
    heritage = next((kid for kid in function.node.kids if kid.kind == "class_heritage"), None)
    parent = NOTHING_KNOWN
    if heritage is not None and heritage.kids:
        inner = heritage.kids[0]
        inner = inner.field.get("value", inner.kids[0]) if inner.kind == "extends_clause" else inner
        parent = evaluate(run, inner, function.scope)
    scope = Scope(function.scope)

    def super_call(_: Interpreter, given: list[Value], where: Node) -> Value:
        if parent.kind == "function" and isinstance(parent.data, Function):
            fill_instance(run, parent.data, made, given, where)
        elif parent.kind == "host":
            made.taints |= hosts.construct_host(run, str(parent.data), parent, given, where).taints
        return made

    scope.declare("super", Value("native", super_call))
    body = function.node.field.get("body")
    constructor = None
    if heritage is not None:
        inherited = _methods_of(run, parent)
        made.data.update(inherited)
    for kid in body.kids if body is not None else ():
        name = kid.field.get("name") or kid.field.get("property")
        if name is None:
            continue
        key = key_of(run, name, scope)
        if kid.kind == "method_definition":
            value = make_function(run, kid, scope)
            if key == "constructor":
                constructor = value
            else:
                made.data[key] = value
        elif "value" in kid.field:
            made.data[key] = evaluate(run, kid.field["value"], scope)
    if constructor is not None and isinstance(constructor.data, Function):
        call_function(run, constructor.data, args, made, node)
    elif heritage is not None:
        super_call(run, args, node)


def _methods_of(run: Interpreter, parent: Value) -> dict[str, Value]:
    if parent.kind != "function" or not isinstance(parent.data, Function):
        return {}
    body = parent.data.node.field.get("body")
    from skilllite_sandbox.scan.javascript.literals import key_of, make_function

    methods = {}
    for kid in body.kids if body is not None else ():
        name = kid.field.get("name")
        if kid.kind == "method_definition" and name is not None:
            methods[key_of(run, name, parent.data.scope)] = make_function(
                run, kid, parent.data.scope
            )
    return methods


def call_method(
    run: Interpreter, receiver: Value, name: Value, args: list[Value], node: Node
) -> Value:
    """Follow a call of something's method."""
    results = [_method_of_one(run, option, name, args, node) for option in options_of(receiver)]
    return either(*results) if len(results) > 1 else results[0]


def _method_of_one(
    run: Interpreter, receiver: Value, name: Value, args: list[Value], node: Node
) -> Value:
    key = str(name.data) if name.kind in ("text", "number") else ""
    callable_kinds = ("function", "native", "host")
    if receiver.kind in callable_kinds and key in _REBINDS and receiver.data != "Reflect":
        return _rebound(run, receiver, key, args, node)
    if key in ("then", "catch", "finally") and not (
        receiver.kind == "object" and isinstance(receiver.data, dict) and key in receiver.data
    ):
        return _promised(run, receiver, key, args, node)
    if key in _TAKES_APART:
        receiver = _single_variables(receiver)
    if receiver.kind == "host":
        found = member(run, receiver, name, node)
        if key in MUTATORS and str(receiver.data)[0] == "#":
            add_origins(receiver, all_taints(*args))
        if found.kind == "host":
            return hosts.call_host(run, str(found.data), receiver, args, node)
        return call_value(run, found, args, node, receiver)
    built = built_in.call_method(run, receiver, key, args, node)
    if built is not None:
        return built
    if key in MUTATORS:
        add_origins(receiver, all_taints(*args))
    found = member(run, receiver, name, node)
    if found.kind in ("function", "native", "host", "either"):
        return call_value(run, found, args, node, receiver)
    return call_unseen(run, unknown(all_taints(receiver, found)), args, node)


_TAKES_APART = frozenset(("split", "match", "matchAll"))


def _single_variables(value: Value) -> Value:
    """Return a file of variables that is read line by line: each is one by its name from there."""
    if value.kind not in ("unknown", "text"):
        return value
    taints = frozenset(
        Taint(Datum.VARIABLE, each.file, each.line, each.detail)
        if each.datum is Datum.ENVIRONMENT and holds_variables(each.detail)
        else each
        for each in value.taints
    )
    return value if taints == value.taints else Value(value.kind, value.data, taints)


def _rebound(run: Interpreter, function: Value, key: str, args: list[Value], node: Node) -> Value:
    this, rest = (args[0] if args else UNDEFINED), args[1:]
    if key == "bind" and function.kind == "host" and str(function.data).endswith(".call"):
        return Value("native", lambda r, more, at: call_value(r, this, more[1:], at, UNDEFINED))
    if key == "bind":
        if not rest and function.kind != "function":
            return function
        return Value("native", lambda r, more, at: call_value(r, function, rest + more, at, this))
    if key == "apply":
        listed = rest[0] if rest else UNDEFINED
        spread = listed.data if listed.kind == "list" else None
        rest = spread if isinstance(spread, list) else [unknown(all_taints(listed))]
    return call_value(run, function, rest, node, this)


def _promised(run: Interpreter, value: Value, key: str, args: list[Value], node: Node) -> Value:
    """Follow `.then(…)`: a promise is taken for what it will give."""
    if key == "finally" and args:
        run.call_back(args[0], node)
        return value
    if key == "catch":
        caught = [run.call_back(arg, node, NOTHING_KNOWN) for arg in args[:1]]
        return either(value, *caught) if caught and caught[0].kind != "undefined" else value
    if not args:
        return value
    result = call_value(run, args[0], [value], node, UNDEFINED)
    for arg in args[1:2]:
        run.call_back(arg, node, NOTHING_KNOWN)
    return result
