"""Consent by the program that embeds the sandbox: its own authority, and audited as such."""

from __future__ import annotations

from skilllite_sandbox.gate.request import Answer

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable

    from skilllite_sandbox.gate.request import Ask, ConsentRequest

CALLBACK = "callback"


def ask_callback(callback: Callable[[ConsentRequest], bool]) -> Ask:
    """Return what asks a callback; only True itself is a yes, and only for this run."""

    def ask(request: ConsentRequest) -> Answer:
        return Answer.ONCE if callback(request) is True else Answer.NO

    return ask
