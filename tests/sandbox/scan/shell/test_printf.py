"""`printf` is followed as it repeats its pattern, and not for ever."""

from __future__ import annotations

import pytest

from skilllite_sandbox.scan.acts import Act
from skilllite_sandbox.scan.shell import analyse_shell_text


@pytest.mark.parametrize("pattern", ["%%", "100%% of", "no directive", "%"])
def test_a_pattern_that_takes_no_argument_is_printed_once(pattern: str) -> None:
    analysis = analyse_shell_text(f"printf '{pattern}' a b c", "scripts/main.sh")

    assert analysis.opaque == ()


def test_a_pattern_is_repeated_for_the_arguments_that_are_left() -> None:
    text = "$(printf '%s' c u r l) https://a.example.invalid/x"

    doings = analyse_shell_text(text, "scripts/main.sh").doings

    assert any(doing.act is Act.FETCH for doing in doings)
