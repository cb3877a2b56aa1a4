"""What is written out in a script: strings, numbers, arrays, objects, functions, classes."""

from __future__ import annotations

import re
from collections.abc import Callable

from skilllite_sandbox.scan.acts import Datum
from skilllite_sandbox.scan.javascript import operators
from skilllite_sandbox.scan.javascript.evaluation import evaluate, evaluate_all
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    UNDEFINED,
    Function,
    Scope,
    Value,
    all_taints,
    as_text,
    items,
    number,
    record,
    text,
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


def _array(run: Interpreter, node: Node, scope: Scope) -> Value:
    return items(evaluate_all(run, node.kids, scope))


def _object(run: Interpreter, node: Node, scope: Scope) -> Value:
    made: dict[str, Value] = {}
    value = record(made)
    for kid in node.kids:
        if kid.kind == "pair":
            key, inner = kid.field.get("key"), kid.field.get("value")
            if key is not None and inner is not None:
                made[key_of(run, key, scope)] = evaluate(run, inner, scope)
        elif kid.kind == "shorthand_property_identifier":
            made[kid.text] = evaluate(run, kid, scope)
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


def _function(run: Interpreter, node: Node, scope: Scope) -> Value:
    name = node.field.get("name")
    if name is None:
        return make_function(run, node, scope)
    inner = Scope(scope)
    value = make_function(run, node, inner)
    inner.declare(name.text, value)
    return value


def _namespace(run: Interpreter, node: Node, scope: Scope) -> Value:
    body = node.field.get("body")
    if body is not None:
        run.run_block(body.kids, scope)
    return NOTHING_KNOWN


LITERALS: dict[str, Callable[[Interpreter, Node, Scope], Value]] = {
    "string": _string,
    "template_string": _template,
    "number": _number,
    "regex": _regex,
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
    "internal_module": _namespace,
}
"""By the kind of the node."""
