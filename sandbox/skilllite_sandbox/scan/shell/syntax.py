"""The syntax tree of a script, from tree-sitter: a parser that goes on after what it can't read."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from skilllite_sandbox.scan.bounded_parse import PARSE_S_MAX, parse_bounded
from skilllite_sandbox.scan.shell.nodes import Node, copied
from skilllite_sandbox.scan.shell.words import expand_leading_braces, without_dollars_in_slices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Language

_ONE_LINE = ("command", "redirected_statement", "file_redirect")
REPAIRS_MAX = 3  # parses of one script whose lines the grammar ran together
ERRORS_SHARE_MAX = 0.2  # of the bytes; the grammar stumbles over single operators of sound scripts


@cache
def _language() -> Language:
    # Imported here: a run with a kept verdict reads no script.
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Language(tree_sitter_bash.language())


def parse(source: str, *, seconds: float = PARSE_S_MAX) -> Node:
    """Return the root of a script's tree.

    Raises:
        OutOfBounds: it takes longer, or has more nodes than are followed.
    """
    if "{" in source:
        source = expand_leading_braces(without_dollars_in_slices(source))
    for _ in range(REPAIRS_MAX):
        data = source.encode("utf-8", "replace")
        root = copied(parse_bounded(_language(), data, seconds=seconds), data)
        swallowed = _swallowed_ends(root)
        if not swallowed:
            break
        for place in sorted(swallowed, reverse=True):
            data = data[:place] + b";" + data[place:]
        source = data.decode("utf-8", "replace")
    return root


def _swallowed_ends(root: Node) -> set[int]:
    """Return the ends of lines that the grammar took for a space between words.

    After a pipe of three stages it does so when the next line has quotes and an `||`.
    """
    found: set[int] = set()
    todo = [root]
    while todo:
        node = todo.pop()
        todo.extend(node.children)
        if node.type not in _ONE_LINE or any("heredoc" in each.type for each in node.children):
            continue
        for one, other in pairwise(node.children):
            gap = node.data[one.end_byte : other.start_byte]
            place = gap.find(b"\n")
            if place >= 0 and gap[:place].rstrip(b" \t\r")[-1:] != b"\\":
                found.add(one.end_byte + place)
    return found


def covered_by_errors(root: Node) -> bool:
    """Tell whether so much of a script can't be parsed that its meaning is not seen."""
    size = max(root.end_byte - root.start_byte, 1)
    return sum(lost_bytes(each) for each in errors_in(root)) > size * ERRORS_SHARE_MAX


def errors_in(root: Node) -> list[Node]:
    """Return the places that the grammar stumbled over."""
    found: list[Node] = []
    todo = [root]
    while todo:
        node = todo.pop()
        if node.type == "ERROR":
            found.append(node)
        if node.has_error:
            todo.extend(node.children)
    return found


def lost_bytes(error: Node) -> int:
    """Return how much of such a place is in no statement that was recognised all the same."""
    kept = sum(child.end_byte - child.start_byte for child in error.children if child.children)
    return max(error.end_byte - error.start_byte - kept, 0)
