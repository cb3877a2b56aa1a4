"""What Markdown is made of above the line: headings, paragraphs, lists, quotes, code and tables."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from inline import References, normal_label, render, text_only
from links import plain
from tables import read_table, starts_table

DEPTH_MAX = 16  # lists and quotes inside each other; deeper ones are read as text
CODE_INDENT = 4  # columns
INDENT_MAX = 64  # columns counted: no mark of a list reaches further in

_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*(.*)")
_ITEM = re.compile(r"([-+*]|\d{1,9}[.)])(?:[ \t]|$)", re.ASCII)
_DEFINITION = re.compile(
    r" {0,3}\[([^\[\]]{1,200})\]:[ \t]*(?:<([^<>]*)>|(\S+))"
    r"(?:[ \t]+(\"[^\"]*\"|'[^']*'|\([^()]*\)))?[ \t]*"
)
_TASK = re.compile(r"\[([ xX])\] ")
_LANGUAGE = re.compile(r"[\w+#.-]+")


@dataclass(frozen=True)
class Block:
    """A finished piece of HTML; a paragraph in a tight list goes without its tags."""

    html: str
    paragraph: bool = False
    after_blank: bool = False

    def tight(self) -> str:
        return self.html

    def full(self) -> str:
        return f"<p>{self.html}</p>" if self.paragraph else self.html


@dataclass
class Document:
    """What is shared by all blocks of one text."""

    references: References
    heading_ids: bool
    headings: list[dict[str, object]] = field(default_factory=list)
    used_ids: dict[str, int] = field(default_factory=dict)


def to_html(text: str, *, heading_ids: bool) -> tuple[str, list[dict[str, object]]]:
    """Return the HTML of a Markdown text and its headings."""
    lines = text.replace("\0", "\ufffd").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines, references = take_definitions(lines)
    document = Document(references, heading_ids)
    blocks = parse(lines, document, 0)
    return "\n".join(block.full() for block in blocks), document.headings


def take_definitions(lines: list[str]) -> tuple[list[str], References]:
    """Return the lines without the definitions of link references, and those definitions."""
    kept: list[str] = []
    references: dict[str, tuple[str, str]] = {}
    fence = ""
    for line in lines:
        stripped = line.strip()
        if fence:
            fence = "" if _closes(stripped, fence) else fence
        elif opening := _FENCE.match(stripped):
            fence = opening.group(1)
        elif stripped.startswith("[") and (found := _DEFINITION.fullmatch(line)):
            url = found.group(2) if found.group(2) is not None else found.group(3)
            title = plain((found.group(4) or "  ")[1:-1]).strip()
            references.setdefault(normal_label(found.group(1)), (url, title))
            continue
        kept.append(line)
    return kept, references


def parse(lines: list[str], document: Document, depth: int) -> list[Block]:
    """Return the blocks that these lines, freed of their container's marks, hold."""
    blocks: list[Block] = []
    position, after_blank = 0, False
    while position < len(lines):
        if not lines[position].strip():
            position, after_blank = position + 1, True
            continue
        for reader in READERS:
            read = reader(lines, position, document, depth)
            if read is not None:
                break
        else:
            read = paragraph(lines, position, document, depth)
        content, position = read
        blocks.append(Block(content.html, content.paragraph, after_blank))
        after_blank = False
    return blocks


Read = tuple[Block, int] | None


def heading(lines: list[str], position: int, document: Document, depth: int) -> Read:
    line = lines[position]
    stripped = line.strip()
    level = len(stripped) - len(stripped.lstrip("#"))
    content = stripped[level:]
    if indent(line) >= CODE_INDENT or not 1 <= level <= 6 or (content and content[0] not in " \t"):
        return None
    bare = content.rstrip("#")
    if not bare or bare[-1] in " \t":  # a closing row of # needs a space in front of it
        content = bare
    return Block(_heading(level, content.strip(), document)), position + 1


def _heading(level: int, content: str, document: Document) -> str:
    inner = render(content, document.references)
    shown = html.unescape(text_only(inner))
    entry: dict[str, object] = {"level": level, "text": shown}
    attribute = ""
    if document.heading_ids:
        entry["id"] = _unique_id(shown, document)
        attribute = f' id="{html.escape(str(entry["id"]), quote=True)}"'
    document.headings.append(entry)
    return f"<h{level}{attribute}>{inner}</h{level}>"


def _unique_id(shown: str, document: Document) -> str:
    base = "-".join(re.findall(r"[\w-]+", shown.lower())) or "section"
    while True:
        number = document.used_ids.get(base, 0)
        document.used_ids[base] = number + 1
        candidate = f"{base}-{number}" if number else base
        if not number or candidate not in document.used_ids:
            document.used_ids.setdefault(candidate, 1)
            return candidate


def rule(lines: list[str], position: int, document: Document, depth: int) -> Read:
    return (Block("<hr>"), position + 1) if _is_rule(lines[position]) else None


def _is_rule(line: str) -> bool:
    marks = line.replace(" ", "").replace("\t", "")
    return len(marks) >= 3 and marks[0] in "-*_" and not marks.strip(marks[0]) and indent(line) < 4


def fenced_code(lines: list[str], position: int, document: Document, depth: int) -> Read:
    opening = _opens_fence(lines[position])
    if opening is None:
        return None
    fence, language = opening
    margin = indent(lines[position])
    end = position + 1
    while end < len(lines) and not (_closes(lines[end].strip(), fence) and indent(lines[end]) < 4):
        end += 1
    content = [dedent(line, min(margin, indent(line))) for line in lines[position + 1 : end]]
    return Block(_code(content, language)), end + 1


def _opens_fence(line: str) -> tuple[str, str] | None:
    found = _FENCE.match(line.lstrip(" "))
    if not found or indent(line) >= CODE_INDENT or (line.lstrip()[0] == "`" and "`" in found[2]):
        return None
    language = _LANGUAGE.match(found.group(2))
    return found.group(1), language.group() if language else ""


def _closes(stripped: str, fence: str) -> bool:
    return len(stripped) >= len(fence) and not stripped.strip(fence[0])


def _code(content: list[str], language: str) -> str:
    attribute = f' class="language-{html.escape(language, quote=True)}"' if language else ""
    text = "".join(html.escape(line, quote=False) + "\n" for line in content)
    return f"<pre><code{attribute}>{text}</code></pre>"


def indented_code(lines: list[str], position: int, document: Document, depth: int) -> Read:
    end = position
    while end < len(lines) and (indent(lines[end]) >= CODE_INDENT or not lines[end].strip()):
        end += 1
    content = [dedent(line, CODE_INDENT) for line in lines[position:end]]
    while content and not content[-1].strip():
        content.pop()
    return (Block(_code(content, "")), end) if content else None


def quote(lines: list[str], position: int, document: Document, depth: int) -> Read:
    if depth >= DEPTH_MAX or not _is_quote(lines[position]):
        return None
    inner: list[str] = []
    end = position
    while end < len(lines):
        if _is_quote(lines[end]):
            inner.append(lines[end].lstrip()[1:].removeprefix(" "))
        elif not _continues(lines[end], inner):
            break
        else:
            inner.append(lines[end])
        end += 1
    body = "\n".join(block.full() for block in parse(inner, document, depth + 1))
    return Block(f"<blockquote>\n{body}\n</blockquote>"), end


def _is_quote(line: str) -> bool:
    return line.lstrip().startswith(">") and indent(line) < CODE_INDENT


def _continues(line: str, inner: list[str]) -> bool:
    """Return whether an unmarked line goes on with the paragraph that ends the container so far."""
    last = inner[-1] if inner else ""
    return bool(line.strip() and last.strip()) and not starts_block(line) and not _ends_text(last)


def _ends_text(line: str) -> bool:
    return _is_rule(line) or line.lstrip().startswith("#") or _opens_fence(line) is not None


def starts_block(line: str) -> bool:
    """Return whether a line ends a paragraph without a blank line in front of it."""
    if indent(line) >= CODE_INDENT:
        return False
    if _is_rule(line) or _is_quote(line) or _opens_fence(line) is not None:
        return True
    stripped = line.strip()
    if re.match(r"#{1,6}(?:[ \t]|$)", stripped):
        return True
    item = _ITEM.match(stripped)
    # "1986. A year" must not become a list in the middle of a paragraph.
    return bool(item and stripped[item.end() :].strip() and item.group(1)[:-1] in ("", "1"))


def bullets(lines: list[str], position: int, document: Document, depth: int) -> Read:
    first = _item_at(lines[position])
    if first is None or depth >= DEPTH_MAX:
        return None
    items: list[list[Block]] = []
    loose, end = False, position
    while end < len(lines):
        marker = _item_at(lines[end])
        if marker is None or _list_type(marker[0]) != _list_type(first[0]):
            break
        inner, end = _take_item(lines, end, marker[1])
        blocks = parse(inner, document, depth + 1)
        items.append(blocks)
        loose = loose or any(block.after_blank for block in blocks[1:])
        if end < len(lines) and not lines[end - 1].strip():
            following = _item_at(lines[end])
            loose = loose or (
                following is not None and _list_type(following[0]) == _list_type(first[0])
            )
    return Block(_list(first[0], items, loose=loose)), end


def _item_at(line: str) -> tuple[str, int] | None:
    """Return the marker of a list item and the column at which its content begins."""
    margin = indent(line)
    found = _ITEM.match(line.lstrip(" \t"))
    if not found or margin >= CODE_INDENT or _is_rule(line):
        return None
    marker = found.group(1)
    rest = dedent(line, margin)[len(marker) :]
    spaces = indent(rest)
    if not rest.strip() or spaces > CODE_INDENT:
        spaces = 1  # an empty item, or one that begins with indented code
    return marker, margin + len(marker) + spaces


def _list_type(marker: str) -> str:
    return marker[-1]


def _take_item(lines: list[str], position: int, column: int) -> tuple[list[str], int]:
    """Return the item's own lines, freed of its indent, and the position behind them."""
    margin = indent(lines[position])
    marker_width = len(_ITEM.match(lines[position].lstrip(" \t")).group(1))
    first = dedent(lines[position], margin)[marker_width:]
    inner = [dedent(first, column - margin - marker_width)]
    end = position + 1
    while end < len(lines):
        line = lines[end]
        if not line.strip():
            inner.append("")
        elif indent(line) >= column:
            inner.append(dedent(line, column))
        elif _item_at(line) is None and _continues(line, inner):
            inner.append(line.lstrip())
        else:
            break
        end += 1
    return inner, end


def _list(marker: str, items: list[list[Block]], *, loose: bool) -> str:
    tag = "ul" if marker in "-+*" else "ol"
    start = f' start="{int(marker[:-1])}"' if tag == "ol" and int(marker[:-1]) != 1 else ""
    rows = []
    for blocks in items:
        shown = [_with_task_box(block) if not at else block for at, block in enumerate(blocks)]
        body = "\n".join(block.full() if loose else block.tight() for block in shown)
        rows.append(f"<li>{body}</li>")
    return f"<{tag}{start}>\n" + "\n".join(rows) + f"\n</{tag}>"


def _with_task_box(block: Block) -> Block:
    found = _TASK.match(block.html) if block.paragraph else None
    if not found:
        return block
    checked = "" if found.group(1) == " " else " checked"
    box = f'<input type="checkbox" disabled{checked}> '
    return Block(box + block.html[found.end() :], paragraph=True)


def table(lines: list[str], position: int, document: Document, depth: int) -> Read:
    read = read_table(lines, position, starts_block)
    if read is None:
        return None
    header, styles, body, end = read

    def row(cells: list[str], tag: str) -> str:
        shown = (
            f"<{tag}{style}>{render(cell, document.references)}</{tag}>"
            for cell, style in zip(cells, styles, strict=True)
        )
        return f"<tr>{''.join(shown)}</tr>"

    parts = ["<table>", "<thead>", row(header, "th"), "</thead>"]
    if body:
        parts += ["<tbody>", *(row(cells, "td") for cells in body), "</tbody>"]
    return Block("\n".join([*parts, "</table>"])), end


def paragraph(lines: list[str], position: int, document: Document, depth: int) -> tuple[Block, int]:
    end = position + 1
    while end < len(lines) and lines[end].strip():
        if level := _underline_level(lines[end]):
            content = "\n".join(line.strip() for line in lines[position:end])
            return Block(_heading(level, content, document)), end + 1
        if starts_block(lines[end]) or starts_table(lines, end):
            break
        end += 1
    # Trailing spaces inside are kept: two of them break the line.
    content = "\n".join(line.lstrip(" \t") for line in lines[position:end]).rstrip()
    return Block(render(content, document.references), paragraph=True), end


def _underline_level(line: str) -> int:
    """Return the level of the heading that this line makes of the text above it, or 0."""
    marks = line.strip()
    if indent(line) >= CODE_INDENT or marks.strip(marks[0]):
        return 0
    return {"=": 1, "-": 2}.get(marks[0], 0)


def indent(line: str) -> int:
    """Return the columns of white space in front; a tab goes to the next multiple of four."""
    columns = 0
    for character in line[:INDENT_MAX]:
        if character == " ":
            columns += 1
        elif character == "\t":
            columns += 4 - columns % 4
        else:
            break
    return columns


def dedent(line: str, columns: int) -> str:
    """Return the line without so many columns of white space; a tab may be cut in two."""
    taken = 0
    for position, character in enumerate(line):
        if taken >= columns or character not in " \t":
            return " " * (taken - columns) + line[position:]
        taken += 1 if character == " " else 4 - taken % 4
    return ""


Reader = Callable[[list[str], int, Document, int], Read]
READERS: tuple[Reader, ...] = (
    indented_code,
    fenced_code,
    heading,
    rule,
    quote,
    bullets,
    table,
)
