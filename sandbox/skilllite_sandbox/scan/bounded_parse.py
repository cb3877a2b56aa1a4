"""Parses with tree-sitter within a bound of time, which the library itself no longer has.

Text that was made for it, a thousand open brackets of two kinds, takes the parser's recovery from
errors quadratic time. It reads in pieces here; when the time is up there are no more of them.
"""

from __future__ import annotations

import time

from skilllite_sandbox.scan.record import OutOfBounds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Language, Tree

PIECE_BYTES = 4096  # between two looks at the clock: of hostile text about a tenth of a second
SMALL_BYTES = 16 * 1024  # read at once: hostile text of this size takes half a second at most
PARSE_S_MAX = 0.3  # of processor time for one text; a script of 100 KB takes 0.05


def parse_bounded(language: Language, data: bytes, *, seconds: float = PARSE_S_MAX) -> Tree:
    """Return the tree of a text.

    Raises:
        OutOfBounds: it takes longer.
    """
    import tree_sitter

    # One of its own: while it reads, other threads run, and a shared parser would be theirs too.
    parser = tree_sitter.Parser(language)
    if len(data) <= SMALL_BYTES:
        return parser.parse(data)
    ends = time.thread_time() + seconds
    cut = False

    def read(offset: int, _: object) -> bytes:
        nonlocal cut
        if offset < len(data) and time.thread_time() > ends:
            cut = True
        return b"" if cut else data[offset : offset + PIECE_BYTES]

    tree = parser.parse(read)
    if cut:
        raise OutOfBounds
    return tree
