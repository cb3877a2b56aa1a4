from __future__ import annotations

import itertools
import re

from skilllite_swarm.words import WORD_SET, WORDS


def differ_by_one_letter(one: str, other: str) -> bool:
    if len(one) == len(other):
        return sum(a != b for a, b in zip(one, other, strict=True)) <= 1
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def test_three_words_carry_thirty_bits() -> None:
    assert len(WORDS) == len(WORD_SET) == 1_024


def test_every_word_is_four_to_seven_plain_letters() -> None:
    assert [word for word in WORDS if not re.fullmatch(r"[a-z]{4,7}", word)] == []


def test_the_first_four_letters_tell_a_word() -> None:
    assert len({word[:4] for word in WORDS}) == len(WORDS)


def test_no_slip_of_one_letter_makes_another_word() -> None:
    slips = [pair for pair in itertools.combinations(WORDS, 2) if differ_by_one_letter(*pair)]

    assert slips == []
