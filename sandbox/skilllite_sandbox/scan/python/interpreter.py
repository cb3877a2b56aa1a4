"""Walks through Python code as it would run, with values that are known in part.

Both sides of a condition are taken. Functions of the skill are followed where they are called, and
once with unknown arguments when nobody calls them. Loops over known values are followed as they
are, others twice. Every step is counted.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.python import folding, layout
from skilllite_sandbox.scan.python.values import (
    MISSING,
    Value,
    all_taints,
    joined,
    lift,
    plain,
    unknown,
)
from skilllite_sandbox.scan.record import Budget, OutOfBounds, Record
from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.scan.taint import Taint

CALL_DEPTH_MAX = 12  # functions in functions; also how deep decoders are nested
CALLS_OF_ONE_MAX = 8  # with other arguments each time
CALLS_ON_CONSTANTS_MAX = 64  # a decoder of the skill's own is called for each of its texts
TWICE_DEPTH_MAX = 2  # loops in loops that are followed twice; inner ones once
TURNS_MAX = 20_000  # of all loops with a known condition together
LOOP_TURNS_MAX = 4096  # of a loop over known values: a payload of numbers
LOOP_TURNS_LEAST = 3  # what one turn leaves behind is seen by the next
LOOP_TURNS_DULL = 16  # followed in any case; longer loops only while they put a text together
EXPRESSION_DEPTH_MAX = 150  # operators in operators: far above what people write
BUILTINS = frozenset(dir(__import__("builtins")))

_STEPS_OUT = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.Break, ast.Return, ast.Raise)
_SKIP = (ast.Pass, ast.Break, ast.Continue, ast.Global, ast.Nonlocal)


class Scope:
    """Names of a function or a module."""

    def __init__(self, parent: Scope | None = None) -> None:
        self.names: dict[str, Value] = {}
        self.parent = parent
        self.returned: list[Value] = []
        self.yielded: list[Value] = []
        self.global_names: set[str] = set()

    def find(self, name: str) -> Value | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    @property
    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


class Function:
    """A function, lambda or class of the skill."""

    def __init__(self, node: Any, scope: Scope, file: str, base: int, me: Value | None = None):
        self.node = node
        self.scope = scope
        self.file = file
        self.base = base
        self.me = me
        self.calls = 0
        self.known: dict[Any, Value] = {}
        self.cls: Value | None = None
        """The class that a method belongs to."""

    def bound_to(self, me: Value) -> Function:
        method = Function(self.node, self.scope, self.file, self.base, me)
        method.known = self.known
        method.cls = self.cls
        return method


class Interpreter:
    """Follows the files of one skill."""

    def __init__(
        self, record: Record, budget: Budget, files: Mapping[str, SourceFile], hosts: Any
    ) -> None:
        self.record = record
        self.budget = budget
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
        attrs = function.cls.attrs
        assert attrs is not None
        me = attrs.get("?self")
        if me is None:
            me = attrs["?self"] = self._instance(function.cls, [], {}, function.node)
        return function.bound_to(me)

    # Statements

    def run_body(self, body: list[ast.stmt], scope: Scope) -> None:
        guards: list[tuple[ast.stmt, Value, int]] = []
        for statement in body:
            self.run_statement(statement, scope)
            if isinstance(statement, ast.If) and _leaves(statement.body):
                guards.append((statement, self.last_test, self.hosts.marks(self)))
        for statement, test, before in guards[:8]:
            self.hosts.behind(self, statement, test, before)

    def run_statement(self, node: ast.stmt, scope: Scope) -> None:
        self.budget.spend()
        handler = _STATEMENTS.get(type(node))
        if handler is not None:
            handler(self, node, scope)
        elif not isinstance(node, _SKIP):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.evaluate(child, scope)

    def _function(self, node: Any, scope: Scope) -> None:
        function = Function(node, scope, self.file, self.base)
        self.functions.append(function)
        value = Value(function=function)
        for decorator in reversed(node.decorator_list):
            made = self.evaluate(decorator, scope)
            if made.function is not None:
                self.call_function(made.function, [value], {}, node)
            elif self.hosts.takes_callback(self, made, node):
                self.call_function(function, [], {}, node)
        scope.names[node.name] = value

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        inside = Scope(scope)
        self.run_body(node.body, inside)
        bases = [self.evaluate(each, scope) for each in node.bases]
        for each in bases:
            if each.function is not None and each.attrs:
                inside.names = {**each.attrs, **inside.names}
        function = Function(node, scope, self.file, self.base)
        ref = next((each.ref for each in bases if each.ref), "")
        value = Value(function=function, attrs=inside.names, ref=ref, kind="class")
        for each in inside.names.values():
            if isinstance(each.function, Function) and each.function.cls is None:
                static = any(
                    isinstance(d, ast.Name) and d.id == "staticmethod"
                    for d in getattr(each.function.node, "decorator_list", ())
                )
                each.function.cls = None if static or each.kind == "class" else value
        scope.names[node.name] = value

    def _import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            value = self.import_module(alias.name, node)
            top = alias.name.partition(".")[0]
            name = alias.asname or top
            scope.names[name] = value if alias.asname or top == alias.name else Value(ref=top)

    def _import_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        name = node.module or ""
        own = self.own_module(name, node.level)
        for alias in node.names:
            if own is None:
                sub = self.own_module(f"{name}.{alias.name}".strip("."), node.level)
                if sub is not None:
                    scope.names[alias.asname or alias.name] = Value(attrs=sub.names, kind="module")
                    continue
            if alias.name == "*":
                found = own.names if own is not None else {}
                scope.names.update(found)
                if own is None:
                    scope.names.update(self.hosts.star_import(name))
            elif own is not None:
                value = own.names.get(alias.name)
                if value is None:
                    sub = self.own_module(f"{name}.{alias.name}".strip("."), node.level)
                    value = Value(attrs=sub.names, kind="module") if sub else Value()
                scope.names[alias.asname or alias.name] = value
            else:
                self.hosts.imported(self, name, node)
                scope.names[alias.asname or alias.name] = self.hosts.attribute(
                    self, Value(ref=name), alias.name, node
                )

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

    def _assign(self, node: ast.Assign, scope: Scope) -> None:
        value = self.evaluate(node.value, scope)
        for target in node.targets:
            self.assign(target, value, scope)

    def _annotated(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self.assign(node.target, self.evaluate(node.value, scope), scope)

    def _augmented(self, node: ast.AugAssign, scope: Scope) -> None:
        left = self.evaluate(_loaded(node.target), scope)
        right = self.evaluate(node.value, scope)
        self.hosts.grows(self, node, left, right)
        if left.items is not None and isinstance(node.op, ast.Add):
            left.items.extend(right.items or [right])
            return
        self.assign(node.target, self.operate(node.op, left, right), scope)

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
                owner.attrs[_key(key)] = value

    def _unpack(self, targets: list[ast.expr], value: Value, scope: Scope) -> None:
        items = self.items_of(value)
        exact = items is not None and len(items) == len(targets)
        for number, target in enumerate(targets):
            each = items[number] if exact and items is not None else unknown(value)
            self.assign(target, each, scope)

    def _if(self, node: ast.If | ast.IfExp, scope: Scope) -> Value:
        test = self.evaluate(node.test, scope)
        before: int = self.hosts.marks(self)
        if isinstance(node, ast.IfExp):
            first, second = self.evaluate(node.body, scope), self.evaluate(node.orelse, scope)
            self.hosts.behind(self, node, test, before)
            if test.is_const:
                return first if test.const else second
            made = joined(second, first)
            return made if made.const == second.const else unknown(first, second)
        # A known condition is still taken both ways: it may be known only to us.
        kept = dict(scope.names)
        self.run_body(node.body, scope)
        self.hosts.behind(self, node, test, before)
        self.run_body(node.orelse, scope)
        self.last_test = test
        for name, old in kept.items():
            new = scope.names.get(name)
            if new is not None and new is not old:
                scope.names[name] = new.with_taints(old.taints)
        return test

    def _for(self, node: ast.For, scope: Scope) -> None:
        iterated = self.evaluate(node.iter, scope)
        items = self.items_of(iterated)
        many = len(items or ()) >= LOOP_TURNS_MAX
        endless = (many or self.hosts.is_endless(iterated)) and not _has_break(node.body)
        self.endless += endless
        self.loops += 1
        turns = 2 if self.loops <= TWICE_DEPTH_MAX else 1
        chosen = items if items is not None else [self.element(iterated)] * turns
        size = 0
        for number, item in enumerate(chosen[:LOOP_TURNS_MAX]):
            self.assign(node.target, item, scope)
            self.run_body(node.body, scope)
            if len(chosen) > LOOP_TURNS_DULL:
                if number == LOOP_TURNS_LEAST - 2:
                    size = _built(node.body, scope)
                elif number == LOOP_TURNS_LEAST - 1 and 0 <= _built(node.body, scope) <= size:
                    break
        self.loops -= 1
        self.endless -= endless
        self.run_body(node.orelse, scope)

    def _while(self, node: ast.While, scope: Scope) -> None:
        test = self.evaluate(node.test, scope)
        named = any(isinstance(each, ast.Name) for each in ast.walk(node.test))
        forever = test.is_const and bool(test.const) and not named and not _has_break(node.body)
        before = self.hosts.marks(self)
        self.endless += forever
        self.loops += 1
        least = 2 if self.loops <= TWICE_DEPTH_MAX else 1
        state = self._state(node.test, scope)
        size = 0
        for turn in range(1, LOOP_TURNS_MAX):
            self.run_body(node.body, scope)
            again = self.evaluate(node.test, scope)
            known = again.is_const and not isinstance(node.test, ast.Constant)
            if (known and not again.const) or (turn >= least and not known):
                break
            before_turn, state = state, self._state(node.test, scope)
            self.turns += 1
            if turn >= least and (state == before_turn or self.turns > TURNS_MAX):
                break
            if turn == LOOP_TURNS_LEAST - 1:
                size = _built(node.body, scope)
            elif turn == LOOP_TURNS_LEAST and 0 <= _built(node.body, scope) <= size:
                break
        if forever and not any(isinstance(each, _STEPS_OUT) for each in _inside(node.body)):
            self.do(Act.EXHAUST, node, "the processor, in a loop without an end")
        self.loops -= 1
        self.endless -= forever
        self.hosts.behind(self, node, test, before)
        self.run_body(node.orelse, scope)

    def _state(self, test: ast.expr, scope: Scope) -> tuple[object, ...]:
        """Return what the names in a condition stand for: one that stays is waited for in vain."""
        names = (each.id for each in ast.walk(test) if isinstance(each, ast.Name))
        return tuple(_shape(scope.find(name) or Value()) for name in names)

    def _with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> None:
        for item in node.items:
            value = self.evaluate(item.context_expr, scope)
            if value.kind == "generated" and value.items:
                value = value.items[0]
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value, scope)
        self.run_body(node.body, scope)

    def _try(self, node: Any, scope: Scope) -> None:
        self.run_body(node.body, scope)
        for handler in node.handlers:
            if handler.name:
                scope.names[handler.name] = Value()
            self.run_body(handler.body, scope)
        self.run_body(node.orelse, scope)
        self.run_body(node.finalbody, scope)

    def _match(self, node: ast.Match, scope: Scope) -> None:
        subject = self.evaluate(node.subject, scope)
        for case in node.cases:
            for each in ast.walk(case.pattern):
                if isinstance(each, (ast.MatchAs, ast.MatchStar)) and each.name:
                    scope.names[each.name] = unknown(subject)
                elif isinstance(each, ast.MatchMapping) and each.rest:
                    scope.names[each.rest] = unknown(subject)
            self.run_body(case.body, scope)

    def _return(self, node: ast.Return, scope: Scope) -> None:
        if node.value is not None:
            value = self.evaluate(node.value, scope)
            scope.returned.append(value)

    def _globals(self, node: ast.Global, scope: Scope) -> None:
        scope.global_names.update(node.names)

    def _delete(self, node: ast.Delete, scope: Scope) -> None:
        del node, scope

    # Expressions

    def evaluate(self, node: ast.expr, scope: Scope) -> Value:
        self.budget.spend()
        handler = _EXPRESSIONS.get(type(node))
        if self.expression_depth >= EXPRESSION_DEPTH_MAX:
            raise OutOfBounds
        self.expression_depth += 1
        try:
            if handler is not None:
                return handler(self, node, scope)
            parts = [
                self.evaluate(child, scope)
                for child in ast.iter_child_nodes(node)
                if isinstance(child, ast.expr)
            ]
            return unknown(*parts)
        finally:
            self.expression_depth -= 1

    def _constant(self, node: ast.Constant, scope: Scope) -> Value:
        return Value(node.value)

    def _name(self, node: ast.Name, scope: Scope) -> Value:
        found = scope.find(node.id)
        if found is not None:
            return found
        if node.id in ("__file__", "__name__", "__builtins__", "__loader__", "__spec__"):
            given: Value = self.hosts.special(self, node.id)
            return given
        return Value(ref=node.id) if node.id in BUILTINS else Value()

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Value:
        return self.attribute(self.evaluate(node.value, scope), node.attr, node)

    def attribute(self, owner: Value, name: str, node: ast.AST) -> Value:
        """Return an attribute of a value."""
        if owner.attrs is not None and owner.kind != "dict" and name in owner.attrs:
            found = owner.attrs[name]
            is_method = found.function is not None and owner.kind not in ("module", "class")
            if is_method and isinstance(found.function, Function) and found.function.me is None:
                return Value(function=found.function.bound_to(owner), taints=found.taints)
            return found
        told = owner.function.node if isinstance(owner.function, Function) else None
        if name == "__doc__" and told is not None and not isinstance(told, ast.Lambda):
            return Value(ast.get_docstring(told, clean=False))
        if owner.kind == "module" and name == "__dict__":
            return owner
        if name == "__class__":
            literal = owner.const is not MISSING or owner.items is not None or owner.ref
            return Value(ref="type()", kind="class-of") if literal else Value()
        if owner.kind == "class" and name in ("__subclasses__", "__mro__", "__bases__"):
            return Value()
        value: Value = self.hosts.attribute(self, owner, name, node)
        return value

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Value:
        owner = self.evaluate(node.value, scope)
        if isinstance(node.slice, ast.Slice):
            bounds = [
                None if each is None else self.evaluate(each, scope)
                for each in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            return self._sliced(owner, bounds)
        return self.item(owner, self.evaluate(node.slice, scope), node)

    def _sliced(self, owner: Value, bounds: list[Value | None]) -> Value:
        try:
            cut = slice(*(None if each is None else plain(each) for each in bounds))
            if owner.items is not None:
                return Value(items=owner.items[cut], kind=owner.kind, taints=owner.taints)
            whole = plain(owner)
            if not isinstance(whole, (str, bytes)):
                return unknown(owner)
            taints = owner.taints
            return Value(whole[cut], kind="rebuilt", taints=taints)
        except (ValueError, TypeError):
            return unknown(owner)

    def item(self, owner: Value, key: Value, node: ast.AST) -> Value:
        found = self.hosts.item(self, owner, key, node)
        if found is not None:
            value: Value = found
            return value
        if owner.attrs is not None and _key(key) in owner.attrs:
            return owner.attrs[_key(key)].with_taints(owner.taints)
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

    def _list(self, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Value:
        items: list[Value] = []
        for each in node.elts:
            if isinstance(each, ast.Starred):
                inner = self.evaluate(each.value, scope)
                items += self.items_of(inner) or [self.element(inner)]
            else:
                items.append(self.evaluate(each, scope))
        return Value(items=items, kind="tuple" if isinstance(node, ast.Tuple) else "list")

    def _dict(self, node: ast.Dict, scope: Scope) -> Value:
        attrs: dict[Any, Value] = {}
        taints: frozenset[Taint] = frozenset()
        for key, each in zip(node.keys, node.values, strict=True):
            value = self.evaluate(each, scope)
            if key is None:
                attrs.update(value.attrs or {})
                taints |= all_taints(self.hosts.whole(self, value, node))
            else:
                name = self.evaluate(key, scope)
                attrs[_key(name)] = value
                taints |= all_taints(name)
        return Value(attrs=attrs, kind="dict", taints=taints)

    def _binary(self, node: ast.BinOp, scope: Scope) -> Value:
        return self.operate(
            node.op, self.evaluate(node.left, scope), self.evaluate(node.right, scope), node
        )

    def operate(
        self, operation: ast.operator, left: Value, right: Value, node: ast.AST | None = None
    ) -> Value:
        made: Value | None = self.hosts.operate(self, operation, left, right, node)
        if made is not None:
            return made
        taints = left.taints | right.taints
        try:
            result = lift(folding.binary(operation, plain(left), plain(right)), taints)
            if isinstance(result.const, (str, bytes)):
                result.kind = "rebuilt"
            elif isinstance(operation, ast.BitXor):
                result.kind = "computed"
            return result
        except (folding.NotKnown, ValueError):
            pass
        if isinstance(operation, ast.Add) and _is_text(left) and _is_text(right):
            return Value(left.text() + right.text(), kind="rebuilt", taints=taints)
        if isinstance(operation, ast.Add) and (left.items is not None or right.items is not None):
            items = [*(left.items or [unknown(left)]), *(right.items or [unknown(right)])]
            return Value(items=items, kind="list", taints=taints)
        if isinstance(operation, ast.Mod) and isinstance(left.const, str):
            return self._percent(left, right)
        return unknown(left, right)

    def _percent(self, template: Value, given: Value) -> Value:
        values = given.items if given.kind == "tuple" and given.items is not None else [given]
        pieces = template.text().split("%")
        text, left = pieces[0], list(values)
        for piece in pieces[1:]:
            value = left.pop(0).text() if left and piece[:1] in "srd" else UNKNOWN
            text += value + piece[1:]
        return Value(text, kind="rebuilt", taints=all_taints(given) | template.taints)

    def _boolean(self, node: ast.BoolOp, scope: Scope) -> Value:
        values = []
        before = self.hosts.marks(self)
        for number, each in enumerate(node.values):
            values.append(self.evaluate(each, scope))
            if number:
                self.hosts.behind(self, node, values[0], before)
        last = values[-1]
        for value in values[:-1]:
            last = joined(value, last)
        kinds = {each.kind for each in values} & {"watched", "dated"}
        if {"day test", "month test"} <= {each.kind for each in values}:
            kinds.add("dated")
        if kinds:
            return Value(kind=kinds.pop(), taints=last.taints)
        if all(value.is_const for value in values):
            stops = isinstance(node.op, ast.Or)
            return next((value for value in values if bool(value.const) is stops), values[-1])
        # `given or "default"` is the default as far as it is known; a condition isn't known.
        texts = (each for each in values if isinstance(each.const, (str, bytes)))
        return next(texts, Value()).with_taints(last.taints)

    def _unary(self, node: ast.UnaryOp, scope: Scope) -> Value:
        value = self.evaluate(node.operand, scope)
        if value.is_const:
            try:
                if isinstance(node.op, ast.USub):
                    return lift(-value.const, value.taints)
                if isinstance(node.op, ast.Invert):
                    return lift(~value.const, value.taints)
                if isinstance(node.op, ast.Not):
                    return Value(not value.const)
            except TypeError:
                return unknown(value)
        return Value(kind=value.kind if value.kind in ("watched", "dated") else "")

    def _compare(self, node: ast.Compare, scope: Scope) -> Value:
        values = [self.evaluate(node.left, scope)]
        values += [self.evaluate(each, scope) for each in node.comparators]
        made: Value = self.hosts.compare(self, node, values)
        return made

    def _f_string(self, node: ast.JoinedStr, scope: Scope) -> Value:
        text, taints = "", frozenset[Taint]()
        for each in node.values:
            if isinstance(each, ast.FormattedValue):
                value = self.evaluate(each.value, scope)
                value = self.hosts.whole(self, value, node)
                formatted = each.format_spec is None and each.conversion < 0
                text += value.text() if formatted or value.is_const else UNKNOWN
                taints |= all_taints(value)
            else:
                text += str(getattr(each, "value", ""))
        return Value(text[: folding.SIZE_MAX], kind="rebuilt", taints=taints)

    def _lambda(self, node: ast.Lambda, scope: Scope) -> Value:
        function = Function(node, scope, self.file, self.base)
        self.functions.append(function)
        return Value(function=function)

    def _comprehension(self, node: Any, scope: Scope) -> Value:
        inside = Scope(scope)
        made: list[tuple[Value, Value | None]] = []
        known = self._turns(node, node.generators, inside, made)
        origins = [each for pair in made for each in pair if each is not None]
        if isinstance(node, ast.DictComp):
            pairs = {_key(key): value for key, value in made if value is not None}
            return Value(attrs=pairs, kind="dict", taints=unknown(*[k for k, _ in made]).taints)
        if known:
            return Value(items=[key for key, _ in made], kind="list")
        value = unknown(*origins)
        for each in origins:
            if each.kind in ("watched", "dated"):
                value.kind = each.kind
        if made and made[0][0].const is not MISSING:
            return Value(items=[key for key, _ in made[:1]], kind="list", taints=value.taints)
        return value

    def _turns(
        self, node: Any, generators: list[ast.comprehension], scope: Scope, made: list[Any]
    ) -> bool:
        if not generators:
            if isinstance(node, ast.DictComp):
                key = self.evaluate(node.key, scope)
                made.append((key, self.evaluate(node.value, scope)))
            else:
                made.append((self.evaluate(node.elt, scope), None))
            return True
        first, rest = generators[0], generators[1:]
        iterated = self.evaluate(first.iter, scope)
        items = self.items_of(iterated)
        known = items is not None
        turns = items if items is not None else [self.element(iterated)]
        for number, item in enumerate(turns[:LOOP_TURNS_MAX]):
            if number >= LOOP_TURNS_DULL and (not made or not _is_built(made[-1][0])):
                return False
            self.assign(first.target, item, scope)
            tests = [self.evaluate(test, scope) for test in first.ifs]
            if any(test.is_const and not test.const for test in tests):
                continue
            known &= all(test.is_const for test in tests)
            known &= self._turns(node, rest, scope, made)
        return known

    def _walrus(self, node: ast.NamedExpr, scope: Scope) -> Value:
        value = self.evaluate(node.value, scope)
        self.assign(node.target, value, scope)
        return value

    def _await(self, node: Any, scope: Scope) -> Value:
        return self.evaluate(node.value, scope) if node.value is not None else Value()

    def _yield(self, node: Any, scope: Scope) -> Value:
        if node.value is not None and len(scope.yielded) < LOOP_TURNS_MAX:
            value = self.evaluate(node.value, scope)
            inner = self.items_of(value) if isinstance(node, ast.YieldFrom) else None
            scope.yielded += [value] if inner is None else inner
        return Value()

    # Calls

    def _call(self, node: ast.Call, scope: Scope) -> Value:
        callee = self.evaluate(node.func, scope)
        args: list[Value] = []
        for each in node.args:
            if isinstance(each, ast.Starred):
                inner = self.evaluate(each.value, scope)
                args += self.items_of(inner) or [self.element(inner)]
            else:
                args.append(self.evaluate(each, scope))
        keywords: dict[str, Value] = {}
        for keyword in node.keywords:
            value = self.evaluate(keyword.value, scope)
            if keyword.arg is not None:
                keywords[keyword.arg] = value
            else:
                keywords.update({str(k): v for k, v in (value.attrs or {}).items()})
        return self.call(callee, args, keywords, node)

    def call(
        self, callee: Value, args: list[Value], keywords: dict[str, Value], node: ast.AST
    ) -> Value:
        """Return what calling a value gives."""
        self.budget.spend()
        if callee.kind == "class" and isinstance(callee.function, Function):
            return self._instance(callee, args, keywords, node)
        if isinstance(callee.function, Function):
            made = self.call_function(callee.function, args, keywords, node)
            return made.with_taints(callee.taints)
        method = (callee.attrs or {}).get("__call__") if callee.kind != "dict" else None
        if method is not None and isinstance(method.function, Function):
            return self.call_function(method.function.bound_to(callee), args, keywords, node)
        result: Value = self.hosts.call(self, callee, args, keywords, node)
        return result

    def _instance(
        self, cls: Value, args: list[Value], keywords: dict[str, Value], node: ast.AST
    ) -> Value:
        own = {name: value for name, value in (cls.attrs or {}).items() if name != "?self"}
        me = Value(attrs=own, ref=f"{cls.ref}()" if cls.ref else "")
        init = (cls.attrs or {}).get("__init__")
        if init is not None and isinstance(init.function, Function):
            self.call_function(init.function.bound_to(me), args, keywords, node)
        else:
            me.taints = unknown(*args, *keywords.values()).taints
        return me

    def call_function(
        self, function: Function, args: list[Value], keywords: dict[str, Value], node: ast.AST
    ) -> Value:
        """Follow a function of the skill."""
        given = args if function.me is None else [function.me, *args]
        if isinstance(function.node, ast.ClassDef):
            return Value()
        key = _call_key(given, keywords)
        if id(function.node) in self.forking and function.node in self.active:
            self.do(Act.EXHAUST, node, "processes, in a function that calls itself")
        if key in function.known:
            return function.known[key]
        known = bool(given) and all(map(_is_plain, given))
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
        self._bind(function, given, keywords, scope)
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
            result = self._returned(scope.returned)
        if getattr(function.node, "name", "").startswith("__reduce"):
            self.hosts.reduces(self, result, node)
        function.known[key] = result
        return result

    def _returned(self, returned: list[Value]) -> Value:
        if not returned:
            return Value(None)
        result = returned[0]
        for each in returned[1:]:
            result = joined(result, each)
        return result

    def _bind(
        self, function: Function, given: list[Value], keywords: dict[str, Value], scope: Scope
    ) -> None:
        arguments: ast.arguments = function.node.args
        names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
        defaults: dict[str, ast.expr] = {}
        if arguments.defaults:
            defaults.update(zip(names[-len(arguments.defaults) :], arguments.defaults, strict=True))
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            names.append(each.arg)
            if default is not None:
                defaults[each.arg] = default
        positional = len(arguments.posonlyargs) + len(arguments.args)
        for number, name in enumerate(names):
            if number < positional and number < len(given):
                scope.names[name] = given[number]
            elif name in keywords:
                scope.names[name] = keywords[name]
            elif name in defaults:
                scope.names[name] = self.evaluate(defaults[name], function.scope)
            else:
                scope.names[name] = Value()
        if arguments.vararg is not None:
            scope.names[arguments.vararg.arg] = Value(items=given[positional:], kind="tuple")
        if arguments.kwarg is not None:
            rest: dict[Any, Value] = {k: v for k, v in keywords.items() if k not in names}
            scope.names[arguments.kwarg.arg] = Value(attrs=rest, kind="dict")


_STATEMENTS: dict[type, Callable[[Interpreter, Any, Scope], Any]] = {
    ast.FunctionDef: Interpreter._function,
    ast.AsyncFunctionDef: Interpreter._function,
    ast.ClassDef: Interpreter._class,
    ast.Import: Interpreter._import,
    ast.ImportFrom: Interpreter._import_from,
    ast.Assign: Interpreter._assign,
    ast.AnnAssign: Interpreter._annotated,
    ast.AugAssign: Interpreter._augmented,
    ast.If: Interpreter._if,
    ast.For: Interpreter._for,
    ast.AsyncFor: Interpreter._for,
    ast.While: Interpreter._while,
    ast.With: Interpreter._with,
    ast.AsyncWith: Interpreter._with,
    ast.Try: Interpreter._try,
    ast.TryStar: Interpreter._try,
    ast.Match: Interpreter._match,
    ast.Return: Interpreter._return,
    ast.Global: Interpreter._globals,
    ast.Delete: Interpreter._delete,
}
_EXPRESSIONS: dict[type, Callable[[Interpreter, Any, Scope], Value]] = {
    ast.Constant: Interpreter._constant,
    ast.Name: Interpreter._name,
    ast.Attribute: Interpreter._attribute,
    ast.Subscript: Interpreter._subscript,
    ast.List: Interpreter._list,
    ast.Tuple: Interpreter._list,
    ast.Set: Interpreter._list,
    ast.Dict: Interpreter._dict,
    ast.BinOp: Interpreter._binary,
    ast.BoolOp: Interpreter._boolean,
    ast.UnaryOp: Interpreter._unary,
    ast.Compare: Interpreter._compare,
    ast.JoinedStr: Interpreter._f_string,
    ast.Lambda: Interpreter._lambda,
    ast.ListComp: Interpreter._comprehension,
    ast.SetComp: Interpreter._comprehension,
    ast.GeneratorExp: Interpreter._comprehension,
    ast.DictComp: Interpreter._comprehension,
    ast.NamedExpr: Interpreter._walrus,
    ast.IfExp: Interpreter._if,
    ast.Await: Interpreter._await,
    ast.Yield: Interpreter._yield,
    ast.YieldFrom: Interpreter._yield,
    ast.Call: Interpreter._call,
}


def _key(value: Value) -> Any:
    if value.is_const and isinstance(value.const, (str, int, bytes, float, bool, type(None))):
        return value.const
    return UNKNOWN


def _is_text(value: Value) -> bool:
    return isinstance(value.const, str) or (value.const is MISSING and value.items is None)


def _call_key(given: list[Value], keywords: Mapping[str, Value]) -> Any:
    return tuple(map(_shape, given)), tuple(
        (name, _shape(value)) for name, value in sorted(keywords.items())
    )


def _is_plain(value: Value) -> bool:
    if value.items is not None:
        return all(each.is_const for each in value.items)
    return value.is_const


def _shape(value: Value) -> Any:
    const = value.const if isinstance(value.const, (str, bytes, int, float, bool)) else None
    inside = id(value.items) if value.items is not None else id(value.attrs)
    shared = inside if value.items is not None or value.attrs is not None else 0
    return (
        const,
        value.ref,
        value.kind,
        id(value.function) if value.function else 0,
        shared,
        (value.taints),
    )


def _has_break(body: list[ast.stmt]) -> bool:
    return any(isinstance(each, (ast.Break, ast.Return, ast.Raise)) for each in _inside(body))


def _leaves(body: list[ast.stmt]) -> bool:
    """Tell whether what comes after these statements isn't reached."""
    last = body[-1]
    if isinstance(last, (ast.Return, ast.Raise)):
        return True
    call = last.value if isinstance(last, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return False
    name = ast.unparse(call.func)
    return name in ("exit", "quit", "sys.exit", "os._exit", "os.abort")


def _built(body: list[ast.stmt], scope: Scope) -> int:
    """Return the size of the texts and lists that a loop puts together."""
    size = 0
    for node in _inside(body):
        name = node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else ""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = node.value.id if node.attr in ("append", "extend", "insert", "write") else ""
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            return -1  # in place
        if name and (value := scope.names.get(name)) is not None:
            if isinstance(value.const, (str, bytes)):
                size += len(value.const)
            elif value.items is not None:
                size += len(value.items)
    return size


def _is_built(value: Value) -> bool:
    return value.is_const or value.items is not None


def _inside(body: list[ast.stmt]) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)


def _loaded(target: ast.expr) -> ast.expr:
    """Return the expression that reads what a target writes."""
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    if isinstance(target, ast.Attribute):
        return ast.copy_location(ast.Attribute(target.value, target.attr, ast.Load()), target)
    if isinstance(target, ast.Subscript):
        return ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
    return target
