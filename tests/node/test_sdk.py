"""`from skilllite import run_skill`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import skilllite
from skill_files import make_skill
from skilllite import run_skill
from skilllite_sandbox.errors import InvalidInput, NotFound


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test."""
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("given", ['{"a": 1}', {"a": 1}])
def test_a_skill_answers(tmp_path: Path, level: int, given: str | dict[str, int]) -> None:
    result = run_skill(make_skill(tmp_path), given, sandbox_level=level)

    assert result == {
        "success": True,
        "text": '{"a": 1}',
        "output": {"a": 1},
        "stderr": "",
        "exit_code": 0,
    }


def test_an_installed_skill_is_found_by_its_name() -> None:
    result = run_skill("calculator", {"operation": "multiply", "a": 6, "b": 7})

    assert result["output"]["result"] == 42


def test_a_failure_is_a_result(tmp_path: Path) -> None:
    script = "import sys; print('why', file=sys.stderr); print('{}'); sys.exit(3)"

    result = run_skill(make_skill(tmp_path, files={"scripts/main.py": script}), {})

    assert result["success"] is False
    assert result["exit_code"] == 3
    assert result["output"] == {}
    assert result["stderr"] == "why\n"


def test_what_cannot_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        run_skill(tmp_path / "none", {})
    with pytest.raises(NotFound):
        run_skill("no-such-skill", {})
    with pytest.raises(InvalidInput):
        run_skill(make_skill(tmp_path), "[]")
    with pytest.raises(ValueError, match="4 is not a valid Level"):
        run_skill(make_skill(tmp_path, "other"), {}, sandbox_level=4)


def test_the_package_offers_its_names_without_importing_them() -> None:
    code = "import sys, skilllite; print('skilllite.sdk' in sys.modules, dir(skilllite))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("False")
    assert "run_skill" in done.stdout
    assert skilllite.__version__
    with pytest.raises(AttributeError):
        _ = skilllite.nothing
