"""How a CSV text is written: which delimiter it uses and whether its first row is a header."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence

from values import is_missing, kind_of

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
SAMPLE_ROWS = 100  # rows that decide the delimiter; later rows seldom change the picture


def find_delimiter(lines: Sequence[str]) -> str:
    """Return the name of the delimiter that cuts most sample rows into the same number of cells.

    `csv.Sniffer` is not used: it guesses from character frequencies, takes letters for delimiters
    in short texts, and its expressions are slow on long ones.
    """
    best, best_score = "comma", 0.0
    for name, character in DELIMITERS.items():
        widths = _widths(lines, character)
        if not widths:
            continue
        width, rows = Counter(widths).most_common(1)[0]
        # Agreement first; among equally regular readings the one with more columns.
        score = rows / len(widths) + min(width, 50) / 1000 if width > 1 else 0.0
        if score > best_score:
            best, best_score = name, score
    return best


def _widths(lines: Sequence[str], delimiter: str) -> list[int]:
    widths = []
    try:
        for row in csv.reader(lines[:SAMPLE_ROWS], delimiter=delimiter):
            if row:
                widths.append(len(row))
    except csv.Error:
        return []
    return widths


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row names the columns: distinct words, no number or date in it."""
    names = [cell for cell in rows[0] if cell]
    distinct = len(set(names)) == len(names)
    return bool(names) and distinct and all(kind_of(name) == "text" for name in names)


def column_names(header: Sequence[str] | None, columns: int) -> list[str]:
    """Return one distinct name for each column, numbered where the header gives none."""
    names: list[str] = []
    taken: Counter[str] = Counter()
    for index in range(columns):
        given = header[index].strip() if header is not None and index < len(header) else ""
        name = given if given and not is_missing(given) else f"column {index + 1}"
        taken[name] += 1
        names.append(name if taken[name] == 1 else f"{name} ({taken[name]})")
    return names
