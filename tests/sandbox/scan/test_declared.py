"""Which capabilities the prose of `compatibility` declares, and which it only seems to."""

from __future__ import annotations

from pathlib import Path

import pytest

from skilllite_sandbox.scan.declared import declared_capabilities
from skilllite_sandbox.scan.finding import Capability
from skilllite_sandbox.skill import read_skill


def _declared(folder: Path, compatibility: str) -> frozenset[Capability]:
    (folder / "SKILL.md").write_text(
        "---\nname: skill\ndescription: Runs git with GITHUB_TOKEN over the network.\n"
        f'compatibility: "{compatibility}"\n---\nIt runs commands and reads files.\n',
        encoding="utf-8",
    )
    return declared_capabilities(read_skill(folder, folder="skill"))


@pytest.mark.parametrize(
    ("text", "capability"),
    [
        ("Requires Python 3.x with requests library, network access", Capability.NETWORK),
        ("Requires Python 3.11, git", Capability.EXEC),
        ("Needs git and ffmpeg installed", Capability.EXEC),
        ("Requires docker on the PATH", Capability.EXEC),
        ("Python 3, git >= 2.30", Capability.EXEC),
        ("Runs command-line tools", Capability.EXEC),
        ("Reads the environment variable GITHUB_TOKEN", Capability.ENVIRONMENT),
        ("Needs SMTP_HOST and SMTP_USER", Capability.ENVIRONMENT),
        ("Requires an API key", Capability.ENVIRONMENT),
        ("Reads files below the home directory", Capability.FILES),
        ("Uses ctypes and libm", Capability.NATIVE),
        ("Loads pickles", Capability.DYNAMIC_CODE),
        ("Asks for CPU and memory usage", Capability.SYSTEM),
    ],
)
def test_prose_that_names_a_capability_declares_it(
    tmp_path: Path, text: str, capability: Capability
) -> None:
    assert capability in _declared(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Requires Python 3.x",
        "Python 3.11 or later, pandas, numpy",
        "No network access, no subprocesses, no environment variables",
        "Works offline without git",
        "Runs on Linux and macOS",
        "Designed for Claude Code and similar agents",
        "Use with Claude to make slides, and go on from there",
    ],
)
def test_other_prose_declares_nothing(tmp_path: Path, text: str) -> None:
    assert _declared(tmp_path, text) == frozenset()
