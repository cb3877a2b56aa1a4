"""The syntax tree of a script, copied out of tree-sitter: nothing of the library outlives a parse.

Its own nodes keep the whole tree and the text alive, may not be touched while another thread
reads, and copy the text of a node whenever that is asked for.
"""

from __future__ import annotations

from skilllite_sandbox.scan.record import OutOfBounds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Tree

NODES_MAX = 100_000  # of one script, half a kilobyte each; a page of commands has some hundred


class Node:
    """One node of the tree, with the names that the library has for what it knows."""

    __slots__ = (
        *("children", "data", "end_byte", "has_error", "is_named", "next_sibling", "parent"),
        *("role", "row", "start_byte", "type"),
    )

    def __init__(self, kind: str, data: bytes, start: int, end: int, row: int) -> None:
        self.type = kind
        self.data = data
        """The whole script."""
        self.start_byte = start
        self.end_byte = end
        self.row = row
        """Its line, from 0."""
        self.is_named = True
        """Whether it is more than a keyword or a sign."""
        self.has_error = False
        """Whether the grammar stumbled in it."""
        self.role: str | None = None
        """What it is to its parent."""
        self.parent: Node | None = None
        self.next_sibling: Node | None = None
        self.children: list[Node] = []

    @property
    def text(self) -> str:
        """What stands there."""
        return self.between(self.start_byte, self.end_byte)

    def between(self, start: int, end: int) -> str:
        """Return what stands in the script from one place to another."""
        return self.data[start:end].decode("utf-8", "replace")

    @property
    def named_children(self) -> list[Node]:
        """Those that are more than keywords and signs."""
        return [child for child in self.children if child.is_named]

    def child_by_field_name(self, role: str) -> Node | None:
        """Return the first child that is this to it."""
        return next((child for child in self.children if child.role == role), None)

    def children_by_field_name(self, role: str) -> list[Node]:
        """Return the children that are this to it."""
        return [child for child in self.children if child.role == role]


def copied(tree: Tree, data: bytes) -> Node:
    """Return the root of a tree in nodes of our own.

    Raises:
        OutOfBounds: it has more of them than are followed.
    """
    cursor = tree.walk()
    left = NODES_MAX
    parents: list[Node] = []
    while True:
        there = cursor.node
        assert there is not None
        node = Node(there.type, data, there.start_byte, there.end_byte, there.start_point.row)
        node.is_named = there.is_named
        node.has_error = there.has_error
        left -= 1
        if left < 0:
            raise OutOfBounds
        if parents:
            _append(parents[-1], node, cursor.field_name)
        if cursor.goto_first_child():
            parents.append(node)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return node
            node = parents.pop()


def _append(parent: Node, node: Node, role: str | None) -> None:
    node.parent = parent
    node.role = role
    if parent.children:
        parent.children[-1].next_sibling = node
    parent.children.append(node)
