"""A JSON Schema out of a script's `argparse` calls, read from its syntax tree.

Only what is written out counts, directly or as a constant of the module: an option whose name is
computed is left out, a type that is a function of the script's own is text. Options of
sub-commands are left out, because no flat object says which of them belong together.
"""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ARGUMENTS_MAX = 256  # more is generated code, not an interface

_TYPES = {"int": "integer", "float": "number", "str": "string", "bool": "boolean"}
_NAMED = {"REMAINDER": "...", "SUPPRESS": "==SUPPRESS==", "OPTIONAL": "?", "ZERO_OR_MORE": "*"}
_SUPPRESS = _NAMED["SUPPRESS"]
_GROUPS = ("add_argument_group", "add_mutually_exclusive_group")
_UNKNOWN = object()
_PARSING = threading.Lock()


def schema_of_source(source: bytes) -> dict[str, Any] | None:
    """Return the schema that `source` describes, None when there is none to be read."""
    tree = _parse(source)
    if tree is None:
        return None
    nodes = list(_in_order(tree))
    reader = _Reader(_module_constants(tree))
    skipped = _subcommand_parsers(nodes)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for call in _add_argument_calls(nodes, skipped):
        argument = reader.argument(call)
        if argument is None or argument.name in properties:
            continue
        properties[argument.name] = argument.schema
        if argument.required:
            required.append(argument.name)
        if len(properties) >= ARGUMENTS_MAX:
            break
    if not properties:
        return None
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return schema


@dataclass(frozen=True, slots=True)
class _Argument:
    name: str
    schema: dict[str, Any]
    required: bool


class _Reader:
    """Reads one `add_argument` call, knowing the constants of its module."""

    def __init__(self, constants: dict[str, Any]) -> None:
        self._constants = constants

    def argument(self, call: ast.Call) -> _Argument | None:
        flags = [self._value(argument) for argument in call.args]
        words = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        if not flags or not all(isinstance(flag, str) and flag for flag in flags):
            return None
        action = self._action(words.get("action"))
        name = _destination(flags, self._value(words.get("dest")))
        if action in ("help", "version") or not name:
            return None
        nargs = self._value(words.get("nargs"))
        default = self._value(words.get("default"))
        has_default = default is not None
        if flags[0].startswith("-"):
            required = self._value(words.get("required")) is True
        else:
            required = nargs not in ("?", "*", "...") and not has_default
        schema = self._schema(action, nargs, words)
        if has_default and _is_json(default):
            schema["default"] = default
        help_text = self._value(words.get("help"))
        if isinstance(help_text, str) and help_text.strip() and help_text != _SUPPRESS:
            schema["description"] = " ".join(help_text.split())
        return _Argument(name, schema, required)

    def _schema(self, action: str, nargs: Any, words: dict[str, ast.expr]) -> dict[str, Any]:
        if action in ("store_true", "store_false", "BooleanOptionalAction"):
            return {"type": "boolean"}
        if action == "count":
            return {"type": "integer"}
        item: dict[str, Any] = {}
        if action not in ("store_const", "append_const"):
            item["type"] = _TYPES.get(_dotted(words["type"]) if "type" in words else "", "string")
        if choices := _choices(self._value(words.get("choices"))):
            item["enum"] = choices
        many = isinstance(nargs, int) or nargs in ("*", "+", "...")
        if many:
            item = {"type": "array", "items": item}
            if nargs == "+":
                item["minItems"] = 1
            elif isinstance(nargs, int):
                item["minItems"] = item["maxItems"] = int(nargs)
        if action in ("append", "append_const") or (action == "extend" and not many):
            item = {"type": "array", "items": item}
        return item

    def _action(self, node: ast.expr | None) -> str:
        if node is None:
            return "store"
        value = self._value(node)
        return value if isinstance(value, str) else _dotted(node).rpartition(".")[2]

    def _value(self, node: ast.expr | None) -> Any:
        """Return what is written out in the source; `_UNKNOWN` when it is computed."""
        if node is None:
            return None
        value = _literal(node)
        if value is not _UNKNOWN:
            return value
        name = _dotted(node)
        return self._constants.get(name, _NAMED.get(name.rpartition(".")[2], _UNKNOWN))


def _parse(source: bytes) -> ast.Module | None:
    # A script's own "\d" warns while it is parsed: that is nothing for our user's terminal, and
    # must be no error where warnings are. The lock keeps two threads from restoring each other's
    # filters.
    try:
        with _PARSING, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _in_order(tree: ast.Module) -> Iterator[ast.AST]:
    """Walk depth first, as the script reads; `ast.walk` goes by breadth."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(list(ast.iter_child_nodes(node))))


def _module_constants(tree: ast.Module) -> dict[str, Any]:
    constants: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            name = _dotted(node.targets[0])
            # Assigned twice: which value holds at the call would be a guess.
            constants[name] = _UNKNOWN if name in constants else _literal(node.value)
    return constants


def _subcommand_parsers(nodes: list[ast.AST]) -> frozenset[str]:
    """Return the names that hold parsers of sub-commands, or groups of such."""
    names: set[str] = set()
    for node in nodes:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        function = node.value.func
        if not isinstance(function, ast.Attribute):
            continue
        inherits = function.attr in _GROUPS and _dotted(function.value) in names
        if function.attr == "add_parser" or inherits:
            names.update(name for target in node.targets if (name := _dotted(target)))
    return frozenset(names)


def _add_argument_calls(nodes: list[ast.AST], skipped: frozenset[str]) -> Iterator[ast.Call]:
    for node in nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "add_argument"
            and _dotted(node.func.value) not in skipped
        ):
            yield node


def _dotted(node: ast.AST) -> str:
    """Return `a.b.c` for a chain of names, empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return _UNKNOWN


def _destination(flags: list[Any], dest: Any) -> str:
    if isinstance(dest, str) and dest:
        return dest
    if not flags[0].startswith("-"):
        return str(flags[0])
    long = [flag for flag in flags if flag.startswith("--")]
    return str((long or flags)[0]).lstrip("-").replace("-", "_")


def _choices(value: Any) -> list[Any]:
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=repr)
    if not isinstance(value, (list, tuple, dict)) or not all(_is_json(each) for each in value):
        return []
    return list(value)


def _is_json(value: Any) -> bool:
    if isinstance(value, str):
        return value != _SUPPRESS
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    if isinstance(value, (list, tuple)):
        return all(_is_json(each) for each in value)
    if isinstance(value, int):
        return abs(value) < 2**63  # a literal of 5,000 digits can't even be printed again
    return value is None
