"""Fenced code read by the engine of its language: what blocks in a script blocks in a manual too.

Mere capabilities in a manual say nothing: a manual shows how to use the network, not that it is
used. Neither do lasting changes, which manuals for people are full of; commands.py knows those
that aren't ordinary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from skilllite_sandbox.scan.acts import Analysis, Datum, Sink
from skilllite_sandbox.scan.finding import Severity
from skilllite_sandbox.scan.instructions.commands import WORTH, Harm
from skilllite_sandbox.scan.instructions.passages import Passage
from skilllite_sandbox.scan.known_sources import fetches_from_known_sources
from skilllite_sandbox.scan.words import words

BLOCK_CHARS_MAX = 20_000  # of one fenced block; a manual's examples are short
BLOCK_S_MAX = 0.3  # of processor time for one block; one of a manual takes a millisecond

_SHELL = words("sh bash zsh shell console terminal shell-session shellsession")
_PYTHON = words("python py python3 pycon ipython")
_JAVASCRIPT = words("javascript js node typescript ts mjs jsx tsx")
_TELLING = words(
    """
    exec eval subprocess os. environ socket request urllib http fetch child_process process.env
    import( Function( base64 marshal pickle ssh
    """
)
_ORDINARY = re.compile(
    r"\s*(?:[$%>]\s)?(?:sudo\s+)?(?:import\b|export\b|npm|pnpm|yarn|pip|uv|cargo|go|gem|brew|apt|apt-get|docker|git)\b"
)
"""Lines that fetch by a package manager or as a module: commands.py knows which of them ask."""
_SHELL_PROMPT = re.compile(r"^[$%>] ", re.MULTILINE)
_TEXT_RUNS = (Sink.RUN_CODE, Sink.RUN_SHELL)
_PROGRAM_RUNS = (Sink.RUN_PROGRAM, Sink.LOAD_NATIVE, Sink.UNPICKLE)
_CRITICAL = {
    (Datum.SECRET, Sink.SEND): "sends secrets away",
    (Datum.ENVIRONMENT, Sink.SEND): "sends the environment away",
    **{(Datum.DECODED, sink): "decodes a program and runs it" for sink in _TEXT_RUNS},
    **{(Datum.FETCHED, sink): "fetches a program and runs it" for sink in _TEXT_RUNS},
}
_HIGH = {
    (Datum.HOST_FILE, Sink.SEND): "sends files of this machine away",
    **{(Datum.DECODED, sink): "decodes a program and runs it" for sink in _PROGRAM_RUNS},
    **{(Datum.FETCHED, sink): "fetches a program and runs it" for sink in _PROGRAM_RUNS},
}


def harms_in_block(passage: Passage, seconds: float) -> Iterator[Harm]:
    """Yield what the engine of the block's language calls harmful in it, within these seconds."""
    if len(passage.text) > BLOCK_CHARS_MAX:
        return
    lines = passage.text.split("\n")
    for flow in _analysis(passage, min(seconds, BLOCK_S_MAX)).flows:
        pair = (flow.datum, flow.sink)
        what = _CRITICAL.get(pair) or _HIGH.get(pair)
        line = lines[flow.line - 1] if 0 < flow.line <= len(lines) else ""
        fetched = flow.datum is Datum.FETCHED
        if what is None or (
            fetched and (fetches_from_known_sources(line) or _ORDINARY.match(line))
        ):
            continue
        offset = sum(len(each) + 1 for each in lines[: max(0, flow.line - 1)])
        # Fetched here and started there: many a manual of an honest program reads like that.
        apart = fetched and flow.source_line not in (0, flow.line)
        if pair in _CRITICAL and not apart:
            yield Harm("SL522", Severity.CRITICAL, what, offset)
        else:
            code = "SL505" if flow.datum is Datum.HOST_FILE else "SL506"
            yield Harm(code, Severity.HIGH, what, offset)


def _analysis(passage: Passage, seconds: float) -> Analysis:
    """Return what an engine says; lines of a block count from 1."""
    text = passage.text
    if passage.label in _SHELL and WORTH.search(text):
        from skilllite_sandbox.scan.shell import analyse_shell_text

        return analyse_shell_text(_SHELL_PROMPT.sub("", text), "block.sh", seconds=seconds)
    if passage.label in _PYTHON and any(word in text for word in _TELLING):
        from skilllite_sandbox.scan.python import analyse_python_text

        lines = [
            line[4:] if line.startswith((">>> ", "... ")) else line for line in text.split("\n")
        ]
        return analyse_python_text("\n".join(lines), "block.py", seconds=seconds)
    if passage.label in _JAVASCRIPT and any(word in text for word in _TELLING):
        from skilllite_sandbox.scan.javascript import analyse_javascript_text

        return analyse_javascript_text(text, "block.ts", seconds=seconds)
    return Analysis()
