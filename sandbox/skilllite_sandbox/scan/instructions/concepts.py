"""Which concepts a sentence has, and where: the sentence as rules see it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from skilllite_sandbox.scan.instructions.lexicon import (
    BEGINNING_CHARS,
    BEGINNINGS,
    PHRASES,
    UNSPACED,
    WORDS,
)
from skilllite_sandbox.scan.words import words

TOKENS_KEPT_MAX = 50_000  # words whose concepts are remembered; skills use some thousands

_TOKEN = re.compile(r"[,:;]|\.?\w+(?:['-]\w+)*(?:\.\w+)*")
_ADDRESS = re.compile(r"https?://[\x21-\x7e]{1,300}")
_UNSPACED_SCRIPT = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NEGATIONS = frozenset(
    ("not", "don't", "dont", "never", "cannot", "can't", "shouldn't", "mustn't", "won't", "avoid",
     "refuse", "refrain", "doesn't", "isn't", "nunca", "nie", "niemals", "nicht", "jamais", "не",
     "никогда", "nor", "neither", "decline")
)  # fmt: skip
_BEFORE_AN_ORDER = words(
    """
    then and , : ; please always must should also first next immediately automatically finally
    shall now silently quietly just secretly simply covertly additionally before after sie bitte y
    et und и
    por favor afterwards later instead otherwise never
    """
)
_BEFORE_A_GERUND = words("by start begin and continue end finish without , after keep")
_OBLIGES = words(
    "must need needs required remember sure ensure have instructed important necessary should"
)
_BASE_FORMS = words("embed feed proceed exceed shred")
_INFLECTED = re.compile(r"(?<=\w\w\w)(?:ed|[^s'u]s)$")
_NOTHING: frozenset[str] = frozenset()
_known: dict[str, frozenset[str]] = {}


class Concepts:
    """A sentence's words and what they stand for."""

    __slots__ = ("places", "text", "tokens")

    def __init__(self, text: str) -> None:
        self.text = text
        lowered = text.lower().replace("\u2019", "'")
        self.tokens = [_owner(token) for token in _TOKEN.findall(lowered)]
        self.places: dict[str, list[int]] = {}
        joined = ""
        for index, token in enumerate(self.tokens):
            for concept in _concepts_of(token):
                self.places.setdefault(concept, []).append(index)
            if token in PHRASES:
                joined = joined or " ".join(self.tokens) + " "
                self._phrases(index, token)
        if _UNSPACED_SCRIPT.search(lowered) is not None:
            self._unspaced(_ADDRESS.sub("", lowered))

    def _phrases(self, index: int, token: str) -> None:
        rest = " ".join(self.tokens[index : index + 6]) + " "
        for phrase, concept in PHRASES[token]:
            if rest.startswith(phrase):
                self.places.setdefault(concept, []).append(index)

    def _unspaced(self, lowered: str) -> None:
        for entry, concept in UNSPACED:
            at = lowered.find(entry)
            if at >= 0:
                # Two characters are about a word.
                self.places.setdefault(concept, []).append(len(self.tokens) + at // 2)

    def __contains__(self, concept: str) -> bool:
        return concept in self.places

    def any(self, concepts: Iterable[str]) -> bool:
        """Whether one of these is in it."""
        return any(concept in self.places for concept in concepts)

    def has(self, *words: str) -> bool:
        """Whether one of these very words is in it."""
        return any(word in self.tokens for word in words)

    def pairs(self, first: str, second: str, reach: int, *, ordered: bool = True) -> list[int]:
        """Return where `first` stands with `second` after it, at most `reach` words away."""
        if first not in self.places or second not in self.places:
            return []
        unspaced = len(self.tokens)  # places from here on: there, the verb may come last

        def fits(at: int, other: int) -> bool:
            after = not ordered or (at >= unspaced and other >= unspaced)
            return other != at and (-reach if after else 1) <= other - at <= reach

        seconds = self.places[second]
        return [at for at in self.places[first] if any(fits(at, other) for other in seconds)]

    def word(self, index: int) -> str:
        """Return the word at a place; empty for one of a script without blanks."""
        return self.tokens[index] if 0 <= index < len(self.tokens) else ""

    def negated(self, index: int, reach: int = 4) -> bool:
        """Whether a negation stands before the word, in the same clause."""
        for at in range(index - 1, max(-1, index - 1 - reach), -1):
            word = self.word(at)
            if word in _NEGATIONS:
                return True
            if word in (",", ";", ":"):
                return False
        return False

    def ordered_to(self, index: int) -> bool:
        """Whether the verb at this place looks like an order."""
        if index >= len(self.tokens):
            return True
        word, before = self.word(index), self.word(index - 1)
        if before == "be":  # it must be sent
            return any(each in _OBLIGES for each in self.tokens[max(0, index - 4) : index])
        if before in ("can", "may", "could"):
            return self.word(index - 2) == "you"
        if word.endswith("ing"):
            return before in _BEFORE_A_GERUND
        if _INFLECTED.search(word) is not None and word not in _BASE_FORMS:
            return False
        if before == "to":
            return any(each in _OBLIGES for each in self.tokens[max(0, index - 5) : index])
        if before == "you":
            return index <= 3
        return index <= 1 or before in _BEFORE_AN_ORDER

    def orders(self, places: Iterable[int]) -> list[int]:
        """Return those of these verbs that are ordered and not forbidden."""
        return [at for at in places if self.ordered_to(at) and not self.negated(at)]


def _owner(token: str) -> str:
    """Return a word without its mark of the genitive, but for the user's: that is a concept."""
    return token[:-2] if token.endswith("'s") and token != "user's" else token


_ENDINGS = ("'s", "ing", "ies", "ied", "ed", "es", "s")


def stems(token: str) -> list[str]:
    """Return what an English word may be a form of."""
    stems: list[str] = []
    for ending in _ENDINGS:
        if token.endswith(ending) and len(token) >= len(ending) + 3:
            stem = token[: -len(ending)]
            stems += [stem, stem + "e", stem + "y"]
            if len(stem) > 3 and stem[-1] == stem[-2]:
                stems.append(stem[:-1])
    return stems


def _concepts_of(token: str) -> frozenset[str]:
    known = _known.get(token)
    if known is None:
        known = WORDS.get(token, _NOTHING)
        for length in BEGINNING_CHARS:
            if length <= len(token):
                known = known | BEGINNINGS.get(token[:length], _NOTHING)
        if not known and "." in token[1:]:
            for part in token.split("."):
                known = known | WORDS.get(part, _NOTHING)
        if not known:
            for stem in stems(token):
                known = known | WORDS.get(stem, _NOTHING)
        if len(_known) < TOKENS_KEPT_MAX:
            _known[token] = known
    return known
