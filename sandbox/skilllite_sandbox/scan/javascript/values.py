"""Values of a script as far as they are known, and the scopes that hold them."""

from __future__ import annotations

from collections.abc import Callable

from skilllite_sandbox.scan.acts import Datum
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.javascript.host_names import is_always_there
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.taint import NO_TAINTS, VALUE_CHARS_MAX, Taint, Text
from skilllite_sandbox.scan.taint import joined as text_joined

ITEMS_MAX = 4_096  # of an array that is followed; tables of hidden strings have some hundred
EITHER_MAX = 4  # values that something may have; more, and it is unknown
NUMBER_BITS_MAX = 4_096  # of one whole number; keys in scripts have half of that
_DEPTH_MAX = 4  # of values in values, where origins are collected

Native = Callable[..., "Value"]


class Function:
    """A function of the script, with the scope it was made in."""

    __slots__ = ("is_arrow", "node", "owner", "scope", "this")

    def __init__(self, node: Node, scope: Scope, owner: object, this: Value | None = None) -> None:
        self.node = node
        self.scope = scope
        self.owner = owner
        """The module whose file it stands in."""
        self.this = this
        self.is_arrow = node.kind == "arrow_function"


class Value:
    """One value: `kind` says what `data` is.

    `text` str · `number` int or float · `bool` · `null` · `undefined` · `list` of values ·
    `object` dict of values · `function` Function · `native` a callable of the engine ·
    `host` a dotted name of what node offers · `either` of some values · `unknown`.
    """

    __slots__ = ("data", "kind", "members", "pieced", "taints")

    def __init__(
        self,
        kind: str,
        data: object = None,
        taints: frozenset[Taint] = NO_TAINTS,
        *,
        pieced: bool = False,
    ) -> None:
        self.kind = kind
        self.data = data
        self.taints = taints
        self.pieced = pieced
        """A text that was put together from constants."""
        self.members: dict[str, Value] | None = None
        """What was assigned to a function or to something of the host."""

    @property
    def known(self) -> bool:
        """Whether it is a plain value of which everything is known."""
        if self.kind == "text":
            return UNKNOWN not in str(self.data)
        return self.kind in ("number", "bool", "null", "undefined")


UNDEFINED = Value("undefined")
NULL = Value("null")
NOTHING_KNOWN = Value("unknown")


def text(value: str, taints: frozenset[Taint] = NO_TAINTS, *, pieced: bool = False) -> Value:
    """Return a string."""
    known = value if len(value) <= VALUE_CHARS_MAX else UNKNOWN
    return Value("text", known, taints, pieced=pieced)


def number(value: float, taints: frozenset[Taint] = NO_TAINTS) -> Value:
    """Return a number."""
    if isinstance(value, int) and value.bit_length() > NUMBER_BITS_MAX:
        return unknown(taints)
    return Value("number", value, taints)


def boolean(value: bool) -> Value:
    """Return true or false."""
    return Value("bool", value)


def items(values: list[Value], taints: frozenset[Taint] = NO_TAINTS) -> Value:
    """Return an array."""
    if len(values) > ITEMS_MAX:
        return unknown(all_taints(*values[:ITEMS_MAX]) | taints)
    return Value("list", values, taints)


def record(values: dict[str, Value] | None = None) -> Value:
    """Return an object."""
    return Value("object", {} if values is None else values)


def host(name: str, taints: frozenset[Taint] = NO_TAINTS) -> Value:
    """Return something that node offers."""
    return Value("host", name, taints)


def native(call: Native) -> Value:
    """Return a function of the engine's own."""
    return Value("native", call)


def unknown(taints: frozenset[Taint] = NO_TAINTS) -> Value:
    """Return a value of which only the origins are known."""
    return Value("unknown", None, taints) if taints else NOTHING_KNOWN


def add_origins(value: Value, taints: frozenset[Taint]) -> None:
    """Say that a value came from there as well; the constants that all share stay as they are."""
    if taints and value is not NOTHING_KNOWN and value is not UNDEFINED and value is not NULL:
        value.taints |= taints


def either(*values: Value) -> Value:
    """Return a value that is one of these."""
    found: list[Value] = []
    for value in values:
        options = value.data if value.kind == "either" else [value]
        assert isinstance(options, list)
        for option in options:
            if not any(_same(option, other) for other in found):
                found.append(option)
    weighty = [each for each in found if each.kind not in ("undefined", "null")] or found
    if len(weighty) == 1:
        return weighty[0]
    if len(weighty) > EITHER_MAX:
        return unknown(all_taints(*weighty))
    return Value("either", weighty, all_taints(*weighty))


def _same(one: Value, other: Value) -> bool:
    if one is other:
        return True
    if one.kind != other.kind or one.taints != other.taints:
        return False
    plain = ("text", "number", "bool", "host", "null", "undefined", "unknown")
    return one.kind in plain and one.data == other.data


def options_of(value: Value) -> list[Value]:
    """Return what a value may be."""
    if value.kind == "either":
        assert isinstance(value.data, list)
        return value.data
    return [value]


def all_taints(*values: Value) -> frozenset[Taint]:
    """Return where values come from, with all that is in them."""
    found: set[Taint] = set()
    for value in values:
        _collect(value, found, 0)
    return frozenset(found) if found else NO_TAINTS


def _collect(value: Value, found: set[Taint], depth: int) -> None:
    found |= value.taints
    if depth >= _DEPTH_MAX:
        return
    for each in (value.members or {}).values():
        _collect(each, found, depth + 1)
    if value.kind in ("list", "either"):
        assert isinstance(value.data, list)
        for each in value.data[:256]:
            _collect(each, found, depth + 1)
    elif value.kind == "object":
        assert isinstance(value.data, dict)
        for each in list(value.data.values())[:256]:
            _collect(each, found, depth + 1)


def as_text(value: Value) -> Text:
    """Return what a value becomes as a string."""
    kind, data = value.kind, value.data
    if kind == "text":
        return Text(str(data), all_taints(value) if value.members else value.taints)
    if kind in ("number", "bool", "null", "undefined"):
        return Text(plain_text(value), value.taints)
    if kind == "list":
        assert isinstance(data, list)
        if value.members is not None and "#buffer" in value.members:
            return Text(_text_of_bytes(data), all_taints(value))
        parts = [as_text(each) for each in data]
        return Text(text_joined(parts, ",").text, all_taints(value))
    return Text(UNKNOWN, all_taints(value))


def _text_of_bytes(values: list[Value]) -> str:
    numbers = [each.data for each in values]
    if not all(isinstance(each, (int, float)) and each == each for each in numbers):
        return UNKNOWN
    data = bytes(int(each) & 255 for each in numbers)  # type: ignore[call-overload]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def plain_text(value: Value) -> str:
    """Return a known plain value as JavaScript writes it."""
    data = value.data
    if value.kind == "bool":
        return "true" if data else "false"
    if value.kind == "number":
        assert isinstance(data, (int, float))
        if data != data:
            return "NaN"
        if data in (float("inf"), float("-inf")):
            return "Infinity" if data > 0 else "-Infinity"
        return str(int(data)) if data == int(data) and abs(data) < 1e21 else repr(data)
    return str(data) if value.kind == "text" else value.kind


def truth(value: Value) -> bool | None:
    """Return whether a value counts as true; None when that isn't known."""
    kind, data = value.kind, value.data
    if kind == "text":
        stripped = str(data)
        return bool(stripped) if UNKNOWN not in stripped or stripped.strip(UNKNOWN) else None
    if kind == "number":
        return bool(data) and data == data
    if kind == "bool":
        return bool(data)
    if kind in ("null", "undefined"):
        return False
    if kind == "host":
        return True if is_always_there(str(data)) else None
    return True if kind in ("list", "object", "function", "native") else None


def has(value: Value, datum: Datum) -> bool:
    """Tell whether any of a value came from there."""
    return any(taint.datum is datum for taint in all_taints(value))


class Scope:
    """The names that are seen at a place, and those around it."""

    __slots__ = ("guards", "is_function", "names", "parent")

    def __init__(
        self, parent: Scope | None = None, *, is_function: bool = False, guards: int = 0
    ) -> None:
        self.guards: int = parent.guards if parent is not None and not guards else guards
        """How many unsure branches are around it: an assignment behind more may not happen."""
        self.names: dict[str, Value] = {}
        self.parent = parent
        self.is_function = is_function

    def find(self, name: str) -> Value | None:
        """Return what a name stands for; None when nothing here declares it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def owner_of(self, name: str) -> Scope | None:
        """Return the scope that declares a name."""
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.parent
        return scope

    def declare(self, name: str, value: Value) -> None:
        """Give a name its value in this scope."""
        self.names[name] = value

    def declare_var(self, name: str, value: Value) -> None:
        """Give a name its value in the function around, as `var` does."""
        scope = self
        while scope.parent is not None and not scope.is_function:
            scope = scope.parent
        scope.names[name] = value

    def assign(self, name: str, value: Value) -> None:
        """Give a name another value where it was declared, or make it global."""
        scope = self
        while name not in scope.names and scope.parent is not None:
            scope = scope.parent
        scope.names[name] = value
