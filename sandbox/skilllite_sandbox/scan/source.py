"""The files of a skill as the scanner sees them: bytes, text when it is text, and what it is.

Decided by what a file is, not by what it is called alone: a script without a suffix is still a
script. Nothing in a skill can leave a file out.
"""

from __future__ import annotations

import re
from enum import StrEnum

from skilllite_sandbox.policy import MIB
from skilllite_sandbox.scan.formats import Format, format_of
from skilllite_sandbox.values import dataclass, replace

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILE_BYTES_MAX = 2 * MIB  # of one file; what is larger is reported, not read
SOURCES_BYTES_MAX = 64 * MIB  # of all files that are read; the rest is reported as too large
_SNIFFED_BYTES = 4096
_ASCII_SHARE_MIN = 0.6  # of text in a single-byte encoding: letters with accents are the exception
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_TEXT_FORMATS = (Format.UNKNOWN, Format.SCRIPT, Format.MARKUP)
_HIGH_BYTES = bytes(range(0x80, 0x100))
_COOKIE = re.compile(rb"(?:[^\n]*\n)??[ \t\f]*#[^\n]{0,200}?coding[:=][ \t]*(?P<name>[-\w.]{1,40})")
_PLAIN_ENCODINGS = frozenset(("utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii"))


class Language(StrEnum):
    """What kind of text a file is."""

    PYTHON = "python"
    JAVASCRIPT = "javascript"
    TYPESCRIPT = "typescript"
    SHELL = "shell"
    MARKDOWN = "markdown"
    OTHER_TEXT = "text"
    """Data, settings, prose."""
    OTHER_CODE = "code"
    """A programming language that no engine here reads."""
    BINARY = "binary"


CODE_LANGUAGES = frozenset(
    (
        Language.PYTHON,
        Language.JAVASCRIPT,
        Language.TYPESCRIPT,
        Language.SHELL,
        Language.OTHER_CODE,
    )
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a skill."""

    path: str
    """Relative to the skill, with `/`."""
    data: bytes
    """The content; cut off at `FILE_BYTES_MAX` when `cut` is set."""
    executable: bool
    language: Language
    text: str
    """The content as text with `\\n` line ends; empty for a binary."""
    cut: bool = False
    """Larger than is looked at."""
    mode: int = 0o644
    """Permission bits, with set-uid, set-gid and sticky."""
    encoding: str = "utf-8"
    """How the text is written; empty for a binary. Python files may name any they like."""


_SUFFIXES = {
    **dict.fromkeys(("py", "pyw", "pyi", "pth"), Language.PYTHON),
    **dict.fromkeys(("js", "mjs", "cjs", "jsx"), Language.JAVASCRIPT),
    **dict.fromkeys(("ts", "mts", "cts", "tsx"), Language.TYPESCRIPT),
    **dict.fromkeys(("sh", "bash", "zsh", "ksh", "dash", "command"), Language.SHELL),
    **dict.fromkeys(("md", "markdown", "mdx"), Language.MARKDOWN),
    **dict.fromkeys(
        (
            *("rb", "pl", "pm", "php", "lua", "ps1", "psm1", "bat", "cmd", "vbs", "wsf"),
            *("go", "rs", "c", "h", "cc", "cpp", "java", "kt", "swift", "scpt", "applescript"),
            *("r", "jl", "groovy", "awk", "tcl", "fish", "el", "clj", "scala", "cs", "asm", "s"),
        ),
        Language.OTHER_CODE,
    ),
}
_RUN = frozenset({Language.PYTHON, Language.JAVASCRIPT, Language.TYPESCRIPT, Language.SHELL})
_SHEBANG = re.compile(rb"#!\s*(?:\S*/env\s+(?:-\S+\s+)*)?\S*?(?P<program>[a-z]+)[\d.]*(?:\s|$)")
_PROGRAMS = {
    **dict.fromkeys((b"python", b"pypy", b"uv"), Language.PYTHON),
    **dict.fromkeys((b"node", b"nodejs", b"deno", b"bun"), Language.JAVASCRIPT),
    **dict.fromkeys((b"sh", b"bash", b"dash", b"zsh", b"ksh", b"ash"), Language.SHELL),
}


def read_sources(directory: str | Path) -> tuple[SourceFile, ...]:
    """Return every file of a skill that can be read, in the order of their paths.

    Raises:
        NotFound: there is no such directory.
    """
    from skilllite_sandbox.scan.folder import read_folder

    return read_folder(directory).sources


def make_source(
    path: str, data: bytes, executable: bool = False, *, cut: bool = False, mode: int = 0o644
) -> SourceFile:
    """Return a file whose content is known already."""
    decoded = _decode(data, cut=cut)
    if decoded is None:
        return SourceFile(path, data, executable, Language.BINARY, "", cut, mode, "")
    text, encoding = decoded
    language = language_of(path, data)
    if language is Language.PYTHON and (cookie := _COOKIE.match(data[:_SNIFFED_BYTES])) is not None:
        text, encoding = _as_python_reads(data, cookie["name"].decode("ascii"), text, encoding)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return SourceFile(path, data, executable, language, text, cut, mode, encoding)


def language_of(path: str, data: bytes) -> Language:
    """Return what kind of text this is, by its first line and its name."""
    if (match := _SHEBANG.match(data[:_SNIFFED_BYTES])) is not None:
        return _PROGRAMS.get(match["program"], Language.OTHER_CODE)
    name = path.rpartition("/")[2]
    _, dot, suffix = name.rpartition(".")
    return _SUFFIXES.get(suffix.lower(), Language.OTHER_TEXT) if dot else Language.OTHER_TEXT


def other_readings(sources: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    """Return once more, in the language of its name, each file whose first line says another.

    An interpreter is chosen by either, and one text can be valid in both languages.
    """
    found: list[SourceFile] = []
    for source in sources:
        _, dot, suffix = source.path.rpartition("/")[2].rpartition(".")
        named = _SUFFIXES.get(suffix.lower(), Language.OTHER_TEXT) if dot else Language.OTHER_TEXT
        if named in _RUN and source.language not in (named, Language.BINARY):
            found.append(replace(source, language=named))
    return tuple(found)


def _decode(data: bytes, *, cut: bool) -> tuple[str, str] | None:
    """Return the text and its encoding; None when these bytes are no text."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text, encoding = data.decode("utf-16"), "utf-16"
        except UnicodeDecodeError:
            return None
    else:
        try:
            text, encoding = data.decode("utf-8-sig"), "utf-8"
        except UnicodeDecodeError as error:
            if cut and error.start >= len(data) - 3:
                text, encoding = data[: error.start].decode("utf-8-sig"), "utf-8"
            elif _is_single_byte_text(data):
                text, encoding = data.decode("latin-1"), "latin-1"
            else:
                return None
    return None if "\0" in text else (text, encoding)


def _is_single_byte_text(data: bytes) -> bool:
    """Whether it looks like a script or letter of the time before Unicode: bash runs those too."""
    if format_of(data) not in _TEXT_FORMATS or _CONTROL_BYTES.search(data) is not None:
        return False
    return len(data.translate(None, _HIGH_BYTES)) >= len(data) * _ASCII_SHARE_MIN


def _as_python_reads(data: bytes, name: str, text: str, encoding: str) -> tuple[str, str]:
    """Return the text as the coding line makes Python read it: other letters, other code."""
    plain = name.lower().replace("_", "-")
    if plain in _PLAIN_ENCODINGS:
        return text, encoding
    try:
        return data.decode(plain), plain
    except (LookupError, UnicodeError, ValueError):
        return text, plain  # Python refuses it; the inspectors say so
