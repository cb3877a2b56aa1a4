"""Reads what invisible characters spell: tags, variation selectors, bits of no width. Pure."""

from __future__ import annotations

DECODED_CHARS_MAX = 160  # enough to see what it says


def decode_tags(run: str) -> str:
    """Return the ASCII that tag characters stand for."""
    codes = (ord(char) - 0xE0000 for char in run[: DECODED_CHARS_MAX * 2])
    return "".join(chr(code) for code in codes if 0x20 <= code < 0x7F)[:DECODED_CHARS_MAX]


def decode_selectors(run: str) -> str:
    """Return the text whose bytes variation selectors stand for, as far as it is text."""
    values: list[int] = []
    for char in run[: DECODED_CHARS_MAX * 2]:
        if "\ufe00" <= char <= "\ufe0f":
            values.append(ord(char) - 0xFE00)
        elif "\U000e0100" <= char <= "\U000e01ef":
            values.append(ord(char) - 0xE0100 + 16)
    if values and max(values) < 16 and len(values) % 2 == 0:
        pairs = zip(values[::2], values[1::2], strict=True)
        values = [high * 16 + low for high, low in pairs]
    return _text(bytes(values))


def decode_bits(run: str) -> str:
    """Return the text that two kinds of characters of no width spell bit by bit."""
    kinds = sorted(set(run), key=run.count, reverse=True)[:2]
    if len(kinds) < 2:
        return f"{len(run)} of them"
    for zero, one in (kinds, kinds[::-1]):
        bits = "".join("01"[char == one] for char in run if char in (zero, one))
        bits = bits[: DECODED_CHARS_MAX * 8]
        for width in (8, 7, 16):
            cut = len(bits) - len(bits) % width
            codes = [int(bits[at : at + width], 2) for at in range(0, cut, width)]
            text = "".join(chr(code) for code in codes)
            if len(text) > 1 and text.isascii() and text.isprintable():
                return text
    return f"{len(run)} of them"


def _text(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    shown = text if sum(char.isprintable() for char in text) * 4 >= len(text) * 3 else ""
    return shown[:DECODED_CHARS_MAX]
