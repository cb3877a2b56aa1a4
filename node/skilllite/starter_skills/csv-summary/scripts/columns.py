"""The summary of one column: its type, and the figures that make sense for that type."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from values import is_missing, kind_of, number

VALUE_CHARACTERS_MAX = 80  # characters of a value that are shown; the rest becomes an ellipsis
SIGNIFICANT_DIGITS = 12  # digits of a computed figure: more is noise of the floating point


def summarise(cells: Sequence[str], *, top: int, decimal_comma: bool) -> dict[str, object]:
    """Return what the column holds; empty cells and NA-like ones count as missing."""
    counts = Counter(cells)
    missing = sum(count for cell, count in counts.items() if is_missing(cell))
    present = {cell: count for cell, count in counts.items() if not is_missing(cell)}
    kind = _kind(present, decimal_comma=decimal_comma)
    summary: dict[str, object] = {
        "type": kind,
        "count": len(cells) - missing,
        "missing": missing,
        "distinct": len(present),
    }
    if kind in ("integer", "number"):
        summary |= _figures(present, decimal_comma=decimal_comma)
    elif kind in ("date", "datetime"):
        summary |= {"min": min(present), "max": max(present)}
    elif kind == "text":
        lengths = [len(cell) for cell in present]
        summary |= {"shortest": min(lengths), "longest": max(lengths)}
    ranked = sorted(present.items(), key=lambda item: (-item[1], item[0]))[:top]
    summary["top"] = [{"value": clipped(cell), "count": count} for cell, count in ranked]
    return summary


def _kind(present: dict[str, int], *, decimal_comma: bool) -> str:
    """Return the one type all values share; integers among numbers are numbers."""
    if not present:
        return "empty"
    kinds = {kind_of(cell, decimal_comma=decimal_comma) for cell in present}
    if kinds == {"integer", "number"}:
        return "number"
    if kinds == {"date", "datetime"}:
        return "datetime"
    return kinds.pop() if len(kinds) == 1 else "text"


def _figures(present: dict[str, int], *, decimal_comma: bool) -> dict[str, object]:
    values: list[int | float] = []
    for cell, count in present.items():
        value = number(cell, decimal_comma=decimal_comma)
        assert value is not None  # the column's type was decided by the same function
        values.extend([value] * count)
    values.sort()
    mean = math.fsum(values) / len(values)
    middle = len(values) // 2
    median = values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
    spread = None
    if len(values) > 1:
        squares = math.fsum((value - mean) ** 2 for value in values)
        spread = _rounded(math.sqrt(squares / (len(values) - 1)))
    return {
        "min": values[0],
        "max": values[-1],
        "sum": sum(values) if all(isinstance(v, int) for v in values) else _rounded_sum(values),
        "mean": _rounded(mean),
        "median": _rounded(median),
        "stdev": spread,
    }


def _rounded_sum(values: Sequence[int | float]) -> int | float:
    return _rounded(math.fsum(values))


def _rounded(value: int | float) -> int | float:
    return value if isinstance(value, int) else float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def clipped(cell: str) -> str:
    return cell if len(cell) <= VALUE_CHARACTERS_MAX else cell[:VALUE_CHARACTERS_MAX] + "…"
