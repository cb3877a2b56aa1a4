"""What several commands take, checked before anything is asked or made."""

from __future__ import annotations

import argparse
import math

SECONDS_MAX = 86_400.0
"""A day: what the node takes as the deadline of a task."""


def seconds(text: str) -> float:
    """Return a time to wait; argparse says what it must be."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= SECONDS_MAX:
        raise argparse.ArgumentTypeError(
            f"must be a number of seconds above 0 and at most {SECONDS_MAX:g}"
        )
    return value


def not_empty(text: str) -> str:
    """Return the text; an unset variable of a script must not mean anything."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return text
