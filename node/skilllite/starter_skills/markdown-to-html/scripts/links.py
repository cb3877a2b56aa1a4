"""Which addresses a link or an image may point to, and how they are written into HTML."""

from __future__ import annotations

import html
import re

URL_CHARACTERS_MAX = 2_000
LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
IMAGE_SCHEMES = frozenset({"http", "https"})

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_SCHEME = re.compile(r"([^:/?#]*):")


def plain(text: str) -> str:
    """Return the text with backslash escapes and entities resolved."""
    return resolve_entities(_ESCAPED.sub(r"\1", text))


def resolve_entities(text: str) -> str:
    return _ENTITY.sub(lambda found: html.unescape(found.group()), text)


def safe_url(url: str, schemes: frozenset[str]) -> str | None:
    """Return the address ready for an attribute, or None if its scheme may run or leak something.

    The scheme is read the way a browser reads it: after entities, without control characters and
    white space. So neither `java&#115;cript:` nor a tab in the middle gets past.
    """
    # Browsers drop control characters, some anywhere and some in front; here all of them go.
    url = "".join(c for c in plain(url) if c.isprintable() or c.isspace()).strip()
    scheme = _SCHEME.match("".join(url.split()))
    if len(url) > URL_CHARACTERS_MAX or (scheme and scheme.group(1).lower() not in schemes):
        return None
    return html.escape("%20".join(url.split()), quote=True)
