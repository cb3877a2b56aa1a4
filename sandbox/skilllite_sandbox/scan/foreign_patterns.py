"""Patterns that stand in a script, tried on its texts only where that can't take for ever.

Python's own matching goes back on its steps without end and can't be interrupted. How often it may
have to is estimated from the pattern alone; what could take long is not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from skilllite_sandbox.scan.taint import VALUE_CHARS_MAX

PATTERN_CHARS_MAX = 500
TRIES_MAX = 4_000_000  # places where matching may have to begin again: a tenth of a second
OPTIONS_MAX = 8  # signs that may be there or not: each doubles the tries
_PLAIN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEATED_GROUP = re.compile(r"\)\s*[*+{]")
_AGAIN = re.compile(r"\\[1-9]|\(\?P=|\(\?\(")


def is_cheap(pattern: str, length: int, *, times: int = 1) -> bool:
    """Tell whether a pattern can be tried on a text of this length, so many times.

    Args:
        pattern: As Python writes it.
        length: Of the text.
        times: Tries at the beginning of the text; 0 for one at each of its places.
    """
    if len(pattern) > PATTERN_CHARS_MAX or _AGAIN.search(pattern):
        return False
    plain = _PLAIN.sub("x", pattern)
    if _REPEATED_GROUP.search(plain) and re.search(r"[*+{?|(]", _inside_groups(plain)):
        return False
    repeats = re.findall(r"[*+?]\??|\{[^}]*\}\??", re.sub(r"\(\?[:=!<>aiLmsux-]*", "(", plain))
    options = sum(each[0] == "?" for each in repeats)
    if options > OPTIONS_MAX:
        return False
    unbounded = len(repeats) - options
    if unbounded and re.search(r"(?:[*+]|\})$", plain):
        unbounded -= 1  # nothing follows that could fail
    power = unbounded + (times != 1) if unbounded else 1
    tries: int = max(length, 1) ** power << options
    return tries <= TRIES_MAX


def _inside_groups(plain: str) -> str:
    """Return what stands in groups, all of them together."""
    depth, found = 0, []
    for sign in plain:
        if sign == ")":
            depth -= 1
        if depth > 0:
            found.append(sign)
        if sign == "(":
            depth += 1
    return "".join(found).removeprefix("?:")


def substituted(
    pattern: re.Pattern[str], put: Callable[[re.Match[str]], str], text: str, count: int
) -> str | None:
    """Return a text with what is put for each match; None when it takes or becomes too much."""
    if not is_cheap(pattern.pattern, len(text), times=0):
        return None
    parts: list[str] = []
    size, at = len(text), 0
    for number, match in enumerate(pattern.finditer(text)):
        if count and number >= count:
            break
        new = put(match)
        size += len(new)
        if size > VALUE_CHARS_MAX:
            return None
        parts += (text[at : match.start()], new)
        at = match.end()
    return "".join((*parts, text[at:]))
