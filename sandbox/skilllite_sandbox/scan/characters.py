"""Characters that hide or disguise text: direction, no width, tags, look-alikes, blanks, escapes.

What is ordinary in some script is ordinary here: direction marks among Arabic or Hebrew letters,
joiners in emoji and in scripts that join, blanks of no width between Thai words.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.hidden_text import decode_bits, decode_selectors, decode_tags
from skilllite_sandbox.scan.names_in_scripts import inspect_names
from skilllite_sandbox.scan.source import CODE_LANGUAGES, Language, SourceFile

PLACES_MAX = 5  # of one code in one file; the rest says the same
RUNS_MAX = 20_000  # of odd characters that are looked at in one file

_ODD = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff\U000f0000-\U0010fffd]+"
)
_CONTROL = re.compile("[\x01-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
_ESCAPE = re.compile("\x1b(?:\\[[0-9;?]*([A-Za-z])|[\\]P^_])|[\x9b\x9d]")
_CONCEAL = re.compile("\x1b\\[(?:\\d+;)*8m")
# The look behind lets a run begin only where it begins: without it this would be quadratic.
_BLANKS = re.compile(
    "(?<![ \t\u00a0\u2000-\u200a\u3000])[ \t\u00a0\u2000-\u200a\u3000]{80,}+(?=[^\n])"
)
_COLUMN = 180  # characters; wider than windows are
_EMPTY_LINES_MAX = 200  # in a row; more than any window shows
_AROUND = 400  # characters on each side that count as the line of a place
_FENCE = re.compile(r"^(?:```|~~~)", re.MULTILINE)
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,8}\U000e007f")

_RTL = re.compile(
    "[\u0590-\u05ff\u0600-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff"
    "\U0001e800-\U0001efff]"
)
_OVERRIDES = frozenset("\u202d\u202e")
_EMBEDDINGS = frozenset("\u202a\u202b\u2066\u2067\u2068")
_ENDS = frozenset("\u202c\u2069")
_MARKS = frozenset("\u200e\u200f\u061c")
_JOINERS = frozenset("\u200c\u200d")
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
_ZERO_WIDTH = frozenset("\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u180e\u034f\u00ad")
_LINE_ENDS = frozenset("\u2028\u2029")
_QUOTES = frozenset("\"'`[")
_BITS_MIN = 8  # zero-width characters in a row: one letter's worth of bits


def inspect_characters(sources: Sequence[SourceFile]) -> tuple[Finding, ...]:
    """Return what hides in the characters of every text."""
    found: list[Finding] = []
    for source in sources:
        if not source.text:
            continue
        counts: dict[str, int] = {}
        for finding in _one(source):
            counts[finding.code] = counts.get(finding.code, 0) + 1
            if counts[finding.code] <= PLACES_MAX:
                found.append(finding)
    return tuple(found)


def _one(source: SourceFile) -> Iterator[Finding]:
    yield from _blanks(source)
    yield from _controls(source)
    if not source.text.isascii():
        yield from _runs(source)
        yield from inspect_names(source)


def line_at(text: str, offset: int) -> int:
    """Return the number of the line that holds this offset, from 1."""
    return text.count("\n", 0, offset) + 1


def _line_text(text: str, offset: int) -> str:
    """Return the line around an offset, at most some hundred characters each way."""
    begin = text.rfind("\n", max(0, offset - _AROUND), offset) + 1
    end = text.find("\n", offset, offset + _AROUND)
    return text[begin or max(0, offset - _AROUND) : offset + _AROUND if end < 0 else end]


def _fences(source: SourceFile) -> list[int]:
    """Return where fenced blocks of a Markdown text begin and end, in turns."""
    if source.language is not Language.MARKDOWN:
        return []
    return [match.start() for match in _FENCE.finditer(source.text)]


def _runs(source: SourceFile) -> Iterator[Finding]:
    text = source.text
    start = 1 if text.startswith("\ufeff") else 0
    told: dict[str, int] = {}
    fences = _fences(source)
    for count, match in enumerate(_ODD.finditer(text, start)):
        if count >= RUNS_MAX:
            yield make_finding("SL204", source.path, 0, f"more than {RUNS_MAX} times")
            return
        fenced = bisect_right(fences, match.start()) % 2 == 1
        for code, detail, severity in _judge(source, match, fenced=fenced):
            told[code] = told.get(code, 0) + 1
            if told[code] <= PLACES_MAX or (severity is Severity.CRITICAL and told[code] < 50):
                line = line_at(text, match.start())
                yield make_finding(code, source.path, line, detail, severity=severity)


def _judge(
    source: SourceFile, match: re.Match[str], *, fenced: bool
) -> Iterator[tuple[str, str, Severity | None]]:
    """Yield code, detail and weight of what one run of odd characters is."""
    run = match.group()
    present = set(run)
    if any("\U000e0000" <= char <= "\U000e007f" for char in present):
        if not _FLAG.match(source.text, match.start() - 1):
            decoded = decode_tags(run)
            weight = Severity.CRITICAL if len(decoded) > 3 else Severity.HIGH
            yield "SL202", decoded, weight
        return
    if any("\ufe00" <= char <= "\ufe0f" or char >= "\U000e0100" for char in present):
        yield from _selectors(run)
    if present & (_OVERRIDES | _EMBEDDINGS | _ENDS | _MARKS):
        yield from _direction(source, match, fenced=fenced)
    if present & _FILLERS:
        yield from _fillers(source, match)
    if present & _LINE_ENDS:
        script = source.language in (Language.JAVASCRIPT, Language.TYPESCRIPT)
        yield "SL212", "", Severity.CRITICAL if script else Severity.LOW
    if present & _ZERO_WIDTH:
        yield from _zero_width(source, match)
    if any("\ue000" <= char <= "\uf8ff" or char >= "\U000f0000" for char in present):
        yield "SL210", "", Severity.HIGH if len(run) >= 20 else None


def _selectors(run: str) -> Iterator[tuple[str, str, Severity | None]]:
    selectors = [c for c in run if "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef"]
    if len(selectors) >= 4:
        yield "SL203", decode_selectors(run), None
    elif len(selectors) >= 2:
        yield "SL203", "", Severity.HIGH


def _direction(
    source: SourceFile, match: re.Match[str], *, fenced: bool
) -> Iterator[tuple[str, str, Severity | None]]:
    present = set(match.group())
    line = _line_text(source.text, match.start())
    letters = _RTL.search(line) is not None
    code = source.language in CODE_LANGUAGES or fenced
    if _is_quoted(source.text, match):
        yield "SL201", "a direction mark as a value", Severity.LOW
    elif present & _OVERRIDES:
        heavy = code or not letters
        yield "SL201", "an override", Severity.CRITICAL if heavy else Severity.HIGH
    elif present & (_EMBEDDINGS | _ENDS):
        if not letters:
            yield "SL201", "an embedding", Severity.CRITICAL if code else Severity.HIGH
        elif code:
            yield "SL201", "an embedding among letters", Severity.HIGH
        elif not _is_balanced(line):
            yield "SL201", "an embedding that doesn't end", Severity.MEDIUM
    elif not letters:
        yield "SL201", "a direction mark", Severity.MEDIUM if code else Severity.LOW


def _is_balanced(line: str) -> bool:
    depth = 0
    for char in line:
        if char in _EMBEDDINGS or char in _OVERRIDES:
            depth += 1
        elif char in _ENDS:
            depth -= 1
            if depth < 0:
                return False
    return depth == 0


def _is_quoted(text: str, match: re.Match[str]) -> bool:
    """Whether the run is a whole literal, as in a table of such characters."""
    before = text[match.start() - 1 : match.start()]
    after = text[match.end() : match.end() + 1]
    return before in _QUOTES and after in (_QUOTES | {"]", "-"}) and len(match.group()) <= 12


def _fillers(
    source: SourceFile, match: re.Match[str]
) -> Iterator[tuple[str, str, Severity | None]]:
    around = source.text[max(0, match.start() - 2) : match.end() + 2]
    hangul = any("\u1160" < char <= "\u11ff" or "\uac00" <= char <= "\ud7a3" for char in around)
    if hangul and not set(around) & {"\u3164", "\uffa0"}:
        return
    code = source.language in CODE_LANGUAGES and not _is_quoted(source.text, match)
    yield "SL213", "", Severity.CRITICAL if code else Severity.HIGH


def _zero_width(
    source: SourceFile, match: re.Match[str]
) -> Iterator[tuple[str, str, Severity | None]]:
    text, run = source.text, match.group()
    hidden = [char for char in run if char in _ZERO_WIDTH]
    if len(hidden) >= _BITS_MIN:
        yield "SL205", decode_bits(run), None
        return
    before = text[match.start() - 1 : match.start()]
    after = text[match.end() : match.end() + 1]
    if _is_ordinary(before, hidden, after) or _is_quoted(text, match):
        return
    inside = before.isascii() and before.isalnum() and after.isascii() and after.isalnum()
    if inside and hidden != ["\u00ad"]:
        yield "SL204", "", Severity.HIGH
    elif hidden != ["\u00ad"]:
        yield "SL204", "", Severity.MEDIUM if source.language in CODE_LANGUAGES else Severity.LOW


def _is_ordinary(before: str, hidden: list[str], after: str) -> bool:
    """Whether such characters are written between these two."""
    if len(hidden) > 2 or not before:
        return False
    kinds = set(hidden)
    if kinds <= _JOINERS:
        joined = _joins(before) or (after and _joins(after))
        emoji = _is_emoji(before) and (not after or _is_emoji(after) or kinds == {"\u200d"})
        return bool(joined) or emoji
    if kinds <= {"\u200b", "\u2060", "\ufeff"}:
        return before > "\u0e00" and not before.isascii() and not _is_emoji(before)
    return False


def _joins(char: str) -> bool:
    """Whether a letter is of a script that is written with joiners."""
    return (
        "\u0600" <= char <= "\u08ff"
        or "\u0900" <= char <= "\u0dff"
        or "\u0f00" <= char <= "\u109f"
        or "\u1780" <= char <= "\u18af"
        or "\u1a00" <= char <= "\u1cff"
        or "\ua800" <= char <= "\uabff"
        or "\ufb50" <= char <= "\ufefc"
        or "\U00011000" <= char <= "\U000119ff"
    )


def _is_emoji(char: str) -> bool:
    return (
        "\u2190" <= char <= "\u2bff"
        or "\U0001f000" <= char <= "\U0001faff"
        or char in "\ufe0f\u3030\u303d\u3297\u3299\u00a9\u00ae"
        or "\U000e0061" <= char <= "\U000e007f"
    )


def _blanks(source: SourceFile) -> Iterator[Finding]:
    """Look for text that is pushed to the right of the window or far below it."""
    text = source.text
    for count, match in enumerate(_BLANKS.finditer(text)):
        if count >= RUNS_MAX:
            break
        column = match.end() - 1 - text.rfind("\n", max(0, match.end() - 4096), match.end())
        if column < _COLUMN:
            continue
        rest = text[match.end() : match.end() + 200].partition("\n")[0]
        severity = _blank_weight(source, rest, _line_text(text, match.end()))
        if severity >= Severity.MEDIUM:
            line = line_at(text, match.end())
            yield make_finding(
                "SL208", source.path, line, f"at column {column + 1}", severity=severity
            )
    if source.language in CODE_LANGUAGES or source.language is Language.MARKDOWN:
        yield from _far_below(source)


def _far_below(source: SourceFile) -> Iterator[Finding]:
    if source.text.count("\n") < _EMPTY_LINES_MAX:
        return
    empty = 0
    for number, line in enumerate(source.text.split("\n"), start=1):
        if not line or line.isspace():
            empty += 1
        elif empty >= _EMPTY_LINES_MAX:
            detail = f"text goes on below {empty} empty lines"
            yield make_finding("SL208", source.path, number, detail, severity=Severity.HIGH)
            return
        else:
            empty = 0


def _blank_weight(source: SourceFile, rest: str, line: str) -> Severity:
    if source.language in CODE_LANGUAGES:
        comment = rest.startswith(("#", "//", "--", "*/", "\\"))
        closing = not re.search(r"\w", rest)
        return Severity.MEDIUM if comment or closing else Severity.CRITICAL
    if source.language is Language.MARKDOWN:
        table = line.count("|") >= 2 or rest.startswith("|")
        return Severity.LOW if table else Severity.HIGH
    return Severity.LOW


def _controls(source: SourceFile) -> Iterator[Finding]:
    """Look for control characters, and for escapes that terminals obey."""
    text = source.text
    if (match := _CONTROL.search(text)) is not None:
        code = source.language in CODE_LANGUAGES
        severity = Severity.MEDIUM if code else Severity.HIGH
        detail = f"U+{ord(match.group()):04X}"
        for escape in _ESCAPE.finditer(text, match.start()):
            detail = "a terminal escape"
            if (escape.group(1) or "?") != "m":  # not a colour: it moves, erases or sets a title
                severity, match = Severity.HIGH, escape
                break
        if (hidden := _CONCEAL.search(text, match.start())) is not None:
            severity, match, detail = Severity.CRITICAL, hidden, "an escape that conceals text"
        line = line_at(text, match.start())
        yield make_finding("SL209", source.path, line, detail, severity=severity)
    lone = source.data.count(b"\r") - source.data.count(b"\r\n")
    if lone and b"\n" in source.data and source.language is not Language.OTHER_TEXT:
        yield make_finding("SL209", source.path, 0, "a carriage return inside of a line")
