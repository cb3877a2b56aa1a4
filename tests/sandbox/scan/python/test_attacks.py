"""Short scripts of every family that an attacker writes in Python, each in a way of its own.

None of these is ever run; their hosts don't exist.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from skilllite_sandbox.scan.finding import Severity
from skilllite_sandbox.scan.python import analyse_python_text
from skilllite_sandbox.scan.rules import findings_of

_DATA = Path(__file__).parents[3] / "data" / "scan"
_REVIEWED = {"exec pip git", "archive slip"}
"""Where a person has to look: packages of a forge, an archive that is unpacked to the root."""


def scripts(name: str) -> list[tuple[str, str]]:
    """Return title and code of each script of a file."""
    text = (_DATA / name).read_text()
    parts = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    return [(title, code) for title, _, code in (part.partition("\n") for part in parts)]


@pytest.mark.parametrize(("title", "code"), scripts("python_attacks.txt"))
def test_an_attack_is_blocked(title: str, code: str) -> None:
    found = findings_of(analyse_python_text(code, "scripts/main.py"))
    most = max((each.severity for each in found), default=Severity.INFO)
    assert most >= (Severity.HIGH if title in _REVIEWED else Severity.CRITICAL)


@pytest.mark.parametrize(("title", "code"), scripts("python_ordinary.txt"))
def test_an_ordinary_script_is_not_blocked(title: str, code: str) -> None:
    found = findings_of(analyse_python_text(code, "scripts/main.py"))
    assert [each.code for each in found if each.severity >= Severity.CRITICAL] == []
