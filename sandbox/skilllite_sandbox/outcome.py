"""The result of one run: what came out, why it ended, and what stood in its way."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from skilllite_sandbox.policy import Level, Limits, Tier

if TYPE_CHECKING:
    from skilllite_sandbox.egress.attempt import Attempt


class Reason(StrEnum):
    """Why a run ended. A closed set, part of the JSON contract."""

    OK = "ok"
    EXIT = "exit"
    SIGNAL = "signal"
    TIMEOUT = "timeout"
    CPU = "cpu"
    MEMORY = "memory"
    PROCESSES = "processes"
    OUTPUT = "output"
    DISK = "disk"
    VIOLATION = "violation"
    NOT_JSON = "not_json"
    """Exit 0, but stdout was not one JSON value. Not a failure: the text is kept."""
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    CANCELLED = "cancelled"


COMPLAINT_CHARS_MAX = 300
"""Of a skill's own words in a message; all of them are in its output."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run did. Every run that started has exactly one."""

    output: Any
    """The JSON value the skill printed; None when there was none."""
    text: str
    """stdout as it came, decoded as UTF-8 with replacement."""
    reason: Reason
    exit_code: int | None
    """None when a signal ended it."""
    signal: int | None
    duration_ms: float
    tier: Tier
    level: Level
    enforced: tuple[str, ...]
    """The protections that stood for this run, e.g. "namespaces", "seccomp"."""
    violations: tuple[str, ...]
    """What the skill tried and was killed for, and bounds it ran into; human-readable."""
    stderr: str
    limits: Limits
    not_enforced: tuple[str, ...] = ()
    """What this tier can't give, so that nobody assumes it."""
    message: str = ""
    """One clause that says what happened, empty when ok: `memory limit 512 MiB exceeded`."""

    network: tuple[Attempt, ...] = ()
    """Every connection that the skill asked for, allowed or refused."""

    @property
    def ok(self) -> bool:
        """Whether the skill ended by itself with status 0."""
        return self.reason in (Reason.OK, Reason.NOT_JSON)

    @property
    def complaint(self) -> str:
        """What a skill that failed says itself, in the `error` of its JSON object; else empty."""
        said = self.output.get("error") if isinstance(self.output, dict) else None
        if self.ok or not isinstance(said, str):
            return ""
        return " ".join(said[:COMPLAINT_CHARS_MAX].split())

    def to_json(self) -> dict[str, Any]:
        """Return the machine contract of `skilllite run --json`."""
        return {
            "output": self.output,
            "text": self.text,
            "ok": self.ok,
            "reason": self.reason.value,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "duration_ms": round(self.duration_ms, 3),
            "tier": self.tier.value,
            "level": int(self.level),
            "enforced": list(self.enforced),
            "not_enforced": list(self.not_enforced),
            "violations": list(self.violations),
            "stderr": self.stderr,
            "limits": asdict(self.limits),
            "message": self.message,
            "network": [
                {
                    "host": attempt.host,
                    "port": attempt.port,
                    "address": attempt.address,
                    "result": attempt.result.value,
                    "cause": attempt.cause.value,
                    "detail": attempt.detail,
                    "bytes_up": attempt.bytes_up,
                    "bytes_down": attempt.bytes_down,
                }
                for attempt in self.network
            ],
        }
