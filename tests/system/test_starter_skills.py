"""Every example of every bundled skill gives its answer: in each tier, here, on another node."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import skilllite
from node_process import NodeProcess
from skilllite_sandbox import Level, Sandbox, Tier
from team import open_team_of_two

SKILLS = Path(skilllite.__file__).parent / "starter_skills"
NEEDS = {"text-transform": "node", "line-tools": "jq"}
EXAMPLES = [
    pytest.param(path.parent.name, example, id=f"{path.parent.name}-{number}")
    for path in sorted(SKILLS.glob("*/examples.json"))
    for number, example in enumerate(json.loads(path.read_text(encoding="utf-8")), start=1)
]


def require(name: str) -> None:
    """Skip a skill whose interpreter this host doesn't have."""
    if name in NEEDS and shutil.which(NEEDS[name]) is None:
        pytest.skip(f"{name} needs {NEEDS[name]}")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeProcess, NodeProcess]]:
    with open_team_of_two(tmp_path_factory.mktemp("pair")) as nodes:
        yield nodes


def test_there_are_twelve() -> None:
    assert len({param.values[0] for param in EXAMPLES}) == 12


@pytest.fixture(scope="module", params=[Tier.FULL, Tier.BWRAP], ids=["full", "bwrap"])
def tier(request: pytest.FixtureRequest) -> Tier:
    found: Tier = request.param
    return found


@pytest.fixture(scope="module", params=[Level.ISOLATED, Level.FULL], ids=["level 2", "level 3"])
def sandbox(tier: Tier, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox with the default profile and limits."""
    with Sandbox(request.param, tier=tier) as opened:
        if opened.probe.tier is not tier and not (
            tier is Tier.BWRAP and shutil.which("bwrap") is not None
        ):
            pytest.skip(f"this host has no tier {tier.value}")
        yield opened


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_gives_its_answer_in_each_tier_and_level(
    sandbox: Sandbox, tier: Tier, name: str, example: dict[str, Any]
) -> None:
    require(name)

    outcome = sandbox.run(SKILLS / name, example["arguments"])

    assert outcome.output == example["result"], outcome.stderr
    assert outcome.tier is tier
    assert outcome.stderr == ""


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_gives_its_answer_here_and_on_another_node(
    pair: tuple[NodeProcess, NodeProcess], name: str, example: dict[str, Any]
) -> None:
    require(name)
    one, _ = pair
    request = json.dumps(example["arguments"])

    here = one.json("run", name, request)
    there = one.json("submit", "--skill", name, request, "--on", "two", "--json")

    assert here == example["result"]
    assert there["state"] == "succeeded"
    assert there["output"] == example["result"]
    assert there["node_name"] == "two"
