"""Packages of the world, from the index that this host is set to; skipped where none answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_index import open_real_environments, wanting
from sandbox_lab import require
from skill_files import make_skill
from skilllite_sandbox.environment.requirements import Ecosystem
from skilllite_sandbox.environment.store import Environments
from skilllite_sandbox.errors import BuildingNotAllowed, IndexUnreachable
from skilllite_sandbox.host import find_program
from skilllite_sandbox.policy import Level
from skilllite_sandbox.sandbox import Sandbox

pytestmark = pytest.mark.skipif(find_program("bwrap") is None, reason="bubblewrap is not installed")


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    return open_real_environments(tmp_path_factory.mktemp("cache") / "env")


SKILLS = {
    "requests": "import json, requests; print(json.dumps(requests.get.__name__))",
    "pandas": """
import json, pandas
table = pandas.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "x"]})
print(json.dumps(table.groupby("b")["a"].sum().to_dict()))
""",
}
ANSWERS = {"requests": "get", "pandas": {"x": 4, "y": 2}}


@pytest.mark.parametrize("package", SKILLS)
def test_a_skill_uses_a_package_of_the_real_index(
    environments: Environments, tmp_path: Path, package: str
) -> None:
    skill = make_skill(
        tmp_path,
        extra=f"compatibility: Requires Python 3.x with {package} library\n",
        files={"scripts/main.py": SKILLS[package]},
    )

    with Sandbox(Level.ISOLATED, environments=environments, pool=False) as sandbox:
        outcome = sandbox.run(skill, {})

    assert outcome.output == ANSWERS[package], outcome.stderr


def test_a_real_package_of_source_only_asks_for_consent(environments: Environments) -> None:
    with pytest.raises(BuildingNotAllowed):
        environments.ensure(wanting("docopt==0.6.2"))


def test_a_skill_uses_a_package_of_the_real_registry(
    environments: Environments, tmp_path: Path
) -> None:
    require("node")
    script = 'console.log(JSON.stringify(require("lodash").chunk([1, 2, 3], 2)))'
    skill = make_skill(
        tmp_path,
        extra="compatibility: Requires Node.js with lodash package\n",
        files={"scripts/main.js": script},
    )
    with Sandbox(Level.ISOLATED, environments=environments, pool=False) as sandbox:
        try:
            outcome = sandbox.run(skill, {})
        except IndexUnreachable as error:
            pytest.skip(f"no npm registry answers here: {error.cause}")

    assert outcome.output == [[1, 2], [3]], outcome.stderr
    assert {each.environment.ecosystem for each in environments.list()} >= {Ecosystem.NODE}
