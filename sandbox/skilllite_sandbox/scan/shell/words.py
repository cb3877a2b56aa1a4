"""What the words of a command stand for: quotes, expansions, slices, braces, splitting."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.foreign_patterns import is_cheap, substituted
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.shell.escapes import unescape
from skilllite_sandbox.scan.taint import EMPTY, SOMETHING, Text, joined, unknown_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.shell.machine import Shell
    from skilllite_sandbox.scan.shell.nodes import Node

FIELDS_MAX = 256  # of one word after braces and splitting; command lines have some ten
_EXPANSION = re.compile(
    r"\$\{(?P<mark>[#!]?)(?P<name>[A-Za-z_]\w*|[0-9]+|[@*#?$!-])(?:\[(?P<index>[^\]]*)\])?"
    r"(?P<rest>.*)\}",
    re.DOTALL,
)
_SLICE = re.compile(r":\s*\(?(-?\d+)\)?(?::\s*(-?\d+))?$")
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_SPLITTING = ("simple_expansion", "expansion", "command_substitution")


def fields_of(shell: Shell, node: Node) -> list[Text]:
    """Return the fields that a word becomes: none, one or several."""
    kind = node.type
    if kind in ("word", "number", "raw_string", "ansi_c_string", "string"):
        raw = shell.source_of(node)
        if kind == "word" and "{" in raw and _BRACES.search(raw):
            return [Text(_plain(each)) for each in _expand_braces(raw)]
        if kind == "string" and (spread := _spread(shell, node)) is not None:
            return spread
        return [text_of(shell, node)]
    if kind == "concatenation":
        raw = shell.source_of(node)
        if "{" in raw and "$" not in raw and _BRACES.search(raw):
            return [Text(_plain(each)) for each in _expand_braces(raw)]
        pieces = [(text_of(shell, child), child.type in _SPLITTING) for child in node.children]
        if any(splits and not text.text for text, splits in pieces):
            pieces = _with_unset(pieces)
        return _split(shell, pieces)
    if kind in _SPLITTING:
        if (spread := _spread(shell, node)) is not None:
            return spread
        return _split(shell, [(text_of(shell, node), True)])
    return [text_of(shell, node)]


def _with_unset(pieces: list[tuple[Text, bool]]) -> list[tuple[Text, bool]]:
    """Return the pieces with an unknown one where `$unset/` would become the whole file system."""
    whole = "".join(text.text for text, _ in pieces)
    if whole.strip("*") != "/":
        return pieces
    return [(SOMETHING if splits and not text.text else text, splits) for text, splits in pieces]


def text_of(shell: Shell, node: Node) -> Text:
    """Return what a word stands for, as one text."""
    kind = node.type
    if kind in ("word", "test_operator", "extglob_pattern", "regex"):
        return Text(_plain(shell.source_of(node)))
    if kind == "raw_string":
        return _with_part(shell, shell.source_of(node)[1:-1], node)
    if kind == "ansi_c_string":
        return unescape(shell, Text(shell.source_of(node)[2:-1]), node, how="escapes")
    if kind in ("string", "translated_string"):
        return _between(shell, node)
    if kind in ("concatenation", "heredoc_body", "command_name", "herestring_redirect"):
        if kind == "heredoc_body" or len(node.children) != 1:
            if kind == "heredoc_body":
                return _between(shell, node, trim=False)
            return joined([text_of(shell, child) for child in node.children])
        return text_of(shell, node.children[0])
    if kind == "simple_expansion":
        return shell.variable(shell.source_of(node)[1:], node)
    if kind == "expansion":
        return _expansion(shell, node)
    if kind == "command_substitution":
        return _substitution(shell, node)
    if kind == "process_substitution":
        return shell.process_file(node)
    if kind == "arithmetic_expansion":
        return _arithmetic(shell, node)
    if kind == "array":
        return joined([text_of(shell, child) for child in node.named_children], " ")
    if not node.named_children:
        return Text(shell.source_of(node))
    return joined([text_of(shell, child) for child in node.named_children])


def _between(shell: Shell, node: Node, *, trim: bool = True) -> Text:
    """Return a quoted text: its expansions, and what stands between them in the source."""
    start, end = node.start_byte + trim, node.end_byte - trim
    parts: list[Text] = []
    at = start
    for child in node.named_children:
        if child.type in ("string_content", "heredoc_content"):
            continue
        if child.start_byte > at:
            parts.append(Text(_in_quotes(_slice(node, at, child.start_byte))))
        parts.append(text_of(shell, child))
        at = child.end_byte
    if end > at:
        parts.append(Text(_in_quotes(_slice(node, at, end))))
    return joined(parts) if parts else EMPTY


PART = "${__part}"
"""Stands in a text that is code for each piece of it that isn't known, in quotes too."""


def _with_part(shell: Shell, raw: str, node: Node) -> Text:
    if PART not in raw:
        return Text(raw)
    return Text(raw.replace(PART, UNKNOWN), shell.variable("__part", node).taints)


def _slice(node: Node, start: int, end: int) -> str:
    return node.between(start, end)


def _in_quotes(text: str) -> str:
    return re.sub(r"\\([\\$`\"\n])", lambda m: "" if m[1] == "\n" else m[1], text)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: "" if m[1] == "\n" else m[1], text, flags=re.DOTALL)


def _expand_braces(raw: str) -> list[str]:
    done: list[str] = []
    todo = [raw]
    while todo and len(done) + len(todo) <= FIELDS_MAX:
        each = todo.pop(0)
        if (match := _BRACES.search(each)) is None:
            done.append(each)
        else:
            head, tail = each[: match.start()], each[match.end() :]
            todo = [head + middle + tail for middle in match[1].split(",")] + todo
    return [re.sub(r"['\"]", "", each) for each in (*done, *todo)]


_DOLLAR_IN_SLICE = re.compile(r"(\$\{\w+:(?:\w+:)?)\$\{?(\w+)\}?(?=[:}])")


def without_dollars_in_slices(source: str) -> str:
    """Return a script with `${x:$i:1}` as `${x:i:1}`: the same, and the grammar can read it."""
    for _ in range(2):
        source = _DOLLAR_IN_SLICE.sub(r"\1\2", source)
    return source


def expand_leading_braces(source: str) -> str:
    """Return a script with `{curl,-s,x}` where a command starts written out.

    The grammar takes it for a block.
    """
    return re.sub(
        r"(^|[;&|(\n]\s*|\s(?:then|do|else)\s+)\{([^\s{}();|&]+(?:,[^\s{}();|&]*)+)\}",
        lambda m: m[1] + m[2].replace(",", " "),
        source,
    )


def _split(shell: Shell, pieces: list[tuple[Text, bool]]) -> list[Text]:
    fields: list[list[Text]] = [[]]
    marks = shell.variables.get("IFS", EMPTY).text
    between = re.compile(f"[{re.escape(marks)}]+" if marks.strip() else r"\s+")
    for text, splits in pieces:
        if not splits or not between.search(text.text):
            fields[-1].append(text)
            continue
        for position, part in enumerate(between.split(text.text)):
            if position:
                fields.append([])
            if part:
                fields[-1].append(Text(part, text.taints))
    return [joined(parts) for parts in fields[:FIELDS_MAX] if parts]


def _spread(shell: Shell, node: Node) -> list[Text] | None:
    """Return the elements of `"$@"` and `"${a[@]}"`; None for any other word."""
    inner = (
        node.named_children[0] if node.type == "string" and len(node.named_children) == 1 else node
    )
    raw = shell.source_of(inner)
    if node.type == "string" and inner is not node and shell.source_of(node) != f'"{raw}"':
        return None
    if raw in ("$@", "$*", "${@}", "${*}"):
        return list(shell.arguments) or [shell.variable("@", node)]
    every = "@" if node.type == "string" else "@*"
    match = re.fullmatch(rf"\$\{{([A-Za-z_]\w*)\[[{every}]\]\}}", raw)
    if match is None or match[1] not in shell.arrays:
        return None
    return list(shell.arrays[match[1]])


def _expansion(shell: Shell, node: Node) -> Text:
    match = _EXPANSION.fullmatch(shell.source_of(node))
    inner = [child for child in node.named_children if child.type not in ("variable_name",)]
    if match is None:
        names = [child for child in node.named_children if child.type == "variable_name"]
        values = [shell.variable(shell.source_of(child), child) for child in names]
        return unknown_from(*values, *(text_of(shell, child) for child in inner))
    name, index, rest = match["name"], match["index"], match["rest"]
    if match["mark"] == "!":
        target = shell.variable(name, node)
        return shell.variable(target.text, node) if target.known else unknown_from(target)
    if match["mark"] == "#":
        value = shell.variable(name, node)
        return Text(str(len(value.text))) if value.known else SOMETHING
    if rest[:2] in (":-", ":=", "-", "=") or rest[:1] in ("-", "="):
        given = shell.set_variable(name)
        if given is not None and given.text:
            return given
        default = _default(shell, node, rest)
        outside = shell.variable(name, node)
        if rest.lstrip(":")[:1] == "=":
            shell.variables[name] = default
        return Text(default.text, default.taints | outside.taints)
    if rest[:2] == ":+" or rest[:1] == "+":
        return _default(shell, node, rest)
    value = shell.element(name, index, node) if index is not None else shell.variable(name, node)
    return _changed(shell, value, rest) if rest else value


def _default(shell: Shell, node: Node, rest: str) -> Text:
    seen = False
    parts = []
    for child in node.children:
        if seen and child.type != "}":
            parts.append(text_of(shell, child))
        seen = seen or child.type in (":-", ":=", "-", "=", ":+", "+")
    return joined(parts) if parts else Text(_plain(rest.lstrip(":")[1:]))


def _changed(shell: Shell, value: Text, rest: str) -> Text:
    """Return `${x…}` after what follows the name."""
    if not value.known:
        return value if rest[:1] in "%#/:@^,?" else unknown_from(value)
    text = value.text
    if (match := _SLICE.match(rest)) is not None:
        start = int(match[1])
        start = max(len(text) + start, 0) if start < 0 else start
        if match[2] is None:
            return Text(text[start:], value.taints)
        count = int(match[2])
        end = start + count if count >= 0 else len(text) + count
        return Text(text[start:end], value.taints)
    if rest[:1] == ":" and rest[1:2] != "?":
        return _computed_slice(shell, value, rest)
    if rest[:1] == "/":
        return Text(_replaced(text, rest), value.taints)
    if rest[:1] in "^,":
        change = str.upper if rest[0] == "^" else str.lower
        whole = rest[:2] in ("^^", ",,")
        return Text(change(text) if whole else change(text[:1]) + text[1:], value.taints)
    if rest[:1] in "#%":
        return Text(_trimmed(text, rest), value.taints)
    return value


def _computed_slice(shell: Shell, value: Text, rest: str) -> Text:
    numbers = []
    for part in rest[1:].split(":"):
        part = re.sub(
            r"\$?\{?([A-Za-z_]\w*)\}?", lambda m: (shell.set_variable(m[1]) or SOMETHING).text, part
        )
        if (number := calculated(part)) is None:
            return unknown_from(value)
        numbers.append(number)
    return _changed(shell, value, "".join(f":{number}" for number in numbers))


def _replaced(text: str, rest: str) -> str:
    every = rest[:2] == "//"
    pattern, _, new = rest[2 if every else 1 :].partition("/")
    pattern, new = _unquote(pattern), _unquote(new)
    if not pattern or "$" in pattern or "$" in new:
        return UNKNOWN
    made = substituted(re.compile(_glob(pattern)), lambda _: new, text, 0 if every else 1)
    return UNKNOWN if made is None else made


def _trimmed(text: str, rest: str) -> str:
    longest = rest[:2] in ("##", "%%")
    pattern = _unquote(rest[2:] if longest else rest[1:])
    if "$" in pattern:
        return UNKNOWN
    if not is_cheap(_glob(pattern) + "x", len(text), times=len(text)):
        return UNKNOWN
    expression = re.compile(_glob(pattern) + r"\Z", re.DOTALL)
    head = rest[0] == "#"
    cuts = range(len(text) + 1)
    for cut in cuts if head != longest else reversed(cuts):
        piece = text[:cut] if head else text[cut:]
        if expression.match(piece):
            return text[cut:] if head else text[:cut]
    return text


def _unquote(text: str) -> str:
    return _plain(text).replace("'", "").replace('"', "")


def _glob(pattern: str) -> str:
    parts = {"*": ".*", "?": "."}
    return "".join(parts.get(char, re.escape(char)) for char in pattern)


def _substitution(shell: Shell, node: Node) -> Text:
    raw = shell.source_of(node)
    if raw.startswith("`") and "\\`" in raw:
        return shell.run_text(Text(raw[1:-1].replace("\\`", "`")), node)
    redirects = [child for child in node.named_children if child.type == "file_redirect"]
    if redirects and len(node.named_children) == len(redirects):  # $(< file)
        destination = redirects[0].child_by_field_name("destination")
        return shell.read(text_of(shell, destination), node) if destination else SOMETHING
    variables, shell.variables = shell.variables, dict(shell.variables)
    try:
        out = shell.run_children(node, EMPTY)
    finally:
        shell.variables = variables
    shell.note_endless(out, node)
    return Text(out.text.rstrip("\n"), out.taints)


def _arithmetic(shell: Shell, node: Node) -> Text:
    raw = shell.source_of(node)[3:-2] if shell.source_of(node).startswith("$((") else UNKNOWN
    taints = [shell.set_variable(name) for name in re.findall(r"[A-Za-z_]\w*", raw)]
    raw = re.sub(
        r"\$?\{?([A-Za-z_]\w*)\}?", lambda m: (shell.set_variable(m[1]) or SOMETHING).text, raw
    )
    number = calculated(raw)
    known = unknown_from(*(taint for taint in taints if taint is not None))
    return Text(UNKNOWN if number is None else str(number), known.taints)


def calculated(text: str) -> int | None:
    """Return the value of a sum of small whole numbers; None for anything else."""
    if not re.fullmatch(r"[\d\s+*%()-]{1,40}", text) or "**" in text:
        return None
    try:
        terms = re.findall(r"\d+|[-+*%()]", text)
        return _sum(terms) if terms else None
    except (IndexError, ValueError, ZeroDivisionError):
        return None


def _sum(terms: list[str]) -> int:
    value = _product(terms)
    while terms and terms[0] in "+-":
        value = value + _product(terms) if terms.pop(0) == "+" else value - _product(terms)
    return value


def _product(terms: list[str]) -> int:
    value = _atom(terms)
    while terms and terms[0] in "*%":
        value = value * _atom(terms) if terms.pop(0) == "*" else value % _atom(terms)
    return value


def _atom(terms: list[str]) -> int:
    term = terms.pop(0)
    if term == "-":
        return -_atom(terms)
    if term == "(":
        value = _sum(terms)
        terms.pop(0)
        return value
    return int(term)
