"""What an advisory in OSV format says of a version, by the format's own rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_sandbox.scan.finding import Severity
from skilllite_sandbox.supply.advisory import Advisory, merge_aliases, parse_record
from skilllite_sandbox.supply.dependency import Ecosystem
from skilllite_sandbox.supply.severity import base_score, severity_of_vector, severity_of_word


def record(**changes: Any) -> dict[str, Any]:
    """Return a record about `thing` of PyPI, with what the test is about."""
    affected: dict[str, Any] = {"package": {"ecosystem": "PyPI", "name": "Thing"}}
    for key in ("ranges", "versions", "package", "database_specific"):
        if f"affected_{key}" in changes:
            affected[key] = changes.pop(f"affected_{key}")
    return {"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-01-01T00:00:00Z"} | {
        "affected": [affected],
        **changes,
    }


def advisory(**changes: Any) -> Advisory:
    (found,) = parse_record(record(**changes))
    return found


def ranged(*events: dict[str, str], kind: str = "ECOSYSTEM") -> list[dict[str, Any]]:
    return [{"type": kind, "events": list(events)}]


def test_fixed_is_outside_and_introduced_is_inside() -> None:
    found = advisory(affected_ranges=ranged({"introduced": "1.0"}, {"fixed": "1.5"}))

    assert [found.hits(v) for v in ("0.9", "1.0", "1.4.9", "1.5", "2.0")] == [
        *(False, True, True, False, False)
    ]
    assert found.fixed_in == ("1.5",)


def test_last_affected_is_inside() -> None:
    found = advisory(affected_ranges=ranged({"introduced": "0"}, {"last_affected": "2.0"}))

    assert [found.hits(v) for v in ("0.0.1", "2.0", "2.0.0", "2.0.1")] == [True, True, True, False]


def test_events_may_come_in_any_order_and_more_than_once() -> None:
    found = advisory(
        affected_ranges=ranged(
            {"fixed": "3.1"}, {"introduced": "3.0"}, {"fixed": "1.1"}, {"introduced": "0"}
        )
    )

    assert [found.hits(v) for v in ("1.0", "1.1", "2.0", "3.0.5", "3.1")] == [
        *(True, False, False, True, False)
    ]


def test_a_limit_ends_a_range() -> None:
    found = advisory(affected_ranges=ranged({"introduced": "0"}, {"limit": "2.0"}))

    assert found.hits("1.9")
    assert not found.hits("2.0")


def test_listed_versions_count_beside_ranges() -> None:
    found = advisory(affected_versions=["5.0"], affected_ranges=ranged({"introduced": "9"}))

    assert [found.hits(v) for v in ("5.0.0", "6", "9.1")] == [True, False, True]


def test_ranges_of_commits_say_nothing_about_versions() -> None:
    found = advisory(affected_ranges=ranged({"introduced": "0"}, kind="GIT"))

    assert not found.hits("1.0")


def test_prereleases_are_compared_as_their_ecosystem_does() -> None:
    package = {"ecosystem": "npm", "name": "thing"}
    npm = advisory(
        affected_package=package,
        affected_ranges=ranged({"introduced": "0"}, {"fixed": "1.0.0"}, kind="SEMVER"),
    )
    pypi = advisory(affected_ranges=ranged({"introduced": "0"}, {"fixed": "1.0"}))

    assert npm.hits("1.0.0-rc.1") and not npm.hits("1.0.0")
    assert pypi.hits("1.0rc1") and not pypi.hits("1.0.post1")


def test_a_version_that_cannot_be_compared_counts_as_hit() -> None:
    found = advisory(affected_ranges=ranged({"introduced": "1.0"}, {"fixed": "1.5"}))

    assert found.hits("what ever")


@pytest.mark.parametrize(
    ("wanted", "may"),
    [
        ("", True),
        ("<1.0", False),
        (">=1.5", False),
        (">=1.2", True),
        ("<1.2", True),
        ("~=1.4", True),
        (">=0.5,<0.9", False),
        ("^2", False),
    ],
)
def test_a_range_may_let_in_what_an_advisory_is_about(wanted: str, may: bool) -> None:
    found = advisory(affected_ranges=ranged({"introduced": "1.0"}, {"fixed": "1.5"}))

    assert found.may_hit(wanted) is may


def test_what_was_withdrawn_says_nothing() -> None:
    assert parse_record(record(withdrawn="2026-01-02T00:00:00Z")) == ()


def test_names_are_compared_in_their_one_spelling_and_releases_of_an_ecosystem_are_it() -> None:
    found = advisory(affected_package={"ecosystem": "PyPI:3.11", "name": "My_Thing.x"})

    assert (found.ecosystem, found.name) == (Ecosystem.PYPI, "my-thing-x")


def test_other_ecosystems_are_left_out() -> None:
    assert parse_record(record(affected_package={"ecosystem": "Go", "name": "x"})) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "MAL-2026-1"},
        {"aliases": ["MAL-2026-1"]},
        {"database_specific": {"cwe_ids": ["CWE-506"]}},
        {"affected_database_specific": {"cwes": [{"cweId": "CWE-506"}]}},
    ],
)
def test_an_advisory_about_malice_is_critical(changes: dict[str, Any]) -> None:
    found = advisory(**changes)

    assert found.malicious
    assert found.severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({"database_specific": {"severity": "MODERATE"}}, Severity.MEDIUM),
        ({"database_specific": {"severity": "CRITICAL"}}, Severity.HIGH),
        (
            {
                "severity": [
                    {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
                ],
                "database_specific": {"severity": "LOW"},
            },
            Severity.HIGH,
        ),
        ({}, Severity.MEDIUM),
    ],
)
def test_the_worst_that_is_said_counts(changes: dict[str, Any], severity: Severity) -> None:
    found = advisory(**changes)

    assert found.severity is severity
    assert found.rated is bool(changes)


# Scores that the specification's own calculator gives.
@pytest.mark.parametrize(
    ("vector", "score"),
    [
        ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
        ("AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 1.8),
        ("AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:H", 5.9),
        ("AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:N", 0.0),
    ],
)
def test_base_scores_are_those_of_the_specification(vector: str, score: float) -> None:
    metrics = dict(part.split(":") for part in vector.split("/"))

    assert base_score(metrics) == pytest.approx(score)


def test_vectors_of_the_fourth_version_go_by_their_worst_impact() -> None:
    start = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N"

    assert severity_of_vector(f"{start}/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N") is Severity.HIGH
    assert severity_of_vector(f"{start}/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N") is Severity.MEDIUM
    assert severity_of_vector(f"{start}/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N") is Severity.LOW


def test_what_is_no_vector_and_no_word_says_nothing() -> None:
    assert severity_of_vector("CVSS:3.1/AV:N") is None
    assert severity_of_word("spicy") is None


def test_advisories_about_one_thing_are_one_with_all_names() -> None:
    pysec = advisory(id="PYSEC-2026-1", aliases=["CVE-2026-1", "GHSA-aaaa-bbbb-cccc"])
    ghsa = advisory(aliases=["CVE-2026-1"], database_specific={"severity": "HIGH"})
    other = advisory(id="PYSEC-2026-2", aliases=["CVE-2026-2"])

    merged = merge_aliases([pysec, other, ghsa])

    assert len(merged) == 2
    one = next(each for each in merged if "CVE-2026-1" in each.aliases)
    assert {one.id, *one.aliases} == {"PYSEC-2026-1", "CVE-2026-1", "GHSA-aaaa-bbbb-cccc"}
    assert one.severity is Severity.HIGH


def test_versions_that_only_one_of_two_aliases_lists_are_hit() -> None:
    one = advisory(id="GHSA-1", aliases=["MAL-2026-1"], affected_ranges=ranged({"fixed": "1.0"}))
    other = advisory(id="MAL-2026-1", affected_versions=["9.9"])

    for order in ((one, other), (other, one)):
        (merged,) = merge_aliases(order)
        assert merged.hits("9.9")
        assert merged.malicious


def test_somebodys_build_of_a_release_is_that_release() -> None:
    listed = advisory(affected_versions=["1.0"])
    ranged_to = advisory(affected_ranges=ranged({"introduced": "0"}, {"last_affected": "1.0"}))

    assert listed.hits("1.0+cu118")
    assert ranged_to.hits("1.0+cu118")
    assert not ranged_to.hits("1.1+cu118")


def test_a_chain_of_aliases_is_one_group() -> None:
    found = [
        advisory(id="A-1", aliases=["X-1"]),
        advisory(id="B-1", aliases=["Y-1"]),
        advisory(id="C-1", aliases=["X-1", "Y-1"]),
    ]

    assert len(merge_aliases(found)) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("id", "aliases", "affected", "package", "ecosystem", "name", "ranges"),
                    *("events", "introduced", "fixed", "type", "versions", "severity", "score"),
                    *("database_specific", "withdrawn", "summary", "cwe_ids"),
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(JSON, JSON)
def test_no_record_stumbles_it(value: Any, affected: Any) -> None:
    for each in (value, {"id": "X-1", "affected": [affected]}, {**record(), "affected": affected}):
        try:
            found = parse_record(each)
        except ValueError:
            continue
        for one in found:
            one.hits("1.0")
            one.may_hit(">=1")
        merge_aliases(found)
