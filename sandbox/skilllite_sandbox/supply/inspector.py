"""The scanner's look at dependencies: with what ships only, so that the same files say the same."""

from __future__ import annotations

from collections.abc import Sequence

from skilllite_sandbox.scan.finding import Finding
from skilllite_sandbox.scan.source import SourceFile


def inspect_dependencies(sources: Sequence[SourceFile]) -> tuple[Finding, ...]:
    """Return what is to be said of the packages that a skill asks for."""
    from skilllite_sandbox.supply.dependency import Declared
    from skilllite_sandbox.supply.reading import read_declared

    declared = read_declared(sources)
    if declared == Declared():
        return ()  # most skills: the lists of names aren't read for them
    from skilllite_sandbox.supply.judge import judge_declared

    return judge_declared(declared, sources)
