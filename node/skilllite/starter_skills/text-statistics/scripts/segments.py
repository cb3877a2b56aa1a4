"""Where words, sentences and paragraphs begin and end, in spaced scripts and in CJK.

Chinese and Japanese put no spaces between words, and telling them apart takes a dictionary; each of
their characters counts as a word, as word processors count. Korean is spaced and needs no
exception. Thai, Lao and Khmer are not segmented: a run of letters is one word.
"""

from __future__ import annotations

import re
import unicodedata

# Kana, CJK ideographs with their extensions, and the iteration marks that stand for one.
CJK = "\u3005\u3007\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
CJK += "\uff66-\uff9d\U00020000-\U0003ffff"
_CJK_CHARACTER = re.compile(f"[{CJK}]")

# A full stop after these, with a space and a capital behind it, seldom ends a sentence.
_ABBREVIATIONS = """
    mr mrs ms dr prof st sr jr vs etc fig no vol ch p pp approx dept est inc ltd co corp
    e.g i.e cf al jan feb mar apr jun jul aug sep sept oct nov dec
"""
ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())

APOSTROPHES = "'\u2019"
HYPHENS = "\u2011-"  # the non-breaking one first: last in a class, a hyphen stands for itself
_NUMBER_POINT = r"(?<=\d)[.,](?=\d)"
_INITIALS_POINT = r"(?<=\b[^\W\d_])\.(?=[^\W\d_]\b)"
CLOSING = "\"'\u201d\u2019\u00bb)\\]"
FULL_WIDTH_STOPS = "\u3002\uff01\uff1f\uff61"
FULL_WIDTH_CLOSING = "\u300d\u300f\u201d\u2019\uff09"
# The lookbehind lets a row of stops be tried once, not once from each of them.
_SENTENCE_END = re.compile(
    f"(?<![.!?…])[.!?…]++[{CLOSING}]*+(?=\\s|$)|[{FULL_WIDTH_STOPS}]+[{FULL_WIDTH_CLOSING}]*"
)
_LAST_TOKEN = re.compile(r"([^\W\d_]+(?:\.[^\W\d_]+)*)\.$")
_TOKEN_CHARACTERS_MAX = 20  # characters looked back for an abbreviation


def is_cjk(character: str) -> bool:
    return _CJK_CHARACTER.match(character) is not None


def words(text: str) -> list[str]:
    """Return the words in order; don't, well-known, 3.14 and i.e. are one word each."""
    # Vowel signs and accents written as separate marks are no word characters to `re`; those that
    # occur in this text are added, which is far cheaper than a class of all of them.
    marks = "".join(c for c in set(text) if unicodedata.category(c).startswith("M"))
    part = f"[^\\W_{CJK}](?:[^\\W_{CJK}]|[{marks}])*" if marks else f"[^\\W_{CJK}]+"
    joint = f"[{APOSTROPHES}{HYPHENS}]|{_NUMBER_POINT}|{_INITIALS_POINT}"
    return re.findall(f"[{CJK}]|{part}(?:(?:{joint}){part})*", text)


def paragraphs(text: str) -> list[str]:
    """Return the stretches of text that blank lines separate."""
    found: list[str] = []
    current: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.strip():
            current.append(line)
        elif current:
            found.append("\n".join(current))
            current = []
    return found


def sentences(text: str) -> list[str]:
    """Return the sentences; the end of a paragraph ends one even without a full stop."""
    found: list[str] = []
    for paragraph in paragraphs(text):
        start = 0
        for end in _SENTENCE_END.finditer(paragraph):
            if _ends_sentence(paragraph, end):
                found.append(paragraph[start : end.end()].strip())
                start = end.end()
        found.append(paragraph[start:].strip())
    return [sentence for sentence in found if re.search(r"\w", sentence)]


def _ends_sentence(paragraph: str, end: re.Match[str]) -> bool:
    if end.group() != ".":
        return True
    following = paragraph[end.end() : end.end() + 3].lstrip()
    if following[:1].islower():
        return False
    before = paragraph[max(0, end.end() - _TOKEN_CHARACTERS_MAX) : end.end()]
    token = _LAST_TOKEN.search(before)
    return not (following and token and token.group(1).lower() in ABBREVIATIONS)
