"""Follows the statements of scripts over values that are known in part.

A condition that is known chooses its branch, any other has both followed; what was never reached
is followed at the end as if it were, so that nothing stays unseen behind a condition.
"""

from __future__ import annotations

from posixpath import dirname, normpath

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.javascript import loops, patterns, triggers
from skilllite_sandbox.scan.javascript.calls import call_function, call_value, construct_class
from skilllite_sandbox.scan.javascript.evaluation import evaluate
from skilllite_sandbox.scan.javascript.expressions import EXPRESSIONS
from skilllite_sandbox.scan.javascript.hosts import global_value
from skilllite_sandbox.scan.javascript.syntax import Node, parse
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    UNDEFINED,
    Function,
    Scope,
    Value,
    all_taints,
    either,
    host,
    record,
    text,
    truth,
    unknown,
)
from skilllite_sandbox.scan.record import Budget, Record
from skilllite_sandbox.scan.source import Language, SourceFile
from skilllite_sandbox.scan.taint import Taint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEPTH_MAX = 90  # of nodes that are followed into each other; each takes some Python frames
FRAMES_FLAT_MAX = 3  # calls in which depth is still the code's own
CODE_DEPTH_MAX = 6  # of code in code
CODE_CHARS_MAX = 262_144  # of a text that is read as code
UNREACHED_MAX = 2_000  # pieces that are followed at the end

_GRAMMARS = {Language.JAVASCRIPT: "javascript", Language.TYPESCRIPT: "typescript"}


class Module:
    """One script of the skill."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.exports = record()
        self.object = record({"exports": self.exports, "require": host("require")})
        self.object.members = {"constructor": host("Module"), "filename": text(path)}
        self.scope = Scope(is_function=True)
        folder = dirname(path) or "."
        for name, value in (
            ("exports", self.exports),
            ("module", self.object),
            ("__filename", text(path)),
            ("__dirname", text(folder)),
        ):
            self.scope.declare(name, value)

    @property
    def exported(self) -> Value:
        """What another script gets from it."""
        assert isinstance(self.object.data, dict)
        value: Value = self.object.data["exports"]
        return value


class Frame:
    """One call that is being followed."""

    __slots__ = ("node", "returned", "this", "yielded")

    def __init__(self, node: Node, this: Value) -> None:
        self.node = node
        self.this = this
        self.returned: list[Value] = []
        self.yielded: list[Value] = []


class Interpreter:
    """Follows the scripts of one skill."""

    def __init__(self, found: Record, budget: Budget, skill: Mapping[str, SourceFile]) -> None:
        self.record = found
        self.expressions = EXPRESSIONS
        self.budget = budget
        self.skill = skill
        self.modules: dict[str, Module] = {}
        self.module = Module("")
        self.files: dict[str, Value] = {}
        self.host_members: dict[str, Value] = {}
        self.frames: list[Frame] = []
        self.functions: list[Function] = []
        self.classes: list[Function] = []
        self.deferred: list[tuple[Module, Value, Node, list[Value], Value]] = []
        self.constructed: set[Node] = set()
        self.unreached: list[tuple[Node, Scope, Module]] = []
        self.reached: set[Node] = set()
        self.depth = 0
        self.depth_max = DEPTH_MAX
        self.code_depth = 0
        self.guards = 0
        self.changes = 0
        self.unsure = 0
        self.loop_steps = 0
        self.followed: dict[Node, tuple[int, Value]] = {}
        self.calls_nested: dict[Node, int] = {}
        self.line_first = 1
        self.line_fixed = 0

    # -- what is written down ---------------------------------------------------------------

    @property
    def file(self) -> str:
        """The file that is being followed."""
        return self.module.path

    def line_of(self, node: Node) -> int:
        """Return the line of the file where this stands."""
        return self.line_fixed or node.line + self.line_first - 1

    def do(self, act: Act, node: Node, detail: str = "") -> None:
        """Write down an act of this place."""
        self.changes += 1
        self.record.do(act, self.file, self.line_of(node), detail)

    def flow(self, taints: Iterable[Taint], sink: Sink, node: Node, detail: str = "") -> None:
        """Write down that what has these origins ends up there."""
        self.record.flow(taints, sink, self.file, self.line_of(node), detail)

    def hide(self, node: Node, why: str) -> None:
        """Write down a place that can't be looked at."""
        self.record.hide(self.file, self.line_of(node), why)

    def taint(self, datum: Datum, node: Node, detail: str = "") -> frozenset[Taint]:
        """Return an origin at this place."""
        return frozenset((Taint(datum, self.file, self.line_of(node), detail),))

    # -- scripts ----------------------------------------------------------------------------

    def run_module(self, source: SourceFile) -> Value:
        """Follow a script of the skill once, and return what it exports."""
        known = self.modules.get(source.path)
        if known is not None:
            return known.exported
        module = self.modules[source.path] = Module(source.path)
        if source.language not in _GRAMMARS:
            return NOTHING_KNOWN
        grammar = _GRAMMARS[source.language]
        if source.path.endswith((".jsx", ".tsx")):
            grammar = "tsx"
        outer = (self.module, self.line_first, self.line_fixed, self.frames)
        self.module, self.line_first, self.line_fixed, self.frames = module, 1, 0, []
        try:
            self.run_source(source.text, grammar, module.scope)
        finally:
            self.module, self.line_first, self.line_fixed, self.frames = outer
        return module.exported

    def run_source(self, source: str, grammar: str, scope: Scope) -> Value:
        """Follow a text, and return the value of its last statement."""
        root, broken = parse(source, grammar, seconds=self.budget.seconds_left())
        if broken:
            self.record.hide(
                self.file, self.line_fixed, "the grammar of the language can't read it"
            )
        last = root.kids[-1] if root.kids else None
        if last is not None and last.kind == "expression_statement" and last.kids:
            if self.run_block(root.kids[:-1], scope):
                return UNDEFINED
            self.reached.add(last)
            return evaluate(self, last.kids[-1], scope)
        self.run_block(root.kids, scope)
        return UNDEFINED

    def run_code(self, code: Value, node: Node, scope: Scope, sink: Sink = Sink.RUN_CODE) -> Value:
        """Follow a text that is run as code, with everything that follows from its origin."""
        taints = all_taints(code)
        self.flow(taints, sink, node, "code")
        if code.kind != "text" or not code.known:
            self.do(Act.RUN_CODE, node, "a computed text")
            return unknown(taints)
        source = str(code.data)
        if self.code_depth >= CODE_DEPTH_MAX or len(source) > CODE_CHARS_MAX:
            self.hide(node, "code in code, too deep or too long")
            return unknown(taints)
        self.do(Act.RUN_CODE, node, source[:60])
        fixed, self.line_fixed = self.line_fixed, self.line_of(node)
        self.code_depth += 1
        try:
            return self.run_source(source, "javascript", scope)
        finally:
            self.code_depth -= 1
            self.line_fixed = fixed

    def call_code(self, how: str, args: list[Value], node: Node, scope: Scope) -> Value:
        """Follow `eval(text)` and `Function(…, text)`."""
        if not args:
            return UNDEFINED
        if how == "eval":
            return self.run_code(args[0], node, scope) if args[0].kind != "object" else args[0]
        names = [part.strip() for each in args[:-1] for part in str(each.data).split(",")]
        code = args[-1]
        result = self._run_made(code, names, [global_value(self, n, node) for n in names], node)

        def call_made(_: Interpreter, given: list[Value], where: Node) -> Value:
            if not given or not code.known:
                return result
            return self._run_made(code, names, given, where)

        return Value("native", call_made, all_taints(code))

    def _run_made(self, code: Value, names: list[str], given: list[Value], node: Node) -> Value:
        """Follow the text of `new Function(…)` with its parameters."""
        inner = Scope(self.module.scope, is_function=True)
        for name, value in zip(names, given, strict=False):
            inner.declare(name, value)
        frame = Frame(node, UNDEFINED)
        self.frames.append(frame)
        try:
            self.run_code(code, node, inner)
        finally:
            self.frames.pop()
        return self.returned(frame)

    def find_own(self, path: str) -> SourceFile | None:
        """Return the file of the skill that a path names, seen from the script or the root."""
        path = path.removeprefix("file://")
        tail = path.rpartition("\0")[2]
        candidates = [tail.lstrip("/")] if "\0" in path else [path, dirname(self.file) + "/" + path]
        for candidate in candidates:
            name = normpath(candidate.lstrip("/") or ".")
            while name.startswith("../"):
                name = name[3:]
            for suffix in ("", ".js", ".cjs", ".mjs", ".ts", ".json", "/index.js", "/index.ts"):
                if name + suffix in self.skill:
                    return self.skill[name + suffix]
            if "\0" in path and len(name) > 2:
                ends = [each for each in self.skill if each.endswith("/" + name)]
                if ends:
                    return self.skill[ends[0]]
        return None

    def finish(self) -> None:
        """Follow what nothing has reached: functions nobody called, branches not taken."""
        rounds = 0
        while rounds < UNREACHED_MAX and (
            self.deferred or self.classes or self.functions or self.unreached
        ):
            rounds += 1
            if self.deferred:
                self.module, function, node, args, this = self.deferred.pop(0)
                self.call_back(function, node, *args, this=this)
                continue
            if self.classes:
                made = self.classes.pop()
                if made.node not in self.constructed:
                    self._use_class(made)
                continue
            if self.functions:
                found = self.functions.pop()
                body = found.node.field.get("body")
                if body is None or body in self.reached:
                    continue
                assert isinstance(found.owner, Module)
                self.module = found.owner
                call_function(self, found, [], UNDEFINED, found.node)
            else:
                node, scope, module = self.unreached.pop()
                if node not in self.reached:
                    self.module = module
                    self.run_unknown(node, scope)

    def _use_class(self, made: Function) -> None:
        """Follow a class that only others use: its constructor, then each of its methods."""
        assert isinstance(made.owner, Module)
        self.module = made.owner
        instance = construct_class(self, made, [], made.node)
        methods = list(instance.data.values()) if isinstance(instance.data, dict) else []
        for method in methods:
            if method.kind == "function" and isinstance(method.data, Function):
                call_function(self, method.data, [], instance, method.data.node)

    # -- statements -------------------------------------------------------------------------

    def run_block(self, nodes: list[Node], scope: Scope) -> str:
        """Follow statements in their order; functions are known from the start.

        Returns:
            How it ended: `""`, `return`, `break`, `continue` or `throw`.
        """
        for node in nodes:
            declared = (
                node.field.get("declaration", node) if node.kind == "export_statement" else node
            )
            if declared.kind in ("function_declaration", "generator_function_declaration"):
                patterns.declare_function(self, declared, scope)
        for position, node in enumerate(nodes):
            end = self.run(node, scope)
            if end:
                self.unreached += [(each, scope, self.module) for each in nodes[position + 1 :]]
                return end
        return ""

    def run(self, node: Node, scope: Scope) -> str:
        """Follow one statement and return how it ended."""
        self.budget.spend()
        if self.depth >= DEPTH_MAX:
            self.note_depth(node)
            return ""
        self.depth += 1
        self.reached.add(node)
        try:
            return self._run(node, scope)
        finally:
            self.depth -= 1

    def note_depth(self, node: Node) -> None:
        """Write down code that is nested too deeply; calls in calls are followed on their own."""
        if len(self.frames) <= FRAMES_FLAT_MAX:
            self.hide(node, "nested too deeply")

    def _run(self, node: Node, scope: Scope) -> str:
        kind = node.kind
        if kind == "expression_statement":
            for kid in node.kids:
                evaluate(self, kid, scope)
            return ""
        if kind in ("lexical_declaration", "variable_declaration"):
            self._declare(node, scope)
            return ""
        if kind == "statement_block":
            return self.run_block(node.kids, Scope(scope))
        if kind == "if_statement":
            return self._if(node, scope)
        if kind == "return_statement":
            value = evaluate(self, node.kids[0], scope) if node.kids else UNDEFINED
            if self.frames:
                self.frames[-1].returned.append(value)
            return "return"
        if kind in ("break_statement", "continue_statement"):
            return kind.partition("_")[0]
        if kind == "throw_statement":
            for kid in node.kids:
                evaluate(self, kid, scope)
            return "throw"
        if kind == "try_statement":
            return self._try(node, scope)
        if kind in ("for_statement", "for_in_statement", "while_statement", "do_statement"):
            return loops.follow_loop(self, node, scope)
        if kind == "switch_statement":
            return self._switch(node, scope)
        if kind == "labeled_statement":
            body = node.field.get("body")
            end = self.run(body, scope) if body is not None else ""
            return "" if end in ("break", "continue") else end
        if kind in ("import_statement", "export_statement"):
            patterns.follow_module_statement(self, node, scope)
            return ""
        if kind in ("class_declaration", "abstract_class_declaration", "enum_declaration"):
            name = node.field.get("name")
            value = evaluate(self, node, scope)
            if name is not None:
                scope.declare(name.text, value)
            return ""
        if kind == "debugger_statement":
            return ""
        if kind in ("function_declaration", "generator_function_declaration"):
            return ""
        if kind.endswith("_statement") or kind in ("else_clause", "finally_clause", "ERROR"):
            return self.run_block(node.kids, scope)
        evaluate(self, node, scope)
        return ""

    def _declare(self, node: Node, scope: Scope) -> None:
        is_var = node.kind == "variable_declaration"
        for declarator in node.kids:
            name, value_node = declarator.field.get("name"), declarator.field.get("value")
            if name is None:
                continue
            if value_node is None:
                if is_var and scope.find(name.text) is not None:
                    continue
                value = UNDEFINED
            else:
                value = evaluate(self, value_node, scope)
            patterns.bind(self, name, value, scope, var=is_var)

    def _if(self, node: Node, scope: Scope) -> str:
        condition = node.field.get("condition")
        value = evaluate(self, condition, scope) if condition is not None else NOTHING_KNOWN
        yes, no = node.field.get("consequence"), node.field.get("alternative")
        known = truth(value)
        if known is not None:
            taken, other = (yes, no) if known else (no, yes)
            if other is not None:
                self.unreached.append((other, scope, self.module))
            return self.run(taken, scope) if taken is not None else ""
        before = triggers.weight(self)
        ends = [self.run_unknown(each, scope) if each is not None else "" for each in (yes, no)]
        if condition is not None:
            triggers.judge(self, condition, value, before, node)
        return ends[0] if ends[0] == ends[1] else ""

    def run_unknown(self, node: Node, scope: Scope) -> str:
        """Follow a statement of which it isn't known whether it is reached."""
        self.guards += 1
        self.unsure += 1
        try:
            return self.run(node, scope)
        finally:
            self.guards -= 1

    def _try(self, node: Node, scope: Scope) -> str:
        body, handler = node.field.get("body"), node.field.get("handler")
        end = self.run(body, scope) if body is not None else ""
        if handler is not None:
            inner = Scope(scope)
            caught = handler.field.get("parameter")
            if caught is not None:
                patterns.bind(self, caught, NOTHING_KNOWN, inner)
            handled = handler.field.get("body")
            if handled is not None and end == "throw":
                end = self.run(handled, inner)
            elif handled is not None:
                self.unreached.append((handled, inner, self.module))
        last = node.field.get("finalizer")
        if last is not None:
            end = self.run_block(last.kids, scope) or end
        return end

    def _switch(self, node: Node, scope: Scope) -> str:
        value_node, body = node.field.get("value"), node.field.get("body")
        value = evaluate(self, value_node, scope) if value_node is not None else NOTHING_KNOWN
        inner = Scope(scope)
        cases = body.kids if body is not None else []
        if value.known:
            start = self._matching_case(cases, value, inner)
            if start is not None:
                return self._fall_through(cases, start, inner)
        before = triggers.weight(self)
        for case in cases:
            own = case.field.get("value")
            for kid in case.kids:
                if kid is not own:
                    self.run_unknown(kid, inner)
        if value_node is not None:
            triggers.judge(self, value_node, value, before, node)
        return ""

    def _matching_case(self, cases: list[Node], value: Value, scope: Scope) -> int | None:
        for position, case in enumerate(cases):
            own = case.field.get("value")
            if own is None:
                continue
            wanted = evaluate(self, own, scope)
            if not wanted.known:
                return None
            if wanted.kind == value.kind and wanted.data == value.data:
                return position
        return next((i for i, case in enumerate(cases) if case.kind == "switch_default"), None)

    def _fall_through(self, cases: list[Node], start: int, scope: Scope) -> str:
        skipped = [*cases[:start]]
        for position, case in enumerate(cases[start:], start):
            own = case.field.get("value")
            for kid in case.kids:
                if kid is own:
                    continue
                end = self.run(kid, scope)
                if end:
                    skipped += cases[position + 1 :]
                    self._leave_cases(skipped, scope)
                    return "" if end == "break" else end
        self._leave_cases(skipped, scope)
        return ""

    def _leave_cases(self, cases: list[Node], scope: Scope) -> None:
        for case in cases:
            own = case.field.get("value")
            self.unreached += [(kid, scope, self.module) for kid in case.kids if kid is not own]

    # -- calls ------------------------------------------------------------------------------

    def call(
        self, function: Value, args: list[Value], node: Node, this: Value = UNDEFINED
    ) -> Value:
        """Follow a call and return what it gives."""
        return call_value(self, function, args, node, this)

    def later(self, function: Value, node: Node, *args: Value, this: Value = UNDEFINED) -> None:
        """Follow a call that the host will make when the script has come to its end."""
        if len(self.deferred) < UNREACHED_MAX:
            self.deferred.append((self.module, function, node, list(args), this))

    def call_back(
        self, function: Value, node: Node, *args: Value, this: Value = UNDEFINED
    ) -> Value:
        """Follow a call that the host will make."""
        self.guards += 1
        try:
            return call_value(self, function, list(args), node, this)
        finally:
            self.guards -= 1

    def returned(self, frame: Frame) -> Value:
        """Return what a call gives, of all that it may return."""
        if not frame.returned:
            return UNDEFINED
        return either(*frame.returned)
