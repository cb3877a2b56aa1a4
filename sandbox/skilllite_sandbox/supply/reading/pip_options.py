"""Files in the format of `pip install -r`: requirements, options, and the files they include."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from posixpath import dirname, normpath

from skilllite_sandbox.scan.source import Language, SourceFile, make_source
from skilllite_sandbox.supply.dependency import (
    DEPENDENCIES_MAX,
    Declared,
    Dependency,
    IndexSetting,
    Leaves,
    Unread,
)
from skilllite_sandbox.supply.names import Place, leads_away, python_address, python_requirement
from skilllite_sandbox.values import replace

INCLUDES_MAX = 256  # files that include each other, of one skill
LINE_CHARS_MAX = 20_000  # a requirement with a hundred hashes

_SETTINGS = {
    "-i": Leaves.OTHER_INDEX,
    "--index-url": Leaves.OTHER_INDEX,
    "--pypi-url": Leaves.OTHER_INDEX,
    "--default-index": Leaves.OTHER_INDEX,
    "--extra-index-url": Leaves.EXTRA_INDEX,
    "--index": Leaves.EXTRA_INDEX,
    "-f": Leaves.FILES,
    "--find-links": Leaves.FILES,
    "--trusted-host": Leaves.UNPROTECTED,
    "--allow-insecure-host": Leaves.UNPROTECTED,
}
_EDITABLE = ("-e", "--editable")
_INCLUDE = ("-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints")
_JOINED = ("-i", "-f", "-e", "-r", "-c")
# What pip takes in such a file; it takes any beginning that only one of them has, too.
_LONG = (
    *("--index-url", "--extra-index-url", "--no-index", "--constraint", "--requirement"),
    *("--editable", "--find-links", "--no-binary", "--only-binary", "--prefer-binary"),
    *("--require-hashes", "--pre", "--trusted-host", "--use-feature", "--global-option"),
    *("--hash", "--config-settings"),
)
_ADDRESS = re.compile(r"(?:\w+\+)?[a-z]{2,5}:|git@|\.{0,2}/|\.\.?$|~/", re.IGNORECASE)
_HASH_OR_OPTION = re.compile(r"\s--?[a-z][\w-]*.*", re.DOTALL)
_CONDA_ENTRY = re.compile(r"""\s*-\s+["']?(?P<text>[^"'#]*[^"'#\s])["']?\s*(?:#.*)?""")
_QUOTED = re.compile(r"[\"'\\]")
_COMMENT = re.compile(r"(?:^|\s)#.*")


def read_requirements(source: SourceFile) -> Declared:
    """Read a requirements or constraints file."""
    dependencies: list[Dependency] = []
    settings: list[IndexSetting] = []
    unread: list[Unread] = []
    for number, line in logical_lines(source.text):
        if max(len(dependencies), len(settings), len(unread)) > DEPENDENCIES_MAX:
            break  # enough for a person to look at it
        place = Place(source.path, number)
        if line.startswith("-"):
            settings += index_settings(line, source.path, number)
            dependencies += [
                requirement_or_address(value, place) or _addressed(value, place)
                for flag, value in _options(line)
                if flag in _EDITABLE
            ]
            continue
        found = requirement_or_address(_HASH_OR_OPTION.sub("", line), place)
        settings += index_settings(line.partition(" ")[2], source.path, number)
        if found is None:
            unread.append(Unread(source.path, number, "this line is no requirement"))
        else:
            dependencies.append(found)
    return Declared(tuple(dependencies), tuple(settings), unread=tuple(unread[:1]))


def read_conda(source: SourceFile) -> Declared:
    """Read what an environment of conda has pip install: the list below `- pip:`."""
    declared = Declared()
    depth = -1
    for number, line in enumerate(source.text.split("\n"), 1):
        indented = len(line) - len(line.lstrip(" "))
        if (entry := _CONDA_ENTRY.fullmatch(line)) is None:
            continue
        if entry["text"] == "pip:":
            depth = indented
        elif depth >= 0 and indented > depth:
            bare = make_source(source.path, entry["text"].encode("utf-8"))
            declared += _moved(read_requirements(bare), number)
        else:
            depth = -1
        if len(declared.dependencies) > DEPENDENCIES_MAX or len(declared.unread) > INCLUDES_MAX:
            break  # enough for a person to look at it
    return declared


def _moved(declared: Declared, line: int) -> Declared:
    """Return what one line declares, with the line on which it stands."""
    return Declared(
        tuple(replace(each, line=line) for each in declared.dependencies),
        tuple(replace(each, line=line) for each in declared.settings),
        unread=tuple(replace(each, line=line) for each in declared.unread),
    )


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that says something, with what it continues on."""
    start, parts, size = 0, [""], 0
    for number, line in _pip_lines(text):
        start = start or number
        size += len(line)
        if size > LINE_CHARS_MAX:
            raise ValueError(f"line {start} is longer than {LINE_CHARS_MAX} characters")
        if line.endswith("\\") and not _COMMENT.fullmatch(line):
            parts.append(line[:-1])
            continue
        bare = _COMMENT.sub("", "".join([*parts, line])).strip()
        if bare:
            yield start, bare
        start, parts, size = 0, [""], 0
    if bare := "".join(parts).strip():
        yield start, bare


def _pip_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines as pip splits them, each with its number in the file.

    For pip a line also ends at a form feed and the like, even inside what looks like a comment.
    """
    rows = text.split("\n")
    if len(text.splitlines()) == len(rows) - (not rows[-1]):  # no other ends of lines in it
        yield from enumerate(rows, 1)
        return
    for number, row in enumerate(rows, 1):
        for line in row.splitlines() or [""]:
            yield number, line


def requirement_or_address(text: str, place: Place) -> Dependency | None:
    """Return what one argument of `pip install` asks for."""
    text = text.strip()
    if _ADDRESS.match(text) or re.fullmatch(r"\S+\.(?:whl|zip|tar\.(?:gz|bz2|xz)|tgz)", text):
        return _addressed(text.partition(" ")[0], place)
    return python_requirement(text, place)


def index_settings(text: str, file: str, line: int) -> list[IndexSetting]:
    """Return where options in a text lead away from the index."""
    found: list[IndexSetting] = []
    for flag, value in _options(text):
        if (leaves := _SETTINGS.get(flag)) is not None:
            found += leads_away(leaves, value.partition(" ")[0], file, line)
    return found


def _options(text: str) -> Iterator[tuple[str, str]]:
    """Yield each option of a text, its name in full, with the words up to the next one."""
    if "-" not in text:
        return
    words = _words(text)
    flag, values = "", list[str]()
    for word in words:
        if not word.startswith("-"):
            values.append(word)
            continue
        if flag:
            yield flag, " ".join(values)
        if word.startswith("--"):
            flag, _, value = word.partition("=")
            flag = _in_full(flag)
        else:
            is_joined = word.startswith(_JOINED)
            flag, value = (word[:2], word[2:].lstrip("=")) if is_joined else (word, "")
        values = [value] if value else []
    if flag:
        yield flag, " ".join(values)


def _words(text: str) -> list[str]:
    if not _QUOTED.search(text):
        return text.split()
    try:
        return shlex.split(text)
    except ValueError:  # a quotation mark without its like
        return [word.strip("\"'") for word in text.split()]


def _in_full(flag: str) -> str:
    if flag in _SETTINGS:
        return flag
    meant = [each for each in _LONG if each.startswith(flag)]
    return meant[0] if len(meant) == 1 else flag


def included_files(
    sources: Sequence[SourceFile], is_requirements: Callable[[str], bool]
) -> set[str]:
    """Return the files that requirements include, whatever they are called."""
    by_path = {source.path: source for source in sources}
    found: set[str] = set()
    waiting = [source.path for source in sources if is_requirements(source.path)]
    while waiting and len(found) <= INCLUDES_MAX:
        source = by_path[waiting.pop()]
        for _, path in _includes(source):
            if path in by_path and path not in found:
                found.add(path)
                waiting.append(path)
    return found


def missing_includes(
    sources: Sequence[SourceFile],
    paths: Collection[str],
    is_requirements: Callable[[str], bool],
) -> Declared:
    """Return the includes that lead nowhere, or out of the skill: nobody saw what they say."""
    unread = []
    for source in sources:
        if is_requirements(source.path):
            for line, path in _includes(source):
                if path not in paths:
                    why = f"it includes {path or 'nothing'}, which is not in the skill"
                    unread.append(Unread(source.path, line, why))
    return Declared(unread=tuple(unread[:INCLUDES_MAX]))


def _includes(source: SourceFile) -> list[tuple[int, str]]:
    if source.language is Language.BINARY or source.cut:
        return []
    try:
        lines = list(logical_lines(source.text))
    except ValueError:
        return []  # reported where the file is read
    found = []
    for number, line in lines:
        if not line.startswith("-"):
            continue
        for value in (value for flag, value in _options(line) if flag in _INCLUDE):
            is_path = "://" not in value
            path = normpath(f"{dirname(source.path)}/{value}".lstrip("/")) if is_path else value
            found.append((number, path))
    return found


def _addressed(address: str, place: Place) -> Dependency:
    return python_address(address.split(";")[0].strip().strip("\"'"), place)
