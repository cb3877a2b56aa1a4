"""Who can be asked something that only a person may answer: nobody, until consent is there.

The one place through which commands get a person's answer; with none, they end with status 4.
"""

from __future__ import annotations

from collections.abc import Callable

Ask = Callable[[str], bool]
"""Shows a person a question at their terminal; only a deliberate yes is True."""


def person_at_terminal() -> Ask | None:
    """Return who can be asked; None when there is nobody."""
    return None
