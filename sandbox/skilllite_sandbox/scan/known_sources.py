"""Addresses that many people run code from: still to be agreed to, but no sign of an attack.

A single file is taken for known only from the address of a well-known installer, an archive or a
repository from the sites where programs are published. Where strangers can publish as well, the
path is part of the address. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

ARCHIVE = "an archive: "
"""Begins the detail of what was unpacked or cloned."""

_INSTALLERS = re.compile(
    r"https://(?:"
    # Only the vendor publishes here.
    r"(?:astral\.sh|sh\.rustup\.rs|static\.rust-lang\.org|get\.docker\.com|get\.pnpm\.io|bun\.sh"
    r"|install\.python-poetry\.org|bootstrap\.pypa\.io|deb\.nodesource\.com|rpm\.nodesource\.com"
    r"|get\.sdkman\.io|pyenv\.run|starship\.rs|get\.helm\.sh|sh\.brew\.sh|brew\.sh|nixos\.org"
    r"|install\.duckdb\.org|cli\.github\.com|get\.k3s\.io|mise\.run|pixi\.sh|sdk\.cloud\.google\.com"
    r"|dl\.google\.com|dot\.net|aka\.ms|packages\.microsoft\.com|taskfile\.dev|direnv\.net"
    r"|get\.volta\.sh|get\.scoop\.sh)(?=[/?#]|$)"
    # Others publish beside it.
    r"|raw\.githubusercontent\.com/(?:nvm-sh|Homebrew|helm|ohmyzsh|pyenv|rbenv|creationix)/"
    r"|(?:deno\.land|ollama\.com|fly\.io|claude\.ai|cursor\.com|opencode\.ai|community\.chocolatey\.org)"
    r"/install(?:\.sh|\.ps1)?(?=[?#]|$))"
)
_LOCAL = re.compile(r"https?://(?:localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[::1\])(?=[:/?#]|$)")
_PUBLISHERS = re.compile(
    r"(?:git\+)?https://(?:[\w-]+\.)*(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org"
    r"|sourceforge\.net|python\.org|openssl\.org|gnu\.org|kernel\.org|apache\.org|nodejs\.org"
    r"|go\.dev|golang\.org|rust-lang\.org|google\.com|googleapis\.com|sqlite\.org|debian\.org"
    r"|ubuntu\.com|hashicorp\.com|huggingface\.co)(?:/|$)"
    r"|git@(?:github\.com|gitlab\.com|bitbucket\.org):"
)
_ADDRESS = re.compile(r"(?:https?|ftp)://[^\s'\"`|;<>()]+", re.IGNORECASE)
_COMMENT = re.compile(r"(?:^|\s)#.*")
_OPEN = re.compile(r"\$|\{\{|(?<![\w./~-])\w[\w-]*(?:\.[\w-]+)+")
"""What may be an address as well: a variable, a place to fill in, a host without its scheme."""

_NO_ADDRESS = re.compile(
    r"\$\(\s*(?:curl|wget)\b|(?:^|\s)(?:-\w*[oO]|--output|--output-document|-OutFile)[ =]?[^\s$]+"
    r"|\b(?:System\.)?Net\.WebClient\)?(?:\.DownloadString)?"
)


def is_known_source(detail: str) -> bool:
    """Tell whether what was fetched comes from where it is usual to get programs."""
    if detail.startswith(ARCHIVE):
        return _PUBLISHERS.match(detail.removeprefix(ARCHIVE)) is not None
    return _INSTALLERS.match(detail) is not None


def fetches_from_known_sources(line: str) -> bool:
    """Tell whether all that a command line fetches is a vendor's installer, or from this machine.

    A known address beside one that isn't, in a comment, or as a part of another says nothing.
    """
    line = _COMMENT.sub("", line)
    addresses = [match.group() for match in _ADDRESS.finditer(line)]
    known = all(_INSTALLERS.match(each) or _LOCAL.match(each) for each in addresses)
    return bool(addresses) and known and not any(_OPEN.search(each) for each in _fetching(line))


def _fetching(line: str) -> Iterator[str]:
    """Yield the commands of a line that have an address, without it."""
    for command in re.split(r"\|\||&&|[|;]", line):
        if _ADDRESS.search(command):
            yield _NO_ADDRESS.sub(" ", _ADDRESS.sub(" ", command))
