"""The value that every check of the doctor gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended. Part of the JSON contract of `skilllite doctor --json`."""

    OK = "ok"
    WARNING = "warning"
    """Works, with something missing that a person should know."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried."""

    area: str
    """"sandbox", "home", "clock", "network" or "node"."""
    name: str
    status: Status
    detail: str
    remedy: str = ""
    """What to do about it; never empty unless the status is ok."""

    def to_json(self) -> dict[str, str]:
        """Return the check as it appears in `skilllite doctor --json`."""
        return {
            "area": self.area,
            "name": self.name,
            "status": self.status.value,
            "detail": self.detail,
            "remedy": self.remedy,
        }
