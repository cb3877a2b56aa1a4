"""Letters that look like ASCII ones, and text as a person sees it. Pure."""

from __future__ import annotations

import re
import unicodedata

# By the look of common fonts; only letters that pass for the plain one inside a word.
_CYRILLIC = dict(
    zip(
        "аАВСсеЕНІіЈјКкМОоРрЅѕТтХхУуԁԌԛԜԝһӏёЁїЇѵѴҮүЬҺɡпмнвг",
        "aABCceEHIiJjKkMOoPpSsTtXxYydGqWwhleEiIvVYybhgnmhbr",
        strict=True,
    )
)
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϹϲϳ", "ABEZHIKMNOPTYXoCcj", strict=True))
_OTHERS = dict(
    zip(
        "ıɑɩʟʏᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢօսԼՏհոցզᎪᏴᏟᎬᎻᏒᎢᎷᏀᏞ",
        "iailyacdejkmoptuvwzouLShngqABCEHRTMGL",
        strict=True,
    )
)
LOOKALIKES: dict[int, str] = {ord(k): v for k, v in {**_CYRILLIC, **_GREEK, **_OTHERS}.items()}

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]+"
)
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-z]")


def as_seen(text: str) -> str:
    """Return text as a person reads it: invisible characters gone, look-alikes plain.

    Words wholly in another script stay as they are.
    """
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", INVISIBLE.sub("", text))
    return _WORD.sub(lambda match: _plain(match.group()), text)


def _plain(word: str) -> str:
    if word.isascii() or _LATIN.search(word) is None:
        return word
    return word.translate(LOOKALIKES)


def is_lookalike(char: str) -> bool:
    """Whether this letter passes for a plain one."""
    return ord(char) in LOOKALIKES
