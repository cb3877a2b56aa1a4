"""The files of a skill as the scanner sees them: bytes, text when it is text, and what it is.

Decided by what a file is, not by what it is called alone: a script without a suffix is still a
script. Nothing in a skill can leave a file out.
"""

from __future__ import annotations

import re
from enum import StrEnum

from skilllite_sandbox.policy import MIB
from skilllite_sandbox.tree import ByteBudget, TreeDirectory, walk_tree
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from pathlib import Path

FILE_BYTES_MAX = 2 * MIB  # of one file; what is larger is reported, not read
SOURCES_BYTES_MAX = 64 * MIB  # of all files that are read; the rest is reported as too large
_SNIFFED_BYTES = 4096


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
_SHEBANG = re.compile(rb"#!\s*(?:\S*/env\s+(?:-\S+\s+)*)?\S*?(?P<program>[a-z]+)[\d.]*(?:\s|$)")
_PROGRAMS = {
    **dict.fromkeys((b"python", b"pypy", b"uv"), Language.PYTHON),
    **dict.fromkeys((b"node", b"nodejs", b"deno", b"bun"), Language.JAVASCRIPT),
    **dict.fromkeys((b"sh", b"bash", b"dash", b"zsh", b"ksh", b"ash"), Language.SHELL),
}


def read_sources(directory: str | Path) -> tuple[SourceFile, ...]:
    """Return every file of a skill, in the order of their paths.

    Raises:
        NotFound: there is no such directory.
        InvalidSkill: a link, a special file, or a bound of `tree` is exceeded.
    """
    budget = ByteBudget()
    left = SOURCES_BYTES_MAX
    sources: list[SourceFile] = []
    for found in walk_tree(directory):
        if isinstance(found, TreeDirectory):
            continue
        limit = min(FILE_BYTES_MAX, left)
        parts: list[bytes] = []
        size = 0
        for chunk in found.chunks(budget):
            parts.append(chunk)
            size += len(chunk)
            if size > limit:
                break
        data = b"".join(parts)[:limit]
        left -= len(data)
        sources.append(make_source(found.path, data, found.executable, cut=size > limit))
    return tuple(sorted(sources, key=lambda source: source.path.encode("utf-8")))


def make_source(
    path: str, data: bytes, executable: bool = False, *, cut: bool = False
) -> SourceFile:
    """Return a file whose content is known already."""
    text = _decode(data, cut=cut)
    language = Language.BINARY if text is None else language_of(path, data)
    return SourceFile(path, data, executable, language, text or "", cut)


def language_of(path: str, data: bytes) -> Language:
    """Return what kind of text this is, by its first line and its name."""
    if (match := _SHEBANG.match(data[:_SNIFFED_BYTES])) is not None:
        return _PROGRAMS.get(match["program"], Language.OTHER_CODE)
    name = path.rpartition("/")[2]
    _, dot, suffix = name.rpartition(".")
    return _SUFFIXES.get(suffix.lower(), Language.OTHER_TEXT) if dot else Language.OTHER_TEXT


def _decode(data: bytes, *, cut: bool) -> str | None:
    """Return the text; None when these bytes are none."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError:
            return None
    else:
        try:
            text = data.decode("utf-8-sig", errors="ignore" if cut else "strict")
        except UnicodeDecodeError:
            return None
    if "\0" in text:
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")
