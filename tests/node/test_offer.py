"""Which skills a node offers, and when the offer changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from skilllite import offer as offer_module
from skilllite.catalog import NEEDS_NODE
from skilllite.offer import OfferedSkills
from skilllite_sandbox.stage import Stage


@dataclass(frozen=True)
class Found:
    name: str
    directory: Path
    lacks: tuple[str, ...] = ()


@pytest.fixture
def offered(tmp_path: Path) -> OfferedSkills:
    (tmp_path / "stage").mkdir(mode=0o700)
    return OfferedSkills(Stage(tmp_path / "stage"))


def write_skill(root: Path, name: str, code: str = "print('{}')", **scripts: str) -> Found:
    directory = root / name
    (directory / "scripts").mkdir(parents=True)
    manifest = f"---\nname: {name}\ndescription: Made for a test.\n---\n"
    (directory / "SKILL.md").write_text(manifest, encoding="utf-8")
    if code:
        (directory / "scripts/main.py").write_text(code, encoding="utf-8")
    for script, text in scripts.items():
        (directory / f"scripts/{script}.py").write_text(text, encoding="utf-8")
    return Found(name, directory)


def test_offer_describes_what_a_peer_has_to_know(tmp_path: Path, offered: OfferedSkills) -> None:
    skill = write_skill(tmp_path, "adder")

    assert offered.refresh([skill])

    (entry,) = offered.entries
    assert (entry.name, entry.description) == ("adder", "Made for a test.")
    assert entry.digest.startswith("sha256:")
    assert entry.language == "python"
    assert entry.idempotent
    assert offered.directory_of("adder") == skill.directory
    assert offered.directory_of("other") is None


def test_same_skills_are_no_change_and_an_edit_is_one(
    tmp_path: Path, offered: OfferedSkills
) -> None:
    skill = write_skill(tmp_path, "adder")
    offered.refresh([skill])
    before = offered.entries

    assert not offered.refresh([skill])
    (skill.directory / "scripts/main.py").write_text("print(1)", encoding="utf-8")
    assert offered.refresh([skill])
    assert offered.entries[0].digest != before[0].digest
    assert offered.refresh([])
    assert offered.entries == ()
    assert offered.directory_of("adder") is None


def test_what_one_call_cannot_start_stays_local(tmp_path: Path, offered: OfferedSkills) -> None:
    reading = write_skill(tmp_path, "reading", code="")
    tools = write_skill(tmp_path, "tools", code="", one="print(1)", two="print(2)")

    offered.refresh([reading, tools])

    assert offered.entries == ()


def test_skill_whose_interpreter_is_missing_is_left_to_others(
    tmp_path: Path, offered: OfferedSkills
) -> None:
    skill = write_skill(tmp_path, "script")

    offered.refresh([Found(skill.name, skill.directory, (NEEDS_NODE,))])
    assert not offered.entries
    offered.refresh([Found(skill.name, skill.directory, ("network: none here",))])
    (entry,) = offered.entries
    assert entry.lacks == ("network: none here",)


def test_broken_skill_is_left_out_and_reported_once(
    tmp_path: Path, offered: OfferedSkills, caplog: pytest.LogCaptureFixture
) -> None:
    good = write_skill(tmp_path, "good")
    broken = write_skill(tmp_path, "broken")
    (broken.directory / "SKILL.md").write_text("no front matter", encoding="utf-8")

    for _ in range(3):
        offered.refresh([broken, good, Found("gone", tmp_path / "gone")])

    assert [entry.name for entry in offered.entries] == ["good"]
    assert caplog.text.count("skill broken is not offered") == 1


def test_number_of_offered_skills_is_bounded(
    tmp_path: Path, offered: OfferedSkills, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offer_module, "OFFERED_MAX", 2)

    offered.refresh([write_skill(tmp_path, name) for name in ("a", "b", "c")])

    assert [entry.name for entry in offered.entries] == ["a", "b"]
