"""Adds up the signs of one file: what is ordinary alone may be too much together. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.instructions.concepts import Concepts
from skilllite_sandbox.scan.instructions.passages import Place, Sentence
from skilllite_sandbox.scan.instructions.requests import Request, is_described
from skilllite_sandbox.scan.instructions.signs import Fields, signs_of
from skilllite_sandbox.values import dataclass

ASKS = 3  # weight from which a person is asked, in one sentence
NEAR_ASKS = 4  # the same, of different signs in neighbouring sentences
NEAR = 2  # sentences before and after that are of the same thought
SECTION = 25  # sentences of one section of a page
SECTION_KINDS = 3  # kinds of signs worth reading that a section of one purpose doesn't have
STRONG_KINDS = 3  # kinds of strong signs that together are no accident
WARNS = 3  # sentences about attacks from which a file is a text about them

KINDS = {
    "secrecy": "SL502",
    "authority": "SL519",
    "override": "SL501",
    "dataout": "SL505",
    "credentials": "SL504",
    "outside": "SL508",
    "redefine": "SL520",
    "remote": "SL513",
    "misplaced": "SL523",
    "hidden": "SL523",
    "leak": "SL509",
    "turns": "SL512",
    "everything": "SL510",
    "delayed": "SL525",
    "commands": "SL507",
}
"""The code that reports each kind of sign."""
_KIND_OF = {
    **{code: kind for kind, code in KINDS.items()},
    "SL503": "authority",
    "SL506": "commands",
    "SL511": "pleading",
    "SL514": "commands",
    "SL515": "planting",
    "SL516": "override",
    "SL517": "encoded",
    "SL518": "paying",
    "SL521": "hidden",
    "SL523": "misplaced",
}
_TITLES = {
    "secrecy": "keeps something from the user",
    "authority": "claims authority or consent",
    "override": "sets other instructions aside",
    "dataout": "sends what it was told",
    "credentials": "asks for secrets",
    "outside": "changes the agent",
    "redefine": "redefines words or tools",
    "remote": "obeys a text elsewhere",
    "hidden": "speaks where people don't look",
    "leak": "asks for the model's own instructions",
    "misplaced": "speaks where people don't look",
    "turns": "imitates a conversation",
    "everything": "claims every task",
    "delayed": "waits for its moment",
    "commands": "weakens the machine",
}
_HARMFUL = frozenset(
    ("dataout", "credentials", "commands", "remote", "paying", "planting", "outside")
)
_SHAMELESS = frozenset(
    ("secrecy", "override", "authority", "misplaced", "hidden", "turns", "pleading")
)
_ONCE = frozenset(("hidden", "delayed"))
"""Kinds of which many say no more than one: comments in a row, conditions in a row."""
_MISPLACED = frozenset(
    ("misplaced", "secrecy", "override", "dataout", "authority", "remote", "leak")
)
_IN_PROSE = frozenset((Place.PROSE, Place.DESCRIPTION, Place.FENCE))


@dataclass(frozen=True, slots=True)
class _Noted:
    sentence: Sentence
    signs: dict[str, int]
    """Weights by kind; requests count as signs too."""
    own: frozenset[str]
    """Kinds that a request has reported already."""
    index: int
    """Of the sentence in the file."""


class Weighing:
    """The signs of one file, in the order of its sentences."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._noted: list[_Noted] = []
        self._warns = 0
        self._index = 0

    def note(self, sentence: Sentence, concepts: Concepts, requests: list[Request]) -> None:
        """Take the signs of one sentence."""
        self._index += 1
        signs = _signs(sentence, concepts)
        own = frozenset(
            _KIND_OF[each.code]
            for each in requests
            if each.code in _KIND_OF and each.severity >= Severity.HIGH
        )
        for request in requests:
            kind = _KIND_OF.get(request.code)
            if kind is not None and request.severity >= Severity.MEDIUM:
                weight = 3 if request.severity >= Severity.HIGH else 2
                signs[kind] = max(signs.get(kind, 0), weight)
        self._warns += "protective" in concepts
        if signs:
            self._noted.append(_Noted(sentence, signs, own, self._index))

    def findings(self) -> Iterator[Finding]:
        """Yield what the signs come to."""
        told = False
        for at, noted in enumerate(self._noted):
            yield from self._alone(noted)
            if not told and (near := self._near(at)):
                told = True
                yield self._finding("SL525", noted, Severity.HIGH, near)
        if not told and (section := self._section()) is not None:
            yield section
        if self._warns < WARNS and (intent := self._intent()):
            yield intent

    def _section(self) -> Finding | None:
        """Return the finding about a section with signs of too many kinds."""
        for at, noted in enumerate(self._noted):
            kinds = frozenset(
                kind
                for each in self._noted[at : at + SECTION]
                if each.index <= noted.index + SECTION
                for kind, weight in each.signs.items()
                if weight >= 2
            )
            if len(kinds) >= SECTION_KINDS:
                return self._finding("SL525", noted, Severity.HIGH, kinds)
        return None

    def _finding(
        self, code: str, noted: _Noted, severity: Severity, kinds: frozenset[str]
    ) -> Finding:
        what = ", ".join(sorted(_TITLES.get(kind, kind) for kind in kinds))
        return make_finding(code, self._path, noted.sentence.line, what, severity=severity)

    def _alone(self, noted: _Noted) -> Iterator[Finding]:
        total = sum(noted.signs.values())
        heaviest = max(noted.signs, key=lambda kind: noted.signs[kind])
        for kind, weight in noted.signs.items():
            if kind in noted.own or kind not in KINDS:
                continue
            asks = weight >= ASKS or (total >= ASKS and kind == heaviest and not noted.own)
            if weight >= 2 or asks:
                yield make_finding(
                    KINDS[kind],
                    self._path,
                    noted.sentence.line,
                    f"“{noted.sentence.text[:160].strip()}”",
                    severity=Severity.HIGH if asks else Severity.MEDIUM,
                )

    def _around(self, at: int) -> list[_Noted]:
        here = self._noted[at].index
        return [
            each
            for each in self._noted[max(0, at - NEAR) : at + NEAR + 1]
            if abs(each.index - here) <= NEAR
        ]

    def _near(self, at: int) -> frozenset[str]:
        """Return the kinds of signs around this place when they are too many."""
        weights: dict[str, int] = {}
        again = 0
        for each in self._around(at):
            for kind, weight in each.signs.items():
                again += kind not in _ONCE and min(weights.get(kind, 0), weight) >= 2
                weights[kind] = max(weights.get(kind, 0), weight)
        enough = again + len(weights) > 1 and sum(weights.values()) + again * 2 >= NEAR_ASKS
        return frozenset(weights) if enough else frozenset()

    def _kinds(self, weight: int) -> frozenset[str]:
        return frozenset(
            kind for each in self._noted for kind, own in each.signs.items() if own >= weight
        )

    def _intent(self) -> Finding | None:
        """Return the finding that blocks, when strong signs of different kinds meet."""
        for at, noted in enumerate(self._noted):
            strong = {
                kind for each in self._around(at) for kind, own in each.signs.items() if own >= 3
            }
            if strong & _HARMFUL and strong & _SHAMELESS:
                return self._finding("SL526", noted, Severity.CRITICAL, frozenset(strong))
        strong = set(self._kinds(3))
        if len(strong) >= STRONG_KINDS and strong & _SHAMELESS:
            return self._finding("SL526", self._noted[0], Severity.CRITICAL, frozenset(strong))
        return None


def _signs(sentence: Sentence, concepts: Concepts) -> dict[str, int]:
    if is_described(sentence, concepts):
        return {}
    signs = signs_of(Fields(concepts))
    place = sentence.place
    if place in _IN_PROSE:
        signs.pop("misplaced", None)
    if place is not Place.HIDDEN:
        signs.pop("hidden", None)
        if place not in _IN_PROSE:
            # Data and programs say all sorts of things, but don't ask a reader for much.
            signs = {kind: own for kind, own in signs.items() if own >= ASKS and kind in _MISPLACED}
    return signs
