"""Names made to be taken for others are found; names of their own are left alone."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_sandbox.supply.dependency import Ecosystem
from skilllite_sandbox.supply.known import (
    known_malicious,
    malicious_packages,
    popular_names,
)
from skilllite_sandbox.supply.lookalike import Likeness, lookalike, slip_length_min
from skilllite_sandbox.supply.popular import PopularNames

PYPI = popular_names(Ecosystem.PYPI)
NPM = popular_names(Ecosystem.NPM)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("requestss", "requests"),
        ("reqeusts", "requests"),
        ("requets", "requests"),
        ("urlib3", "urllib3"),
        ("colourama", "colorama"),
        ("jeilyfish", "jellyfish"),
        ("r3quests", "requests"),
        ("request-s", "requests"),
        ("python3-dateutil", "python-dateutil"),
        ("pythondateutil", "python-dateutil"),
        ("nmupy", "numpy"),
        ("pandsa", "pandas"),
        ("requests2", "requests"),
        ("beautifulsup4", "beautifulsoup4"),
        ("typing-extnesions", "typing-extensions"),
        ("torchvisions", "torchvision"),
        ("r\u0435quests", "requests"),
    ],
)
def test_a_name_made_to_look_like_a_popular_one_is_named_with_it(name: str, meant: str) -> None:
    found = lookalike(Ecosystem.PYPI, name, PYPI)

    assert found is not None
    assert found.name == meant


@pytest.mark.parametrize(
    ("name", "meant", "likeness"),
    [
        ("lodahs", "lodash", Likeness.SLIP),
        ("expresss", "express", Likeness.SLIP),
        ("@typescript_eslint/parser", "@typescript-eslint/parser", Likeness.SCOPE),
        ("types-node", "@types/node", Likeness.SCOPE),
        ("Lodash", "lodash", Likeness.LOOK),
    ],
)
def test_npm_has_scopes_and_capitals_besides(name: str, meant: str, likeness: Likeness) -> None:
    found = lookalike(Ecosystem.NPM, name, NPM)

    assert found is not None
    assert (found.name, found.likeness) == (meant, likeness)


@pytest.mark.parametrize(
    "name",
    [
        *("requests", "psycopg3", "fastai", "websocket", "user-agent", "boto", "toml", "attr"),
        *("my-own-tool", "acme-internal-utils", "pdftables-fast", "x", ""),
    ],
)
def test_a_name_of_its_own_is_left_alone(name: str) -> None:
    assert lookalike(Ecosystem.PYPI, name, PYPI) is None


def test_what_lies_below_an_own_scope_is_its_owners() -> None:
    assert lookalike(Ecosystem.NPM, "@acme/lodahs", NPM) is None


def test_a_short_name_is_near_others_by_chance() -> None:
    popular = PopularNames(["abcd", "abcdefgh"])

    assert lookalike(Ecosystem.PYPI, "abce", popular) is None
    assert lookalike(Ecosystem.PYPI, "abcdxefgh", popular) is not None


LETTERS = st.text("abcdefgh", min_size=6, max_size=14)


@given(LETTERS, st.data())
def test_every_single_slip_is_seen_as_one(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from("xyz"))
    slips = [
        name[:at] + name[at + 1 :],
        name[:at] + letter + name[at:],
        name[:at] + letter + name[at + 1 :],
    ]
    if at + 1 < len(name) and name[at] != name[at + 1]:
        slips.append(name[:at] + name[at + 1] + name[at] + name[at + 2 :])

    for slip in slips:
        assert slip_length_min(slip, name) is not None
        assert name in set(PopularNames([name]).near(slip))


@given(LETTERS)
def test_two_slips_are_none(name: str) -> None:
    assert slip_length_min("xy" + name, name) is None
    assert slip_length_min("x" + name[1:-1] + "y", name) is None
    assert slip_length_min(name, name) is None


@given(st.text(max_size=120))
def test_no_text_stumbles_it(name: str) -> None:
    for ecosystem in Ecosystem:
        found = lookalike(ecosystem, name, popular_names(ecosystem))
        assert found is None or found.name != name


def test_the_lists_that_ship_are_whole() -> None:
    assert (len(PYPI), len(NPM)) == (5000, 4000)
    assert "requests" in PYPI and "lodash" in NPM
    assert PYPI.rank("requests") < 100
    assert len(malicious_packages()) > 400


def test_every_malicious_entry_has_a_source_and_none_is_all_of_a_popular_package() -> None:
    for (ecosystem, name), entry in malicious_packages().items():
        assert entry.source.startswith("https://"), name
        assert entry.versions or not popular_names(ecosystem).is_known(name), name
        assert name not in sys.stdlib_module_names, "whoever writes that means the module"


def test_only_the_versions_that_did_harm_are_malicious() -> None:
    entry = known_malicious(Ecosystem.NPM, "event-stream")

    assert entry is not None
    assert entry.hits("3.3.6")
    assert not entry.hits("3.3.4")
