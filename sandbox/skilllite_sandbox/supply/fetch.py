"""One bounded request over the network: https unless it is this machine, few redirects, a deadline.

Whoever answers is not trusted: how much is read, how often it may redirect and how long it may take
are all bounded, and an answer that breaks off is no answer.
"""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from ipaddress import ip_address
from typing import IO, Any
from urllib.parse import urlsplit

from skilllite_sandbox.errors import SandboxError
from skilllite_sandbox.policy import KIB
from skilllite_sandbox.values import dataclass

REDIRECTS_MAX = 4
CONNECT_S = 15.0  # for one read to bring something
CHUNK_BYTES = 256 * KIB
AGENT = "skilllite-sandbox"

Progress = Callable[[int, int], None]
"""Called with the bytes that came and the bytes that are expected, 0 when nobody knows."""


class SourceUnreachable(SandboxError):
    """A source of advisories or an index didn't answer as it should: nothing is known."""

    code = "source_unreachable"


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer."""

    status: int
    etag: str
    modified: str


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows few redirects, and none to less protection."""

    max_redirections = REDIRECTS_MAX
    max_repeats = REDIRECTS_MAX

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        _checked(newurl)
        if urlsplit(newurl).scheme != "https" and urlsplit(req.full_url).scheme == "https":
            raise SourceUnreachable(f"{_shown(req.full_url)} redirects to less protection")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def requested(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    certificates: bytes = b"",
) -> Iterator[tuple[Answer, http.client.HTTPResponse | None]]:
    """Send a request; the answer has no body when nothing changed (304) or nothing is there (404).

    Args:
        url: https, or http on this machine.
        headers: Beside the usual ones.
        body: Sent by POST, as JSON.
        certificates: The authorities to trust, instead of the system's.

    Raises:
        SourceUnreachable: it could not be had.
    """
    _checked(url)
    sent = {"User-Agent": AGENT, "Accept-Encoding": "identity", **(headers or {})}
    if body is not None:
        sent["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data=body, headers=sent)
    authorities = certificates.decode("ascii", "ignore") or None
    context = ssl.create_default_context(cadata=authorities)
    handlers: list[urllib.request.BaseHandler] = [
        _Redirects(),
        urllib.request.HTTPSHandler(context=context),
    ]
    if urlsplit(url).scheme == "http":  # this machine: no proxy lies between
        handlers.append(urllib.request.ProxyHandler({}))
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(request, timeout=CONNECT_S) as answer:
            yield _answer(answer.status, answer.headers), answer
    except urllib.error.HTTPError as error:
        with error:
            if error.code not in (304, 404, 410):
                raise SourceUnreachable(
                    f"{_shown(url)} can't be reached", cause=f"it answered {error.code}"
                ) from None
            yield _answer(error.code, error.headers), None
    except (OSError, ValueError, http.client.HTTPException) as error:
        cause = str(getattr(error, "reason", error)) or type(error).__name__
        raise SourceUnreachable(f"{_shown(url)} can't be reached", cause=cause) from None


def read_bounded(
    answer: http.client.HTTPResponse,
    limit_bytes: int,
    deadline_s: float,
    *,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[bytes]:
    """Yield the body of an answer, up to a size and a time.

    Raises:
        SourceUnreachable: it is larger, takes longer or breaks off.
    """
    told = answer.headers.get("Content-Length", "")
    expected = int(told) if told.isdigit() and len(told) < 16 else 0
    if expected > limit_bytes:
        raise SourceUnreachable(f"the answer has {expected} bytes; {limit_bytes} are the limit")
    ends_at, came = clock() + deadline_s, 0
    while True:
        try:
            chunk = answer.read1(CHUNK_BYTES)  # read() waits for all of it, drop by drop
        except (OSError, http.client.HTTPException) as error:
            cause = str(error) or type(error).__name__
            raise SourceUnreachable("the answer broke off", cause=cause) from None
        if not chunk:
            break
        came += len(chunk)
        if came > limit_bytes:
            raise SourceUnreachable(f"the answer has more than {limit_bytes} bytes")
        if clock() > ends_at:
            raise SourceUnreachable(f"the answer took longer than {deadline_s:.0f} s")
        if progress is not None:
            progress(came, expected)
        yield chunk
    if expected and came != expected:
        raise SourceUnreachable(f"the answer broke off after {came} of {expected} bytes")


def get_bytes(
    url: str,
    limit_bytes: int,
    deadline_s: float,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    certificates: bytes = b"",
) -> bytes | None:
    """Return the whole of a small answer; None when there is nothing at that address.

    Raises:
        SourceUnreachable: it could not be had.
    """
    asked = requested(url, headers=headers, body=body, certificates=certificates)
    with asked as (_, answer):
        if answer is None:
            return None
        return b"".join(read_bounded(answer, limit_bytes, deadline_s))


def _answer(status: int, headers: Message) -> Answer:
    return Answer(status, headers.get("ETag", "")[:200], headers.get("Last-Modified", "")[:100])


def _checked(url: str) -> None:
    """Refuse what is neither https nor on this machine."""
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("https", "http"):
        raise SourceUnreachable(f"{_shown(url)} is no web address", hint="begin it with https://")
    if parts.scheme == "http" and not _is_local(parts.hostname):
        raise SourceUnreachable(
            f"{_shown(url)} is not protected: anybody on the way could answer",
            hint="use https; http is accepted on this machine only",
        )


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{parts.scheme}://{host}{port}{parts.path}"
