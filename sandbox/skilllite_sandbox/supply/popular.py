"""Names that are often asked for, kept so that those near another name are found quickly. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

TOP = 1000  # the most popular names, which are worth more to imitate
_SHORTEST = 4  # letters; shorter names are near each other by chance


class PopularNames:
    """The popular names of one ecosystem, the most popular first."""

    def __init__(self, names: Sequence[str], well_known: Sequence[str] = ()) -> None:
        self._rank = {name: rank for rank, name in enumerate(names)}
        self._well_known = frozenset(well_known)
        self._buckets: dict[tuple[int, str], list[str]] | None = None
        self._scoped: dict[str, list[str]] | None = None

    def __len__(self) -> int:
        return len(self._rank)

    def is_known(self, name: str) -> bool:
        """Whether a name is popular, or known well enough to be meant."""
        return name in self._rank or name in self._well_known

    def __contains__(self, name: object) -> bool:
        return name in self._rank

    def rank(self, name: str) -> int:
        """Return the place of a name, from 0; beyond the last when it has none."""
        return self._rank.get(name, len(self._rank) + TOP)

    def near(self, name: str) -> Iterator[str]:
        """Yield at least every name that one slip leads to, each once.

        One slip leaves the first two letters as they are or the last two.
        """
        buckets = self._bucketed()
        seen = set()
        for length in (len(name) - 1, len(name), len(name) + 1):
            for end in ("<" + name[:2], ">" + name[-2:]):
                for each in buckets.get((length, end), ()):
                    if each not in seen:
                        seen.add(each)
                        yield each

    def below_a_scope(self, rest: str) -> Sequence[str]:
        """Return the scoped names that end in `/rest`."""
        if self._scoped is None:
            self._scoped = {}
            for name in self._rank:
                if name.startswith("@"):
                    self._scoped.setdefault(name.partition("/")[2], []).append(name)
        return self._scoped.get(rest, ())

    def _bucketed(self) -> dict[tuple[int, str], list[str]]:
        if self._buckets is None:
            self._buckets = {}
            for name in self._rank:
                if len(name) >= _SHORTEST:
                    for end in ("<" + name[:2], ">" + name[-2:]):
                        self._buckets.setdefault((len(name), end), []).append(name)
        return self._buckets
