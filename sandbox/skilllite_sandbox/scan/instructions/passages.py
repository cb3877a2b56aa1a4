"""The texts of a file that somebody may read, cut into sentences, with where they stand. Pure."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from enum import StrEnum

from skilllite_sandbox.scan.lookalikes import as_seen
from skilllite_sandbox.scan.source import CODE_LANGUAGES, Language, SourceFile
from skilllite_sandbox.values import dataclass

SENTENCE_CHARS_MAX = 600  # of one sentence; longer ones are cut into several
STRINGS_MAX = 200_000  # of a JSON file: 2 MiB hold about as many that are long enough to say much
STRINGS_READ_ALL_MAX = 1_000  # of a JSON file with more, those with telling words are read
HIDDEN_MAX = 500  # invisible parts of one text; more are left in it and read as prose
HIDDEN_CHARS_MAX = 20_000  # of one invisible element


class Place(StrEnum):
    """Where a text stands, as far as it matters who sees it."""

    PROSE = "prose"
    DESCRIPTION = "description"
    """Of the front matter: what clients choose the skill by."""
    HIDDEN = "hidden"
    """A comment or an invisible element: the model reads it, people don't."""
    FENCE = "fence"
    """A block of code or output."""
    DATA = "data"
    CODE = "code"
    """Of a program: its comments and strings."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Some text at one place."""

    text: str
    line: int
    place: Place
    heading: str = ""
    """The heading above it, and the sentence that introduces it."""
    label: str = ""
    """The language that a fence names."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as people see it."""

    text: str
    line: int
    place: Place
    heading: str


_FENCE = re.compile(r"[ \t>]{0,16}(```+|~~~+)[ \t]*([\w.+-]*)")
_HEADING = re.compile(r"#{1,6}[ \t]+(.{1,200})")
_BREAK = re.compile(r"\n[ \t]*\n|\n(?=[ \t>]*(?:[-*+•]|\d{1,3}[.)]|\|)[ \t])")
_ENDS = re.compile(r"(?<=[.!?;])[\"')\]*_]{0,3}[ \t\n]+|(?<=[。！？；])")
_LINK_COMMENT = re.compile(r"^\[[^\]\n]{1,40}\]:[ \t]*(?:#|<>)[ \t]*[\"'(](.{1,4000})[\"')]", re.M)
_OPENING = re.compile(r"<(\w{1,20})\b([^<>]{0,400})>")
_HIDING = re.compile(
    r"display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|opacity\s{0,3}:\s{0,3}0(?![.\d])"
    r"|font-size\s{0,3}:\s{0,3}[01](?:px|pt|em|rem|%)?(?![.\d])|(?:left|top|text-indent)\s?:\s?-\d{3}"
    r"|(?<![-\w])color\s{0,3}[:=]\s{0,3}[\"']?(?:white|transparent|#fff(?:fff)?)\b"
    r"|(?<![-\w])(?:height|width)\s?:\s?0(?![.\d])|\shidden(?=[\s=/]|$)",
    re.IGNORECASE,
)
_WHITE_TEX = re.compile(r"\\(?:color|textcolor)\{white\}\{?(.{1,4000}?)[}$\n]")
_TITLE = re.compile(
    r"!\[([^\[\]\n]{12,1000}+)\]|\]\([^()\s]{1,500}+[ \t]+[\"']([^\"'\n]{12,1000}+)[\"']"
)
_TAG = re.compile(
    r"</?(?:a|abbr|b|br|body|code|center|dd|details|div|dl|dt|em|font|h[1-6]|head|hr|html|i|img|kbd|li"
    r"|ol|p|pre|section|small|span|strong|sub|summary|sup|svg|table|tbody|td|text|th|thead|title|tr|u|ul)"
    r"\b[^<>]{0,400}>",
    re.IGNORECASE,
)
_MARKS = re.compile(
    r"^[ \t]*(?:[>#*+|•-]|\d{1,3}[.)])+[ \t]*|\*{1,3}|(?<!\w)__?(?=[^\W_])|(?<=[^\W_])__?(?!\w)",
    re.MULTILINE,
)


TELLING = re.compile(
    r"ignor|disregard|forget|overrid|instruction|prompt|silent|secret|credential|\.ssh|scanner"
    r"|you must|you are|assistant|curl|wget|sandbox|without (?:ask|tell)|do not (?:tell|mention)"
    r"|忽|无视|指令|игнор|ignorier|instruccion|anweisung|consigne",
    re.IGNORECASE,
)
"""What requests can hardly do without; of large data only lines with such words are read."""


def passages_of(source: SourceFile) -> Iterator[Passage]:
    """Yield the texts of one file."""
    if source.language is Language.MARKDOWN or _is_markup(source):
        yield from _markdown(source)
    elif source.language in CODE_LANGUAGES:
        yield Passage(source.text, 1, Place.CODE)
        yield from comments_of(Passage(source.text, 1, Place.CODE))
    elif source.path.lower().endswith((".json", ".jsonl", ".ipynb")):
        yield from _json(source)
    elif source.text:
        yield Passage(source.text, 1, Place.DATA)


_SPOKEN_TO = re.compile(
    r"assistant|\b(?:AI|LLM)s?\b|agent|language model|claude|copilot|chatgpt"
    r"|\bmodel (?:that|read|should|must)"
    r"|\buser|instruction|prompt|secret|credential|password|conversation|transcript",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"(?:^|\s)(?:#+|//+|--|;;|/\*+|<!--|\*|%|REM\b)\s?(.{3,})$")
_DOCUMENTED = re.compile(r"(\"\"\"|''')(.{20,4000}?)\1", re.DOTALL)
COMMENTS_MAX = 2_000  # comments of one program that are read as prose


def comments_of(passage: Passage) -> Iterator[Passage]:
    """Yield the comments of a program that may speak to a reader, those in a row together."""
    if _SPOKEN_TO.search(passage.text) is None:
        return
    part: list[str] = []
    count = 0
    for number, line in enumerate([*passage.text.split("\n"), ""], start=passage.line):
        match = _COMMENT.search(line[:1_000]) if line else None
        if match is not None:
            part.append(match[1])
        elif part:
            text = "\n".join(part)
            if _SPOKEN_TO.search(text) is not None and count < COMMENTS_MAX:
                count += 1
                yield Passage(text, number - len(part), Place.CODE)
            part = []
    for match in _DOCUMENTED.finditer(passage.text):
        if _SPOKEN_TO.search(match[2]) is not None and count < COMMENTS_MAX:
            count += 1
            first = passage.line + passage.text.count("\n", 0, match.start())
            yield Passage(match[2], first, Place.CODE)


def _is_markup(source: SourceFile) -> bool:
    return source.path.lower().endswith((".html", ".htm", ".xhtml", ".svg", ".txt", ".rst", ".xml"))


def _markdown(source: SourceFile) -> Iterator[Passage]:
    text = source.text
    text, hidden = _without_hidden(text)
    yield from hidden
    heading = introduction = ""
    block: list[str] = []
    begin, fence, label = 1, "", ""
    in_front = text.startswith("---\n")
    for number, line in enumerate(text.split("\n"), start=1):
        mark = _FENCE.match(line)
        if fence:
            if mark is not None and mark[1].startswith(fence) and not mark[2]:
                yield Passage(
                    "\n".join(block), begin, Place.FENCE, heading + " " + introduction, label
                )
                block, begin, fence = [], number + 1, ""
            else:
                block.append(line)
            continue
        title = None if in_front else _HEADING.match(line)
        if mark is not None or title is not None or (in_front and number > 1 and line == "---"):
            place = Place.DESCRIPTION if in_front else Place.PROSE
            yield Passage("\n".join(block), begin, place, heading)
            introduction = _last_line(block)
            block, begin = [], number + 1
            if mark is not None:
                fence, label = mark[1], mark[2].lower()
            elif title is not None:
                heading, introduction = title[1], ""
                yield Passage(title[1], number, Place.PROSE, heading)
            else:
                in_front = False
            continue
        block.append(line)
    place = Place.FENCE if fence else Place.DESCRIPTION if in_front else Place.PROSE
    yield Passage("\n".join(block), begin, place, heading, label)


def _last_line(block: list[str]) -> str:
    return next((line.strip()[:300] for line in reversed(block) if line.strip()), "")


def _without_hidden(text: str) -> tuple[str, list[Passage]]:
    """Return the text with its invisible parts blanked, and these parts."""
    spans: list[tuple[int, int, str]] = []
    if "<!--" in text:
        spans += _between(text, "<!--", "-->")
    if "<" in text and ("style" in text or "hidden" in text or "color" in text):
        spans += _invisible(text)
    for mark, pattern in (("]:", _LINK_COMMENT), ("{white}", _WHITE_TEX)):
        if mark in text:
            found = list(pattern.finditer(text))[:HIDDEN_MAX]
            spans += [(match.start(), match.end(), match[1]) for match in found]
    fences = _fenced_spans(text) if spans else []
    hidden: list[Passage] = []
    parts: list[str] = []
    done = 0
    for begin, end, inner in sorted(spans):
        fenced = any(first <= begin < last for first, last in fences)
        if begin < done or fenced:  # an example of a comment is seen by everybody
            continue
        line = text.count("\n", 0, begin) + 1
        hidden.append(Passage(inner, line, Place.HIDDEN))
        parts += [text[done:begin], "\n" * text.count("\n", begin, end)]
        done = end
    text = "".join(parts) + text[done:]
    if "](" in text:
        for match in list(_TITLE.finditer(text))[:HIDDEN_MAX]:
            line = text.count("\n", 0, match.start()) + 1
            hidden.append(Passage(match[1] or match[2], line, Place.HIDDEN))
    return text, hidden


def _between(text: str, opening: str, closing: str) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    begin = text.find(opening)
    while begin >= 0 and len(found) < HIDDEN_MAX:
        inner = begin + len(opening)
        close = text.find(closing, inner)
        last = len(text) if close < 0 else close
        end = min(len(text), last + len(closing))
        found.append((begin, end, text[inner:last]))
        begin = text.find(opening, end)
    return found


def _invisible(text: str) -> list[tuple[int, int, str]]:
    """Return the elements that a browser doesn't show."""
    found: list[tuple[int, int, str]] = []
    for match in _OPENING.finditer(text):
        if len(found) >= HIDDEN_MAX:
            break
        if _HIDING.search(match[2]) is None:
            continue
        close = text.find(f"</{match[1]}", match.end(), match.end() + HIDDEN_CHARS_MAX)
        last = min(len(text), match.end() + HIDDEN_CHARS_MAX) if close < 0 else close
        found.append((match.start(), last, text[match.end() : last]))
    return found


def _fenced_spans(text: str) -> list[tuple[int, int]]:
    marks = [match.start() for match in re.finditer(r"^(?:```|~~~)", text, re.MULTILINE)]
    pairs = list(zip(marks[::2], marks[1::2], strict=False))
    return pairs if len(pairs) <= 200 else []  # more would make it slow; then all comments count


def _json(source: SourceFile) -> Iterator[Passage]:
    """Yield the strings of a JSON file; one that isn't JSON is read as text."""
    try:
        value = json.loads(source.text)
    except (ValueError, RecursionError):
        yield Passage(source.text.replace("\\n", "\n"), 1, Place.DATA)
        return
    stack: list[object] = [value]
    count = search = 0
    strings: list[str] = []
    while stack and count < STRINGS_MAX:
        item = stack.pop()
        count += 1
        if isinstance(item, dict):
            stack.extend(reversed(item.values()))
            strings.extend(key for key in item if len(key) > 30)
        elif isinstance(item, list):
            stack.extend(reversed(item))
        elif isinstance(item, str) and len(item) > 15:
            strings.append(item)
    line, searching = 1, True
    many = len(strings) > STRINGS_READ_ALL_MAX
    for text in strings:
        if many and TELLING.search(text) is None:
            continue
        start = json.dumps(text[:20], ensure_ascii=False)[1:-1]
        at = source.text.find(start, search) if searching else -1
        searching = at >= 0  # keys and escapes differ; then the rest stays at the last line known
        if searching:
            line += source.text.count("\n", search, at)
            search = at
        yield Passage(text, line, Place.DATA)


def sentences_of(passage: Passage) -> Iterator[Sentence]:
    """Yield the sentences of a passage, as people see them."""
    text = passage.text
    if "&" in text and ";" in text:
        text = html.unescape(text)
    line = passage.line
    for block in _split(_BREAK, text):
        number = line
        if block.isspace():
            line += block.count("\n")
            continue
        for part in _split(_ENDS, block):
            shown = _TAG.sub(" ", part) if "<" in part else part
            shown = as_seen(" ".join(_MARKS.sub("", shown).split()))
            lead = len(part) - len(part.lstrip("\n"))
            for at in range(0, len(shown), SENTENCE_CHARS_MAX):
                piece = shown[at : at + SENTENCE_CHARS_MAX]
                yield Sentence(piece, number + lead, passage.place, passage.heading)
            number += part.count("\n")
        line += block.count("\n")


def _split(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """Yield the parts of a text, each with the mark that ends it, so that lengths add up."""
    start = 0
    for match in pattern.finditer(text):
        if match.end() > start:
            yield text[start : match.end()]
            start = match.end()
    if start < len(text):
        yield text[start:]
