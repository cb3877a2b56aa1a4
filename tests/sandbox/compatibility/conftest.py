"""Every compatibility test runs with each back end of `back_ends.py`, and compares with no sandbox.

Skills that need packages are in `test_packages.py`, which makes the environment for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from back_ends import BACK_ENDS, KNOWN_DIFFERENCES, BackEnd
from side_by_side import SideBySide
from skilllite_sandbox import Sandbox


@pytest.fixture(scope="session", params=BACK_ENDS, ids=lambda back_end: back_end.name)
def back_end(request: pytest.FixtureRequest) -> BackEnd:
    """Each back end in turn."""
    found: BackEnd = request.param
    return found


@pytest.fixture(scope="session")
def sandbox(back_end: BackEnd) -> Iterator[Sandbox]:
    """One sandbox for all runs of a back end, so that a run could meet what another one left."""
    with back_end.open() as opened:
        yield opened


@pytest.fixture
def both(sandbox: Sandbox, back_end: BackEnd, tmp_path: Path) -> SideBySide:
    """A place where skills run inside and outside."""
    return SideBySide(sandbox, back_end.tier, tmp_path)


@pytest.fixture(autouse=True)
def known_difference(request: pytest.FixtureRequest, back_end: BackEnd) -> None:
    """Expect a failure where one is known; passing is then an error."""
    name = request.node.name.replace(f"{back_end.name}-", "").replace(f"[{back_end.name}]", "")
    if reason := KNOWN_DIFFERENCES.get((back_end.name, name)):
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError))
