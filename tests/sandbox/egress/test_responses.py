"""The head of a response, which has to say that the connection ends."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_sandbox.egress.responses import HEAD_BYTES_MAX, ResponseHead


def passed(data: bytes, cuts: list[int] | None = None) -> bytes:
    """Feed data in pieces and return everything that comes out."""
    head = ResponseHead()
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts or [])})
    pieces = [data[start:end] for start, end in pairwise(edges)]
    return b"".join(head.feed(piece) for piece in pieces) + head.finish()


@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 200 OK\r\nX: 1\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nX: 1\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nX: 1\r\nconnection:close\r\n\r\nbody",
    ],
)
def test_every_response_ends_its_connection(before: bytes) -> None:
    assert passed(before) == b"HTTP/1.1 200 OK\r\nX: 1\r\nConnection: close\r\n\r\nbody"


def test_interim_responses_pass_as_they_are() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"

    after = passed(interim + b"HTTP/1.1 204 No Content\r\n\r\n")

    assert after == interim + b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200",
        b"<html>HTTP/0.9 had no head</html>\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n\x00\x01",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 2 * HEAD_BYTES_MAX,
    ],
)
def test_what_is_no_head_passes_as_it_came(data: bytes) -> None:
    assert passed(data) == data


@given(st.lists(st.integers(0, 10_000), max_size=8))
def test_how_it_is_cut_makes_no_difference(cuts: list[int]) -> None:
    data = (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nX: 1\r\n\r\nbody\r\n\r\nConnection: x\r\n"
    )

    assert passed(data, cuts) == passed(data)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=4))
def test_no_bytes_break_it(data: bytes, cuts: list[int]) -> None:
    assert passed(data, cuts) == passed(data)
