"""Packages that commands install: in scripts, in the code of pages, in calls of a program."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from collections.abc import Callable, Iterator

from skilllite_sandbox.scan.source import Language, SourceFile
from skilllite_sandbox.supply.dependency import Declared, Dependency, IndexSetting, Leaves
from skilllite_sandbox.supply.names import (
    Place,
    is_npm_name,
    leads_away,
    npm_requirement,
    split_npm,
)
from skilllite_sandbox.supply.reading.pip_options import index_settings, requirement_or_address

COMMANDS_MAX = 256  # that install, of one file
LINE_COMMANDS_MAX = 16  # of one line; a line of a container's recipe has five
LINE_CHARS_MAX = 2000  # of a command; longer lines are read up to there

_TOOL = re.compile(
    r"(?:^|[\s;&|`$(\"'/])"
    r"(?P<tool>pip[\d.]*|pipx|uvx|uv|poetry|pdm|npm|npx|pnpm|yarn|bunx|bun|easy_install)"
    r"\s+(?P<rest>[^\n`]*)"
)
_VERBS = {
    "pip": ("install", "download", "wheel"),
    "pipx": ("install", "inject"),
    "uv": ("add", "tool install"),
    "poetry": ("add", "self add"),
    "pdm": ("add",),
    "npm": ("install", "i", "add", "in", "ins", "inst", "isntall"),
    "pnpm": ("install", "i", "add"),
    "yarn": ("add", "global add"),
    "bun": ("install", "i", "add", "a"),
    "easy_install": ("",),
}
"""What installs everything that is named behind it."""
_RUNNERS = {
    **{"npx": ("",), "bunx": ("",), "uvx": ("",), "bun": ("x",), "yarn": ("dlx",)},
    **{"pipx": ("run",), "uv": ("tool run",), "npm": ("exec", "x"), "pnpm": ("dlx",)},
}
"""What fetches the first that is named behind it and runs that."""
_PYTHON_TOOLS = ("pip", "uv", "poetry", "pdm", "easy_install")
_NAMED = ("--with", "--from", "--package", "--spec", "--with-editable")
"""Options of runners whose value is a package."""
_WITH_VALUE = frozenset(
    {
        *("-i", "--index-url", "--extra-index-url", "--index", "--default-index", "-f"),
        *("--find-links", "--trusted-host", "--allow-insecure-host", "-r", "--requirement", "-c"),
        *("--constraint", "-t", "--target", "--prefix", "--root", "--python", "-p", "--cache-dir"),
        *("--registry", "--group", "-G", "--extra", "--proxy", "--cert", "--timeout", "--tag"),
        *("--platform", "--python-version", "--only-binary", "--no-binary", "--filter", "-w"),
    }
)
_SETTING = re.compile(
    r"\b(?:(?P<extra>PIP_EXTRA_INDEX_URL|UV_EXTRA_INDEX_URL|UV_INDEX)"
    r"|(?P<other>PIP_INDEX_URL|UV_INDEX_URL|UV_DEFAULT_INDEX|npm_config_registry)"
    r"|(?P<files>PIP_FIND_LINKS|UV_FIND_LINKS)|(?P<open>PIP_TRUSTED_HOST|UV_INSECURE_HOST))"
    r"=[\"']?(?P<value>[^\s\"';&|]+)"
    r"|\b(?:pip[\d.]*\s+config\s+set\s+[\w.-]*?(?P<pip_extra>extra-)?index-url"
    r"|(?:npm|pnpm|yarn)\s+(?:config\s+)?set\s+registry)[\s=]+[\"']?(?P<set>[^\s\"';&|]+)",
    re.IGNORECASE,
)
_REGISTRY = re.compile(r"--registry[\s=]+[\"']?(?P<address>[^\s\"';&|]+)")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_STARTS = frozenset(
    {
        *("run", "call", "check_call", "check_output", "Popen", "system", "popen", "getoutput"),
        *("getstatusoutput", "create_subprocess_exec", "create_subprocess_shell"),
    }
)
_SCRIPT_CALL = re.compile(r"\b(?:exec|spawn|fork|execa|\$)\w*\s*[(`]")
_SCRIPT_SIGNS = re.compile(r"[\"'`,\[(]")


def read_commands(source: SourceFile) -> Declared:
    """Read commands such as `pip install X` and `npm i X`, wherever the file may run them."""
    dependencies: list[Dependency] = []
    settings: list[IndexSetting] = []
    read = 0
    for number, text in _texts(source):
        if read >= COMMANDS_MAX:
            break
        place = Place(source.path, number)
        settings += _settings(text, place)
        for tool, rest in _found(text):
            read += 1
            found, led = _arguments(tool, rest, place)
            dependencies += found
            settings += led
    return Declared(tuple(dependencies), tuple(settings))


def _texts(source: SourceFile) -> Iterator[tuple[int, str]]:
    """Yield line and text of everything in a file that may be a command."""
    if source.language is Language.PYTHON:
        yield from _of_python(source.text)
    elif source.language in (Language.JAVASCRIPT, Language.TYPESCRIPT):
        for number, line in enumerate(source.text.split("\n"), 1):
            if call := _SCRIPT_CALL.search(line[:LINE_CHARS_MAX]):
                bare = re.split(r"[\]{)]", line[call.end() : LINE_CHARS_MAX])[0]
                yield number, _SCRIPT_SIGNS.sub(" ", bare)
    else:
        yield from _of_lines(source)


def _of_lines(source: SourceFile) -> Iterator[tuple[int, str]]:
    is_page, fenced = source.language is Language.MARKDOWN, False
    start, before = 0, ""
    for number, line in enumerate(source.text.split("\n"), 1):
        if is_page and _FENCE.match(line):
            fenced, before = not fenced, ""
        elif fenced or not is_page:
            start = start if before else number
            text = (before + line)[:LINE_CHARS_MAX]
            before = text[:-1] + " " if text.endswith("\\") else ""
            if not before:
                yield start, text
        else:
            for span in re.findall(r"`([^`]+)`", line[:LINE_CHARS_MAX]):
                yield number, span
    if before:
        yield start, before


def _of_python(text: str) -> Iterator[tuple[int, str]]:
    """Yield the commands that a program starts, as far as they are written in it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the author's style
            tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return  # said where the file is read
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple):
            words = [each.value if isinstance(each, ast.Constant) else "…" for each in node.elts]
            quoted = [shlex.quote(each) for each in words if isinstance(each, str)]
            yield node.lineno, " ".join(quoted)[:LINE_CHARS_MAX]
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            first = node.args[0] if node.args else None
            if name in _STARTS and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value[:LINE_CHARS_MAX]


def _settings(text: str, place: Place) -> list[IndexSetting]:
    """Return what variables and lasting settings say about the index."""
    found: list[IndexSetting] = []
    for match in _SETTING.finditer(text):
        leaves = Leaves.OTHER_INDEX
        if match["extra"] or match["pip_extra"]:
            leaves = Leaves.EXTRA_INDEX
        elif match["files"]:
            leaves = Leaves.FILES
        elif match["open"]:
            leaves = Leaves.UNPROTECTED
        found += leads_away(leaves, match["value"] or match["set"], place.file, place.line)
    return found


def _found(text: str) -> Iterator[tuple[str, str]]:
    """Yield tool and the rest of every command of a tool that can install."""
    at = 0
    for _ in range(LINE_COMMANDS_MAX):
        if (match := _TOOL.search(text, at)) is None:
            return
        yield match["tool"].rstrip("0123456789."), match["rest"]
        at = match.start("rest") - 1  # `uv pip install`, `npm i a && npm i b`


def _arguments(tool: str, rest: str, place: Place) -> tuple[list[Dependency], list[IndexSetting]]:
    named, values = _sorted(tool, _words(rest))
    installs = _behind(named, _VERBS.get(tool, ()))
    runs = _behind(named, _RUNNERS.get(tool, ()))
    is_uv_run = tool == "uv" and named[:1] == ["run"]
    if installs is None and runs is None and not is_uv_run:
        return [], []
    wanted = installs if installs is not None else [*values, *(runs or [])[: 0 if values else 1]]
    is_python = tool.startswith(_PYTHON_TOOLS)
    read: Callable[[str, Place], Dependency | None] = _python if is_python else _npm
    found = [one for word in wanted if (one := read(word, place)) is not None]
    if is_python:
        return found, index_settings(" ".join(_words(rest)), place.file, place.line)
    settings: list[IndexSetting] = []
    for match in _REGISTRY.finditer(rest):
        settings += leads_away(Leaves.OTHER_INDEX, match["address"], place.file, place.line)
    return found, settings


def _behind(words: list[str], verbs: tuple[str, ...]) -> list[str] | None:
    """Return the words behind a verb; None when it is another verb."""
    for verb in verbs:
        parts = verb.split()
        if words[: len(parts)] == parts:
            return words[len(parts) :]
    return None


def _sorted(tool: str, words: list[str]) -> tuple[list[str], list[str]]:
    """Return the words that are no options, and the packages that options name."""
    plain: list[str] = []
    named: list[str] = []
    waiting = iter(words)
    for word in waiting:
        flag, equals, value = word.partition("=")
        if flag in _NAMED or (flag == "-p" and tool in ("npx", "npm")):
            named += (value if equals else next(waiting, "")).split(",")
        elif word in _WITH_VALUE:
            next(waiting, "")
        elif not word.startswith("-"):
            plain.append(word)
    return plain, named


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
    one = requirement_or_address(re.sub(r"^([\w.-]+)@(?=\d|latest)", r"\1==", word), place)
    one = one or requirement_or_address(word, place)
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
        return address in (".", "./", "..") or bool(re.search(r"[<>{}]|\$\{?[A-Z_]+", address))
    return not name or bool(re.search(r"[<>{}$*\[\]]|\.\.\.|…", name)) or name.isupper()
