"""Who can be asked something that only a person may answer: whoever sits at the terminal.

The one place through which commands get a person's answer; with none, they end with status 4.
"""

from __future__ import annotations

from collections.abc import Callable

Ask = Callable[[str], bool]
"""Shows a person a question at their terminal; only a deliberate yes is True."""


def person_at_terminal() -> Ask | None:
    """Return who can be asked; None when there is nobody."""
    from skilllite_sandbox.gate.terminal import ask_at_terminal, person_is_here

    if not person_is_here():
        return None

    def ask(question: str) -> bool:
        return ask_at_terminal(question.splitlines(), {"yes": "yes"}) == "yes"

    return ask
