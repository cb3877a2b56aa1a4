"""Looks into archives, within bounds: their members become files of the skill.

Nothing is written and nothing unpacked beyond what is looked at. A member is called
`a.zip!/path`, so that findings say where it is.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import posixpath
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence

from skilllite_sandbox.policy import KIB, MIB
from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.formats import Format, format_of
from skilllite_sandbox.scan.source import (
    CODE_LANGUAGES,
    FILE_BYTES_MAX,
    Language,
    SourceFile,
    make_source,
)
from skilllite_sandbox.values import dataclass

MEMBERS_MAX = 2_000  # of all archives of a skill; more are reported, not read
MEMBERS_BYTES_MAX = 32 * MIB  # that are unpacked from all archives of a skill
DEPTH_MAX = 3  # archives in archives
RATIO_MAX = 200  # unpacked to packed size of a whole archive: text packs 10 times, bombs 1,000
BOMB_BYTES_MIN = 16 * MIB  # unpacked size from which a ratio counts; empty tables pack well too
EXPANDED_BYTES_MAX = 1024 * MIB  # declared unpacked size that no skill needs, whatever the ratio
SEPARATOR = "!/"

_OFFICE = ("[Content_Types].xml", "mimetype", "word/", "xl/", "ppt/", "META-INF/container.xml")
_MACROS = ("vbaProject.bin", "vbaData.xml", "Basic/", "macrosheets/")
_PICKLED_ZIP = ("data.pkl", "archive/data.pkl", "byteorder")
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    AssertionError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was found in the archives of a skill."""

    members: tuple[SourceFile, ...]
    findings: tuple[Finding, ...]


def look_into_archives(sources: Sequence[SourceFile]) -> Unpacked:
    """Return the members of all archives among these files, and what is wrong with them."""
    look = _Look()
    for source in sources:
        if source.language is Language.BINARY and is_archive(source.data):
            look.into(source, 1)
    return Unpacked(tuple(look.members), tuple(look.findings))


def is_archive(data: bytes) -> bool:
    """Whether these bytes are of an archive that can be looked into."""
    return format_of(data) is Format.ARCHIVE or _zip_offset(data) > 0


def _zip_offset(data: bytes) -> int:
    """Return where a ZIP begins that follows something else; 0 when there is none."""
    if data[:2] == b"PK" or b"PK\x05\x06" not in data[-65_600:]:
        return 0
    return max(0, data.find(b"PK\x03\x04"))


class _TooMuch(Exception):
    """A bound for all archives was reached."""


class _Look:
    """What was unpacked so far, and how much may still be."""

    def __init__(self) -> None:
        self.members: list[SourceFile] = []
        self.findings: list[Finding] = []
        self._members_left = MEMBERS_MAX
        self._bytes_left = MEMBERS_BYTES_MAX

    def into(self, source: SourceFile, depth: int) -> None:
        """Look into one archive; damage and bounds become findings."""
        if source.cut:
            return  # reported as too large already
        if depth > DEPTH_MAX:
            self._report("SL123", source, f"more than {DEPTH_MAX} archives in each other")
            return
        first = len(self.members)
        try:
            for member in self._members(source):
                self.members.append(member)
        except _TooMuch:
            self._report("SL124", source, "its archives are larger than what is unpacked")
        except _DAMAGED as error:
            self._report("SL124", source, f"damaged: {error}"[:120])
        inner = self.members[first:]
        inner = self._judge(source, inner)
        self.members[first:] = inner
        for member in inner:
            if member.language is Language.BINARY and is_archive(member.data):
                self.into(member, depth + 1)

    def _judge(self, source: SourceFile, inner: list[SourceFile]) -> list[SourceFile]:
        """Say what kind of archive it is; return the members that are worth a look."""
        names = [member.path.rpartition(SEPARATOR)[2] for member in inner]
        if any(name.startswith(_OFFICE) for name in names):
            if any(mark in name for name in names for mark in _MACROS):
                self._report("SL127", source)
            return [each for each in inner if not _is_unknown(each)]
        if any(name.endswith(_PICKLED_ZIP) or name.endswith(".npy") for name in names):
            # A model: its values are just numbers, its pickles are judged as such.
            return [each for each in inner if not _is_unknown(each) or each.path.endswith("kl")]
        self._report("SL121", source, f"{len(inner)} files")
        code = [name for name, member in zip(names, inner, strict=True) if _is_code(member)]
        if code:
            self._report("SL125", source, ", ".join(code[:3]))
        return inner

    def _members(self, source: SourceFile) -> Iterator[SourceFile]:
        data = source.data
        start = _zip_offset(data)
        if start:
            self._report("SL119", source, "an archive follows other content")
        if data[:2] == b"PK" or start:
            yield from self._zip(source)
            return
        plain, compressed = self._inflated(source)
        if plain[257:262] == b"ustar" or _is_tar(source.path, plain):
            yield from self._tar(source, plain)
        elif compressed:
            name = posixpath.basename(source.path).rpartition(".")[0] or "content"
            yield self._member(source, name, plain)

    def _inflated(self, source: SourceFile) -> tuple[bytes, bool]:
        """Return the content under one compression, at most what may be unpacked."""
        data = source.data
        limit = min(self._bytes_left, BOMB_BYTES_MIN) + 1
        stream = _opened(data)
        if stream is None:
            return data, False
        with stream:
            plain = bytes(stream.read(limit))
        self._bytes_left -= len(plain)
        if len(plain) > BOMB_BYTES_MIN and len(plain) > RATIO_MAX * max(1, len(data)):
            self._report("SL123", source, f"more than {RATIO_MAX} times its size")
            return b"", True
        if len(plain) >= limit:
            self._report("SL124", source, "it is larger than what is unpacked")
        return plain, True

    def _zip(self, source: SourceFile) -> Iterator[SourceFile]:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            infos = archive.infolist()
            if self._is_bomb(source, infos):
                return
            for info in infos:
                self._name(source, info.filename)
                mode = info.external_attr >> 16
                if info.is_dir():
                    continue
                if stat.S_ISLNK(mode):
                    target = archive.open(info).read(4096).decode("utf-8", "replace")
                    self._link(source, info.filename, target)
                    continue
                if info.flag_bits & 0x1:
                    self._report("SL124", source, f"{info.filename} is encrypted")
                    continue
                with archive.open(info) as stream:
                    data = stream.read(FILE_BYTES_MAX + 1)
                yield self._member(source, info.filename, data, mode)

    def _is_bomb(self, source: SourceFile, infos: list[zipfile.ZipInfo]) -> bool:
        total = sum(info.file_size for info in infos)
        ratio = total / max(1, len(source.data))
        if (ratio > RATIO_MAX and total > BOMB_BYTES_MIN) or total > EXPANDED_BYTES_MAX:
            self._report("SL123", source, f"{total // MIB} MiB from {len(source.data) // KIB} KiB")
            return True
        return False

    def _tar(self, source: SourceFile, plain: bytes) -> Iterator[SourceFile]:
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            for info in archive:
                self._name(source, info.name)
                if info.issym() or info.islnk():
                    self._link(source, info.name, info.linkname, hard=info.islnk())
                elif info.isfile():
                    stream = archive.extractfile(info)
                    data = b"" if stream is None else stream.read(FILE_BYTES_MAX + 1)
                    yield self._member(source, info.name, data, info.mode)
                elif not info.isdir():
                    self._report("SL126", source, f"{info.name} is a special file")

    def _member(self, source: SourceFile, name: str, data: bytes, mode: int = 0) -> SourceFile:
        self._members_left -= 1
        self._bytes_left -= len(data)
        if self._members_left < 0 or self._bytes_left < 0:
            raise _TooMuch
        if mode & (stat.S_ISUID | stat.S_ISGID) and stat.S_ISREG(mode):
            self._report("SL112", source, name)
        path = f"{source.path}{SEPARATOR}{_shown(name)}"
        cut = len(data) > FILE_BYTES_MAX
        executable = bool(mode & stat.S_IXUSR)
        return make_source(path, data[:FILE_BYTES_MAX], executable, cut=cut)

    def _name(self, source: SourceFile, name: str) -> None:
        """Report a name that leads out of the folder that is unpacked into."""
        plain = name.replace("\\", "/")
        drive = len(plain) > 1 and plain[1] == ":" and plain[0].isalpha()
        if plain.startswith("/") or drive or ".." in plain.split("/"):
            self._report("SL122", source, name)

    def _link(self, source: SourceFile, name: str, target: str, *, hard: bool = False) -> None:
        base = "" if hard else posixpath.dirname(name)
        joined = posixpath.normpath(posixpath.join(base, target))
        out = target.startswith(("/", "~")) or joined == ".." or joined.startswith("../")
        self._report("SL122" if out else "SL126", source, f"{name} leads to {target}")

    def _report(
        self, code: str, source: SourceFile, detail: str = "", severity: Severity | None = None
    ) -> None:
        if sum(each.code == code and each.file == source.path for each in self.findings) < 5:
            self.findings.append(make_finding(code, source.path, 0, detail, severity=severity))


def _opened(data: bytes) -> gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile | None:
    """Return what undoes the compression of these bytes; None when they are plain."""
    if data.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=io.BytesIO(data))
    if data.startswith(b"BZ"):
        return bz2.BZ2File(io.BytesIO(data))
    return lzma.LZMAFile(io.BytesIO(data)) if data.startswith(b"\xfd7") else None


def _is_tar(path: str, plain: bytes) -> bool:
    """Whether it is a TAR of before 1988, which has no mark."""
    named = path.lower().endswith(
        (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".txz", ".tbz")
    )
    return named and len(plain) >= 512


def _is_code(member: SourceFile) -> bool:
    return member.language in CODE_LANGUAGES or member.executable


def _is_unknown(member: SourceFile) -> bool:
    return member.language is Language.BINARY and format_of(member.data) is Format.UNKNOWN


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")
