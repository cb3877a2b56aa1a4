"""Follows the statements of a script: pipelines, redirections, functions, branches, loops.

Both branches of a condition are followed, loops once, functions where they are called and once by
themselves. What comes out of a statement is the text that it prints.
"""

from __future__ import annotations

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.known_sources import is_known_source
from skilllite_sandbox.scan.record import Budget, Record
from skilllite_sandbox.scan.secret_programs import belongs_to, is_own_login
from skilllite_sandbox.scan.shell import conditions, loops, syntax
from skilllite_sandbox.scan.shell.call import run_command
from skilllite_sandbox.scan.shell.files_seen import Files
from skilllite_sandbox.scan.shell.words import PART, fields_of, text_of
from skilllite_sandbox.scan.taint import EMPTY, SOMETHING, Taint, Text, joined, unknown_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from skilllite_sandbox.scan.shell.nodes import Node
    from skilllite_sandbox.scan.source import SourceFile

TEXTS_DEPTH_MAX = 8  # of code in code: a payload wrapped oftener hides nothing more
CALLS_DEPTH_MAX = 24  # of functions that call functions
TEXT_CHARS_MAX = 65_536  # of a text that is read as code once more
LOST_BYTES_MIN = 12  # of a place that can't be parsed: a command that does harm is longer
FOLLOWED_MAX = 40  # times that one function is followed: the next call tells nothing new
STATEMENTS_DEPTH_MAX = 120  # of statements in statements: far below Python's recursion limit

_RUNS = (Sink.RUN_CODE, Sink.RUN_SHELL, Sink.RUN_PROGRAM)


class Frame:
    """One function that is being followed."""

    def __init__(self, name: str, arguments: list[Text]) -> None:
        self.name = name
        self.arguments = arguments
        self.forks = 0
        self.returns = False


class Shell(Files):
    """One script that is being followed, and what it knows so far."""

    def __init__(
        self, record: Record, budget: Budget, file: str, skill: Mapping[str, SourceFile]
    ) -> None:
        super().__init__()
        self.record = record
        self.budget = budget
        self.file = file
        self.skill = skill
        self.functions: dict[str, Node] = {}
        self.called: set[str] = set()
        self.followed: dict[str, int] = {}
        self.aliases: dict[str, str] = {}
        self.descriptors: dict[str, Text] = {}
        self.frames: list[Frame] = []
        self.following: set[str] = {file}
        self.committed = EMPTY
        self.encrypted: set[str] = set()
        self.fifos: set[str] = set()
        self.tested: list[Text] = []
        self.guards = 0
        self.changes = 0
        self.depth = 0
        self.texts = 0
        self.guesses = False
        """Whether what is followed may be no shell at all: a piece of what can't be parsed."""
        self.line_base = 1
        self.line_fixed = 0

    # -- places ------------------------------------------------------------------------------

    def line_of(self, node: Node) -> int:
        """Return the line of the file where this stands."""
        return self.line_fixed or node.row + self.line_base

    @staticmethod
    def source_of(node: Node) -> str:
        """Return the text of a node as it is written."""
        return node.text

    def do(self, act: Act, node: Node, detail: str = "") -> None:
        """Write down an act of this place."""
        self.changes += act in conditions.WEIGHTY
        self.record.do(act, self.file, self.line_of(node), detail)

    def flow(self, value: Text, sink: Sink, node: Node, detail: str = "") -> None:
        """Write down that a text ends up there."""
        if value.taints:
            if sink is Sink.OUTPUT:  # what the caller asked such a program for
                kept = (each for each in value.taints if not is_own_login(each.detail))
                value = Text(value.text, frozenset(kept))
            if sink is Sink.SEND:
                kept = (each for each in value.taints if not belongs_to(each.detail, detail))
                value = Text(value.text, frozenset(kept))
            if sink in _RUNS:
                value = self._without_known(value, node)
            self.record.flow(value.taints, sink, self.file, self.line_of(node), detail)

    def _without_known(self, value: Text, node: Node) -> Text:
        """Return a text that is run without the origins that only have to be agreed to."""
        known = [
            taint
            for taint in value.taints
            if taint.datum is Datum.FETCHED and is_known_source(taint.detail)
        ]
        for taint in known:
            self.do(Act.INSTALL_ELSEWHERE, node, taint.detail)
        return Text(value.text, value.taints - frozenset(known))

    def taint(self, datum: Datum, node: Node, detail: str = "") -> Taint:
        """Return an origin at this place."""
        return Taint(datum, self.file, self.line_of(node), detail.replace(UNKNOWN, "…"))

    def made(self, datum: Datum, node: Node, detail: str = "") -> Text:
        """Return a text of this origin that isn't known."""
        return Text(UNKNOWN, frozenset((self.taint(datum, node, detail),)))

    # -- texts that are code ---------------------------------------------------------------

    def run_text(self, code: Text, node: Node, stdin: Text = EMPTY) -> Text:
        """Follow a text that a shell gets as code, in this shell's own state."""
        source = code.text
        if not source.strip(UNKNOWN + " \n\t"):
            return unknown_from(code, stdin)
        if self.texts >= TEXTS_DEPTH_MAX or len(source) > TEXT_CHARS_MAX:
            self.record.hide(self.file, self.line_of(node), "code in code, too deep or too long")
            return unknown_from(code, stdin)
        if UNKNOWN in source:
            source = source.replace(UNKNOWN, PART)
            self.variables["__part"] = unknown_from(code)
        fixed, self.line_fixed = self.line_fixed, self.line_of(node)
        self.texts += 1
        try:
            root = syntax.parse(source, seconds=self.budget.seconds_left())
            if root.has_error and syntax.covered_by_errors(root):
                if code.has(Datum.DECODED):
                    self.record.hide(self.file, self.line_fixed, "decoded text that is no script")
                return unknown_from(code, stdin)
            return self.run_children(root, stdin)
        finally:
            self.texts -= 1
            self.line_fixed = fixed

    def run_own(self, source: SourceFile, stdin: Text, *, args: list[Text] | None) -> Text:
        """Follow another script of the skill.

        Args:
            source: The script.
            stdin: What it reads.
            args: Its arguments; None when it is sourced, and changes this shell's own state.
        """
        if source.path in self.following or len(self.following) >= TEXTS_DEPTH_MAX:
            return unknown_from(stdin, *(args or ()))
        outer = (self.file, self.line_base, self.line_fixed, self.own_arguments, self.frames)
        variables, functions = self.variables, self.functions
        self.file, self.line_base, self.line_fixed = source.path, 1, 0
        if args is not None:
            self.own_arguments, self.frames = args, []
            self.variables, self.functions = dict(variables), dict(functions)
        self.following.add(source.path)
        try:
            root = syntax.parse(source.text[:TEXT_CHARS_MAX], seconds=self.budget.seconds_left())
            return self.run_children(root, stdin)
        finally:
            self.following.discard(source.path)
            (self.file, self.line_base, self.line_fixed, self.own_arguments, self.frames) = outer
            if args is not None:
                self.variables, self.functions = variables, functions

    # -- statements ------------------------------------------------------------------------

    def run_children(self, node: Node, stdin: Text) -> Text:
        """Follow statements one after the other, and return what they print together."""
        outputs: list[Text] = []
        children = node.children
        for position, child in enumerate(children):
            if not child.is_named or child.type in ("comment", "heredoc_start", "heredoc_end"):
                continue
            after = children[position + 1].type if position + 1 < len(children) else ""
            if after == "&":
                outputs.append(self.forked(child, stdin))
            else:
                outputs.append(self.run(child, stdin))
        return joined(outputs) if outputs else EMPTY

    def forked(self, node: Node, stdin: Text) -> Text:
        """Follow a statement that runs in a process of its own."""
        if self.frames:
            self.frames[-1].forks += 1
        try:
            return self.run(node, stdin)
        finally:
            if self.frames:
                self.frames[-1].forks -= 1

    def run(self, node: Node, stdin: Text) -> Text:
        """Follow one statement and return what it prints."""
        self.budget.spend()
        if self.depth >= STATEMENTS_DEPTH_MAX:
            self.record.hide(self.file, self.line_of(node), "nested too deeply")
            return SOMETHING
        self.depth += 1
        try:
            return self._run(node, stdin)
        finally:
            self.depth -= 1

    def _run(self, node: Node, stdin: Text) -> Text:
        kind = node.type
        if kind == "command":
            return run_command(self, node, stdin)
        if kind == "pipeline":
            return self._pipeline(node, stdin)
        if kind == "redirected_statement":
            return self._redirected(node, stdin)
        if kind in ("variable_assignment", "variable_assignments"):
            self.assign(node)
            return EMPTY
        if kind == "declaration_command":
            return self.declare(node)
        if kind == "unset_command":
            self.unset(node)
            return EMPTY
        if kind == "function_definition":
            self.define(node)
            return EMPTY
        if kind == "if_statement":
            return conditions.follow_if(self, node, stdin)
        if kind == "list":
            return conditions.follow_list(self, node, stdin)
        if kind == "case_statement":
            return conditions.follow_case(self, node, stdin)
        if kind in ("while_statement", "for_statement", "c_style_for_statement"):
            return loops.follow_loop(self, node, stdin)
        if kind == "test_command":
            conditions.note_test(self, node)
            return EMPTY
        if kind == "subshell":
            variables = dict(self.variables)
            folder = self.folder
            out = self.run_children(node, stdin)
            self.variables, self.folder = variables, folder
            return out
        if kind == "ERROR":
            return self._run_error(node, stdin)
        if kind in ("arithmetic_expansion", "binary_expression", "postfix_expression", "word"):
            return EMPTY
        return self.run_children(node, stdin)

    def _run_error(self, node: Node, stdin: Text) -> Text:
        """Follow what the grammar stumbled over: what it made of it, then line by line."""
        out = self.run_children(node, stdin)
        if syntax.lost_bytes(node) < LOST_BYTES_MIN or self.texts:
            return out
        self.texts += 1
        self.guesses = True
        fixed = self.line_fixed
        try:
            for offset, line in enumerate(self.source_of(node).split("\n")):
                self.line_fixed = fixed or self.line_base + node.row + offset
                root = syntax.parse(line, seconds=self.budget.seconds_left())
                if line.strip() and not (root.has_error and syntax.covered_by_errors(root)):
                    self.run_children(root, EMPTY)
        finally:
            self.texts -= 1
            self.guesses = False
            self.line_fixed = fixed
        return out

    def _pipeline(self, node: Node, stdin: Text) -> Text:
        out = stdin
        for stage in node.named_children:
            if stage.type not in ("comment", "file_redirect"):
                out = self.forked(stage, out)
        return out

    def call_function(self, name: str, arguments: list[Text], node: Node, stdin: Text) -> Text:
        """Follow a call of one of the script's functions."""
        self.called.add(name)
        self.followed[name] = self.followed.get(name, 0) + 1
        if self.followed[name] > FOLLOWED_MAX:
            return unknown_from(stdin, *arguments)
        if any(frame.name == name for frame in self.frames):
            loops.note_recursion(self, name, node)
            return unknown_from(stdin, *arguments)
        if len(self.frames) >= CALLS_DEPTH_MAX:
            return unknown_from(stdin, *arguments)
        self.frames.append(Frame(name, arguments))
        guards, self.guards = self.guards, 0
        try:
            return self.run(self.functions[name], stdin)
        finally:
            self.frames.pop()
            self.guards = guards

    @property
    def arguments(self) -> list[Text]:
        """What `$@` holds now."""
        return self.frames[-1].arguments if self.frames else self.own_arguments

    def define(self, node: Node) -> None:
        """Remember a function, and write down one that takes a program's place."""
        name_node, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name_node is None or body is None:
            return
        name = self.source_of(name_node)
        self.functions[name] = body
        if loops.is_fork_bomb(self, name, body):
            self.do(Act.EXHAUST, node, "a function that starts itself over and over")

    # -- redirections ----------------------------------------------------------------------

    def _redirected(self, node: Node, stdin: Text) -> Text:
        body = node.child_by_field_name("body")
        redirects = [child for child in node.named_children if child.type.endswith("_redirect")]
        stdin = self.redirected_input(redirects, stdin)
        out = self.run(body, stdin) if body is not None else stdin
        return self.redirected_output(redirects, out, node)

    def redirected_input(self, redirects: list[Node], stdin: Text) -> Text:
        """Return what a statement reads, after its redirections."""
        for redirect in redirects:
            if redirect.type == "heredoc_redirect":
                stdin = self._heredoc(redirect)
            elif redirect.type == "herestring_redirect":
                stdin = joined([text_of(self, child) for child in redirect.named_children])
            else:
                operator = next((c.type for c in redirect.children if not c.is_named), "")
                target = redirect.child_by_field_name("destination")
                if target is not None and operator in ("<", "<&", "<>"):
                    where = joined(fields_of(self, target))
                    known = self.descriptors.get(where.text)
                    stdin = known if known is not None else self.read(where, redirect)
        return stdin

    def _heredoc(self, redirect: Node) -> Text:
        start = next((c for c in redirect.children if c.type == "heredoc_start"), None)
        body = next((c for c in redirect.children if c.type == "heredoc_body"), None)
        if body is None:
            return EMPTY
        if start is not None and self.source_of(start)[:1] in "'\"\\":
            return Text(self.source_of(body))
        return text_of(self, body)

    def redirected_output(self, redirects: list[Node], out: Text, node: Node) -> Text:
        """Return what is left of a statement's output after its redirections."""
        for redirect in redirects:
            if redirect.type == "heredoc_redirect":
                out = self._after_heredoc(redirect, out)
            elif redirect.type == "file_redirect":
                out = self._file_redirect(redirect, out, node)
        return out

    def _file_redirect(self, redirect: Node, out: Text, node: Node) -> Text:
        operator = next((c.type for c in redirect.children if not c.is_named), "")
        target = redirect.child_by_field_name("destination")
        descriptor = redirect.child_by_field_name("descriptor")
        if target is None:
            return out
        where = joined(fields_of(self, target))
        number = self.source_of(descriptor) if descriptor is not None else ""
        if operator in (">", ">>", ">|", "&>", "&>>", ">&"):
            if where.text in self.descriptors:
                socket = self.descriptors[where.text]
                self.do(Act.SEND, redirect, "a connection")
                self.flow(out, Sink.SEND, redirect, next(iter(socket.taints)).detail)
                return EMPTY
            after = node.next_sibling
            if where.text == "/dev/null" and after is not None and after.type == "&":
                self.note_endless(out, node)
            if where.text.isdigit() or where.text in ("/dev/null", "-"):
                return EMPTY if where.text == "/dev/null" and number in ("", "1") else out
            if number in ("2",):
                self.write(where, EMPTY, redirect, more=True)
                return out
            self.write(where, out, redirect, more=operator in (">>", "&>>"))
            return EMPTY
        return out

    def _after_heredoc(self, redirect: Node, out: Text) -> Text:
        """Follow what stands after `<<EOF` on its line: it is part of the redirection here."""
        for child in redirect.named_children:
            if child.type.startswith("heredoc_"):
                continue
            if child.type == "pipeline":
                out = self._pipeline(child, out)
            elif child.type == "file_redirect":
                out = self._file_redirect(child, out, redirect)
            else:
                out = joined([out, self.run(child, EMPTY)])
        return out
