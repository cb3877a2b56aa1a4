"""Patterns that are compiled when they are first needed: of some hundred, a scan needs few."""

from __future__ import annotations

import re


class LazyPattern:
    """A regular expression for `search`; a fault in it shows when it is used, so each is tested."""

    __slots__ = ("_compiled", "_flags", "pattern")

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self.pattern = pattern
        self._flags = flags
        self._compiled: re.Pattern[str] | None = None

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match."""
        if self._compiled is None:
            self._compiled = re.compile(self.pattern, self._flags)
        return self._compiled.search(text)
