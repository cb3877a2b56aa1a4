"""The arguments of `run`: read without argparse they mean what argparse makes of them."""

from __future__ import annotations

import argparse
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_sandbox.errors import InvalidInput
from skilllite_sandbox.outcome import Reason
from skilllite_sandbox.policy import DEFAULT_LIMITS, Level
from skilllite_sandbox.run_arguments import (
    INPUT_BYTES_MAX,
    LEVELS,
    GivenInput,
    add_run_arguments,
    plain_run_arguments,
)
from skilllite_sandbox.run_output import _HINTS, _STATUS_OF_REASONS

WORDS = st.sampled_from(
    [
        *("--json", "--explain", "--sandbox-level", "--timeout", "--max-memory", "--allow-exec"),
        *("--allow-network", "--allow", "--json=1", "--timeout=3", "--", "-", "-h", "-1", "-x y"),
        *("1", "2", "3", "4", "0", "2.5", "1e3", "nan", "inf", "1e9", "a", "{}", "", "é", " 2 "),
    ]
)


class Refused(Exception):
    """Argparse would have left."""


class Parser(argparse.ArgumentParser):
    """Tells instead of leaving."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise Refused(message)

    def print_help(self, file: object = None) -> None:
        raise Refused("help")


def parsed(words: list[str], *, with_script: bool) -> dict[str, object] | None:
    """Return what argparse makes of it."""
    parser = Parser(allow_abbrev=False)
    add_run_arguments(parser, with_script=with_script, skill="SKILL")
    try:
        return vars(parser.parse_args(words))
    except Refused:
        return None


@given(st.lists(WORDS, max_size=7), st.booleans())
def test_read_plainly_they_are_what_argparse_makes_of_them(
    words: list[str], with_script: bool
) -> None:
    plain = plain_run_arguments(words, with_script=with_script)

    assert plain is None or vars(plain) == parsed(words, with_script=with_script)


@pytest.mark.parametrize(
    "words",
    [
        ["skill", "{}"],
        ["skill", "-"],
        ["skill", "{}", "--json"],
        ["--sandbox-level", "2", "skill", "{}", "--timeout", "2.5", "--max-memory", "64"],
        ["skill", "{}", "--allow-network", "a", "--allow-network", "b:1"],
        ["skill", "{}", "--allow-exec", "git", "--allow-exec", "jq"],
    ],
)
def test_the_usual_ways_to_write_them_are_plain(words: list[str]) -> None:
    plain = plain_run_arguments(words, with_script=False)

    assert plain is not None
    assert vars(plain) == parsed(words, with_script=False)
    assert plain_run_arguments(["skill", "a.py", "{}"], with_script=True) is not None


def test_stdin_is_read_once_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO('{"ü": 1}'.encode())))

    given_input = GivenInput("-")

    assert [given_input.read(), given_input.read()] == ['{"ü": 1}'] * 2


def test_what_is_wrong_with_stdin_is_said_as_often_as_somebody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff")))
    given_input = GivenInput("-")

    for _ in range(2):
        with pytest.raises(InvalidInput, match="not UTF-8"):
            given_input.read()


def test_what_is_repeated_here_to_import_nothing_is_what_the_sandbox_says() -> None:
    assert tuple(map(Level, LEVELS)) == tuple(Level)
    assert DEFAULT_LIMITS.input_bytes == INPUT_BYTES_MAX
    assert {*_HINTS, *_STATUS_OF_REASONS, "not_json"} <= {reason.value for reason in Reason}
