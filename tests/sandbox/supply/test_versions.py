"""Versions compare as their ecosystems compare them."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_sandbox.supply.dependency import Ecosystem
from skilllite_sandbox.supply.versions import (
    UnreadableVersion,
    admits,
    is_before,
    is_same,
    python_version,
    semver,
)

# https://semver.org, 11.4
IN_ORDER = [
    *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2"),
    *("1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"),
]


def test_semantic_versions_come_in_the_order_of_the_specification() -> None:
    shuffled = random.Random(1).sample(IN_ORDER, len(IN_ORDER))

    assert sorted(shuffled, key=semver) == IN_ORDER


def test_versions_of_python_come_in_the_order_of_its_own() -> None:
    order = ["1.0.dev1", "1.0a1", "1.0rc1", "1.0", "1.0.post1", "1.1", "1!0.1"]

    for one, other in pairwise(order):
        assert is_before(Ecosystem.PYPI, one, other)
        assert not is_before(Ecosystem.PYPI, other, one)


def test_two_spellings_are_one_version() -> None:
    assert is_same(Ecosystem.PYPI, "1.0", "1.0.0")
    assert is_same(Ecosystem.NPM, "v1.0.0", "1.0.0+build")
    assert not is_same(Ecosystem.NPM, "1.0.0-a", "1.0.0")
    assert not is_same(Ecosystem.NPM, "nonsense", "1.0.0")


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        ("^1.2.3", ["1.2.3", "1.9.0"], ["1.2.2", "2.0.0", "2.0.0-rc.1"]),
        ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0", "0.2.2"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0"]),
        ("~1", ["1.0.0", "1.9.9"], ["2.0.0"]),
        ("1.x", ["1.0.0", "1.9.9"], ["2.0.0"]),
        ("1.2", ["1.2.0", "1.2.9"], ["1.3.0"]),
        ("=1.2.3", ["1.2.3"], ["1.2.4"]),
        (">=1.2.3 <2.0.0", ["1.2.3"], ["2.0.0", "1.2.2"]),
        (">1.2", ["1.3.0"], ["1.2.9"]),
        ("<=1.2", ["1.2.9"], ["1.3.0"]),
        ("1.2.3 - 2.3.4", ["1.2.3", "2.3.4"], ["2.3.5"]),
        ("<1 || >=3", ["0.1.0", "3.0.0"], ["2.0.0"]),
        ("*", ["0.0.1", "99.0.0"], []),
        ("", ["1.0.0"], []),
    ],
)
def test_ranges_of_npm(wanted: str, inside: list[str], outside: list[str]) -> None:
    for version in inside:
        assert admits(Ecosystem.NPM, wanted, [version]), version
    for version in outside:
        assert not admits(Ecosystem.NPM, wanted, [version]), version


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        (">=1,<2", "1.5", "2.0"),
        ("~=1.4", "1.9", "2.0"),
        ("^1.2", "1.9", "2.0"),
        ("!=1.5", "1.4", "1.5"),
        ("1.5", "1.5", "1.6"),
    ],
)
def test_ranges_of_python(wanted: str, inside: str, outside: str) -> None:
    assert admits(Ecosystem.PYPI, wanted, [inside])
    assert not admits(Ecosystem.PYPI, wanted, [outside])


@pytest.mark.parametrize("ecosystem", Ecosystem)
def test_a_range_that_cannot_be_read_lets_in_all(ecosystem: Ecosystem) -> None:
    assert admits(ecosystem, "whatever that means", ["1.0.0"])


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_stumbles_it(one: str, other: str) -> None:
    for ecosystem in Ecosystem:
        admits(ecosystem, one, [other, "1.0.0"])
        is_same(ecosystem, one, other)
        try:
            is_before(ecosystem, one, other)
        except UnreadableVersion:
            continue


NUMBERS = st.tuples(*[st.integers(0, 30)] * 3)


@given(NUMBERS, NUMBERS)
def test_plain_numbers_compare_as_numbers(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    first, second = (".".join(map(str, each)) for each in (one, other))

    for ecosystem in Ecosystem:
        assert is_before(ecosystem, first, second) == (one < other)


def test_a_version_without_end_is_refused_quickly() -> None:
    for read in (semver, python_version):
        with pytest.raises(UnreadableVersion):
            read("1." * 100_000)
