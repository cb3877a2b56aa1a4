"""Patterns that are compiled late: none of them may be found wrong only by a user's text."""

from __future__ import annotations

import re

import pytest

from skilllite_sandbox.scan import secret_programs
from skilllite_sandbox.scan.instructions import commands
from skilllite_sandbox.scan.lazy_pattern import LazyPattern


def _all() -> list[LazyPattern]:
    found: list[LazyPattern] = []
    for module in (commands, secret_programs):
        for value in vars(module).values():
            found += [
                each
                for each in (value if isinstance(value, tuple) else (value,))
                if isinstance(each, LazyPattern)
            ]
    return found


def test_every_one_compiles() -> None:
    patterns = _all()
    assert len(patterns) > 30
    assert all(each.search("an ordinary sentence") is None for each in patterns)


def test_a_pattern_finds_what_the_library_finds() -> None:
    found = LazyPattern(r"\bcurl\b", re.IGNORECASE).search("use CURL here")
    assert found is not None
    assert found.span() == (4, 8)


def test_a_fault_shows_when_it_is_used() -> None:
    with pytest.raises(re.error):
        LazyPattern("(").search("")
