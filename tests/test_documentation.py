"""What the documents say is so: commands, settings, set-up and files they name exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from skilllite.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = ("README.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name: str) -> None:
    assert re.search(rf"`[^`]*\b{name}\b", README)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "skilllite", name, "--help"],
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout
    assert f"skilllite {name}" in done.stdout.partition("example")[2]


def test_every_command_that_the_pages_show_exists() -> None:
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        shown = re.findall(r"^skilllite ([a-z-]+)", text, re.M) + re.findall(
            r"`skilllite ([a-z-]+)", text
        )
        assert set(shown) <= set(COMMANDS), page


def test_set_up_is_exactly_two_commands_that_exist_and_can_be_executed() -> None:
    set_up = README.partition("## Set up")[2].partition("\n## ")[0]
    commands = re.findall(r"^(\./\S+)", set_up, re.M)

    assert commands == ["./deploy/quickstart", "./deploy/test"]
    for command in commands:
        assert (ROOT / command).stat().st_mode & 0o111


@pytest.mark.parametrize("page", PAGES)
def test_files_that_the_pages_link_or_name_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")

    named = re.findall(
        r"`((?:docs|deploy|benchmark|tests|proto|swarm|node|sandbox)/[\w./-]+)`", text
    )

    for path in named:
        assert (ROOT / path).exists(), path
