"""Texts that are kept beside the tests and compared as a whole, so that a change is seen in review.

With `SKILLLITE_WRITE_GOLDENS=1` the present text is written, and the test fails all the same: a run
that changes what it compares with proves nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

GOLDENS = Path(__file__).parent.parent / "data" / "goldens"


def assert_golden(name: str, text: str) -> None:
    """Compare a text with the kept one of this name."""
    path = GOLDENS / name
    if os.environ.get("SKILLLITE_WRITE_GOLDENS") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        raise AssertionError(f"{path} was written: read it, and run again without the variable")
    assert text == path.read_text(encoding="utf-8"), f"differs from {path}"
