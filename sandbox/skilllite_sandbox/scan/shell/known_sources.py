"""Addresses that many people run code from: still to be agreed to, but no sign of an attack.

A single file is taken for known only from the address of a well-known installer, an archive or a
repository from the sites where programs are published. Pure.
"""

from __future__ import annotations

import re

ARCHIVE = "an archive: "
"""Begins the detail of what was unpacked or cloned."""

_INSTALLERS = re.compile(
    r"^https://(?:sh\.rustup\.rs|static\.rust-lang\.org|astral\.sh|get\.docker\.com|get\.pnpm\.io"
    r"|bun\.sh|deno\.land|install\.python-poetry\.org|bootstrap\.pypa\.io|deb\.nodesource\.com"
    r"|rpm\.nodesource\.com|get\.sdkman\.io|pyenv\.run|starship\.rs|get\.helm\.sh|ollama\.com"
    r"|raw\.githubusercontent\.com/(?:nvm-sh|Homebrew|helm|ohmyzsh|pyenv|rbenv|creationix)"
    r"|cli\.github\.com|packages\.microsoft\.com|dl\.google\.com)(?:/|$)"
)
_PUBLISHERS = re.compile(
    r"^(?:git\+)?https://(?:[\w-]+\.)*(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org"
    r"|sourceforge\.net|python\.org|openssl\.org|gnu\.org|kernel\.org|apache\.org|nodejs\.org"
    r"|go\.dev|golang\.org|rust-lang\.org|google\.com|googleapis\.com|sqlite\.org|debian\.org"
    r"|ubuntu\.com|hashicorp\.com|huggingface\.co)(?:/|$)"
    r"|^git@(?:github\.com|gitlab\.com|bitbucket\.org):"
)


def is_known_source(detail: str) -> bool:
    """Tell whether what was fetched comes from where it is usual to get programs."""
    if detail.startswith(ARCHIVE):
        return bool(_PUBLISHERS.match(detail.removeprefix(ARCHIVE)))
    return bool(_INSTALLERS.match(detail))
