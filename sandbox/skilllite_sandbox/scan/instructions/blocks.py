"""Fenced code read by the engine of its language: what blocks in a script blocks in a manual too.

Mere capabilities in a manual say nothing: a manual shows how to use the network, not that it is
used.
"""

from __future__ import annotations

from collections.abc import Iterator

from skilllite_sandbox.scan.acts import Analysis, Datum, Sink
from skilllite_sandbox.scan.finding import Severity
from skilllite_sandbox.scan.instructions.commands import WORTH, Harm
from skilllite_sandbox.scan.instructions.passages import Passage

BLOCK_CHARS_MAX = 20_000  # of one fenced block; a manual's examples are short

_SHELLS = frozenset(("sh", "bash", "zsh", "shell", "console", "terminal", "shell-session"))
_PROMPTS = ("$ ", "% ", "# ", "> ")
_RUNS = (Sink.RUN_CODE, Sink.RUN_SHELL, Sink.RUN_PROGRAM, Sink.LOAD_NATIVE, Sink.UNPICKLE)
_HARMFUL = {
    (Datum.SECRET, Sink.SEND): "sends secrets away",
    (Datum.ENVIRONMENT, Sink.SEND): "sends the environment away",
    (Datum.HOST_FILE, Sink.SEND): "sends files of this machine away",
    **{(Datum.DECODED, sink): "decodes a program and runs it" for sink in _RUNS},
}


def harms_in_block(passage: Passage) -> Iterator[Harm]:
    """Yield what the engine of the block's language calls harmful in it."""
    if passage.label not in _SHELLS or len(passage.text) > BLOCK_CHARS_MAX:
        return
    if WORTH.search(passage.text) is None:
        return
    analysis = _shell(passage.text)
    for flow in analysis.flows:
        what = _HARMFUL.get((flow.datum, flow.sink))
        if what is not None:
            offset = _offset(passage.text, flow.line)
            yield Harm("SL522", Severity.CRITICAL, what, offset)


def _shell(text: str) -> Analysis:
    try:
        from skilllite_sandbox.scan.shell import analyse_shell_text
    except ImportError:
        return Analysis()
    lines = [line[2:] if line.startswith(_PROMPTS[:2]) else line for line in text.split("\n")]
    return analyse_shell_text("\n".join(lines), "SKILL.md")


def _offset(text: str, line: int) -> int:
    offset = 0
    for _ in range(max(0, line - 1)):
        offset = text.find("\n", offset) + 1
    return offset
