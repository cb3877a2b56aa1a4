"""What a single cell holds: nothing, a boolean, a number, a date or text."""

from __future__ import annotations

import datetime
import math
import re

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "nil", "-", "#n/a"})
BOOLEANS = frozenset({"true", "false", "yes", "no"})
NUMBER_MAX = 1e100  # magnitude: squares of it, summed over every row, still fit a float

# Eighteen digits: longer ones are identifiers, and so is anything with a leading zero (007, 01234).
_INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?(?:0|[1-9]\d*),\d+", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}\S{0,21}", re.ASCII)


def is_missing(cell: str) -> bool:
    return cell.lower() in MISSING


def number(cell: str, *, decimal_comma: bool = False) -> int | float | None:
    """Return the number the cell holds, or None."""
    if len(cell) > 40:
        return None
    if _INTEGER.fullmatch(cell):
        return int(cell)
    if decimal_comma and _DECIMAL_COMMA.fullmatch(cell):
        cell = cell.replace(",", ".")
    if not _NUMBER.fullmatch(cell):
        return None
    value = float(cell)
    return value if math.isfinite(value) and abs(value) <= NUMBER_MAX else None


def kind_of(cell: str, *, decimal_comma: bool = False) -> str:
    """Return boolean, integer, number, date, datetime or text."""
    if cell.lower() in BOOLEANS:
        return "boolean"
    value = number(cell, decimal_comma=decimal_comma)
    if value is not None:
        return "integer" if isinstance(value, int) else "number"
    if _DATE.fullmatch(cell) and _is_iso(cell):
        return "date"
    if _DATE_TIME.fullmatch(cell) and _is_iso(cell):
        return "datetime"
    return "text"


def _is_iso(cell: str) -> bool:
    try:
        datetime.datetime.fromisoformat(cell)
    except ValueError:
        return False
    return True
