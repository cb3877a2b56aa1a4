"""Characters that a terminal obeys or that nobody sees, and what is shown in their place.

Text of skills, peers and files is translated by one of these tables before a person reads it: it
could repaint what stands there, reorder it, or begin a line that looks like one of ours.
"""

from __future__ import annotations

CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F, *range(0x80, 0xA0))}

# Not the joiners U+200C and U+200D, without which some scripts and emoji can't be written.
UNSEEN = {
    code: f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
    for code in (
        *(0xAD, 0x61C, 0x200B, 0x200E, 0x200F, 0xFEFF),
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFFF9, 0xFFFC),
        *range(0xE0000, 0xE0080),
    )
}
"""Bidirectional marks (the attack known as Trojan Source), separators of lines, tags, fillers."""

ONE_LINE = CONTROL | UNSEEN
"""For what has to stay on its line."""

LINES = {code: shown for code, shown in ONE_LINE.items() if chr(code) not in "\n\t"}
"""For what may have several lines."""

RAW_IN_JSON = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)} | {
    code: shown for code, shown in UNSEEN.items() if code <= 0xFFFF
}
"""What JSON itself leaves as it is: U+009B begins a sequence like ESC [."""

INDENT = "\n       "
"""Behind it a further line of a message can't be taken for another message."""
