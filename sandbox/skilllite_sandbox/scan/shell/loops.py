"""Loops and recursion: what is repeated, and whether it uses the machine up."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act
from skilllite_sandbox.scan.shell.words import calculated, fields_of
from skilllite_sandbox.scan.taint import SOMETHING, Text, joined, unknown_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.shell.machine import Shell
    from skilllite_sandbox.scan.shell.nodes import Node

CONDITION_CHARS_MAX = 200  # of one that compares two things
ROUNDS_MAX = 64  # of a loop over constants, where a text may be put together piece by piece
ROUNDS_COUNTED_MAX = 512  # of a loop that counts: a payload turned round letter by letter
_PAUSES = frozenset(
    ("sleep", "wait", "break", "return", "exit", "read", "inotifywait", "timeout", "usleep")
)
_LEAVERS = frozenset(("mktemp", "fallocate", "dd", "cp", "mkdir", "touch"))
_ENDLESS = re.compile(
    r"\s*(?:while\s+(?:true|:|\[\[?\s+1\s+\]\]?|/bin/true)|until\s+false)\b|while\s+:"
)
_ENDLESS_FOR = re.compile(r"\s*for\s*\(\(\s*;\s*;\s*\)\)|\s*for\s*\(\(\s*;\s*;")


def follow_loop(shell: Shell, node: Node, stdin: Text) -> Text:
    """Follow a loop: its body once, or once for each constant that it goes over."""
    body = node.child_by_field_name("body")
    source = shell.source_of(node)
    endless = bool(_ENDLESS.match(source) or _ENDLESS_FOR.match(source))
    if body is None:
        return SOMETHING
    if endless and _grows(shell, body):
        shell.do(Act.EXHAUST, node, "a loop without an end that starts or stores more each time")
    outputs: list[Text] = []
    if node.type == "for_statement":
        return _for(shell, node, body, stdin)
    for child in node.named_children:
        if child.type in ("variable_assignment",):
            shell.run(child, stdin)
    if node.type == "c_style_for_statement" and not endless:
        return _counted(shell, node, body, stdin)
    condition = node.child_by_field_name("condition")
    guarded = not endless
    shell.guards += guarded
    try:
        if condition is not None and node.type == "while_statement":
            for child in node.children_by_field_name("condition"):
                if child.is_named:
                    shell.run(child, stdin)
        outputs.append(shell.run_children(body, stdin))
    finally:
        shell.guards -= guarded
    return joined(outputs)


def _counted(shell: Shell, node: Node, body: Node, stdin: Text) -> Text:
    """Follow `for ((i = 0; i < n; i++))`: each round where the bounds are known, else one."""
    condition = node.child_by_field_name("condition")
    update = node.child_by_field_name("update")
    outputs: list[Text] = []
    shell.guards += 1
    try:
        for _ in range(ROUNDS_COUNTED_MAX):
            holds = None if condition is None else _holds(shell, shell.source_of(condition))
            if holds is False:
                break
            outputs.append(shell.run_children(body, stdin))
            if holds is None or update is None or not _step(shell, shell.source_of(update)):
                break
    finally:
        shell.guards -= 1
    return joined(outputs) if outputs else SOMETHING


_COMPARED = re.compile(r"\s*(.+?)\s*(<=|>=|<|>|!=)\s*(.+?)\s*")


def _value(shell: Shell, text: str) -> int | None:
    """Return what a sum of numbers, variables and lengths is."""

    def put(match: re.Match[str]) -> str:
        known = shell.set_variable(match[2])
        if known is None or not known.known:
            return "?"
        return str(len(known.text)) if match[1] else known.text

    return calculated(re.sub(r"\$?\{?(#?)([A-Za-z_]\w*)\}?", put, text))


def _holds(shell: Shell, text: str) -> bool | None:
    match = _COMPARED.fullmatch(text) if len(text) <= CONDITION_CHARS_MAX else None
    if match is None:
        return None
    one, other = _value(shell, match[1]), _value(shell, match[3])
    if one is None or other is None:
        return None
    signs = {"<": one < other, ">": one > other, "<=": one <= other, ">=": one >= other}
    return signs.get(match[2], one != other)


def _step(shell: Shell, text: str) -> bool:
    """Change the counter of a loop, and tell whether that could be followed."""
    match = re.fullmatch(r"\s*(?:(\+\+|--)\s*(\w+)|(\w+)\s*(\+\+|--|[+-]=\s*(.+)))\s*", text)
    if match is None:
        return False
    name, sign = match[2] or match[3], match[1] or match[4]
    before = _value(shell, name)
    by = _value(shell, match[5]) if match[5] else 1
    if before is None or by is None:
        return False
    shell.variables[name] = Text(str(before - by if sign[0] == "-" else before + by))
    return True


def _for(shell: Shell, node: Node, body: Node, stdin: Text) -> Text:
    variable = node.child_by_field_name("variable")
    name = shell.source_of(variable) if variable is not None else "_"
    values = [v for each in node.children_by_field_name("value") for v in fields_of(shell, each)]
    if not values:
        values = [shell.variable("@", node)]
    if len(values) > ROUNDS_MAX or not all(value.known for value in values):
        merged = unknown_from(*values)
        known = [value for value in values if value.known][:8]
        values = [*known, merged]
    outputs = []
    for value in values:
        shell.variables[name] = value
        outputs.append(shell.run_children(body, stdin))
    return joined(outputs)


def _grows(shell: Shell, body: Node) -> bool:
    """Tell whether each round of an endless loop leaves more behind, with nothing to slow it."""
    commands = [child for child in body.named_children if child.type != "comment"]
    if all(_text(child).strip() in (":", "true") for child in commands):
        return True
    grows = False
    todo = [body]
    while todo:
        node = todo.pop()
        forked = any(child.type == "&" for child in node.children)
        if node.type == "command" and not _is_forked(node):
            name = node.child_by_field_name("name")
            if name is not None and shell.source_of(name) in _PAUSES:
                return False
            grows = grows or (name is not None and shell.source_of(name) in _LEAVERS)
        if node.type == "variable_assignment":
            forked = forked or _doubles(shell, node)
        if node.type == "file_redirect":
            forked = forked or any(child.type == ">>" for child in node.children)
        grows = grows or forked
        todo.extend(node.named_children)
    return grows


def _is_forked(node: Node) -> bool:
    return node.next_sibling is not None and node.next_sibling.type == "&"


def _doubles(shell: Shell, node: Node) -> bool:
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None or value is None:
        return False
    own = re.findall(rf"\$\{{?{re.escape(shell.source_of(name))}\b", _text(value))
    more = any(child.type == "+=" for child in node.children)
    return more or len(own) >= 2 or (len(own) == 1 and "$(" not in _text(value))


def _text(node: Node) -> str:
    return node.text


def note_recursion(shell: Shell, name: str, node: Node) -> None:
    """Write down a function that starts itself in new processes without anything to stop it."""
    position = next(i for i, frame in enumerate(shell.frames) if frame.name == name)
    forks = any(frame.forks for frame in shell.frames[position:])
    if forks and not shell.guards and not any(f.returns for f in shell.frames[position:]):
        shell.do(Act.EXHAUST, node, f"{name} starts itself over and over")


def is_fork_bomb(shell: Shell, name: str, body: Node) -> bool:
    """Tell from its text alone whether a function is one; most are never seen to be called."""
    starts = forks = 0
    todo: list[tuple[Node, bool]] = [(body, False)]
    while todo:
        node, forked = todo.pop()
        if node.type in ("if_statement", "case_statement", "list", "test_command"):
            continue
        if node.type == "command":
            command = node.child_by_field_name("name")
            if command is not None and shell.source_of(command) in (
                name,
                "$FUNCNAME",
                "${FUNCNAME}",
            ):
                starts += 1
                forks += forked
        children = node.children
        for position, child in enumerate(children):
            background = position + 1 < len(children) and children[position + 1].type == "&"
            todo.append((child, forked or background or node.type == "pipeline"))
    text = shell.source_of(body)
    return (
        starts + forks >= 2 and forks > 0 and not re.search(r"\b(?:return|exit|sleep|wait)\b", text)
    )
