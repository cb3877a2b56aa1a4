"""JSON that every reader takes, and nothing else."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_sandbox.strict_json import DEPTH_MAX, parse_json

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts, st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(texts, inner)),
    max_leaves=20,
).filter(lambda value: "Infinity" not in json.dumps(value))


@given(values, st.booleans())
def test_every_value_survives(value: Any, ascii_only: bool) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only).encode()

    assert parse_json(data) == value


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b" ", b"{", b"{} {}", b"NaN", b"-Infinity", b"[1e400]", b"'a'", b"{a: 1}"),
        *(b'"\\ud800"', b'{"\\udfff": 1}', b'"\xff"', b"\xef\xbb\xbf{}", b"[" * 50_000),
        *(b"1" * 5000, b'"\x01"', b"[1,]", b"nul"),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_what_some_reader_would_refuse_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(data)


def test_escaped_pairs_are_fine() -> None:
    assert parse_json(b'"\\ud83e\\udd89"') == "\N{OWL}"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"[": ', "}"), ('["{\\"[", ', "]")])
def test_depth_is_bounded_whatever_the_stack_would_bear(opening: str, closing: str) -> None:
    def nested(depth: int) -> bytes:
        return (opening * depth + "1" + closing * depth).encode()

    parse_json(nested(DEPTH_MAX))
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    try:
        with pytest.raises(ValueError, match="deep"):
            parse_json(nested(DEPTH_MAX + 1))
    finally:
        sys.setrecursionlimit(before)


def test_brackets_in_text_and_beside_each_other_are_no_depth() -> None:
    assert parse_json(b'["' + b"[{" * 5000 + b'"]') == ["[{" * 5000]
    assert parse_json(b"[" + b"[]," * 5000 + b"[]]") == [[]] * 5001


@pytest.mark.parametrize("data", [b'"\\"' * 600_000, b"[" * 300 + b'"\\' * 600_000, b'"' * 999_999])
def test_strings_that_do_not_end_take_no_longer(data: bytes) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match=r"."):
        parse_json(b"[" * 300 + data)

    assert time.process_time() - began < 5, "a search that starts anew at each quote takes minutes"


@given(st.binary(max_size=60))
def test_whatever_it_takes_can_be_written_again(data: bytes) -> None:
    try:
        value = parse_json(data)
    except ValueError:
        return

    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
