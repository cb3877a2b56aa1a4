"""A command of a script: which program it names, in whatever way, and what that does."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN, Place, place_of
from skilllite_sandbox.scan.secret_programs import prints_secrets
from skilllite_sandbox.scan.shell.environment import TELLING
from skilllite_sandbox.scan.shell.words import fields_of
from skilllite_sandbox.scan.source import Language
from skilllite_sandbox.scan.taint import EMPTY, VALUE_CHARS_MAX, Taint, Text, unknown_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.shell.commands.call import Call
    from skilllite_sandbox.scan.shell.machine import Shell
    from skilllite_sandbox.scan.shell.nodes import Node

WORDS_MAX = 4_096  # of one command; people write some ten
_BROKEN_UP = re.compile(
    r"[A-Za-z0-9](?:''|\"\"|\\(?=[A-Za-z]))[A-Za-z0-9]"
    r"|[A-Za-z0-9](?:'[A-Za-z0-9]+'|\"[A-Za-z0-9]+\")|^(?:'[A-Za-z]{1,3}'|\"[A-Za-z]{1,3}\")[A-Za-z]"
)


def run_command(shell: Shell, node: Node, stdin: Text) -> Text:
    """Follow a command with its redirections, and return what it prints."""
    name_node = node.child_by_field_name("name")
    redirects = [child for child in node.named_children if child.type.endswith("_redirect")]
    kept: dict[str, Text | None] = {}
    for child in node.named_children:
        if child.type == "variable_assignment":
            variable = shell.source_of(child).partition("=")[0].rstrip("+")
            kept[variable] = shell.variables.get(variable)
            shell.assign(child)
    if redirects:
        stdin = shell.redirected_input(redirects, stdin)
    fields = fields_of(shell, name_node.children[0]) if name_node and name_node.children else []
    if name_node is not None and fields and not shell.guesses:
        _note_hidden_name(shell, name_node, fields[0])
    for child in node.children_by_field_name("argument"):
        fields += fields_of(shell, child)
    fields = _bounded(fields)
    out = invoke(shell, node, fields, stdin) if fields else EMPTY
    for variable, value in kept.items() if fields else ():
        if value is None:
            shell.variables.pop(variable, None)
        else:
            shell.variables[variable] = value
    if redirects:
        out = shell.redirected_output(redirects, out, node)
    while shell.pending_outputs:
        _, child = shell.pending_outputs.pop()
        shell.run_children(child, unknown_from(out, stdin))
    return out


def _bounded(fields: list[Text]) -> list[Text]:
    """Return the words of a command; of one that is too long the long words aren't known."""
    if len(fields) <= WORDS_MAX and sum(len(each.text) for each in fields) <= VALUE_CHARS_MAX:
        return fields
    most = VALUE_CHARS_MAX // WORDS_MAX
    kept = [each if len(each.text) <= most else unknown_from(each) for each in fields[:WORDS_MAX]]
    rest = fields[WORDS_MAX:]
    return [*kept, unknown_from(*rest)] if rest else kept


def _note_hidden_name(shell: Shell, node: Node, name: Text) -> None:
    """Write down a program whose name is written so that searching for it finds nothing."""
    raw = shell.source_of(node)
    plain = name.text.rpartition("/")[2]
    how = ""
    if _BROKEN_UP.search(raw) and re.fullmatch(r"[\w.+-]+", plain) and "$" not in raw:
        how = "a broken up name"
    elif raw.startswith("/") and re.search(r"\?|\[[^]]+\]", raw) and "$" not in raw:
        how = "a name with wildcards"
    elif plain in TELLING and raw.count("$") >= 2 and "/" not in raw:
        how = "a name put together from pieces"
    elif plain in TELLING and re.search(r"[a-z]\$[@*]|\$[@*][a-z]|[a-z]\$\{?\w+\}?[a-z]", raw):
        how = "a name with empty pieces"
    elif plain in TELLING and re.search(r"\$\{!?\w+:\s*-?\d|\$\(\s*(?:echo|printf)\b", raw):
        how = "a name cut out of other text"
    if how:
        taint = shell.taint(Datum.DECODED, node, f"{how}: {raw}")
        shell.flow(Text(plain, frozenset((taint,))), Sink.RUN_PROGRAM, node, plain)


def invoke(shell: Shell, node: Node, fields: list[Text], stdin: Text) -> Text:
    """Follow a command that is given as words."""
    from skilllite_sandbox.scan.shell.commands import HANDLERS, Call

    shell.budget.spend()
    name, args = fields[0], fields[1:]
    while not name.text and args:
        name, args = args[0], args[1:]
    if name.taints:
        shell.flow(name, Sink.RUN_PROGRAM, node, name.text)
    text = _resolved(name.text)
    base = text.rpartition(UNKNOWN)[2].rpartition("/")[2]
    if not base and "/" in text and text in shell.files:
        return run_file(shell, node, name, shell.files[text], args, stdin)
    if not base:
        shell.do(Act.RUN_PROGRAM, node, "a computed program")
        _note_started(shell, node, args)
        return unknown_from(name, stdin, *args)
    if text in shell.functions and base == text:
        return shell.call_function(text, args, node, stdin)
    if text in shell.aliases and shell.texts < 3:
        return shell.run_text(
            Text(shell.aliases[text] + " " + " ".join(a.text for a in args)), node
        )
    if "/" in text and (content := _written(shell, text)) is not None:
        return run_file(shell, node, Text(text, name.taints), content, args, stdin)
    fetched = shell.content_of(Text(text)) if "/" in text else None
    if fetched is not None and fetched.has(Datum.FETCHED):
        return run_file(shell, node, Text(text, name.taints), fetched, args, stdin)
    if base == shell.file.rpartition("/")[2] and "/" in text:
        return _run_itself(shell, node, args, stdin)
    if "/" in text and (own := shell.find_own(text)) is not None:
        shell.do(Act.RUN_PROGRAM, node, own.path)
        if own.language is Language.SHELL:
            return shell.run_own(own, stdin, args=args)
    base = base if base in HANDLERS else re.sub(r"[\d.]+$", "", base)
    handler = HANDLERS.get(base)
    if handler is not None and (UNKNOWN not in text or "/" in text):
        call = Call(shell, node, base, args, stdin)
        return _with_secrets(call, handler(call))
    shell.do(Act.RUN_PROGRAM, node, text)
    _note_started(shell, node, args)
    secrets = [shell.read(arg, node) for arg in args if _is_secret(shell, arg)]
    return unknown_from(stdin, *args, *secrets)


def _with_secrets(call: Call, printed: Text) -> Text:
    """Return what a program prints: a log-in of the user, when it is asked for that."""
    if call.name not in _HAVE_LOGINS or not (asked := prints_secrets(call.line)):
        return printed
    return unknown_from(printed, call.made(Datum.SECRET, asked))


_HAVE_LOGINS = ("git", "gh", "hub", "gcloud", "az", "aws", "kubectl", "docker")


def _is_secret(shell: Shell, arg: Text) -> bool:
    return arg.text[:1] in ("~", "/") and place_of(arg.text) in (Place.SECRET, Place.ENVIRONMENT)


def _note_started(shell: Shell, node: Node, args: list[Text]) -> None:
    """Follow what some programs are told to run in turn: `--exec=…`, `ProxyCommand=…`."""
    for arg in args:
        match = re.search(r"(?:exec|[Cc]ommand|pager|editor)=(.+)", arg.text, re.DOTALL)
        if match and arg.known and re.search(r"\s|/", match[1]):
            shell.run_text(Text(match[1], arg.taints), node)


def _resolved(text: str) -> str:
    """Return the program that a name with wildcards stands for."""
    if not text.startswith("/") or not re.search(r"[?*\[]", text):
        return text
    from skilllite_sandbox.scan.shell.commands import HANDLERS

    names = [*sorted(TELLING), "cat", *HANDLERS]
    for name in names:
        if any(fnmatchcase(folder + name, text) for folder in ("/bin/", "/usr/bin/")):
            return name
    return text


def _written(shell: Shell, path: str) -> Text | None:
    """Return the content of a file that the script itself wrote."""
    if path in shell.files:
        return shell.files[path]
    tail = path.removeprefix("./")
    for name, content in shell.files.items():
        if name.removeprefix("./") == tail or (UNKNOWN in path and _same_end(name, path)):
            return content
    return None


def _same_end(one: str, other: str) -> bool:
    tails = [each.rpartition(UNKNOWN)[2] for each in (one, other)]
    return len(tails[0]) > 2 and tails[0] == tails[1]


def run_file(
    shell: Shell,
    node: Node,
    path: Text,
    content: Text,
    args: list[Text],
    stdin: Text,
    *,
    sink: Sink = Sink.RUN_PROGRAM,
) -> Text:
    """Follow a file that is run; one of the skill's own is looked at by itself."""
    shell.flow(content, sink, node, path.text)
    if content.has(Datum.OWN_FILE):
        return unknown_from(stdin, *args)
    if content.known and content.text:
        arguments, shell.own_arguments = shell.own_arguments, args
        try:
            return shell.run_text(content, node, stdin)
        finally:
            shell.own_arguments = arguments
    shell.do(Act.RUN_PROGRAM, node, path.text)
    return unknown_from(stdin, content, *args)


def _run_itself(shell: Shell, node: Node, args: list[Text], stdin: Text) -> Text:
    """Follow a script that starts itself: once is a restart, twice at a time are a bomb."""
    parent = node.parent
    siblings = parent.named_children if parent is not None else []
    twice = (
        sum(shell.source_of(each).startswith(shell.source_of(node)[:4]) for each in siblings) > 1
    )
    forked = node.next_sibling is not None and node.next_sibling.type == "&"
    if not shell.guards and (twice or forked):
        shell.do(Act.EXHAUST, node, "starts itself over and over")
    shell.do(Act.RUN_PROGRAM, node, "itself")
    return unknown_from(stdin, *args)


def decisive(code: Text) -> Text:
    """Return a command line with those of its origins that decide what is run.

    What came over the network and is put into a command that is otherwise written there is an
    argument; where it is a command itself, that is seen when the line is followed.
    """
    if code.known or not code.text.strip(UNKNOWN + " \n\t\"'"):
        return code
    return Text(
        code.text, frozenset(taint for taint in code.taints if taint.datum is not Datum.FETCHED)
    )


def run_code(
    shell: Shell, node: Node, code: Text, stdin: Text, sink: Sink = Sink.RUN_SHELL
) -> Text:
    """Follow a text that a shell gets as code, and write down where it came from."""
    shell.flow(decisive(code), sink, node, "a shell" if sink is Sink.RUN_SHELL else "eval")
    if code.known or code.text.strip(UNKNOWN + " \n"):
        own = any(taint.datum is Datum.OWN_FILE for taint in code.taints)
        if own and UNKNOWN in code.text:
            shell.record.hide(shell.file, shell.line_of(node), "runs text made of its own files")
        return shell.run_text(code, node, stdin)
    if code.has(Datum.OWN_FILE):
        shell.record.hide(shell.file, shell.line_of(node), "runs text made of its own files")
    shell.do(Act.RUN_CODE, node, "a computed command")
    return unknown_from(code, stdin)


def origin(shell: Shell, node: Node, datum: Datum, detail: str) -> frozenset[Taint]:
    """Return one origin as a set."""
    return frozenset((shell.taint(datum, node, detail),))
