"""How the differences of two sequences are told: as a unified diff, word by word, or in figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from alignment import matching_blocks
from contract import Refusal

# One token: a word, a single CJK character (they are written without spaces), white space, or a
# sign. Joined together the tokens are the text again.
CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(f"[{CJK}]|[^\\W{CJK}]+|\\s+|.", re.DOTALL)

Opcode = tuple[str, int, int, int, int]


def opcodes(before: Sequence[str], after: Sequence[str], key: Callable[[str], str]) -> list[Opcode]:
    """Return how to turn one sequence into the other; items with the same key are the same."""
    found: list[Opcode] = []
    at_old = at_new = 0
    for old, new, size in matching_blocks(
        [key(item) for item in before], [key(item) for item in after]
    ):
        if old > at_old or new > at_new:
            tag = "replace" if old > at_old and new > at_new else "delete"
            found.append((tag if old > at_old else "insert", at_old, old, at_new, new))
        if size:
            found.append(("equal", old, old + size, new, new + size))
        at_old, at_new = old + size, new + size
    return found


def similarity(codes: Sequence[Opcode], before: int, after: int) -> float:
    """Return twice the common items over all items: 1.0 for equal, 0.0 for nothing in common."""
    common = sum(b - a for tag, a, b, _, _ in codes if tag == "equal")
    return round(2 * common / (before + after), 4) if before + after else 1.0


def unified(
    before: Sequence[str],
    after: Sequence[str],
    codes: Sequence[Opcode],
    *,
    context: int,
    names: tuple[str, str],
) -> str:
    """Return a unified diff that `patch` accepts, or nothing when the texts are the same."""
    lines: list[str] = []
    for group in _hunks(codes, context):
        old_range = _range(group[0][1], group[-1][2])
        new_range = _range(group[0][3], group[-1][4])
        lines.append(f"@@ -{old_range} +{new_range} @@\n")
        for tag, a, b, c, d in group:
            if tag == "equal":
                lines += [_line(" ", line) for line in before[a:b]]
                continue
            lines += [_line("-", line) for line in before[a:b]]
            lines += [_line("+", line) for line in after[c:d]]
    header = [f"--- {names[0]}\n", f"+++ {names[1]}\n"]
    return "".join(header + lines) if lines else ""


def _hunks(codes: Sequence[Opcode], context: int) -> list[list[Opcode]]:
    """Return the changes in groups, each with so many equal items around it."""
    groups: list[list[Opcode]] = []
    current: list[Opcode] = []
    for at, (tag, a, b, c, d) in enumerate(codes):
        if tag != "equal":
            current.append((tag, a, b, c, d))
            continue
        before_first, after_last = at == 0, at == len(codes) - 1
        if not before_first:
            if not after_last and b - a <= 2 * context:
                current.append((tag, a, b, c, d))
                continue
            size = min(context, b - a)
            groups.append([*current, (tag, a, a + size, c, c + size)])
        size = 0 if after_last else min(context, b - a)
        current = [(tag, b - size, b, d - size, d)]
    if any(code[0] != "equal" for code in current):
        groups.append(current)
    return groups


def _range(start: int, stop: int) -> str:
    # Lines count from 1, and an empty range names the line in front of it.
    size = stop - start
    if size == 1:
        return str(start + 1)
    return f"{start + 1 if size else start},{size}"


def _line(mark: str, line: str) -> str:
    ending = "" if line.endswith("\n") else "\n\\ No newline at end of file\n"
    return mark + line + ending


def tokens(text: str, most: int, name: str) -> list[str]:
    found = _TOKEN.findall(text)
    if len(found) > most:
        raise Refusal(f"{name} has {len(found)} words and signs; at most {most} are allowed")
    return found


def changes(
    before: Sequence[str], after: Sequence[str], codes: Sequence[Opcode]
) -> list[dict[str, str]]:
    """Return the new text in stretches that are equal, deleted or inserted."""
    found: list[dict[str, str]] = []
    for tag, a, b, c, d in codes:
        if tag == "equal":
            found.append({"kind": "equal", "text": "".join(after[c:d])})
            continue
        if b > a:
            found.append({"kind": "delete", "text": "".join(before[a:b])})
        if d > c:
            found.append({"kind": "insert", "text": "".join(after[c:d])})
    return found


def marked(found: Sequence[dict[str, str]]) -> str:
    """Return the stretches as one text, in the notation of `git diff --word-diff`."""
    forms = {"equal": "{}", "delete": "[-{}-]", "insert": "{{+{}+}}"}
    return "".join(forms[part["kind"]].format(part["text"]) for part in found)
