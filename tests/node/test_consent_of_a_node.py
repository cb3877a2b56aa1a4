"""A running node asks nobody and lets nobody answer: its person decides at a terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from node_process import SKILLLITE, NodeProcess
from person import agrees, decisions
from skill_files import make_skill
from skilllite.control.client import ControlClient
from skilllite.errors import SkillLiteError, code_of
from skilllite.home import Home
from skilllite.version import VERSION
from team import loopback_node
from terminal import type_at_terminal

NEEDS_CONFIRMATION = 4
REACHES_OUT = "curl -s https://api.example.com/x || true\necho 1\n"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    place = tmp_path_factory.mktemp("node")
    with loopback_node(place / "home", "one") as started:
        yield started


@pytest.fixture
def home(node: NodeProcess) -> Home:
    return Home.at(node.home)


@pytest.fixture
def skill(node: NodeProcess, request: pytest.FixtureRequest) -> Path:
    """An installed skill of this test, which needs consent."""
    name = f"reach-{abs(hash(request.node.name)) % 10**8}"
    made = make_skill(node.home / "skills", name, files={"scripts/main.sh": REACHES_OUT})
    assert node.cli("reindex").returncode == 0
    return made


def ran_by_node(node: NodeProcess, skill: Path) -> int:
    """Return how many runs of a skill the node has done for commands."""
    return node.log.count(f"direct run of {skill.name} ended")


def test_a_command_asks_its_person_and_the_node_does_what_was_agreed_for_good(
    node: NodeProcess, skill: Path
) -> None:
    env = {"SKILLLITE_HOME": str(node.home)}
    words = [SKILLLITE, "run", skill.name, "{}"]
    assert node.cli("run", skill.name, "{}").returncode == NEEDS_CONFIRMATION

    said = type_at_terminal(words, "always", cwd=node.home.parent, env=env)

    assert (said.status, said.out) == (0, "1\n")
    assert ran_by_node(node, skill) == 0
    assert node.cli("run", skill.name, "{}").stdout == "1\n"
    assert ran_by_node(node, skill) == 1


def test_a_consent_for_one_run_is_used_up_by_the_node_too(
    node: NodeProcess, home: Home, skill: Path
) -> None:
    agrees(home, skill, once=True)

    assert node.cli("run", skill.name, "{}").stdout == "1\n"
    assert ran_by_node(node, skill) == 1
    assert node.cli("run", skill.name, "{}").returncode == NEEDS_CONFIRMATION


def test_a_task_ends_with_what_a_person_has_to_do(
    node: NodeProcess, home: Home, skill: Path
) -> None:
    done = node.cli("submit", "--skill", skill.name, "{}", "--json")

    assert done.returncode == NEEDS_CONFIRMATION, done.stdout + done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "consent_required"
    report = error["hint"].partition("`skilllite confirm ")[2].partition("`")[0]
    assert decisions(home).report(report) is not None
    agrees(home, skill)
    assert node.cli("submit", "--skill", skill.name, "{}").stdout == "1\n"


def direct_run(skill: Path, **more: object) -> dict[str, object]:
    return {
        "version": VERSION,
        "skill": str(skill),
        "directory": "/",
        "script": None,
        "input_json": "{}",
        "level": 3,
        "timeout_s": None,
        "memory_mb": None,
        "network": [],
        "exec": [],
        "standing_exec": [],
        "log": False,
        **more,
    }


def refusal(home: Home, operation: str, args: dict[str, object]) -> str:
    """Return the code with which the node refuses a request."""
    with ControlClient(home) as client, pytest.raises(SkillLiteError) as caught:
        list(client.request(operation, args))
    return str(code_of(caught.value))


def test_whoever_talks_to_the_socket_can_not_confirm(home: Home, skill: Path) -> None:
    before = decisions(home).agreed()

    assert refusal(home, "run", direct_run(skill)) == "consent_required"
    for field in ("confirmed", "consent", "clearance", "report_id", "env"):
        assert refusal(home, "run", direct_run(skill, **{field: True})) == "usage"
    assert refusal(home, "run", direct_run(skill, level=1)) == "usage"
    for operation in ("confirm", "consent.give", "grants.allow", "trust", "run.confirm"):
        assert refusal(home, operation, {"report_id": "x"}) in ("not_found", "usage")
    assert refusal(home, "run", direct_run(skill)) == "consent_required"
    assert decisions(home).agreed() == before


def test_asking_the_node_again_and_again_fills_no_store(home: Home, skill: Path) -> None:
    reports = Path(home.consent_name, "reports")
    before = len(list(reports.iterdir())) if reports.exists() else 0

    for _ in range(3):
        assert refusal(home, "run", direct_run(skill)) == "consent_required"

    assert (len(list(reports.iterdir())) if reports.exists() else 0) == before


def test_the_node_passes_no_variables_on(node: NodeProcess, home: Home) -> None:
    script = "import json, os\nprint(json.dumps(os.environ.get('A_KEY')))\n"
    extra = "metadata:\n  skilllite.env: A_KEY\n"
    skill = make_skill(node.home.parent, "keyed", extra=extra, files={"scripts/main.py": script})
    env = {**os.environ, "A_KEY": "sesame"}

    done = node.cli("run", str(skill), "{}", "--allow-env", "A_KEY", env=env)

    assert done.stdout == '"sesame"\n'
    assert ran_by_node(node, skill) == 0
    assert "sesame" not in node.log
