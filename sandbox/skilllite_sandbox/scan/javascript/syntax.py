"""The syntax tree of a script, copied out of tree-sitter into small nodes for many visits."""

from __future__ import annotations

from functools import cache

from skilllite_sandbox.scan.bounded_parse import PARSE_S_MAX, parse_bounded
from skilllite_sandbox.scan.record import OutOfBounds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Language
    from tree_sitter import Node as TreeNode

ERRORS_SHARE_MAX = 0.2  # of the bytes; more, and the meaning of the script is not seen
NODES_MAX = 100_000  # of one script, half a kilobyte each; a page of code has some thousand
_SKIPPED = frozenset(
    (
        *("comment", "hash_bang_line", "type_annotation", "type_parameters", "type_arguments"),
        *("interface_declaration", "type_alias_declaration", "accessibility_modifier"),
        *("ambient_declaration", "override_modifier", "optional_chain", "html_comment"),
    )
)


class Node:
    """One node: its kind, its named children, those that have a role, and where it stands."""

    __slots__ = ("end", "field", "kids", "kind", "line", "start", "text")

    def __init__(self, kind: str, start: int, end: int, line: int) -> None:
        self.kind = kind
        self.kids: list[Node] = []
        self.field: dict[str, Node] = {}
        self.line = line
        self.start = start
        self.end = end
        self.text = ""
        """Of a leaf, and of an operator."""


@cache
def _language(grammar: str) -> Language:
    # Imported here: a run with a kept verdict reads no script.
    import tree_sitter

    if grammar == "javascript":
        import tree_sitter_javascript

        language = tree_sitter_javascript.language()
    else:
        import tree_sitter_typescript

        typescript = tree_sitter_typescript
        language = (
            typescript.language_tsx() if grammar == "tsx" else typescript.language_typescript()
        )
    return tree_sitter.Language(language)


def parse(source: str, grammar: str, *, seconds: float = PARSE_S_MAX) -> tuple[Node, bool]:
    """Return the root of a script's tree, and whether it can't be read.

    Raises:
        OutOfBounds: it takes longer, or has more nodes than are followed.
    """
    data = source.encode("utf-8", "replace")
    root = parse_bounded(_language(grammar), data, seconds=seconds).root_node
    broken = root.type == "ERROR"
    if root.has_error and not broken:
        broken = _error_bytes(root) > max(len(data), 1) * ERRORS_SHARE_MAX
    return _copied(root, data), broken


def _error_bytes(root: TreeNode) -> int:
    total = 0
    todo = [root]
    while todo:
        node = todo.pop()
        if node.type == "ERROR":
            total += node.end_byte - node.start_byte
        elif node.has_error:
            todo.extend(node.children)
    return total


def _copied(root: TreeNode, data: bytes) -> Node:
    cursor = root.walk()
    top = Node(root.type, root.start_byte, root.end_byte, 1)
    stack = [top]
    count = 0
    if not cursor.goto_first_child():
        return top
    while True:
        tree = cursor.node
        assert tree is not None
        role = cursor.field_name
        descended = False
        if (tree.is_named and tree.type not in _SKIPPED) or role is not None:
            count += 1
            node = Node(tree.type, tree.start_byte, tree.end_byte, tree.start_point.row + 1)
            parent = stack[-1]
            if tree.is_named:
                parent.kids.append(node)
            if role is not None and tree.type not in _SKIPPED:
                parent.field.setdefault(role, node)
            if count > NODES_MAX:
                raise OutOfBounds
            if cursor.goto_first_child():
                stack.append(node)
                descended = True
            else:
                node.text = data[node.start : node.end].decode("utf-8", "replace")
        if descended:
            continue
        while not cursor.goto_next_sibling():
            cursor.goto_parent()
            done = stack.pop()
            if not done.kids:
                done.text = data[done.start : done.end].decode("utf-8", "replace")
            if not stack:
                return top
