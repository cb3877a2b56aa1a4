"""Which signs of steering a sentence has: broad ones, none of them an accusation. Pure.

requests.py knows requests by their words. This knows what attacks ask for, whatever the words:
fields.py says which words belong together, sign_rules.py which fields make a sign.
weighing.py adds the signs of a text up.
"""

from __future__ import annotations

import re

from skilllite_sandbox.scan.instructions.concepts import Concepts, stems
from skilllite_sandbox.scan.instructions.fields import FIELDS, UNSPACED_FIELDS
from skilllite_sandbox.scan.instructions.sign_rules import SIGN_RULES
from skilllite_sandbox.values import dataclass

REACH = 9  # words between two fields of a chain: further apart they are of other clauses
NEGATION_REACH = 4  # words
TOKENS_KEPT_MAX = 50_000  # words whose fields are remembered

_URL = re.compile(r"(?<!\]\()\b(?:https?|ftp|wss?)://[^\s)\"'>\]`]{3,300}", re.IGNORECASE)
_ADDRESS = re.compile(r"\b(?:https?|ftp|wss?)://[\x21-\x7e]{1,300}", re.IGNORECASE)
_MAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,6}")
_HOLE = re.compile(r"://[^\s)\"'\]`]{1,300}?(?:[{<\[$]\w|=%s|#\.?$|=$|=\s)", re.IGNORECASE)
_ENDS_CLAUSE = frozenset(",;:")
_MODEL = (
    r"(?:ais?|agents?|assistants?|llms?|claude|chatgpt|copilot|gemini|codex|language\s+models?"
    r"|models?)"
)
_VOCATIVE = re.compile(
    rf"(?:^|[.!?#>\"'(]\s*|\b(?:notes?|instructions?|message|dear|hey|hello|attention)\s+)"
    rf"(?:(?:to|for)\s+)?(?:(?:the|any|all|every|whichever|whatever)\s+)?(?:(?:ai|reviewing)\s+)?{_MODEL}\b"
    r"(?:\s+(?:that|who|which|reading|processing|describing|describes|summari[sz]ing)\b[^:,]{0,60})?\s*(?:[:,]|\s-+\s)",
    re.IGNORECASE,
)
_LETTER = re.compile(
    rf"\b(?:notes?|instructions?|message|memo|dear|hey|hello|attention|hint)\s+(?:(?:to|for)\s+)?"
    rf"(?:(?:the|any|all|every|whichever|whatever)\s+)?(?:\w+\s+)?{_MODEL}\b",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"^\W{0,4}(?:(?:new|previous|next|last)\s+)?(?:user|human|assistant|ai|operator|developer|system|tool)"
    r"(?:\s+(?:turn|message|output|result|notice|note|says))?(?:\s*\([^)]{1,20}\))?\W{0,3}:"
    r"|^\W{0,4}(?:system|developer|admin)\s+(?:notice|message|override|note)\b"
    r"|(?:new|next)\s+message\s+from\s+the\s+user|^\W{0,3}\[\s*(?:system|admin|developer|operator|user)\s*\]"
    r"|^\W{0,4}(?:previous|last|next)\s+turn\b",
    re.IGNORECASE,
)
_MARK = re.compile(
    r"</?(?:user|human|assistant|tool_result|tool_output|function_results?|system|instructions|context)\b[^<>]{0,60}>"
    r"|\bend\s+of\s+(?:the\s+)?(?:skill|document|file|manual|instructions|context)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sign:
    """Something in a sentence that attacks have in common."""

    kind: str
    weight: int
    """1 to 3: ordinary by itself, worth reading, asks a person."""


@dataclass(frozen=True, slots=True)
class _Rule:
    sign: Sign
    chain: tuple[tuple[str, ...], ...]
    wanted: tuple[frozenset[str], ...]
    """One field of each of these is in the sentence."""
    absent: frozenset[str]
    reach: int


class Fields:
    """Where the words of which fields stand in a sentence."""

    __slots__ = ("concepts", "places")

    def __init__(self, concepts: Concepts) -> None:
        text = concepts.text
        if "://" in text:  # the words of an address are nobody's words
            concepts = Concepts(_ADDRESS.sub("https", text))
        self.concepts = concepts
        self.places: dict[str, list[int]] = {}
        tokens = concepts.tokens
        for index, token in enumerate(tokens):
            single, seconds = _entries_of(token)
            for name in single:
                self.places.setdefault(name, []).append(index)
            if seconds is not None and index + 1 < len(tokens):
                for rest, name in seconds.get(tokens[index + 1], ()):
                    if not rest or tuple(tokens[index + 2 : index + 2 + len(rest)]) == rest:
                        self.places.setdefault(name, []).append(index)
        if not text.isascii():
            self._unspaced(text.lower())
        self._marks(text)

    def _unspaced(self, text: str) -> None:
        for entry, name in _UNSPACED:
            at = text.find(entry)
            if at >= 0:
                self.places.setdefault(name, []).append(len(self.concepts.tokens) + at // 2)

    def _marks(self, text: str) -> None:
        if "://" in text:
            if _URL.search(text) is not None:
                tokens = self.concepts.tokens
                self.places["URL"] = [at for at, token in enumerate(tokens) if token == "https"]
            if _HOLE.search(text) is not None:
                self.places["HOLE"] = [0]
        if "model" in self.places:
            if _VOCATIVE.search(text) is not None:
                self.places["VOCATIVE"] = [0]
            if _LETTER.search(text) is not None:
                self.places["LETTER"] = [0]
        if (":" in text or "[" in text or "turn" in text or "notice" in text) and _TURN.search(
            text
        ):
            self.places["TURN"] = [0]
        if ("<" in text or "end of" in text.lower()) and _MARK.search(text) is not None:
            self.places["MARK"] = [0]
        if "@" in text and _MAIL.search(text) is not None:
            self.places["MAIL"] = [0]

    def fit(self, rule: _Rule) -> bool:
        """Whether a rule's fields stand in the sentence as it wants them."""
        names = self.places.keys()
        if not rule.absent.isdisjoint(names):
            return False
        if any(each.isdisjoint(names) for each in rule.wanted):
            return False
        ends = self._at(rule.chain[0])
        for each in rule.chain[1:]:
            if not ends:
                return False
            ends = [
                at
                for at in self._at(each)
                if any(self._follows(end, at, rule.reach) for end in ends)
            ]
        return bool(ends)

    def _follows(self, first: int, second: int, reach: int) -> bool:
        unspaced = len(self.concepts.tokens)
        if first >= unspaced and second >= unspaced:
            return True  # there the verb may come last, and nothing tells words apart
        return 0 < second - first <= reach

    def _at(self, names: tuple[str, ...]) -> list[int]:
        found: list[int] = []
        for name in names:
            bare = name.lstrip("^!")
            places = self.places.get(bare)
            if places is None:
                continue
            if name is not bare:
                places = [at for at in places if not self._negated(at)]
                if name[0] == "^":
                    places = [at for at in places if self.concepts.ordered_to(at)]
            found += places
        return found

    def _negated(self, index: int) -> bool:
        denials = self.places.get("no")
        if denials is None or index >= len(self.concepts.tokens):
            return False
        for at in range(index - 1, max(-1, index - 1 - NEGATION_REACH), -1):
            if self.concepts.tokens[at] in _ENDS_CLAUSE:
                return False
            if at in denials:
                return True
        return False


def signs_of(fields: Fields) -> dict[str, int]:
    """Return the weights of the signs that a sentence has, by kind."""
    found: dict[str, int] = {}
    for first, rules in _BY_FIRST:
        if first not in fields.places:
            continue
        for rule in rules:
            sign = rule.sign
            if found.get(sign.kind, 0) < sign.weight and fields.fit(rule):
                found[sign.kind] = sign.weight
    return found


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


def _read_rule(line: str) -> _Rule:
    kind, weight, *parts = line.split()
    chain = next(part for part in parts if part[0] not in "+-~")
    anywhere = [_names(part[1:]) for part in parts if part[0] == "+"]
    absent = frozenset(part[1:] for part in parts if part[0] == "-")
    reach = next((int(part[1:]) for part in parts if part[0] == "~"), REACH)
    links = tuple(_names(each) for each in chain.split(">"))
    wanted = (frozenset(name.lstrip("^!") for name in each) for each in (*links, *anywhere))
    return _Rule(Sign(kind, int(weight)), links, tuple(wanted), absent, reach)


def _by_first() -> tuple[tuple[str, tuple[_Rule, ...]], ...]:
    """Return the rules under each field that can begin them: most sentences have few."""
    table: dict[str, list[_Rule]] = {}
    for line in SIGN_RULES.strip().split("\n"):
        if line:
            rule = _read_rule(line)
            for name in rule.chain[0]:
                table.setdefault(name.lstrip("^!"), []).append(rule)
    return tuple((name, tuple(rules)) for name, rules in table.items())


_Seconds = dict[str, list[tuple[tuple[str, ...], str]]]


def _tables() -> tuple[dict[str, set[str]], dict[str, set[str]], dict[str, _Seconds]]:
    """Return words, beginnings of words, and phrases by their first and second word."""
    words: dict[str, set[str]] = {}
    beginnings: dict[str, set[str]] = {}
    phrases: dict[str, _Seconds] = {}
    for name, text in FIELDS.items():
        for entry in _entries(text):
            first, *rest = entry.split()
            if rest:
                seconds = phrases.setdefault(first, {})
                seconds.setdefault(rest[0], []).append((tuple(rest[1:]), name))
            elif entry.endswith("*"):
                beginnings.setdefault(entry[:-1], set()).add(name)
            else:
                words.setdefault(entry, set()).add(name)
    return words, beginnings, phrases


def _entries(text: str) -> list[str]:
    found: list[str] = []
    for entry in text.split(","):
        entry = " ".join(entry.split())
        if entry.startswith("@"):
            from skilllite_sandbox.scan.instructions.lexicon import entries_of

            name = entry[1:]
            found += _entries(FIELDS[name]) if name in FIELDS else entries_of(name)
        elif entry:
            found.append(entry)
    return found


_BY_FIRST = _by_first()
_WORDS, _BEGINNINGS, _PHRASES = _tables()
_LENGTHS = range(min(map(len, _BEGINNINGS)), max(map(len, _BEGINNINGS)) + 1)
_UNSPACED = tuple(
    (entry.strip().lower(), name)
    for name, text in UNSPACED_FIELDS.items()
    for entry in text.split(",")
)
_NO_FORMS = frozenset(
    ("following", "during", "things", "according", "setting", "settings", "shared")
)
"""Words that are no form of the verb that they look like."""
_known: dict[str, tuple[tuple[str, ...], _Seconds | None]] = {}


def _entries_of(token: str) -> tuple[tuple[str, ...], _Seconds | None]:
    """Return the fields of a word, and the phrases that it begins."""
    known = _known.get(token)
    if known is None:
        names: set[str] = set(_WORDS.get(token, ()))
        for stem in () if token in _NO_FORMS else stems(token):
            names |= _WORDS.get(stem, set())
        for length in _LENGTHS:
            if length <= len(token):
                names |= _BEGINNINGS.get(token[:length], set())
        known = (tuple(sorted(names)), _PHRASES.get(token))
        if len(_known) < TOKENS_KEPT_MAX:
            _known[token] = known
    return known
