"""Whether it matters that one skill hides others of its name.

A copy of the same content, such as `init` makes of every starter skill, hides nothing: whoever runs
the name gets the same code. Only a different one is worth a line on the terminal.
"""

from __future__ import annotations

from skilllite.catalog import CatalogEntry


def hides_another(entry: CatalogEntry) -> bool:
    """Return whether a hidden skill of the same name has other content; reads both."""
    if not entry.shadows:
        return False
    from skilllite_sandbox.digest import compute_digest
    from skilllite_sandbox.errors import SandboxError

    try:
        mine = compute_digest(entry.directory)
        return any(compute_digest(hidden.directory) != mine for hidden in entry.shadows)
    except SandboxError:
        return True  # what can't be compared isn't known to be the same


def shadow_note(entry: CatalogEntry) -> str:
    """Return the sentence about what this skill hides, or what is not used in its favour."""
    if entry.passed_over:
        return f"{entry.name} is the {entry.origin} one, {entry.passed_over}"
    return entry.shadow_note() if hides_another(entry) else ""
