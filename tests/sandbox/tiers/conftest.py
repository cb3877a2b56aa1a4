"""Every attack is tried in each tier without namespaces, as the user that the tier is for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bare_lab import BareLab, open_bare_lab
from sandbox_lab import Listener


@pytest.fixture(scope="session", params=["root-chroot", "landlock"])
def bare(request: pytest.FixtureRequest) -> Iterator[BareLab]:
    """A tier and a host with canaries."""
    with open_bare_lab(request.param) as opened:
        yield opened


@pytest.fixture(scope="session")
def rooted() -> Iterator[BareLab]:
    """The tier that takes other languages too."""
    with open_bare_lab("root-chroot") as opened:
        yield opened


@pytest.fixture
def listener(bare: BareLab) -> Iterator[Listener]:
    """Servers on this host that nobody in a sandbox may reach."""
    opened = Listener(bare.lab.drop)
    try:
        yield opened
    finally:
        opened.close()
