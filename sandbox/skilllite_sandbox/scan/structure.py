"""What is wrong with the folder as such: links, special files, names, modes, repositories.

Looks at names and modes only; what the files hold is contents.py's.
"""

from __future__ import annotations

import posixpath
import re
import stat
from collections.abc import Iterator

from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.folder import Entry, EntryKind, Folder
from skilllite_sandbox.scan.words import words

_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2064\u2800\u3164"
    "\ufe00-\ufe0d\ufeff\uffa0\U000e0000-\U000e01ef]"
)
_PROGRAM_SUFFIXES = words(
    """
    py pyw pyc sh bash zsh command js mjs cjs ts rb pl php ps1 bat cmd com exe scr vbs wsf
    jar app msi so dll dylib node bin elf run appimage lnk desktop scpt hta
    """
)
_DATA_SUFFIXES = words(
    """
    png jpg jpeg gif webp bmp ico svg pdf doc docx xls xlsx ppt pptx odt ods rtf csv tsv mp3
    mp4 mov avi wav txt
    """
)
_FINDINGS_OF_A_KIND_MAX = 100  # a folder of ten thousand links says nothing new after a hundred


def inspect_structure(folder: Folder) -> tuple[Finding, ...]:
    """Return what is wrong with the names, kinds and modes of a skill's files."""
    found: list[Finding] = [make_finding("SL105", "", 0, clause) for clause in folder.bounds]
    counts: dict[str, int] = {}
    for finding in _each(folder):
        counts[finding.code] = counts.get(finding.code, 0) + 1
        if counts[finding.code] <= _FINDINGS_OF_A_KIND_MAX:
            found.append(finding)
    return tuple(found)


def _each(folder: Folder) -> Iterator[Finding]:
    for entry in folder.entries:
        yield from _by_kind(entry)
        yield from _by_mode(entry)
        if entry.path:
            yield from _by_name(entry)
            yield from _repository(entry)
    yield from _collisions(folder.entries)


def _by_kind(entry: Entry) -> Iterator[Finding]:
    if entry.kind is EntryKind.LINK:
        inside = _stays_inside(entry.path, entry.detail)
        code = "SL102" if inside else "SL101"
        yield make_finding(code, entry.path, 0, f"to {entry.detail}")
    elif entry.kind is EntryKind.SPECIAL:
        yield make_finding("SL103", entry.path, 0)
    elif entry.kind is EntryKind.UNREADABLE:
        yield make_finding("SL106", entry.path, 0, entry.detail)


def _stays_inside(path: str, target: str) -> bool:
    """Whether a link's target is inside the skill, by its text; other links on the way count."""
    if target.startswith("/"):
        return False
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return joined != ".." and not joined.startswith("../")


def _by_mode(entry: Entry) -> Iterator[Finding]:
    if entry.kind not in (EntryKind.FILE, EntryKind.FOLDER):
        return
    if entry.kind is EntryKind.FILE and entry.mode & (stat.S_ISUID | stat.S_ISGID):
        yield make_finding("SL112", entry.path, 0, f"mode {entry.mode:04o}")
    if entry.mode & stat.S_IWOTH and not entry.mode & stat.S_ISVTX:
        yield make_finding("SL113", entry.path, 0, f"mode {entry.mode:04o}")


def _by_name(entry: Entry) -> Iterator[Finding]:
    name = entry.path.rpartition("/")[2]
    if entry.odd_name:
        yield make_finding("SL114", entry.path, 0, "the name is not UTF-8")
        return
    for reason, severity in name_oddities(name, is_file=entry.kind is EntryKind.FILE):
        yield make_finding("SL114", entry.path, 0, reason, severity=severity)


def name_oddities(name: str, *, is_file: bool = True) -> Iterator[tuple[str, Severity]]:
    """Yield what makes one name of a file or folder look like another, and how much it weighs."""
    if _BIDI.search(name):
        yield "it turns the reading direction", Severity.CRITICAL
    elif any(not char.isprintable() for char in name) and not _only_joiners(name):
        yield "it holds control or invisible characters", Severity.HIGH
    if _INVISIBLE.search(name) and not _only_joiners(name):
        yield "it holds characters that can't be seen", Severity.HIGH
    if name != name.rstrip(" .") or name != name.lstrip(" "):
        yield "it begins or ends with a blank or a dot", Severity.HIGH
    if "\\" in name:
        yield "it holds a backslash, which some systems take for a folder", Severity.HIGH
    parts = name.lower().split(".")
    first, last = ("", *parts)[-2].strip(), parts[-1].strip()
    if is_file and len(parts) > 2 and last in _PROGRAM_SUFFIXES and first in _DATA_SUFFIXES:
        yield f"a program that is called .{first} first", Severity.HIGH
    if "   " in name:
        yield "blanks push its suffix out of sight", Severity.HIGH


def _only_joiners(name: str) -> bool:
    """Whether the invisible characters are those that emoji and some scripts are written with."""
    hidden = [char for char in name if not char.isprintable() or _INVISIBLE.match(char)]
    return all(char in "\u200c\u200d\ufe0f" for char in hidden) and not name.isascii()


def _repository(entry: Entry) -> Iterator[Finding]:
    parts = entry.path.lower().split("/")
    if parts[-1] in (".git", ".hg", ".svn", ".bzr"):
        yield make_finding("SL108", entry.path, 0)
    hook = ".git" in parts[:-2] and parts[-2] == "hooks" and not parts[-1].endswith(".sample")
    if entry.kind is EntryKind.FILE and hook:
        yield make_finding("SL116", entry.path, 0, "a hook that git runs")


def _collisions(entries: tuple[Entry, ...]) -> Iterator[Finding]:
    import unicodedata

    seen: dict[str, str] = {}
    for entry in entries:
        key = entry.path
        if not key.isascii():
            key = unicodedata.normalize("NFKC", key)
        key = key.casefold()
        first = seen.setdefault(key, entry.path)
        if first != entry.path:
            # Two SKILL.md: one is shown to people, the other may be read by the client.
            heavy = key == "skill.md"
            yield make_finding(
                "SL115", entry.path, 0, first, severity=Severity.HIGH if heavy else None
            )
