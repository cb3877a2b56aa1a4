"""Walks through Python code as it would run, with values that are known in part.

Both sides of a condition are taken. Functions of the skill are followed where they are called, and
once with unknown arguments when nobody calls them. Loops over known values are followed as they
are, others twice. Every step is counted.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from typing import Any

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.python import folding, layout
from skilllite_sandbox.scan.python.bounds import (
    CALL_DEPTH_MAX,
    CALLS_OF_ONE_MAX,
    CALLS_ON_CONSTANTS_MAX,
    EXPRESSION_DEPTH_MAX,
    LOOP_TURNS_MAX,
    SKIPPED,
)
from skilllite_sandbox.scan.python.expressions import EXPRESSIONS
from skilllite_sandbox.scan.python.functions import bind, make_instance, returned_value
from skilllite_sandbox.scan.python.holdings import NODE_BYTES, PythonHoldings, nodes_most
from skilllite_sandbox.scan.python.scope import Function, Scope
from skilllite_sandbox.scan.python.shapes import call_key, is_plain, is_text, key_of, leaves
from skilllite_sandbox.scan.python.sizes import NotKnown
from skilllite_sandbox.scan.python.statements import STATEMENTS
from skilllite_sandbox.scan.python.values import (
    ITEMS_MAX,
    MISSING,
    Value,
    all_taints,
    lift,
    plain,
    text_of,
    unknown,
)
from skilllite_sandbox.scan.record import Budget, OutOfBounds, Record
from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.scan.taint import Taint


class Interpreter:
    """Follows the files of one skill."""

    def __init__(
        self, record: Record, budget: Budget, files: Mapping[str, SourceFile], hosts: Any
    ) -> None:
        self.record = record
        self.budget = budget
        self.holdings = PythonHoldings()
        self.files = files
        self.hosts = hosts
        self.file = ""
        self.base = 0
        self.depth = 0
        self.expression_depth = 0
        self.endless = 0
        self.loops = 0
        self.turns = 0
        self.modules: dict[str, Scope] = {}
        self.functions: list[Function] = []
        self.followed: set[int] = set()
        self.texts = 0
        self.shells = 0
        self.active: list[Any] = []
        """Functions that are being followed, the innermost last."""
        self.forking: set[int] = set()
        """Of those, the ones that start processes."""
        self.brought: list[str] = []
        """Commands that fetched something."""
        self.logs_away = ""
        """Where the log is sent to."""
        self.self_starts: set[int] = set()
        """Lines where a script starts itself."""
        self.last_test = Value()
        """The condition of the last `if`."""
        self.remotes: list[str] = []
        """Commands that told git of other machines."""
        self.redirected = False
        """Standard input or output became a connection."""
        self.arguments: Value | None = None
        """What the skill put in the place of its own arguments: `sys.argv`."""
        self.record_written: dict[str, Value] = {}
        """What was written to which path, and to which name."""

    # What the hosts say

    def line(self, node: ast.AST) -> int:
        return self.base + int(getattr(node, "lineno", 1))

    def do(self, act: Act, node: ast.AST, detail: str = "") -> None:
        self.record.do(act, self.file, self.line(node), detail)

    def flow(self, value: Value, sink: Sink, node: ast.AST, detail: str = "") -> None:
        self.record.flow(all_taints(value), sink, self.file, self.line(node), detail)

    def taint(self, datum: Datum, node: ast.AST, detail: str = "") -> Taint:
        return Taint(datum, self.file, self.line(node), detail[:120])

    # Modules

    def run_module(self, source: SourceFile) -> Scope | None:
        """Follow a file of the skill, once."""
        if source.path in self.modules:
            return self.modules[source.path]
        scope = self.modules[source.path] = Scope()
        kept = self.file, self.base
        self.file, self.base = source.path, 0
        try:
            self.run_text(source.text, scope, reads=source.path)
        finally:
            self.file, self.base = kept
        return scope

    def run_text(self, text: str, scope: Scope, *, reads: str = "") -> None:
        """Follow code; what can't be parsed is written down when it is a file."""
        if reads and (codec := layout.hiding_codec(text)) is not None:
            taint = Taint(Datum.DECODED, self.file, 1, f"the source is written in {codec}")
            self.record.flow({taint}, Sink.RUN_CODE, self.file, 1, codec)
        self.budget.look()
        self.holdings.take(nodes_most(text) * NODE_BYTES)
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if reads:
                self.record.hide(reads, int(getattr(error, "lineno", 0) or 0), "not valid Python 3")
            return
        if reads:
            documented = ast.get_docstring(tree, clean=False)
            scope.names["__doc__"] = Value(documented)
            for line in layout.pushed_away(text, tree):
                taint = Taint(Datum.DECODED, self.file, line, "a statement behind many blanks")
                self.record.flow({taint}, Sink.RUN_CODE, self.file, line, "out of sight")
        self.run_body(tree.body, scope)

    def run_decoded(self, value: Value, node: ast.AST) -> None:
        """Follow text that becomes code."""
        if self.texts >= CALL_DEPTH_MAX or not isinstance(value.const, (str, bytes)):
            return
        text = value.text().replace(UNKNOWN, "None")
        kept = self.base
        self.base = self.line(node) - 1
        self.texts += 1
        try:
            self.run_text(text, Scope())
        finally:
            self.base = kept
            self.texts -= 1

    def follow_uncalled(self) -> None:
        """Follow what is defined and was called by nobody."""
        for function in self.functions:  # grows: functions define functions
            if not function.calls and not isinstance(function.node, ast.ClassDef):
                self.call_function(self._with_self(function), [], {}, function.node)

    def _with_self(self, function: Function) -> Function:
        """Return a method bound to an object of its class, made with unknown arguments."""
        if function.cls is None or function.me is not None:
            return function
        if function.of_class:
            return function.bound_to(function.cls)
        attrs = function.cls.attrs
        assert attrs is not None
        me = attrs.get("?self")
        if me is None:
            kept = self.file, self.base
            self.file, self.base = function.file, function.base
            try:
                me = attrs["?self"] = make_instance(self, function.cls, [], {}, function.node)
            finally:
                self.file, self.base = kept
        return function.bound_to(me)

    # Statements

    def run_body(self, body: list[ast.stmt], scope: Scope) -> None:
        guards: list[tuple[ast.stmt, Value, int]] = []
        for statement in body:
            self.run_statement(statement, scope)
            if isinstance(statement, ast.If) and leaves(statement.body):
                guards.append((statement, self.last_test, self.hosts.marks(self)))
        for statement, test, before in guards[:8]:
            self.hosts.behind(self, statement, test, before)

    def run_statement(self, node: ast.stmt, scope: Scope) -> None:
        self.budget.spend()
        handler = STATEMENTS.get(type(node))
        if handler is not None:
            handler(self, node, scope)
        elif not isinstance(node, SKIPPED):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.evaluate(child, scope)

    def import_module(self, name: str, node: ast.AST) -> Value:
        own = self.own_module(name, 0)
        if own is not None:
            return Value(attrs=own.names, kind="module")
        self.hosts.imported(self, name, node)
        return Value(ref=name)

    def own_module(self, name: str, level: int) -> Scope | None:
        """Return the names of a module of the skill."""
        if not name and not level:
            return None
        folder = self.file.rpartition("!/")[2].rpartition("/")[0]
        for _ in range(level - 1):
            folder = folder.rpartition("/")[0]
        path = name.replace(".", "/")
        places = [folder] if level else [folder, "", "scripts", "src", "lib"]
        for place in places:
            stem = f"{place}/{path}".strip("/")
            for candidate in (f"{stem}.py", f"{stem}/__init__.py"):
                if candidate in self.files:
                    return self.run_module(self.files[candidate])
        if level or name.partition(".")[0] in sys.stdlib_module_names:
            return None
        # `sys.path` may lead anywhere in the skill.
        for candidate in self.files:
            if candidate.endswith((f"/{path}.py", f"/{path}/__init__.py")):
                return self.run_module(self.files[candidate])
        return None

    def assign(self, target: ast.expr, value: Value, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            home = scope.module if target.id in scope.global_names else scope
            home.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, value, scope)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value, scope)
        elif isinstance(target, ast.Attribute):
            owner = self.evaluate(target.value, scope)
            self.hosts.set_attribute(self, owner, target.attr, value, target)
            if owner.attrs is not None:
                owner.attrs[target.attr] = value
            elif not owner.ref and owner.const is MISSING:
                owner.attrs = {target.attr: value}
        elif isinstance(target, ast.Subscript):
            owner = self.evaluate(target.value, scope)
            key = self.evaluate(target.slice, scope)
            self.hosts.set_item(self, owner, key, value, target)
            if owner.items is not None and isinstance(key.const, int):
                if -len(owner.items) <= key.const < len(owner.items):
                    owner.items[key.const] = value
            elif owner.items is not None:
                owner.items.append(value)
            elif owner.attrs is not None or not owner.ref:
                if owner.attrs is None:
                    owner.attrs = {}
                owner.attrs[key_of(key)] = value

    def _unpack(self, targets: list[ast.expr], value: Value, scope: Scope) -> None:
        items = self.items_of(value)
        exact = items is not None and len(items) == len(targets)
        for number, target in enumerate(targets):
            each = items[number] if exact and items is not None else unknown(value)
            self.assign(target, each, scope)

    # Expressions

    def evaluate(self, node: ast.expr, scope: Scope) -> Value:
        self.budget.spend()
        handler = EXPRESSIONS.get(type(node))
        if self.expression_depth >= EXPRESSION_DEPTH_MAX:
            raise OutOfBounds
        self.expression_depth += 1
        try:
            if handler is not None:
                value = handler(self, node, scope)
                self.holdings.note(value)
                return value
            parts = [
                self.evaluate(child, scope)
                for child in ast.iter_child_nodes(node)
                if isinstance(child, ast.expr)
            ]
            return unknown(*parts)
        finally:
            self.expression_depth -= 1

    def attribute(self, owner: Value, name: str, node: ast.AST) -> Value:
        """Return an attribute of a value."""
        if owner.attrs is not None and owner.kind != "dict" and name in owner.attrs:
            found = owner.attrs[name]
            method = found.function
            if not isinstance(method, Function) or method.me is not None or method.cls is None:
                return found
            if method.of_class:
                return Value(function=method.bound_to(method.cls), taints=found.taints)
            if owner.kind in ("module", "class"):
                return found
            return Value(function=method.bound_to(owner), taints=found.taints)
        other = (
            (owner.attrs or {}).get("__getattr__") if owner.kind not in ("dict", "class") else None
        )
        if other is not None and isinstance(other.function, Function):
            return self.call_function(other.function.bound_to(owner), [Value(name)], {}, node)
        told = owner.function.node if isinstance(owner.function, Function) else None
        if name == "__doc__" and told is not None and not isinstance(told, ast.Lambda):
            return Value(ast.get_docstring(told, clean=False))
        if name == "value" and owner.const is not MISSING:  # of an enumeration
            return owner
        if owner.kind == "module" and name == "__dict__":
            return owner
        if name == "__class__":
            literal = owner.const is not MISSING or owner.items is not None or owner.ref
            return Value(ref="type()", kind="class-of") if literal else Value()
        if owner.kind == "class" and name in ("__subclasses__", "__mro__", "__bases__"):
            return Value()
        value: Value = self.hosts.attribute(self, owner, name, node)
        return value

    def item(self, owner: Value, key: Value, node: ast.AST) -> Value:
        found = self.hosts.item(self, owner, key, node)
        if found is not None:
            value: Value = found
            return value
        if owner.attrs is not None and key_of(key) in owner.attrs:
            return owner.attrs[key_of(key)].with_taints(owner.taints)
        if key.is_const and isinstance(key.const, str) and owner.const is MISSING:
            return self.element(
                Value(
                    attrs=owner.attrs,
                    items=owner.items,
                    kind=owner.kind,
                    ref=owner.ref,
                    taints=self.hosts.one_entry(owner.taints),
                )
            )
        index = key.const if isinstance(key.const, int) else MISSING
        if owner.items is not None and index is not MISSING:
            if -len(owner.items) <= index < len(owner.items):
                return owner.items[index].with_taints(owner.taints)
            return unknown(owner)
        if owner.is_const and key.is_const:
            try:
                made = owner.const[key.const]
            except (TypeError, IndexError, KeyError):
                return unknown(owner)
            return Value(made, taints=owner.taints)
        return self.element(owner)

    def element(self, value: Value) -> Value:
        """Return what may be in it."""
        inside: Value = self.hosts.element(self, value)
        return inside

    def items_of(self, value: Value) -> list[Value] | None:
        """Return what is in it, when all of it is known."""
        if value.items is not None:
            return [each.with_taints(value.taints) for each in value.items]
        if value.kind == "dict" and value.attrs is not None:
            return [lift(key, value.taints) for key in value.attrs]
        if value.is_const and isinstance(value.const, (str, bytes)):
            return [lift(each, value.taints) for each in value.const[:LOOP_TURNS_MAX]]
        return None

    def operate(
        self, operation: ast.operator, left: Value, right: Value, node: ast.AST | None = None
    ) -> Value:
        made: Value | None = self.hosts.operate(self, operation, left, right, node)
        if made is not None:
            return made
        taints = left.taints | right.taints
        try:
            made_plain = folding.binary(operation, plain(left), plain(right))
            result = self.holdings.lifted(made_plain, taints)
            if isinstance(result.const, (str, bytes)):
                result.kind = "rebuilt"
            elif isinstance(operation, ast.BitXor):
                result.kind = "computed"
            return result
        except (NotKnown, ValueError):
            pass
        if isinstance(operation, ast.Add) and is_text(left) and is_text(right):
            text = text_of((left.text(), right.text()))
            return Value(text, kind="rebuilt", taints=taints)
        if isinstance(operation, ast.Add) and (left.items is not None or right.items is not None):
            items = [*(left.items or [unknown(left)]), *(right.items or [unknown(right)])]
            return Value(items=items[:ITEMS_MAX], kind="list", taints=taints)
        if isinstance(operation, ast.Mod) and isinstance(left.const, str):
            return self._percent(left, right)
        return unknown(left, right)

    def _percent(self, template: Value, given: Value) -> Value:
        values = given.items if given.kind == "tuple" and given.items is not None else [given]
        pieces = template.text().split("%")
        text, left = [pieces[0]], list(values)
        for piece in pieces[1:]:
            text.append(left.pop(0).text() if left and piece[:1] in "srd" else UNKNOWN)
            text.append(piece[1:])
        taints = all_taints(given) | template.taints
        return Value(text_of(text), kind="rebuilt", taints=taints)

    # Calls

    def call(
        self, callee: Value, args: list[Value], keywords: dict[str, Value], node: ast.AST
    ) -> Value:
        """Return what calling a value gives."""
        self.budget.spend()
        if callee.kind == "class" and isinstance(callee.function, Function):
            return make_instance(self, callee, args, keywords, node)
        if isinstance(callee.function, Function):
            made = self.call_function(callee.function, args, keywords, node)
            return made.with_taints(callee.taints)
        method = (callee.attrs or {}).get("__call__") if callee.kind != "dict" else None
        if method is not None and isinstance(method.function, Function):
            return self.call_function(method.function.bound_to(callee), args, keywords, node)
        result: Value = self.hosts.call(self, callee, args, keywords, node)
        return result

    def call_function(
        self, function: Function, args: list[Value], keywords: dict[str, Value], node: ast.AST
    ) -> Value:
        """Follow a function of the skill."""
        given = args if function.me is None else [function.me, *args]
        if isinstance(function.node, ast.ClassDef):
            return Value()
        key = call_key(given, keywords)
        if id(function.node) in self.forking and function.node in self.active:
            self.do(Act.EXHAUST, node, "processes, in a function that calls itself")
        if key in function.known:
            return function.known[key]
        known = bool(given) and all(map(is_plain, given))
        most = CALLS_ON_CONSTANTS_MAX if known else CALLS_OF_ONE_MAX
        if self.depth >= CALL_DEPTH_MAX or len(function.known) >= most:
            return unknown(*given, *keywords.values())
        function.known[key] = unknown(*given, *keywords.values())  # for recursion
        self.followed.add(id(function.node))
        for each in self.functions:
            if each.node is function.node:
                each.calls += 1
                break
        scope = Scope(function.scope)
        kept = self.file, self.base, self.expression_depth
        bind(self, function, given, keywords, scope)
        self.file, self.base, self.expression_depth = function.file, function.base, 0
        self.depth += 1
        self.active.append(function.node)
        try:
            if isinstance(function.node, ast.Lambda):
                scope.returned.append(self.evaluate(function.node.body, scope))
            else:
                self.run_body(function.node.body, scope)
        finally:
            self.depth -= 1
            self.active.pop()
            self.file, self.base, self.expression_depth = kept
        if scope.yielded:
            result = Value(items=scope.yielded, kind="generated")
        else:
            result = returned_value(self, scope.returned)
        if getattr(function.node, "name", "").startswith("__reduce"):
            self.hosts.reduces(self, result, node)
        function.known[key] = result
        return result
