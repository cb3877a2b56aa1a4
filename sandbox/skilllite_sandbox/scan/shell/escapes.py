"""Texts that nobody can read as they stand: what the decoders of a shell make of them."""

from __future__ import annotations

import base64
import binascii
import re
import zlib

from skilllite_sandbox.scan.acts import Datum
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.taint import VALUE_CHARS_MAX, Taint, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.shell.machine import Shell
    from skilllite_sandbox.scan.shell.nodes import Node

_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|0?([0-7]{1,3})|(.))",
    re.DOTALL,
)
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}


def unescape(shell: Shell, value: Text, node: Node, *, how: str) -> Text:
    """Return a text with its backslash escapes read; letters written so count as decoded."""
    hides = False

    def char(match: re.Match[str]) -> str:
        nonlocal hides
        number = match[1] or match[2] or match[3]
        if number is None and match[4] is None:
            return _NAMED.get(match[5], match[5] if match[5] in "\\'\"?" else "\\" + match[5])
        code = int(number, 16) if number else int(match[4], 8)
        hides = hides or chr(code).isalnum() if code < 0x110000 else hides
        return chr(code) if 0 < code < 0x110000 else ""

    text = _ESCAPE.sub(char, value.text)
    if not hides:
        return Text(text, value.taints)
    return Text(text, value.taints | {_origin(shell, node, how)})


def decoded(shell: Shell, value: Text, node: Node, how: str) -> Text:
    """Return what a decoder makes of a text; a constant then counts as hidden.

    What came over the network or from outside keeps its own origin and isn't the skill's secret.
    """
    result = decode(value.text, how) if value.known else None
    constant = value.known or value.has(Datum.OWN_FILE) or value.has(Datum.DECODED)
    taints = value.taints
    if constant and result != value.text:
        taints |= {_origin(shell, node, how)}
    return Text(UNKNOWN if result is None else result[:VALUE_CHARS_MAX], taints)


def _origin(shell: Shell, node: Node, how: str) -> Taint:
    return Taint(Datum.DECODED, shell.file, shell.line_of(node), how)


def decode(text: str, how: str) -> str | None:
    """Return the text that comes out, bytes as Latin-1 characters when they are no UTF-8."""
    try:
        data = text.encode("utf-8") if not _is_bytes(text) else text.encode("latin-1")
        if how in ("base64", "base64url"):
            packed = re.sub(rb"[^A-Za-z0-9+/]", b"", data.translate(bytes.maketrans(b"-_", b"+/")))
            out = base64.b64decode(packed + b"=" * (-len(packed) % 4))
        elif how == "base32":
            packed = re.sub(rb"[^A-Z2-7]", b"", data.upper())
            out = base64.b32decode(packed + b"=" * (-len(packed) % 8))
        elif how == "hex":
            packed = re.sub(rb"[^0-9A-Fa-f]", b"", re.sub(rb"(?:\\x|0x)", b"", data))
            out = binascii.unhexlify(packed[: len(packed) // 2 * 2])
        elif how == "reversed":
            return "\n".join(line[::-1] for line in text.split("\n"))
        elif how == "unpacked":
            out = _unpack(data)
        elif how == "uuencoded":
            out = _uudecode(text)
        else:
            return None
    except (ValueError, OSError, EOFError, zlib.error):
        return None
    try:
        return out.decode("utf-8")
    except UnicodeDecodeError:
        return out.decode("latin-1")


def _is_bytes(text: str) -> bool:
    return any("\x7f" < char <= "\xff" for char in text) and all(char <= "\xff" for char in text)


def _unpack(data: bytes) -> bytes:
    """Return compressed bytes unpacked, up to the bound."""
    import bz2
    import lzma

    for magic, opened in ((b"\x1f\x8b", 31), (b"\x78", 15)):
        if data.startswith(magic):
            return zlib.decompressobj(opened).decompress(data, VALUE_CHARS_MAX)
    if data.startswith(b"BZh"):
        return bz2.BZ2Decompressor().decompress(data, VALUE_CHARS_MAX)
    if data.startswith((b"\xfd7zXZ", b"\x5d\x00")):
        try:
            return lzma.LZMADecompressor().decompress(data, VALUE_CHARS_MAX)
        except lzma.LZMAError as error:
            raise ValueError("broken") from error
    raise ValueError("packed in no known way")


def _uudecode(text: str) -> bytes:
    lines = [line for line in text.split("\n") if line and not line.startswith(("begin ", "end"))]
    return b"".join(binascii.a2b_uu(line) for line in lines)


def translated(text: str, old: str, new: str, *, delete: bool) -> str | None:
    """Return what `tr` makes of a text; None for sets that aren't understood."""
    given = _tr_set(old)
    if delete:
        return text.translate({ord(char): None for char in given})
    made = _tr_set(new)
    if not given or not made:
        return None
    made += made[-1] * (len(given) - len(made))
    table: dict[int, str] = {}
    for char, other in zip(given, made, strict=False):
        table.setdefault(ord(char), other)
    return text.translate(table)


_CLASSES = {
    "[:lower:]": "abcdefghijklmnopqrstuvwxyz",
    "[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "[:digit:]": "0123456789",
    "[:space:]": " \t\n\r\v\f",
}


def _tr_set(text: str) -> str:
    for name, chars in _CLASSES.items():
        text = text.replace(name, chars)
    text = _ESCAPE.sub(
        lambda m: chr(int(m[4], 8)) if m[4] else _NAMED.get(m[5] or "", m[5] or ""), text
    )
    return re.sub(
        r"(.)-(.)",
        lambda m: "".join(map(chr, range(ord(m[1]), min(ord(m[2]), ord(m[1]) + 255) + 1))),
        text,
        flags=re.DOTALL,
    )
