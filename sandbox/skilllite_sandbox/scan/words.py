"""Tables of words, written as lines of text instead of a column of quotes."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """Return the words of a text, which blanks and line ends part."""
    return frozenset(text.split())
