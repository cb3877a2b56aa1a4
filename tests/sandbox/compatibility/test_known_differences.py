"""The table of known differences names tests that exist: a forgotten line would excuse nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from back_ends import BACK_ENDS, KNOWN_DIFFERENCES
from side_by_side import DATA

_TESTS = "".join(
    path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("test_*.py"))
)
_STORED = {path.name for path in DATA.glob("*/*")}


@pytest.mark.parametrize(("name", "test"), list(KNOWN_DIFFERENCES))
def test_a_known_difference_is_that_of_a_test(name: str, test: str) -> None:
    function, _, case = test.partition("[")
    case = case.removesuffix("]")

    assert name in {back_end.name for back_end in BACK_ENDS}
    assert f"def {function}(" in _TESTS
    assert not case or case in _STORED or f'"{case}"' in _TESTS
