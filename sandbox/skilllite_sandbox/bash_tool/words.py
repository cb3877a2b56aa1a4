"""From the text of a command to words and operators, as bash would cut it, or not at all.

Only what means the same to bash and to us gets through: every character outside quotes is on a
list, and everything that bash would expand, substitute or redirect is refused with its place.
"""

from __future__ import annotations

from skilllite_sandbox.errors import PolicyDenied
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import NoReturn

COMMAND_CHARS_MAX = 8192  # a command is typed or thought up; data belongs into files
_PLAIN = frozenset("%+,-./:=@]^_")  # besides letters and digits: what bash takes as it stands
_BLANK = " \t"
_ESCAPED_IN_QUOTES = '"\\$`'  # what a backslash inside double quotes takes the meaning of

_REFUSED = {
    "<": "redirects are not allowed",
    ">": "redirects are not allowed",
    "&": "commands in the background are not allowed",
    "$": "variables and substitutions are not allowed",
    "`": "command substitution is not allowed",
    "(": "subshells, functions and substitutions are not allowed",
    ")": "subshells, functions and substitutions are not allowed",
    "{": "groups and brace expansion are not allowed",
    "}": "groups and brace expansion are not allowed",
    "*": "file name patterns are not expanded",
    "?": "file name patterns are not expanded",
    "[": "file name patterns and tests are not allowed",
    "~": "home directories are not expanded",
    "#": "comments are not allowed",
    "!": "`!` is not allowed",
}
_LITERALLY = frozenset("{}*?[~#!")
"""Of these people usually mean the character itself, and quotes give them that."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command, as the program will get it."""

    text: str
    is_plain: bool
    """Nothing in it was quoted or escaped."""


@dataclass(frozen=True, slots=True)
class Operator:
    """What stands between two commands: `|`, `&&`, `||` or `;`."""

    text: str


def split_words(text: str) -> list[Word | Operator]:
    """Cut a command.

    Raises:
        PolicyDenied: it holds something that is not allowed, or not understood.
    """
    if len(text) > COMMAND_CHARS_MAX:
        raise PolicyDenied(
            f"the command has {len(text)} characters, {COMMAND_CHARS_MAX} are the most",
            hint="pass large data by a file, or run several commands",
        )
    _refuse_unprintable(text)
    return _Splitter(text).split()


def _refuse_unprintable(text: str) -> None:
    """Refuse what a person who reads the command would not see, or see elsewhere."""
    for place, character in enumerate(text):
        if not character.isprintable() and character != "\t":
            name = "a line break" if character in "\n\r" else f"U+{ord(character):04X}"
            raise PolicyDenied(
                f"character {place + 1} of the command is {name}, which is not allowed",
                hint="write one line of printable text; `;` separates commands",
            )


class _Splitter:
    """One pass over one command."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._found: list[Word | Operator] = []
        self._word: list[str] = []
        self._in_word = False
        self._is_plain = True

    def split(self) -> list[Word | Operator]:
        while self._place < len(self._text):
            character = self._text[self._place]
            if character in _BLANK:
                self._end_word()
                self._place += 1
            elif character in "|&;":
                self._operator(character)
            elif character == "'":
                self._take(self._single_quoted())
            elif character == '"':
                self._take(self._double_quoted())
            elif character == "\\":
                self._take(self._escaped())
            else:
                self._unquoted(character)
        self._end_word()
        return self._found

    def _take(self, text: str) -> None:
        self._word.append(text)
        self._in_word = True
        self._is_plain = False

    def _end_word(self) -> None:
        if self._in_word:
            self._found.append(Word("".join(self._word), self._is_plain))
        self._word, self._in_word, self._is_plain = [], False, True

    def _operator(self, character: str) -> None:
        self._end_word()
        pair = self._text[self._place : self._place + 2]
        if pair == "|&":
            self._refuse("|&", "redirects are not allowed")
        if pair in ("&&", "||"):
            character = pair
        elif character == "&":
            self._refuse("&", _REFUSED["&"])
        self._found.append(Operator(character))
        self._place += len(character)

    def _unquoted(self, character: str) -> None:
        if not (character.isalnum() or character in _PLAIN or self._is_inner(character)):
            if character in _REFUSED:
                self._refuse(character, _REFUSED[character])
            self._refuse(character, "it is not understood outside quotes")
        self._word.append(character)
        self._in_word = True
        self._place += 1

    def _is_inner(self, character: str) -> bool:
        """Return whether a character that means something at the start of a word is past it.

        `HEAD~1` and `issue#3` are ordinary words; after `=` and `:` bash does expand a tilde.
        """
        if character == "#":
            return self._in_word
        return character == "~" and self._in_word and self._text[self._place - 1].isalnum()

    def _single_quoted(self) -> str:
        end = self._text.find("'", self._place + 1)
        if end < 0:
            self._refuse("'", "the quote is never closed")
        inside = self._text[self._place + 1 : end]
        self._place = end + 1
        return inside

    def _double_quoted(self) -> str:
        start = self._place
        inside: list[str] = []
        self._place += 1
        while self._place < len(self._text):
            character = self._text[self._place]
            if character == '"':
                self._place += 1
                return "".join(inside)
            if character in "$`":
                self._refuse(character, _REFUSED[character])
            if character == "\\" and self._next() in tuple(_ESCAPED_IN_QUOTES):
                self._place += 1
                character = self._text[self._place]
            inside.append(character)
            self._place += 1
        self._place = start
        self._refuse('"', "the quote is never closed")

    def _escaped(self) -> str:
        escaped = self._next()
        if not escaped:
            self._refuse("\\", "nothing follows it")
        self._place += 2
        return escaped

    def _next(self) -> str:
        return self._text[self._place + 1 : self._place + 2]

    def _refuse(self, what: str, why: str) -> NoReturn:
        raise PolicyDenied(
            f"`{what}` at character {self._place + 1} of the command: {why}",
            hint=f"put {what} into single quotes if you mean the character"
            if what in _LITERALLY
            else "allowed are programs with arguments, joined by `|`, `&&`, `||` and `;`",
        )
