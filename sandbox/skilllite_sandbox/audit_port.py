"""What whoever decides something needs of the audit log: one function to tell it."""

from __future__ import annotations

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class Recorder(Protocol):
        """Takes what happened; secrets in the facts are made unreadable before they are kept."""

        def record(self, event: str, facts: Mapping[str, object], *, durable: bool = False) -> None:
            """Write down one event.

            Args:
                event: Like `run.ended`.
                facts: Who, what, which; bounded, and without inputs and outputs of skills.
                durable: Return only when it is on the disk.

            Raises:
                AuditUnavailable: it has to be durable and could not be written.
            """
            ...
