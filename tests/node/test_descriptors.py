"""A node may have many connections, and what it starts has its own bound."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from skilllite.descriptors import raise_descriptor_limit
from team import loopback_node


@pytest.fixture(autouse=True)
def limits() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_is_raised_up_to_what_is_allowed(limits: tuple[int, int]) -> None:
    hard = limits[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))

    assert raise_descriptor_limit(512) == 512
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (512, hard)


def test_the_limit_is_never_lowered(limits: tuple[int, int]) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, limits[1]))

    assert raise_descriptor_limit(256) == 512
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 512


def test_a_node_has_more_than_a_login_gives(tmp_path: Path, limits: tuple[int, int]) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, limits[1]))

    with loopback_node(tmp_path / "home", "one") as node:
        text = Path(f"/proc/{node.pid}/limits").read_text(encoding="ascii")

    line = next(line for line in text.splitlines() if line.startswith("Max open files"))
    assert int(line.split()[3]) == min(65_536, limits[1])
