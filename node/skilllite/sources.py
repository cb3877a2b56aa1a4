"""What SOURCE of `skilllite add` means. Pure: it looks at no disk and no network.

    ./report  /srv/report  report.zip     a folder or an archive here
    owner/repo                            a repository of the default host
    owner/repo/skills/report              a folder of it
    owner/repo@report                     the skill of that name in it
    https://… ssh://… file://… git@host:… any repository; `#REF`, `#REF:FOLDER`, `@SKILL` behind it
    https://…/x.zip                       an archive, `#:FOLDER` and `@SKILL` likewise

What can be read in two ways is refused, never guessed; but a skill that is here is what is meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from skilllite.errors import NotFound, UsageError
from skilllite_sandbox.values import dataclass

DEFAULT_HOST = "https://github.com"
SOURCE_CHARS_MAX = 2000

_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tbz2|txz|tar\.(gz|bz2|xz))$", re.IGNORECASE)
_SHORT = re.compile(r"(?P<owner>\w[\w.-]*)/(?P<repo>\w[\w.-]*)(?P<rest>(?:/[^/@#]+)*)/?")
_SCP = re.compile(r"\w[\w.-]*@\w[\w.-]*:(?!//)[^\s]+")
_REF = re.compile(r"[\w][\w./+@{}^~-]*")
_SKILL = re.compile(r"[\w][\w.-]*")
_TREE = re.compile(r"(?P<repo>/[^/]+/[^/]+)/tree/(?P<ref>[^/]+)(?:/(?P<folder>.+))?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A folder or an archive on this machine."""

    path: str
    skill: str = ""


@dataclass(frozen=True, slots=True)
class WebSource:
    """An archive to download."""

    url: str
    subfolder: str = ""
    skill: str = ""


@dataclass(frozen=True, slots=True)
class GitSource:
    """A repository."""

    url: str
    ref: str = ""
    """A branch, tag or commit; empty for the default branch."""
    subfolder: str = ""
    skill: str = ""


Source = LocalSource | WebSource | GitSource


def parse_source(
    text: str,
    *,
    exists: Callable[[str], bool],
    holds_skill: Callable[[str], bool] = lambda path: False,
    host: str = DEFAULT_HOST,
) -> Source:
    """Return what a source means.

    Args:
        text: As it was typed.
        exists: Whether something of that path is here.
        holds_skill: Whether that is a skill or an archive: then it is what is meant.
        host: Where `owner/repo` is looked for.

    Raises:
        NotFound: it is empty.
        UsageError: it means nothing, or could mean two things.
    """
    if not text:
        raise NotFound("there is no source", hint=_FORMS)
    if len(text) > SOURCE_CHARS_MAX or not text.isprintable():
        raise UsageError("the source is too long, or holds control characters", hint=_FORMS)
    if text.startswith("git+"):
        return _git_url(text.removeprefix("git+"))
    if "://" in text:
        return _url(text)
    if text.startswith(("/", "./", "../", "~")) or text in (".", ".."):
        return _local(text, exists)
    if _SCP.match(text):
        return _git_url(text)
    short = _short(text, host)
    if short is not None and exists(text):
        if holds_skill(text):
            return LocalSource(text)
        raise UsageError(
            f"{text} is here, and could be a repository as well",
            hint=f"write ./{text}, or {short.url}",
        )
    return short or _local(text, exists)


def _local(text: str, exists: Callable[[str], bool]) -> LocalSource:
    path, at, skill = text.rpartition("@")
    if at and not exists(text) and exists(path) and _SKILL.fullmatch(skill):
        return LocalSource(path, skill)
    return LocalSource(text)


def _short(text: str, host: str) -> GitSource | None:
    body, _, ref = text.partition("#")
    body, _, skill = body.partition("@")
    found = _SHORT.fullmatch(body)
    if found is None:
        return None
    _check(ref=ref, skill=skill)
    url = f"{host.rstrip('/')}/{found['owner']}/{found['repo'].removesuffix('.git')}.git"
    _git_url(url)  # the host is a setting, and has to keep the rules too
    return GitSource(url, ref, found["rest"].strip("/"), skill)


def _url(text: str) -> Source:
    base, sharp, fragment = text.partition("#")
    bare, skill = _split_skill(base)
    parts = urlsplit(bare)
    if parts.scheme in ("http", "https") and _ARCHIVE.search(parts.path):
        _check_web(bare)
        if sharp and not fragment.startswith(":"):
            raise UsageError(f"#{fragment} means nothing for an archive", hint="#:FOLDER does")
        return WebSource(bare, fragment.removeprefix(":").strip("/"), skill)
    return _git_url(text)


def _git_url(text: str) -> GitSource:
    base, _, fragment = text.partition("#")
    bare, skill = _split_skill(base)
    ref, _, subfolder = fragment.partition(":")
    if "://" in bare:
        parts = urlsplit(bare)
        if parts.scheme not in ("https", "http", "ssh", "file"):
            raise UsageError(
                f"{parts.scheme}:// is not a way to add a skill",
                cause="what comes from there isn't protected against changes",
                hint="use https, ssh or file",
            )
        if parts.scheme == "ssh":
            _check_ssh(parts)
        if parts.scheme in ("http", "https"):
            _check_web(bare)
            tree = _TREE.fullmatch(parts.path.rstrip("/"))
            if tree is not None and not fragment:  # as copied from a browser
                bare = f"{parts.scheme}://{parts.netloc}{tree['repo']}"
                ref, subfolder = tree["ref"], tree["folder"] or ""
    elif not _SCP.fullmatch(bare):
        raise UsageError(f"{bare[:80]} is not the address of a repository", hint=_FORMS)
    _check(ref=ref, skill=skill)
    return GitSource(bare, ref, subfolder.strip("/"), skill)


def _split_skill(base: str) -> tuple[str, str]:
    """Split `@skill` from an address, whose user name and host are not meant."""
    head, slash, last = base.rpartition("/")
    path, at, skill = last.partition("@")
    if slash and at and not head.endswith("/"):
        return f"{head}/{path}", skill
    return base, ""


def _check(*, ref: str, skill: str) -> None:
    if ref and (not _REF.fullmatch(ref) or ".." in ref):
        raise UsageError(f"{ref[:80]!r} can't be a branch, tag or commit")
    if skill and not _SKILL.fullmatch(skill):
        raise UsageError(f"{skill[:80]!r} can't be the name of a skill")


def _check_ssh(parts: SplitResult) -> None:
    if parts.password is not None:
        raise _written_down("a password")
    if any(not name or name.startswith("-") for name in (parts.hostname, parts.username or "git")):
        # ssh would take it for an option, such as -oProxyCommand=…
        raise UsageError(f"{parts.netloc[:80]!r} can't be a host", hint=_FORMS)


def _written_down(what: str) -> UsageError:
    return UsageError(
        f"the address holds {what}",
        hint="it would be written down where the skill came from; fetch it by hand",
    )


def _check_web(url: str) -> None:
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise _written_down("a user name or a password")
    if not parts.hostname:
        raise UsageError(f"{url[:80]} names no host", hint=_FORMS)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise UsageError(
            f"{url[:80]} is not encrypted, so anybody on the way could change it",
            hint="use https",
        )


_FORMS = (
    "give a folder with a SKILL.md, or a zip or tar of one; or owner/repo, owner/repo/folder, "
    "owner/repo@skill, or the address of a git repository"
)
