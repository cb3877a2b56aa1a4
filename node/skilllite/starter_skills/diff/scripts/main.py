"""Compare two texts: as a unified diff by lines, or word by word."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import contract
from comparison import Opcode, changes, marked, opcodes, similarity, tokens, unified
from deadline import DeadlinePassed, processor_time

TEXT_CHARACTERS_MAX = 1_000_000  # of each text
LINES_MAX = 50_000  # of each text
TOKENS_MAX = 50_000  # of each text
CONTEXT_MAX = 100  # lines
NAME_CHARACTERS_MAX = 200
PROCESSOR_SECONDS_MAX = 15.0  # texts full of repetition cost the square of their length
FIELDS = (
    *("operation", "before", "after", "context", "ignore_case", "ignore_whitespace"),
    *("before_name", "after_name"),
)


def answer(request: contract.Request) -> object:
    contract.only_fields(request, FIELDS)
    operation = contract.choice(request, "operation", ("lines", "words"), default="lines")
    before = contract.text(request, "before", characters_max=TEXT_CHARACTERS_MAX)
    after = contract.text(request, "after", characters_max=TEXT_CHARACTERS_MAX)
    compare = by_lines if operation == "lines" else by_words
    try:
        with processor_time(PROCESSOR_SECONDS_MAX):
            return compare(request, before, after, identity(request))
    except DeadlinePassed:
        raise contract.Refusal(
            f"before and after need more than {PROCESSOR_SECONDS_MAX:g} seconds to compare: "
            "send shorter texts"
        ) from None


def identity(request: contract.Request) -> Callable[[str], str]:
    """Return what an item is compared by, once the differences to be ignored are taken away."""
    ignore_case = contract.boolean(request, "ignore_case", default=False)
    ignore_whitespace = contract.boolean(request, "ignore_whitespace", default=False)

    def key(item: str) -> str:
        if ignore_whitespace:
            item = " ".join(item.split())
        return item.casefold() if ignore_case else item

    return key


def by_lines(
    request: contract.Request, before: str, after: str, key: Callable[[str], str]
) -> object:
    context = contract.integer(request, "context", low=0, high=CONTEXT_MAX, default=3)
    names = (name(request, "before"), name(request, "after"))
    old, new = lines(before, "before"), lines(after, "after")
    codes = opcodes(old, new, key)
    return {
        "equal": all(code[0] == "equal" for code in codes),
        "similarity": similarity(codes, len(old), len(new)),
        "before": side(before, old),
        "after": side(after, new),
        **counted(codes),
        "diff": unified(old, new, codes, context=context, names=names),
    }


def by_words(
    request: contract.Request, before: str, after: str, key: Callable[[str], str]
) -> object:
    old = tokens(before, TOKENS_MAX, "before")
    new = tokens(after, TOKENS_MAX, "after")
    codes = opcodes(old, new, key)
    found = changes(old, new, codes)
    return {
        "equal": all(code[0] == "equal" for code in codes),
        "similarity": similarity(codes, len(old), len(new)),
        **counted(codes),
        "changes": found,
        "marked": marked(found),
    }


def counted(codes: Sequence[Opcode]) -> dict[str, int]:
    return {
        "removed": sum(b - a for tag, a, b, _, _ in codes if tag != "equal"),
        "added": sum(d - c for tag, _, _, c, d in codes if tag != "equal"),
        "unchanged": sum(b - a for tag, a, b, _, _ in codes if tag == "equal"),
    }


def lines(text: str, field: str) -> list[str]:
    """Return the lines with their ends; only a line feed ends a line, as in a diff."""
    parts = text.split("\n")
    found = [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
    if len(found) > LINES_MAX:
        raise contract.Refusal(f"{field} has {len(found)} lines; at most {LINES_MAX} are allowed")
    return found


def side(text: str, found: Sequence[str]) -> dict[str, int]:
    return {"lines": len(found), "words": len(text.split()), "characters": len(text)}


def name(request: contract.Request, side_name: str) -> str:
    field = f"{side_name}_name"
    given = contract.text(request, field, characters_max=NAME_CHARACTERS_MAX, default=side_name)
    if "\n" in given or "\r" in given:
        raise contract.Refusal(f"{field} must not hold a line break")
    return given


if __name__ == "__main__":
    sys.exit(contract.serve(answer))
