"""How bad an advisory says it is: the scores of CVSS 3, and the words that data bases use. Pure.

CVSS 4 scores come from a table of hundreds of rows; here only what its vector says of the worst
that can happen counts, which is never less than its own table gives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from skilllite_sandbox.scan.finding import Severity

VECTOR_CHARS_MAX = 500  # all metrics there are take 200

_WEIGHTS = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_RIGHTS = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}
_WORDS = {
    "none": Severity.INFO,
    "low": Severity.LOW,
    "moderate": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "important": Severity.HIGH,
    "high": Severity.HIGH,
    "critical": Severity.HIGH,
}
"""A vulnerability is no attack: however bad it is, a person may agree to it."""

_HIGH_FROM, _MEDIUM_FROM = 7.0, 4.0  # as CVSS itself draws the lines


def severity_of_word(word: str) -> Severity | None:
    """Return what a word of a data base stands for; None when nobody knows it."""
    return _WORDS.get(word.strip().lower())


def severity_of_vector(vector: str) -> Severity | None:
    """Return what a CVSS vector stands for; None when it can't be read."""
    if len(vector) > VECTOR_CHARS_MAX:
        return None
    metrics = dict(re.findall(r"(?:^|/)([A-Za-z]+):([A-Za-z0-9.]+)", vector))
    if metrics.get("CVSS", "").startswith("4"):
        return _worst_of_4(metrics)
    score = base_score(metrics)
    if score is None:
        return None
    if score >= _HIGH_FROM:
        return Severity.HIGH
    if score >= _MEDIUM_FROM:
        return Severity.MEDIUM
    return Severity.LOW if score > 0 else Severity.INFO


def base_score(metrics: Mapping[str, str]) -> float | None:
    """Return the base score of CVSS 3.0 or 3.1, None when a metric is missing."""
    try:
        weight = {key: row[metrics[key]] for key, row in _WEIGHTS.items()}
        scope = metrics["S"]
        rights = _RIGHTS[scope][metrics["PR"]]
    except KeyError:
        return None
    missed = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    if scope == "U":
        impact = 6.42 * missed
    else:
        impact = 7.52 * (missed - 0.029) - 3.25 * (missed - 0.02) ** 15
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * weight["AV"] * weight["AC"] * rights * weight["UI"]
    total = impact + exploitability
    return _rounded_up(min(total if scope == "U" else 1.08 * total, 10.0))


def _rounded_up(value: float) -> float:
    """Return the next tenth, computed in integers as the specification asks."""
    whole = round(value * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (whole // 10_000 + 1) / 10


def _worst_of_4(metrics: Mapping[str, str]) -> Severity:
    impacts = [metrics.get(key, "H") for key in ("VC", "VI", "VA", "SC", "SI", "SA")]
    if "H" in impacts:
        return Severity.HIGH
    return Severity.MEDIUM if "L" in impacts else Severity.LOW
