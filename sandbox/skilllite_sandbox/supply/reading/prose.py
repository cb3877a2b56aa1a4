"""Packages that are named in words and commands: `compatibility`, and lines that install."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable

from skilllite_sandbox.scan.source import Language, SourceFile
from skilllite_sandbox.supply.dependency import Declared, Dependency, IndexSetting
from skilllite_sandbox.supply.names import Place, is_npm_name, npm_requirement, split_npm
from skilllite_sandbox.supply.reading.pip_options import index_settings, requirement_or_address

COMMANDS_MAX = 256  # lines that install, of one file
LINE_CHARS_MAX = 2000  # of a command; longer lines are read up to there

_COMMAND = re.compile(
    r"(?:^|[\s;&|`$(])(?P<tool>pip[\d.]*|pipx|uv pip|uv tool|uv|poetry|pdm|npm|pnpm|yarn|bun|npx)"
    r"\s+(?P<verb>install|add|i|ci|run|inject)\b(?P<rest>[^\n`]*)"
)
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_WITH_VALUE = frozenset(
    {
        *("-i", "--index-url", "--extra-index-url", "--index", "--default-index", "-f"),
        *("--find-links", "--trusted-host", "--allow-insecure-host", "-r", "--requirement", "-c"),
        *("--constraint", "-t", "--target", "--prefix", "--root", "--python", "-p", "--cache-dir"),
        *("--registry", "--group", "-G", "--extra", "--proxy", "--cert", "--timeout", "--tag"),
        *("--platform", "--python-version", "--only-binary", "--no-binary", "--filter", "-w"),
    }
)
_BUILTIN = frozenset(name.lower() for name in sys.stdlib_module_names)
_PYTHON_TOOLS = ("pip", "uv", "poetry", "pdm")


def read_compatibility(source: SourceFile) -> Declared:
    """Read the prose of `compatibility` in SKILL.md."""
    from skilllite_sandbox.dependencies import packages_in_prose
    from skilllite_sandbox.errors import InvalidSkill
    from skilllite_sandbox.frontmatter import parse_front_matter

    try:
        compatibility = parse_front_matter(source.data).fields.get("compatibility", "")
    except InvalidSkill:
        return Declared()  # said where the skill is read
    if not isinstance(compatibility, str):
        return Declared()
    lines = source.text.split("\n")
    line = next((n for n, text in enumerate(lines, 1) if text.startswith("compatibility")), 0)
    found = []
    for package in packages_in_prose(compatibility):
        if package.name.lower() in _BUILTIN:
            continue  # "with the json module" means the one that is there
        place = Place(source.path, line)
        if package.ecosystem == "python":
            one = requirement_or_address(package.requirement, place)
        else:
            one = npm_requirement(*split_npm(package.requirement), place)
        if one is not None:
            found.append(one)
    return Declared(tuple(found))


def read_commands(source: SourceFile) -> Declared:
    """Read lines such as `pip install X` and `npm i X` of a page or a script."""
    dependencies: list[Dependency] = []
    settings: list[IndexSetting] = []
    read = 0
    is_page, fenced = source.language is Language.MARKDOWN, False
    for number, line in enumerate(source.text.split("\n"), 1):
        if is_page and _FENCE.match(line):
            fenced = not fenced
            continue
        text = line[:LINE_CHARS_MAX]
        if read >= COMMANDS_MAX or not re.search(r"pip|npm|uv|yarn|bun|npx|poetry|pdm", text):
            continue
        for tool, rest in _commands(text, in_code=fenced or not is_page):
            read += 1
            found, led = _arguments(tool, rest, Place(source.path, number))
            dependencies += found
            settings += led
    return Declared(tuple(dependencies), tuple(settings))


def _commands(text: str, *, in_code: bool) -> list[tuple[str, str]]:
    """Return tool and arguments of each installing command; on a page only those in code."""
    spans = [text] if in_code else re.findall(r"`([^`]+)`", text)
    found = []
    for span in spans:
        for match in _COMMAND.finditer(span):
            if match["tool"] in ("uv", "npx") and match["verb"] != "add":
                continue
            if match["verb"] in ("run", "ci", "inject"):
                continue
            found.append((match["tool"], match["rest"]))
    return found


def _arguments(tool: str, rest: str, place: Place) -> tuple[list[Dependency], list[IndexSetting]]:
    words = _words(rest)
    is_python = tool.startswith(_PYTHON_TOOLS)
    settings = index_settings(" ".join(words), place.file, place.line) if is_python else []
    found: list[Dependency] = []
    read: Callable[[str, Place], Dependency | None] = _python if is_python else _npm
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in ("-e", "--editable"):
            continue
        elif word.startswith("-"):
            skip = word in _WITH_VALUE
        elif (one := read(word, place)) is not None:
            found.append(one)
    return found, settings


def _words(rest: str) -> list[str]:
    """Return the words up to where the command ends."""
    lexer = shlex.shlex(rest, posix=True, punctuation_chars=";|&()")
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        for word in lexer:
            if re.match(r"[;|&()]|\d?>", word):
                break
            words.append(word)
    except ValueError:  # a quotation mark without its like
        return rest.split()
    return words


def _python(word: str, place: Place) -> Dependency | None:
    one = requirement_or_address(word, place)
    if one is None or _is_placeholder(one.name, one.address):
        return None
    return one


def _npm(word: str, place: Place) -> Dependency | None:
    if re.match(r"(?:git|https?|file|github|gitlab|bitbucket)[+:@]|\.{0,2}/", word):
        return npm_requirement("", word, place)
    if re.fullmatch(r"[\w.-]+/[\w.-]+(?:#\S+)?", word):
        return npm_requirement("", word, place)
    name, wanted = split_npm(word)
    if not is_npm_name(name) or not re.search(r"[a-z]", name) or _is_placeholder(name, ""):
        return None
    return npm_requirement(name, wanted, place)


def _is_placeholder(name: str, address: str) -> bool:
    """Whether a page shows how to write it instead of naming something."""
    if address:
        return origin_is_placeholder(address)
    return not name or bool(re.search(r"[<>{}$*\[\]]|\.\.\.|…", name)) or name.isupper()


def origin_is_placeholder(address: str) -> bool:
    """Whether an address is `.` or has a gap to be filled in."""
    return address in (".", "./", "..") or bool(re.search(r"[<>{}]|\$\{?[A-Z_]+", address))
