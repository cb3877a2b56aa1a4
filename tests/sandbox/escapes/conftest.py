"""Every attack is tried in each tier, by this user and, when that is root, by a plain user."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox_lab import OTHER_USER, Lab, Listener, open_lab
from skilllite_sandbox.policy import Tier


@pytest.fixture(scope="session", params=["full", "bwrap"])
def tier(request: pytest.FixtureRequest) -> Tier:
    """What carries the runs: each promises the same to the host."""
    return Tier(request.param)


@pytest.fixture(scope="session", params=["this-user", "plain-user"])
def lab(request: pytest.FixtureRequest, tier: Tier) -> Iterator[Lab]:
    """A host with canaries."""
    user = OTHER_USER if request.param == "plain-user" else None
    with open_lab(as_user=user, tier=tier) as opened:
        yield opened


@pytest.fixture
def listener(lab: Lab) -> Iterator[Listener]:
    """Servers on this host that nobody in a sandbox may reach."""
    opened = Listener(lab.drop)
    try:
        yield opened
    finally:
        opened.close()
