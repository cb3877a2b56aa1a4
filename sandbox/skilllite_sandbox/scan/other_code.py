"""Commands in languages that no engine reads: what they hand to a shell is read all the same.

Whether such a command is reached isn't known; a program that has it has a use for it. The rest of
these files is reported as not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from skilllite_sandbox.scan.acts import Analysis
from skilllite_sandbox.scan.clock import Clock
from skilllite_sandbox.scan.record import Record
from skilllite_sandbox.scan.source import Language, SourceFile

COMMANDS_MAX = 50  # of one file that are followed; each takes about a millisecond
COMMAND_CHARS_MAX = 2_000  # of one command
TIME_S_MAX = 0.5  # of processor time for all of them
TEXT_CHARS_MAX = 500_000  # of one file that is looked through

_STARTS = re.compile(
    r"\b(?:system|popen|execl?[vpe]*|execve|posix_spawnp?|shell_exec|passthru|proc_open|spawn|Command"
    r"|ProcessBuilder|getRuntime\(\)\.exec|Process\.Start|os\.execute|io\.popen|qx|sh|backtick"
    r"|invoke-expression|iex|start-process|do\s+shell\s+script|WinExec|ShellExecute\w*)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"\"((?:[^\"\\\n]|\\.){4,2000})\"|'((?:[^'\\\n]|\\.){4,2000})'|`([^`\n]{4,2000})`"
)
_REACH = 200  # characters between the name of a function and the command that it is given
_TELLING = re.compile(
    r"\b(?:curl|wget|nc|ncat|socat|base64|bash|sh|ssh|scp|rm|dd|chmod|crontab|python\d?|perl|openssl|env"
    r"|printenv|iwr|invoke-webrequest)\b|/dev/tcp",
    re.IGNORECASE,
)
_ESCAPES = {r"\"": '"', r"\'": "'", r"\\": "\\", r"\n": "\n", r"\t": "\t"}


def analyse_other(sources: Sequence[SourceFile], seconds: float = TIME_S_MAX) -> Analysis:
    """Say what the commands do that stand in code which no engine reads."""
    said = Analysis()
    clock = Clock(min(seconds, TIME_S_MAX))
    for source in sources:
        if source.language is Language.OTHER_CODE:
            said += analyse_other_code(source.text, source.path, seconds=clock.left())
    return said


def analyse_other_code(
    text: str, file: str, line: int = 0, *, seconds: float = TIME_S_MAX
) -> Analysis:
    """Say what the commands in one text do.

    Args:
        text: The code.
        file: Where it stands.
        line: Where the text is written, when it isn't a file of its own.
        seconds: Of processor time that it may take.
    """
    record, clock = Record(), Clock(min(seconds, TIME_S_MAX))
    for offset, command in _commands(text[:TEXT_CHARS_MAX]):
        if clock.is_over():
            record.hide(file, line, "it took too long to follow what it does")
            break
        at = line or text.count("\n", 0, offset) + 1
        record.add(_followed(command, file, at, clock.left()))
    return record.analysis()


def _followed(command: str, file: str, line: int, seconds: float) -> Analysis:
    from skilllite_sandbox.scan.shell import analyse_shell_text

    said = analyse_shell_text(command, file, line, seconds=seconds)
    return Analysis(said.doings, said.flows)  # whatever isn't a command at all is no finding


def _commands(text: str) -> Iterator[tuple[int, str]]:
    """Yield the literals that are handed to something which starts programs, bounded."""
    count = done = 0
    for start in _STARTS.finditer(text):
        if start.start() < done:
            continue
        line_end = text.find("\n", start.end())
        end = min(len(text) if line_end < 0 else line_end, start.end() + _REACH + COMMAND_CHARS_MAX)
        for match in _QUOTED.finditer(text, start.end(), end):
            literal = match[1] or match[2] or match[3]
            done = match.end()
            if _TELLING.search(literal) is None:
                continue
            count += 1
            if count > COMMANDS_MAX:
                return
            yield match.start(), re.sub(r"\\[\"'\\nt]", lambda m: _ESCAPES[m.group()], literal)
