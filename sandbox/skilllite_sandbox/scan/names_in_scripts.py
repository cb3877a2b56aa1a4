"""Names in several scripts: identifiers, hosts and words with letters that pass for others."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.lookalikes import LOOKALIKES, is_lookalike
from skilllite_sandbox.scan.source import CODE_LANGUAGES, Language, SourceFile
from skilllite_sandbox.scan.words import words

WORDS_MAX = 50_000  # words with letters beyond ASCII that are looked at in one file
PLACES_MAX = 5  # of one code in one file
_MIXED_IN_PROSE = 3  # words: a typing mistake is one, a rewritten sentence has several

_FOREIGN = re.compile(
    "[\u0130-\u0131\u0250-\u02af\u0370-\u03ff\u0400-\u058f\u13a0-\u13ff\u1d00-\u1d7f"
    "\u2100-\u214f\uff21-\uff5a\U0001d400-\U0001d7ff]"
)
_BEYOND_ASCII = re.compile(r"[^\W\x00-\x7f]+")
_REACH = 100  # characters of a word before and behind its first letter beyond ASCII
_HOST = re.compile(r"https?://(?:[^\s/@\"'<>]{0,200}@)?([^\s/:\"'<>?#)\]`]{1,200})", re.IGNORECASE)
_ADJACENT = re.compile(r"[^\W\d_]+")
_COMMON = words(
    """
    exec eval import open print input self return True False None class def lambda async await
    compile getattr setattr globals locals subprocess system socket requests base64 check
    password admin user token safe path name data url key id os sys re json
    """
)


def inspect_names(source: SourceFile) -> Iterator[Finding]:
    """Yield names that pass for others; only for texts that are not all ASCII."""
    text = source.text
    if _FOREIGN.search(text) is None:
        return
    yield from _hosts(source)
    code = source.language in CODE_LANGUAGES
    mixed: list[tuple[int, str]] = []
    for at, word in _words_beyond_ascii(text):
        if len(mixed) >= PLACES_MAX:
            break
        if source.language is Language.PYTHON and (plain := _folded(word)):
            weight = Severity.CRITICAL if plain in _COMMON else None
            yield make_finding("SL211", source.path, _line(text, at), plain, severity=weight)
            mixed.append((at, word))
        elif is_mixed(word) or (code and word.translate(LOOKALIKES) in _COMMON):
            mixed.append((at, word))
            if code:
                yield make_finding("SL206", source.path, _line(text, at), word)
    if not code and mixed:
        severity = Severity.HIGH if len(mixed) >= _MIXED_IN_PROSE else Severity.MEDIUM
        told = ", ".join(word[:30] for _, word in mixed)
        line = _line(text, mixed[0][0])
        yield make_finding("SL206", source.path, line, told, severity=severity)


def _words_beyond_ascii(text: str) -> Iterator[tuple[int, str]]:
    """Yield offset and text of words with a letter beyond ASCII, cut off at a bound."""
    done = 0
    for count, match in enumerate(_BEYOND_ASCII.finditer(text)):
        if count >= WORDS_MAX:
            return
        if match.start() < done:
            continue
        begin, floor = match.start(), max(done, match.start() - _REACH)
        while begin > floor and _in_word(text[begin - 1]):
            begin -= 1
        end, limit = match.start(), min(len(text), match.start() + _REACH)
        while end < limit and _in_word(text[end]):
            end += 1
        done = end
        yield begin, text[begin:end]


def _in_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def is_mixed(word: str) -> bool:
    """Whether letters that look like Latin ones stand directly beside Latin ones."""
    for part in _ADJACENT.findall(word):
        latin = sum(char.isascii() for char in part)
        alike = [char for char in part if not char.isascii() and is_lookalike(char)]
        others = len(part) - latin - len(alike)
        if alike and latin and others == 0 and part.translate(LOOKALIKES).isascii():
            return True
    return False


def _folded(word: str) -> str:
    """Return the plain name that Python makes of one in mathematical or wide letters."""
    plain = unicodedata.normalize("NFKC", word)
    if plain == word or not word.isidentifier():  # a superscript is no letter of a name
        return ""
    return plain if plain.isascii() and plain.isidentifier() else ""


def _hosts(source: SourceFile) -> Iterator[Finding]:
    text = source.text
    for count, match in enumerate(_HOST.finditer(text)):
        if count >= WORDS_MAX:
            return
        host = match.group(1)
        if not host.isascii() and (is_mixed(host) or host.translate(LOOKALIKES).isascii()):
            yield make_finding("SL207", source.path, _line(text, match.start()), host[:80])


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
