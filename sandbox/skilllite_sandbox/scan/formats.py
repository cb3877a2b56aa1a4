"""What a file is by its first bytes, whatever it is called. Pure."""

from __future__ import annotations

from enum import StrEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Format(StrEnum):
    """A kind of content, as far as the scanner treats kinds differently."""

    NATIVE = "machine code"
    BYTE_CODE = "byte code"
    SCRIPT = "a script"
    MARKUP = "markup that can hold scripts"
    ARCHIVE = "an archive"
    SEALED = "an archive of a kind that isn't read here"
    PICKLE = "a pickle"
    IMAGE = "an image"
    MEDIA = "sound or film"
    FONT = "a font"
    PDF = "a PDF document"
    DATA = "data"
    UNKNOWN = "unknown"


_MAGIC: Final[tuple[tuple[bytes, Format], ...]] = (
    (b"\x7fELF", Format.NATIVE),
    (b"\xfe\xed\xfa\xce", Format.NATIVE),
    (b"\xfe\xed\xfa\xcf", Format.NATIVE),
    (b"\xce\xfa\xed\xfe", Format.NATIVE),
    (b"\xcf\xfa\xed\xfe", Format.NATIVE),
    (b"\0asm", Format.NATIVE),
    (b"!<arch>\n", Format.NATIVE),
    (b"dex\n03", Format.BYTE_CODE),
    (b"\x1bLua", Format.BYTE_CODE),
    (b"\x1bLJ", Format.BYTE_CODE),
    (b"BC\xc0\xde", Format.BYTE_CODE),
    (b"#!", Format.SCRIPT),
    (b"PK\x03\x04", Format.ARCHIVE),
    (b"PK\x05\x06", Format.ARCHIVE),
    (b"\x1f\x8b", Format.ARCHIVE),
    (b"BZh", Format.ARCHIVE),
    (b"\xfd7zXZ\0", Format.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", Format.SEALED),
    (b"Rar!\x1a\x07", Format.SEALED),
    (b"\x28\xb5\x2f\xfd", Format.SEALED),
    (b"\x04\x22\x4d\x18", Format.SEALED),
    (b"MSCF", Format.SEALED),
    (b"xar!", Format.SEALED),
    (b"\x1f\x9d", Format.SEALED),
    (b"hsqs", Format.SEALED),
    (b"LZIP", Format.SEALED),
    (b"\x89PNG\r\n\x1a\n", Format.IMAGE),
    (b"\xff\xd8\xff", Format.IMAGE),
    (b"GIF87a", Format.IMAGE),
    (b"GIF89a", Format.IMAGE),
    (b"BM", Format.IMAGE),
    (b"\0\0\1\0", Format.IMAGE),
    (b"II*\0", Format.IMAGE),
    (b"MM\0*", Format.IMAGE),
    (b"8BPS", Format.IMAGE),
    (b"qoif", Format.IMAGE),
    (b"\0\0\0\x0cJXL ", Format.IMAGE),
    (b"\0\0\0\x0cjP  ", Format.IMAGE),
    (b"%PDF-", Format.PDF),
    (b"wOFF", Format.FONT),
    (b"wOF2", Format.FONT),
    (b"\0\1\0\0\0", Format.FONT),
    (b"OTTO", Format.FONT),
    (b"ttcf", Format.FONT),
    (b"OggS", Format.MEDIA),
    (b"ID3", Format.MEDIA),
    (b"\xff\xfb", Format.MEDIA),
    (b"\xff\xf3", Format.MEDIA),
    (b"fLaC", Format.MEDIA),
    (b"MThd", Format.MEDIA),
    (b"\x1aE\xdf\xa3", Format.MEDIA),
    (b"SQLite format 3\0", Format.DATA),
    (b"\x93NUMPY", Format.DATA),
    (b"\x89HDF\r\n\x1a\n", Format.DATA),
    (b"PAR1", Format.DATA),
    (b"ARROW1", Format.DATA),
    (b"Obj\1", Format.DATA),
    (b"ORC", Format.DATA),
    (b"glTF", Format.DATA),
    (b"GGUF", Format.DATA),
    (b"\xde\x12\x04\x95", Format.DATA),
)
_JAVA_VERSIONS = range(45, 100)  # a fat Mach-O file begins alike, with a small number of parts
_PYC_TAIL = b"\r\n"
_RIFF_KINDS = {b"WEBP": Format.IMAGE, b"WAVE": Format.MEDIA, b"AVI ": Format.MEDIA}


def format_of(data: bytes) -> Format:
    """Return what these bytes begin like."""
    if data[:4] == b"\xca\xfe\xba\xbe":
        version = int.from_bytes(data[6:8], "big")
        return Format.BYTE_CODE if version in _JAVA_VERSIONS else Format.NATIVE
    if data[:2] == b"MZ" and _is_windows_program(data):
        return Format.NATIVE
    if data[2:4] == _PYC_TAIL and len(data) > 16 and data[1:2] in (b"\x0c", b"\x0d", b"\x0e"):
        return Format.BYTE_CODE
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF":
        return _RIFF_KINDS.get(data[8:12], Format.UNKNOWN)
    if data[4:8] == b"ftyp":
        return Format.IMAGE if data[8:12] in (b"avif", b"heic", b"mif1") else Format.MEDIA
    if data[257:262] == b"ustar":
        return Format.ARCHIVE
    if data[:1] == b"\x80" and data[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return Format.PICKLE
    if _is_safetensors(data):
        return Format.DATA
    head = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html", b"<script", b"<svg", b"<?php", b"<%")):
        return Format.MARKUP
    return Format.UNKNOWN


def _is_windows_program(data: bytes) -> bool:
    offset = int.from_bytes(data[60:64], "little")
    return len(data) >= 64 and (offset > len(data) or data[offset : offset + 2] in (b"PE", b"NE"))


def _is_safetensors(data: bytes) -> bool:
    length = int.from_bytes(data[:8], "little")
    return 2 <= length <= 100_000_000 and data[8:10] == b'{"'
