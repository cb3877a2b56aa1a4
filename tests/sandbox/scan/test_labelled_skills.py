"""The scanner on 107 small skills that were written apart from it: what it catches and troubles."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmark.accuracy.corpus import BENIGN, MALICIOUS, load_corpus
from benchmark.accuracy.measure import AS_IT_IS, REWRITES, Scanned, drop, of, rates, scan_all
from benchmark.scan_accuracy import (
    ALARM_FALSE_MOST,
    ALARM_RECALL_LEAST,
    BLOCK_RECALL_LEAST,
    DROP_POINTS_MOST,
)

from skilllite_sandbox.scan.finding import Verdict

CORPUS = Path(__file__).parents[2] / "data" / "labelled_skills"


@pytest.fixture(scope="module")
def scanned() -> list[Scanned]:
    return list(scan_all(load_corpus(CORPUS), rewrites=REWRITES, seed=1))


def test_no_ordinary_skill_is_blocked(scanned: list[Scanned]) -> None:
    blocked = [
        (row.sample.name, row.codes) for row in of(scanned, BENIGN) if row.verdict is Verdict.BLOCK
    ]

    assert len(of(scanned, BENIGN)) >= 20
    assert blocked == []


def test_few_ordinary_skills_are_asked_about_for_more_than_a_declaration(
    scanned: list[Scanned],
) -> None:
    assert rates(of(scanned, BENIGN)).alarm <= ALARM_FALSE_MOST


def test_hostile_skills_are_blocked_and_hardly_one_passes(scanned: list[Scanned]) -> None:
    found = rates(of(scanned, MALICIOUS))

    assert found.samples >= 50
    assert found.block >= BLOCK_RECALL_LEAST
    assert found.anything >= ALARM_RECALL_LEAST


@pytest.mark.parametrize("rewrite", REWRITES)
def test_writing_it_differently_hides_nothing(scanned: list[Scanned], rewrite: str) -> None:
    assert any(row.rewrite == rewrite for row in scanned)
    assert drop(scanned, rewrite, lambda row: row.verdict is Verdict.BLOCK) <= DROP_POINTS_MOST


def test_rewrites_trouble_no_ordinary_skill_more(scanned: list[Scanned]) -> None:
    kept = ("rename", "alias imports", "move", "split", "move text", "rewrap text")
    blocked = [
        (row.sample.name, row.rewrite)
        for row in scanned
        if row.sample.label == BENIGN and row.rewrite in (AS_IT_IS, *kept)
        if row.verdict is Verdict.BLOCK
    ]

    assert blocked == []
