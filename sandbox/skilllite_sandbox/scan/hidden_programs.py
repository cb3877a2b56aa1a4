"""Programs that are written as data: base64, hex, compressed, as a whole file or a long word.

Only what comes out as a program counts: pictures and keys in base64 are ordinary.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib

from skilllite_sandbox.policy import KIB
from skilllite_sandbox.scan.formats import Format, format_of
from skilllite_sandbox.scan.source import Language, SourceFile

DECODED_BYTES_MAX = 256 * KIB  # of one run of characters; a program shows in its first bytes
RUNS_MAX = 64  # of one file that are decoded
LAYERS_MAX = 4  # base64 in zlib in base64 …

_DATA_LANGUAGES = (Language.OTHER_TEXT, Language.BINARY)
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{60,}={0,2}")
_HEX_RUN = re.compile(r"[0-9a-fA-F]{80,}")
_BROKEN_LINES = re.compile(r"\s+")
_PROGRAM_TEXT = re.compile(
    rb"^#!\s*/|^[ \t]*(?:import|from)\s+(?:os|sys|socket|subprocess|urllib|requests|base64|ctypes"
    rb"|pty|shutil|marshal|zlib|platform|pathlib|json|http)\b|\b(?:exec|eval|__import__)\s*\("
    rb"|\brequire\s*\(\s*['\"](?:node:)?(?:child_process|fs|net|https?|os)['\"]"
    rb"|\b(?:curl|wget)\s[^\n]{0,200}\|\s*(?:ba|z)?sh\b|/dev/tcp/|\bbash\s+-[ic]\b"
    rb"|\bos\.(?:system|popen|environ)\b|\bsubprocess\.\w+\(",
    re.MULTILINE,
)


def hidden_program(source: SourceFile) -> str | None:
    """Return what program a data file holds under an encoding; None when none is found."""
    if source.language not in _DATA_LANGUAGES:
        return None
    if source.language is Language.BINARY:
        if format_of(source.data) is Format.UNKNOWN:
            return _program_in(source.data[:DECODED_BYTES_MAX], 0)
        return None
    text = source.text
    compact = _BROKEN_LINES.sub("", text[: DECODED_BYTES_MAX * 2])
    for candidate in (compact, compact[::-1]):
        if _BASE64_RUN.fullmatch(candidate) and (what := _from_text(candidate, 0)):
            return what
    for count, match in enumerate(_BASE64_RUN.finditer(text)):
        if count >= RUNS_MAX:
            break
        if what := _from_text(match.group(), 0):
            return what
    return None


def decoded_layers(word: str) -> bytes | None:
    """Return what a run of base64 or hex decodes to; None when it is neither."""
    if _HEX_RUN.fullmatch(word) and len(word) % 2 == 0:
        return bytes.fromhex(word[: DECODED_BYTES_MAX * 2])
    trimmed = word.rstrip("=")[:DECODED_BYTES_MAX].replace("-", "+").replace("_", "/")
    trimmed = trimmed[: len(trimmed) - (len(trimmed) % 4 == 1)]
    try:
        return base64.b64decode(trimmed + "=" * (-len(trimmed) % 4))
    except (binascii.Error, ValueError):
        return None


def _from_text(word: str, layer: int) -> str | None:
    decoded = decoded_layers(word)
    return None if decoded is None else _program_in(decoded, layer + 1)


def _program_in(data: bytes, layer: int) -> str | None:
    """Return what program these bytes are, under any further layers."""
    if layer > LAYERS_MAX or len(data) < 16:
        return None
    kind = format_of(data)
    if layer and kind in (Format.NATIVE, Format.BYTE_CODE, Format.SCRIPT):
        return kind.value
    if data[:1] == b"\xe3" and layer:
        return "marshalled byte code"
    if data[:2] in (b"x\x9c", b"x\xda", b"x\x01", b"x\x5e", b"\x1f\x8b"):
        return _program_in(_inflated(data), layer + 1)
    if layer and _PROGRAM_TEXT.search(data[: 64 * KIB]):
        return "source code"
    if layer and data.isascii():
        word = _BROKEN_LINES.sub("", data.decode("ascii"))
        if _BASE64_RUN.fullmatch(word):
            return _from_text(word, layer)
    return None


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, DECODED_BYTES_MAX)
    except zlib.error:
        return b""
