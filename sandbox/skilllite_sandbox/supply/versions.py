"""The order of versions in both ecosystems, and what a range lets in. Pure.

Python's by `packaging`, which is the reference for it; npm's here, because semantic versions are
thirty lines. A version that can't be read is never said to lie outside of a range.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from skilllite_sandbox.supply.dependency import Ecosystem

VERSION_CHARS_MAX = 200  # longer ones are nobody's; comparing them would cost
CLAUSES_MAX = 64  # of one range

_SEMVER = re.compile(
    r"[v=\s]*(\d{1,15})(?:\.(\d{1,15}))?(?:\.(\d{1,15}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?\s*"
)
_COMPARATOR = re.compile(r"(?P<operator>\^|~>?|[<>]=?|=)?\s*(?P<version>[v\d*xX][^\s,|]*)")
_HYPHEN = re.compile(r"(\S+)\s+-\s+(\S+)")

Semver = tuple[tuple[int, int, int], tuple[tuple[int, int, str], ...]]


class UnreadableVersion(ValueError):
    """A version or range that isn't written as its ecosystem writes them."""


def semver(text: str) -> Semver:
    """Return a semantic version as something that compares as they do.

    Raises:
        UnreadableVersion: it is none.
    """
    match = _SEMVER.fullmatch(text) if len(text) <= VERSION_CHARS_MAX else None
    if match is None:
        raise UnreadableVersion(text[:VERSION_CHARS_MAX])
    release = (int(match[1]), int(match[2] or 0), int(match[3] or 0))
    if match[4] is None:
        return release, ((2, 0, ""),)  # after all that come before it
    parts = tuple(
        (0, int(part), "") if part.isdigit() and len(part) < 16 else (1, 0, part)
        for part in match[4].split(".")
    )
    return release, parts


def python_version(text: str) -> object:
    """Return a version of Python's index as something that compares as they do.

    Raises:
        UnreadableVersion: it is none.
    """
    from packaging.version import InvalidVersion, Version

    if len(text) > VERSION_CHARS_MAX:
        raise UnreadableVersion(text[:VERSION_CHARS_MAX])
    try:
        return Version(text)
    except InvalidVersion:
        raise UnreadableVersion(text) from None


def is_before(ecosystem: Ecosystem, one: str, other: str) -> bool:
    """Whether a version comes before another.

    Raises:
        UnreadableVersion: one of them can't be read.
    """
    if ecosystem is Ecosystem.NPM:
        return semver(one) < semver(other)
    before: bool = python_version(one) < python_version(other)  # type: ignore[operator]
    return before


def is_same(ecosystem: Ecosystem, one: str, other: str) -> bool:
    """Whether two texts name one version; False for what can't be read and isn't equal."""
    if one == other:
        return True
    try:
        if ecosystem is Ecosystem.NPM:
            return semver(one) == semver(other)
        return python_version(one) == python_version(other)
    except UnreadableVersion:
        return False


def admits(ecosystem: Ecosystem, wanted: str, versions: Iterable[str]) -> bool:
    """Whether a range lets in one of these versions; what can't be read lets in all."""
    try:
        if ecosystem is Ecosystem.PYPI:
            return _python_admits(wanted, versions)
        alternatives = [_comparators(part) for part in wanted.split("||")]
        return any(
            all(_holds(semver(version), each) for each in alternative)
            for version in versions
            for alternative in alternatives
        )
    except UnreadableVersion:
        return True


def _python_admits(wanted: str, versions: Iterable[str]) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        # Poetry's `^1.2` and a bare `1.2` are no specifiers, and let in what they let in.
        allowed = SpecifierSet(wanted if re.match(r"[<>=!~]", wanted) else _poetry(wanted))
        return any(allowed.contains(version, prereleases=True) for version in versions)
    except InvalidSpecifier:
        return True


def _poetry(wanted: str) -> str:
    if not wanted:
        return ""
    if (match := re.fullmatch(r"\^(\d+)((?:\.\d+)*)", wanted)) is not None and match[1] != "0":
        return f">={match[1]}{match[2]},<{int(match[1]) + 1}"
    if re.fullmatch(r"\d[\w.]*", wanted):
        return f"=={wanted}"
    raise UnreadableVersion(wanted)


def _comparators(text: str) -> list[tuple[str, Semver]]:
    """Return the comparisons of one alternative of a range of npm."""
    if (hyphen := _HYPHEN.fullmatch(text.strip())) is not None:
        text = f">={hyphen[1]} <={hyphen[2]}"
    found: list[tuple[str, Semver]] = []
    rest = text.strip()
    while rest:
        match = _COMPARATOR.match(rest)
        if match is None or len(found) > CLAUSES_MAX:
            raise UnreadableVersion(text[:VERSION_CHARS_MAX])
        found += _bounds(match["operator"] or "", match["version"])
        rest = rest[match.end() :].lstrip(" ,")
    return found


def _bounds(operator: str, version: str) -> list[tuple[str, Semver]]:
    plain = version.lstrip("v=")
    numbers: list[int] = []
    for part in plain.partition("-")[0].partition("+")[0].split("."):
        if part in ("*", "x", "X"):
            break
        if not part.isdigit() or len(part) > 15:
            raise UnreadableVersion(version[:VERSION_CHARS_MAX])
        numbers.append(int(part))
    if not numbers:
        return []
    base = semver(plain if len(numbers) == 3 else ".".join(map(str, numbers)))
    if operator in ("<", ">=", ">", "<=") or (operator in ("", "=") and len(numbers) == 3):
        if operator in (">", "<=") and len(numbers) < 3:
            above = (_next(numbers, len(numbers) - 1), ((-1, 0, ""),))
            return [(">=" if operator == ">" else "<", above)]
        return [(operator or "=", base)]
    if operator == "^":
        changing = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
    elif operator.startswith("~"):
        changing = min(1, len(numbers) - 1)
    else:
        changing = len(numbers) - 1
    return [(">=", base), ("<", (_next(numbers, changing), ((-1, 0, ""),)))]


def _next(numbers: list[int], at: int) -> tuple[int, int, int]:
    """Return the first release in which the number at this place is another."""
    raised = [*numbers[:at], numbers[at] + 1, 0, 0, 0]
    return raised[0], raised[1], raised[2]


def _holds(version: Semver, comparison: tuple[str, Semver]) -> bool:
    operator, bound = comparison
    if operator == "=":
        return version == bound
    if operator.startswith("<"):
        return version < bound or (operator == "<=" and version == bound)
    return version > bound or (operator == ">=" and version == bound)
