"""Text as an engine knows it: what of it is known, and where it came from."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Datum
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.values import dataclass

VALUE_CHARS_MAX = 262_144  # of one text that is followed; a payload in a script is some KiB


LOADED_BY_READERS = re.compile(
    rf"!\[[^\]\n]{{0,200}}\]\(\s?https?://[^)\s]{{0,2000}}?{UNKNOWN}|<img\b[^>]{{0,200}}\bsrc=[\"']?https?://[^\"'>\s]{{0,2000}}?{UNKNOWN}"
)
"""An image in what is printed: whoever shows it asks for it, with all that its address says."""


@dataclass(frozen=True, slots=True)
class Taint:
    """One origin of a value."""

    datum: Datum
    file: str
    line: int
    detail: str = ""


NO_TAINTS: frozenset[Taint] = frozenset()


@dataclass(frozen=True, slots=True)
class Text:
    """A text, known in part: `UNKNOWN` stands for each piece that isn't."""

    text: str = ""
    taints: frozenset[Taint] = NO_TAINTS

    @property
    def known(self) -> bool:
        """Whether all of it is known."""
        return UNKNOWN not in self.text

    def has(self, datum: Datum) -> bool:
        """Tell whether any of it came from there."""
        return any(taint.datum is datum for taint in self.taints)


EMPTY = Text()
SOMETHING = Text(UNKNOWN)
"""A text that nothing is known about."""


def joined(parts: list[Text] | tuple[Text, ...], between: str = "") -> Text:
    """Return texts put together."""
    if len(parts) == 1:
        return parts[0]
    taints = frozenset().union(*(part.taints for part in parts)) if parts else NO_TAINTS
    size = sum(len(part.text) for part in parts) + len(between) * len(parts)
    if size > VALUE_CHARS_MAX:
        return Text(UNKNOWN, taints)
    return Text(between.join(part.text for part in parts), taints)


def put_in(text: Text, mark: str, given: Text) -> Text:
    """Return a text with another one for each mark."""
    taints = text.taints | given.taints
    if len(text.text) + text.text.count(mark) * len(given.text) > VALUE_CHARS_MAX:
        return Text(UNKNOWN, taints)
    return Text(text.text.replace(mark, given.text), taints)


def unknown_from(*parts: Text) -> Text:
    """Return a text that was made from these in a way that isn't followed."""
    return Text(UNKNOWN, frozenset().union(*(part.taints for part in parts)))
