r"""Rules of the user's own: what their house doesn't want in skills, as patterns over lines.

    [[rule]]
    id = "old-host"
    pattern = 'legacy\.corp\.example'
    severity = "high"
    message = "talks to a host that is gone"
    remedy = "use api.corp.example"
    languages = ["python", "shell"]
    files = "scripts/*"

They add to what the scanner finds and take nothing away. A skill that knows them must not be able
to keep the scanner busy with them: patterns that backtrack much are refused when they are read,
lines are looked at up to a bound, and all rules together have a second.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from skilllite_sandbox.scan.codes import make_finding, printable
from skilllite_sandbox.scan.finding import Finding, Kind, Severity
from skilllite_sandbox.scan.source import Language, SourceFile
from skilllite_sandbox.scan.user_files import (
    entries_of,
    only_keys,
    read_toml,
    text_of,
    toml_files,
    unusable,
)
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RULES_MAX = 200
PATTERN_CHARS_MAX = 500
TEXT_CHARS_MAX = 200
LINE_CHARS_MAX = 1000  # of one line; more is data, not code
TRIES_MAX = 16_000  # of one pattern at one place: with the line's length a quarter of a second
SECONDS_MAX = 1.0  # for all rules and files of a skill
FINDINGS_MAX = 20  # of one rule in one file
STARS_MAX = 8
PREFIX = "USER:"
_ID = re.compile(r"[a-z0-9][a-z0-9\-]{0,47}")
_KEYS = frozenset(
    {"id", "pattern", "severity", "message", "remedy", "languages", "files", "ignore-case"}
)
_SEVERITIES = {each.word: each for each in Severity}


@dataclass(frozen=True, slots=True)
class UserRule:
    """One rule."""

    id: str
    pattern: re.Pattern[str]
    severity: Severity
    message: str
    remedy: str
    languages: frozenset[Language]
    """Empty for all that is text."""
    files: str

    @property
    def code(self) -> str:
        """What its findings have for a code."""
        return PREFIX + self.id


def read_rules(directory: str) -> tuple[UserRule, ...]:
    """Return the rules in the files of a folder; none when there is none.

    Raises:
        InvalidInput: one can't be understood.
    """
    rules: dict[str, UserRule] = {}
    for path in toml_files(directory):
        for number, entry in enumerate(entries_of(read_toml(path), "rule", path), 1):
            rule = _rule(entry, f"{path}, rule {number}")
            if rule.id in rules:
                raise unusable(path, f"there are two rules called {rule.id}")
            rules[rule.id] = rule
    if len(rules) > RULES_MAX:
        raise unusable(directory, f"more than {RULES_MAX} rules")
    return tuple(rules.values())


def _rule(entry: dict[str, Any], where: str) -> UserRule:
    only_keys(entry, _KEYS, where)
    name = text_of(entry, "id", where, most=48)
    if _ID.fullmatch(name) is None:
        raise unusable(where, "`id` must be lower-case words with hyphens")
    severity = text_of(entry, "severity", where, most=20)
    if severity not in _SEVERITIES:
        raise unusable(where, f"`severity` must be one of {', '.join(_SEVERITIES)}")
    files = text_of(entry, "files", where, most=TEXT_CHARS_MAX, otherwise="*")
    if files.count("*") > STARS_MAX:
        raise unusable(where, f"`files` has more than {STARS_MAX} stars")
    return UserRule(
        id=name,
        pattern=_pattern(entry, where),
        severity=_SEVERITIES[severity],
        message=printable(text_of(entry, "message", where, most=TEXT_CHARS_MAX)),
        remedy=printable(text_of(entry, "remedy", where, most=TEXT_CHARS_MAX, otherwise="")),
        languages=_languages(entry, where),
        files=files,
    )


def _languages(entry: dict[str, Any], where: str) -> frozenset[Language]:
    given = entry.get("languages", [])
    known = {each.value: each for each in Language if each is not Language.BINARY}
    if not isinstance(given, list) or not all(each in known for each in given):
        raise unusable(where, f"`languages` must be of {', '.join(known)}")
    return frozenset(known[each] for each in given)


def _pattern(entry: dict[str, Any], where: str) -> re.Pattern[str]:
    text = text_of(entry, "pattern", where, most=PATTERN_CHARS_MAX)
    ignore_case = entry.get("ignore-case", False)
    if not isinstance(ignore_case, bool):
        raise unusable(where, "`ignore-case` must be true or false")
    try:
        pattern = re.compile(text, re.IGNORECASE if ignore_case else 0)
    except (re.error, RecursionError, OverflowError) as error:
        raise unusable(where, f"`pattern` is no regular expression: {error}") from error
    if _tries(_parse(text), within=False) > TRIES_MAX:
        raise unusable(
            where,
            "`pattern` can be tried in too many ways; bound its repeats, like \\s{1,8}, or make "
            "them possessive, like \\s++, and put none into another",
        )
    return pattern


def _parse(text: str) -> Any:
    from re import _parser  # type: ignore[attr-defined] # how the library itself reads it

    return _parser.parse(text)


def _tries(parsed: Any, *, within: bool) -> int:
    """Return in how many ways the repeats of a pattern can share a line; a bound from above."""
    product = 1
    for operation, argument in parsed:
        name = str(operation)
        if name.startswith("GROUPREF") or (within and name == "BRANCH"):
            return TRIES_MAX + 1
        if name in ("MAX_REPEAT", "MIN_REPEAT") and argument[1] > 1:
            if within:
                return TRIES_MAX + 1
            product *= min(int(argument[1]), LINE_CHARS_MAX)
        repeats = name.endswith("_REPEAT") and argument[1] > 1
        for inner in _inner(argument):
            product *= _tries(inner, within=within or repeats)
    return product


def _inner(argument: Any) -> list[Any]:
    """Return the patterns within an operation."""
    if hasattr(argument, "getwidth"):
        return [argument]
    if isinstance(argument, (tuple, list)):
        return [inner for each in argument for inner in _inner(each)]
    return []


def findings_by(
    rules: Sequence[UserRule],
    sources: Sequence[SourceFile],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Finding, ...]:
    """Return what the user's rules find."""
    findings: list[Finding] = []
    end_s = clock() + SECONDS_MAX
    for source in sources:
        if source.language is Language.BINARY:
            continue
        chosen = [
            rule
            for rule in rules
            if (not rule.languages or source.language in rule.languages)
            and fnmatchcase(source.path, rule.files)
        ]
        found = _findings_in(source, chosen, lambda: clock() > end_s)
        findings += found
    return tuple(findings)


def _findings_in(
    source: SourceFile, rules: list[UserRule], is_late: Callable[[], bool]
) -> list[Finding]:
    found: list[Finding] = []
    counts: dict[str, int] = {}
    for number, line in enumerate(source.text.split("\n") if rules else (), 1):
        if is_late():
            found.append(make_finding("SL705", source.path, number, "by your own rules"))
            break
        for rule in rules:
            if counts.get(rule.id, 0) < FINDINGS_MAX and rule.pattern.search(line[:LINE_CHARS_MAX]):
                counts[rule.id] = counts.get(rule.id, 0) + 1
                found.append(_finding(rule, source.path, number))
    return found


def _finding(rule: UserRule, path: str, line: int) -> Finding:
    return Finding(rule.code, rule.severity, Kind.HYGIENE, path, line, rule.message, rule.remedy)
