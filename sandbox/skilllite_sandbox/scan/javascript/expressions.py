"""What expressions stand for, as far as it can be worked out."""

from __future__ import annotations

import re
from collections.abc import Callable

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.javascript import built_in, hosts, operators
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    ITEMS_MAX,
    NOTHING_KNOWN,
    NULL,
    UNDEFINED,
    Function,
    Scope,
    Value,
    add_origins,
    all_taints,
    as_text,
    boolean,
    either,
    host,
    items,
    number,
    options_of,
    record,
    text,
    truth,
    unknown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

HIDDEN_LETTERS_MIN = 3  # letters written as escapes in one string: nobody has to write them so
_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u\{([0-9A-Fa-f]+)\}|u([0-9A-Fa-f]{4})|([0-7]{1,3})|(\r?\n)|(.))",
    re.DOTALL,
)
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": ""}


def evaluate(run: Interpreter, node: Node, scope: Scope) -> Value:
    """Return what an expression stands for, and follow what it does."""
    run.budget.spend()
    if run.depth >= run.depth_max:
        run.note_depth(node)
        return NOTHING_KNOWN
    handler = _EXPRESSIONS.get(node.kind)
    if handler is None:
        return _others(run, node, scope)
    run.depth += 1
    try:
        return handler(run, node, scope)
    finally:
        run.depth -= 1


def _others(run: Interpreter, node: Node, scope: Scope) -> Value:
    parts = [evaluate(run, kid, scope) for kid in node.kids]
    return unknown(all_taints(*parts)) if parts else NOTHING_KNOWN


def _inner(run: Interpreter, node: Node, scope: Scope) -> Value:
    return evaluate(run, node.kids[0], scope) if node.kids else UNDEFINED


def _sequence(run: Interpreter, node: Node, scope: Scope) -> Value:
    value = UNDEFINED
    for kid in node.kids:
        value = evaluate(run, kid, scope)
    return value


def unescaped(run: Interpreter, raw: str, node: Node) -> Value:
    """Return a string literal's text; letters written as escapes make it a hidden one."""
    if "\\" not in raw:
        return text(raw)
    hidden = 0

    def char(match: re.Match[str]) -> str:
        nonlocal hidden
        number_text = match[1] or match[2] or match[3]
        if number_text is None and match[4] is None:
            return "" if match[5] else _NAMED.get(match[6], match[6])
        code = int(number_text, 16) if number_text else int(match[4], 8)
        made = chr(code) if 0 < code < 0x110000 else ""
        hidden += made.isascii() and made.isalnum()
        return made

    made = _ESCAPE.sub(char, raw)
    if hidden >= HIDDEN_LETTERS_MIN:
        return text(made, run.taint(Datum.DECODED, node, "escapes"))
    return text(made)


def _string(run: Interpreter, node: Node, scope: Scope) -> Value:
    raw = "".join(kid.text for kid in node.kids)
    return unescaped(run, raw, node)


def _template(run: Interpreter, node: Node, scope: Scope) -> Value:
    parts = []
    for kid in node.kids:
        if kid.kind == "template_substitution":
            parts.append(evaluate(run, kid.kids[0], scope) if kid.kids else UNDEFINED)
        else:
            parts.append(unescaped(run, kid.text, kid))
    return operators.joined(parts)


def _number(run: Interpreter, node: Node, scope: Scope) -> Value:
    raw = node.text.replace("_", "").rstrip("n")
    try:
        return number(
            int(raw, 0) if not re.search(r"[.eE]", raw) or raw[:2] in ("0x", "0X") else float(raw)
        )
    except ValueError:
        return NOTHING_KNOWN


def _regex(run: Interpreter, node: Node, scope: Scope) -> Value:
    pattern, flags = node.field.get("pattern"), node.field.get("flags")
    made = record()
    made.members = {
        "source": text(pattern.text if pattern is not None else ""),
        "flags": text(flags.text if flags is not None else ""),
    }
    return made


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


def _array(run: Interpreter, node: Node, scope: Scope) -> Value:
    return items(_spread(run, node.kids, scope))


def _spread(run: Interpreter, nodes: list[Node], scope: Scope) -> list[Value]:
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


def _object(run: Interpreter, node: Node, scope: Scope) -> Value:
    made: dict[str, Value] = {}
    value = record(made)
    for kid in node.kids:
        if kid.kind == "pair":
            key, inner = kid.field.get("key"), kid.field.get("value")
            if key is not None and inner is not None:
                made[key_of(run, key, scope)] = evaluate(run, inner, scope)
        elif kid.kind == "shorthand_property_identifier":
            made[kid.text] = _identifier(run, kid, scope)
        elif kid.kind == "method_definition":
            name = kid.field.get("name")
            if name is not None:
                made[key_of(run, name, scope)] = make_function(run, kid, scope)
        elif kid.kind == "spread_element" and kid.kids:
            spread = evaluate(run, kid.kids[0], scope)
            if spread.kind == "object" and isinstance(spread.data, dict):
                made.update(spread.data)
            elif taints := all_taints(spread):
                value.taints |= taints
    return value


def key_of(run: Interpreter, node: Node, scope: Scope) -> str:
    """Return the name of a property as it is written in an object or a class."""
    made = text_of(run, node, scope)
    return as_text(made).text


def text_of(run: Interpreter, node: Node, scope: Scope) -> Value:
    """Return a property's name as a value: what it was made of may matter."""
    if node.kind in ("property_identifier", "private_property_identifier", "identifier"):
        return text(node.text)
    if node.kind == "computed_property_name" and node.kids:
        return evaluate(run, node.kids[0], scope)
    if node.kind in ("string", "number"):
        return evaluate(run, node, scope)
    return text(node.text)


def make_function(run: Interpreter, node: Node, scope: Scope) -> Value:
    """Return a function of the script, to be followed when it is called, or at the end."""
    this = run.frames[-1].this if run.frames and node.kind == "arrow_function" else None
    made = Function(node, scope, run.module, this)
    run.functions.append(made)
    return Value("function", made)


def _class(run: Interpreter, node: Node, scope: Scope) -> Value:
    made = Function(node, scope, run.module)
    value = Value("function", made)
    run.classes.append(made)
    name, body = node.field.get("name"), node.field.get("body")
    inner = Scope(scope)
    if name is not None:
        inner.declare(name.text, value)
    made.scope = inner
    value.members = {}
    for kid in body.kids if body is not None else ():
        if kid.kind == "class_static_block":
            for each in kid.kids:
                run.run(each, inner)
        label = kid.field.get("name") or kid.field.get("property")
        if label is None:
            continue
        key = key_of(run, label, inner)
        if kid.kind == "method_definition":
            value.members[key] = make_function(run, kid, inner)
        elif "value" in kid.field:
            value.members[key] = evaluate(run, kid.field["value"], inner)
    return value


def _enum(run: Interpreter, node: Node, scope: Scope) -> Value:
    made: dict[str, Value] = {}
    body = node.field.get("body")
    for kid in body.kids if body is not None else ():
        name, value = kid.field.get("name"), kid.field.get("value")
        if name is not None and value is not None:
            made[name.text] = evaluate(run, value, scope)
    return record(made)


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
    if kind == "host":
        return hosts.get_member(run, value, key, node)
    if kind == "object" and isinstance(data, dict):
        if key in data:
            found: Value = data[key]
            return found
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
    if function.kind == "host" and function.data in ("eval", "Function"):
        return run.call_code(str(function.data), args, node, scope)
    return run.call(function, args, node)


def _arguments(run: Interpreter, node: Node, scope: Scope) -> list[Value]:
    if node.kind == "template_string":
        made = _template(run, node, scope)
        made.members = {"raw": items([text(str(made.data), made.taints)])}
        return [made]
    return _spread(run, node.kids, scope)


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


def _function(run: Interpreter, node: Node, scope: Scope) -> Value:
    name = node.field.get("name")
    if name is None:
        return make_function(run, node, scope)
    inner = Scope(scope)
    value = make_function(run, node, inner)
    inner.declare(name.text, value)
    return value


def _opaque_await(run: Interpreter, node: Node, scope: Scope) -> Value:
    return _inner(run, node, scope)


def note_environment(run: Interpreter, value: Value, node: Node) -> None:
    """Write down that the environment is taken as a whole."""
    if any(taint.datum is Datum.ENVIRONMENT for taint in value.taints):
        run.record.do(Act.READ_ENVIRONMENT, run.file, run.line_of(node), "process.env")


def _namespace(run: Interpreter, node: Node, scope: Scope) -> Value:
    body = node.field.get("body")
    if body is not None:
        run.run_block(body.kids, scope)
    return NOTHING_KNOWN


_EXPRESSIONS: dict[str, Callable[[Interpreter, Node, Scope], Value]] = {
    "string": _string,
    "template_string": _template,
    "number": _number,
    "regex": _regex,
    **dict.fromkeys(("identifier", "shorthand_property_identifier"), _identifier),
    "undefined": lambda run, node, scope: UNDEFINED,
    "null": lambda run, node, scope: NULL,
    "true": lambda run, node, scope: boolean(True),
    "false": lambda run, node, scope: boolean(False),
    "this": _this,
    "super": lambda run, node, scope: NOTHING_KNOWN,
    "import": lambda run, node, scope: host("require"),
    "array": _array,
    "object": _object,
    **dict.fromkeys(
        (
            *("arrow_function", "function_expression", "function", "generator_function"),
            *("function_declaration", "generator_function_declaration"),
        ),
        _function,
    ),
    **dict.fromkeys(("class", "class_declaration", "abstract_class_declaration"), _class),
    "enum_declaration": _enum,
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
    "internal_module": _namespace,
    "type_assertion": lambda run, node, scope: (
        evaluate(run, node.kids[-1], scope) if node.kids else NOTHING_KNOWN
    ),
}
