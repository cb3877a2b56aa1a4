"""Which back ends these tests are about, and what is known to differ in them.

The promise: a skill behaves as under the bare interpreter, as far as isolation permits. A new back
end joins `BACK_ENDS` and has to pass everything; `KNOWN_DIFFERENCES` holds what an old one does
wrong, as failures that are expected and are reported when they stop.

Skills that need packages (numpy, pandas, Pillow, requests to an allowed host) belong into a
`test_packages.py` beside this file, with skills of their own below `tests/data/compatibility`: they
need an environment as well, which the fixtures here don't make.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from side_by_side import SideBySide
from skilllite_sandbox import Level, Sandbox, Tier


@dataclass(frozen=True, slots=True)
class BackEnd:
    """One way of isolation that skills must not notice."""

    name: str
    tier: Tier

    def open(self) -> Sandbox:
        """Return a sandbox that runs skills this way, with the default profile and limits."""
        return Sandbox(Level.ISOLATED)


BACK_ENDS = (BackEnd("bubblewrap", Tier.BWRAP),)

_LIBRARY = "test_a_skill_finds_what_it_finds_outside"
_ENDING = "test_a_script_ends_as_outside"
_WORLD = "test_a_script_finds_the_world_it_finds_outside"
_INTERRUPT = "the guest ends with status 1 where Python kills itself by SIGINT"
_GUEST_FRAMES = "the guest's own frames can be seen"
_MAIN = "the guest's __main__ lacks __annotations__ and __cached__, and its __loader__ is None"
_SITE = "without site only exit and quit are there, as plain functions"

KNOWN_DIFFERENCES: dict[tuple[str, str], str] = {
    ("bubblewrap", test): reason
    for reason, tests in {
        "there is no /dev/shm, so no named semaphore": (
            f"{_LIBRARY}[thread_pool_of_multiprocessing.py]",
        ),
        _INTERRUPT: (
            f"{_ENDING}[by KeyboardInterrupt]",
            f"{_ENDING}[by interrupting itself]",
        ),
        _GUEST_FRAMES: (
            f"{_ENDING}[with a hook that fails]",
            f"{_WORLD}[the frames above it]",
            f"{_WORLD}[the frame above it]",
            f"{_WORLD}[the stack printed]",
            f"{_WORLD}[the stack dumped]",
        ),
        "the guest is compiled under its path on the host": (
            "test_frames_above_a_script_name_no_path_of_the_host",
        ),
        "Python skills have no /dev/stdin": (
            "test_a_script_reads_its_input_as_outside[as /dev/stdin]",
        ),
        _MAIN: (
            f"{_WORLD}[the names in it]",
            f"{_WORLD}[the kinds of its names]",
            f"{_WORLD}[annotations without any]",
            f"{_WORLD}[its loader]",
        ),
        _SITE: (
            f"{_WORLD}[its builtins]",
            f"{_WORLD}[its ways out]",
            f"{_WORLD}[help]",
        ),
        "the guest keeps its pipe to the host open": (f"{_WORLD}[its descriptors]",),
        "bubblewrap adds PWD": (
            f"{_WORLD}[its environment]",
            "test_the_environment_is_what_is_promised",
        ),
    }.items()
    for test in tests
}
"""(back end, test as it is called without the back end) -> why it fails."""


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
