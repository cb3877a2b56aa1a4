"""Asks a person what only a person may answer about installed skills.

At the controlling terminal alone: nothing on stdin, no flag and no program answers for them.
"""

from __future__ import annotations

from collections.abc import Callable

Ask = Callable[[list[str]], bool | None]
"""Shows lines to a person; True only for a deliberate yes, None when there is nobody to ask."""


def ask_at_the_terminal(lines: list[str]) -> bool | None:
    """Ask a person in front of this process's terminal."""
    from skilllite_sandbox.gate.terminal import ask_at_terminal

    said = ask_at_terminal(lines, {"yes": "yes"})
    return None if said is None else said == "yes"
