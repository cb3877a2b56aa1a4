"""Puts together what the texts of a skill ask for, and how much each place weighs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from skilllite_sandbox.scan.clock import Clock
from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.instructions.blocks import harms_in_block
from skilllite_sandbox.scan.instructions.commands import (
    LARGE_CHARS,
    LINES_UNSEEN,
    CommandReader,
    Harm,
)
from skilllite_sandbox.scan.instructions.concepts import Concepts
from skilllite_sandbox.scan.instructions.encoded import encoded_texts
from skilllite_sandbox.scan.instructions.passages import (
    TELLING,
    Passage,
    Place,
    Sentence,
    comments_of,
    passages_of,
    sentences_of,
)
from skilllite_sandbox.scan.instructions.requests import Around, is_described, requests_of
from skilllite_sandbox.scan.instructions.weighing import Weighing
from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.values import replace

TEXT_CHARS_MAX = 262_144  # of one file: a book; what is longer is reported as not read
PASSAGES_MAX = 20_000  # of one file: headings, fenced blocks, strings of JSON
BLOCKS_MAX = 40  # fenced blocks of one file that are given to the engine of their language
PLACES_MAX = 5  # of one code in one file
_NEAR = 2  # sentences before and after that count as the same thought
_SKIPPED = re.compile(
    r"(?:^|/)(?:licen[cs]e|copying|notice|package-lock\.json|yarn\.lock)", re.IGNORECASE
)
_TEXT_LABELS = frozenset(
    ("", "text", "txt", "markdown", "md", "plaintext", "prompt", "yaml", "json", "html")
)
_IN_CODE = frozenset(("SL501", "SL509", "SL511", "SL512", "SL516"))
"""What is said to a model or a checker; everything else in a program is for its engine."""
_MODEL = r"(?:ais?|agents?|assistants?|llms?|claude|gpt|chatgpt|copilot|gemini|codex|ассистент)"
_ADDRESSED = re.compile(
    rf"\b{_MODEL}\b\s*(?:[:,]|must\b|should\b|please\b|shall\b|do\s+not\b|don't\b|never\b|always\b"
    rf"|will\b|needs?\s+to\b|reading\b)|\b(?:to|for|dear|attention|hey|as|are)\s+(?:an?\s+|the\s+|any\s+"
    rf"|all\s+|every\s+)?{_MODEL}\b|助手|智能体",
    re.IGNORECASE,
)
_ORDERS = ("send", "secret", "covert", "override", "agent_file", "reveal", "destroy", "preapproved")
_SPEAKS = re.compile(
    r"ignore|disregard|instruction|prompt|scanner|review|\bAIs?\b|LLM|system|safe\b|[mM]odel|无视|忽略"
    r"|(?i:assistant|agent|language model)"
)


def inspect_instructions(
    sources: Sequence[SourceFile], clock: Clock | None = None
) -> tuple[Finding, ...]:
    """Return what the texts of a skill ask their readers to do."""
    clock = clock or Clock()
    found: list[Finding] = []
    for source in sources:
        if source.text and not _SKIPPED.search(source.path):
            found.extend(_file(source, clock))
    return tuple(found)


def _file(source: SourceFile, clock: Clock) -> Iterator[Finding]:
    told: dict[str, int] = {}
    if source.path == "SKILL.md":
        yield from _allowed_tools(source)
    reader, count = _Reader(source, clock), 0
    for count, passage in enumerate(passages_of(source)):
        if count >= PASSAGES_MAX or reader.exhausted:
            break
        if passage.place is Place.CODE and _SPEAKS.search(passage.text) is None:
            continue
        for finding in reader.passage(passage):
            told[finding.code] = told.get(finding.code, 0) + 1
            if told[finding.code] <= PLACES_MAX:
                yield finding
    yield from reader.weighing.findings()
    if count >= PASSAGES_MAX or reader.exhausted:
        yield make_finding("SL702", source.path, 0, "its text is not read to the end")


class _Reader:
    """Reads the passages of one file, within bounds for all of them together."""

    def __init__(self, source: SourceFile, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._commands = CommandReader(clock)
        self.weighing = Weighing(source.path)
        self._left = TEXT_CHARS_MAX
        self._blocks = BLOCKS_MAX

    @property
    def exhausted(self) -> bool:
        return self._left <= 0 or self._commands.exhausted or self._clock.is_over()

    def passage(self, passage: Passage) -> Iterator[Finding]:
        """Yield what is found in one passage."""
        asked = list(self._asked(passage))
        yield from asked
        if passage.place is not Place.CODE:
            harms = list(self._commands.harms_of(passage.text))
            if passage.place is Place.FENCE and self._blocks > 0:
                self._blocks -= 1
                harms += harms_in_block(passage, self._clock.left())
            ordered = any(each.severity >= Severity.HIGH for each in asked)
            yield from _judged(self._source, passage, harms, ordered=ordered)

    def _asked(self, passage: Passage) -> Iterator[Finding]:
        """Yield what the sentences of a passage ask for, decoded ones too."""
        if passage.place is Place.FENCE and passage.label not in _TEXT_LABELS:
            for comment in comments_of(passage):
                yield from _sentences(self._source, comment, self.weighing)
            return
        large = len(passage.text) > LARGE_CHARS or self._left < TEXT_CHARS_MAX // 2
        for part in _telling_parts(passage, self._clock) if large else (passage,):
            if self._left <= 0:
                return
            length = len(part.text)
            if length > self._left:
                part = replace(part, text=part.text[: self._left])
            self._left -= length
            yield from _sentences(self._source, part, self.weighing)
            for decoded in encoded_texts(part):
                harms = list(self._commands.harms_of(decoded.text))
                yield from _judged(self._source, decoded, harms)
                yield from _sentences(self._source, decoded, self.weighing)


def _telling_parts(passage: Passage, clock: Clock) -> Iterator[Passage]:
    """Yield the lines of a large text that have telling words, those in a row together."""
    part: list[str] = []
    for number, line in enumerate(passage.text.split("\n"), start=passage.line):
        if number % LINES_UNSEEN == 0 and clock.is_over():
            return
        if TELLING.search(line):
            part.append(line)
        elif part:
            yield replace(passage, text="\n".join(part), line=number - len(part))
            part = []
    if part:
        yield replace(passage, text="\n".join(part))


def _sentences(source: SourceFile, passage: Passage, weighing: Weighing) -> Iterator[Finding]:
    sentences = _introduced(sentences_of(passage))
    concepts = [Concepts(each.text) for each in sentences]
    for index, (sentence, own) in enumerate(zip(sentences, concepts, strict=True)):
        if not own.places and "|" not in sentence.text and "[" not in sentence.text:
            weighing.note(sentence, own, [])
            continue
        near = tuple(concepts[max(0, index - _NEAR) : index + _NEAR + 1])
        around = Around(sentence.place, near)
        requests = requests_of(sentence, own, around)
        if sentence.place is Place.CODE:
            requests = [each for each in requests if each.code in _IN_CODE]
        weighing.note(sentence, own, requests)
        for request in requests:
            severity = request.severity
            if sentence.place is Place.HIDDEN and severity >= Severity.MEDIUM:
                yield make_finding("SL521", source.path, sentence.line, _shown(sentence))
            else:
                yield make_finding(
                    request.code, source.path, sentence.line, _shown(sentence), severity=severity
                )
        if sentence.place is Place.HIDDEN and not requests:
            yield from _addressed(source, sentence, own)


def _introduced(sentences: Iterator[Sentence]) -> list[Sentence]:
    """Return sentences, those after a colon with what introduces them as part of their title."""
    found: list[Sentence] = []
    introduction = ""
    for sentence in sentences:
        if introduction and sentence.place is not Place.HIDDEN:
            found.append(replace(sentence, heading=f"{sentence.heading} {introduction}"))
        else:
            found.append(sentence)
        if sentence.text.rstrip().endswith(":"):
            introduction = sentence.text[-200:]
    return found


def _shown(sentence: Sentence) -> str:
    return f"“{sentence.text[:160].strip()}”"


def _addressed(source: SourceFile, sentence: Sentence, concepts: Concepts) -> Iterator[Finding]:
    """Judge hidden words that speak to a model without asking for anything known."""
    if _ADDRESSED.search(sentence.text) is None:
        return
    if concepts.any(_ORDERS) or ("run" in concepts and _names_a_command(sentence.text)):
        yield make_finding("SL521", source.path, sentence.line, _shown(sentence))
    else:
        heavy = concepts.any(("run", "act", "write")) or concepts.has("must", "always", "should")
        severity = Severity.HIGH if heavy else Severity.MEDIUM
        yield make_finding("SL523", source.path, sentence.line, _shown(sentence), severity=severity)


def _names_a_command(text: str) -> bool:
    """Whether a text names an address or a command."""
    return "://" in text or "`" in text or "$(" in text


def _judged(
    source: SourceFile, passage: Passage, harms: list[Harm], *, ordered: bool = False
) -> Iterator[Finding]:
    """Judge commands in a passage; manuals that warn of them are left alone.

    Args:
        source: The file.
        passage: The text.
        harms: The commands in it.
        ordered: The text speaks to its reader in other ways as well.
    """
    for harm in harms:
        begin = passage.text.rfind("\n", 0, harm.offset) + 1
        end = passage.text.find("\n", harm.offset)
        shown = passage.text[begin : end if end >= 0 else len(passage.text)].strip()
        line = passage.line + passage.text.count("\n", 0, harm.offset)
        before = passage.text[max(0, begin - 300) : begin].strip().split("\n")[-1]
        around = Sentence(f"{before} {shown}", line, passage.place, passage.heading)
        above = _above(passage.text, begin, harm.offset)
        if any(_is_warned_of(replace(around, text=each)) for each in (around.text, *above)):
            continue
        severity = harm.severity
        plain = passage.place is Place.DATA and not ordered
        said = " ".join((before, passage.text[begin : harm.offset], passage.heading, *above))
        advised = any(_ADVISED.search(each) for each in above)
        named = passage.place is Place.PROSE and not advised and not _tells_to_run(said)
        plain = plain or named
        if severity is Severity.CRITICAL and (plain or _EXPLAINS.search(around.text)):
            severity = Severity.HIGH  # a table of commands is not an order to run them
        if passage.place is Place.HIDDEN and severity >= Severity.HIGH:
            severity = Severity.CRITICAL
        yield make_finding(
            harm.code, source.path, line, f"{harm.detail}: {shown[:120]}", severity=severity
        )


_ORDERS_TO_RUN = re.compile(
    r"\b(?:run(?!\s+away)|execut\w*|paste|type|enter|issue|invoke|launch|start|install\w*|set ?up"
    r"|bootstrap|prepar\w*|prerequisites?|requirements?|requires?|first|before|needs?|must|steps?|then|use|do|call|via"
    r"|ejecuta\w*|instala\w*|führe|installier\w*|ausführen|exécute\w*|lance[rz]?|esegui|rode|выполни\w*"
    r"|запусти\w*|установи\w*)\b|^\s*\d+[.)]|运行|执行|安装|実行|실행",
    re.IGNORECASE,
)
_IN_CODE_MARKS = re.compile(r"`[^`\n]*`?")


def _tells_to_run(text: str) -> bool:
    """Tell whether words beside a command in prose order it; what is only named is no order."""
    return _ORDERS_TO_RUN.search(_IN_CODE_MARKS.sub(" ", text)) is not None


_LISTED = re.compile(r"[ \t]*(?:[-*+•|]|\d{1,3}[.)])")
_ADVISED = re.compile(r"\b(?:instead|better|safer|use|good|fix|remedy|do)\b", re.IGNORECASE)
LIST_LINES_MAX = 100  # lines of a list or table above a command that its introduction is sought


def _above(text: str, begin: int, offset: int) -> list[str]:
    """Return what a list says before it begins, or the titles of a command's columns."""
    lines = text[:begin].split("\n")[:-1][-LIST_LINES_MAX:]
    line = text[begin:offset]
    if _LISTED.match(text[begin : begin + 20]) is None:
        return []
    top = ""
    while lines and _LISTED.match(lines[-1]):
        top = lines.pop()
    if line.lstrip().startswith("|"):
        cells = [cell.strip() for cell in top.strip().strip("|").split("|")]
        column = line.replace("\\|", "").count("|") - 1
        own = cells[column] if 0 <= column < len(cells) else ""
        return [own] if _ADVISED.search(own) else [own, cells[0]]
    while lines and not lines[-1].strip():
        lines.pop()
    return [lines[-1].strip()] if lines else []


_FORBIDS = re.compile(
    r"\b(?:never|don't|do\s+not|must\s+not|should\s+not|avoid|refuse\s+to)\s+(?:\w+\s+){0,2}?(?:run|use|pipe"
    r"|past|execut|typ|try|do\b|copy|download|install|trust|call|put|piping|running|using|`)"
    r"|\b(?:dangerous|malicious|attackers?|suspicious|harmful|destructive|red\s+flag|catastroph\w+|phishing"
    r"|wipes?|deletes\s+everything|forbidden|bad\s+(?:example|practice|idea)|anti-?patterns?|unsafe|insecure)\b"
    r"|❌|✗|🚫|(?:不要|never|avoid|nunca|niemals|jamais|никогда|don't|do\s+not|not\s+this|risky|danger)\s*:?\s*$",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(
    r"\b(?:means|such\s+as|example\s+of|explains?|detects?|flags?|blocks?|warns?|warning|wrong|instead\s+of"
    r"|(?:removes|erases|destroys|deletes|overwrites)\s+(?:everything|all)|that\s+is\s+why"
    r"|not\s+recommended|what\s+.{1,30}\s+does|would|attack)\b|⚠",
    re.IGNORECASE,
)
_WARNING_HEADING = re.compile(
    r"\b(?:never|don't|do not|avoid|bad|wrong|what not)\b|❌", re.IGNORECASE
)


def _is_warned_of(sentence: Sentence) -> bool:
    if sentence.place is Place.HIDDEN:
        return False
    if _FORBIDS.search(sentence.text) or _WARNING_HEADING.search(sentence.heading):
        return True
    return is_described(sentence, Concepts(sentence.text))


_TOOLS_LINE = re.compile(
    r"^allowed-tools\s*:[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE | re.IGNORECASE
)
_ANY_TOOL = re.compile(r"(?:^|[\s,\[\"'-])(\*|all)(?:$|[\s,\]\"'])|Bash\(\s*(?:\*|\*:\*|:\*)?\s*\)")


def _allowed_tools(source: SourceFile) -> Iterator[Finding]:
    front = source.text[4:].partition("\n---")[0] if source.text.startswith("---\n") else ""
    match = _TOOLS_LINE.search(front)
    if match is not None and (any_tool := _ANY_TOOL.search(match[1])) is not None:
        severity = Severity.HIGH if any_tool[1] else Severity.MEDIUM
        line = front.count("\n", 0, match.start()) + 2
        yield make_finding("SL524", source.path, line, match[1].strip()[:80], severity=severity)
