"""Parses with tree-sitter within a bound of time, which the library itself no longer has.

Text that was made for it, a thousand open brackets of two kinds, takes the parser's recovery from
errors quadratic time. It asks here every hundred steps whether it may go on.

Nothing of the library outlives the function that parses: whoever reads the tree copies it first.
"""

from __future__ import annotations

import time

from skilllite_sandbox.scan.record import OutOfBounds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tree_sitter import Language, Tree

PIECE_BYTES = 4096  # that are handed over at once: few enough to be copied again and again
OPEN_MAX = 2_000  # brackets that nothing closes: recovery from them takes hundreds of megabytes
_PAIRS = ((b"(", b")"), (b"[", b"]"), (b"{", b"}"))
PARSE_S_MAX = 0.3  # of processor time for one text; a script of 100 KB takes 0.05


def parse_bounded(language: Language, data: bytes, *, seconds: float = PARSE_S_MAX) -> Tree:
    """Return the tree of a text.

    Raises:
        OutOfBounds: it takes longer, or more memory than there is.
    """
    import tree_sitter

    if any(abs(data.count(one) - data.count(other)) > OPEN_MAX for one, other in _PAIRS):
        raise OutOfBounds
    ends = time.thread_time() + min(seconds, PARSE_S_MAX)
    # One object for all that is read: the library (0.26.1) never lets go of what it was given.
    window = bytearray()

    def read(offset: int, _: object) -> bytearray:
        window[:] = data[offset : offset + PIECE_BYTES]
        return window

    def is_over(_: int, __: object) -> bool:
        return time.thread_time() > ends

    # One of its own: while it reads, other threads run, and a shared parser would be theirs too,
    # which ends in SIGSEGV.
    parser = tree_sitter.Parser(language)
    try:
        return parser.parse(read, progress_callback=is_over)
    except (ValueError, MemoryError):  # what the library says when it was stopped
        raise OutOfBounds from None
    finally:
        window.clear()
