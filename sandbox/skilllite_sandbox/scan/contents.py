"""What the files of a skill hold, against what their names promise. Text itself is for others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.formats import Format, format_of
from skilllite_sandbox.scan.hidden_programs import hidden_program
from skilllite_sandbox.scan.source import CODE_LANGUAGES, Language, SourceFile
from skilllite_sandbox.scan.words import words

_IMAGES = words("png jpg jpeg jfif gif webp bmp ico tif tiff avif heic psd")
_MEDIA = words("mp3 mp4 m4a wav ogg flac mov avi webm mkv mid")
_FONTS = words("ttf otf woff woff2 ttc eot")
_PLAIN = words("txt md csv tsv json jsonl yaml yml toml ini cfg log rst xml dat")
_OFFICE = words("docx xlsx pptx odt ods odp docm xlsm pptm dotx xltx epub")
_DOCUMENTS = words("pdf doc xls ppt rtf") | _OFFICE
_EXPECTED: dict[Format, frozenset[str]] = {
    Format.IMAGE: _IMAGES,
    Format.MEDIA: _MEDIA,
    Format.FONT: _FONTS,
    Format.PDF: frozenset(("pdf", "ai")),
}
_PROMISES_DATA = _IMAGES | _MEDIA | _FONTS | _PLAIN | _DOCUMENTS
_PROMISES_BINARY = _IMAGES | _MEDIA | _FONTS | frozenset(("pdf", "doc", "xls", "ppt")) | _OFFICE
_NATIVE_NAMES = words("so dll dylib node exe wasm elf o a ko com scr sys")
_BYTE_CODE_NAMES = words("pyc pyo class dex beam luac")
_IMAGE_ENDS = {
    b"\x89PNG": b"IEND\xaeB`\x82",
    b"\xff\xd8\xff\xe0": b"\xff\xd9",
    b"\xff\xd8\xff\xe1": b"\xff\xd9",
    b"GIF8": b"\0;",
}
_PDF_ACTIONS = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile)\b")
_TAIL_BYTES_MAX = 64  # padding and comments behind an image are ordinary, a program isn't
_KEEPS_DATA = words(
    """
    db db3 sqlite sqlite3 idx index cache tmp bak old log lock map key pem crt lst tbl table model
    weights vocab dict data sav rec dump asset res pak font icon
    """
)
"""What programs keep their data in: none of them holds a program."""
_SCRIPT_TEXT = re.compile(
    r"^\s*(?:#!\s*/\S+|<\?php\b|(?:import|from)\s+[\w.]+(?:\s+import\b|\s*$|\s*[,;])"
    r"|def\s+\w+\s*\(|(?:exec|eval)\s*\(|require\s*\(|(?:const|let|var)\s+\w+\s*=\s*require\b)",
    re.MULTILINE,
)


def inspect_contents(sources: Sequence[SourceFile]) -> tuple[Finding, ...]:
    """Return where content and name differ, and what nobody can read."""
    return tuple(finding for source in sources for finding in _one(source))


def suffix_of(path: str) -> str:
    """Return the suffix of a file's name in lower case, empty when it has none."""
    name = path.rpartition("/")[2]
    stem, _, suffix = name.rpartition(".")
    return suffix.lower() if stem else ""


def _one(source: SourceFile) -> Iterator[Finding]:
    suffix = suffix_of(source.path)
    kind = format_of(source.data)
    binary = source.language is Language.BINARY
    if (kind is Format.NATIVE or suffix in _NATIVE_NAMES) and (binary or _is_elf(source)):
        disguised = suffix in _PROMISES_DATA | _KEEPS_DATA
        yield make_finding("SL111" if disguised else "SL109", source.path, 0)
    elif (kind is Format.BYTE_CODE or suffix in _BYTE_CODE_NAMES) and binary:
        disguised = suffix in _PROMISES_DATA | _KEEPS_DATA
        yield make_finding("SL111" if disguised else "SL110", source.path, 0)
    elif binary:
        yield from _binary(source, suffix, kind)
    else:
        yield from _text(source, suffix, kind)
    if kind is Format.PDF and (match := _PDF_ACTIONS.search(source.data)) is not None:
        yield make_finding("SL127", source.path, 0, match.group(1).decode("ascii"))
    if (what := hidden_program(source)) is not None:
        yield make_finding("SL118", source.path, 0, what)


def _is_elf(source: SourceFile) -> bool:
    return source.data.startswith(b"\x7fELF")  # a damaged one may happen to be text


def _binary(source: SourceFile, suffix: str, kind: Format) -> Iterator[Finding]:
    if kind is Format.SCRIPT:
        yield make_finding("SL119", source.path, 0, "a script with bytes that are no text")
    elif kind in _EXPECTED:
        if suffix in _PROMISES_DATA and suffix not in _EXPECTED[kind]:
            detail = f"{kind.value}"
            weight = Severity.LOW if kind is Format.IMAGE and suffix in _IMAGES else None
            yield make_finding("SL119", source.path, 0, detail, severity=weight)
        yield from _tail(source)
    elif kind in (Format.ARCHIVE, Format.PICKLE):
        if suffix in _PROMISES_BINARY - _OFFICE or suffix in _PLAIN - {"dat"}:
            yield make_finding("SL119", source.path, 0, kind.value)
    elif kind is Format.SEALED:
        yield make_finding("SL124", source.path, 0)
    elif kind is Format.UNKNOWN and suffix not in _PICKLE_NAMES:
        if suffix in _CODE_NAMES:
            yield make_finding("SL119", source.path, 0, "code with bytes that are no text")
        yield make_finding("SL703", source.path, 0)


_PICKLE_NAMES = frozenset(("pkl", "pickle", "joblib", "pt", "pth", "ckpt", "p"))  # pickles.py's
_CODE_NAMES = words("py pyw js mjs cjs ts sh bash zsh rb pl php ps1 bat cmd lua")


def _text(source: SourceFile, suffix: str, kind: Format) -> Iterator[Finding]:
    if kind is Format.SCRIPT and suffix in _PROMISES_DATA - {"md"}:
        yield make_finding("SL111", source.path, 0, "it begins like a script")
    elif suffix in _PROMISES_BINARY and suffix not in _EXPECTED.get(kind, ()):
        if _SCRIPT_TEXT.search(source.text[:4096]):
            yield make_finding("SL111", source.path, 0, "it is source code")
        elif source.text.strip():
            yield make_finding("SL119", source.path, 0, "it is text")
    if source.encoding == "latin-1":
        code = source.language in CODE_LANGUAGES
        weight = Severity.HIGH if code else Severity.LOW
        yield make_finding("SL119", source.path, 0, "text that is not UTF-8", severity=weight)
    elif source.encoding not in ("utf-8", "utf-16"):
        yield from _coding_line(source)


_LETTERS_ONLY = re.compile(
    r"iso-?8859-?\d+|latin-?\d|cp125\d|windows-125\d|koi8-[ru]|gbk|gb2312|gb18030|big5|shift-jis"
    r"|sjis|euc-(?:jp|kr)|cp9\d\d|mac-roman"
)


def _coding_line(source: SourceFile) -> Iterator[Finding]:
    """Judge a coding line: some only change letters, others turn ASCII into other code."""
    detail = f"its coding line says {source.encoding}"
    if _LETTERS_ONLY.fullmatch(source.encoding):
        yield make_finding("SL119", source.path, 1, detail, severity=Severity.MEDIUM)
    else:
        yield make_finding("SL111", source.path, 1, detail)


def _tail(source: SourceFile) -> Iterator[Finding]:
    """Look at what follows the end of an image."""
    end = _IMAGE_ENDS.get(source.data[:4])
    if end is None or source.cut:
        return
    at = source.data.find(end) if source.data[:4] == b"\x89PNG" else source.data.rfind(end)
    if at < 0:
        return
    tail = source.data[at + len(end) :].strip(b"\0\r\n ")
    if len(tail) > _TAIL_BYTES_MAX:
        kind = format_of(tail)
        program = kind in (Format.NATIVE, Format.SCRIPT, Format.BYTE_CODE)
        text = tail[:4096].decode("utf-8", "replace")
        if program or _SCRIPT_TEXT.search(text):
            yield make_finding("SL111", source.path, 0, "a program follows the end of the image")
        else:
            detail = f"{len(tail)} bytes follow the end of the image"
            yield make_finding("SL119", source.path, 0, detail)
