"""Follows the statements of a script: pipelines, redirections, functions, branches, loops.

Both branches of a condition are followed, loops once, functions where they are called and once by
themselves. What comes out of a statement is the text that it prints.
"""

from __future__ import annotations

from posixpath import normpath

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN, Place, place_of, place_written
from skilllite_sandbox.scan.record import Budget, Record
from skilllite_sandbox.scan.shell import conditions, loops, syntax
from skilllite_sandbox.scan.shell.call import run_command
from skilllite_sandbox.scan.shell.environment import Variables
from skilllite_sandbox.scan.shell.known_sources import is_known_source
from skilllite_sandbox.scan.shell.marks import ENDLESS, FOUND
from skilllite_sandbox.scan.shell.words import PART, fields_of, text_of
from skilllite_sandbox.scan.taint import EMPTY, SOMETHING, Taint, Text, joined, unknown_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tree_sitter import Node

    from skilllite_sandbox.scan.source import SourceFile

TEXTS_DEPTH_MAX = 8  # of code in code: a payload wrapped oftener hides nothing more
CALLS_DEPTH_MAX = 24  # of functions that call functions
TEXT_CHARS_MAX = 65_536  # of a text that is read as code once more
LOST_BYTES_MIN = 12  # of a place that can't be parsed: a command that does harm is longer
FOLLOWED_MAX = 40  # times that one function is followed: the next call tells nothing new
STATEMENTS_DEPTH_MAX = 120  # of statements in statements: far below Python's recursion limit

_READS = {
    Place.SECRET: Datum.SECRET,
    Place.ENVIRONMENT: Datum.ENVIRONMENT,
    Place.KEYS: Datum.WATCHED,
}
_READS |= {Place.HOST: Datum.HOST_FILE, Place.SYSTEM: Datum.SYSTEM, Place.RIGHTS: Datum.HOST_FILE}
_RUNS = (Sink.RUN_CODE, Sink.RUN_SHELL, Sink.RUN_PROGRAM)
_READS |= {Place.SETTINGS: Datum.VARIABLE, Place.DEVICE: Datum.HOST_FILE}

_ENDLESS_DEVICES = ("/dev/zero", "/dev/urandom", "/dev/random", "/dev/full")


class Frame:
    """One function that is being followed."""

    def __init__(self, name: str, arguments: list[Text]) -> None:
        self.name = name
        self.arguments = arguments
        self.forks = 0
        self.returns = False


class Shell(Variables):
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
        self.files: dict[str, Text] = {}
        self.descriptors: dict[str, Text] = {}
        self.fetched_folders: dict[str, Text] = {}
        self.frames: list[Frame] = []
        self.following: set[str] = {file}
        self.committed = EMPTY
        self.encrypted: set[str] = set()
        self.fifos: set[str] = set()
        self.tested: list[Text] = []
        self.folder = ""
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
        return self.line_fixed or node.start_point.row + self.line_base

    @staticmethod
    def source_of(node: Node) -> str:
        """Return the text of a node as it is written."""
        return (node.text or b"").decode("utf-8", "replace")

    def do(self, act: Act, node: Node, detail: str = "") -> None:
        """Write down an act of this place."""
        self.changes += act in conditions.WEIGHTY
        self.record.do(act, self.file, self.line_of(node), detail)

    def flow(self, value: Text, sink: Sink, node: Node, detail: str = "") -> None:
        """Write down that a text ends up there."""
        if value.taints:
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
            root = syntax.parse(source)
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
            return self.run_children(syntax.parse(source.text[:TEXT_CHARS_MAX]), stdin)
        finally:
            self.following.discard(source.path)
            (self.file, self.line_base, self.line_fixed, self.own_arguments, self.frames) = outer
            if args is not None:
                self.variables, self.functions = variables, functions

    # -- files -----------------------------------------------------------------------------

    def read(self, path: Text, node: Node) -> Text:
        """Return the content of a file, and write down what its path says."""
        name = path.text
        if name in ("-", "/dev/stdin") or not name:
            return SOMETHING
        if name in _ENDLESS_DEVICES:
            return self.made(Datum.INPUT, node, ENDLESS)
        if name == self.file and name not in self.skill:
            return self.made(Datum.OWN_FILE, node, name)
        if name in self.files:
            return self.files[name]
        if name.startswith(("/dev/tcp/", "/dev/udp/")):
            self.do(Act.CONNECT, node, name)
            return self.made(Datum.FETCHED, node, name)
        datum = _READS.get(place_of(self.absolute(name)))
        if datum is None and any(taint.detail == FOUND for taint in path.taints):
            datum = Datum.HOST_FILE
        if datum is None:
            return self._own_file(path, node)
        if datum is Datum.SECRET:
            self.do(Act.READ_SECRET, node, name)
        elif datum is Datum.ENVIRONMENT:
            self.do(Act.READ_ENVIRONMENT, node, name)
        elif datum is Datum.WATCHED:
            self.do(Act.WATCH_USER, node, name)
        elif datum is Datum.SYSTEM:
            conditions.note_detector(self, name, node)
            self.do(Act.READ_SYSTEM, node, name)
        else:
            self.do(Act.READ_HOST_FILE, node, name)
        return Text(UNKNOWN, path.taints | {self.taint(datum, node, name)})

    def absolute(self, name: str) -> str:
        """Return a path as seen from where `cd` went, when that is outside the skill."""
        if self.folder and name[:1] not in ("/", "~"):
            return f"{self.folder.rstrip('/')}/{name}"
        return name

    def _own_file(self, path: Text, node: Node) -> Text:
        found = self.find_own(path.text)
        taints = frozenset(taint for taint in path.taints if taint.datum is not Datum.OWN_FILE)
        if found is None:
            kept = {each for name, each in self.files.items() if _same_name(name, path.text)}
            return unknown_from(path, *kept)
        taint = Taint(Datum.OWN_FILE, found.path, 1, found.path)
        return Text(found.text[:TEXT_CHARS_MAX] or UNKNOWN, taints | {taint})

    def content_of(self, path: Text) -> Text | None:
        """Return what is known of a file that the script wrote or fetched; None of any other."""
        for folder, content in self.fetched_folders.items():
            if path.text.removeprefix("./").startswith(folder.rstrip("/") + "/"):
                return content
            beside = folder == "." and path.text[:1] not in ("/", "~", UNKNOWN)
            if beside and self.find_own(path.text) is None:
                return content
        for name, content in self.files.items():
            if _same_name(name, path.text) and (content.taints or content.text):
                return content
        return None

    def find_own(self, path: str) -> SourceFile | None:
        """Return the file of the skill that a path names, by as much of its end as is known."""
        tail = normpath(path.rpartition(UNKNOWN)[2].lstrip("/") or ".")
        while tail.startswith("../"):
            tail = tail.removeprefix("../")
        if tail in ("", ".", ".."):
            return None
        for name, source in self.skill.items():
            if name == tail or name.endswith("/" + tail):
                return source
        return None

    def write(self, path: Text, content: Text, node: Node, *, more: bool = False) -> None:
        """Write down what is written where."""
        name = path.text
        if name.startswith(("/dev/tcp/", "/dev/udp/")):
            self.do(Act.SEND, node, name)
            self.flow(joined([content, path]), Sink.SEND, node, name)
            return
        self.changes += 1
        if name != "/dev/null":
            self.note_endless(content, node)
        before = self.files.get(name, EMPTY) if more else EMPTY
        self.files[name] = joined([before, content]) if more else content
        place = place_written(self.absolute(name))
        if name.endswith("_history") and place_of(name) is Place.SECRET:
            self.do(Act.DISARM, node, name)
        if place is Place.START_UP:
            self.do(Act.PERSIST, node, name)
            self.flow(content, Sink.PERSIST, node, name)
        elif place is Place.AGENT:
            self.do(Act.CHANGE_AGENT, node, name)
        elif place is Place.RIGHTS:
            self.do(Act.GAIN_RIGHTS, node, name)
            self.do(Act.PERSIST, node, name)
        elif place is Place.GUARD:
            self.do(Act.DISARM, node, name)
        elif place is Place.DEVICE:
            self.do(Act.DESTROY, node, name)
        elif place is Place.HOST:
            keys = content.has(Datum.FETCHED) and place_of(name) is Place.SECRET
            self.do(Act.PERSIST if keys else Act.WRITE_HOST_FILE, node, name)
            self.flow(content, Sink.WRITE_HOST_FILE, node, name)

    def note_endless(self, content: Text, node: Node) -> None:
        """Write down that a text without an end is kept somewhere."""
        if any(taint.detail == ENDLESS for taint in content.taints):
            self.do(Act.EXHAUST, node, "keeps what never ends")

    def process_file(self, node: Node) -> Text:
        """Return the name that `<(…)` stands for; its file holds what the commands print."""
        name = f"/dev/fd/{node.start_byte}"
        if self.source_of(node).startswith("<"):
            self.files[name] = self.run_children(node, EMPTY)
        else:
            self.files[name] = SOMETHING
            self.pending_outputs.append((name, node))
        return Text(name)

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
                self.line_fixed = fixed or self.line_base + node.start_point.row + offset
                root = syntax.parse(line)
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


def _same_name(one: str, other: str) -> bool:
    """Tell whether two paths, known in part, may well be the same file."""
    one, other = one.rpartition(UNKNOWN)[2], other.rpartition(UNKNOWN)[2]
    name = one.rpartition("/")[2]
    return len(name) > 1 and name == other.rpartition("/")[2]
