"""Turn Markdown into HTML that is safe to show: nothing in it runs in a browser."""

from __future__ import annotations

import html
import sys

import contract
from blocks import to_html

TEXT_CHARACTERS_MAX = 500_000  # a thick book; a few seconds of work
TITLE_CHARACTERS_MAX = 200
FIELDS = ("text", "heading_ids", "document", "title")
PAGE = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<title>{title}</title>
</head>
<body>
{body}
</body>
</html>"""


def answer(request: contract.Request) -> object:
    contract.only_fields(request, FIELDS)
    text = contract.text(request, "text", characters_max=TEXT_CHARACTERS_MAX)
    heading_ids = contract.boolean(request, "heading_ids", default=False)
    as_document = contract.boolean(request, "document", default=False)
    title = contract.text(request, "title", characters_max=TITLE_CHARACTERS_MAX, default="")

    body, headings = to_html(text, heading_ids=heading_ids)
    if as_document:
        title = title or (str(headings[0]["text"]) if headings else "Document")
        body = PAGE.format(title=html.escape(title, quote=False), body=body)
    return {"html": body, "headings": headings}


if __name__ == "__main__":
    sys.exit(contract.serve(answer))
