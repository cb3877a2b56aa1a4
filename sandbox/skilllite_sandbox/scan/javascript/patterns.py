"""Names that are given values: destructuring, parameters, imports and exports."""

from __future__ import annotations

from skilllite_sandbox.scan.javascript.evaluation import evaluate
from skilllite_sandbox.scan.javascript.hosts.modules import load_module
from skilllite_sandbox.scan.javascript.literals import make_function, text_of
from skilllite_sandbox.scan.javascript.members import assign_to, member
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    UNDEFINED,
    Scope,
    Value,
    all_taints,
    either,
    items,
    text,
    unknown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter


def declare_function(run: Interpreter, node: Node, scope: Scope) -> None:
    """Make a declared function known before the statements around it are followed."""
    name = node.field.get("name")
    if name is not None:
        scope.declare(name.text, make_function(run, node, scope))


def bind(run: Interpreter, pattern: Node, value: Value, scope: Scope, *, var: bool = False) -> None:
    """Give the names of a pattern their parts of a value."""
    kind = pattern.kind
    if kind in ("identifier", "shorthand_property_identifier_pattern", "type_identifier"):
        if var:
            scope.declare_var(pattern.text, value)
        else:
            scope.declare(pattern.text, value)
    elif kind == "object_pattern":
        for kid in pattern.kids:
            _bind_property(run, kid, value, scope, var=var)
    elif kind == "array_pattern":
        for position, kid in enumerate(pattern.kids):
            if kid.kind == "rest_pattern":
                part = _rest(value, position)
                bind(run, kid.kids[0], part, scope, var=var)
            else:
                bind(run, kid, member(run, value, text(str(position)), kid), scope, var=var)
    elif kind in ("assignment_pattern", "object_assignment_pattern"):
        left, right = pattern.field.get("left"), pattern.field.get("right")
        if left is not None and right is not None:
            bind(run, left, _or_default(run, value, right, scope), scope, var=var)
    elif kind in ("required_parameter", "optional_parameter"):
        inner, default = pattern.field.get("pattern"), pattern.field.get("value")
        if inner is not None:
            given = _or_default(run, value, default, scope) if default is not None else value
            bind(run, inner, given, scope, var=var)
    elif kind == "rest_pattern" or kind in (
        "lexical_declaration",
        "variable_declaration",
        "variable_declarator",
    ):
        for kid in pattern.kids:
            bind(run, kid, value, scope, var=var)
    elif kind in ("member_expression", "subscript_expression"):
        assign_to(run, pattern, value, scope)


def _or_default(run: Interpreter, value: Value, default: Node, scope: Scope) -> Value:
    if value.kind == "undefined":
        return evaluate(run, default, scope)
    if value.kind in ("unknown", "either"):
        return either(value, evaluate(run, default, scope))
    return value


def _rest(value: Value, position: int) -> Value:
    if value.kind == "list" and isinstance(value.data, list):
        return items(value.data[position:], value.taints)
    return unknown(all_taints(value))


def _bind_property(run: Interpreter, kid: Node, value: Value, scope: Scope, *, var: bool) -> None:
    if kid.kind == "shorthand_property_identifier_pattern":
        bind(run, kid, member(run, value, text(kid.text), kid), scope, var=var)
    elif kid.kind == "pair_pattern":
        key, inner = kid.field.get("key"), kid.field.get("value")
        if key is not None and inner is not None:
            name = text_of(run, key, scope)
            bind(run, inner, member(run, value, name, kid), scope, var=var)
    elif kid.kind == "object_assignment_pattern":
        left, right = kid.field.get("left"), kid.field.get("right")
        if left is not None and right is not None:
            part = member(run, value, text(left.text), kid)
            bind(run, left, _or_default(run, part, right, scope), scope, var=var)
    elif kid.kind == "rest_pattern" and kid.kids:
        bind(run, kid.kids[0], value, scope, var=var)


def bind_parameters(run: Interpreter, node: Node, args: list[Value], scope: Scope) -> None:
    """Give the parameters of a function their arguments."""
    single = node.field.get("parameter")
    if single is not None:
        scope.declare(single.text, args[0] if args else UNDEFINED)
        return
    listed = node.field.get("parameters")
    for position, kid in enumerate(listed.kids if listed is not None else ()):
        inner = kid.field.get("pattern", kid)
        if inner.kind == "rest_pattern":
            bind(run, inner, items(args[position:]), scope)
        else:
            bind(run, kid, args[position] if position < len(args) else UNDEFINED, scope)


def follow_module_statement(run: Interpreter, node: Node, scope: Scope) -> None:
    """Follow `import` and `export`."""
    source = node.field.get("source")
    if node.kind == "import_statement":
        _import(run, node, source, scope)
        return
    declaration = node.field.get("declaration")
    value_node = node.field.get("value")
    if declaration is not None:
        before = set(scope.names)
        run.run(declaration, scope)
        name = declaration.field.get("name")
        names = ({name.text} if name is not None else set()) | (set(scope.names) - before)
        for each in names:
            _export(run, each, scope.names.get(each, NOTHING_KNOWN))
    elif value_node is not None:
        value = evaluate(run, value_node, scope)
        _export(run, "default", value)
    elif source is not None:
        loaded = load_module(run, text_of(run, source, scope), node)
        for kid in node.kids:
            if kid.kind == "export_clause":
                _export_clause(run, kid, loaded, scope)
        if isinstance(loaded.data, dict) and all(kid.kind != "export_clause" for kid in node.kids):
            for each, value in loaded.data.items():
                _export(run, each, value)
    else:
        for kid in node.kids:
            if kid.kind == "export_clause":
                _export_clause(run, kid, None, scope)
            elif kid is not source:
                _export(run, "default", evaluate(run, kid, scope))


def _export_clause(run: Interpreter, clause: Node, loaded: Value | None, scope: Scope) -> None:
    for kid in clause.kids:
        name, alias = kid.field.get("name"), kid.field.get("alias")
        if name is None:
            continue
        if loaded is not None:
            value = member(run, loaded, text(name.text), kid)
        else:
            value = scope.find(name.text) or NOTHING_KNOWN
        _export(run, (alias or name).text, value)


def _export(run: Interpreter, name: str, value: Value) -> None:
    exports = run.module.exported
    if exports.kind == "object" and isinstance(exports.data, dict):
        exports.data[name] = value


def _import(run: Interpreter, node: Node, source: Node | None, scope: Scope) -> None:
    if source is None:
        for kid in node.kids:
            if kid.kind == "import_require_clause" and "source" in kid.field:
                loaded = load_module(run, text_of(run, kid.field["source"], scope), node)
                scope.declare(kid.kids[0].text, loaded)
        return
    loaded = load_module(run, text_of(run, source, scope), node)
    for clause in node.kids:
        if clause.kind != "import_clause":
            continue
        for kid in clause.kids:
            if kid.kind == "identifier":
                scope.declare(kid.text, _default_of(run, loaded, kid))
            elif kid.kind == "namespace_import" and kid.kids:
                scope.declare(kid.kids[0].text, loaded)
            elif kid.kind == "named_imports":
                for each in kid.kids:
                    name, alias = each.field.get("name"), each.field.get("alias")
                    if name is not None:
                        scope.declare(
                            (alias or name).text, member(run, loaded, text(name.text), each)
                        )


def _default_of(run: Interpreter, loaded: Value, node: Node) -> Value:
    if loaded.kind == "object" and isinstance(loaded.data, dict) and "default" not in loaded.data:
        return loaded
    if loaded.kind == "host":
        return loaded
    return member(run, loaded, text("default"), node)
