"""Downloading an archive: over HTTPS, to a bound, with few redirects that stay encrypted."""

from __future__ import annotations

import hashlib
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from skilllite.errors import NotFound, Refused
from skilllite_sandbox.archive import ARCHIVE_BYTES_MAX
from skilllite_sandbox.policy import MIB

REDIRECTS_MAX = 5
SILENCE_S = 20.0  # without a byte
DOWNLOAD_S_MAX = 600.0  # 128 MiB at 1.7 Mbit/s
_CHUNK_BYTES = 256 * 1024
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def download(url: str, target: Path, *, say: Callable[[str], None]) -> str:
    """Write what is at an address into a new file and return its SHA-256 in hex.

    Raises:
        NotFound: there is nothing.
        Refused: it can't be had, or is too large.
    """
    say(f"downloading {url}")
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPHandler(),  # for this machine alone, see `_check`
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(url, headers={"User-Agent": "skilllite"})
    try:
        with opener.open(request, timeout=SILENCE_S) as answer:
            return _write(answer, target, url)
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (404, 410):
                raise NotFound(f"there is nothing at {url}") from None
            raise Refused(f"{url} can't be had", cause=f"{error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise Refused(f"{url} can't be had", cause=str(reason)) from None


def _write(answer: IO[bytes], target: Path, url: str) -> str:
    content = hashlib.sha256()
    size = 0
    deadline = time.monotonic() + DOWNLOAD_S_MAX
    with target.open("xb") as file:
        while chunk := answer.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > ARCHIVE_BYTES_MAX:
                raise Refused(f"{url} is larger than {ARCHIVE_BYTES_MAX // MIB} MiB")
            if time.monotonic() > deadline:
                raise Refused(f"{url} took longer than {DOWNLOAD_S_MAX:.0f} s")
            content.update(chunk)
            file.write(chunk)
    return content.hexdigest()


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, none away from encryption or to another kind of address."""

    max_redirections = REDIRECTS_MAX
    max_repeats = 1

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        parts = urlsplit(newurl)
        encrypted = parts.scheme == "https"
        inside = parts.hostname in _LOOPBACK and urlsplit(req.full_url).hostname in _LOOPBACK
        if not encrypted and not (parts.scheme == "http" and inside):
            raise urllib.error.URLError(f"it leads to {newurl[:200]}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
