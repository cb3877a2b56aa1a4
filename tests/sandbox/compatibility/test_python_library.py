"""The standard library at work: each script below `data/compatibility/python` checks itself.

A script asserts what must be true anywhere and prints what it found; inside and outside have to
find the same.
"""

from __future__ import annotations

import json

import pytest

from side_by_side import DATA, SideBySide

SKILLS = sorted(path.name for path in (DATA / "python").iterdir())


@pytest.mark.parametrize("name", SKILLS)
def test_a_skill_finds_what_it_finds_outside(both: SideBySide, name: str) -> None:
    ran = both.compare_skill(both.stored_skill("python", name))

    assert ran.status == 0, ran.stderr
    assert ran.stderr == ""
    facts = json.loads(ran.stdout)
    assert len(facts) > 2, "it found hardly anything"
