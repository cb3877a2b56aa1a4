"""Texts that stand encoded in other texts: base64, hex, percent signs, reversed, rot13. Pure."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from urllib.parse import unquote

from skilllite_sandbox.scan.hidden_programs import decoded_layers
from skilllite_sandbox.scan.instructions.passages import Passage, Place

RUNS_MAX = 50  # of one passage that are decoded
_PLAIN_CHARS_MIN = 16  # of a decoded text: shorter ones are no request

_RUN = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{24,}+={0,2}")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2}|[\w.+-]){20,}+")
_ROTATED = re.compile(r"\brot-?13\b|\brotat\w+\b|\bcaesar\b", re.IGNORECASE)
_REVERSED = re.compile(r"\brevers\w+|\bbackwards?\b|\bmirror\w*", re.IGNORECASE)


def encoded_texts(passage: Passage) -> Iterator[Passage]:
    """Yield what encoded runs of a passage say; they are hidden, whoever reads around them."""
    if passage.place is Place.CODE:
        return  # the engines decode by themselves what programs decode
    text = passage.text
    for count, match in enumerate(_RUN.finditer(text)):
        if count >= RUNS_MAX:
            break
        decoded = _plain(decoded_layers(match.group()))
        if decoded is not None:
            yield _hidden(passage, decoded, match.start())
    if text.count("%") >= 5:
        for count, match in enumerate(_PERCENT.finditer(text)):
            if count >= RUNS_MAX:
                break
            if match.group().count("%") >= 5:
                yield _hidden(passage, unquote(match.group()), match.start())
    if _ROTATED.search(text):
        yield _hidden(passage, codecs.encode(text, "rot13"), 0)
    if _REVERSED.search(text):
        yield _hidden(passage, "\n".join(line[::-1] for line in text.split("\n")), 0)


def _plain(data: bytes | None) -> str | None:
    """Return decoded bytes as text, when they are words."""
    if data is None or len(data) < _PLAIN_CHARS_MIN:
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    printable = all(char.isprintable() or char in "\n\t\r" for char in text[:4096])
    return text if printable and " " in text else None


def _hidden(passage: Passage, text: str, offset: int) -> Passage:
    line = passage.line + passage.text.count("\n", 0, offset)
    return Passage(text, line, Place.HIDDEN)
