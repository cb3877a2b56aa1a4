"""Summarise a CSV text column by column, finding out by itself how it is written."""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter

import contract
from columns import clipped, summarise
from dialect import DELIMITERS, column_names, find_delimiter, has_header

TEXT_CHARACTERS_MAX = 2_000_000  # about 40,000 rows of ten columns; a few seconds of work
COLUMNS_MAX = 500
TOP_MAX = 20  # most frequent values listed for a column
FIELDS = ("text", "delimiter", "header", "top")


def answer(request: contract.Request) -> object:
    contract.only_fields(request, FIELDS)
    text = contract.text(request, "text", characters_max=TEXT_CHARACTERS_MAX)
    top = contract.integer(request, "top", low=0, high=TOP_MAX, default=3)
    allowed = ("auto", *DELIMITERS)
    delimiter = contract.choice(request, "delimiter", allowed, default="auto")
    header = contract.choice(request, "header", ("auto", "yes", "no"), default="auto")

    text = text.removeprefix("\ufeff")
    csv.field_size_limit(TEXT_CHARACTERS_MAX)
    if delimiter == "auto":
        delimiter = find_delimiter(text.splitlines())
    rows = read_rows(text, DELIMITERS[delimiter])
    first_is_header = has_header(rows) if header == "auto" else header == "yes"
    body = rows[1:] if first_is_header else rows
    # The usual width, not the largest: one stray delimiter must not add a column to every row.
    width = Counter(map(len, body)).most_common(1)[0][0] if body else 0
    width = max(width, len(rows[0])) if first_is_header else width
    if width > COLUMNS_MAX:
        raise contract.Refusal(f"text has {width} columns; at most {COLUMNS_MAX} are allowed")
    names = column_names(rows[0] if first_is_header else None, width)
    return {
        "delimiter": delimiter,
        "header": first_is_header,
        "rows": len(body),
        "short_rows": sum(1 for row in body if len(row) < width),
        "long_rows": sum(1 for row in body if len(row) > width),
        "columns": [
            {"name": clipped(name)} | summary_of(body, index, top=top, delimiter=delimiter)
            for index, name in enumerate(names)
        ],
    }


def read_rows(text: str, delimiter: str) -> list[list[str]]:
    """Return the rows with stripped cells, without blank lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append(cells)
    except csv.Error as error:
        raise contract.Refusal(f"text is not CSV: {error} in line {reader.line_num}") from None
    if not rows:
        raise contract.Refusal("text must hold at least one row that is not blank")
    return rows


def summary_of(body: list[list[str]], index: int, *, top: int, delimiter: str) -> dict[str, object]:
    # Cells beyond the end of a short row are missing; 3,14 can be a number only where the comma
    # does not separate cells.
    cells = [row[index] if index < len(row) else "" for row in body]
    return summarise(cells, top=top, decimal_comma=delimiter != "comma")


if __name__ == "__main__":
    sys.exit(contract.serve(answer))
