"""What a person has decided in a home, put there through the store as a person would have it."""

from __future__ import annotations

from pathlib import Path

from skilllite.folder_trust import FolderTrust
from skilllite.gating import open_decisions
from skilllite.home import Home
from skilllite.scanning import open_verdicts
from skilllite.sdk import open_stage
from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.gate.decisions import Decisions, asked_by
from skilllite_sandbox.gate.request import ConsentRequest, make_request
from skilllite_sandbox.gate.verdicts import REVIEW
from skilllite_sandbox.policy import Grants, Policy
from skilllite_sandbox.scan.version import SCANNER_VERSION


def fail(problem: str) -> None:
    """Be told of damage where there must be none."""
    raise AssertionError(problem)


def decisions(home: Home) -> Decisions:
    """Return the decisions of a home."""
    return open_decisions(home, on_damage=fail)


def trusts(home: Home, folder: Path) -> None:
    """Have the person trust the skills of a folder."""
    home.prepare()
    assert FolderTrust(home).trust(str(folder), by="terminal")


def lets_hide(home: Home, skill: Path) -> None:
    """Have the person let a skill take the place of a bundled or installed one."""
    home.prepare()
    decisions(home).let_hide(compute_digest(skill), skill.name)


def question_about(home: Home, skill: Path, grants: Grants | None = None) -> ConsentRequest:
    """Return what the person would be asked about a skill."""
    staged = open_stage(home).put(skill)
    judgement = open_verdicts(home).of(staged)
    assert judgement.verdict == REVIEW, judgement
    policy = Policy(grants=grants or Grants())
    return make_request(staged, judgement, policy, scanner=SCANNER_VERSION, rules="")


def agrees(home: Home, skill: Path, grants: Grants | None = None, *, once: bool = False) -> None:
    """Have the person agree to a skill as it is now."""
    home.prepare()
    question = question_about(home, skill, grants)
    if once:
        decisions(home).agree_once(question)
    else:
        decisions(home).agree(question)


def grants(home: Home, skill: Path, granted: Grants, *, place: str = "") -> None:
    """Have the person grant a skill something for good."""
    home.prepare()
    staged = open_stage(home).put(skill)
    decisions(home).grant(
        staged.digest,
        name=staged.skill.name,
        grants=granted,
        asked=asked_by(staged.skill.requests),
        place=place,
    )
