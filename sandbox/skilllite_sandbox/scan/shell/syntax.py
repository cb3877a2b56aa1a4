"""The syntax tree of a script, from tree-sitter: a parser that goes on after what it can't read."""

from __future__ import annotations

from functools import cache

from skilllite_sandbox.scan.shell.words import expand_leading_braces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Node, Parser

ERRORS_SHARE_MAX = 0.2  # of the bytes; the grammar stumbles over single operators of sound scripts


@cache
def _parser() -> Parser:
    # Imported here: a run with a kept verdict reads no script.
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def parse(source: str) -> Node:
    """Return the root of a script's tree."""
    if "{" in source:
        source = expand_leading_braces(source)
    return _parser().parse(source.encode("utf-8", "replace")).root_node


def covered_by_errors(root: Node) -> bool:
    """Tell whether so much of a script can't be parsed that its meaning is not seen."""
    if root.type == "ERROR":
        return True
    size = max(root.end_byte - root.start_byte, 1)
    return sum(_error_bytes(child) for child in root.children) > size * ERRORS_SHARE_MAX


def _error_bytes(node: Node) -> int:
    total = 0
    todo = [node]
    while todo:
        each = todo.pop()
        if each.type == "ERROR":
            total += each.end_byte - each.start_byte
        elif each.has_error:
            todo.extend(each.children)
    return total
