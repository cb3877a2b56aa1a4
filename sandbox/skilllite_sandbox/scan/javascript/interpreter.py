"""Follows scripts over values that are known in part.

A condition that is known chooses its branch, any other has both followed; what was never reached
is followed at the end as if it were, so that nothing stays unseen behind a condition.
"""

from __future__ import annotations

from posixpath import dirname, normpath

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.javascript import patterns, texts
from skilllite_sandbox.scan.javascript.calls import call_value
from skilllite_sandbox.scan.javascript.evaluation import evaluate
from skilllite_sandbox.scan.javascript.expressions import EXPRESSIONS
from skilllite_sandbox.scan.javascript.modules_seen import Frame, Module
from skilllite_sandbox.scan.javascript.statements import follow_statement
from skilllite_sandbox.scan.javascript.syntax import Node, parse
from skilllite_sandbox.scan.javascript.unreached import UNREACHED_MAX
from skilllite_sandbox.scan.javascript.values import (
    NOTHING_KNOWN,
    UNDEFINED,
    Function,
    Scope,
    Value,
    either,
)
from skilllite_sandbox.scan.record import Budget, Record
from skilllite_sandbox.scan.source import Language, SourceFile
from skilllite_sandbox.scan.taint import Taint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEPTH_MAX = 90  # of nodes that are followed into each other; each takes some Python frames
FRAMES_FLAT_MAX = 3  # calls in which depth is still the code's own

_GRAMMARS = {Language.JAVASCRIPT: "javascript", Language.TYPESCRIPT: "typescript"}


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
        self.handed = Value("unknown")
        """What its own workers and children are given: it only grows."""
        self.lacking: list[str] = []
        """What a condition around found to be missing: setting that changes nothing."""
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
        return texts.run_code(self, code, node, scope, sink)

    def call_code(self, how: str, args: list[Value], node: Node, scope: Scope) -> Value:
        """Follow `eval(text)` and `Function(…, text)`."""
        return texts.call_code(self, how, args, node, scope)

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
            return follow_statement(self, node, scope)
        finally:
            self.depth -= 1

    def note_depth(self, node: Node) -> None:
        """Write down code that is nested too deeply; calls in calls are followed on their own."""
        if len(self.frames) <= FRAMES_FLAT_MAX:
            self.hide(node, "nested too deeply")

    def run_unknown(self, node: Node, scope: Scope) -> str:
        """Follow a statement of which it isn't known whether it is reached."""
        self.guards += 1
        self.unsure += 1
        try:
            return self.run(node, scope)
        finally:
            self.guards -= 1

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
