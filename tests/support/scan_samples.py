"""Short scripts for the scanner's tests, one a line; `⏎` stands for the end of a line."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "data" / "scan"


def samples(name: str) -> list[str]:
    """Return the scripts of one file."""
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line.replace("⏎", "\n") for line in lines if line]
