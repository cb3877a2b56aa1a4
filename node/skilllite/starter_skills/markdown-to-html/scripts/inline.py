"""What happens inside a line of Markdown: emphasis, code, links, images and line breaks.

Text is read once from left to right into pieces. Runs of `*`, `_` and `~` are kept on a linked list
and paired when a link or the text ends, as the CommonMark specification describes; that keeps the
cost linear even for text made of nothing but asterisks. All text is escaped: raw HTML is shown, not
obeyed.
"""

from __future__ import annotations

import bisect
import html
import re
import unicodedata
from collections.abc import Mapping

from links import IMAGE_SCHEMES, LINK_SCHEMES, plain, resolve_entities, safe_url

BRACKETS_MAX = 32  # open brackets remembered: deeper nesting is text, and the cost stays linear
TARGET_CHARACTERS_MAX = 4_000  # characters behind `](` searched for the closing parenthesis
LABEL_CHARACTERS_MAX = 200

_ORDINARY = re.compile(r"[^\\`*_~\[\]!<\n]+")
# Possessive throughout: a long row of spaces must not be divided up in every possible way.
_TARGET = re.compile(
    r"\(\s*+(?:<([^<>\n]*+)>|([^\s<>()]*+(?:\([^\s()]*+\)[^\s<>()]*+)*+))"
    r"(?:\s++(\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'))?\s*+\)",
    re.DOTALL,
)
_REFERENCE = re.compile(r"\[([^\[\]]{0,200})\]")
_AUTOLINK = re.compile(r"<((?:https?|mailto):[^\s<>]{1,2000})>")
_MAIL = re.compile(r"<([A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8})>")
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_TAG = re.compile(r"<[^>]*>")

References = Mapping[str, tuple[str, str]]


class Run:
    """A run of one delimiter character, in the text and on the list of runs not yet paired."""

    __slots__ = (
        "after",
        "before",
        "char",
        "closes",
        "count",
        "length",
        "next",
        "opens",
        "order",
        "previous",
    )

    def __init__(self, char: str, count: int, order: int, opens: bool, closes: bool) -> None:
        self.char, self.count, self.length, self.order = char, count, count, order
        self.opens, self.closes = opens, closes
        self.before = self.after = ""  # closing tags in front of what is left, opening tags behind
        self.previous: Run | None = None
        self.next: Run | None = None

    def __str__(self) -> str:
        return self.before + self.char * self.count + self.after

    def pairs_with(self, closer: Run) -> bool:
        if self.char != closer.char or not self.opens:
            return False
        # The rule of three: **a*b** has no emphasis inside, but ***a*** has both.
        both = (self.opens and self.closes) or (closer.opens and closer.closes)
        uneven = self.length % 3 or closer.length % 3
        return not (both and uneven and (self.length + closer.length) % 3 == 0)


class Bracket:
    """An opening bracket that may turn out to start a link or an image."""

    __slots__ = ("active", "image", "last_run", "piece", "start")

    def __init__(self, piece: int, start: int, last_run: Run, image: bool) -> None:
        self.piece, self.start, self.last_run, self.image = piece, start, last_run, image
        self.active = True


def normal_label(label: str) -> str:
    return " ".join(label.casefold().split())


def render(text: str, references: References) -> str:
    """Return the HTML of a paragraph's text."""
    return Inline(text, references).html()


def text_only(rendered: str) -> str:
    """Return rendered HTML without its tags, still escaped."""
    return _TAG.sub("", rendered)


class Inline:
    """One pass over one text."""

    def __init__(self, text: str, references: References) -> None:
        self.text, self.references = text, references
        self.position = 0
        self.pieces: list[str | Run] = []
        self.brackets: list[Bracket] = []
        self.bottom = self.last_run = Run("", 0, 0, False, False)
        self.backticks = _backtick_runs(text)

    def html(self) -> str:
        readers = {
            "\\": self.escape,
            "`": self.code,
            "*": self.delimiters,
            "_": self.delimiters,
            "~": self.delimiters,
            "[": self.open_bracket,
            "!": self.open_image,
            "]": self.close_bracket,
            "<": self.autolink,
            "\n": self.line_end,
        }
        while self.position < len(self.text):
            found = _ORDINARY.match(self.text, self.position)
            if found:
                self.position = found.end()
                self.pieces.append(html.escape(resolve_entities(found.group()), quote=False))
            else:
                readers[self.text[self.position]]()
        self.pair_runs(self.bottom)
        return "".join(map(str, self.pieces))

    def literal(self, length: int) -> None:
        shown = self.text[self.position : self.position + length]
        self.pieces.append(html.escape(shown, quote=False))
        self.position += length

    def escape(self) -> None:
        following = self.text[self.position + 1 : self.position + 2]
        if following == "\n":
            self.pieces.append("<br>")
            self.position += 1
        elif following in _PUNCTUATION and following:
            self.position += 1
            self.literal(1)
        else:
            self.literal(1)

    def line_end(self) -> None:
        last = self.pieces[-1] if self.pieces else ""
        if isinstance(last, str):
            self.pieces[-1:] = [last.rstrip(" ") + ("<br>" if last.endswith("  ") else "")]
        self.pieces.append("\n")
        self.position += 1
        while self.text.startswith(" ", self.position):
            self.position += 1

    def code(self) -> None:
        start = self.position
        end = start
        while self.text.startswith("`", end):
            end += 1
        length = end - start
        same = self.backticks.get(length, [])
        following = bisect.bisect_left(same, end)
        if following == len(same):
            self.literal(length)
            return
        content = self.text[end : same[following]].replace("\n", " ")
        if content.startswith(" ") and content.endswith(" ") and content.strip():
            content = content[1:-1]
        self.pieces.append(f"<code>{html.escape(content, quote=False)}</code>")
        self.position = same[following] + length

    def delimiters(self) -> None:
        char, start, end = self.text[self.position], self.position, self.position
        while self.text.startswith(char, end):
            end += 1
        before, after = self.text[start - 1 : start] or " ", self.text[end : end + 1] or " "
        left = _flanks(after, before)
        right = _flanks(before, after)
        opens, closes = left, right
        if char == "_":
            opens = left and (not right or _is_punctuation(before))
            closes = right and (not left or _is_punctuation(after))
        if char == "~" and end - start != 2:
            opens = closes = False
        run = Run(char, end - start, self.last_run.order + 1, opens, closes)
        self.pieces.append(run)
        self.last_run.next, run.previous = run, self.last_run
        self.last_run = run
        self.position = end

    def open_bracket(self) -> None:
        self.push_bracket(1)

    def open_image(self) -> None:
        if self.text.startswith("![", self.position):
            self.push_bracket(2)
        else:
            self.literal(1)

    def push_bracket(self, length: int) -> None:
        start = self.position + length
        self.brackets.append(Bracket(len(self.pieces), start, self.last_run, length == 2))
        del self.brackets[:-BRACKETS_MAX]
        self.literal(length)

    def close_bracket(self) -> None:
        if not self.brackets:
            self.literal(1)
            return
        bracket = self.brackets.pop()
        target = self.target(bracket) if bracket.active else None
        if target is None:
            self.literal(1)
            return
        url, title, end = target
        self.pair_runs(bracket.last_run)
        inner = "".join(map(str, self.pieces[bracket.piece + 1 :]))
        make = _image if bracket.image else _link
        self.pieces[bracket.piece :] = [make(url, title, inner)]
        if not bracket.image:
            for outer in self.brackets:  # a link inside a link is none
                outer.active = outer.active and outer.image
        self.position = end

    def target(self, bracket: Bracket) -> tuple[str, str, int] | None:
        """Return address, title and the position behind the link that ends at this bracket."""
        start = self.position + 1
        inline = _TARGET.match(self.text, start, min(len(self.text), start + TARGET_CHARACTERS_MAX))
        if inline:
            url = inline.group(1) if inline.group(1) is not None else inline.group(2)
            return url, plain((inline.group(3) or "  ")[1:-1]).strip(), inline.end()
        if self.position - bracket.start > LABEL_CHARACTERS_MAX:
            return None
        own = self.text[bracket.start : self.position]
        named = _REFERENCE.match(self.text, start)
        label = named.group(1) or own if named else own
        found = self.references.get(normal_label(label))
        if found is None:
            return None
        return found[0], found[1], named.end() if named else start

    def autolink(self) -> None:
        found = _AUTOLINK.match(self.text, self.position)
        mail = _MAIL.match(self.text, self.position)
        if not found and not mail:
            self.literal(1)
            return
        shown = (found or mail).group(1)
        url = html.escape(shown if found else f"mailto:{shown}", quote=True)
        self.pieces.append(f'<a href="{url}">{html.escape(shown, quote=False)}</a>')
        self.position = (found or mail).end()

    def pair_runs(self, bottom: Run) -> None:
        """Turn the runs behind bottom into tags where they pair, and forget them."""
        searched: dict[tuple[str, bool, int], int] = {}  # below here no opener of this kind is left
        closer = bottom.next
        while closer is not None:
            if not closer.closes or not closer.count:
                closer = closer.next
                continue
            kind = (closer.char, closer.opens, closer.length % 3)
            floor = searched.get(kind, bottom.order)
            opener = closer.previous
            while opener.order > floor and not opener.pairs_with(closer):
                opener = opener.previous
            if opener.order <= floor:
                searched[kind] = closer.previous.order
                if not closer.opens:
                    _unlink(closer)
                closer = closer.next
            else:
                closer = _pair(opener, closer)
        bottom.next = None
        self.last_run = bottom


def _pair(opener: Run, closer: Run) -> Run | None:
    """Put tags between the two runs; return the run that is to be looked at next."""
    used = 2 if opener.count >= 2 and closer.count >= 2 else 1
    tag = "del" if closer.char == "~" else ("em", "strong")[used - 1]
    opener.after = f"<{tag}>" + opener.after
    closer.before += f"</{tag}>"
    opener.next, closer.previous = closer, opener  # what stood between them stays text
    opener.count -= used
    closer.count -= used
    if not opener.count:
        _unlink(opener)
    if closer.count:
        return closer
    _unlink(closer)
    return closer.next


def _unlink(run: Run) -> None:
    run.previous.next = run.next
    if run.next is not None:
        run.next.previous = run.previous


def _flanks(inner: str, outer: str) -> bool:
    """Return whether a run with this character on its inner side hugs a word."""
    if inner.isspace():
        return False
    return not _is_punctuation(inner) or outer.isspace() or _is_punctuation(outer)


def _is_punctuation(character: str) -> bool:
    return character in _PUNCTUATION or unicodedata.category(character)[0] in "PS"


def _backtick_runs(text: str) -> dict[int, list[int]]:
    """Return the start of every run of backticks, by the length of the run."""
    runs: dict[int, list[int]] = {}
    for found in re.finditer("`+", text):
        runs.setdefault(found.end() - found.start(), []).append(found.start())
    return runs


def _link(url: str, title: str, inner: str) -> str:
    href = safe_url(url, LINK_SCHEMES)
    return inner if href is None else f'<a href="{href}"{_title(title)}>{inner}</a>'


def _image(url: str, title: str, inner: str) -> str:
    alt = text_only(inner)
    source = safe_url(url, IMAGE_SCHEMES)
    if source is None:
        return alt
    quoted = alt.replace('"', "&quot;")
    return f'<img src="{source}" alt="{quoted}"{_title(title)}>'


def _title(title: str) -> str:
    return f' title="{html.escape(title, quote=True)}"' if title else ""
