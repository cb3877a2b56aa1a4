"""The scanner on skills by people who didn't know it: no worse than when it was last improved."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmark.accuracy.corpus import BENIGN, MALICIOUS, load_corpus
from benchmark.accuracy.measure import of, rates, scan_all
from benchmark.scan_accuracy import ALARM_FALSE_MOST, ALARM_RECALL_LEAST, BLOCK_RECALL_LEAST

from skilllite_sandbox.scan.finding import Verdict

SETS = Path(__file__).parents[2] / "data" / "skills_of_others"


@pytest.mark.parametrize("name", ["rewritten", "siblings"])
def test_hostile_ones_are_found_and_ordinary_ones_are_left_alone(name: str) -> None:
    scanned = list(scan_all(load_corpus(SETS / name), rewrites=(), seed=1))
    hostile, ordinary = rates(of(scanned, MALICIOUS)), of(scanned, BENIGN)

    assert hostile.samples >= 60
    assert hostile.block >= BLOCK_RECALL_LEAST
    assert hostile.anything >= ALARM_RECALL_LEAST
    assert [row.sample.name for row in ordinary if row.verdict is Verdict.BLOCK] == []
    assert rates(ordinary).alarm <= ALARM_FALSE_MOST
