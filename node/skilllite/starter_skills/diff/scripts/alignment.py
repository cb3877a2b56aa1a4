"""Which items of two sequences belong together.

Items that occur exactly once on both sides are matched first, by their longest common order; that
is quick however long the texts are, and follows what a reader sees as the same. The gaps between
them are left to `difflib`, whose cost grows with the square of the length.
"""

from __future__ import annotations

import bisect
import difflib
from collections import Counter
from collections.abc import Sequence

# Above this many pairs of equal items in one gap, frequent items no longer begin a match (difflib's
# "autojunk"): without that, a long text full of repetition would not end in time.
EQUAL_PAIRS_MAX = 3_000_000

Block = tuple[int, int, int]  # start in the old sequence, start in the new one, length


def matching_blocks(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """Return the common stretches in order, ending with an empty one at the end of both."""
    blocks: list[Block] = []
    at_old = at_new = 0
    for anchor_old, anchor_new in [*_anchors(old, new), (len(old), len(new))]:
        gap_old, gap_new = old[at_old:anchor_old], new[at_new:anchor_new]
        for a, b, size in _gap_blocks(gap_old, gap_new):
            _append(blocks, (at_old + a, at_new + b, size))
        if anchor_old < len(old):
            _append(blocks, (anchor_old, anchor_new, 1))
        at_old, at_new = anchor_old + 1, anchor_new + 1
    return [*blocks, (len(old), len(new), 0)]


def _append(blocks: list[Block], block: Block) -> None:
    """Add a block, or lengthen the last one when it reaches up to the new one on both sides."""
    if blocks:
        a, b, size = blocks[-1]
        if (a + size, b + size) == block[:2]:
            blocks[-1] = (a, b, size + block[2])
            return
    blocks.append(block)


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return the positions of items that are unique on both sides, in an order both sides share."""
    old_counts, new_counts = Counter(old), Counter(new)
    place = {item: at for at, item in enumerate(new) if new_counts[item] == 1}
    pairs = [
        (at, place[item]) for at, item in enumerate(old) if old_counts[item] == 1 and item in place
    ]
    # Longest increasing run of new positions, by patience sorting.
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for number, (_, position) in enumerate(pairs):
        pile = bisect.bisect_left(tops, position)
        before.append(piles[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [position]
        piles[pile : pile + 1] = [number]
    chain: list[tuple[int, int]] = []
    number = piles[-1] if piles else -1
    while number >= 0:
        chain.append(pairs[number])
        number = before[number]
    return chain[::-1]


def _gap_blocks(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """Return the common stretches of a gap; what both ends share is set aside first."""
    head, shortest = 0, min(len(old), len(new))
    while head < shortest and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shortest - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    blocks: list[Block] = [(0, 0, head)] if head else []
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    if middle_old and middle_new:
        counts = Counter(middle_new)
        equal_pairs = sum(counts[item] for item in middle_old)
        matcher = difflib.SequenceMatcher(
            None, middle_old, middle_new, autojunk=equal_pairs > EQUAL_PAIRS_MAX
        )
        blocks += [(head + a, head + b, size) for a, b, size in matcher.get_matching_blocks()[:-1]]
    if tail:
        blocks.append((len(old) - tail, len(new) - tail, tail))
    return blocks
