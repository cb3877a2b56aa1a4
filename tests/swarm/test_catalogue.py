"""A catalogue is believed only as the node signed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_swarm.catalogue import (
    DESCRIPTION_LENGTH_MAX,
    LACK_LENGTH_MAX,
    LACKS_MAX,
    SKILLS_MAX,
    check_catalogue,
    entry_bytes,
    fit_entries,
    make_catalogue,
    root_of,
    signed_bytes,
)
from skilllite_swarm.errors import CatalogueRejected
from skilllite_swarm.transport import Catalogue, CatalogueHead, SkillEntry

NODE = "node-a"
EPOCH = 7
NOTHING = CatalogueHead()


def keyed_sign(data: bytes) -> bytes:
    """A signature whose check needs no key material: enough to see what is covered."""
    return sha256(b"secret" + data).digest()


def is_signed(data: bytes, signature: bytes) -> bool:
    return keyed_sign(data) == signature


def entry(name: str = "calculator", **changes: object) -> SkillEntry:
    plain = SkillEntry(
        name=name,
        description="Adds numbers.",
        digest="sha256:" + "0" * 64,
        language="python",
        idempotent=True,
        lacks=("network: not granted in this version",),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def catalogue(*entries: SkillEntry, sequence: int = 3) -> Catalogue:
    return make_catalogue(NODE, entries, epoch=EPOCH, sequence=sequence, sign=keyed_sign)


def check(
    given: Catalogue,
    *,
    node_id: str = NODE,
    epoch: int = EPOCH,
    held: CatalogueHead = NOTHING,
) -> None:
    check_catalogue(given, node_id=node_id, epoch=epoch, held=held, is_signed=is_signed)


def test_what_a_node_signed_is_accepted() -> None:
    check(catalogue(entry("a"), entry("b")))


def test_an_empty_catalogue_is_accepted() -> None:
    check(catalogue())


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Adds numbers!"},
        {"digest": "sha256:" + "1" * 64},
        {"language": "bash"},
        {"idempotent": False},
        {"lacks": ()},
        {"name": "calculator2"},
    ],
)
def test_a_changed_entry_is_rejected(change: dict[str, object]) -> None:
    signed = catalogue(entry())

    with pytest.raises(CatalogueRejected, match="not those that were signed"):
        check(replace(signed, skills=(entry(**change),)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "forge",
    [
        lambda c: replace(c, head=replace(c.head, sequence=c.head.sequence + 1)),
        lambda c: replace(c, head=replace(c.head, epoch=c.head.epoch + 1)),
        lambda c: replace(c, head=replace(c.head, root=b"\0" * 32)),
        lambda c: replace(c, signature=b""),
    ],
)
def test_a_changed_head_is_rejected(forge: Callable[[Catalogue], Catalogue]) -> None:
    with pytest.raises(CatalogueRejected, match="not signed"):
        check(forge(catalogue(entry())))


def test_the_catalogue_of_another_node_is_rejected() -> None:
    with pytest.raises(CatalogueRejected, match="not signed"):
        check(catalogue(entry()), node_id="node-b")


def test_a_catalogue_from_another_start_is_rejected() -> None:
    with pytest.raises(CatalogueRejected, match="another start"):
        check(catalogue(entry()), epoch=EPOCH + 1)


def test_an_older_catalogue_is_rejected() -> None:
    with pytest.raises(CatalogueRejected, match="older"):
        check(catalogue(entry(), sequence=2), held=CatalogueHead(EPOCH, 3, b"x"))


def test_an_earlier_start_does_not_make_the_present_one_older() -> None:
    check(catalogue(entry(), sequence=0), held=CatalogueHead(EPOCH + 9, 3, b"x"))


def test_two_catalogues_under_one_sequence_are_rejected() -> None:
    first, second = catalogue(entry("a")), catalogue(entry("b"))

    with pytest.raises(CatalogueRejected, match="two different"):
        check(second, held=first.head)


def test_a_head_outside_its_range_is_rejected() -> None:
    with pytest.raises(CatalogueRejected, match="out of range"):
        check(replace(catalogue(), head=CatalogueHead(2**64, 0, b"")))


def test_entries_out_of_order_and_doubled_are_rejected() -> None:
    for entries in ([entry("b"), entry("a")], [entry("a"), entry("a")]):
        with pytest.raises(CatalogueRejected, match="out of order"):
            check(catalogue(*entries))


def test_too_many_skills_are_rejected() -> None:
    entries = [entry(f"s{number:05d}") for number in range(SKILLS_MAX + 1)]

    with pytest.raises(CatalogueRejected, match=f"more than {SKILLS_MAX}"):
        check(catalogue(*entries))


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "a b"},
        {"name": "x" * 65},
        {"digest": "sha256:0"},
        {"digest": "sha256:" + "0" * 64 + "\n"},
        {"description": "x" * (DESCRIPTION_LENGTH_MAX + 1)},
        {"description": "\x1b[2J clears the reader's screen"},
        {"language": "x" * 33},
        {"lacks": ("x",) * (LACKS_MAX + 1)},
        {"lacks": ("x" * (LACK_LENGTH_MAX + 1),)},
    ],
)
def test_a_signed_entry_outside_the_bounds_is_rejected(change: dict[str, object]) -> None:
    with pytest.raises(CatalogueRejected, match="a skill in the catalogue has"):
        check(catalogue(entry(**change)))  # type: ignore[arg-type]


def test_texts_that_are_too_long_are_cut_and_cleaned_before_signing() -> None:
    wordy = entry(description="\x1b[1m" + "é" * 5_000, lacks=("x" * 999,) * 99)

    (fitted,), left_out = fit_entries([wordy])

    check(catalogue(fitted))
    assert len(fitted.description) == DESCRIPTION_LENGTH_MAX
    assert "\x1b" not in fitted.description
    assert len(fitted.lacks) == LACKS_MAX
    assert left_out == ()


def test_skills_that_do_not_fit_are_named() -> None:
    offered = [entry(f"s{number:05d}") for number in reversed(range(SKILLS_MAX + 2))]

    kept, left_out = fit_entries([*offered, entry("not a name"), entry("s00000")])

    check(catalogue(*kept))
    assert len(kept) == SKILLS_MAX
    assert set(left_out) == {"s01000", "s01001", "not a name", "s00000"}


def test_a_catalogue_of_long_texts_stays_below_one_message() -> None:
    fat = {"description": "漢" * DESCRIPTION_LENGTH_MAX, "lacks": ("漢" * LACK_LENGTH_MAX,) * 16}

    kept, left_out = fit_entries(entry(f"s{n:05d}", **fat) for n in range(SKILLS_MAX))

    check(catalogue(*kept))
    assert 200 < len(kept) < SKILLS_MAX
    assert len(kept) + len(left_out) == SKILLS_MAX


texts = st.text(max_size=8)
entries = st.builds(
    SkillEntry,
    name=texts,
    description=texts,
    digest=texts,
    language=texts,
    idempotent=st.booleans(),
    lacks=st.lists(texts, max_size=3).map(tuple),
)


@given(st.lists(entries, max_size=3), st.lists(entries, max_size=3))
def test_different_entries_have_different_roots(
    one: list[SkillEntry], other: list[SkillEntry]
) -> None:
    assert (root_of(one) == root_of(other)) == (one == other)


@given(entries, entries)
def test_different_entries_have_different_bytes(one: SkillEntry, other: SkillEntry) -> None:
    assert (entry_bytes(one) == entry_bytes(other)) == (one == other)


heads = st.builds(
    CatalogueHead,
    epoch=st.integers(0, 2**64 - 1),
    sequence=st.integers(0, 2**64 - 1),
    root=st.binary(max_size=4),
)


@given(texts, heads, texts, heads)
def test_different_heads_are_signed_differently(
    node: str, head: CatalogueHead, other_node: str, other_head: CatalogueHead
) -> None:
    same = (node, head) == (other_node, other_head)

    assert (signed_bytes(node, head) == signed_bytes(other_node, other_head)) == same


@given(st.lists(st.builds(entry, name=st.text(max_size=70), description=st.text()), max_size=5))
def test_whatever_a_node_has_becomes_a_catalogue_that_others_accept(
    offered: list[SkillEntry],
) -> None:
    kept, left_out = fit_entries(offered)

    check(catalogue(*kept))
    assert len(kept) + len(left_out) == len(offered)
