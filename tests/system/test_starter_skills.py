"""Every example of every bundled skill gives its answer here and on another node."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import skilllite
from node_process import NodeProcess
from team import open_team_of_two

SKILLS = Path(skilllite.__file__).parent / "starter_skills"
NEEDS = {"text-transform": "node", "line-tools": "jq"}
EXAMPLES = [
    pytest.param(path.parent.name, example, id=f"{path.parent.name}-{number}")
    for path in sorted(SKILLS.glob("*/examples.json"))
    for number, example in enumerate(json.loads(path.read_text(encoding="utf-8")), start=1)
]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeProcess, NodeProcess]]:
    with open_team_of_two(tmp_path_factory.mktemp("pair")) as nodes:
        yield nodes


def test_there_are_twelve() -> None:
    assert len({param.values[0] for param in EXAMPLES}) == 12


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_gives_its_answer_here_and_on_another_node(
    pair: tuple[NodeProcess, NodeProcess], name: str, example: dict[str, Any]
) -> None:
    if name in NEEDS and shutil.which(NEEDS[name]) is None:
        pytest.skip(f"{name} needs {NEEDS[name]}")
    one, _ = pair
    request = json.dumps(example["arguments"])

    here = one.json("run", name, request)
    there = one.json("submit", "--skill", name, request, "--on", "two", "--json")

    assert here == example["result"]
    assert there["state"] == "succeeded"
    assert there["output"] == example["result"]
    assert there["node_name"] == "two"
