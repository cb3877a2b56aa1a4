"""The code that a person reads aloud: a window number that anyone may know, three words that not.

"42-maple-robin-tunnel": the number finds the right inviter, the words (30 bits) are the secret.
"""

from __future__ import annotations

import difflib
import random
import re
from dataclasses import dataclass, field
from typing import Final

from skilllite_swarm.errors import JoinFailed, JoinReason
from skilllite_swarm.words import WORD_SET, WORDS

NUMBERS: Final = range(10, 100)
"""Two digits: telling apart who invites at the same time in one room takes no more."""

WORDS_IN_CODE: Final = 3
TEXT_LENGTH_MAX: Final = 100
"""Characters; a code has at most 26."""

_SEPARATORS: Final = re.compile(r"[\s\-_.,\u2010-\u2015]+")
"""What people and chat programs put between words, long dashes included."""

_EXAMPLE: Final = "a code looks like 42-maple-robin-tunnel"


@dataclass(frozen=True, slots=True)
class JoinCode:
    """One code. Its text form is `str(code)`; `repr` keeps the secret out of logs."""

    number: int
    words: tuple[str, ...] = field(repr=False)

    @classmethod
    def generate(cls, number: int, rng: random.Random) -> JoinCode:
        """Make a code for a window; `rng` must be `random.SystemRandom` outside tests."""
        return cls(number, tuple(rng.choice(WORDS) for _ in range(WORDS_IN_CODE)))

    @classmethod
    def parse(cls, text: str) -> JoinCode:
        """Read what a person typed, however they separated and capitalised it.

        Raises:
            JoinFailed: It can't be a code; for a misspelled word the hint offers the likely one.
        """
        if len(text) > TEXT_LENGTH_MAX:
            raise _not_a_code("the code is far too long", _EXAMPLE)
        parts = [part for part in _SEPARATORS.split(text.strip().lower()) if part]
        if not parts:
            raise _not_a_code("the code is empty", _EXAMPLE)
        number, words = parts[0], parts[1:]
        if not re.fullmatch(r"[1-9][0-9]", number):
            raise _not_a_code(f"the code starts with two digits, not with {number!r}", _EXAMPLE)
        for word in words:
            if word not in WORD_SET:
                raise _not_a_code(f"no code contains the word {word!r}", _suggest(word))
        if len(words) != WORDS_IN_CODE:
            raise _not_a_code(
                f"the code has {WORDS_IN_CODE} words after its number, not {len(words)}", _EXAMPLE
            )
        return cls(int(number), tuple(words))

    @property
    def secret(self) -> bytes:
        """What SPAKE2 takes as the password."""
        return b"skilllite join code 1\0" + str(self).encode("ascii")

    def __str__(self) -> str:
        return "-".join((str(self.number), *self.words))


def _suggest(word: str) -> str:
    close = difflib.get_close_matches(word, WORDS, n=2)
    return f"did you mean {' or '.join(close)}?" if close else "ask the inviter to spell it"


def _not_a_code(message: str, hint: str) -> JoinFailed:
    return JoinFailed(message, reason=JoinReason.BAD_CODE, hint=hint)
