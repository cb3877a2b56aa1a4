"""Code that stands where nobody looks: far to the right, behind blanks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

BLANKS_MIN = 80  # between two statements of a line: a screen's width; nobody aligns with as many
FINDS_MAX = 20  # of one file

_GAP = re.compile(rf"\S[ \t]*;?[ \t]{{{BLANKS_MIN},}};?[ \t]*[^\s#;]")


_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_ORDINARY_CODECS = re.compile(
    r"utf-?8|(?:us-?)?ascii|latin-?1|iso-?8859|cp\d|windows-|gbk|gb2312|gb18030|euc|shift|sjis|big5"
    r"|koi8|mac-?|utf-?8-sig"
)


def hiding_codec(text: str) -> str | None:
    """Return the encoding that the interpreter reads a file in, when no editor does."""
    for line in text.split("\n", 2)[:2]:
        if (match := _COOKIE.match(line)) is not None:
            name = match[1].lower().replace("_", "-")
            return None if _ORDINARY_CODECS.match(name) else name
    return None


def pushed_away(text: str, tree: ast.Module) -> Iterator[int]:
    """Yield the lines that have a statement behind that many blanks."""
    lines = text.split("\n")
    suspects = {number for number, line in enumerate(lines, 1) if _GAP.search(line)}
    if not suspects:
        return
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno in suspects - found:
            before = lines[node.lineno - 1].encode()[: node.col_offset].decode("utf-8", "replace")
            bare = before.rstrip(" \t;")
            if bare.strip() and len(before) - len(bare) >= BLANKS_MIN:
                found.add(node.lineno)
                yield node.lineno
                if len(found) >= FINDS_MAX:
                    return
