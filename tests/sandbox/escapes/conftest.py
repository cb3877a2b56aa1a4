"""Every attack is tried by the user that runs the tests and, when that is root, by a plain user."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox_lab import OTHER_USER, Lab, Listener, open_lab


@pytest.fixture(scope="session", params=["this-user", "plain-user"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A host with canaries."""
    with open_lab(as_user=OTHER_USER if request.param == "plain-user" else None) as opened:
        yield opened


@pytest.fixture
def listener(lab: Lab) -> Iterator[Listener]:
    """Servers on this host that nobody in a sandbox may reach."""
    opened = Listener(lab.drop)
    try:
        yield opened
    finally:
        opened.close()
