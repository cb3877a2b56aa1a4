"""Properties: what they are, and what comes of giving them another value."""

from __future__ import annotations

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.javascript import built_in, hosts
from skilllite_sandbox.scan.javascript.evaluation import evaluate
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    ITEMS_MAX,
    UNDEFINED,
    Scope,
    Value,
    add_origins,
    all_taints,
    as_text,
    either,
    host,
    options_of,
    record,
    text,
    unknown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter


_SENSITIVE = frozenset(
    (
        *(
            "eval",
            "Function",
            "constructor",
            "require",
            "child_process",
            "exec",
            "execSync",
            "spawn",
        ),
        *(
            "spawnSync",
            "execFile",
            "execFileSync",
            "fork",
            "env",
            "mainModule",
            "binding",
            "dlopen",
        ),
        *("_load", "process", "fetch", "readFileSync", "writeFileSync", "createConnection", "net"),
        *("fs", "http", "https", "vm", "runInThisContext", "runInNewContext", "_compile", "dgram"),
    )
)


def note_hidden_name(run: Interpreter, name: Value, node: Node) -> None:
    """Write down a name that is hidden or put together from pieces so that no search finds it."""
    if name.kind != "text" or str(name.data).removeprefix("node:") not in _SENSITIVE:
        return
    taints = frozenset(taint for taint in name.taints if taint.datum is Datum.DECODED)
    if not taints and name.pieced:
        taints = run.taint(Datum.DECODED, node, "put together from pieces")
    if taints:
        run.flow(taints, Sink.RUN_CODE, node, f"the name {name.data}")


def member(run: Interpreter, value: Value, name: Value, node: Node) -> Value:
    """Return what a property of a value is."""
    if name.pieced or name.taints:
        note_hidden_name(run, name, node)
    found = [_member_of_one(run, option, name, node) for option in options_of(value)]
    return either(*found) if len(found) > 1 else found[0]


def _member_of_one(run: Interpreter, value: Value, name: Value, node: Node) -> Value:
    key = as_text(name).text
    kind, data = value.kind, value.data
    if value.members is not None and key in value.members:
        return value.members[key]
    if value.members is not None and "#get" in value.members:
        return run.call(value.members["#get"], [value, name], node)
    if kind == "host":
        return hosts.get_member(run, value, key, node)
    if kind == "object" and isinstance(data, dict):
        if key in data:
            found: Value = data[key]
            return found
        if key == "__proto__":
            return host("Object.prototype")
        if key == "constructor":
            return host("Object")
        if UNKNOWN in key or key == "[object]":
            return either(*data.values()) if 0 < len(data) <= 8 else unknown(all_taints(value))
        return unknown(value.taints) if value.taints else UNDEFINED
    if key == "__proto__":
        return value
    if key == "constructor":
        return host(
            "Function" if kind in ("function", "native") else _CONSTRUCTORS.get(kind, "Object")
        )
    if kind in ("list", "text"):
        return built_in.item(value, name)
    if kind == "function" and key == "prototype":
        made = record()
        value.members = {**(value.members or {}), "prototype": made}
        return made
    return unknown(all_taints(value))


_CONSTRUCTORS = {"list": "Array", "text": "String", "number": "Number", "bool": "Boolean"}


def assign_to(run: Interpreter, target: Node, value: Value, scope: Scope) -> None:
    """Give what stands left of `=` another value."""
    from skilllite_sandbox.scan.javascript.patterns import bind

    kind = target.kind
    if kind == "identifier":
        owner = scope.owner_of(target.text)
        if owner is not None and run.guards > owner.guards:
            value = either(owner.names[target.text], value)
        scope.assign(target.text, value)
    elif kind in ("member_expression", "subscript_expression"):
        owner_node = target.field.get("object")
        name = target.field.get("property") or target.field.get("index")
        if owner_node is None or name is None:
            return
        target_value = evaluate(run, owner_node, scope)
        plain = kind == "member_expression"
        key = text(name.text) if plain else evaluate(run, name, scope)
        for option in options_of(target_value):
            _set_member(run, option, as_text(key).text, value, target)
    elif kind in ("object_pattern", "array_pattern"):
        names = Scope(scope)
        bind(run, target, value, names)
        for name_text, part in names.names.items():
            scope.assign(name_text, part)
    elif kind in ("parenthesized_expression", "non_null_expression") and target.kids:
        assign_to(run, target.kids[0], value, scope)


def _set_member(run: Interpreter, owner: Value, key: str, value: Value, node: Node) -> None:
    data = owner.data
    if owner.kind == "object" and isinstance(data, dict):
        data[key] = value
    elif owner.kind == "list" and isinstance(data, list):
        if key.isdigit() and int(key) < ITEMS_MAX:
            data += [UNDEFINED] * (int(key) + 1 - len(data))
            data[int(key)] = value
        else:
            owner.taints |= all_taints(value)
    elif owner.kind == "host":
        hosts.set_member(run, owner, key, value, node)
    elif owner.kind in ("function", "native"):
        owner.members = {**(owner.members or {}), key: value}
    else:
        add_origins(owner, all_taints(value))


def note_environment(run: Interpreter, value: Value, node: Node) -> None:
    """Write down that the environment is taken as a whole."""
    if any(taint.datum is Datum.ENVIRONMENT for taint in value.taints):
        run.record.do(Act.READ_ENVIRONMENT, run.file, run.line_of(node), "process.env")
