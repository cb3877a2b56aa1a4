"""Rewrites of shell, JavaScript and text that change how something is written, not what it does."""

from __future__ import annotations

import random
import re

from benchmark.accuracy.python_rewrites import Sources

_ASSIGNED = re.compile(r"^\s*(?:local |export |readonly )?([A-Za-z_][A-Za-z0-9_]*)=", re.MULTILINE)
_SHELL_NAMES = (
    r"(?<![\w-]){name}(?==)",
    r"(?<=\$){name}(?!\w)",
    r"(?<=\$\{{){name}(?!\w)",
    r"(?<=read -r ){name}(?!\w)",
    r"(?<=for ){name}(?= in)",
)
"""Where a name stands for a variable."""
_COMMANDS = re.compile(r"(?<![\w./-])(curl|wget|tar|bash|nc|cat|base64|python3|crontab)(?= )")
_DECLARED = re.compile(r"\b(?:const|let|var|function)\s+([A-Za-z_$][\w$]*)")
_TEXTS = re.compile(r"(?<![\w\\])(\"[^\"\\\n$]{4,}\"|'[^'\\\n]{4,}')(?!\s*:)")
_FRONT_MATTER = re.compile(rb"\A---\n.*?\n---\n", re.DOTALL)
_KEPT_VARIABLES = frozenset(
    {"PATH", "HOME", "IFS", "HISTFILE", "PS1", "LD_PRELOAD", "PROMPT_COMMAND"}
)


def rename_shell(sources: Sources, chance: random.Random) -> Sources | None:
    """Give the variables of each script other names."""
    changed = {}
    for path, text in sources.items():
        for name in sorted(set(_ASSIGNED.findall(text)) - _KEPT_VARIABLES):
            fresh = f"v{chance.randrange(10**6)}"
            places = "|".join(place.format(name=re.escape(name)) for place in _SHELL_NAMES)
            text = re.sub(places, fresh, text)
        changed[path] = text
    return changed if changed != sources else None


def quote_commands(sources: Sources, chance: random.Random) -> Sources | None:
    """Put quotes inside the names of commands, which bash takes away again."""
    del chance
    changed = {
        path: "\n".join(
            line if line.startswith("#") else _COMMANDS.sub(_with_quotes, line)
            for line in text.split("\n")
        )
        for path, text in sources.items()
    }
    return changed if changed != sources else None


def move_shell(sources: Sources, chance: random.Random) -> Sources | None:
    """Put the main script into a file that it sources."""
    main = "scripts/main.sh"
    if main not in sources:
        return None
    part = f"part{chance.randrange(1000)}.sh"
    here = f'#!/usr/bin/env bash\nsource "$(dirname "$0")/{part}"\n'
    return {**sources, main: here, f"scripts/{part}": sources[main]}


def rename_javascript(sources: Sources, chance: random.Random) -> Sources | None:
    """Give what is declared in each file other names."""
    changed = {}
    for path, text in sources.items():
        for name in sorted(set(_DECLARED.findall(text))):
            fresh = f"v{chance.randrange(10**6)}"
            text = re.sub(rf"(?<![\w$.'\"/-]){re.escape(name)}(?![\w$'\"]|\s*:)", fresh, text)
        changed[path] = text
    return changed if changed != sources else None


def encode_javascript(sources: Sources, chance: random.Random) -> Sources | None:
    """Write texts as expressions that give the same text."""

    def encoded(match: re.Match[str]) -> str:
        text = match[1][1:-1]
        middle = len(text) // 2
        codes = ",".join(str(ord(char)) for char in text)
        forms = (
            f"({text[:middle]!r}+{text[middle:]!r})",
            f"String.fromCharCode({codes})",
            f"Buffer.from('{text.encode().hex()}','hex').toString()",
            f"[...{text[::-1]!r}].reverse().join('')",
        )
        return chance.choice(forms)

    changed = {
        path: "\n".join(
            line if line.lstrip().startswith(("//", "*", "import ")) else _TEXTS.sub(encoded, line)
            for line in text.split("\n")
        )
        for path, text in sources.items()
    }
    return changed if changed != sources else None


def move_javascript(sources: Sources, chance: random.Random) -> Sources | None:
    """Put the main script into a module that it requires."""
    main = "scripts/main.js"
    if main not in sources:
        return None
    part = f"part{chance.randrange(1000)}"
    return {**sources, main: f"require('./{part}');\n", f"scripts/{part}.js": sources[main]}


def move_text(skill_file: bytes, chance: random.Random) -> tuple[bytes, str, bytes] | None:
    """Return SKILL.md with its body elsewhere, where that is, and the body."""
    match = _FRONT_MATTER.match(skill_file)
    if match is None:
        return None
    body = skill_file[match.end() :]
    path = f"references/part{chance.randrange(1000)}.md"
    here = match[0] + b"\n# How to use it\n\nFollow `" + path.encode() + b"`.\n"
    return here, path, body


def rewrap_text(skill_file: bytes, chance: random.Random) -> bytes | None:
    """Break the lines of the body elsewhere, with an ordinary paragraph before it."""
    del chance
    match = _FRONT_MATTER.match(skill_file)
    if match is None or b"```" in skill_file or b"<!--" in skill_file:
        return None
    body = skill_file[match.end() :].decode("utf-8", "surrogateescape")
    paragraphs = [_rewrapped(each) for each in body.split("\n\n")]
    text = "Read all of this before you begin.\n\n" + "\n\n".join(paragraphs)
    return match[0] + text.encode("utf-8", "surrogateescape")


def _rewrapped(paragraph: str, width: int = 48) -> str:
    if paragraph.lstrip().startswith(("#", "-", "*", "1", "|", ">")):
        return paragraph
    lines = [""]
    for word in paragraph.split(" "):
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return "\n".join(lines)


def _with_quotes(match: re.Match[str]) -> str:
    name = match[1]
    return f"{name[:1]}''{name[1:]}"
