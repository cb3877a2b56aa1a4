"""From what a skill declares to findings, with what ships about names. Pure.

Distance to a popular name alone is never critical: only what somebody reported blocks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address, ip_network

from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.finding import Finding
from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.supply.dependency import (
    Declared,
    Dependency,
    Ecosystem,
    Leaves,
    Origin,
    Use,
)
from skilllite_sandbox.supply.known import Malicious, known_malicious, popular_names
from skilllite_sandbox.supply.lookalike import Likeness, lookalike
from skilllite_sandbox.supply.popular import PopularNames
from skilllite_sandbox.supply.versions import admits

FINDINGS_MAX = 200  # of one skill; a person reads a screen or two of them
NAMES_SHOWN = 12  # of packages in one message

_SETTING_CODES = {
    Leaves.OTHER_INDEX: "SL604",
    Leaves.FILES: "SL604",
    Leaves.EXTRA_INDEX: "SL605",
    Leaves.UNPROTECTED: "SL606",
}
_OPEN_LINE = re.compile(r"(?:[a-z]+\+)?(?:http|git)://", re.IGNORECASE)
_HOST = re.compile(
    r"(?:[a-z+]+://)?(?:[^/@\s]*@)?(?P<host>\[[0-9a-f:.]+\]|[^/:?#\s]+)", re.IGNORECASE
)
_PRIVATE_NAMES = (
    *(".local", ".localhost", ".internal", ".intranet", ".lan", ".corp", ".home", ".arpa"),
)
_PRIVATE = tuple(
    ip_network(each)
    for each in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("100.64.0.0/10", "::1/128", "fc00::/7", "fe80::/10"),
    )
)
_ELSEWHERE = {
    Origin.GIT: "a repository",
    Origin.URL: "an address",
    Origin.PATH: "a place outside of the skill",
}

Known = Callable[[Ecosystem, str], Malicious | None]
Popular = Callable[[Ecosystem], PopularNames]


def judge_declared(
    declared: Declared,
    sources: Sequence[SourceFile] = (),
    *,
    known: Known = known_malicious,
    popular: Popular = popular_names,
) -> tuple[Finding, ...]:
    """Return what is to be said of what some files declare, the heaviest first, each once a place.

    Args:
        declared: What they declare.
        sources: The files, for what SKILL.md says itself.
        known: What is known against a name.
        popular: The popular names of an ecosystem.
    """
    found: list[Finding] = []
    for each in declared.dependencies:
        found += _of_dependency(each, known, popular)
    for setting in declared.settings:
        code = _SETTING_CODES[setting.leaves]
        detail = without_credentials(setting.detail)
        found.append(make_finding(code, setting.file, setting.line, detail))
    found += _unprotected(declared)
    for hook in declared.hooks:
        found.append(make_finding("SL607", hook.file, hook.line, f"{hook.name}: {hook.command}"))
    for unread in declared.unread:
        found.append(make_finding("SL613", unread.file, unread.line, unread.why))
    found += _unpinned(declared.dependencies)
    found += _unnamed(declared.dependencies, sources)
    return heaviest(found)


def heaviest(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that weigh most, each once a place and message."""
    places = {(each.code, each.file, each.line, each.message): each for each in found}
    ordered = sorted(places.values(), key=lambda each: -each.severity)
    return tuple(ordered[:FINDINGS_MAX])


def _of_dependency(each: Dependency, known: Known, popular: Popular) -> Iterable[Finding]:
    if each.address and each.origin in _ELSEWHERE:
        shown = without_credentials(each.address)
        what = f"{each.name} from " if each.name else ""
        detail = f"{what}{_ELSEWHERE[each.origin]}, {shown}"
        yield make_finding("SL603", each.file, each.line, detail)
    if not each.name:
        return
    if (malicious := known(each.ecosystem, _known_name(each))) is not None:
        yield from _of_malicious(each, malicious)
        return
    if each.origin is Origin.INDEX:
        like = lookalike(each.ecosystem, each.name, popular(each.ecosystem))
        if like is not None:
            yield make_finding(
                "SL602",
                each.file,
                each.line,
                f"{each.written or each.name} is {_likeness(like.likeness)} {like.name}",
            )
    if each.alias and each.alias != each.name and each.alias in popular(each.ecosystem):
        detail = f"{each.name} is installed under the name {each.alias}"
        yield make_finding("SL602", each.file, each.line, detail)


def _of_malicious(each: Dependency, malicious: Malicious) -> Iterable[Finding]:
    if not malicious.versions:
        detail = f"{each.name} ({malicious.source})"
        yield make_finding("SL601", each.file, each.line, detail)
    elif each.version:
        if malicious.hits(each.version):
            detail = f"{each.name} {each.version} ({malicious.source})"
            yield make_finding("SL601", each.file, each.line, detail)
    elif admits(each.ecosystem, each.wanted, malicious.versions):
        detail = f"{each.name} {', '.join(malicious.versions)} ({malicious.source})"
        yield make_finding("SL615", each.file, each.line, detail)


def _known_name(each: Dependency) -> str:
    return each.name.lower() if each.ecosystem is Ecosystem.NPM else each.name


def _likeness(likeness: Likeness) -> str:
    return {
        Likeness.LETTERS: "written with letters of another alphabet, like",
        Likeness.SIGNS: "but for its separators",
        Likeness.LOOK: "made to look like",
        Likeness.SLIP: "one slip away from",
        Likeness.AFFIX: "a longer form of",
        Likeness.SCOPE: "with another scope",
    }[likeness]


def _unprotected(declared: Declared) -> Iterable[Finding]:
    """Say where code comes from a public place of the skill's own over an open line.

    Each of the two has its excuses; together there is none: every public host can be protected.
    """
    trusted = {
        (each.file, host_of(each.detail))
        for each in declared.settings
        if each.leaves is Leaves.UNPROTECTED
    }
    for each in declared.settings:
        host = host_of(each.detail)
        is_open = each.detail.lower().startswith("http:") or (each.file, host) in trusted
        if each.leaves is not Leaves.UNPROTECTED and is_open and is_public_host(host):
            detail = without_credentials(each.detail)
            yield make_finding("SL616", each.file, each.line, detail)
    for one in declared.dependencies:
        is_open = _OPEN_LINE.match(one.address) is not None
        if is_open and is_public_host(host_of(one.address)):
            detail = without_credentials(one.address)
            yield make_finding("SL616", one.file, one.line, detail)


def host_of(address: str) -> str:
    """Return the host of an address, or of what stands alone as one; empty when there is none."""
    match = _HOST.match(address)
    return match["host"].lower().strip("[]") if match else ""


def is_public_host(host: str) -> bool:
    """Whether a host may be anybody's; one of a private network is its owner's business."""
    try:
        address = ip_address(host)
    except ValueError:
        return "." in host and not host.endswith(_PRIVATE_NAMES)
    return not any(address in network for network in _PRIVATE if network.version == address.version)


def _unpinned(dependencies: Iterable[Dependency]) -> Iterable[Finding]:
    """Say it once a file: in a list of twenty lines it is one thing to mend."""
    files: dict[str, list[Dependency]] = {}
    for each in dependencies:
        if each.origin is Origin.INDEX and not each.version and not each.locked:
            files.setdefault(each.file, []).append(each)
    for file, listed in files.items():
        detail = _names(each.name for each in listed)
        yield make_finding("SL608", file, listed[0].line, detail)


def _unnamed(
    dependencies: Iterable[Dependency], sources: Sequence[SourceFile]
) -> Iterable[Finding]:
    page = next((source.text for source in sources if source.path == "SKILL.md"), None)
    if page is None:
        return
    words = set(re.findall(r"[a-z0-9]+", re.sub(r"[-_.@/]", "", page.lower())))
    files: dict[str, list[Dependency]] = {}
    for each in dependencies:
        is_told = each.locked or each.file == "SKILL.md" or each.use is Use.DEVELOPMENT
        if not is_told and re.sub(r"[^a-z0-9]", "", each.name.lower()) not in words:
            files.setdefault(each.file, []).append(each)
    for file, listed in files.items():
        detail = _names(each.name or each.address for each in listed)
        yield make_finding("SL612", file, listed[0].line, detail)


def _names(names: Iterable[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - NAMES_SHOWN} more" if len(unique) > NAMES_SHOWN else ""
    return ", ".join(unique[:NAMES_SHOWN]) + more


def without_credentials(address: str) -> str:
    """Return an address as it may be shown."""
    return re.sub(r"(?<=//)[^/@\s]+@", "…@", address)
