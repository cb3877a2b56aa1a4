"""What the advisories on disk add to a scan; nothing is asked over the network.

Kept apart from the scanner itself, whose verdict on the same files is always the same: this one
changes with every update.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from skilllite_sandbox.scan.finding import Finding
from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.supply.reading import read_declared

_ADDED = frozenset({"SL601", "SL609", "SL615"})


def stored_findings(files: Sequence[SourceFile], directory: Path) -> tuple[Finding, ...]:
    """Return what stored advisories say of the packages that files ask for.

    Args:
        files: All files of a skill.
        directory: Where advisories are kept; it need not exist.
    """
    declared = read_declared(files)
    if not declared.dependencies:
        return ()
    # Imported here: they bring the clients of the network, and most skills ask for no package.
    from skilllite_sandbox.supply.audit import Sources, audit_declared
    from skilllite_sandbox.supply.database import AdvisoryDatabase

    with AdvisoryDatabase(directory) as database:
        found = audit_declared("", declared, Sources(database)).findings
    return tuple(each for each in found if each.code in _ADDED)
