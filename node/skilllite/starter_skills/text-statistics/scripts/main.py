"""Describe a text in numbers: its size, its reading time and the words it uses."""

from __future__ import annotations

import sys
from collections import Counter

import contract
from segments import is_cjk, paragraphs, sentences, words

TEXT_CHARACTERS_MAX = 1_000_000  # about two novels; a few seconds of work
TOP_MAX = 200  # words listed in each ranking
WORD_CHARACTERS_MAX = 100  # of a word that is shown; the rest becomes an ellipsis
WORDS_PER_MINUTE = 200  # silent reading of prose by an adult
CJK_CHARACTERS_PER_MINUTE = 400  # a character carries less than a word, and is read faster
FIELDS = ("text", "top", "case_sensitive", "words_per_minute")


def answer(request: contract.Request) -> object:
    contract.only_fields(request, FIELDS)
    text = contract.text(request, "text", characters_max=TEXT_CHARACTERS_MAX)
    top = contract.integer(request, "top", low=0, high=TOP_MAX, default=10)
    case_sensitive = contract.boolean(request, "case_sensitive", default=False)
    speed = contract.integer(
        request, "words_per_minute", low=50, high=1500, default=WORDS_PER_MINUTE
    )

    found = words(text)
    keys = found if case_sensitive else [word.casefold() for word in found]
    counts = Counter(keys)
    sentence_count = len(sentences(text))
    return {
        "characters": character_counts(text),
        "words": len(found),
        "distinct_words": len(counts),
        "sentences": sentence_count,
        "paragraphs": len(paragraphs(text)),
        "lines": len(text.splitlines()),
        "average_word_length": ratio(sum(map(len, found)), len(found)),
        "average_sentence_words": ratio(len(found), sentence_count),
        "reading_time_seconds": reading_time_s(found, speed),
        "most_common_words": most_common(counts, top),
        "longest_words": longest(counts, top),
    }


def character_counts(text: str) -> dict[str, int]:
    letters = digits = spaces = 0
    for character, count in Counter(text).items():
        letters += count * character.isalpha()
        digits += count * character.isdecimal()
        spaces += count * character.isspace()
    return {
        "total": len(text),
        "without_spaces": len(text) - spaces,
        "letters": letters,
        "digits": digits,
        "spaces": spaces,
        "other": len(text) - letters - digits - spaces,
        "utf8_bytes": len(text.encode("utf-8")),
    }


def reading_time_s(found: list[str], words_per_minute: int) -> int:
    cjk = sum(1 for word in found if is_cjk(word[0]))
    minutes = cjk / CJK_CHARACTERS_PER_MINUTE + (len(found) - cjk) / words_per_minute
    return round(minutes * 60)


def most_common(counts: Counter[str], top: int) -> list[dict[str, object]]:
    # Ties in alphabetical order, so that the same text always gives the same answer.
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:top]
    return [{"word": clipped(word), "count": count} for word, count in ranked]


def longest(counts: Counter[str], top: int) -> list[str]:
    return [clipped(word) for word in sorted(counts, key=lambda word: (-len(word), word))[:top]]


def clipped(word: str) -> str:
    return word if len(word) <= WORD_CHARACTERS_MAX else word[:WORD_CHARACTERS_MAX] + "…"


def ratio(part: int, whole: int) -> float:
    return round(part / whole, 2) if whole else 0.0


if __name__ == "__main__":
    sys.exit(contract.serve(answer))
