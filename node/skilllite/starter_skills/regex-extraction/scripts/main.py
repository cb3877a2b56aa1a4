"""Find, test, replace or split by a regular expression, and stop expressions that run away."""

from __future__ import annotations

import itertools
import re
import sys
import warnings

import contract
from deadline import DeadlinePassed, processor_time

PATTERN_CHARACTERS_MAX = 1_000
TEXT_CHARACTERS_MAX = 500_000
REPLACEMENT_CHARACTERS_MAX = 10_000
OUTPUT_CHARACTERS_MAX = 1_000_000  # a short replacement may still grow a long text beyond use
LIMIT_MAX = 10_000  # matches
LIMIT_DEFAULT = 100  # matches that find returns; replace and split go through the whole text
PROCESSOR_SECONDS_MAX = 3.0  # an expression that backtracks without end is stopped here
OPERATIONS = ("find", "test", "replace", "split")
FLAGS = {
    "ignore_case": re.IGNORECASE,
    "multiline": re.MULTILINE,
    "dot_all": re.DOTALL,
    "verbose": re.VERBOSE,
    "ascii": re.ASCII,
}


def answer(request: contract.Request) -> object:
    operation = contract.choice(request, "operation", OPERATIONS, default="find")
    own = {"replace": ("replacement",)}.get(operation, ())
    counted = ("limit",) if operation != "test" else ()
    contract.only_fields(request, ("operation", "pattern", "text", "flags", *counted, *own))
    text = contract.text(request, "text", characters_max=TEXT_CHARACTERS_MAX)
    limit = None
    if "limit" in request:
        limit = contract.integer(request, "limit", low=1, high=LIMIT_MAX)
    try:
        with processor_time(PROCESSOR_SECONDS_MAX):
            pattern = compiled(request)
            if operation == "find":
                return find(pattern, text, limit or LIMIT_DEFAULT)
            if operation == "test":
                return {"matches": pattern.search(text) is not None}
            if operation == "replace":
                return replace(pattern, text, replacement(request), limit)
            return split(pattern, text, limit)
    except DeadlinePassed:
        raise contract.Refusal(
            f"pattern needs more than {PROCESSOR_SECONDS_MAX:g} seconds on this text: avoid nested "
            "repetition such as (a+)+"
        ) from None


def compiled(request: contract.Request) -> re.Pattern[str]:
    source = contract.text(request, "pattern", characters_max=PATTERN_CHARACTERS_MAX)
    flags = re.NOFLAG
    names = request.get("flags", [])
    if not isinstance(names, list):
        raise contract.Refusal(f"flags must be a list of {', '.join(FLAGS)}")
    for name in names:
        if not isinstance(name, str) or name not in FLAGS:
            raise contract.Refusal(
                f"flags must hold only {', '.join(FLAGS)}, not {contract.shown(name)}"
            )
        flags |= FLAGS[name]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(source, flags)
    except (re.error, OverflowError) as error:
        raise contract.Refusal(f"pattern is not a regular expression: {error}") from None
    except RecursionError:
        raise contract.Refusal("pattern is nested too deeply") from None


def find(pattern: re.Pattern[str], text: str, limit: int) -> dict[str, object]:
    found: list[dict[str, object]] = []
    size, truncated = 0, False
    for match in pattern.finditer(text):
        if len(found) == limit:
            truncated = True
            break
        size += sum(len(group) for group in (match.group(), *match.groups("")))
        if size > OUTPUT_CHARACTERS_MAX:
            raise contract.Refusal(
                f"the matches hold more than {OUTPUT_CHARACTERS_MAX} characters: lower limit"
            )
        found.append(
            {
                "match": match.group(),
                "start": match.start(),
                "end": match.end(),
                "groups": list(match.groups()),
                "named": match.groupdict(),
            }
        )
    return {"count": len(found), "truncated": truncated, "matches": found}


def replacement(request: contract.Request) -> str:
    return contract.text(request, "replacement", characters_max=REPLACEMENT_CHARACTERS_MAX)


def replace(
    pattern: re.Pattern[str], text: str, template: str, limit: int | None
) -> dict[str, object]:
    r"""Replace the first matches or all; \1 and \g<name> in the template stand for groups."""
    size = 0

    def expand(match: re.Match[str]) -> str:
        nonlocal size
        expanded = match.expand(template)
        size += len(expanded)
        if size > OUTPUT_CHARACTERS_MAX:
            raise contract.Refusal(
                f"the result grows beyond {OUTPUT_CHARACTERS_MAX} characters: lower limit"
            )
        return expanded

    try:
        result, count = pattern.subn(expand, text, count=limit or 0)
    except (re.error, IndexError) as error:
        raise contract.Refusal(f"replacement does not fit the pattern: {error}") from None
    return {"count": count, "text": result}


def split(pattern: re.Pattern[str], text: str, limit: int | None) -> dict[str, object]:
    """Split at the first matches or all; what groups capture is not repeated in the parts."""
    parts, start = [], 0
    for match in itertools.islice(pattern.finditer(text), limit):
        parts.append(text[start : match.start()])
        start = match.end()
    return {"count": len(parts) + 1, "parts": [*parts, text[start:]]}


if __name__ == "__main__":
    sys.exit(contract.serve(answer))
