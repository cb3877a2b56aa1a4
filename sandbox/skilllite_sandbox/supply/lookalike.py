"""Names that are nearly somebody else's: slips of the keyboard, swapped signs, added words. Pure.

How near is too near depends on the length (short names are near each other by chance), on what was
changed (swapped letters are a slip, another last letter is often another package) and on how often
the other package is asked for. The bounds were set so that of the packages just below the popular
ones fewer than two of a hundred are named.
"""

from __future__ import annotations

import re
from enum import StrEnum

from skilllite_sandbox.supply.dependency import Ecosystem
from skilllite_sandbox.supply.popular import TOP, PopularNames
from skilllite_sandbox.values import dataclass

COMPARED_CHARS_MAX = 80  # longer names are nobody's slip

_KEYBOARD = ("1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_LOOKS = (
    *(("0", "o"), ("1", "l"), ("1", "i"), ("i", "l"), ("5", "s"), ("3", "e"), ("4", "a")),
    *(("rn", "m"), ("vv", "w"), ("cl", "d"), ("nn", "m")),
)
_NUMBER = re.compile(r"\d+")
_TOP_AFFIXED = 250  # words are added to many names with good reason; to these they are suspect
_AFFIXED = re.compile(
    r"(?:(?:python-?3?|py3|pip|real|original|official|the|new)-(?P<behind>.{4,}))"
    r"|(?:(?P<before>.{4,}?)-?(?:\d|-?official|-real|-original|-fixed|-new|-latest|-py|-python3?|js))"
)


class Likeness(StrEnum):
    """What makes a name look like another."""

    LETTERS = "letters of another alphabet in it"
    SIGNS = "the same but for its separators"
    LOOK = "written with letters that look alike"
    SLIP = "one slip of the keyboard away"
    AFFIX = "that name with a word added"
    SCOPE = "the same with another scope"


@dataclass(frozen=True, slots=True)
class Lookalike:
    """The popular name that a name looks like, and why."""

    name: str
    likeness: Likeness


def lookalike(ecosystem: Ecosystem, name: str, popular: PopularNames) -> Lookalike | None:
    """Return which popular name this one may be taken for; None when there is none.

    Args:
        ecosystem: Whose name.
        name: In the spelling of its ecosystem.
        popular: The popular names of that ecosystem.
    """
    if not name or popular.is_known(name) or len(name) > COMPARED_CHARS_MAX:
        return None
    if not name.isascii():
        return Lookalike(skeleton(name), Likeness.LETTERS)
    folded = name.lower()
    if folded != name and folded in popular:
        return Lookalike(folded, Likeness.LOOK)
    if ecosystem is Ecosystem.NPM and (found := _by_scope(folded, popular)) is not None:
        return found
    if folded.startswith("@"):
        return None  # what is below a scope is its owner's
    for judge in (_by_signs, _by_look, _by_slip, _by_affix):
        if (found := judge(folded, popular)) is not None:
            return found
    return None


def _by_signs(name: str, popular: PopularNames) -> Lookalike | None:
    bare = bare_of(name)
    if len(bare) < 6:
        return None
    places = range(2, len(bare) - 1)
    parted = (f"{bare[:at]}{sign}{bare[at:]}" for at in places for sign in "-.")
    found = next((each for each in (bare, *parted) if each in popular), None)
    return None if found is None else Lookalike(found, Likeness.SIGNS)


def _by_look(name: str, popular: PopularNames) -> Lookalike | None:
    for one, other in _LOOKS:
        for old, new in ((one, other), (other, one)):
            at = name.find(old)
            while at >= 0:
                each = name[:at] + new + name[at + len(old) :]
                if len(each) >= 5 and each in popular and not _is_version(name, each):
                    return Lookalike(each, Likeness.LOOK)
                at = name.find(old, at + 1)
    return None


def _by_slip(name: str, popular: PopularNames) -> Lookalike | None:
    near = [each for each in popular.near(name) if _is_slip(name, each, popular.rank(each))]
    return Lookalike(min(near, key=popular.rank), Likeness.SLIP) if near else None


def _is_slip(name: str, other: str, rank: int) -> bool:
    length_min = slip_length_min(name, other)
    if length_min is None or (_is_version(name, other) and sorted(name) != sorted(other)):
        return False
    return len(other) >= length_min + (0 if rank < TOP else 1)


def slip_length_min(name: str, other: str) -> int | None:
    """Return how long a name has to be for this difference to be no chance.

    None when more than one slip lies between them: a letter too many, one too few, a wrong one, or
    two in the wrong order.
    """
    shorter, longer = sorted((name, other), key=len)
    before = _common(shorter, longer)
    behind = _common(shorter[::-1], longer[::-1])
    if len(longer) == len(shorter) + 1:
        if before + behind < len(shorter):
            return None
        at = min(before, len(shorter))
        if longer[at : at + 1] in (longer[at - 1 : at], longer[at + 1 : at + 2]) and at > 0:
            return 5  # a letter twice
        return 7 if 0 < at < len(shorter) else 9
    if len(longer) != len(shorter) or name == other:
        return None
    changed = len(name) - before - behind
    if changed == 2 and name[before : before + 2] == other[before : before + 2][::-1]:
        return 5
    if changed != 1:
        return None
    inside = 0 < before < len(name) - 1
    return 6 if inside and other[before] in _NEIGHBOURS.get(name[before], "") else 8


def _common(one: str, other: str) -> int:
    """Return how many letters two names begin with alike."""
    for at, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return at
    return min(len(one), len(other))


def _by_affix(name: str, popular: PopularNames) -> Lookalike | None:
    match = _AFFIXED.fullmatch(name)
    if match is None:
        return None
    core = match["behind"] or match["before"]
    found = next(
        (each for each in (core, f"python-{core}") if popular.rank(each) < _TOP_AFFIXED), ""
    )
    return Lookalike(found, Likeness.AFFIX) if found and found != name else None


def _by_scope(name: str, popular: PopularNames) -> Lookalike | None:
    scope, slash, rest = name.partition("/")
    if not slash:
        head, dash, tail = name.partition("-")
        each = f"@{head}/{tail}"
        return Lookalike(each, Likeness.SCOPE) if dash and popular.rank(each) < TOP else None
    for other in popular.below_a_scope(rest):
        theirs = other.partition("/")[0]
        if bare_of(theirs) == bare_of(scope) or (
            len(theirs) > 5 and slip_length_min(scope, theirs) is not None
        ):
            return Lookalike(other, Likeness.SCOPE)
    return None


def bare_of(name: str) -> str:
    """Return a name without its separators."""
    return name.replace("-", "").replace("_", "").replace(".", "")


def _is_version(name: str, other: str) -> bool:
    """Whether the names differ in nothing but numbers, as `psycopg2` and `psycopg3` do."""
    return _NUMBER.sub("", name) == _NUMBER.sub("", other)


def skeleton(name: str) -> str:
    """Return a name with the letters that those of other alphabets look like."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", name).translate(_CYRILLIC_AND_GREEK)
    return "".join(char for char in plain if char.isascii()).lower()


def _neighbours() -> dict[str, str]:
    found: dict[str, str] = {}
    for above, row in enumerate(_KEYBOARD):
        for at, key in enumerate(row):
            near = row[max(at - 1, 0) : at] + row[at + 1 : at + 2]
            for other in (above - 1, above + 1):
                if 0 <= other < len(_KEYBOARD):
                    near += _KEYBOARD[other][max(at - 1, 0) : at + 2]
            found[key] = near
    return found


_NEIGHBOURS = _neighbours()
_CYRILLIC_AND_GREEK = str.maketrans(
    {
        "\u0430": "a",
        "\u0435": "e",
        "\u043e": "o",
        "\u0440": "p",
        "\u0441": "c",
        "\u0443": "y",
        "\u0445": "x",
        "\u0456": "i",
        "\u0458": "j",
        "\u0455": "s",
        "\u0501": "d",
        "\u04bb": "h",
        "\u04cf": "l",
        "\u03bf": "o",
        "\u03b1": "a",
        "\u03bd": "v",
        "\u03b9": "i",
        "\u03c1": "p",
    }
)
