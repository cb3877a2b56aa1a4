"""What node, and the language itself, offer to a script: by dotted names, one table each kind."""

from __future__ import annotations

from skilllite_sandbox.scan.acts import Act, Datum
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.javascript.host_names import GLOBALS, canonical, is_shared
from skilllite_sandbox.scan.javascript.hosts import (
    files,
    language,
    machine,
    modules,
    network,
    programs,
)
from skilllite_sandbox.scan.javascript.hosts.host_call import PASSES, Handler, HostCall
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    Value,
    all_taints,
    either,
    host,
    options_of,
    record,
    unknown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

_CALLS: dict[str, Handler] = {
    **language.CALLS,
    **machine.CALLS,
    **files.CALLS,
    **network.CALLS,
    **programs.CALLS,
    **modules.CALLS,
}


def global_value(run: Interpreter, name: str, node: Node) -> Value:
    """Return what a name means that the script doesn't declare."""
    if name not in GLOBALS:
        return NOTHING_KNOWN
    return _value_of(run, canonical(name), node)


def get_member(run: Interpreter, owner: Value, key: str, node: Node) -> Value:
    """Return what a property of something of the host is."""
    if UNKNOWN in key:
        if owner.data == "process.env":
            return unknown(owner.taints)
        if owner.data == "child_process":  # whichever it is, it starts what it is given
            return host("child_process.exec")
        return unknown(all_taints(owner))
    name = canonical(f"{owner.data}.{key}")
    found = _value_of(run, name, node)
    if found.kind == "host" and owner.taints and owner.data != "process.env":
        return host(str(found.data), found.taints | owner.taints)
    return found


def _value_of(run: Interpreter, name: str, node: Node) -> Value:
    if name in run.host_members:
        return run.host_members[name]
    made = machine.value_of(run, name, node)
    return host(name) if made is None else made


def set_member(run: Interpreter, owner: Value, key: str, value: Value, node: Node) -> None:
    """Follow an assignment to something of the host: other code will see it."""
    name = canonical(f"{owner.data}.{key}")
    if name[0] == "#" and key[:2] == "on" and value.kind in ("function", "native"):
        run.later(value, node, unknown(all_taints(owner)), this=owner)
        return
    if name == "#Image.src":
        network.load_image(HostCall(run, "an image", owner, [value], node))
        return
    if name in run.lacking and not name.startswith("Object.prototype."):
        run.host_members[name] = either(run.host_members.get(name, host(name)), value)
        return
    if is_shared(name) and value.kind in ("function", "native") and not name.startswith(_OURS):
        listen(run, name, value, node)
    before = run.host_members.get(name, host(name))
    run.host_members[name] = either(before, value) if run.guards else value
    if name == "process.env.NODE_TLS_REJECT_UNAUTHORIZED":
        run.do(Act.TRUST_ANY, node, name)
        return
    if name in ("process.env.NODE_OPTIONS", "process.env.LD_PRELOAD") or (
        ".prototype." in name and is_shared(name) and UNKNOWN not in key
    ):
        run.do(Act.TAMPER, node, name)
        return
    if value.kind in ("function", "native") and not key.startswith("on"):
        if is_shared(name):
            run.do(Act.TAMPER, node, f"{name} is replaced")
    elif name.startswith(("require.cache", "require.extensions", "module._extensions")):
        run.do(Act.TAMPER, node, name)


_OURS = ("process.env.", "process.on", "module.exports", "exports")


def listen(run: Interpreter, name: str, function: Value, node: Node) -> None:
    """Follow a function that took the place of a shared one: what others hand to it is theirs."""
    theirs = unknown(run.taint(Datum.WATCHED, node, f"{PASSES} {name}"))
    run.later(function, node, *([theirs] * 4), this=theirs)


def call_host(run: Interpreter, name: str, receiver: Value, args: list[Value], node: Node) -> Value:
    """Follow a call of what the host offers, for each value that an argument may have."""
    for position, arg in enumerate(args):
        if arg.kind == "either":
            results = [
                call_host(
                    run, name, receiver, [*args[:position], each, *args[position + 1 :]], node
                )
                for each in options_of(arg)
            ]
            return either(*results)
    call = HostCall(run, name, receiver, args, node)
    handler = _CALLS.get(name)
    if handler is None and name.startswith("#remote."):
        return network.call_remote(call)
    if handler is None and name.startswith("npm:"):
        return network.call_package(call)
    if handler is None:
        handler = _CALLS.get("*." + name.rpartition(".")[2])
    if handler is not None:
        return handler(call)
    return call.unseen()


def construct_host(
    run: Interpreter, name: str, receiver: Value, args: list[Value], node: Node
) -> Value:
    """Follow `new` of what the host offers."""
    handler = _CALLS.get("new " + name)
    call = HostCall(run, name, receiver, args, node)
    if handler is not None:
        return handler(call)
    if name.startswith("npm:"):
        return network.call_package(call)
    call.call_back_all()
    if name in ("Map", "WeakMap", "Set", "WeakSet", "Object", "Error"):
        made = record()
        made.taints = call.taints
        return made
    return host(f"#{name}", call.taints)
