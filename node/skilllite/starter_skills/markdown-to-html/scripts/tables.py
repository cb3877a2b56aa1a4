"""Pipe tables: which lines are one, and what their cells hold."""

from __future__ import annotations

import re
from collections.abc import Callable

COLUMNS_MAX = 200
_CELL_END = re.compile(r"(?<!\\)\|")
_DELIMITER = re.compile(r":?-+:?")

Table = tuple[list[str], list[str], list[list[str]], int]


def starts_table(lines: list[str], position: int) -> bool:
    """Return whether a header row stands here and a delimiter row with as many cells below it."""
    if position + 1 >= len(lines):
        return False
    below = lines[position + 1].strip()
    if below.strip("|:- \t") or "|" not in below + lines[position]:
        return False
    header, delimiters = cells(lines[position]), cells(below)
    same = len(header) == len(delimiters) <= COLUMNS_MAX
    return same and all(_DELIMITER.fullmatch(cell) for cell in delimiters)


def read_table(
    lines: list[str], position: int, starts_block: Callable[[str], bool]
) -> Table | None:
    """Return header, a style for each column, the rows, and the position behind the table."""
    if not starts_table(lines, position):
        return None
    header, delimiters = cells(lines[position]), cells(lines[position + 1])
    body = []
    end = position + 2
    while end < len(lines) and lines[end].strip() and not starts_block(lines[end]):
        row = cells(lines[end])[: len(header)]
        body.append(row + [""] * (len(header) - len(row)))
        end += 1
    return header, [style(cell) for cell in delimiters], body, end


def cells(line: str) -> list[str]:
    stripped = line.strip().removeprefix("|")
    if stripped.endswith("|") and not stripped.endswith("\\|"):
        stripped = stripped[:-1]
    return [cell.strip().replace("\\|", "|") for cell in _CELL_END.split(stripped)]


def style(delimiter: str) -> str:
    left, right = delimiter.startswith(":"), delimiter.endswith(":")
    if not left and not right:
        return ""
    side = "center" if left and right else "left" if left else "right"
    return f' style="text-align: {side}"'
