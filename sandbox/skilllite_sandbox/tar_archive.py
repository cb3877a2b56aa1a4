"""Unpacking tar archives, plain or packed, by a reader of our own.

The standard library's reads extended headers of any size into memory, follows links and knows
devices. What a skill needs of the format is little: files, folders, long names. Everything else is
refused by name.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from skilllite_sandbox.archive import ARCHIVE_BYTES_MAX
from skilllite_sandbox.errors import InvalidSkill, NotFound
from skilllite_sandbox.policy import MIB
from skilllite_sandbox.tree import READ_CHUNK_BYTES
from skilllite_sandbox.unpacking import Unpacker
from skilllite_sandbox.values import dataclass

BLOCK_BYTES = 512
HEADER_BYTES_MAX = 64 * 1024  # of an extended header: paths have 1 KiB
MEMBERS_MAX = 10_000
"""Streams in one packed file. bgzip makes 4,096 of 256 MiB; a million empty ones take minutes."""
XZ_MEMORY_BYTES_MAX = 128 * MIB  # what `xz -9` asks for is 65 MiB

_MAGICS = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
_MAGIC_BYTES = 265
_USTAR_AT = 257
_FOLDER, _GLOBAL, _EXTENDED, _LONG_NAME = b"5", b"g", b"x", b"L"
_FILES = (b"0", b"\0")
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
    b"S": "a sparse file",
    b"K": "a link with a long name",
}


def kind_of_archive(path: Path) -> str:
    """Return `zip`, `tar`, `gzip`, `bzip2`, `xz` or `zstd` by what a file begins with, else "".

    Raises:
        NotFound: there is no such file.
        InvalidSkill: it can't be read, or is no regular file.
    """
    with _opened(path) as file:
        start = file.read(_MAGIC_BYTES)
    for magic, kind in _MAGICS:
        if start.startswith(magic):
            return kind
    return "tar" if start[_USTAR_AT : _USTAR_AT + 5] == b"ustar" else ""


def unpack_tar_tree(path: Path, root: Path) -> None:
    """Unpack all of a tar into an empty folder; a failure leaves what was written.

    Raises:
        NotFound: there is no such archive.
        InvalidSkill: it is none, holds anything but plain files and folders, or exceeds a bound.
    """
    kind = kind_of_archive(path)
    with _opened(path) as file:
        packed_bytes = os.fstat(file.fileno()).st_size
        if packed_bytes > ARCHIVE_BYTES_MAX:
            raise InvalidSkill(f"archive is larger than {ARCHIVE_BYTES_MAX // MIB} MiB")
        try:
            stream = _Stream(_unpacked(file, kind))
            _unpack(stream, Unpacker(root, packed_bytes=packed_bytes))
        except (zlib.error, EOFError, OSError, ValueError, MemoryError) as error:
            cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise InvalidSkill(f"{path.name} is not a usable tar archive", cause=cause) from None


def _opened(path: Path) -> IO[bytes]:
    try:
        # Without waiting: a pipe would be opened when somebody writes to it, perhaps never.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound(f"no archive at {path}") from None
    except OSError as error:
        raise InvalidSkill(f"{path} can't be read", cause=error.strerror) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidSkill(f"{path} is not a regular file", hint="give a zip or tar archive")
    return os.fdopen(descriptor, "rb")


def _unpacked(file: IO[bytes], kind: str) -> Iterator[bytes]:
    if kind == "tar":
        return _plain(file)
    if kind == "gzip":
        return _gzip(file)
    if kind == "bzip2":
        import bz2

        return _members(file, bz2.BZ2Decompressor)
    if kind == "xz":
        return _members(file, _new_xz)
    if kind == "zstd":
        raise InvalidSkill("archive is packed with zstd", hint="unpack it and add the folder")
    raise InvalidSkill("it is neither a zip nor a tar archive")


def _plain(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(READ_CHUNK_BYTES):
        yield chunk


def _gzip(file: IO[bytes]) -> Iterator[bytes]:
    left, count = b"", 0
    while left or (left := file.read(READ_CHUNK_BYTES)):
        count = _one_more(count)
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            if not left and not (left := file.read(READ_CHUNK_BYTES)):
                raise EOFError("it ends too early")
            yield member.decompress(left, READ_CHUNK_BYTES)
            left = member.unconsumed_tail or member.unused_data
        left = left.lstrip(b"\0")  # tapes are filled up with zeros


def _one_more(count: int) -> int:
    if count == MEMBERS_MAX:
        raise InvalidSkill(f"archive is packed in more than {MEMBERS_MAX} pieces")
    return count + 1


def _new_xz() -> object:
    import lzma

    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES_MAX)


def _members(file: IO[bytes], new: Callable[[], object]) -> Iterator[bytes]:
    import lzma

    left, count = b"", 0
    try:
        while left or (left := file.read(READ_CHUNK_BYTES)):
            count = _one_more(count)
            member = new()
            while not member.eof:  # type: ignore[attr-defined] # bz2 and lzma agree on these
                if member.needs_input and not left:  # type: ignore[attr-defined]
                    left = file.read(READ_CHUNK_BYTES)
                    if not left:
                        raise EOFError("it ends too early")
                chunk: bytes = member.decompress(left, READ_CHUNK_BYTES)  # type: ignore[attr-defined]
                left = b""
                yield chunk
            left = member.unused_data  # type: ignore[attr-defined]
    except lzma.LZMAError as error:
        raise ValueError(str(error)) from None


class _Stream:
    """Gives exactly as many bytes as are asked for, in pieces."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = memoryview(b"")

    def exactly(self, count: int) -> bytes:
        return b"".join(self.pieces(count))

    def pieces(self, count: int) -> Iterator[bytes]:
        while count:
            if not self._buffer:
                self._buffer = memoryview(self._next())
            piece = bytes(self._buffer[:count])
            self._buffer = self._buffer[len(piece) :]
            count -= len(piece)
            yield piece

    def _next(self) -> bytes:
        for chunk in self._chunks:
            if chunk:  # one without content is no end
                return chunk
        raise EOFError("it ends too early")


@dataclass(frozen=True, slots=True)
class _Header:
    name: str
    kind: bytes
    size_bytes: int
    executable: bool


def _unpack(stream: _Stream, unpacker: Unpacker) -> None:
    long_name = ""
    while True:
        block = stream.exactly(BLOCK_BYTES)
        if not any(block):
            return  # what follows the end is nobody's
        header = _read_header(block)
        if header.kind in (_EXTENDED, _GLOBAL, _LONG_NAME):
            if header.size_bytes > HEADER_BYTES_MAX:
                raise InvalidSkill("archive has an extended header that no path needs")
            data = stream.exactly(header.size_bytes)
            _skip_padding(stream, header.size_bytes)
            if header.kind == _LONG_NAME:
                long_name = data.rstrip(b"\0").decode("utf-8")
            elif header.kind == _EXTENDED:
                long_name = _extended(data).get("path", "") or long_name
            continue
        name, long_name = long_name or header.name, ""
        _take(stream, unpacker, name, header)


def _take(stream: _Stream, unpacker: Unpacker, name: str, header: _Header) -> None:
    name = name.removeprefix("./")
    if header.kind == _FOLDER or (header.kind in _FILES and name.endswith("/")):
        if header.size_bytes:
            raise InvalidSkill(f"archive holds the folder {name[:80]!r} with a content")
        if name.rstrip("/") not in ("", "."):
            unpacker.add_folder(name)
        return
    if header.kind not in _FILES:
        what = _KINDS.get(header.kind, "of a kind that no skill needs")
        raise InvalidSkill(
            f"archive holds {name[:80]!r}, which is {what}",
            hint="pack a skill of regular files and folders",
        )
    content = stream.pieces(header.size_bytes)
    unpacker.add_file(name, content, executable=header.executable)
    _skip_padding(stream, header.size_bytes)


def _skip_padding(stream: _Stream, size_bytes: int) -> None:
    stream.exactly(-size_bytes % BLOCK_BYTES)


def _read_header(block: bytes) -> _Header:
    stated = _octal(block[148:156])
    if sum(block[:148]) + sum(block[156:]) + 8 * ord(" ") != stated:
        raise ValueError("a header's sum is wrong")
    name = block[:100].split(b"\0", 1)[0].decode("utf-8")
    if block[257:263] == b"ustar\0":
        prefix = block[345:500].split(b"\0", 1)[0].decode("utf-8")
        name = f"{prefix}/{name}" if prefix else name
    return _Header(
        name, block[156:157], _octal(block[124:136]), bool(_octal(block[100:108]) & stat.S_IXUSR)
    )


def _octal(field: bytes) -> int:
    text = field.strip(b" \0")
    if not text:
        return 0
    if not text.isdigit():  # a first byte of 0x80 or 0xFF: sizes above 8 GiB, or negative
        raise ValueError("a number in a header is none")
    return int(text, 8)


def _extended(data: bytes) -> dict[str, str]:
    """Return the records of an extended header; a size there would make two readers disagree."""
    records: dict[str, str] = {}
    while data:
        digits, space, _ = data.partition(b" ")
        if not space or not digits.isdigit() or len(digits) > 6:
            raise ValueError("an extended header is malformed")
        length = int(digits)
        record, data = data[len(digits) + 1 : length], data[length:]
        key, equals, value = record.removesuffix(b"\n").partition(b"=")
        if not record.endswith(b"\n") or not equals:
            raise ValueError("an extended header is malformed")
        records[key.decode("utf-8")] = value.decode("utf-8")
    if records.keys() & {"size", "linkpath"} or any("GNU.sparse" in key for key in records):
        raise InvalidSkill("archive holds an extended header that no skill needs")
    return records
